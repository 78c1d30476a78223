"""H11 for the log: its keeper is killed at random; nothing is missing or twice."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import time
from pathlib import Path

from sqlalchemy import func, select

from tests.logs import kept
from wattkeeper.operations.log.auditing import audit_log
from wattkeeper.store.tables import deed, log_checkpoint, log_leaf

SEED = int(os.environ.get("SEED", "29"))
DEATHS = {"sqlite": int(os.environ.get("KILLS", "20")), "postgres": 8}


async def suffer(lives: asyncio.StreamReader, deaths: int, database: str) -> None:
    """Kill each life at a random moment, most of them just when something is committed."""
    draw = random.Random(SEED)
    for _ in range(deaths):
        life = int((await asyncio.wait_for(lives.readline(), 120)).strip())
        await asyncio.sleep(draw.uniform(0.1, 0.7) if "sqlite" in database else draw.uniform(1.0, 3.0))
        if draw.random() < 0.7:
            await asyncio.to_thread(_commit, database, draw.uniform(0.0, 0.004))
        os.kill(life, signal.SIGKILL)


def _commit(database: str, later_s: float) -> None:
    """Wait for SQLite's next commit, at most a while, and so much longer."""
    log, end = Path(f"{database.partition('///')[2]}-wal"), time.monotonic() + 0.3
    before = log.stat().st_mtime_ns if log.exists() else 0
    while log.exists() and log.stat().st_mtime_ns == before and time.monotonic() < end:
        time.sleep(0.0001)
    time.sleep(later_s)


async def test_h11_a_keeper_that_is_killed_leaves_nothing_out_and_nothing_twice(
    database: str, engine: str, tmp_path: Path
) -> None:
    key = tmp_path / "root.key"
    async with kept(database, key) as one:
        await one.grow(3)
    with (tmp_path / "said").open("wb") as said:
        nest = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.attacks.phoenix_log", database, str(key)),
            stdout=asyncio.subprocess.PIPE,
            stderr=said,
            start_new_session=True,
        )
    assert nest.stdout is not None
    try:
        await suffer(nest.stdout, DEATHS[engine], database)
    finally:
        os.killpg(nest.pid, signal.SIGKILL)
        await nest.wait()
    async with kept(database, key) as one:
        await one.keeper.finish()
        found = await audit_log(one.store, await one.log.keys())
        assert found.faults == []
        async with one.store.read() as connection:
            deeds = await connection.scalar(select(func.count()).select_from(deed))
            leaves = await connection.scalar(select(func.count()).select_from(log_leaf))
            checkpoints = await connection.scalar(select(func.count()).select_from(log_checkpoint))
        assert deeds and deeds == leaves and found.entries == leaves and found.checkpoints == checkpoints
        assert deeds > 100, "some of it lived"
