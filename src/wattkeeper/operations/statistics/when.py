"""When things happen: by hour of the week, the load of a site, arrivals, and how long cars stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal

from wattkeeper.charging.money.exact import divided
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.statistics.load import Peak, peak_of, power
from wattkeeper.charging.statistics.span import Span
from wattkeeper.operations.statistics.use import need_totals
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store
from wattkeeper.store.statistics import total
from wattkeeper.store.statistics.total import Total, summed

HOUR = timedelta(hours=1)
HOUR_S = 3600
Place = tuple[int, int]
"""An hour of the week: the day (0: Monday) and the hour on the clock."""


@dataclass(frozen=True, slots=True)
class Slot:
    """What all hours of one kind came to together."""

    hours: int = 0
    """How many of them there were, as far as the span has come."""
    total: Total = field(default_factory=Total)

    def __add__(self, other: Slot) -> Slot:
        return Slot(self.hours + other.hours, self.total + other.total)

    @property
    def power_w(self) -> Decimal:
        """The mean power over them, W."""
        return self._each(self.total.energy_wh)

    @property
    def plugged(self) -> Decimal:
        """How many cars were plugged in at once, on average."""
        return self._each(divided(self.total.plugged_s, HOUR_S))

    @property
    def charging(self) -> Decimal:
        """How many cars were charging at once, on average."""
        return self._each(divided(self.total.charging_s, HOUR_S))

    @property
    def arrivals(self) -> Decimal:
        """How many sessions began in such an hour, on average."""
        return self._each(Decimal(self.total.sessions))

    def _each(self, amount: Decimal) -> Decimal:
        return divided(amount, self.hours) if self.hours else Decimal(0)


@dataclass(frozen=True, slots=True)
class Week:
    """A span by hour of the week, on the clock of the installation."""

    span: Span
    slots: Mapping[Place, Slot]
    """All 168."""
    knows_money: bool

    def hour(self, hour: int) -> Slot:
        """One hour of the day, on all days."""
        return sum((self.slots[day, hour] for day in range(7)), Slot())

    @property
    def whole(self) -> Slot:
        """All of it."""
        return sum(self.slots.values(), Slot())


@dataclass(frozen=True, slots=True)
class Load:
    """The load of a site, or of all together."""

    span: Span
    site: str | None
    """None: all together."""
    quarters: Mapping[datetime, Decimal]
    """The energy of each quarter hour that had any, Wh."""
    spread: Mapping[datetime, Decimal]
    """Of it, what came between readings that lie far apart, Wh."""
    since: datetime
    until: datetime
    """The first instant after it, as far as the span has come."""

    @property
    def peak(self) -> Peak | None:
        """The highest quarter hour."""
        return peak_of(self.quarters, self.spread)

    @property
    def energy_wh(self) -> Decimal:
        """All of it, Wh."""
        return sum(self.quarters.values(), Decimal(0))


@dataclass(frozen=True, slots=True)
class Stays:
    """How long sessions stayed plugged in that began in a span and have ended."""

    span: Span
    quarters: Mapping[int, int]
    """How many stayed so many whole quarter hours."""

    @property
    def sessions(self) -> int:
        """How many there were."""
        return sum(self.quarters.values())

    def between(self, low: int, high: int | None) -> int:
        """How many stayed from so many quarter hours until under so many; None: and longer."""
        return sum(count for one, count in self.quarters.items() if one >= low and (high is None or one < high))

    @property
    def median(self) -> int | None:
        """Under how many quarter hours half of them or more stayed; None where there were none."""
        seen = 0
        for one in sorted(self.quarters):
            seen += self.quarters[one]
            if seen * 2 >= self.sessions:
                return one + 1
        return None


class When:
    """When things happen, at a site or at all."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._zone = settings.zone

    async def week(self, viewer: Viewer, span: Span, site: str | None) -> Week:
        """A span by hour of the week; None: all sites together."""
        need_totals(viewer)
        since, until = self.bounds(span)
        async with self._store.read() as connection:
            found = await total.by_hour(connection, viewer, since.replace(minute=0), until, site)
        knows_money = viewer.may(Scope.BILLS_READ)
        return Week(span, _slots(found, since, until, self._zone, knows_money), knows_money)

    async def load(self, viewer: Viewer, span: Span, site: str | None) -> Load:
        """The load of a site by quarter hour, or of all that the viewer sees together."""
        need_totals(viewer)
        since, until = self.bounds(span)
        async with self._store.read() as connection:
            found = await total.load(connection, viewer, site, since, until)
        quarters, spread = total.loaded(found)
        return Load(span, site, quarters, spread, since, until)

    async def peaks(self, viewer: Viewer, span: Span) -> dict[str, Peak]:
        """The highest quarter hour of each site that had any load."""
        need_totals(viewer)
        async with self._store.read() as connection:
            found = await total.highest_by_site(connection, viewer, *self.bounds(span))
        return {site: Peak(one.at, power(one.energy_wh), power(one.spread_wh)) for site, one in found.items()}

    async def stays(self, viewer: Viewer, span: Span, site: str | None) -> Stays:
        """How long cars stayed that came in a span."""
        need_totals(viewer)
        async with self._store.read() as connection:
            return Stays(span, await total.stays(connection, viewer, span.first, span.until, site))

    def bounds(self, span: Span) -> tuple[datetime, datetime]:
        """From its first instant until its last, as far as it has come."""
        since, until = span.bounds(self._zone)
        return since, max(since, min(until, self._store.clock()))


def _slots(
    found: Mapping[datetime, Total], since: datetime, until: datetime, zone: tzinfo, knows_money: bool
) -> dict[Place, Slot]:
    """Hours put together by the hour of the week in which each begins."""
    hours: dict[Place, int] = dict.fromkeys(((day, hour) for day in range(7) for hour in range(24)), 0)
    sums: dict[Place, list[Total]] = {place: [] for place in hours}
    at = since.replace(minute=0, second=0, microsecond=0)
    while at < until:
        there = at.astimezone(zone)
        hours[there.weekday(), there.hour] += 1
        if at in found:
            sums[there.weekday(), there.hour].append(found[at])
        at += HOUR
    return {place: Slot(count, _sum(sums[place], knows_money)) for place, count in hours.items()}


def _sum(totals: Sequence[Total], knows_money: bool) -> Total:
    whole = summed(totals)
    return whole if knows_money else replace(whole, gross_minor=0)
