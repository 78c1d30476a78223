"""H11: `kill -9` while keys are replaced, at random points: all opens, the old root opens nothing, it converges."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import pytest

from tests.vault.planted import Planted, opens
from wattkeeper.operations.keys.kinds import SUBJECTS, KeyKind
from wattkeeper.operations.safe import open_safe
from wattkeeper.store import key
from wattkeeper.store.engines import Store
from wattkeeper.store.key import Step
from wattkeeper.vault.keys import INSTALLATION, version_of

KILLS = {"sqlite": int(os.environ.get("KILLS", "60")), "postgres": 15}
LONGEST_LIFE_S = 0.5
LOOKS = 20
"""Between how many deaths everything is looked at."""


@asynccontextmanager
async def nest(*arguments: str) -> AsyncIterator[asyncio.StreamReader]:
    """Lives of `phoenix_keys` while the block runs; what it prints."""
    command = (sys.executable, "-m", "tests.attacks.phoenix_keys", *arguments)
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, start_new_session=True)
    assert process.stdout is not None
    try:
        yield process.stdout
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def said(lives: asyncio.StreamReader) -> str:
    return (await asyncio.wait_for(lives.readline(), 120)).decode().strip()


@pytest.mark.long
async def test_h11_keys_are_replaced_whenever_it_dies(database: str, engine: str, tmp_path: Path) -> None:
    root, end, draw = tmp_path / "root.key", tmp_path / "end", random.Random(11)
    store = Store(database)
    safe = await open_safe(store, root)
    planted = await Planted.make(store, safe)
    roots = {root.read_bytes()}
    async with nest(database, str(root), str(end)) as lives:
        deaths = count()
        while (death := next(deaths)) < KILLS[engine] or (len(roots) <= 2 and death < 5 * KILLS[engine]):
            life = await said(lives)
            assert life.isdigit(), f"a life ended by itself: {life}"
            await asyncio.sleep(draw.uniform(0.02, LONGEST_LIFE_S))
            os.kill(int(life), signal.SIGKILL)
            roots.add(root.read_bytes())
            if death % LOOKS == 0:
                await planted.check(safe)  # who runs meanwhile finds and opens everything
        end.touch()
        assert (await said(lives)).isdigit()
        assert await said(lives) == "done"
    await planted.check(safe)
    again = Store(database)
    await planted.check(await open_safe(again, root), again)
    await again.close()
    async with store.read() as connection:
        rows = await key.shared(connection)
        changes = await key.changes(connection)
    await store.close()
    versions = {name: [version_of(one)[1] for one in rows if version_of(one)[0] == name] for name in SUBJECTS.values()}
    for kind in (KeyKind.INSTALLATION, KeyKind.HOUSE, KeyKind.CARDS, KeyKind.NAMES, KeyKind.CODES):
        ended = max(one.version for one in changes if one.kind == kind and one.step is Step.ENDED)
        assert versions[SUBJECTS[kind]] == [ended], f"only the newest key of {kind} is left"
        assert ended >= 2
    (installation,) = (row for row in rows.values() if version_of(row.subject)[0] == INSTALLATION)
    assert opens(root.read_bytes(), installation.wrapped, installation.subject)
    for old in roots - {root.read_bytes()}:
        assert not opens(old, installation.wrapped, installation.subject)
    assert len(roots) > 2
    assert any(one.step is Step.ENDED for one in changes), "it came far between deaths"
