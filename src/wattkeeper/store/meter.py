"""Readings as they are written: one row for each instant, in a session or outside of any."""

from __future__ import annotations

from datetime import datetime
from operator import attrgetter
from typing import Any

import msgspec
from sqlalchemy import delete, select

from wattkeeper.charging.reading import Context, Reading, Sample
from wattkeeper.store.columns import to_micros, to_millionths
from wattkeeper.store.tables import reading as table
from wattkeeper.store.unit import Unit

_NAMES = [column.name for column in table.columns]
VALUES = tuple(_NAMES[_NAMES.index("energy_wh") : _NAMES.index("signed")])
"""The measured columns, named as the fields of `Reading` are."""
OUTSIDE = ""
"""The session id of a reading outside of any session."""
BY_SESSION = -1
"""The EVSE of a reading in a session: the session's own."""
NOT_TOLD = -2
_values_of = attrgetter(*VALUES)
_ENCODER = msgspec.json.Encoder()
_decode_rest = msgspec.json.Decoder(tuple[Sample, ...]).decode


def put(unit: Unit, station: str, session_id: str, evse: int, n: int, reading: Reading) -> None:
    """Set the row of the reading's instant at the unit's next flush."""
    at = to_micros(reading.at)
    values = [v if v is None else to_millionths(v) for v in _values_of(reading)]
    rest = _ENCODER.encode(reading.rest).decode() if reading.rest else None
    row = (station, session_id, evse, at, n, reading.context.value, *values, reading.signed, rest)
    unit.upsert(table, (station, session_id, evse, at), row)


def reading_of(row: Any) -> Reading:
    """The reading of a row."""
    values = {name: getattr(row, name) for name in VALUES}
    rest = _decode_rest(row.rest) if row.rest else ()
    return Reading(row.at, Context(row.context), signed=row.signed, rest=rest, **values)


async def of_session(unit: Unit, station: str, session_id: str) -> list[Reading]:
    """All readings of a session, in order."""
    c = table.c
    query = select(table).where(c.station_id == station, c.session_id == session_id, c.evse == BY_SESSION)
    return [reading_of(row) for row in await unit.connection.execute(query.order_by(c.at))]


async def claim(unit: Unit, station: str, evse: int, since: datetime, until: datetime | None) -> list[Reading]:
    """Take the readings of an EVSE that belonged to no session, from an instant on; they are gone from there."""
    c = table.c
    which = [c.station_id == station, c.session_id == OUTSIDE, c.evse == evse, c.at >= since]
    if until is not None:
        which.append(c.at <= until)
    found = [reading_of(row) for row in await unit.connection.execute(select(table).where(*which).order_by(c.at))]
    if found:
        await unit.connection.execute(delete(table).where(*which))
    return found
