"""What people asked about their data, until when it must be answered, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.privacy.rights import Proof, Right
from wattkeeper.store.tables import privacy_request
from wattkeeper.store.unit import Unit

Q = privacy_request.c
OPEN, ANSWERED, REFUSED = "open", "answered", "refused"


@dataclass(frozen=True, slots=True)
class RequestRow:
    """One request as kept."""

    id: str
    person: str
    right: Right
    door: str
    sealed: bytes | None
    sealed_for: str
    proof: Proof
    received_at: datetime
    due_at: datetime
    extended_why: str | None
    state: str
    answer: str | None
    answered_at: datetime | None
    answered_by: str | None


async def keep(unit: Unit, row: Mapping[str, Any]) -> None:
    """Keep a request."""
    await unit.connection.execute(insert(privacy_request).values(**row))


async def change(unit: Unit, identifier: str, **values: Any) -> bool:
    """Change an open request; False where there is none."""
    found = (Q.id == identifier) & (Q.state == OPEN)
    return bool((await unit.connection.execute(update(privacy_request).where(found).values(**values))).rowcount)


async def one(connection: AsyncConnection, identifier: str) -> RequestRow | None:
    """The request with this id."""
    row = (await connection.execute(select(privacy_request).where(Q.id == identifier))).first()
    return None if row is None else _row(row)


async def listed(connection: AsyncConnection, *, open_only: bool, most: int = 500) -> list[RequestRow]:
    """Requests, what is due first on top; answered ones after them, the newest first."""
    wanted = select(privacy_request).order_by(Q.state != OPEN, Q.due_at, Q.id).limit(most)
    return [_row(row) for row in await connection.execute(wanted.where(Q.state == OPEN) if open_only else wanted)]


async def of(connection: AsyncConnection, person: str) -> list[RequestRow]:
    """A person's requests, the newest first."""
    rows = await connection.execute(select(privacy_request).where(Q.person_id == person).order_by(Q.received_at.desc()))
    return [_row(row) for row in rows]


async def tally(connection: AsyncConnection, now: datetime) -> tuple[int, int]:
    """How many requests are open, and how many of them overdue."""
    open_ = await connection.scalar(select(func.count()).where(Q.state == OPEN))
    late = await connection.scalar(select(func.count()).where(Q.state == OPEN, Q.due_at < now))
    return int(open_ or 0), int(late or 0)


def _row(row: Any) -> RequestRow:
    sealed = None if row.sealed is None else bytes(row.sealed)
    asked = (row.id, row.person_id, Right(row.right), row.door, sealed, row.sealed_for, Proof(row.proof))
    told = (row.received_at, row.due_at, row.extended_why, row.state, row.answer, row.answered_at, row.answered_by)
    return RequestRow(*asked, *told)
