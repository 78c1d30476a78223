"""The budget: what all releases about a calendar year have spent, for every driver alike.

The releases about a year compose: what they tell about one driver together is at most the sum of their epsilons, and
that sum is held at one. It is the same for all drivers, whether they charged or not: a ledger by driver would itself
tell who charged. A release stays within one calendar year; so a driver's year is spent by the releases about it alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.insight.question import YEARLY
from wattkeeper.charging.phrase import phrase


def left(spent: Iterable[Decimal]) -> Decimal:
    """What of a year's budget is left."""
    return YEARLY - sum(spent, Decimal(0))


def need(year: int, spent: Iterable[Decimal], epsilon: Decimal) -> None:
    """Raise Refusal CONFLICT where a year has less left than is asked for."""
    there = left(spent)
    if epsilon > there:
        raise Refusal(
            Code.CONFLICT,
            phrase(
                "The budget of {year} has {left} of {whole} left, and this asks for {epsilon}. Nothing was looked at. "
                "What left once cannot be taken back: ask for less, for a release that is there already, or for "
                "another year.",
                year=year,
                left=_plain(there),
                whole=_plain(YEARLY),
                epsilon=_plain(epsilon),
            ),
        )


def _plain(epsilon: Decimal) -> str:
    """An epsilon as people write it."""
    return f"{epsilon.normalize():f}"
