"""The world of a story: whatever it told, rebuilding must change nothing of what was derived from it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.databases import Databases
from tests.stories.world import World, check_rebuild, opened


@asynccontextmanager
async def a_world(database: str, folder: Path) -> AsyncIterator[World]:
    """A fresh Wattkeeper with the stations CP1 and CP2; at the end its journal is folded again."""
    async with opened(database, folder, "CP1", "CP2") as made:
        yield made
    await check_rebuild(database, made.clock)


@pytest.fixture
async def world(database: str, tmp_path: Path) -> AsyncIterator[World]:
    """The world of a story, on each engine."""
    async with a_world(database, tmp_path) as made:
        yield made


@pytest.fixture
async def one_by_one(databases: Databases, engine: str, tmp_path: Path) -> AsyncIterator[World]:
    """Another world, to compare with."""
    address = await databases.fresh(engine)
    folder = tmp_path / "other"
    folder.mkdir()
    async with a_world(address, folder) as made:
        yield made
    await databases.drop(address)
