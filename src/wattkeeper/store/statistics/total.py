"""Totals as people and forecasts read them: sums of what is kept by span, never of sessions one by one.

What an answer costs grows with the span it shows and the stations in it, not with the sessions that are stored: whole
months come as months, the days beside them as days.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import Column, ColumnElement, Table, func, or_, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.person import Viewer
from wattkeeper.store import reach
from wattkeeper.store.columns import BigInteger, Exact, Instant
from wattkeeper.store.tables import (
    connector,
    load_quarter,
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
    ended: int = 0
    empty: int = 0
    """Of these, those that ended without energy."""
    stayed_s: Decimal = ZERO
    """How long the sessions that began in it stayed."""

    def __add__(self, other: Total) -> Total:
        return Total(**{name: getattr(self, name) + getattr(other, name) for name in NAMES})


NAMES = tuple(one.name for one in fields(Total))
OF_HOURS = NAMES[:6]


class Outlet(NamedTuple):
    """A connector; 0 where the station told none."""

    station: str
    evse: int
    connector: int


@dataclass(frozen=True, slots=True)
class Placed:
    """A station, and the connectors that it told of: EVSE and connector."""

    station: str
    label: str
    site: str
    connectors: tuple[tuple[int, int], ...]

    @property
    def name(self) -> str:
        """What people call it."""
        return self.label or self.station


@dataclass(frozen=True, slots=True)
class Part:
    """Of what totals are asked for; None does not restrict."""

    site: str | None = None
    station: str | None = None


WHOLE = Part()


async def placed(connection: AsyncConnection, viewer: Viewer) -> dict[str, Placed]:
    """The stations whose totals the viewer may read, by id, with the connectors that each told of."""
    s, k = station.c, connector.c
    within = reach.totals(viewer, s.id)
    told: dict[str, list[tuple[int, int]]] = {}
    joined = select(k.station_id, k.evse, k.connector).join(station, s.id == k.station_id)
    for name, evse, number in await connection.execute(joined.where(within, k.evse > 0).order_by(k.evse, k.connector)):
        told.setdefault(name, []).append((evse, number))
    rows = await connection.execute(select(s.id, s.label, s.site).where(within).order_by(s.id))
    return {row.id: Placed(row.id, row.label, row.site, tuple(told.get(row.id, ()))) for row in rows}


async def by_outlet(
    connection: AsyncConnection, viewer: Viewer, first: date, until: date, part: Part = WHOLE
) -> dict[Outlet, Total]:
    """What each connector came to from one day to before another, within the viewer's reach."""
    found: dict[Outlet, Total] = {}
    for table, spans, low, high in _spans(first, until):
        c = table.c
        of = (c.station_id, c.evse, c.connector)
        conditions = [spans >= low, spans < high, reach.totals(viewer, c.station_id), *_of(part, c.station_id)]
        for name, evse, number, *sums in await connection.execute(
            select(*of, *_sums(table, NAMES)).where(*conditions).group_by(*of)
        ):
            outlet = Outlet(name, evse, number)
            found[outlet] = found.get(outlet, Total()) + _total(NAMES, sums)
    return found


async def by_day(
    connection: AsyncConnection, viewer: Viewer, first: date, until: date, part: Part = WHOLE
) -> dict[str, Total]:
    """What each day came to that had anything, as 2026-03-01."""
    c = tally_day.c
    conditions = [c.day >= first.isoformat(), c.day < until.isoformat(), reach.totals(viewer, c.station_id)]
    wanted = select(c.day, *_sums(tally_day, NAMES)).where(*conditions, *_of(part, c.station_id)).group_by(c.day)
    return {day: _total(NAMES, sums) for day, *sums in await connection.execute(wanted.order_by(c.day))}


async def by_month(
    connection: AsyncConnection, viewer: Viewer, first: str, last: str, part: Part = WHOLE
) -> dict[str, Total]:
    """What each month came to that had anything, from one to another, such as 2026-03."""
    c = tally_month.c
    conditions = [c.month >= first, c.month <= last, reach.totals(viewer, c.station_id)]
    wanted = select(c.month, *_sums(tally_month, NAMES)).where(*conditions, *_of(part, c.station_id)).group_by(c.month)
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
    connection: AsyncConnection, viewer: Viewer, site: str, since: datetime, until: datetime
) -> dict[datetime, Decimal]:
    """The energy of each quarter hour at a site that had any, Wh; times four it is the mean power, W."""
    c = load_quarter.c
    conditions = [c.site == site, c.at >= since, c.at < until, c.energy_wh != 0, reach.site_totals(viewer, c.site)]
    rows = await connection.execute(select(c.at, c.energy_wh).where(*conditions).order_by(c.at))
    return {at: energy_wh for at, energy_wh in rows}


async def highest(
    connection: AsyncConnection, viewer: Viewer, site: str, since: datetime, until: datetime
) -> tuple[datetime, Decimal] | None:
    """The quarter hour with the most energy at a site, Wh; None where there was none."""
    c = load_quarter.c
    conditions = [c.site == site, c.at >= since, c.at < until, c.energy_wh > 0, reach.site_totals(viewer, c.site)]
    top = select(c.at, c.energy_wh).where(*conditions).order_by(c.energy_wh.desc(), c.at).limit(1)
    row = (await connection.execute(top)).first()
    return None if row is None else (row.at, row.energy_wh)


async def highest_by_site(
    connection: AsyncConnection, viewer: Viewer, since: datetime, until: datetime
) -> dict[str, tuple[datetime, Decimal]]:
    """The quarter hour with the most energy at each site that had any, Wh; the first of several."""
    c = load_quarter.c
    within = [c.at >= since, c.at < until, c.energy_wh > 0]
    highest_wh = type_coerce(func.max(c.energy_wh), Exact()).label("highest_wh")
    most = select(c.site, highest_wh).where(*within, reach.site_totals(viewer, c.site)).group_by(c.site).subquery()
    first = type_coerce(func.min(c.at), Instant())
    told = select(c.site, first, most.c.highest_wh).group_by(c.site, most.c.highest_wh).order_by(c.site)
    joined = told.join(most, (most.c.site == c.site) & (most.c.highest_wh == c.energy_wh)).where(*within)
    return {site: (at, energy_wh) for site, at, energy_wh in await connection.execute(joined)}


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


async def there(connection: AsyncConnection, viewer: Viewer, stations: Sequence[str]) -> set[str]:
    """Those of these stations that are still here, within the viewer's reach."""
    some = select(station.c.id).where(station.c.id.in_(stations), reach.totals(viewer, station.c.id))
    return set((await connection.execute(some)).scalars())


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
    """The sites that have stations or totals and that the viewer may see, by name; an empty one: stations without."""
    c = stay_count.c
    counted = select(c.site).where(reach.site_totals(viewer, c.site), c.sessions > 0).distinct()
    placed = select(station.c.site).where(reach.site_totals(viewer, station.c.site), station.c.site != "").distinct()
    return sorted((await connection.execute(counted.union(placed))).scalars())


# --- parts of queries ---------------------------------------------------------------------------------------------


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


def _of(part: Part, station_id: Column[Any]) -> Iterator[ColumnElement[bool]]:
    """The conditions that keep to a part."""
    if part.station is not None:
        yield station_id == part.station
    if part.site is not None:
        ours = station_id.in_(select(station.c.id).where(station.c.site == part.site))
        yield or_(ours, station_id.not_in(select(station.c.id))) if part.site == "" else ours


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
    told: dict[str, Any] = dict(zip(names, sums, strict=True))
    told |= {name: int(one) for name, one in told.items() if not name.endswith(("_s", "_wh"))}
    return Total(**told)
