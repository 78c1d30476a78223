"""What of a tariff holds at an instant, and what else can: the order in which people read prices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from wattkeeper.charging.money.exact import ZERO
from wattkeeper.charging.money.tariffs.restriction import ALWAYS, Restrictions
from wattkeeper.charging.money.tariffs.tariff import Component, Dimension, Tariff
from wattkeeper.charging.money.tariffs.week import BEGIN

FIRST = (Dimension.ENERGY, Dimension.TIME, Dimension.FLAT, Dimension.PARKING_TIME)
"""Which price a driver looks for first."""


@dataclass(frozen=True, slots=True)
class Offered:
    """A price that is told before anything begins."""

    component: Component
    when: Restrictions
    is_now: bool = False
    """Whether a session that begins at that instant is priced by it."""
    is_rest: bool = False
    """Whether it holds only where none of the others does that were named before it for the same."""


def offered(tariff: Tariff, at: datetime) -> tuple[Offered, ...]:
    """Every price that can hold: those of sessions first, and of them those that hold now; what costs nothing last.

    Where energy has a price at other times only, it stands first that it costs nothing now.
    """
    local = at.astimezone(tariff.zone)
    kinds: dict[tuple[bool, Dimension], list[tuple[Component, Restrictions]]] = {}
    for component, when in tariff.offers:
        kinds.setdefault((when.reservation is not None, component.dimension), []).append((component, when))
    found = [one for offers in kinds.values() for one in _of_one_kind(offers, local)]
    return tuple(sorted((one for one in found if _matters(one, found)), key=_rank))


def _of_one_kind(offers: Sequence[tuple[Component, Restrictions]], local: datetime) -> Iterator[Offered]:
    """The prices of one dimension, in the order in which the tariff asks them."""
    clocked = [offer for offer in offers if offer[1].holds_by_clock(local)]
    begun = [offer for offer in clocked if offer[1].holds_by_measure(BEGIN)]
    now = next(iter(begun or clocked), None)
    component = offers[0][0]
    if now is None and component.dimension is Dimension.ENERGY:
        yield Offered(Component(Dimension.ENERGY, ZERO, component.vat_percent), ALWAYS, is_now=True, is_rest=True)
    for place, offer in enumerate(offers):
        yield Offered(*offer, is_now=offer is now, is_rest=place > 0 and not offer[1].is_bound)


def _matters(one: Offered, found: Sequence[Offered]) -> bool:
    """Whether a price is worth a line: one of nothing is where the same costs something at other times."""
    same = (each for each in found if each.component.dimension is one.component.dimension)
    return bool(one.component.price or one.when.is_bound) or any(each.component.price for each in same)


def _rank(one: Offered) -> tuple[bool, bool, bool, int]:
    """Which comes first."""
    free = not one.component.price
    return one.when.reservation is not None, not one.is_now, free, FIRST.index(one.component.dimension)
