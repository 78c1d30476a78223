"""All that differs between SQLite and PostgreSQL, and the two ways in: `Store.unit` to write, `Store.read` to look."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiosqlite
from sqlalchemy import event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from wattkeeper.store.link import bare, link_of
from wattkeeper.store.unit import TURN, Unit

logging.getLogger("aiosqlite").setLevel(logging.INFO)
"""At DEBUG it writes each statement with its values, which nobody's log is to hold, whatever level is set above it."""
Clock = Callable[[], datetime]

SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA busy_timeout=10000",
    "PRAGMA secure_delete=ON",
    "PRAGMA cache_size=-16000",
    "PRAGMA journal_size_limit=67108864",
)
CHECKPOINT_EVERY_S = 2.0
WIPES, WIPE_S = 40, 0.25
"""How often the log is tried to be emptied, and how long between: a reader may hold it for a moment."""


def utc_now() -> datetime:
    """The wall clock, aware, UTC."""
    return datetime.now(UTC)


def async_url(url: str) -> URL:
    """A database address with its asynchronous driver; ValueError for any other, or where it has no folder."""
    parsed = make_url(url)
    drivers = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
    family = parsed.drivername.split("+")[0]
    if family not in drivers:
        raise ValueError(f"Database {family!r} is not supported; use sqlite:///file.db or postgresql://host/name.")
    if family == "sqlite":
        _need_folder(parsed)
    return parsed.set(drivername=drivers[family])


def engine_of(url: URL, **options: Any) -> AsyncEngine:
    """An engine that tells no parameter in its errors; raises ValueError where the way to it is named wrongly."""
    link = link_of(url) | ({"async_creator_fn": _opened} if url.drivername.startswith("sqlite") else {})
    return create_async_engine(bare(url), hide_parameters=True, connect_args=link, **options)


class Connection(aiosqlite.Connection):
    """A connection that is stopped once.

    Whoever is cancelled twice within a query, as a page that is left is, has it stopped and closed: the close would
    wait for ever for a second stop, which nobody is there to do.
    """

    def stop(self) -> asyncio.Future[Any] | None:
        """Stop it, if nobody did."""
        return super().stop() if self._running else None

    async def close(self) -> None:
        """Close it, if nobody stopped it."""
        if self._running:
            await super().close()


def _opened(path: str, **options: Any) -> Connection:
    """A connection to a SQLite file, in a thread that keeps no process alive."""
    connection = Connection(lambda: sqlite3.connect(path, **options), 64)
    connection._thread.daemon = True
    return connection


def dsn_of(url: URL) -> tuple[str, dict[str, Any]]:
    """A PostgreSQL address for its driver alone, and how the way to it is secured."""
    return bare(url).set(drivername="postgresql").render_as_string(hide_password=False), link_of(url)


def _need_folder(url: URL) -> None:
    """ValueError where a database could be no file, for its folder is not there."""
    path = Path(url.database or "")
    if url.database and not url.database.startswith((":", "file:")) and not path.parent.is_dir():
        raise ValueError(f"There is no folder {path.parent} for the database {path.name}: make it, or name another.")


def _sqlite_engine(url: URL, writer: bool) -> AsyncEngine:
    """One writer that begins at once, or readers that see a snapshot."""
    options: dict[str, Any] = {"pool_size": 1, "max_overflow": 0} if writer else {"pool_size": 4, "max_overflow": 4}
    engine = engine_of(url, **options)

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        mine = ("PRAGMA wal_autocheckpoint=16000",) if writer else ("PRAGMA query_only=ON",)
        for pragma in (*SQLITE_PRAGMAS, *mine) if writer else (*SQLITE_PRAGMAS[2:], *mine):
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writer else "BEGIN")

    return engine


class Store:
    """One database; ``clock`` gives each transaction its single now."""

    def __init__(self, url: str, clock: Clock = utc_now) -> None:
        self.url = async_url(url)
        self.clock = clock
        self.is_sqlite = self.url.drivername.startswith("sqlite")
        if self.is_sqlite:
            self._writer = _sqlite_engine(self.url, writer=True)
            self._reader = _sqlite_engine(self.url, writer=False)
        else:
            self._writer = self._reader = engine_of(self.url, pool_size=8, max_overflow=8)
        self._turn = asyncio.Lock()
        self.before: Callable[[AsyncConnection], Awaitable[None]] | None = None
        """What is done first in each unit and each look: to take up keys that another process replaced."""

    @asynccontextmanager
    async def unit(self) -> AsyncIterator[Unit]:
        """One transaction with one ``now``; commits when the block ends, rolls back when it raises.

        Whoever writes has the database to themselves, on both engines and in every process: what was read in a unit is
        still so when it commits. Of fifty who claim one thing, each later one finds it taken.
        """
        async with self._turn, self._writer.begin() as connection:
            if not self.is_sqlite:
                await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({TURN})")
            if self.before is not None:
                await self.before(connection)
            unit = Unit(connection, self.clock(), self.is_sqlite)
            yield unit
            await unit.flush()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection that only looks, at one snapshot."""
        async with self._reader.connect() as connection:
            if not self.is_sqlite:
                await connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
            if self.before is not None:
                await self.before(connection)
            yield connection

    async def keep_tidy(self) -> None:
        """Move what was committed from the log into the database file, beside the writer instead of in its way."""
        if not self.is_sqlite:
            return
        engine = engine_of(self.url)
        try:
            while True:
                await asyncio.sleep(CHECKPOINT_EVERY_S)
                async with engine.connect() as connection:
                    await connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")
        finally:
            await engine.dispose()

    async def wipe(self, tables: Sequence[str]) -> bool:
        """Leave nothing of what was deleted in the database's own files; False where somebody reads an older state.

        SQLite: what stands in the log is moved, and the log emptied (deleted values are overwritten as they go).
        PostgreSQL: the dead rows of these tables are taken out.
        """
        if not self.is_sqlite:
            async with self._writer.connect() as connection:
                outside = await connection.execution_options(isolation_level="AUTOCOMMIT")
                for table in tables:
                    await outside.exec_driver_sql(f"VACUUM {table}")
            return True
        engine = engine_of(self.url)
        try:
            for _ in range(WIPES):
                async with self._turn, engine.connect() as connection:
                    busy = (await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")).one()[0]
                if not busy:
                    return True
                await asyncio.sleep(WIPE_S)
            return False
        finally:
            await engine.dispose()

    async def close(self) -> None:
        """Close every connection."""
        await self._writer.dispose()
        if self._reader is not self._writer:
            await self._reader.dispose()
