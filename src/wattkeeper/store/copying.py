"""A whole database out to files and back, at one instant and while others write: the keys apart from the data.

SQLite: its own way to copy a database, then the keys are taken out of the copy. PostgreSQL: each table by COPY, all in
one snapshot; nothing but the connection is needed.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import asyncpg
from sqlalchemy import Table
from sqlalchemy.engine import URL

from wattkeeper.store.engines import async_url, dsn_of
from wattkeeper.store.tables import metadata, subject_key

KEYS: Final = subject_key.name
SQLITE_FILE: Final = "wattkeeper.db"
WRAPPED: Final = ("subject", "wrapped", "created_at")
Key = tuple[str, bytes, int]
"""A wrapped key: its subject, itself, when it was made (microseconds)."""


class NotEmpty(Exception):  # noqa: N818 - that something is there is an answer
    """The database that was to be filled holds something already."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied."""

    schema: str
    """The newest migration it has."""
    tables: Mapping[str, int]
    """How many rows each table has."""
    columns: Mapping[str, Sequence[str]]
    """In which order each table's columns were copied: a later version may have others."""
    keys: Sequence[Key]


def path_of(url: URL) -> Path:
    """The file of an SQLite database."""
    return Path(url.database or "")


def data_tables() -> list[Table]:
    """Every table but that of the keys."""
    return [table for table in metadata.sorted_tables if table.name != KEYS]


@contextmanager
def said() -> Iterator[None]:
    """What an engine raises, as OSError with its own words."""
    try:
        yield
    except (sqlite3.Error, asyncpg.PostgresError, asyncpg.InterfaceError) as problem:
        raise OSError(
            f"The database could not be copied: {problem}. Is there room on the disk, and the right to?"
        ) from None


async def dump(address: str, folder: Path) -> Copied:
    """Copy all data of a database into a folder, and give the keys; raises OSError."""
    url = async_url(address)
    with said():
        if url.drivername.startswith("sqlite"):
            return await asyncio.to_thread(_dump_sqlite, path_of(url), folder / SQLITE_FILE)
        return await _dump_postgres(url, folder)


def _dump_sqlite(source: Path, target: Path) -> Copied:
    if not source.exists():
        raise FileNotFoundError(f"There is no database {source}.")
    _touch(target)
    reading, writing = sqlite3.connect(f"file:{source}?mode=ro", uri=True), sqlite3.connect(target)
    try:
        reading.backup(writing)
        writing.execute("PRAGMA journal_mode=DELETE")
        writing.execute("PRAGMA secure_delete=ON")
        keys: list[Key] = writing.execute(f"SELECT {', '.join(WRAPPED)} FROM {KEYS}").fetchall()
        writing.execute(f"DELETE FROM {KEYS}")
        writing.commit()
        writing.execute("VACUUM")
        schema = str(writing.execute("SELECT version_num FROM alembic_version").fetchone()[0])
        counts = {
            table.name: writing.execute(f"SELECT count(*) FROM {table.name}").fetchone()[0]
            for table in data_tables()
            if writing.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table.name,)).fetchone()
        }
    finally:
        reading.close()
        writing.close()
    _sync(target)
    return Copied(schema, counts, {}, keys)


async def _dump_postgres(url: URL, folder: Path) -> Copied:
    connection = await connect(url)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            schema = str(await connection.fetchval("SELECT version_num FROM alembic_version"))
            rows = await connection.fetch(f"SELECT {', '.join(WRAPPED)} FROM {KEYS}")
            counts: dict[str, int] = {}
            order = {table.name: [f"{column.name}" for column in table.columns] for table in data_tables()}
            for table in data_tables():
                file = folder / f"{table.name}.copy"
                _touch(file)
                how = {"columns": order[table.name], "format": "binary"}
                with file.open("wb") as out:
                    told = await connection.copy_from_table(table.name, output=out, **how)
                counts[table.name] = int(told.rpartition(" ")[2])
                _sync(file)
    finally:
        await connection.close()
    keys = [(row["subject"], bytes(row["wrapped"]), row["created_at"]) for row in rows]
    return Copied(schema, counts, order, keys)


async def fill(address: str, folder: Path, copied: Copied, note: tuple[Any, ...]) -> None:
    """Fill an empty database of the copy's own schema from a folder, with its keys and a deed; all, or nothing.

    Of SQLite the file itself is made. Raises NotEmpty, OSError.
    """
    url = async_url(address)
    with said():
        if url.drivername.startswith("sqlite"):
            await asyncio.to_thread(_fill_sqlite, path_of(url), folder / SQLITE_FILE, copied.keys, note)
        else:
            await _fill_postgres(url, folder, copied, note)


async def need_empty(address: str) -> None:
    """Raise NotEmpty where a database holds anything."""
    url = async_url(address)
    if url.drivername.startswith("sqlite"):
        path = path_of(url)
        if any(one.exists() for one in (path, path.with_name(path.name + "-wal"))):
            raise NotEmpty(str(path))
        return
    connection = await connect(url)
    try:
        there = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        for (table,) in there:
            if table != "alembic_version" and await connection.fetchval(f'SELECT 1 FROM "{table}" LIMIT 1'):
                raise NotEmpty(url.database or "")
    finally:
        await connection.close()


DEED: Final = (
    "INSERT INTO deed (n, at, kind, by, subject, body) SELECT coalesce(max(n), 0) + 1, {}, {}, {}, '', {} FROM deed"
)


def _fill_sqlite(target: Path, source: Path, keys: Sequence[Key], note: tuple[Any, ...]) -> None:
    part = target.with_name(target.name + ".part")
    part.unlink(missing_ok=True)
    _touch(part)
    reading, writing = sqlite3.connect(f"file:{source}?mode=ro", uri=True), sqlite3.connect(part)
    try:
        reading.backup(writing)
        writing.executemany(f"INSERT INTO {KEYS} ({', '.join(WRAPPED)}) VALUES (?, ?, ?)", keys)
        writing.execute(DEED.format(*"????"), note)
        writing.commit()
        sound = writing.execute("PRAGMA integrity_check").fetchone()[0]
    finally:
        reading.close()
        writing.close()
    if sound != "ok":
        raise OSError(f"The copy in {source} is damaged: {sound}.")
    _sync(part)
    part.replace(target)


async def _fill_postgres(url: URL, folder: Path, copied: Copied, note: tuple[Any, ...]) -> None:
    connection = await connect(url)
    try:
        async with connection.transaction():
            for table, columns in copied.columns.items():
                with (folder / f"{table}.copy").open("rb") as source:
                    await connection.copy_to_table(table, source=source, columns=[*columns], format="binary")
            await connection.copy_records_to_table(KEYS, records=copied.keys, columns=list(WRAPPED))
            await connection.execute(DEED.format("$1::bigint", "$2::text", "$3::text", "$4::text"), *note)
    finally:
        await connection.close()


async def connect(url: URL) -> Any:
    """A connection of the driver's own."""
    dsn, options = dsn_of(url)
    return await asyncpg.connect(dsn, **options)


def _touch(path: Path) -> None:
    """A fresh file that its owner alone may read."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def _sync(path: Path) -> None:
    """Put a file on disk."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
