"""By which clock days and months were counted: once the installation's is another, all of it is counted anew."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.store.tables import counted_zone
from wattkeeper.store.unit import Unit

Z = counted_zone.c


async def is_another(unit: Unit, what: str, zone: str) -> bool:
    """Whether something was counted by another clock before; from now on it is counted by this one."""
    before = await of(unit.connection, what)
    if before != zone:
        unit.upsert(counted_zone, (what,), (what, zone))
        await unit.flush()
    return before not in (None, zone)


async def of(connection: AsyncConnection, what: str) -> str | None:
    """By which clock something is counted; None: by none yet."""
    return await connection.scalar(select(Z.zone).where(Z.name == what))


async def is_ours(connection: AsyncConnection, what: str, zone: str) -> bool:
    """Whether something is counted by this clock; else whoever began to count it by another goes on alone."""
    return await of(connection, what) in (None, zone)
