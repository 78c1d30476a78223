"""Bring a database to this version's schema: one tree of migrations for both engines."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from wattkeeper.store.engines import async_url, engine_of

HERE = Path(__file__).parent / "migrations"


def _config(connection: Connection) -> Config:
    """Alembic's configuration for an open connection."""
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.attributes["connection"] = connection
    return config


def newest_schema() -> str:
    """The newest migration that there is."""
    config = Config()
    config.set_main_option("script_location", str(HERE))
    return str(ScriptDirectory.from_config(config).get_current_head())


async def migrate(url: str, schema: str = "head") -> None:
    """Upgrade the database to the newest schema, or to this one; safe to run again."""
    engine = engine_of(async_url(url))
    try:
        async with engine.begin() as connection:
            await connection.run_sync(lambda inside: command.upgrade(_config(inside), schema))
    finally:
        await engine.dispose()
