"""What meters showed, as people look at it (`meter` writes it)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.person import Viewer
from wattkeeper.charging.reading import Context, Reading, Sample
from wattkeeper.store import reach
from wattkeeper.store.meter import in_session
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


def _kept(row: Row[Any]) -> Kept:
    """A reading of its row."""
    told = row._mapping
    values = {name: told[name] for name in VALUES if told[name] is not None}
    if "rest" in values:
        values["rest"] = msgspec.json.decode(values["rest"], type=tuple[Sample, ...])
    return Kept(None if row.evse < 0 else row.evse, row.n, Reading(row.at, Context(row.context), **values))
