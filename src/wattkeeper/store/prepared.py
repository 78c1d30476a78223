"""Inserts and upserts compiled once and run with tuples of raw values: the quick way for many rows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import asyncpg


class Prepared:
    """An insert or upsert compiled once, run with tuples: the quick way for many rows."""

    def __init__(self, table: Table, is_sqlite: bool, replace: bool) -> None:
        dialect: Any = sqlite.dialect(paramstyle="qmark") if is_sqlite else asyncpg.dialect()  # type: ignore[no-untyped-call]
        statement: Any = sqlite.insert(table) if is_sqlite else postgresql.insert(table)
        if replace:
            keys = [column.name for column in table.primary_key]
            rest = {c.name: statement.excluded[c.name] for c in table.columns if c.name not in keys}
            statement = statement.on_conflict_do_update(index_elements=keys, set_=rest)
        compiled = statement.compile(dialect=dialect, column_keys=[column.name for column in table.columns])
        self.sql = str(compiled)
        self.columns: Sequence[str] = tuple(compiled.positiontup or ())


@cache
def prepared(table: Table, is_sqlite: bool, replace: bool = False) -> Prepared:
    """A table's insert, or its upsert on the primary key; values are raw: integers, text."""
    return Prepared(table, is_sqlite, replace)


@cache
def prepared_update(table: Table, columns: tuple[str, ...], is_sqlite: bool) -> str:
    """The update of some columns by primary key; its values are raw, the columns' first, then the key's."""
    keys = [column.name for column in table.primary_key]
    marks = iter("?" if is_sqlite else f"${place}" for place in range(1, len(columns) + len(keys) + 1))
    setting = ", ".join(f"{name} = {next(marks)}" for name in columns)
    finding = " AND ".join(f"{name} = {next(marks)}" for name in keys)
    return f"UPDATE {table.name} SET {setting} WHERE {finding}"


@cache
def prepared_sum(table: Table, summed: tuple[str, ...], is_sqlite: bool) -> str:
    """An insert that adds to these columns of the row with the same primary key where there is one; raw values."""
    dialect: Any = sqlite.dialect(paramstyle="qmark") if is_sqlite else asyncpg.dialect()  # type: ignore[no-untyped-call]
    statement: Any = sqlite.insert(table) if is_sqlite else postgresql.insert(table)
    keys = [column.name for column in table.primary_key]
    more = {name: table.c[name] + statement.excluded[name] for name in summed}
    adding = statement.on_conflict_do_update(index_elements=keys, set_=more)
    return str(adding.compile(dialect=dialect, column_keys=[column.name for column in table.columns]))
