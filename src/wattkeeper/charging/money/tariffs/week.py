"""What a week costs by a tariff: for each day from when to when which prices can hold, by the clock of its place."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise

from wattkeeper.charging.cards.limits import WEEK
from wattkeeper.charging.money.exact import ZERO
from wattkeeper.charging.money.tariffs.restriction import Moment, Restrictions
from wattkeeper.charging.money.tariffs.tariff import Dimension, Element, Tariff, with_tax

DAY_MIN = 24 * 60
BEGIN = Moment(energy_wh=ZERO, lasting=timedelta(0))
"""What a session has come to when it begins."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A price that can hold, with tax, and what beside the clock it asks for."""

    price: Decimal
    """For a kWh, an hour or a session, major units, as a driver pays it."""
    when: Restrictions
    """Without those of the clock."""
    element: int
    """Of which element of the tariff, counted from 0."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """From one minute of a day to another, the prices that can hold: the first whose conditions are met does."""

    since_min: int
    until_min: int
    offers: tuple[Offer, ...]
    """Where the last one asks for something too, there may be no price at all. None: there is none."""

    @property
    def opening(self) -> Decimal | None:
        """What holds when a session begins, before anything is measured; None: no price."""
        held = (one.price for one in self.offers if one.when.holds_by_measure(BEGIN))
        return next(held, self.offers[0].price if self.offers else None)


def week(tariff: Tariff, first: date, dimension: Dimension) -> tuple[tuple[Stretch, ...], ...]:
    """Seven days from a day on, each in stretches from 0:00 to 24:00; reservations are not told."""
    return tuple(day(tariff, first + timedelta(days=after), dimension) for after in range(7))


def day(tariff: Tariff, which: date, dimension: Dimension) -> tuple[Stretch, ...]:
    """A day in stretches, each unlike the one before; on the night when clocks are set, what they show decides."""
    dated = tariff.on(datetime.combine(which, time(12), tariff.zone))
    turns = sorted({0, *_turns(tariff), DAY_MIN})
    made: list[Stretch] = []
    for since, until in pairwise(turns):
        offers = _offers(dated, datetime.combine(which, time(*divmod(since, 60))), dimension)
        if made and made[-1].offers == offers:
            since = made.pop().since_min
        made.append(Stretch(since, until, offers))
    return tuple(made)


def _turns(tariff: Tariff) -> set[int]:
    """The minutes of a day at which a restriction of the tariff begins or ends."""
    told = [at for each in tariff.elements for at in (each.restrictions.start_time, each.restrictions.end_time)]
    return {at.hour * 60 + at.minute for at in told if at is not None}


def _offers(tariff: Tariff, local: datetime, dimension: Dimension) -> tuple[Offer, ...]:
    """The prices that can hold when the clock shows this, as far as one that asks for nothing more."""
    found = []
    for place, each in enumerate(tariff.elements):
        when = each.restrictions
        if when.reservation is not None or not when.holds_by_clock(local):
            continue
        price = _price(tariff, each, dimension)
        if price is not None:
            found.append(Offer(price, unclocked(when), place))
            if not when.is_measured:
                break
    return tuple(found)


def _price(tariff: Tariff, each: Element, dimension: Dimension) -> Decimal | None:
    """The price that an element has for a dimension, with tax."""
    named = (with_tax(one, tariff) for one in each.components if one.dimension is dimension)
    return next(named, None)


def unclocked(when: Restrictions) -> Restrictions:
    """What restrictions ask beside the clock."""
    return replace(when, start_time=None, end_time=None, start_date=None, end_date=None, days=WEEK)
