"""Stations never cease to talk: whoever follows them still comes to the end of each look, and to what it looks for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.stories.world import World
from wattkeeper.bus.memory import MemoryBus
from wattkeeper.charging.facts import Alarmed
from wattkeeper.operations.log.keeper import Keeper
from wattkeeper.operations.log.signing import Signing
from wattkeeper.operations.metering.checking import Checking
from wattkeeper.operations.money.billing import Billing
from wattkeeper.operations.money.payments.settling import Settling
from wattkeeper.operations.statistics.counting import Counting
from wattkeeper.operations.statistics.reckoning import Reckoning

Look = Callable[[World], Callable[[], Awaitable[object]]]
PATIENCE_S = 20


def keeper(world: World) -> Keeper:
    """The keeper of the log, who signs at each look."""
    door, settings = world.door, replace(world.door.settings, public_url="https://charge.example", log_checkpoint_s=0)
    return Keeper(door.store, MemoryBus(), settings, Signing(door.store, door.safe, settings))


LOOKS: dict[str, Look] = {
    "bills": lambda world: Billing(world.door.store, world.door.bus, world.door.settings).look,
    "totals": lambda world: Counting(world.door.store, world.door.bus, world.door.settings).look,
    "reliability": lambda world: Reckoning(world.door.store, world.door.bus, world.door.settings).look,
    "signatures": lambda world: Checking(world.door.store, world.door.safe, world.door.bus, world.door.intake).look,
    "payments": lambda world: Settling(world.door.store, world.door.settings, has_provider=True).look,
    "log": lambda world: keeper(world).look,
}


@asynccontextmanager
async def never_silent(world: World) -> AsyncIterator[None]:
    """While the block runs, something is recorded after every other transaction, at the latest."""

    async def talk() -> None:
        while True:
            said = Alarmed(at=world.clock.now, code="WrongKey", summary="somebody knocks again")
            await world.door.intake.record("CP1", said)

    talking = asyncio.create_task(talk())
    await asyncio.sleep(0)
    try:
        yield
        assert not talking.done()
    finally:
        talking.cancel()
        await asyncio.gather(talking, return_exceptions=True)


@pytest.mark.parametrize("name", LOOKS)
async def test_a_look_ends_though_something_is_recorded_all_the_time(database: str, tmp_path: Path, name: str) -> None:
    world = World(database, tmp_path)
    await world.open()
    try:
        await world.admit("CP1")
        async with world.v16() as station:
            tx = await station.start(7, 1000)
            await station.stop(tx, 30, 5000)
        world.clock.now += timedelta(days=1)
        async with never_silent(world), asyncio.timeout(PATIENCE_S):
            await LOOKS[name](world)()
    finally:
        await world.close()
