"""Readings as they are written: one row for each instant, in a session or outside of any."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from operator import attrgetter
from typing import Any

import msgspec
from sqlalchemy import Select, delete, select

from wattkeeper.charging.reading import Context, Reading, Sample
from wattkeeper.charging.session import Session
from wattkeeper.store.columns import to_micros, to_millionths
from wattkeeper.store.tables import journal
from wattkeeper.store.tables import reading as table
from wattkeeper.store.tables import session as sessions
from wattkeeper.store.unit import Unit

_NAMES = [column.name for column in table.columns]
VALUES = tuple(_NAMES[_NAMES.index("energy_wh") : _NAMES.index("signed")])
"""The measured columns, named as the fields of `Reading` are."""
OUTSIDE = ""
"""The session id of a reading outside of any session."""
NOT_TOLD = -1
Key = tuple[int, int]
"""Where a reading is kept: the number of its entry, and its place in it."""
_values_of = attrgetter(*VALUES)
_ENCODER = msgspec.json.Encoder()
_decode_rest = msgspec.json.Decoder(tuple[Sample, ...]).decode


def put(unit: Unit, key: Key, station: str, session_id: str, evse: int | None, reading: Reading) -> None:
    """Set the row of a reading at the unit's next flush."""
    values = [v if v is None else to_millionths(v) for v in _values_of(reading)]
    rest = _ENCODER.encode(reading.rest).decode() if reading.rest else None
    place = NOT_TOLD if evse is None else evse
    head = (*key, station, session_id, place, to_micros(reading.at), reading.context.value)
    unit.upsert(table, key, (*head, *values, reading.signed, rest))


def reading_of(row: Any) -> Reading:
    """The reading of a row."""
    values = {name: getattr(row, name) for name in VALUES}
    rest = _decode_rest(row.rest) if row.rest else ()
    return Reading(row.at, Context(row.context), signed=row.signed, rest=rest, **values)


def in_session(session_id: str) -> Select[Any]:
    """The readings of a session: among those that its station told in the span of our time when it was told."""
    return in_sessions([session_id])


def in_sessions(sessions_ids: Collection[str]) -> Select[Any]:
    """The readings of some sessions, each as `in_session` finds them."""
    told = journal.c.received_at.between(sessions.c.known_at, sessions.c.heard_at)
    return (
        select(table)
        .join(journal, journal.c.n == table.c.n)
        .join(sessions, (sessions.c.station_id == journal.c.station_id) & told)
        .where(sessions.c.id.in_(sessions_ids), table.c.session_id == sessions.c.id)
    )


async def of_session(
    unit: Unit, session: Session, known_at: datetime, heard_at: datetime
) -> dict[datetime, tuple[Key, Reading]]:
    """All readings of a session, told in this span of our time, by instant, and where each is kept."""
    told = select(table).join(journal, journal.c.n == table.c.n).where(journal.c.station_id == session.station)
    here = told.where(journal.c.received_at.between(known_at, heard_at), table.c.session_id == session.id)
    rows = await unit.connection.execute(here)
    return {row.at: ((row.n, row.place), reading_of(row)) for row in rows}


async def outside_since(unit: Unit, stations: Collection[str], since: datetime) -> set[str]:
    """Which of these stations have readings outside of any session, from an instant on."""
    at = to_micros(since)
    which = f"SELECT DISTINCT station_id FROM reading WHERE session_id = '' AND at >= {at} AND station_id IN {{values}}"
    return {station for (station,) in await unit.select_in(which, [*stations])}


async def claim(unit: Unit, session: Session) -> tuple[list[tuple[Key, Reading]], datetime | None]:
    """Take the readings of a session's EVSE that belonged to none, from its start on; and when the first came."""
    c = table.c
    which = [c.session_id == OUTSIDE, c.station_id == session.station, c.evse == session.evse]
    which.append(c.at >= session.started_at)
    if session.ended_at is not None:
        which.append(c.at <= session.ended_at)
    told = select(table, journal.c.received_at).join(journal, journal.c.n == c.n).where(*which)
    rows = (await unit.connection.execute(told.order_by(c.n, c.place))).all()
    if not rows:
        return [], None
    await unit.connection.execute(delete(table).where(*which))
    return [((row.n, row.place), reading_of(row)) for row in rows], min(row.received_at for row in rows)
