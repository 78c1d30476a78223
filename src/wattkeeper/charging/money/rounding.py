"""How amounts become whole cents, stated once.

The total without tax and the total with tax are the exact sums, each rounded once, half up; the tax is their
difference. A line goes up or down to the whole cent beside its exact amount: up go those with the largest remainders
(of equals the earlier), as many as it takes for the lines to add up to the totals. So most lines are simply rounded,
the sum is always right, no line's tax is below zero, and a line without tax has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction

HALF = Fraction(1, 2)
Pair = tuple[Fraction, Fraction]
"""An exact amount without and with tax, in minor units; the second is not less."""


def whole(amount: Fraction) -> int:
    """An amount of minor units, half up."""
    return floor(amount + HALF)


def floor(amount: Fraction) -> int:
    """The whole number below an amount."""
    return amount.numerator // amount.denominator


def minor(amount: Decimal, digits: int) -> int:
    """An amount of the major unit in whole minor units, half up."""
    return whole(Fraction(amount) * 10**digits)


def settled(exact: Sequence[Pair]) -> list[tuple[int, int]]:
    """Amounts without and with tax in whole minor units, of which each column adds up to its exact sum rounded once."""
    untaxed = [index for index, (net, gross) in enumerate(exact) if net == gross]
    taxed = [index for index, (net, gross) in enumerate(exact) if net != gross]
    up = _largest([(_rest(exact[index][0]), index) for index in untaxed], _ups(exact[index][0] for index in untaxed))
    nets, grosses = (whole(sum(column, Fraction(0))) for column in zip(*exact, strict=True)) if exact else (0, 0)
    nets -= sum(floor(net) for net, _ in exact) + len(up)
    grosses -= sum(floor(gross) for _, gross in exact) + len(up)
    up_net = _capped([(_rest(exact[index][0]), index) for index in taxed], nets, grosses, _close(exact, taxed))
    must = up_net & _close(exact, taxed)
    rest = [(_rest(exact[index][1]), index) for index in taxed if index not in must]
    up_gross = must | _largest(rest, grosses - len(must))
    return [
        (floor(net) + (index in up | up_net), floor(gross) + (index in up | up_gross))
        for index, (net, gross) in enumerate(exact)
    ]


def _rest(amount: Fraction) -> Fraction:
    """What an amount has above the whole number below it."""
    return amount - floor(amount)


def _ups(amounts: Iterable[Fraction]) -> int:
    """How many of these amounts have to go up for them to add up to their sum rounded."""
    return whole(sum((_rest(amount) for amount in amounts), Fraction(0)))


def _close(exact: Sequence[Pair], taxed: Iterable[int]) -> set[int]:
    """Those whose two amounts have one whole number below them: where the first goes up, the second must."""
    return {index for index in taxed if floor(exact[index][0]) == floor(exact[index][1])}


def _order(rests: Iterable[tuple[Fraction, int]]) -> list[int]:
    """Which may go up, in the order in which they do: the largest remainder first, of equals the earlier."""
    return [index for _, index in sorted((-rest, index) for rest, index in rests if rest)]


def _largest(rests: Iterable[tuple[Fraction, int]], count: int) -> set[int]:
    """Which go up: so many of those with the largest remainders."""
    return set(_order(rests)[: max(count, 0)])


def _capped(rests: Iterable[tuple[Fraction, int]], count: int, most_close: int, close: set[int]) -> set[int]:
    """As `_largest`, but no more of the close ones than may go up with tax too."""
    up: set[int] = set()
    for index in _order(rests):
        if len(up) < count and (index not in close or len(up & close) < most_close):
            up.add(index)
    return up
