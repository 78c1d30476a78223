"""Energy delivered in a period: by sessions, and by the main meters of stations, whose difference is what was lost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, case, func, or_, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.meter import Track, extend
from wattkeeper.charging.money.discrepancy import EARLIEST_YEAR
from wattkeeper.charging.money.usage import energy_until, usage
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.reading import Context, Reading
from wattkeeper.store.columns import from_millionths
from wattkeeper.store.fold import decode
from wattkeeper.store.sessions.meter import OUTSIDE
from wattkeeper.store.sessions.reading import registers
from wattkeeper.store.stations import placement
from wattkeeper.store.tables import bill, reading, session
from wattkeeper.store.tables import placement as placements

S, R, B, P = session.c, reading.c, bill.c, placements.c
EARLIEST = datetime(EARLIEST_YEAR, 1, 1, tzinfo=UTC)
DAY_MICROS = 86_400_000_000
LONGEST = timedelta(days=60)
"""How long before its end a session may have begun: the index of starts bounds the look."""
MAIN = 0
"""The EVSE of a station's main meter."""
ZERO = Decimal(0)
ANY_POWER_W = Decimal(10**12)
"""A main meter is not doubted for what it delivers."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """What the sessions of a station delivered that ended in a period."""

    site: str
    station: str
    sessions: int
    energy_wh: Decimal


@dataclass(frozen=True, slots=True)
class Metered:
    """What a station's main meter counted between its first and its last reading of a period."""

    site: str
    station: str
    since: datetime
    until: datetime
    grid_wh: Decimal
    delivered_wh: Decimal
    """By the sessions that ended between the two."""


def _ended() -> ColumnElement[Any]:
    """When a session counts as ended: as the station says, or when it was last heard of where that cannot be true."""
    ahead = type_coerce(S.ended_at, BigInteger) > type_coerce(S.heard_at, BigInteger) + DAY_MICROS
    return case((or_(S.ended_at < EARLIEST, ahead), S.heard_at), else_=S.ended_at)


async def by_sessions(
    connection: AsyncConnection, viewer: Viewer, since: datetime, until: datetime, only: str | None = None
) -> list[Delivered]:
    """What sessions delivered that ended from an instant until before another (scope sessions:read, anywhere)."""
    viewer.need(Scope.SESSIONS_READ)
    began = or_(S.started_at >= max(since, EARLIEST + LONGEST) - LONGEST, S.started_at < EARLIEST)
    energy = type_coerce(S.energy_wh, BigInteger).label("wh")
    some = select(placement.session_site().label("site"), S.station_id, energy)
    some = some.where(~S.live, began, _ended() >= since, _ended() < until)
    each = (some if only is None else some.where(S.station_id == only)).subquery().c
    of = (each.site, each.station_id)
    rows = await connection.execute(select(*of, func.count(), func.sum(each.wh)).group_by(*of).order_by(*of))
    return [Delivered(site, name, count, from_millionths(int(wh or 0))) for site, name, count, wh in rows]


async def billed(connection: AsyncConnection, viewer: Viewer, since: datetime, until: datetime) -> dict[str, Decimal]:
    """What was billed of sessions that ended in a period, whenever that was, Wh by site (scope bills:read)."""
    viewer.need(Scope.BILLS_READ)
    energy = func.sum(type_coerce(B.energy_wh, BigInteger))
    spans = (B.issued_at >= since, B.ended_at >= since, B.ended_at < until)
    rows = await connection.execute(select(B.site, energy).where(*spans).group_by(B.site))
    return {site: from_millionths(int(wh or 0)) for site, wh in rows}


async def within(connection: AsyncConnection, viewer: Viewer, site: str, since: datetime, until: datetime) -> Decimal:
    """What sessions of a site delivered between two instants, Wh: of those that ran on at either, the part within."""
    ended = [one for one in await by_sessions(connection, viewer, since, until) if one.site == site]
    whole = sum((one.energy_wh for one in ended), ZERO)
    return whole + await _before(connection, site, until) - await _before(connection, site, since)


async def _before(connection: AsyncConnection, site: str, at: datetime) -> Decimal:
    """What the sessions of a site that ran on at an instant had delivered by then, Wh."""
    ran_on = (S.started_at < at, S.started_at >= max(at, EARLIEST + LONGEST) - LONGEST, or_(S.live, _ended() >= at))
    wanted = select(S.fold).where(placement.session_site() == site, *ran_on)
    total = ZERO
    for fold in (await connection.execute(wanted)).scalars().all():
        whole = decode(fold)
        total += energy_until(usage(whole, await registers(connection, whole.id)), at)
    return total


async def by_main_meters(
    connection: AsyncConnection, viewer: Viewer, since: datetime, until: datetime
) -> list[Metered]:
    """What main meters counted in a period, of each stay of a station at a site in which it was read twice or more."""
    viewer.need(Scope.SESSIONS_READ)
    found = []
    async for site, name, track in _tracks(connection, since, until):
        first, last = track.first, track.last
        if first is not None and last is not None and first.at < last.at:
            sold = await by_sessions(connection, viewer, first.at, last.at, name)
            delivered = sum((one.energy_wh for one in sold if one.site == site), ZERO)
            found.append(Metered(site, name, first.at, last.at, track.energy_wh or ZERO, delivered))
    return found


async def _tracks(
    connection: AsyncConnection, since: datetime, until: datetime
) -> AsyncIterator[tuple[str, str, Track]]:
    """The main meter of each station in each stay at a site, folded, so that one that restarts counts on."""
    outside = (R.session_id == OUTSIDE, R.evse == MAIN, R.energy_wh.is_not(None), R.at >= since, R.at < until)
    stays = reading.outerjoin(placements, placement.holds(R.station_id, R.at))
    wanted = select(func.coalesce(P.site, ""), R.station_id, P.since, R.at, R.energy_wh).select_from(stays)
    wanted = wanted.where(*outside).order_by(R.station_id, R.at)
    tracks: dict[tuple[str, str, datetime | None], Track] = {}
    async for *of, at, energy_wh in await connection.stream(wanted.execution_options(yield_per=1000)):
        known = tracks.get(one := (of[0], of[1], of[2]), Track())
        if known.last_at is None or at > known.last_at:
            tracks[one] = extend(known, Reading(at, Context.PERIODIC, energy_wh=energy_wh), ANY_POWER_W)
    for (site, name, _), track in tracks.items():
        yield site, name, track
