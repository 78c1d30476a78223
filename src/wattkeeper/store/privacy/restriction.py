"""Restrictions and objections: whose data are kept and not used, for what, since when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.privacy.rights import Use
from wattkeeper.store.tables import restriction
from wattkeeper.store.unit import Unit

R = restriction.c


@dataclass(frozen=True, slots=True)
class RestrictionRow:
    """One wish that stands."""

    id: str
    person: str
    use: Use
    since: datetime
    by: str


async def standing(connection: AsyncConnection, person: str) -> list[RestrictionRow]:
    """What stands of a person's, the oldest first."""
    wanted = select(R.id, R.person_id, R.use, R.since, R.by).where(R.person_id == person, R.ended_at.is_(None))
    rows = await connection.execute(wanted.order_by(R.since))
    return [RestrictionRow(row.id, row.person_id, Use(row.use), row.since, row.by) for row in rows]


async def excluded(connection: AsyncConnection, use: Use) -> frozenset[str]:
    """Whose data may not be used for this."""
    wanted = select(R.person_id).where(R.ended_at.is_(None), R.use.in_([use.value, Use.ALL.value])).distinct()
    return frozenset(await connection.scalars(wanted))


async def keep(unit: Unit, identifier: str, person: str, use: Use, sealed: bytes | None, by: str) -> None:
    """A wish stands from now on."""
    kind = "restriction" if use is Use.ALL else "objection"
    row = {"id": identifier, "person_id": person, "kind": kind, "use": use.value, "sealed": sealed, "by": by}
    await unit.connection.execute(insert(restriction).values(**row, since=unit.now))


async def end(unit: Unit, person: str, use: Use, by: str) -> bool:
    """A wish is lifted; False where none stood."""
    stands = (R.person_id == person) & (R.use == use.value) & R.ended_at.is_(None)
    done = await unit.connection.execute(update(restriction).where(stands).values(ended_at=unit.now, ended_by=by))
    return bool(done.rowcount)
