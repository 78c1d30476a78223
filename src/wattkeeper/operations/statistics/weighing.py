"""Energy of sites times what held when it flowed, by day or month and by hour of the day: carbon, and cost.

What it costs grows with the span and the sites, not with sessions: where the same holds every day, whole months are
asked for by hour of the day alone, and sites of which the same holds are asked for together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Generic, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.person import Viewer
from wattkeeper.charging.statistics.rated import Rate, Rated
from wattkeeper.charging.statistics.share import QUARTER
from wattkeeper.charging.statistics.span import Span
from wattkeeper.store.statistics import total

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OF_DAY = 24
Kind = TypeVar("Kind", bound=Rated)
Where = TypeVar("Where", bound=Hashable)
Rates = Mapping[str, Rate | None]
"""What holds at each site; None: nobody told anything of it."""
Part = tuple[Rate | None, list[tuple[datetime, Decimal]]]
"""Energy by the beginnings of hours or quarter hours, Wh, and what holds for it."""
Place = tuple[date, int]
"""A day, or the first of a month, and an hour of the day."""


@dataclass(frozen=True, slots=True)
class Weighed(Generic[Kind]):
    """A span by hour of the day, and by day or month."""

    hours: Sequence[Kind]
    """All 24, of all days together."""
    spans: Sequence[tuple[Span, Kind]]
    """Each day, or each month as far as the span has of it; those without anything too."""
    whole: Kind


async def weighed(
    connection: AsyncConnection,
    viewer: Viewer,
    kind: type[Kind],
    rates: Rates,
    span: Span,
    zone: tzinfo,
    *,
    by_month: bool,
) -> Weighed[Kind]:
    """What the energy of sites came to over a span, within the viewer's reach; hours and days by the zone's clock."""
    parts = await _parts(connection, viewer, rates, span.bounds(zone), zone, by_month=by_month)
    return await asyncio.to_thread(_put_together, kind, parts, span, zone, by_month)


async def hours_of(
    connection: AsyncConnection,
    viewer: Viewer,
    kind: type[Kind],
    rates: Rates,
    bounds: tuple[datetime, datetime],
    zone: tzinfo,
) -> Sequence[Kind]:
    """What the energy of sites came to by hour of the day, as totals have it: all 24.

    Each hour of UTC that begins within the bounds counts whole, for the hour of the clock in which it begins.
    """
    since, until = (at.replace(minute=0, second=0, microsecond=0) for at in bounds)
    until += HOUR if until < bounds[1] else timedelta()
    parts = await _parts(connection, viewer, rates, (since, until), zone, by_month=True)
    found = await asyncio.to_thread(_by_place, kind, parts, lambda at: at.replace(minute=0).astimezone(zone).hour)
    return [found.get(hour, kind()) for hour in range(OF_DAY)]


async def untold(
    connection: AsyncConnection, viewer: Viewer, rates: Rates, since: datetime, until: datetime
) -> list[str]:
    """The sites that delivered energy between two instants and of which nobody told what holds, by name."""
    silent = [site for site, rate in rates.items() if rate is None]
    if not silent:
        return []
    came = await total.energy_by_site(connection, viewer, silent, since, until)
    return sorted(site for site, wh in came.items() if wh > 0)


async def _parts(
    connection: AsyncConnection,
    viewer: Viewer,
    rates: Rates,
    bounds: tuple[datetime, datetime],
    zone: tzinfo,
    *,
    by_month: bool,
) -> list[Part]:
    """The energy there was, with what held for it."""
    since, until = bounds
    table = total.HOURS if is_hourly(rates.values(), since, until, zone) else total.QUARTERS
    parts: list[Part] = []
    groups = _alike(rates)
    steady = [group for group in groups if by_month and (group[0] is None or group[0].kind is not None)]
    for rate, sites in (one for one in groups if one not in steady):
        found = await total.energy(connection, viewer, sites, since, until, table)
        parts.append((rate, list(found.items())))
    every = [site for _, sites in steady for site in sites]
    held = [rate for rate, _ in steady if rate is not None]
    step = HOUR if table is total.HOURS else QUARTER
    for begin, after in _stretches(held, since, until, zone, step) if every else ():
        clocks = await total.energy_by_clock(connection, viewer, every, begin, after, table)
        parts += _by_site(rates, clocks, begin)
    return parts


def _by_site(rates: Rates, clocks: Mapping[tuple[str, timedelta], Decimal], begin: datetime) -> Iterator[Part]:
    """Energy by site and time of the day (UTC), each as if it had flowed on the first day of a stretch."""
    by_site: dict[str, list[tuple[datetime, Decimal]]] = {}
    for (site, clock), wh in clocks.items():
        by_site.setdefault(site, []).append((_next(begin, clock), wh))
    for site, taken in by_site.items():
        yield rates[site], taken


def is_hourly(rates: Iterable[Rate | None], since: datetime, until: datetime, zone: tzinfo) -> bool:
    """Whether hours of UTC are fine enough: nothing changes within one, neither here nor on the zone's clock."""
    days = (since + number * DAY for number in range((until - since) // DAY + 2))
    offsets = {at.astimezone(zone).utcoffset() or timedelta() for at in days}
    return all(one % HOUR == timedelta() for one in offsets) and all(one is None or one.is_hourly for one in rates)


def _alike(rates: Rates) -> list[tuple[Rate | None, list[str]]]:
    """Sites of which the same holds, together; one of which each hour has its own alone."""
    found: dict[Hashable, tuple[Rate | None, list[str]]] = {}
    for site, rate in sorted(rates.items()):
        alike = None if rate is None else (rate.kind or site)
        found.setdefault(alike, (rate, []))[1].append(site)
    return list(found.values())


def _next(since: datetime, clock: timedelta) -> datetime:
    """The first instant from one on at a time of the day, UTC."""
    at = since.replace(hour=0, minute=0) + clock
    return at if at >= since else at + DAY


def _stretches(
    rates: Collection[Rate], since: datetime, until: datetime, zone: tzinfo, step: timedelta
) -> Iterator[tuple[datetime, datetime]]:
    """Parts of a span in which a time of the day (UTC) means the same: one month, one offset, the same terms."""
    begins = sorted({day for rate in rates for day in rate.begins})

    def kind(at: datetime) -> tuple[object, ...]:
        local = at.astimezone(zone)
        return local.year, local.month, local.utcoffset(), sum(day <= local.date() for day in begins)

    begin, of, at = since, kind(since), since
    while (at := at + step) < until:
        if (now := kind(at)) != of:
            yield begin, at
            begin, of = at, now
    if begin < until:
        yield begin, until


def _by_place(kind: type[Kind], parts: Iterable[Part], place_of: Callable[[datetime], Where]) -> dict[Where, Kind]:
    """Energy by where each hour or quarter hour belongs: beside everything else, for many sites take long."""
    found: dict[Where, Kind] = {}
    for rate, taken in parts:
        by_place: dict[Where, list[tuple[datetime, Decimal]]] = {}
        for at, wh in taken:
            by_place.setdefault(place_of(at), []).append((at, wh))
        for place, its in by_place.items():
            found[place] = found.get(place, kind()) + kind.of(its, rate)
    return found


def _put_together(kind: type[Kind], parts: Iterable[Part], span: Span, zone: tzinfo, by_month: bool) -> Weighed[Kind]:
    """Energy by its day or month, and by its hour of the day."""

    def place_of(at: datetime) -> Place:
        local = at.astimezone(zone)
        return local.date().replace(day=1) if by_month else local.date(), local.hour

    found = _by_place(kind, parts, place_of)
    hours = [sum((one for (_, at), one in found.items() if at == hour), kind()) for hour in range(OF_DAY)]
    spans = span.months if by_month else span.each
    by_day = {one: kind() for one in (_key(each, by_month) for each in spans)}
    for (day, _), one in found.items():
        by_day[day] = by_day[day] + one
    told = [(each, by_day[_key(each, by_month)]) for each in spans]
    return Weighed(hours, told, sum(hours, kind()))


def _key(span: Span, by_month: bool) -> date:
    return span.first.replace(day=1) if by_month else span.first
