"""What was tried at ports and what became of it, one by one and counted by day; the only writer of both."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, tzinfo

from sqlalchemy import delete, func, or_, select

from wattkeeper.charging.statistics.attempt import CHARGED, Attempt, Kind, Stay, plug_ins
from wattkeeper.store.columns import EPOCH, to_micros
from wattkeeper.store.statistics.port import again, words
from wattkeeper.store.tables import attempt, attempt_day, attempt_month
from wattkeeper.store.unit import Unit

A = attempt.c
TOGETHER = 500
LATEST = datetime(9990, 1, 1, tzinfo=UTC)
"""What lies beyond, or before 1970, has no day in every zone: it is counted at the end."""


def note(unit: Unit, station: str, one: Attempt, zone: tzinfo) -> None:
    """Keep an attempt that was not there, and count it where it is over."""
    until = None if one.until is None else to_micros(one.until)
    told = (one.evse, to_micros(one.since), until, one.reason, one.session)
    unit.insert(attempt, (station, one.kind.value, one.name, *told))
    _count(unit, station, one, zone, 1)


async def note_sessions(unit: Unit, found: Sequence[tuple[str, Attempt]], zone: tzinfo) -> None:
    """Keep what became of sessions in place of what was known of them; their stations are reckoned from there on."""
    since: dict[str, datetime] = {}
    for place in range(0, len(found), TOGETHER):
        some = found[place : place + TOGETHER]
        of = (A.kind == Kind.SESSION.value, A.name.in_([one.name for _, one in some]))
        before = [(row.station_id, _attempt(row)) for row in await unit.connection.execute(select(attempt).where(*of))]
        await unit.connection.execute(delete(attempt).where(*of))
        for station, one in before:
            _count(unit, station, one, zone, -1)
        for station, one in some:
            note(unit, station, one, zone)
        for station, one in (*before, *some):
            since[station] = min(since.get(station, one.since), one.since)
    await again(unit, since)


async def reckon_plug_ins(unit: Unit, station: str, since: datetime, evses: Iterable[int], zone: tzinfo) -> None:
    """Write down anew how often the ports of a station were taken from an instant on."""
    for evse in evses:
        first = await _idle_before(unit, station, evse, since)
        here = (A.station_id == station, A.evse == evse)
        stays = select(attempt).where(*here, A.kind == Kind.SESSION.value, or_(A.until.is_(None), A.until >= first))
        held = [_attempt(row) for row in await unit.connection.execute(stays)]
        said = await words(unit, station, first, evse)
        found = plug_ins(evse, said, [Stay(one.since, one.until, one.reason in CHARGED) for one in held])
        old = (*here, A.kind == Kind.PLUG_IN.value, A.since >= first)
        for row in await unit.connection.execute(select(attempt).where(*old)):
            _count(unit, station, _attempt(row), zone, -1)
        await unit.connection.execute(delete(attempt).where(*old))
        for one in found:
            note(unit, station, one, zone)


async def _idle_before(unit: Unit, station: str, evse: int, since: datetime) -> datetime:
    """The last instant up to this one at which nothing of a port was taken and no session ran there."""
    kinds = [Kind.PLUG_IN.value, Kind.SESSION.value]
    here = (A.station_id == station, A.evse == evse, A.kind.in_(kinds))
    while True:
        over = or_(A.until.is_(None), A.until >= since)
        earlier: datetime | None = await unit.connection.scalar(
            select(func.min(A.since)).where(*here, A.since < since, over)
        )
        if earlier is None:
            return since
        since = earlier


async def evses(unit: Unit, station: str, since: datetime, most: int) -> list[int]:
    """The EVSEs of a station at which sessions ran from an instant on, at most so many: stations may name any."""
    ran = or_(A.until.is_(None), A.until >= since)
    wanted = select(A.evse).where(A.station_id == station, A.kind == Kind.SESSION.value, A.evse > 0, ran).distinct()
    return list((await unit.connection.execute(wanted.order_by(A.evse).limit(most))).scalars())


def _count(unit: Unit, station: str, one: Attempt, zone: tzinfo, sign: int) -> None:
    """Count an attempt that is over, by the day and the month in which it began."""
    if one.until is not None:
        day = min(max(one.since, EPOCH), LATEST).astimezone(zone).date().isoformat()
        what = (one.kind.value, one.reason, sign)
        unit.add(attempt_day, ("attempts",), (station, one.evse, day, *what))
        unit.add(attempt_month, ("attempts",), (station, one.evse, day[:7], *what))


def _attempt(row: object) -> Attempt:
    """An attempt of its row."""
    names = ("name", "evse", "since", "until", "reason", "session_id")
    return Attempt(Kind(row.kind), *(getattr(row, name) for name in names))  # type: ignore[attr-defined]
