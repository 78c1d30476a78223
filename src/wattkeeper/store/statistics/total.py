"""Totals as people and forecasts read them: sums of what is kept by span, never of sessions one by one.

What an answer costs grows with the span it shows and the stations in it, not with the sessions that are stored: whole
months come as months, the days beside them as days.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from decimal import Decimal
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import Column, ColumnElement, Select, Table, func, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.person import Viewer
from wattkeeper.store import reach
from wattkeeper.store.columns import BigInteger, Exact
from wattkeeper.store.stations.placement import Stand
from wattkeeper.store.tables import (
    connector,
    load_quarter,
    placement,
    station,
    stay_count,
    stay_day,
    tally_day,
    tally_hour,
    tally_month,
)

ZERO = Decimal(0)
DAY_US = 86_400_000_000
HOURS, QUARTERS = tally_hour, load_quarter


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """What sessions come to over a span."""

    plugged_s: Decimal = ZERO
    charging_s: Decimal = ZERO
    idle_s: Decimal = ZERO
    energy_wh: Decimal = ZERO
    gross_minor: int = 0
    """Billed with tax, minor units of the installation's money."""
    sessions: int = 0
    """Sessions that began in it."""
    unknown_s: Decimal = ZERO
    """Of the time plugged in, that of sessions of which nobody knows when they charged."""
    unknown: int = 0
    """Such sessions that began in it."""
    ended: int = 0
    empty: int = 0
    """Of these, those that ended without energy."""
    stayed_s: Decimal = ZERO
    """How long the sessions that began in it stayed."""

    @property
    def known_s(self) -> Decimal:
        """The time plugged in of which it is known whether energy flowed."""
        return self.plugged_s - self.unknown_s

    @property
    def is_known(self) -> bool:
        """Whether that is known of half of it or more: else nothing is said of how long cars charged and stood full."""
        return self.known_s >= self.unknown_s

    def __add__(self, other: Total) -> Total:
        return summed((self, other))


NAMES = tuple(one.name for one in fields(Total))
VALUES = attrgetter(*NAMES)
COUNTS = frozenset(name for name in NAMES if not name.endswith(("_s", "_wh")))


def summed(totals: Iterable[Total]) -> Total:
    """What any number of totals come to together: quick, for there are as many as connectors."""
    sums: dict[str, Any] = dict(zip(NAMES, map(sum, zip(*map(VALUES, totals), strict=True)), strict=False))
    return Total(**sums)


OF_HOURS = NAMES[:8]
OF_QUARTERS = ("energy_wh", "spread_wh")


class Quarter(NamedTuple):
    """A quarter hour of a site, or of all together."""

    at: datetime
    energy_wh: Decimal
    spread_wh: Decimal
    """Of its energy, what came between readings that lie far apart."""


class Outlet(NamedTuple):
    """A connector; 0 where the station told none. One that moved is one at each site."""

    station: str
    evse: int
    connector: int
    site: str


@dataclass(frozen=True, slots=True)
class Placed:
    """A station, its connectors (EVSE and connector), and where it stood, as far as a viewer may know."""

    station: str
    label: str
    admitted_at: datetime
    connectors: tuple[tuple[int, int], ...]
    stands: tuple[Stand, ...]

    @property
    def name(self) -> str:
        """What people call it."""
        return self.label or self.station

    def sites(self, since: datetime, until: datetime) -> list[str]:
        """The sites at which it stood within a span, each once."""
        return sorted({one.site for one in self.stands if one.overlaps(since, until)})

    def outlets(self, since: datetime, until: datetime) -> list[Outlet]:
        """Its connectors, each at each site at which it stood within a span."""
        return [Outlet(self.station, *each, site) for each in self.connectors for site in self.sites(since, until)]

    def stands_at(self, site: str, since: datetime) -> bool:
        """Whether it has stood at a site since an instant or longer, and does."""
        last = self.stands[-1]
        return last.until is None and last.site == site and last.since <= since

    def lasting(self, site: str, since: datetime, until: datetime) -> timedelta:
        """How much of a span it stood at a site."""
        parts = (one.within(since, until) for one in self.stands if one.site == site)
        return sum(parts, timedelta(0))


@dataclass(frozen=True, slots=True)
class Part:
    """Of what totals are asked for; None does not restrict."""

    site: str | None = None
    station: str | None = None


WHOLE = Part()


async def placed(connection: AsyncConnection, viewer: Viewer) -> dict[str, Placed]:
    """The stations that are here and have totals that the viewer may read, by id."""
    s, k, p = station.c, connector.c, placement.c
    within = reach.site_totals(viewer, p.site)
    labels: dict[str, tuple[str, datetime]] = {}
    stands: dict[str, list[Stand]] = {}
    stood = select(s.id, s.label, s.created_at, p.site, p.since, p.until).join(placement, p.station_id == s.id)
    for name, label, at, *stand in await connection.execute(stood.where(within).order_by(s.id, p.since)):
        labels[name] = (label, at)
        stands.setdefault(name, []).append(Stand(*stand))
    told: dict[str, list[tuple[int, int]]] = {}
    of = select(k.station_id, k.evse, k.connector).where(
        k.evse > 0, k.station_id.in_(select(p.station_id).where(within))
    )
    for name, evse, number in await connection.execute(of.order_by(k.evse, k.connector)):
        told.setdefault(name, []).append((evse, number))
    return {
        name: Placed(name, *label, tuple(told.get(name, ())), tuple(stands[name])) for name, label in labels.items()
    }


async def by_outlet(
    connection: AsyncConnection, viewer: Viewer, first: date, until: date, part: Part = WHOLE
) -> dict[Outlet, Total]:
    """What each connector came to from one day to before another, within the viewer's reach."""
    found: dict[Outlet, Total] = {}
    for table, spans, low, high in _spans(first, until):
        c = table.c
        of = (c.station_id, c.evse, c.connector, c.site)
        conditions = [spans >= low, spans < high, reach.site_totals(viewer, c.site), *_of(part, table)]
        for name, evse, number, site, *sums in await connection.execute(
            select(*of, *_sums(table, NAMES)).where(*conditions).group_by(*of)
        ):
            outlet, its = Outlet(name, evse, number, site), _total(NAMES, sums)
            found[outlet] = found[outlet] + its if outlet in found else its
    return found


async def outlets(
    connection: AsyncConnection, viewer: Viewer, first: date, until: date, part: Part = WHOLE
) -> set[Outlet]:
    """The connectors at which there was anything from one day to before another, within the viewer's reach."""
    found: set[Outlet] = set()
    for table, spans, low, high in _spans(first, until):
        c = table.c
        conditions = [spans >= low, spans < high, (c.sessions > 0) | (c.plugged_s > ZERO), *_of(part, table)]
        wanted = select(c.station_id, c.evse, c.connector, c.site).where(reach.site_totals(viewer, c.site), *conditions)
        found.update(map(Outlet._make, await connection.execute(wanted.distinct())))
    return found


async def by_day(
    connection: AsyncConnection, viewer: Viewer, first: date, until: date, part: Part = WHOLE
) -> dict[str, Total]:
    """What each day came to that had anything, as 2026-03-01."""
    c = tally_day.c
    conditions = [c.day >= first.isoformat(), c.day < until.isoformat(), reach.site_totals(viewer, c.site)]
    wanted = select(c.day, *_sums(tally_day, NAMES)).where(*conditions, *_of(part, tally_day)).group_by(c.day)
    return {day: _total(NAMES, sums) for day, *sums in await connection.execute(wanted.order_by(c.day))}


async def by_month(
    connection: AsyncConnection, viewer: Viewer, first: str, last: str, part: Part = WHOLE
) -> dict[str, Total]:
    """What each month came to that had anything, from one to another, such as 2026-03."""
    c = tally_month.c
    conditions = [c.month >= first, c.month <= last, reach.site_totals(viewer, c.site)]
    wanted = select(c.month, *_sums(tally_month, NAMES)).where(*conditions, *_of(part, tally_month)).group_by(c.month)
    return {month: _total(NAMES, sums) for month, *sums in await connection.execute(wanted.order_by(c.month))}


async def by_hour(
    connection: AsyncConnection, viewer: Viewer, since: datetime, until: datetime, site: str | None = None
) -> dict[datetime, Total]:
    """What each hour came to that had anything; all sites together, or one."""
    c = tally_hour.c
    conditions = [c.at >= since, c.at < until, reach.site_totals(viewer, c.site), *_at(c.site, site)]
    wanted = select(c.at, *_sums(tally_hour, OF_HOURS)).where(*conditions).group_by(c.at).order_by(c.at)
    return {at: _total(OF_HOURS, sums) for at, *sums in await connection.execute(wanted)}


async def load(
    connection: AsyncConnection, viewer: Viewer, site: str | None, since: datetime, until: datetime
) -> list[Quarter]:
    """Each quarter hour that had energy, in order, of a site or of all together; times four it is the mean power, W."""
    energy_wh, spread_wh = _sums(load_quarter, OF_QUARTERS)
    wanted = _quarters(viewer, since, until, site).with_only_columns(load_quarter.c.at, energy_wh, spread_wh)
    rows = await connection.execute(wanted.group_by(load_quarter.c.at).order_by(load_quarter.c.at))
    return [Quarter(*row) for row in rows if row[1]]


def loaded(quarters: Sequence[Quarter]) -> tuple[dict[datetime, Decimal], dict[datetime, Decimal]]:
    """Quarter hours by their beginning: energy, and of it what is spread where there is any, Wh."""
    return {one.at: one.energy_wh for one in quarters}, {one.at: one.spread_wh for one in quarters if one.spread_wh}


async def highest_by_site(
    connection: AsyncConnection, viewer: Viewer, since: datetime, until: datetime
) -> dict[str, Quarter]:
    """The quarter hour with the most energy at each site that had any; the first of several."""
    c = load_quarter.c
    rank = func.row_number().over(partition_by=c.site, order_by=(c.energy_wh.desc(), c.at)).label("rank")
    ranked = _quarters(viewer, since, until).add_columns(rank).subquery()
    wanted = select(*(ranked.c[column.name] for column in c)).where(ranked.c.rank == 1).order_by(ranked.c.site)
    return {site: Quarter(*told) for site, *told in await connection.execute(wanted)}


async def stays(
    connection: AsyncConnection, viewer: Viewer, first: date, until: date, site: str | None = None
) -> dict[int, int]:
    """How many sessions lasted so many whole quarter hours, of those that began from one day to before another."""
    found: Counter[int] = Counter()
    for is_month, low, high in stretches(first, until):
        table = stay_count if is_month else stay_day
        c, span = table.c, table.c["month" if is_month else "day"]
        conditions = [span >= low, span < high, reach.site_totals(viewer, c.site), *_at(c.site, site)]
        wanted = select(c.quarters, func.sum(c.sessions)).where(*conditions).group_by(c.quarters)
        for quarters, count in await connection.execute(wanted):
            found[quarters] += int(count)
    return {quarters: found[quarters] for quarters in sorted(found) if found[quarters]}


async def energy(
    connection: AsyncConnection, viewer: Viewer, sites: Sequence[str], since: datetime, until: datetime, by: Table
) -> dict[datetime, Decimal]:
    """What these sites came to together in each hour that had any, or quarter hour, Wh; ``by``: a table of either."""
    energy_wh = type_coerce(func.sum(by.c.energy_wh), Exact())
    wanted = select(by.c.at, energy_wh).where(*_between(viewer, sites, since, until, by)).group_by(by.c.at)
    return {at: wh for at, wh in await connection.execute(wanted.order_by(by.c.at))}


async def energy_by_clock(
    connection: AsyncConnection, viewer: Viewer, sites: Sequence[str], since: datetime, until: datetime, by: Table
) -> dict[tuple[str, timedelta], Decimal]:
    """What each of these sites came to between two instants by the time of the day (UTC), Wh."""
    clock = type_coerce(by.c.at, BigInteger) % DAY_US
    energy_wh = type_coerce(func.sum(by.c.energy_wh), Exact())
    wanted = select(by.c.site, clock, energy_wh).where(*_between(viewer, sites, since, until, by))
    rows = await connection.execute(wanted.group_by(by.c.site, clock))
    return {(site, timedelta(microseconds=int(after))): wh for site, after, wh in rows}


async def energy_by_site(
    connection: AsyncConnection, viewer: Viewer, sites: Sequence[str], since: datetime, until: datetime
) -> dict[str, Decimal]:
    """What each of these sites came to between two instants, Wh."""
    c = tally_hour.c
    wanted = select(c.site, type_coerce(func.sum(c.energy_wh), Exact()))
    rows = await connection.execute(wanted.where(*_between(viewer, sites, since, until, tally_hour)).group_by(c.site))
    return {site: wh for site, wh in rows}


def _between(
    viewer: Viewer, sites: Sequence[str], since: datetime, until: datetime, by: Table
) -> list[ColumnElement[bool]]:
    """The rows of these sites between two instants, within the viewer's reach."""
    return [by.c.site.in_(sites), by.c.at >= since, by.c.at < until, reach.site_totals(viewer, by.c.site)]


async def busiest(
    connection: AsyncConnection, viewer: Viewer, since: datetime, until: datetime, most: int, site: str | None = None
) -> dict[str, Decimal]:
    """The sites with the most energy between two instants, and how much, Wh; or the one that is asked for."""
    c = tally_hour.c
    conditions = [c.at >= since, c.at < until, reach.site_totals(viewer, c.site), *_at(c.site, site)]
    energy_wh = type_coerce(func.sum(c.energy_wh), Exact())
    wanted = select(c.site, energy_wh).where(*conditions).group_by(c.site).limit(most)
    rows = await connection.execute(wanted.order_by(func.sum(c.energy_wh).desc(), c.site))
    return {row[0]: row[1] for row in rows}


async def sites(connection: AsyncConnection, viewer: Viewer) -> list[str]:
    """The sites of stations or totals that the viewer may see, by name; an empty one: stations without."""
    c = stay_count.c
    counted = select(c.site).where(reach.site_totals(viewer, c.site), c.sessions > 0).distinct()
    p = placement.c
    placed = select(p.site).where(reach.site_totals(viewer, p.site), p.site != "").distinct()
    return sorted((await connection.execute(counted.union(placed))).scalars())


# --- parts of queries ---------------------------------------------------------------------------------------------


def _quarters(viewer: Viewer, since: datetime, until: datetime, site: str | None = None) -> Select[Any]:
    """Quarter hours with energy, of a site or of all that the viewer sees."""
    c = load_quarter.c
    conditions = [c.at >= since, c.at < until, c.energy_wh > 0, reach.site_totals(viewer, c.site), *_at(c.site, site)]
    return select(load_quarter).where(*conditions)


def _spans(first: date, until: date) -> Iterator[tuple[Table, Column[Any], str, str]]:
    """Which rows make up the days from one to before another."""
    for is_month, low, high in stretches(first, until):
        yield (tally_month, tally_month.c.month, low, high) if is_month else (tally_day, tally_day.c.day, low, high)


def stretches(first: date, until: date) -> Iterator[tuple[bool, str, str]]:
    """The days from one to before another as whole months, and the days beside them: whether months, and from, to."""
    month = first if first.day == 1 else _next_month(first)
    end = until.replace(day=1)
    if month >= end:
        yield False, first.isoformat(), until.isoformat()
        return
    if first < month:
        yield False, first.isoformat(), month.isoformat()
    yield True, month.isoformat()[:7], end.isoformat()[:7]
    if end < until:
        yield False, end.isoformat(), until.isoformat()


def _next_month(day: date) -> date:
    """The first day of the month after a day's."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _of(part: Part, table: Table) -> Iterator[ColumnElement[bool]]:
    """The conditions that keep to a part of totals by connector."""
    if part.station is not None:
        yield table.c.station_id == part.station
    yield from _at(table.c.site, part.site)


def _at(column: Column[Any], site: str | None) -> Sequence[ColumnElement[bool]]:
    return () if site is None else (column == site,)


def _sums(table: Table, names: Sequence[str]) -> Iterator[ColumnElement[Any]]:
    """The sums of columns, in their own types."""
    for name in names:
        column = table.c[name]
        summed = func.sum(column)
        yield type_coerce(summed, Exact()) if isinstance(column.type, Exact) else summed


def _total(names: Sequence[str], sums: Sequence[Any]) -> Total:
    """A total of its row."""
    told: dict[str, Any] = {name: int(one) if name in COUNTS else one for name, one in zip(names, sums, strict=True)}
    return Total(**told)
