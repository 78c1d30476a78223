"""One transaction, one ``now``: many facts share one commit."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.store.prepared import prepared, prepared_sum, prepared_update

TURN = 0x77617474
"""The number of PostgreSQL's lock for whose turn it is to write."""


class Unit:
    """What one transaction reads and writes; bulk rows gather here and go out together at `flush`."""

    def __init__(self, connection: AsyncConnection, now: datetime, is_sqlite: bool) -> None:
        self.connection = connection
        self.now = now
        self.is_sqlite = is_sqlite
        self.newest = -1
        self._inserts: dict[Table, list[tuple[Any, ...]]] = {}
        self._upserts: dict[Table, dict[tuple[Any, ...], tuple[Any, ...]]] = {}
        self._updates: dict[tuple[Table, tuple[str, ...]], dict[tuple[Any, ...], tuple[Any, ...]]] = {}
        self._sums: dict[tuple[Table, tuple[str, ...]], dict[tuple[Any, ...], list[Any]]] = {}

    async def open_journal(self) -> None:
        """Begin to number journal entries: nobody else does before the commit, for the turn to write is kept."""
        newest = "SELECT max(n) FROM journal"
        self.newest = int((await self.connection.exec_driver_sql(newest)).scalar() or 0)

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

    def add(self, table: Table, summed: tuple[str, ...], row: tuple[Any, ...]) -> None:
        """Add to these columns of the row with the same primary key at the next flush, or make the row."""
        names = [column.name for column in table.columns]
        key = tuple(row[names.index(column.name)] for column in table.primary_key)
        known = self._sums.setdefault((table, summed), {}).setdefault(key, [])
        if known:
            for place in map(names.index, summed):
                known[place] += row[place]
        else:
            known.extend(row)

    async def flush(self) -> None:
        """Write what has gathered."""
        for table, rows in self._inserts.items():
            await self.connection.exec_driver_sql(prepared(table, self.is_sqlite).sql, rows)
        for table, keyed in self._upserts.items():
            await self.connection.exec_driver_sql(prepared(table, self.is_sqlite, replace=True).sql, [*keyed.values()])
        for (table, columns), keyed in self._updates.items():
            await self.connection.exec_driver_sql(prepared_update(table, columns, self.is_sqlite), [*keyed.values()])
        for (table, summed), sums in self._sums.items():
            rows = [tuple(row) for row in sums.values()]
            await self.connection.exec_driver_sql(prepared_sum(table, summed, self.is_sqlite), rows)
        self._forget()

    def _forget(self) -> None:
        """Nothing has gathered."""
        self._inserts, self._upserts, self._updates, self._sums = {}, {}, {}, {}

    @asynccontextmanager
    async def attempt(self) -> AsyncIterator[None]:
        """Within the unit, a part that may fail alone: what it wrote is undone when it raises, the rest stays."""
        await self.flush()
        try:
            async with self.connection.begin_nested():
                yield
                await self.flush()
        except BaseException:
            self._forget()
            raise

    async def select_in(self, sql: str, values: Sequence[str]) -> list[Any]:
        """Run a select whose ``{values}`` stands for a list of texts, as one bound parameter on both engines."""
        return await self.select_lists(sql, values=values)

    async def select_lists(self, sql: str, **lists: Sequence[str]) -> list[Any]:
        """Run a select in which each ``{name}`` stands for a list of texts: one bound parameter each."""
        some = "(SELECT value FROM json_each(?{}))" if self.is_sqlite else "(SELECT unnest(${}::text[]))"
        marked = sql.format(**{name: some.format(place) for place, name in enumerate(lists, 1)})
        given = tuple(orjson.dumps(v).decode() if self.is_sqlite else v for v in map(list, lists.values()))
        return list((await self.connection.exec_driver_sql(marked, given)).all())

    async def select_numbers(self, sql: str, values: Sequence[int]) -> list[Any]:
        """Run a select whose ``{values}`` stands for a list of whole numbers, as one bound parameter."""
        some = "(SELECT value FROM json_each(?))" if self.is_sqlite else "(SELECT unnest($1::bigint[]))"
        given = orjson.dumps([*values]).decode() if self.is_sqlite else [*values]
        return list((await self.connection.exec_driver_sql(sql.format(values=some), (given,))).all())

    async def change_in(self, sql: str, values: Sequence[str]) -> int:
        """Run a change whose ``{values}`` stands for a list of texts; how many rows it changed."""
        some = "(SELECT value FROM json_each(?))" if self.is_sqlite else "(SELECT unnest($1::text[]))"
        given = orjson.dumps([*values]).decode() if self.is_sqlite else [*values]
        return int((await self.connection.exec_driver_sql(sql.format(values=some), (given,))).rowcount)
