"""What is kept for so many days, or as long as tax law asks, and no longer, as the tables themselves say."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Column, Table, delete, select, tuple_

from wattkeeper.store.columns import Retention
from wattkeeper.store.tables import metadata
from wattkeeper.store.unit import Unit

DAYS: Mapping[Retention, int] = {Retention.DAYS_30: 30, Retention.DAYS_90: 90}
TAX_YEARS = 10
"""How many years tax law asks for, from the end of the year in which something was made."""
ANCHORS = ("issued_at", "last_at", "expires_at", "created_at", "since", "at")
"""From which instant the days of a row are counted: the first of these that its table has."""
TOGETHER = 500
"""Rows deleted in one transaction: few enough that stations need not wait for it."""


def passing() -> list[tuple[Table, Column[Any], timedelta]]:
    """The tables whose rows are all kept for so many days; from which column they count, and how long."""
    found = []
    for table in metadata.sorted_tables:
        days = {DAYS.get(column.info["retention"]) for column in table.columns}
        longest = max((day for day in days if day is not None), default=None)
        if longest is not None and None not in days:
            anchor = next(table.c[name] for name in ANCHORS if name in table.c)
            found.append((table, anchor, timedelta(days=longest)))
    return found


def taxed() -> list[tuple[Table, Column[Any]]]:
    """The tables whose rows are kept as long as tax law asks, and from which column that counts."""
    return [
        (table, next(table.c[name] for name in ANCHORS if name in table.c))
        for table in metadata.sorted_tables
        if {column.info["retention"] for column in table.columns} == {Retention.TAX}
    ]


def tax_end(now: datetime) -> datetime:
    """What was made before this instant has been kept as long as tax law asks."""
    return datetime(now.year - TAX_YEARS, 1, 1, tzinfo=UTC)


async def forget(unit: Unit, table: Table, anchor: Column[Any], before: datetime) -> int:
    """Delete some of the rows of a table made before an instant; gives how many, 0 where none are left."""
    keys = tuple_(*table.primary_key.columns)
    over = select(*table.primary_key.columns).where(anchor < before).limit(TOGETHER)
    rows = [tuple(row) for row in await unit.connection.execute(over)]
    if rows:
        await unit.connection.execute(delete(table).where(keys.in_(rows)))
    return len(rows)
