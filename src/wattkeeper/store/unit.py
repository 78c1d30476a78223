"""One transaction, one ``now``: many facts share one commit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Table, text
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.store.prepared import prepared, prepared_update


class Unit:
    """What one transaction reads and writes; bulk rows gather here and go out together at `flush`."""

    def __init__(self, connection: AsyncConnection, now: datetime, is_sqlite: bool) -> None:
        self.connection = connection
        self.now = now
        self.is_sqlite = is_sqlite
        self.newest = self._numbered = -1
        self._inserts: dict[Table, list[tuple[Any, ...]]] = {}
        self._upserts: dict[Table, dict[tuple[Any, ...], tuple[Any, ...]]] = {}
        self._updates: dict[tuple[Table, tuple[str, ...]], dict[tuple[Any, ...], tuple[Any, ...]]] = {}

    async def open_journal(self) -> None:
        """Take the turn to number journal entries; whoever has it commits before the next may have it."""
        lock = "" if self.is_sqlite else " FOR UPDATE"
        row = await self.connection.exec_driver_sql(f"SELECT n FROM head WHERE id = 1{lock}")
        self.newest = self._numbered = int(row.scalar_one())

    def number(self) -> int:
        """The next journal number; the journal must be open."""
        self.newest += 1
        return self.newest

    def insert(self, table: Table, row: tuple[Any, ...]) -> None:
        """Add a row (raw values in the table's column order) at the next flush."""
        self._inserts.setdefault(table, []).append(row)

    def upsert(self, table: Table, key: tuple[Any, ...], row: tuple[Any, ...]) -> None:
        """Set the row with this primary key at the next flush; a later one in the same unit replaces it."""
        rows = self._upserts.setdefault(table, {})
        rows.pop(key, None)
        rows[key] = row

    def update(self, table: Table, columns: tuple[str, ...], key: tuple[Any, ...], row: tuple[Any, ...]) -> None:
        """Set these columns of the row with this primary key at the next flush; an upsert of it comes first."""
        self._updates.setdefault((table, columns), {})[key] = (*row, *key)

    async def flush(self) -> None:
        """Write what has gathered."""
        if self.newest != self._numbered:
            await self.connection.execute(text("UPDATE head SET n = :n WHERE id = 1"), {"n": self.newest})
            self._numbered = self.newest
        for table, rows in self._inserts.items():
            await self.connection.exec_driver_sql(prepared(table, self.is_sqlite).sql, rows)
        for table, keyed in self._upserts.items():
            await self.connection.exec_driver_sql(prepared(table, self.is_sqlite, replace=True).sql, [*keyed.values()])
        for (table, columns), keyed in self._updates.items():
            await self.connection.exec_driver_sql(prepared_update(table, columns, self.is_sqlite), [*keyed.values()])
        self._inserts = {}
        self._upserts = {}
        self._updates = {}

    async def select_in(self, sql: str, values: Sequence[str]) -> list[Any]:
        """Run a select whose ``{values}`` stands for a list of texts, as one bound parameter on both engines."""
        if self.is_sqlite:
            given = orjson.dumps(list(values)).decode()
            found = await self.connection.exec_driver_sql(
                sql.format(values="(SELECT value FROM json_each(?1))"), (given,)
            )
        else:
            some = "(SELECT unnest($1::text[]))"
            found = await self.connection.exec_driver_sql(sql.format(values=some), (list(values),))
        return list(found.all())
