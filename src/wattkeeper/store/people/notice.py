"""Notices: what a person should know, the words sealed under their key."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.store.columns import to_micros
from wattkeeper.store.tables import notice
from wattkeeper.store.unit import Unit


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """A notice as kept."""

    id: str
    kind: str
    sealed: bytes
    created_at: datetime
    read_at: datetime | None


N = notice.c
COLUMNS = (N.id, N.kind, N.sealed, N.created_at, N.read_at)


def keep(unit: Unit, identifier: str, person: str, kind: str, sealed: bytes) -> None:
    """Keep a notice at the unit's next flush."""
    unit.insert(notice, (identifier, person, kind, sealed, to_micros(unit.now), None))


async def known(connection: AsyncConnection, identifiers: Collection[str]) -> set[str]:
    """Those of these notices that are kept."""
    rows = await connection.execute(select(N.id).where(N.id.in_([*identifiers])))
    return {identifier for (identifier,) in rows}


async def of_person(
    connection: AsyncConnection, person: str, limit: int, before: tuple[datetime, str] | None = None
) -> list[NoticeRow]:
    """A person's newest notices, made before this instant and id."""
    wanted = select(*COLUMNS).where(N.person_id == person)
    if before is not None:
        wanted = wanted.where(tuple_(N.created_at, N.id) < before)
    rows = await connection.execute(wanted.order_by(N.created_at.desc(), N.id.desc()).limit(limit))
    return [_notice(row) for row in rows]


async def unread(connection: AsyncConnection, person: str) -> int:
    """How many notices of a person were not read."""
    mine = select(func.count()).select_from(notice).where(N.person_id == person, N.read_at.is_(None))
    return int(await connection.scalar(mine) or 0)


async def read(unit: Unit, identifier: str, person: str) -> bool:
    """Note that a person has read a notice, the first time; False where they have no such notice."""
    theirs = (N.id == identifier) & (N.person_id == person)
    change = update(notice).where(theirs).values(read_at=func.coalesce(N.read_at, to_micros(unit.now)))
    return bool((await unit.connection.execute(change)).rowcount)


def _notice(row: Any) -> NoticeRow:
    """A notice of a row selected as COLUMNS."""
    identifier, kind, sealed, created_at, read_at = row
    return NoticeRow(identifier, kind, bytes(sealed), created_at, read_at)
