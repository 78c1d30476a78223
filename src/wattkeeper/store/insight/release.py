"""The ledger of releases: written once, never changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.store.tables import release
from wattkeeper.store.unit import Unit

R = release.c


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger."""

    id: str
    mark: str
    kind: str
    year: int
    first: str
    until: str
    epsilon: Decimal
    has_left: bool
    shifts: list[tuple[int, int]]
    figures: list[dict[str, Any]]
    content: str
    sheet: str
    digest: str
    made_at: datetime
    made_by: str


async def enter(unit: Unit, entry: Entry) -> None:
    """Write a line in this transaction; one question has one line."""
    row = {column.name: getattr(entry, column.name) for column in release.columns}
    row |= {name: orjson.dumps(row[name]).decode() for name in ("shifts", "figures")}
    await unit.connection.execute(insert(release).values(row))


async def of_mark(connection: AsyncConnection, mark: str) -> Entry | None:
    """What was answered to this question; None where it was not asked."""
    row = (await connection.execute(select(release).where(R.mark == mark))).first()
    return None if row is None else _entry(row)


async def of_id(connection: AsyncConnection, name: str) -> Entry | None:
    """The line of this name; None where there is none."""
    row = (await connection.execute(select(release).where(R.id == name))).first()
    return None if row is None else _entry(row)


async def of_year(connection: AsyncConnection, year: int) -> list[Entry]:
    """All that was spent of a year's budget, the oldest first."""
    rows = await connection.execute(select(release).where(R.year == year).order_by(R.made_at, R.id))
    return [_entry(row) for row in rows]


async def newest(connection: AsyncConnection, most: int = 500) -> list[Entry]:
    """The newest lines first."""
    rows = await connection.execute(select(release).order_by(R.made_at.desc(), R.id).limit(most))
    return [_entry(row) for row in rows]


def _entry(row: Any) -> Entry:
    """A row as a line."""
    told = dict(row._mapping)
    told["shifts"] = [(shift, scale) for shift, scale in orjson.loads(told["shifts"])]
    told["figures"] = orjson.loads(told["figures"])
    return Entry(**told)
