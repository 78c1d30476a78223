"""C10: a station whose clock is wrong, or set wrong on purpose, against the limits of a month and the price."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.stories.conftest import a_world
from tests.stories.world import NOON, World
from wattkeeper.charging.cards.limits import Limits
from wattkeeper.charging.money.tariffs.tariff import Component, Dimension, Element, Tariff
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.operations.money.tariffs.prices import Prices

LONG_AGO, TO_COME = -3650, 3650


@pytest.fixture
async def world(database: str, tmp_path: Path) -> AsyncIterator[World]:
    """The world of a story, whose rebuilding is checked."""
    async with a_world(database, tmp_path) as made:
        yield made


@pytest.mark.parametrize("days", [LONG_AGO, -40, TO_COME])
async def test_c10_no_clock_gets_around_the_energy_of_a_month(world: World, days: int) -> None:
    """What a station says was long ago counts when we heard of it; what it says is to come counts now, and once."""
    await world.enroll(limits=Limits(energy_wh_month=Decimal(5000)))
    async with world.v16("CP1") as cp:
        begun = NOON + timedelta(days=days)
        await cp.stop(await cp.start(begun, 0), begun + timedelta(hours=1), 6000)
        assert await cp.authorize() == "Blocked"
        world.clock.skip(days=31)
        assert await cp.authorize() == "Accepted", "another month has begun, on every clock but the station's"


@pytest.mark.parametrize("days", [LONG_AGO, -40, TO_COME])
async def test_c10_no_clock_gets_around_the_money_of_a_month(world: World, days: int) -> None:
    tariff = Tariff("EUR", (Element((Component(Dimension.ENERGY, Decimal("0.50"), None, 1),)),), True)
    await Prices(world.door.store, world.door.settings).set(VIEWER, tariff)
    await world.enroll(limits=Limits(money_month=Decimal("1.50")))
    async with world.v16("CP1") as cp:
        begun = NOON + timedelta(days=days)
        await cp.stop(await cp.start(begun, 0), begun + timedelta(hours=1), 6000)
        assert await cp.authorize() == "Blocked"


async def test_c10_a_backlog_of_last_month_counts_for_last_month(world: World) -> None:
    await world.enroll(limits=Limits(energy_wh_month=Decimal(5000)))
    async with world.v16("CP1") as cp:
        begun = NOON - timedelta(days=3)
        await cp.stop(await cp.start(begun, 0), begun + timedelta(hours=1), 6000)
        assert await cp.authorize() == "Accepted"
