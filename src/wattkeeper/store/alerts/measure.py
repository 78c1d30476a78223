"""What rules are measured by: how stations stand, what sites draw, how sessions ended, what rose outside of any.

These are read for the watch alone, which decides for everybody; who may know of an alert is decided where it is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby, pairwise

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.money.exact import share
from wattkeeper.store.columns import BigInteger, Exact
from wattkeeper.store.fold import HISTORY
from wattkeeper.store.journal import first_since
from wattkeeper.store.tables import journal, load_quarter, reading, session, station, station_state

C, T, S, R, Q, J = station.c, station_state.c, session.c, reading.c, load_quarter.c, journal.c
ZERO = Decimal(0)
QUARTER, MINUTE = timedelta(minutes=15), timedelta(minutes=1)
MICROSECOND = timedelta(microseconds=1)
APART, AS_LATE = timedelta(seconds=10), timedelta(seconds=5)
"""What a station tells so long after something else and as late, but for so much, is late by its clock.

After it was offline it tells what it kept at once, so of that each is less late than the one before.
"""
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
    first: datetime | None = None
    """When the first of them began, by the station's clock."""
    last: datetime | None = None


async def starts(connection: AsyncConnection, since: datetime, soon: timedelta) -> dict[str, Starts]:
    """By station, how the sessions ended that began since an instant; what ended ``soon`` without energy has failed.

    Which these are is by our clock where the station's is wrong, how long they lasted by the station's.
    """
    lasted = type_coerce(S.ended_at, BigInteger) - type_coerce(S.started_at, BigInteger)
    failed = (func.coalesce(S.energy_wh, 0) <= 0) & (func.coalesce(lasted, 0) <= soon // MICROSECOND)
    lately = or_(S.started_at >= since, _clock_is_late(S.station_id, S.started_at, S.known_at, since))
    wanted = select(S.station_id, failed, func.count(), func.min(S.started_at), func.max(S.started_at))
    wanted = wanted.where(S.known_at >= since, ~S.live, ~HISTORY, lately)
    by_time = S.station_id.concat("")  # else all there are are gone through, station by station
    wanted = wanted.group_by(by_time, S.station_id, failed)
    found: dict[str, Starts] = {}
    for name, has_failed, count, first, last in await connection.execute(wanted):
        known = found.get(name, Starts())
        found[name] = Starts(
            known.ended + count,
            known.failed + (count if has_failed else 0),
            min(first, known.first or first),
            max(last, known.last or last),
        )
    return found


def _clock_is_late(
    name: ColumnElement[str], at: ColumnElement[datetime], known_at: ColumnElement[datetime], since: datetime
) -> ColumnElement[bool]:
    """Whether what a station tells late is so by its clock: it told something else since then that was as late."""
    other = journal.alias("other").c
    late = _micros(known_at) - _micros(at)
    as_late = (_micros(other.received_at) - _micros(other.at)).between(
        late - AS_LATE // MICROSECOND, late + AS_LATE // MICROSECOND
    )
    apart = func.abs(_micros(other.received_at) - _micros(known_at)) >= APART // MICROSECOND
    return exists().where(other.station_id == name, other.received_at >= since, as_late, apart)


def _micros(at: ColumnElement[datetime]) -> ColumnElement[int]:
    """An instant as the number that is kept."""
    return type_coerce(at, BigInteger)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a meter showed outside of any session."""

    at: datetime
    energy_wh: Decimal


Spans = Mapping[str, list[tuple[int | None, datetime, datetime | None]]]
"""By station: EVSE, begin and end of sessions."""


@dataclass(frozen=True, slots=True)
class Risen:
    """How far a station's registers rose while no session was there."""

    energy_wh: Decimal
    behind: timedelta
    """How far its clock is behind ours, to the minute."""


async def risen(connection: AsyncConnection, since: datetime, until: datetime) -> dict[str, Risen]:
    """How far each station's registers rose in a span while no session was there: evenly between two readings.

    Of a station whose EVSEs have meters and that has a main one, the larger of the two. Where its clock is wrong the
    span is by ours all the same, and what lay between two readings by its own.
    """
    alike: dict[timedelta, list[str]] = {}
    for name, behind in (await _behind(connection, since)).items():
        alike.setdefault(behind, []).append(name)
    found: dict[str, Risen] = {}
    for behind, names in alike.items():
        rose = await _rose(connection, names, since - behind, until - behind)
        found |= {name: Risen(energy_wh, behind) for name, energy_wh in rose.items()}
    return found


async def _behind(connection: AsyncConnection, since: datetime) -> dict[str, timedelta]:
    """How far the clocks of stations are behind ours (less than nothing: ahead), of those whose meters were told of.

    By the newest reading that came; one that is late while nothing else was as late was kept while it was offline.
    """
    first = await first_since(connection, since)
    told = and_(R.n >= first, func.length(R.session_id) == 0, R.energy_wh.is_not(None))  # by number, by no index of it
    newest = select(R.station_id, func.max(R.n).label("n")).where(told).group_by(R.station_id).subquery()
    of = select(R.station_id, J.received_at, func.max(R.at).label("at")).select_from(newest)
    of = of.join(reading, (R.n == newest.c.n) & (R.station_id == newest.c.station_id)).join(journal, J.n == R.n)
    last = of.where(told, R.station_id.in_(select(C.id))).group_by(R.station_id, J.received_at).subquery().c
    late = _micros(last.received_at) - _micros(last.at)
    is_behind = (late >= MINUTE // MICROSECOND) & _clock_is_late(last.station_id, last.at, last.received_at, since)
    rows = await connection.execute(select(last.station_id, last.received_at, last.at, is_behind))
    return {
        name: max(timedelta(0), _minutes(came - at)) if is_late else min(timedelta(0), _minutes(came - at))
        for name, came, at, is_late in rows
    }


def _minutes(span: timedelta) -> timedelta:
    """A span to whole minutes, towards nothing."""
    return (span // MINUTE if span >= timedelta(0) else -(-span // MINUTE)) * MINUTE


async def _rose(connection: AsyncConnection, names: list[str], since: datetime, until: datetime) -> dict[str, Decimal]:
    """How far registers of some stations rose in a span of their clocks, Wh."""
    of = (R.station_id, R.evse)
    wanted = select(*of, R.at, R.energy_wh).where(R.session_id == "", R.station_id.in_(names), R.at >= since - BEFORE)
    wanted = wanted.where(R.at <= until, R.energy_wh.is_not(None)).order_by(*of, R.at, R.n)
    rows = (await connection.execute(wanted)).all()
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
