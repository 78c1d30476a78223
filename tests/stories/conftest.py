"""The world of a story: whatever it told, rebuilding must change nothing of what was derived from it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.stories.world import World, check_rebuild


@pytest.fixture
async def world(database: str, tmp_path: Path) -> AsyncIterator[World]:
    """A fresh Wattkeeper on each engine with the stations CP1 and CP2; at the end its journal is folded again."""
    made = World(database, tmp_path)
    await made.open()
    await made.admit("CP1", "CP2")
    yield made
    await made.close()
    await check_rebuild(database, made.clock)
