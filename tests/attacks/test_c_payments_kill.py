"""C21 for payments: killed at random between deciding, asking the provider and noting it; nothing is taken twice."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.test_c21_kill import _commit, told
from tests.databases import Databases
from tests.pay.local import LocalStripe, localstripe
from tests.stories.purse import Purse
from tests.stories.till import ANNA, Till
from tests.stories.world import World
from wattkeeper.store.engines import utc_now
from wattkeeper.store.money.proposal import Deed, Wish

SEED = int(os.environ.get("SEED", "19"))
SESSIONS = int(os.environ.get("PAID", "80"))
DEATHS = {"sqlite": int(os.environ.get("KILLS", "25")), "postgres": 10}
CORRECTED = 4
"""Every so many-th session is corrected, so that something is given back."""


@pytest.mark.long
@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
async def test_c21_nothing_is_taken_or_given_back_twice_after_kill_9(
    databases: Databases, tmp_path: Path, engine: str
) -> None:
    database = await databases.fresh(engine)
    world = World(database, tmp_path)
    await world.open()
    till = Till(world)
    world.clock.now = utc_now() - timedelta(days=1)
    await till.price()
    await told(world, SESSIONS)
    async with localstripe() as stripe:
        await Purse(till).keep_card(*await stripe.card())
        await till.look()
        await corrected(till)
        await world.close()
        deaths = await suffer(database, stripe, tmp_path / "said", DEATHS[engine])
        said = (tmp_path / "said").read_text()
        assert "Traceback" not in said, said[-3000:]
        await world.open()
        try:
            await everything_is_paid_once(Purse(till), stripe, deaths)
            print(f"SEED={SEED}: {SESSIONS} sessions paid through {deaths} deaths on {engine}: nothing twice, balanced")
        finally:
            await world.close()
            await databases.drop(database)


async def corrected(till: Till) -> None:
    """Some bills are too much: a credit note each."""
    for one in (await till.bills(10**6))[::CORRECTED]:
        await till.deeds.do(ANNA, one.session, Wish(deed=Deed.CORRECT, said="As agreed.", gross_minor=50))


async def suffer(database: str, stripe: LocalStripe, log: Path, deaths: int) -> int:
    """Kill each life at a random moment, many of them just when something is committed; how many there were."""
    draw = random.Random(SEED)
    with log.open("wb") as said:
        nest = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.attacks.phoenix_pays", database, stripe.address),
            stdout=asyncio.subprocess.PIPE,
            stderr=said,
            start_new_session=True,
        )
    lives = nest.stdout
    assert lives is not None
    try:
        for death in range(deaths):
            line = (await asyncio.wait_for(lives.readline(), 120)).strip()
            if line == b"done":
                return death
            await asyncio.sleep(draw.uniform(0.2, 0.7))
            if draw.random() < 0.6:
                await asyncio.to_thread(_commit, database, draw.uniform(0.0, 0.02))
            with suppress(ProcessLookupError):  # it was done just now
                os.kill(int(line), signal.SIGKILL)
        last = (await asyncio.wait_for(lives.readline(), 120)).strip()
        if last != b"done":  # else it was done just before the last death
            assert (await asyncio.wait_for(lives.readline(), 600)).strip() == b"done"
        return deaths
    finally:
        if nest.returncode is None:
            os.killpg(nest.pid, signal.SIGKILL)
        await nest.wait()


async def everything_is_paid_once(purse: Purse, stripe: LocalStripe, deaths: int) -> None:
    """Each session was taken for once, each correction given back once, there as in our books."""
    assert deaths >= 5, "it was done before it had died often enough"
    bills = await purse.till.bills(10**6)
    owed: dict[str, int] = {}
    for one in bills:
        owed[one.session] = owed.get(one.session, 0) + one.gross_minor
    rows = await purse.payments()
    kept: dict[str, int] = {}
    for row in rows:
        assert row.state.value == "captured"
        kept[row.session or ""] = kept.get(row.session or "", 0) + row.kept_minor
    assert kept == owed
    taken = {intent["id"]: _kept(intent) for intent in await stripe.intents()}
    ours = {row.theirs: row.kept_minor for row in rows}
    assert {name: taken[name] for name in ours if name} == ours
    stray = {name: amount for name, amount in taken.items() if name not in ours}
    assert set(stray.values()) <= {0}, "something was taken that nobody knows of"
    assert sum(taken.values()) == await purse.till.balance("bank:stripe") == sum(owed.values())
    assert await purse.till.balance("owed:") == 0
    assert await purse.differences() == []
    await purse.till.check()


def _kept(intent: dict[str, Any]) -> int:
    """What a payment keeps over there: taken, and not given back."""
    charges = [one for one in intent["charges"]["data"] if one["captured"]]
    return sum(one["amount"] - one["amount_refunded"] for one in charges)
