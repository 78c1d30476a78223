"""Leaves and nodes of the log as they are kept: appended, never changed; every hash of a proof is a few rows away."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.store.columns import to_micros
from wattkeeper.store.tables import log_leaf, log_node
from wattkeeper.store.unit import Unit

L, N = log_leaf.c, log_node.c


@dataclass(frozen=True, slots=True)
class LeafRow:
    """One leaf with what opens it."""

    n: int
    at: datetime
    kind: str
    ref: str
    salt: bytes
    commitment: bytes


async def size(connection: AsyncConnection) -> int:
    """How many leaves there are."""
    newest = await connection.scalar(select(func.max(L.n)))
    return 0 if newest is None else int(newest) + 1


def append(unit: Unit, row: LeafRow) -> None:
    """Add a leaf at the unit's next flush."""
    unit.insert(log_leaf, (row.n, to_micros(row.at), row.kind, row.ref, row.salt, row.commitment))


def add_nodes(unit: Unit, nodes: Iterable[tuple[int, int, bytes]]) -> None:
    """Add nodes (level, place, hash) at the unit's next flush."""
    for node in nodes:
        unit.insert(log_node, node)


async def nodes(connection: AsyncConnection, level: int, start: int, count: int) -> list[bytes]:
    """The hashes of nodes of a level above the leaves, side by side; fewer where there are fewer."""
    wanted = select(N.hash).where(N.level == level, N.n >= start, N.n < start + count).order_by(N.n)
    return [bytes(one) for one in (await connection.execute(wanted)).scalars()]


def _select() -> Select[tuple[int, datetime, str, str, bytes, bytes]]:
    """Leaves, whole."""
    return select(L.n, L.at, L.kind, L.ref, L.salt, L.commitment)


async def leaves(connection: AsyncConnection, start: int, count: int) -> list[LeafRow]:
    """The leaves from an index on, in order; fewer where there are fewer."""
    wanted = _select().where(L.n >= start, L.n < start + count).order_by(L.n)
    return _rows((await connection.execute(wanted)).all())


async def named(connection: AsyncConnection, kind: str, ref: str) -> LeafRow | None:
    """The leaf about a row; None where it is not in the log yet."""
    found = (await connection.execute(_select().where(L.kind == kind, L.ref == ref))).all()
    return _rows(found)[0] if found else None


def _rows(rows: Sequence[Sequence[object]]) -> list[LeafRow]:
    """Leaves of rows."""
    return [LeafRow(n, at, kind, ref, bytes(salt), bytes(commitment)) for n, at, kind, ref, salt, commitment in rows]  # type: ignore[arg-type,call-overload]


async def count_of(connection: AsyncConnection, kind: str) -> int:
    """How many leaves are about rows of one kind."""
    return int(await connection.scalar(select(func.count()).where(L.kind == kind)) or 0)
