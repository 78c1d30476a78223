"""Spans of outages that staff said do not count: who, why, and what shows it, sealed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.statistics.uptime import Exclusion
from wattkeeper.store.tables import exclusion, outage
from wattkeeper.store.unit import Unit

X, OUT = exclusion.c, outage.c


@dataclass(frozen=True, slots=True)
class ExclusionRow:
    """A span that does not count."""

    id: str
    station: str
    evse: int
    since: datetime
    until: datetime
    reason: Exclusion
    sealed: bytes
    """What shows it."""
    created_at: datetime
    created_by: str


async def outage_at(unit: Unit, station: str, evse: int, since: datetime) -> tuple[datetime, datetime | None] | None:
    """From when to when the outage of a port was that began at an instant; None where there is none such."""
    of = (OUT.station_id == station, OUT.evse == evse, OUT.since == since)
    row = (await unit.connection.execute(select(OUT.since, OUT.until).where(*of))).first()
    return None if row is None else (row.since, row.until)


async def excluded_until(unit: Unit, station: str, evse: int, since: datetime, until: datetime) -> datetime | None:
    """Up to when some of a span of a port does not count already; None where all of it does."""
    of = (X.station_id == station, X.evse == evse, X.since < until, X.until > since)
    last: datetime | None = await unit.connection.scalar(select(func.max(X.until)).where(*of))
    return last


async def keep(unit: Unit, row: ExclusionRow) -> None:
    """Keep a span that does not count."""
    told = {"id": row.id, "station_id": row.station, "evse": row.evse, "since": row.since, "until": row.until}
    why = {"reason": row.reason.value, "sealed": row.sealed}
    by = {"created_at": row.created_at, "created_by": row.created_by}
    await unit.connection.execute(insert(exclusion).values(told | why | by))


async def take_back(unit: Unit, identifier: str) -> ExclusionRow | None:
    """Let a span count again; what it was, None where there is none of that id."""
    row = await one(unit.connection, identifier)
    await unit.connection.execute(delete(exclusion).where(X.id == identifier))
    return row


async def one(connection: AsyncConnection, identifier: str) -> ExclusionRow | None:
    """The span of this id."""
    return next(iter(await named(connection, [identifier])), None)


async def named(connection: AsyncConnection, identifiers: list[str]) -> list[ExclusionRow]:
    """The spans of these ids."""
    rows = await connection.execute(select(exclusion).where(X.id.in_(identifiers)))
    return [
        ExclusionRow(
            *(row.id, row.station_id, row.evse, row.since, row.until),
            reason=Exclusion(row.reason),
            sealed=bytes(row.sealed),
            created_at=row.created_at,
            created_by=row.created_by,
        )
        for row in rows
    ]
