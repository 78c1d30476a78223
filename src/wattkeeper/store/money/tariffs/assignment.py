"""To whom and where tariffs are assigned: kept for good, one after the other."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.money.tariffs.assignment import Assignment, Rank, Spot
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.store.tables import tariff_assignment
from wattkeeper.store.unit import Unit

A = tariff_assignment.c
WHOLE = select(A.n, A.kind, A.subject, A.tariff_id, A.valid_from, A.created_at, A.created_by)


async def concerning(connection: AsyncConnection, spots: Iterable[Spot]) -> list[Assignment]:
    """Every assignment that could decide at one of these spots: for working out prices."""
    subjects = {(rank.value, subject) for spot in spots for rank, subject in spot.subjects.items()}
    if not subjects:
        return []
    rows = await connection.execute(WHOLE.where(tuple_(A.kind, A.subject).in_(sorted(subjects))))
    return [_assignment(row) for row in rows]


async def find(connection: AsyncConnection, viewer: Viewer, tariff: str | None = None) -> list[Assignment]:
    """Every assignment, or those of one tariff, the newest first (scope tariffs:read)."""
    viewer.need(Scope.TARIFFS_READ)
    wanted = WHOLE if tariff is None else WHOLE.where(A.tariff_id == tariff)
    return [_assignment(row) for row in await connection.execute(wanted.order_by(A.n.desc()))]


async def keep(unit: Unit, rank: Rank, subject: str, tariff: str | None, valid_from: datetime, by: str) -> Assignment:
    """Keep another assignment."""
    n = int(await unit.connection.scalar(select(func.max(A.n))) or 0) + 1
    values = {"n": n, "kind": rank.value, "subject": subject, "tariff_id": tariff, "valid_from": valid_from}
    values |= {"created_at": unit.now, "created_by": by}
    await unit.connection.execute(insert(tariff_assignment).values(values))
    return Assignment(n, rank, subject, tariff, valid_from, unit.now, by)


def _assignment(row: Any) -> Assignment:
    """An assignment of a row."""
    n, kind, *rest = row
    return Assignment(n, Rank(kind), *rest)
