"""The migrations make the schema that the tables describe, on both engines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Table, inspect, text
from sqlalchemy.ext.asyncio import create_async_engine

from wattkeeper.store import migrations
from wattkeeper.store.columns import Basis, Retention
from wattkeeper.store.engines import async_url
from wattkeeper.store.migrate import migrate
from wattkeeper.store.tables import DERIVED, metadata

VERSIONS = Path(migrations.__path__[0]) / "versions"


def differences(connection: Connection) -> list[Any]:
    """What a new migration would have to change."""
    return list(compare_metadata(MigrationContext.configure(connection), metadata))


def partial_indexes(connection: Connection) -> set[str]:
    """The names of all indexes as the database has them."""
    inspector = inspect(connection)
    return {str(index["name"]) for table in inspector.get_table_names() for index in inspector.get_indexes(table)}


async def test_migrations_equal_the_tables(database: str) -> None:
    engine = create_async_engine(async_url(database))
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
        made = await connection.run_sync(partial_indexes)
    await engine.dispose()
    assert {index.name for table in metadata.sorted_tables for index in table.indexes} <= made


async def test_a_second_migration_changes_nothing(database: str) -> None:
    await migrate(database)
    newest = max(path.name[:4] for path in VERSIONS.glob("0*.py"))
    engine = create_async_engine(async_url(database))
    async with engine.connect() as connection:
        held = (await connection.execute(text("SELECT version_num FROM alembic_version"))).scalars().all()
    await engine.dispose()
    assert held == [newest]


def test_every_column_says_why_it_is_kept() -> None:
    for column in (c for table in metadata.sorted_tables for c in table.columns):
        assert column.info["purpose"], column
        assert isinstance(column.info["basis"], Basis), column
        assert isinstance(column.info["retention"], Retention), column


def test_only_what_the_journal_tells_is_derived() -> None:
    kept: set[Table] = set(metadata.sorted_tables) - set(DERIVED)
    assert {table.name for table in kept} >= {"journal", "station", "card", "person", "subject_key", "orders"}
