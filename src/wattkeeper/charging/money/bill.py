"""What a session costs: lines that anyone can check with pencil and paper, and their sum.

One line is what was used at one price: of one element of the tariff, at one rate of tax. It says of every stretch from
when to when, how much, and how the meter is known at both ends. How amounts are rounded is said in `rounding`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from wattkeeper.charging.money.entry import Entry, entries_of, taxing
from wattkeeper.charging.money.exact import divided, exactly, shown
from wattkeeper.charging.money.line import Line, LineKind
from wattkeeper.charging.money.rounding import Pair, settled
from wattkeeper.charging.money.tariffs.tariff import Bound, Tariff
from wattkeeper.charging.money.usage import Usage


@dataclass(frozen=True, slots=True)
class Taxed:
    """The lines of one rate of tax together, minor units."""

    vat_percent: Decimal | None
    net_minor: int
    vat_minor: int
    gross_minor: int


@dataclass(frozen=True, slots=True)
class Bill:
    """What a session costs; every total is the sum of its lines."""

    currency: str
    digits: int
    """Digits of the minor unit after the point."""
    lines: tuple[Line, ...] = ()

    @property
    def net_minor(self) -> int:
        """Without tax, minor units."""
        return sum(line.net_minor for line in self.lines)

    @property
    def vat_minor(self) -> int:
        """The tax, minor units."""
        return sum(line.vat_minor for line in self.lines)

    @property
    def gross_minor(self) -> int:
        """To pay, minor units."""
        return sum(line.gross_minor for line in self.lines)

    @property
    def gross(self) -> Decimal:
        """To pay, major units: 5.50."""
        return Decimal(self.gross_minor).scaleb(-self.digits)

    @property
    def taxes(self) -> tuple[Taxed, ...]:
        """The sums for each rate of tax, the highest first, lines without a rate last."""
        rates = sorted({line.vat_percent for line in self.lines if line.vat_percent is not None}, reverse=True)
        groups = [(rate, [line for line in self.lines if line.vat_percent == rate]) for rate in (*rates, None)]
        return tuple(_taxed(rate, lines) for rate, lines in groups if lines)


def _taxed(rate: Decimal | None, lines: list[Line]) -> Taxed:
    sums = (sum(getattr(line, name) for line in lines) for name in ("net_minor", "vat_minor", "gross_minor"))
    return Taxed(rate, *sums)


# --- the money ------------------------------------------------------------------------------------------------


def price(usage: Usage, tariff: Tariff) -> Bill:
    """The ONE money function: what this usage costs by this tariff; a session in which nothing happened, nothing."""
    with exactly():
        entries = entries_of(usage, tariff)
        exact = [entry.amounts(tariff) for entry in entries]
        lines = [_line(*each, tariff) for each in zip(entries, exact, settled(exact), strict=True)]
        if not usage.is_empty and (tariff.least or tariff.most):
            lines += _bounded(lines, entries, exact, tariff, _bearing(entries, usage, tariff))
    return Bill(tariff.currency, tariff.digits, tuple(lines))


def _line(entry: Entry, exact: tuple[Fraction, Fraction], rounded: tuple[int, int], tariff: Tariff) -> Line:
    """A line of what was used at one price."""
    net, gross = (_major(amount, tariff) for amount in exact)
    return Line(
        kind=entry.kind,
        used_base=entry.used,
        billed_base=entry.used + entry.extra,
        unit_price=entry.component.price,
        vat_percent=entry.vat_percent,
        net_minor=rounded[0],
        vat_minor=rounded[1] - rounded[0],
        gross_minor=rounded[1],
        exact_net=net,
        exact_gross=gross,
        element=entry.element,
        step_size=entry.component.step_size,
        parts=tuple(entry.parts or ()),
    )


def _major(amount: Fraction, tariff: Tariff) -> Decimal:
    """An exact amount of minor units in the major unit."""
    return shown(divided(amount, 10**tariff.digits))


# --- the least and the most -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Share:
    """What is of one rate of tax of a session that is brought to its least or its most."""

    rate: Decimal | None
    told: Pair
    aim: Pair


def _bounded(
    lines: list[Line], entries: list[Entry], exact: list[Pair], tariff: Tariff, bearing: Decimal | None
) -> Iterator[Line]:
    """What brings the sum up to the least, or down to the most, that a session costs: with and without tax, each.

    OCPI 2.3 mod_tariffs 11.3.1: both apply. A bound that is given only without tax bears the tax of the rest, and
    where nothing cost anything, the rate ``bearing``.
    """
    told = sum((net for net, _ in exact), Fraction(0)), sum((gross for _, gross in exact), Fraction(0))
    factor = divided(told[1], told[0]) if told[0] else taxing(bearing)
    aim = _clamped(told, tariff.least, factor, tariff.digits, max)
    aim = _clamped(aim, tariff.most, factor, tariff.digits, min)
    if aim != told:
        yield from _difference(lines, _shares(told, aim, entries, exact, bearing), tariff)


def _bearing(entries: list[Entry], usage: Usage, tariff: Tariff) -> Decimal | None:
    """The rate that a least bears where nothing cost anything: of what was used first, else of the first price."""
    if entries:
        return entries[0].vat_percent
    day = usage.intervals[0].since.astimezone(tariff.zone).date()
    return next((tariff.vat_of(one, day) for element in tariff.elements for one in element.components), None)


def _clamped(
    told: Pair, bound: Bound | None, factor: Fraction, digits: int, clamp: Callable[[Fraction, Fraction], Fraction]
) -> Pair:
    """Two amounts within a bound."""
    if bound is None:
        return told
    net = clamp(told[0], Fraction(bound.net) * 10**digits)
    if bound.gross is not None:
        return net, clamp(told[1], Fraction(bound.gross) * 10**digits)
    return net, told[1] if net == told[0] else net * factor


def _difference(lines: list[Line], shares: list[Share], tariff: Tariff) -> Iterator[Line]:
    """What brings the rounded sum to exactly these amounts, for each rate of tax."""
    for share, (net_minor, gross_minor) in zip(shares, settled([share.aim for share in shares]), strict=True):
        of_rate = [line for line in lines if len(shares) == 1 or line.vat_percent == share.rate]
        net_minor -= sum(line.net_minor for line in of_rate)
        gross_minor -= sum(line.gross_minor for line in of_rate)
        yield _bounding(share, (net_minor, gross_minor), tariff)


def _shares(told: Pair, aim: Pair, entries: list[Entry], exact: list[Pair], bearing: Decimal | None) -> list[Share]:
    """Each rate of tax keeps its share of the whole; all of it in one without a rate, where no mixture fits."""
    rates = dict.fromkeys(entry.vat_percent for entry in entries)
    if len(rates) < 2 or not told[0]:
        fits = aim[1] - told[1] == (aim[0] - told[0]) * taxing(bearing)
        return [Share(bearing if fits else None, told, aim)]
    if aim[0] * told[1] != aim[1] * told[0]:
        return [Share(None, told, aim)]
    grown, shares = divided(aim[0], told[0]), []
    for rate in rates:
        of_rate = [pair for entry, pair in zip(entries, exact, strict=True) if entry.vat_percent == rate]
        net, gross = (sum(column, Fraction(0)) for column in zip(*of_rate, strict=True))
        if net:
            shares.append(Share(rate, (net, gross), (net * grown, gross * grown)))
    return shares


def _bounding(share: Share, rounded: tuple[int, int], tariff: Tariff) -> Line:
    """A line that is what is missing to the least, or too much for the most."""
    net, gross = (aim - told for aim, told in zip(share.aim, share.told, strict=True))
    one = Decimal(1)
    return Line(
        kind=LineKind.LEAST if net + gross > 0 else LineKind.MOST,
        used_base=one,
        billed_base=one,
        unit_price=_major(gross if tariff.tax_included else net, tariff),
        vat_percent=share.rate,
        net_minor=rounded[0],
        vat_minor=rounded[1] - rounded[0],
        gross_minor=rounded[1],
        exact_net=_major(net, tariff),
        exact_gross=_major(gross, tariff),
    )
