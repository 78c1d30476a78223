"""What rules are measured by: how stations stand, what sites draw, how sessions ended, what rose outside of any.

These are read for the watch alone, which decides for everybody; who may know of an alert is decided where it is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby, pairwise

from sqlalchemy import func, or_, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.money.exact import share
from wattkeeper.store.columns import BigInteger, Exact
from wattkeeper.store.fold import HISTORY
from wattkeeper.store.tables import load_quarter, reading, session, station, station_state

C, T, S, R, Q = station.c, station_state.c, session.c, reading.c, load_quarter.c
ZERO = Decimal(0)
QUARTER = timedelta(minutes=15)
BEFORE = timedelta(hours=24)
"""How far back the reading before a span may lie: some meters are read once a day."""


async def sites(connection: AsyncConnection) -> dict[str, str]:
    """Every station that is admitted, with its site."""
    return {name: site for name, site in await connection.execute(select(C.id, C.site))}


async def away(connection: AsyncConnection) -> dict[str, datetime | None]:
    """Of every station that ever connected, since when it is not connected; None where it is."""
    known = select(C.id, T.online, T.online_since).join(station_state, T.station_id == C.id)
    rows = await connection.execute(known.where(T.version.is_not(None)))
    return {name: None if online else since for name, online, since in rows if online or since is not None}


async def power(connection: AsyncConnection, heard_since: datetime) -> dict[str, Decimal]:
    """What flows at each site now, W: the newest readings of sessions that were heard of since an instant."""
    drawn = type_coerce(func.coalesce(func.sum(S.power_w), 0), Exact)
    wanted = select(C.site, drawn).join(session, S.station_id == C.id).where(S.live, S.heard_at >= heard_since)
    rows = await connection.execute(wanted.where(C.site != "", S.power_w > 0).group_by(C.site))
    return {site: power_w for site, power_w in rows}


async def last_quarter(connection: AsyncConnection, begin: datetime) -> dict[str, Decimal]:
    """The mean power of the quarter hour that began then, by site, W."""
    rows = await connection.execute(select(Q.site, Q.energy_wh).where(Q.at == begin, Q.site != "", Q.energy_wh > 0))
    return {site: 4 * energy_wh for site, energy_wh in rows}


@dataclass(frozen=True, slots=True)
class Starts:
    """How sessions of a station ended."""

    ended: int = 0
    failed: int = 0
    """Soon, and without any energy."""


async def starts(connection: AsyncConnection, since: datetime, until: datetime, soon: timedelta) -> dict[str, Starts]:
    """By station, how the sessions ended that began in a span; what ended ``soon`` without energy has failed."""
    lasted = type_coerce(S.ended_at, BigInteger) - type_coerce(S.started_at, BigInteger)
    failed = (func.coalesce(S.energy_wh, 0) <= 0) & (func.coalesce(lasted, 0) <= soon // timedelta(microseconds=1))
    wanted = select(S.station_id, failed, func.count()).where(
        S.started_at >= since, S.started_at <= until, ~S.live, ~HISTORY
    )
    found: dict[str, Starts] = {}
    for name, has_failed, count in await connection.execute(wanted.group_by(S.station_id, failed)):
        before = found.get(name, Starts())
        found[name] = Starts(before.ended + count, before.failed + (count if has_failed else 0))
    return found


@dataclass(frozen=True, slots=True)
class Shown:
    """What a meter showed outside of any session."""

    at: datetime
    energy_wh: Decimal


Spans = Mapping[str, list[tuple[int | None, datetime, datetime | None]]]
"""By station: EVSE, begin and end of sessions."""


async def risen(connection: AsyncConnection, since: datetime, until: datetime) -> dict[str, Decimal]:
    """How far each station's registers rose in a span while no session was there, Wh: evenly between two readings.

    Of a station whose EVSEs have meters and that has a main one, the larger of the two.
    """
    here = select(C.id)
    of = (R.station_id, R.evse)
    wanted = select(*of, R.at, R.energy_wh).where(R.session_id == "", R.station_id.in_(here), R.at >= since - BEFORE)
    wanted = wanted.where(R.at <= until, R.energy_wh.is_not(None)).order_by(*of, R.at, R.n)
    rows = (await connection.execute(wanted)).all()
    names = sorted({row.station_id for row in rows})
    spans = await _spans(connection, names, since - BEFORE)
    mains, outlets = dict.fromkeys(names, ZERO), dict.fromkeys(names, ZERO)
    for (name, evse), shown in groupby(rows, key=lambda row: (row.station_id, row.evse)):
        rise = _rise([Shown(row.at, row.energy_wh) for row in shown], spans.get(name, []), evse, since)
        total = outlets if evse > 0 else mains
        total[name] += rise
    return {name: max(mains[name], outlets[name]) for name in names}


async def _spans(connection: AsyncConnection, names: list[str], since: datetime) -> Spans:
    """The sessions of these stations that may have been there since an instant."""
    found: dict[str, list[tuple[int | None, datetime, datetime | None]]] = {}
    still = or_(S.ended_at.is_(None), S.ended_at >= since)
    wanted = select(S.station_id, S.evse, S.started_at, S.ended_at).where(S.station_id.in_(names), still)
    for name, evse, begin, end in (await connection.execute(wanted)).all() if names else ():
        found.setdefault(name, []).append((evse, begin, end))
    return found


def _rise(
    shown: list[Shown], spans: Iterable[tuple[int | None, datetime, datetime | None]], evse: int, since: datetime
) -> Decimal:
    """How far a register rose since an instant, but where a session of its outlet was there between two readings."""
    here = [(begin, end) for at, begin, end in spans if evse <= 0 or at in (None, evse)]
    total = ZERO
    for before, after in pairwise(shown):
        is_free = not any(begin < after.at and (end is None or end > before.at) for begin, end in here)
        if is_free and after.at > since:
            risen = max(ZERO, after.energy_wh - before.energy_wh)
            total += share(risen, after.at - max(before.at, since), after.at - before.at)
    return total
