"""C21: billing is killed at random, again and again: no number is missing, nothing billed twice, the books add up."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest

from tests.databases import Databases
from tests.stories.till import Till
from tests.stories.world import World
from wattkeeper.charging.facts import SessionEnded, SessionOpened
from wattkeeper.charging.reading import Context, Reading
from wattkeeper.store.engines import utc_now

SEED = int(os.environ.get("SEED", "21"))
SESSIONS = {"sqlite": int(os.environ.get("BILLED", "600")), "postgres": 150}
DEATHS = {"sqlite": int(os.environ.get("KILLS", "25")), "postgres": 8}
DOUBTFUL = 10
"""Every so many-th session waits for a person."""


async def told(world: World, count: int) -> None:
    """So many sessions that have ended, recorded as fast as can be; some of them with a register that went back."""
    world.clock.skip(days=-5)
    card = await world.enroll(max_sessions=10**6)
    world.clock.skip(days=5)
    for first in range(0, count, 200):
        numbers = range(first, min(first + 200, count))
        await asyncio.gather(*(_one(world, number, card) for number in numbers))


async def _one(world: World, number: int, card: str) -> None:
    station, at = f"CP{number % 50}", world.clock.now - timedelta(days=3) + timedelta(minutes=40 * (number // 50 % 100))
    wh = 1000 + 10 * number
    beyond = Decimal(wh + 500 if number % DOUBTFUL == 0 else wh // 2)
    halfway = Reading(at + timedelta(minutes=15), Context.PERIODIC, energy_wh=beyond)
    record, ref = world.door.intake.record, f"T{number}"
    begun = SessionOpened(at=at, ref=ref, evse=1, token=card, register_wh=Decimal(0), seq=0)  # type: ignore[arg-type]
    ended = SessionEnded(
        at=at + timedelta(minutes=30), ref=ref, evse=1, register_wh=Decimal(wh), seq=1, readings=(halfway,)
    )
    await record(station, begun)
    await record(station, ended)


def cents(number: int) -> int:
    """What a session costs: 0.60 for a kWh with tax, half up."""
    return int((Decimal(1000 + 10 * number) * 6 / 100).to_integral_value(ROUND_HALF_UP))


@asynccontextmanager
async def phoenix(database: str, log: Path) -> AsyncIterator[asyncio.StreamReader]:
    """Billing that rises again; gives where it tells the process id of each life."""
    with log.open("wb") as said:
        nest = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.attacks.phoenix_bills", database),
            stdout=asyncio.subprocess.PIPE,
            stderr=said,
            start_new_session=True,
        )
    assert nest.stdout is not None
    try:
        yield nest.stdout
    finally:
        if nest.returncode is None:
            os.killpg(nest.pid, signal.SIGKILL)
        await nest.wait()


async def suffer(lives: asyncio.StreamReader, deaths: int, database: str) -> int:
    """Kill each life at a random moment, most of them just when something is committed; how many there were."""
    draw = random.Random(SEED)
    for death in range(deaths):
        line = (await asyncio.wait_for(lives.readline(), 120)).strip()
        if line == b"done":
            return death
        await asyncio.sleep(draw.uniform(0.02, 0.25))
        if draw.random() < 0.7:
            await asyncio.to_thread(_commit, database, draw.uniform(0.0, 0.004))
        with suppress(ProcessLookupError):  # it may be done meanwhile: told by the next line
            os.kill(int(line), signal.SIGKILL)
    await lives.readline()
    assert (await asyncio.wait_for(lives.readline(), 600)).strip() == b"done"
    return deaths


def _commit(database: str, later_s: float) -> None:
    """Wait for SQLite's next commit, at most a while, and so much longer."""
    log, end = Path(f"{database.partition('///')[2]}-wal"), time.monotonic() + 0.2
    before = log.stat().st_mtime_ns if log.exists() else 0
    while log.exists() and log.stat().st_mtime_ns == before and time.monotonic() < end:
        time.sleep(0.0001)
    time.sleep(later_s)


@pytest.mark.long
@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
async def test_c21_no_gap_no_double_and_the_books_balance_after_kill_9(
    databases: Databases, tmp_path: Path, engine: str
) -> None:
    database, count = await databases.fresh(engine), SESSIONS[engine]
    world = World(database, tmp_path)
    await world.open()
    till = Till(world)
    world.clock.now = utc_now() - timedelta(days=1)
    await till.price()
    await told(world, count)
    await world.close()
    async with phoenix(database, tmp_path / "said") as lives:
        deaths = await suffer(lives, DEATHS[engine], database)
    assert deaths == DEATHS[engine], "it was done before it had died often enough"
    said = (tmp_path / "said").read_text()
    assert "Traceback" not in said, said[-3000:]
    await world.open()
    try:
        await everything_is_billed_once(till, count)
        print(f"SEED={SEED}: {count} sessions billed through {deaths} deaths on {engine}: no gap, no double, balanced")
    finally:
        await world.close()
        await databases.drop(database)


async def everything_is_billed_once(till: Till, count: int) -> None:
    """Each good session has one bill, each doubtful one waits once, the numbers have no gap, and all adds up."""
    assert await till.look() == 0
    bills = await till.bills(10**6)
    places = sorted(one.place for one in bills)
    assert places == list(range(1, len(bills) + 1)), "a number is missing"
    assert set(Counter(one.session for one in bills).values()) == {1}, "a session was billed twice"
    waiting = await till.holds(10**6)
    doubtful = len(range(0, count, DOUBTFUL))
    assert (len(bills), len(waiting)) == (count - doubtful, doubtful)
    owed = sum(cents(number) for number in range(count) if number % DOUBTFUL)
    assert await till.balance("owed:") == sum(one.gross_minor for one in bills) == owed
    await till.check()
