"""What stations told of themselves and their connectors: rows folded from the journal."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import select

from wattkeeper.store.columns import from_micros, to_micros
from wattkeeper.store.tables import connector, station_state
from wattkeeper.store.unit import Unit


class StationState(msgspec.Struct, frozen=True, omit_defaults=True):
    """A station as it last showed itself; the fields are the columns of ``station_state``."""

    station_id: str
    version: str | None = None
    online: bool = False
    online_since: datetime | None = None
    last_heard_at: datetime | None = None
    booted_at: datetime | None = None
    vendor: str | None = None
    model: str | None = None
    serial: str | None = None
    firmware: str | None = None
    displays_messages: bool = False
    last_n: int = 0


class ConnectorState(msgspec.Struct, frozen=True):
    """A connector as it last showed itself; the fields are the columns of ``connector``."""

    station_id: str
    evse: int
    connector: int
    status: str
    said: str
    error: str | None
    info: str | None
    since: datetime
    told_at: datetime


def _raw(value: Any) -> Any:
    return to_micros(value) if isinstance(value, datetime) else value


def put(unit: Unit, state: StationState) -> None:
    """Set the station's row at the next flush."""
    unit.upsert(station_state, (state.station_id,), tuple(_raw(v) for v in msgspec.structs.astuple(state)))


def put_connector(unit: Unit, state: ConnectorState) -> None:
    """Set the connector's row at the next flush."""
    key = (state.station_id, state.evse, state.connector)
    unit.upsert(connector, key, tuple(_raw(v) for v in msgspec.structs.astuple(state)))


async def all_stations(unit: Unit) -> dict[str, StationState]:
    """Every station's state."""
    rows = await unit.connection.execute(select(station_state))
    return {row.station_id: StationState(**row._mapping) for row in rows}


async def connectors_of(unit: Unit, stations: Collection[str]) -> dict[tuple[str, int, int], ConnectorState]:
    """The connectors of these stations."""
    rows = await unit.select_in(
        "SELECT station_id, evse, connector, status, said, error, info, since, told_at FROM connector"
        " WHERE station_id IN {values}",
        [*stations],
    )
    states = [
        ConnectorState(
            row.station_id,
            row.evse,
            row.connector,
            row.status,
            row.said,
            row.error,
            row.info,
            from_micros(row.since),
            from_micros(row.told_at),
        )
        for row in rows
    ]
    return {(s.station_id, s.evse, s.connector): s for s in states}
