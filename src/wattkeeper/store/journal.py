"""The journal as people read it: every fact, in order, numbered; no names in it (`entry` writes it)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

import msgspec
import orjson
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.facts import Alarmed, Fact, HeartBeaten
from wattkeeper.charging.person import Viewer
from wattkeeper.store import reach
from wattkeeper.store.entry import KINDS, NOTHING, Decided
from wattkeeper.store.tables import journal
from wattkeeper.store.tables import session as sessions


@dataclass(frozen=True, slots=True)
class Mark:
    """That something was recorded: enough to know what to look up."""

    n: int
    kind: str
    station: str
    session: str | None
    """The public id, without dashes."""
    at: datetime | None
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Entry(Mark):
    """What was recorded: the fact, what was decided on it, and the station's words (tokens masked)."""

    fact: Fact
    evse: int | None = None
    decided: Decided = NOTHING
    words: Mapping[str, Any] = field(default_factory=dict)


MARK = (journal.c.n, journal.c.kind, journal.c.station_id, journal.c.session_id, journal.c.at, journal.c.received_at)
NAMES = tuple(member.name for member in fields(Entry))
WHOLE = (*MARK, journal.c.body, journal.c.evse, journal.c.decided, journal.c.words)


async def newest(connection: AsyncConnection) -> int:
    """The number of the newest entry; 0 where there is none."""
    return await connection.scalar(select(func.max(journal.c.n))) or 0


async def reached(connection: AsyncConnection, after: int, now: datetime) -> datetime:
    """Until when, by our clock, all that was recorded was followed; ``after``: the last entry that was."""
    first = select(journal.c.received_at).where(journal.c.n > after).order_by(journal.c.n).limit(1)
    return min(now, await connection.scalar(first) or now)


async def first_since(connection: AsyncConnection, at: datetime) -> int:
    """The number of the first entry that came since an instant of our time; one after the newest where none did.

    Found by halves, for entries stand in the order in which they came.
    """
    low, high = 1, await newest(connection) + 1
    while low < high:
        middle = (low + high) // 2
        came = select(journal.c.received_at).where(journal.c.n >= middle).order_by(journal.c.n).limit(1)
        if (await connection.execute(came)).scalar_one() < at:
            low = middle + 1
        else:
            high = middle
    return low


async def happened(connection: AsyncConnection, n: int, limit: int) -> list[tuple[int, str, str, str | None]]:
    """Number, kind, station and session of the first ``limit`` entries after number ``n``, in order."""
    wanted = select(journal.c.n, journal.c.kind, journal.c.station_id, journal.c.session_id).where(journal.c.n > n)
    rows = await connection.execute(wanted.order_by(journal.c.n).limit(limit))
    return [(row.n, row.kind, row.station_id, row.session_id) for row in rows]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of the journal: what of it the viewer may know, and where it ends."""

    marks: list[Mark]
    n: int
    """The number of its last entry, known to the viewer or not: what to go on after."""
    is_full: bool
    """Whether there may be more."""


async def marks_after(connection: AsyncConnection, viewer: Viewer, n: int, limit: int) -> Stretch:
    """What the viewer may know of the first ``limit`` entries after number ``n``, in order."""
    wanted = select(reach.entries(viewer).label("known"), *MARK).where(journal.c.n > n)
    rows = (await connection.execute(wanted.order_by(journal.c.n).limit(limit))).all()
    marks = [Mark(*row[1:]) for row in rows if row.known]
    return Stretch(marks, rows[-1].n if rows else n, len(rows) == limit)


async def of_session(
    connection: AsyncConnection, viewer: Viewer, session: str, limit: int, after: int = 0
) -> list[Entry]:
    """The first ``limit`` entries about a session after number ``after``, in the order they came."""
    told = journal.c.received_at.between(sessions.c.known_at, sessions.c.heard_at)
    its = select(*WHOLE).join(sessions, (sessions.c.station_id == journal.c.station_id) & told)
    wanted = its.where(sessions.c.id == session, journal.c.session_id == session, journal.c.n > after)
    wanted = wanted.where(reach.sessions(viewer))
    return [_entry(row) for row in await connection.execute(wanted.order_by(journal.c.n).limit(limit))]


async def around(
    connection: AsyncConnection,
    viewer: Viewer,
    station: str,
    kinds: Sequence[type[Fact]],
    since: datetime,
    until: datetime,
    limit: int,
) -> list[Entry]:
    """The first ``limit`` entries of these kinds that came from a station in a span of our time, in order.

    A driver's own sessions there may be told with what the station went through; what was others' is left out.
    """
    came = journal.c.received_at.between(since, until) & (journal.c.station_id == station)
    came &= reach.beside(viewer, station)
    names = [kind.__name__ for kind in kinds]
    wanted = select(*WHOLE).where(came, journal.c.kind.in_(names)).order_by(journal.c.n).limit(limit)
    return [_entry(row) for row in await connection.execute(wanted)]


def _entry(row: Sequence[Any]) -> Entry:
    """An entry of a row selected as WHOLE."""
    values = dict(zip(NAMES, row, strict=True))
    values["fact"] = msgspec.json.decode(values["fact"], type=KINDS[values["kind"]])
    values["decided"] = msgspec.json.decode(values["decided"], type=Decided) if values["decided"] else NOTHING
    values["words"] = orjson.loads(values["words"])
    return Entry(**values)


async def of_station(connection: AsyncConnection, viewer: Viewer, station: str, limit: int) -> list[Entry]:
    """The newest ``limit`` entries of a station, the newest first; heartbeats, of which there are many, left out."""
    seen = reach.told(viewer)
    wanted = select(*WHOLE).where(journal.c.station_id == station, journal.c.kind != HeartBeaten.__name__, seen)
    rows = await connection.execute(wanted.order_by(journal.c.received_at.desc(), journal.c.n.desc()).limit(limit))
    return [_entry(row) for row in rows]


async def told_after(connection: AsyncConnection, viewer: Viewer, n: int, station: str) -> bool:
    """Whether anything of a station was recorded after entry ``n``."""
    seen = reach.told(viewer)
    found = select(journal.c.n).where(journal.c.n > n, journal.c.station_id == station, seen).limit(1)
    return await connection.scalar(found) is not None


async def alarms_after(connection: AsyncConnection, viewer: Viewer, n: int, since: datetime) -> list[Entry]:
    """The alarms after entry ``n`` that came since an instant, in order."""
    alarms = (journal.c.n > n) & (journal.c.kind == Alarmed.__name__) & (journal.c.received_at >= since)
    alarms &= reach.told(viewer)
    return [_entry(row) for row in await connection.execute(select(*WHOLE).where(alarms).order_by(journal.c.n))]
