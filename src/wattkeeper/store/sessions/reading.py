"""What meters showed, as people look at it (`meter` writes it)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.person import Viewer
from wattkeeper.charging.reading import Context, Reading, Sample
from wattkeeper.store import reach
from wattkeeper.store.sessions.meter import in_session, in_sessions
from wattkeeper.store.tables import reading

VALUES = tuple(name for name in Reading.__struct_fields__ if name in reading.c and name not in ("at", "context"))
"""The members of a reading that have a column of their own under the same name, `rest` included."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A reading as kept: with its EVSE (0 the main meter, None not told) and the journal entry that brought it."""

    evse: int | None
    n: int
    reading: Reading


async def of_session(
    connection: AsyncConnection,
    viewer: Viewer,
    station: str,
    session: str,
    limit: int,
    after: tuple[datetime, int] | None = None,
) -> list[Kept]:
    """The first ``limit`` readings of a session after this instant and EVSE (-1: not told), oldest first."""
    key = (reading.c.at, reading.c.evse)
    wanted = in_session(session).where(reading.c.station_id == station, reach.sessions(viewer))
    if after is not None:
        wanted = wanted.where(tuple_(*key) > after)
    return [_kept(row) for row in await connection.execute(wanted.order_by(*key).limit(limit))]


R = reading.c
CURRENTS = (R.current_a, R.current_l1_a, R.current_l2_a, R.current_l3_a)
PRICED = (R.energy_wh, R.interval_wh, R.power_w, R.offered_w, R.offered_a, *CURRENTS, R.voltage_v, R.voltage_l1_v)
"""What prices ask of a reading."""
PRICED_NAMES = tuple(column.name for column in PRICED)


async def registers(connection: AsyncConnection, session: str) -> list[Reading]:
    """All readings of a session, oldest first, with what prices ask of them: for working out what it costs."""
    rows = await connection.execute(in_session(session).with_only_columns(R.at, *PRICED).order_by(R.at))
    return [Reading(at, **dict(zip(PRICED_NAMES, told, strict=True))) for at, *told in rows]


async def registers_of(connection: AsyncConnection, sessions: Collection[str]) -> dict[str, list[Reading]]:
    """As `registers`, of many sessions at once; those without readings left out."""
    wanted = in_sessions(sessions).with_only_columns(R.session_id, R.at, *PRICED).order_by(R.session_id, R.at)
    found: dict[str, list[Reading]] = {}
    for session, at, *told in await connection.execute(wanted):
        reading = Reading(at, **dict(zip(PRICED_NAMES, told, strict=True)))
        found.setdefault(session, []).append(reading)
    return found


def _kept(row: Row[Any]) -> Kept:
    """A reading of its row."""
    told = row._mapping
    values = {name: told[name] for name in VALUES if told[name] is not None}
    if "rest" in values:
        values["rest"] = msgspec.json.decode(values["rest"], type=tuple[Sample, ...])
    return Kept(None if row.evse < 0 else row.evse, row.n, Reading(row.at, Context(row.context), **values))
