"""Carbon dioxide of sessions and of months: their energy, by what the grid of their site carried when it flowed."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.person import Viewer
from wattkeeper.charging.statistics.carbon import Emitted, emitted
from wattkeeper.charging.statistics.terms import Carbon
from wattkeeper.store.statistics import share, terms, total

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def carbon_of(connection: AsyncConnection, sessions: Sequence[str], zone: tzinfo) -> dict[str, Decimal]:
    """The carbon dioxide of sessions that their viewer has seen already, in grams.

    Left out: those of which the grid's carbon is not known for all their energy, that brought none, or that were not
    counted yet.
    """
    return {name: one.grams for name, one in (await emitted_of(connection, sessions, zone)).items() if one.is_whole}


async def emitted_of(connection: AsyncConnection, sessions: Sequence[str], zone: tzinfo) -> dict[str, Emitted]:
    """The same, with how much of their energy is known; left out: those that brought none, or have no terms."""
    known = await share.counted(connection, sessions)
    ats = [part.at for one in known.values() for part in one.share.parts]
    if not ats:
        return {}
    span = (min(ats) - HOUR, max(ats) + HOUR)
    grids = await carbon_at(connection, {one.site for one in known.values()}, *span, zone)
    found = {}
    for name, one in known.items():
        carbon = grids.get(one.site)
        came = emitted(((part.at, part.energy_wh) for part in one.share.parts), carbon)
        if came.energy_wh > 0 and came.known_wh > 0:
            found[name] = came
    return found


async def carbon_at(
    connection: AsyncConnection, sites: Collection[str], since: datetime, until: datetime, zone: tzinfo
) -> dict[str, Carbon]:
    """What the grids of sites carried between two instants; sites of which nobody told are left out."""
    entered = await terms.of_sites(connection, sites)
    by_hour = await terms.carbon_by_hour(connection, sites, since, until)
    told = {site for site, all_of_it in entered.items() if any(one.carbon_g_per_kwh for one in all_of_it)}
    return {site: Carbon(entered.get(site, ()), by_hour.get(site, {}), zone) for site in told | {*by_hour}}


async def by_month(
    connection: AsyncConnection, viewer: Viewer, first: date, until: date, zone: tzinfo, site: str | None = None
) -> dict[str, Emitted]:
    """What each month came to, as 2026-03, from one day to before another (scope sessions:read).

    Only sites of whose grid somebody told are counted; empty where there is none.
    """
    since, end = (datetime.combine(day, time(), zone).astimezone(UTC) for day in (first, until))
    sites = [one for one in await total.sites(connection, viewer) if site in (None, one)]
    grids = await carbon_at(connection, sites, since, end, zone)
    found: dict[str, Emitted] = {}
    for name, carbon in grids.items():
        if carbon.by_hour:
            by_hour = await total.energy(connection, viewer, name, since, end)
            for month, came in (await asyncio.to_thread(_months, by_hour, carbon, zone)).items():
                _add(found, month, came)
    steady = [name for name, carbon in grids.items() if not carbon.by_hour]
    if steady:
        for begin, after in _stretches([grids[name] for name in steady], since, end, zone):
            month = f"{begin.astimezone(zone):%Y-%m}"
            for (name, hour), wh in (await total.energy_by_clock(connection, viewer, steady, begin, after)).items():
                _add(found, month, emitted([(_next(begin, hour), wh)], grids[name]))
    return dict(sorted(found.items()))


def _months(by_hour: Mapping[datetime, Decimal], carbon: Carbon, zone: tzinfo) -> dict[str, Emitted]:
    """What energy by hour came to by month: beside everything else, for a year of many sites takes a while."""
    found: dict[str, Emitted] = {}
    for at, wh in by_hour.items():
        _add(found, f"{at.astimezone(zone):%Y-%m}", emitted([(at, wh)], carbon))
    return found


def _add(found: dict[str, Emitted], month: str, more: Emitted) -> None:
    found[month] = found.get(month, Emitted()) + more


def _next(since: datetime, hour: int) -> datetime:
    """The first instant from one on at an hour of the day, UTC."""
    at = since.replace(hour=hour, minute=0)
    return at if at >= since else at + DAY


def _stretches(
    grids: Collection[Carbon], since: datetime, until: datetime, zone: tzinfo
) -> Iterator[tuple[datetime, datetime]]:
    """Parts of a span in which an hour of the day (UTC) means the same: one month, one offset, the same terms."""
    begins = sorted({one.since for grid in grids for one in grid.terms if one.since is not None})

    def kind(at: datetime) -> tuple[object, ...]:
        local = at.astimezone(zone)
        return local.year, local.month, local.utcoffset(), sum(day <= local.date() for day in begins)

    begin, of, at = since, kind(since), since
    while (at := at + HOUR) < until:
        if (now := kind(at)) != of:
            yield begin, at
            begin, of = at, now
    if begin < until:
        yield begin, until
