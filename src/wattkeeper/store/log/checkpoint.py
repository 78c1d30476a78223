"""Checkpoints of the log: signed, kept, and what witnesses said of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.store.tables import log_checkpoint, log_cosignature
from wattkeeper.store.unit import Unit

C, W = log_checkpoint.c, log_cosignature.c


@dataclass(frozen=True, slots=True)
class CheckpointRow:
    """A checkpoint as it was published."""

    size: int
    root: bytes
    at: datetime
    note: str


def _select() -> Select[tuple[int, bytes, datetime, str]]:
    """Checkpoints, whole."""
    return select(C.size, C.root, C.at, C.note)


async def enter(unit: Unit, row: CheckpointRow) -> None:
    """Keep a checkpoint; there is one of each size."""
    values = {"size": row.size, "root": row.root, "at": row.at, "note": row.note}
    await unit.connection.execute(insert(log_checkpoint).values(values))


async def newest(connection: AsyncConnection) -> CheckpointRow | None:
    """The newest checkpoint; None before there is any."""
    return await _one(connection, _select().order_by(C.size.desc()).limit(1))


async def oldest(connection: AsyncConnection) -> CheckpointRow | None:
    """The first checkpoint that there was."""
    return await _one(connection, _select().order_by(C.size).limit(1))


async def covering(connection: AsyncConnection, index: int) -> CheckpointRow | None:
    """The first checkpoint that covers a leaf; None where none does yet."""
    return await _one(connection, _select().where(C.size > index).order_by(C.size).limit(1))


async def _one(connection: AsyncConnection, wanted: Select[tuple[int, bytes, datetime, str]]) -> CheckpointRow | None:
    """The checkpoint that a query finds."""
    row = (await connection.execute(wanted)).first()
    return None if row is None else CheckpointRow(row.size, bytes(row.root), row.at, row.note)


async def after(connection: AsyncConnection, size: int, limit: int) -> list[CheckpointRow]:
    """The first checkpoints beyond a size, in order."""
    rows = await connection.execute(_select().where(C.size > size).order_by(C.size).limit(limit))
    return [CheckpointRow(row.size, bytes(row.root), row.at, row.note) for row in rows]


async def count(connection: AsyncConnection) -> int:
    """How many there are."""
    return int(await connection.scalar(select(func.count()).select_from(log_checkpoint)) or 0)


async def cosign(unit: Unit, size: int, witness: str, line: str) -> None:
    """Keep what a witness said of a checkpoint; what it said first stays."""
    dialect: Any = sqlite if unit.is_sqlite else postgresql
    values = {"size": size, "witness": witness, "line": line, "at": unit.now}
    await unit.connection.execute(dialect.insert(log_cosignature).values(values).on_conflict_do_nothing())


async def cosignatures(connection: AsyncConnection, size: int) -> list[str]:
    """What witnesses said of a checkpoint, as lines of its note."""
    rows = await connection.execute(select(W.line).where(W.size == size).order_by(W.witness))
    return list(rows.scalars())
