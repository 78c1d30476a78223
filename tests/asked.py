"""What is asked of databases is put into SQL once in each process, and not anew by every engine that a test opens."""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util import LRUCache

from wattkeeper.store import engines

MOST = 5_000
"""Statements that are kept; all tests together ask fewer different ones."""


def ask_once() -> None:
    """From now on engines of a kind, all alike in one process, share the statements that they put into SQL."""
    shared: LRUCache[Any, Any] = LRUCache(MOST)
    for dialect in (SQLiteDialect_aiosqlite, PGDialect_asyncpg):
        setattr(dialect, "__eq__", _is_alike)  # noqa: B010 - a library's class
        setattr(dialect, "__hash__", _kind)  # noqa: B010

    def create(*address: Any, **options: Any) -> AsyncEngine:
        return create_async_engine(*address, execution_options={"compiled_cache": shared}, **options)

    setattr(engines, "create_async_engine", create)  # noqa: B010


def _is_alike(one: object, other: object) -> bool:
    return type(one) is type(other)


def _kind(one: object) -> int:
    return hash(type(one))
