"""Deeds: written in the transaction of what was done, in order, without gaps; never changed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.deed import DeedKind
from wattkeeper.store.columns import to_micros
from wattkeeper.store.tables import deed
from wattkeeper.store.unit import Unit

D = deed.c


@dataclass(frozen=True, slots=True)
class Deed:
    """A deed as it stands in the log."""

    n: int
    at: datetime
    kind: str
    by: str
    subject: str
    body: Mapping[str, Any]


async def enter(unit: Unit, kind: DeedKind, by: str, subject: str, body: Mapping[str, Any]) -> int:
    """Write down one deed in this transaction; its number. ``body`` holds JSON values and no names."""
    n = int(await unit.connection.scalar(select(func.max(D.n))) or 0) + 1
    told = orjson.dumps(body, option=orjson.OPT_SORT_KEYS).decode()
    row = {"n": n, "at": unit.now, "kind": kind.value, "by": by, "subject": subject, "body": told}
    await unit.connection.execute(insert(deed).values(row))
    return n


async def enter_all(unit: Unit, kind: DeedKind, by: str, bodies: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    """Write down one deed about each of these subjects in this transaction; their numbers by subject."""
    newest = int(await unit.connection.scalar(select(func.max(D.n))) or 0)
    numbers = {}
    for n, (subject, body) in enumerate(bodies.items(), newest + 1):
        told = orjson.dumps(body, option=orjson.OPT_SORT_KEYS).decode()
        unit.insert(deed, (n, to_micros(unit.now), kind.value, by, subject, told))
        numbers[subject] = n
    await unit.flush()
    return numbers


async def about(connection: AsyncConnection, subject: str, kinds: Collection[DeedKind], most: int = 500) -> list[Deed]:
    """The newest deeds of these kinds about one subject, newest first."""
    asked = select(deed).where(D.subject == subject, D.kind.in_([kind.value for kind in kinds]))
    rows = await connection.execute(asked.order_by(D.n.desc()).limit(most))
    return [Deed(row.n, row.at, row.kind, row.by, row.subject, orjson.loads(row.body)) for row in rows]
