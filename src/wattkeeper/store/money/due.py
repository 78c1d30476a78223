"""What has to be looked at, and how far the journal was seen to: a queue that a crash leaves as it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.store.columns import EPOCH
from wattkeeper.store.tables import due, follower
from wattkeeper.store.unit import Unit


@dataclass(frozen=True, slots=True)
class Followed:
    """How far somebody has followed the journal."""

    n: int
    since: datetime
    """What ended before is none of its business."""


async def followed(connection: AsyncConnection, name: str) -> Followed:
    """How far somebody has followed the journal; from its beginning, where nobody has yet."""
    f = follower.c
    row = (await connection.execute(select(f.n, f.since).where(f.name == name))).first()
    return Followed(0, EPOCH) if row is None else Followed(row.n, row.since)


async def advance(unit: Unit, name: str, before: Followed, n: int) -> bool:
    """Note that the journal was followed up to a number; False where somebody else did it meanwhile."""
    if await followed(unit.connection, name) != before:
        return False
    named = follower.c.name == name
    moved = await unit.connection.execute(update(follower).where(named).values(n=n))
    if not moved.rowcount:
        await unit.connection.execute(insert(follower).values(name=name, n=n, since=before.since))
    return True


async def add(unit: Unit, sessions: Mapping[str, datetime]) -> None:
    """Let sessions be looked at, each from an instant on; one that is to be looked at already stays as it is."""
    dialect: Any = sqlite if unit.is_sqlite else postgresql
    rows = [{"session_id": session, "at": at} for session, at in sessions.items()]
    if rows:
        await unit.connection.execute(dialect.insert(due).on_conflict_do_nothing(), rows)


async def put_off(unit: Unit, sessions: Sequence[str], at: datetime) -> None:
    """Look at sessions later."""
    await unit.connection.execute(update(due).where(due.c.session_id.in_(sessions)).values(at=at))


async def done(unit: Unit, sessions: Sequence[str]) -> None:
    """These sessions were looked at."""
    await unit.connection.execute(delete(due).where(due.c.session_id.in_(sessions)))


async def waiting(connection: AsyncConnection, now: datetime, limit: int) -> list[str]:
    """The sessions whose time has come, the longest waiting first."""
    wanted = select(due.c.session_id).where(due.c.at <= now).order_by(due.c.at).limit(limit)
    return list((await connection.execute(wanted)).scalars())


async def which(connection: AsyncConnection, sessions: Sequence[str]) -> set[str]:
    """Those of these sessions that have to be looked at still."""
    return set((await connection.execute(select(due.c.session_id).where(due.c.session_id.in_(sessions)))).scalars())
