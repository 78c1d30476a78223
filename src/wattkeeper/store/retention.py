"""What is kept for so many days and no longer, as the tables themselves say."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import Column, Table, delete, select, tuple_

from wattkeeper.store.columns import Retention
from wattkeeper.store.tables import metadata
from wattkeeper.store.unit import Unit

DAYS: Mapping[Retention, int] = {Retention.DAYS_30: 30, Retention.DAYS_90: 90}
ANCHORS = ("last_at", "expires_at", "created_at", "at")
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


async def forget(unit: Unit, table: Table, anchor: Column[Any], kept: timedelta) -> int:
    """Delete some of the rows of a table whose days are over; gives how many, 0 where none are left."""
    keys = tuple_(*table.primary_key.columns)
    over = select(*table.primary_key.columns).where(anchor < unit.now - kept).limit(TOGETHER)
    rows = [tuple(row) for row in await unit.connection.execute(over)]
    if rows:
        await unit.connection.execute(delete(table).where(keys.in_(rows)))
    return len(rows)
