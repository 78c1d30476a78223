"""What nobody measured is not claimed: of sessions without readings between their ends no time of charging is told."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.stories.test_totals import counting
from tests.stories.world import NOON, World
from wattkeeper.charging.history.past import Past, facts_of
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.store.statistics import total
from wattkeeper.store.statistics.total import Total

DAY = NOON.date()
HOUR_S = 3600


@pytest.fixture
async def world(database: str, tmp_path: Path) -> Any:
    """An installation with a station."""
    one = World(database, tmp_path)
    await one.open()
    await one.admit("CP1")
    yield one
    await one.close()


async def counted(world: World) -> Any:
    """What all came to in two days, and its load."""
    await counting(world).look()
    async with world.door.store.read() as connection:
        days = await total.by_day(connection, VIEWER, DAY - timedelta(days=1), DAY + timedelta(days=2))
        load = await total.load(connection, VIEWER, None, NOON - timedelta(days=2), NOON + timedelta(days=2))
    return sum(days.values(), Total()), load


async def test_a_session_with_its_two_ends_alone_claims_no_charging(world: World) -> None:
    async with world.v16() as station:
        tx = await station.start(0, 1000)
        await station.stop(tx, 120, 9000)
        await station.status("Available", 150)
    whole, load = await counted(world)
    assert (whole.plugged_s, whole.charging_s, whole.idle_s) == (2 * HOUR_S, 0, 0)
    assert (whole.unknown_s, whole.unknown, whole.known_s, whole.sessions) == (2 * HOUR_S, 1, 0, 1)
    assert [(one.energy_wh, one.spread_wh) for one in load] == [(1000, 1000)] * 8


async def test_one_reading_between_is_enough(world: World) -> None:
    async with world.v16() as station:
        tx = await station.start(0, 1000)
        await station.read(tx, 60, wh=9000)
        await station.stop(tx, 120, 9000)
        await station.status("Available", 120)
        tx = await station.start(130, 9000)
        await station.read(tx, 150, wh=10_000)
    whole, load = await counted(world)
    assert (whole.plugged_s, whole.charging_s, whole.idle_s) == (140 * 60, 80 * 60, HOUR_S)
    assert (whole.unknown_s, whole.unknown) == (0, 0)
    spread = {one.at: one.spread_wh for one in load if one.spread_wh}
    assert spread == {NOON + step * timedelta(minutes=15): 2000 for step in range(4)}, "20 minutes apart is near"
    assert sum(one.energy_wh for one in load) == 9000


@pytest.mark.parametrize(
    "beside", [(1 / 60,), (1 / 60, 719 + 59 / 60), (1, 719)], ids=["begin", "both", "a minute off"]
)
async def test_a_reading_beside_an_end_says_no_more_than_the_end(world: World, beside: tuple[float, ...]) -> None:
    async with world.v16() as station:
        tx = await station.start(0, 1000)
        for at in beside:
            await station.read(tx, at, wh=1000 if at < 60 else 21_000)
        await station.stop(tx, 720, 21_000)
        await station.status("Available", 720)
    whole, _ = await counted(world)
    assert (whole.charging_s, whole.idle_s, whole.unknown_s) == (0, 0, 12 * HOUR_S)


async def test_a_car_that_is_read_hourly_is_known(world: World) -> None:
    async with world.v16() as station:
        tx = await station.start(0, 0)
        for hour in range(1, 12):
            await station.read(tx, 60 * hour, wh=1000 * min(hour, 4))
        await station.stop(tx, 720, 4000)
        await station.status("Available", 720)
    whole, _ = await counted(world)
    assert (whole.charging_s, whole.idle_s, whole.unknown_s) == (4 * HOUR_S, 8 * HOUR_S, 0)


async def test_what_brought_nothing_is_known_and_what_told_nothing_is_not(world: World) -> None:
    async with world.v16() as station:
        tx = await station.start(0, 1000)
        await station.stop(tx, 60, 1000)
        await station.status("Available", 60)
    async with world.v201() as station:
        await station.event("Started", "A", 0, 70)
        await station.event("Ended", "A", 1, 80)
        for seq, kind in enumerate(("Started", "Updated", "Ended")):
            sums: dict[str, Any] = {"Energy.Active.Import.Interval//Wh": 1000 * seq}
            await station.event(kind, "B", seq, 90 + 30 * seq, **sums)
    whole, _ = await counted(world)
    assert (whole.sessions, whole.unknown, whole.charging_s, whole.idle_s) == (3, 2, 0, 0)
    assert (whole.plugged_s, whole.unknown_s) == (130 * 60, 70 * 60), "a meter that tells sums tells no flow"
    assert whole.energy_wh == 3000


@pytest.mark.parametrize(
    ("charged_h", "told"),
    [(None, (0, 0, 4, 1)), (3, (3, 1, 0, 0)), (4, (4, 0, 0, 0))],
    ids=["not told", "an hour before the end", "until the end"],
)
async def test_history_is_as_known_as_its_records_make_it(
    world: World, charged_h: int | None, told: tuple[int, int, int, int]
) -> None:
    began_at = NOON - timedelta(hours=28)
    charged_at = None if charged_h is None else began_at + timedelta(hours=charged_h)
    ends: dict[str, Any] = {"began_at": began_at, "ended_at": began_at + timedelta(hours=4), "charged_at": charged_at}
    for fact in facts_of(Past(name="A", line=2, station="CP1", energy_wh=Decimal(8000), **ends)):
        await world.door.intake.record("CP1", fact)
    whole, load = await counted(world)
    assert (whole.charging_s, whole.idle_s, whole.unknown_s, whole.unknown * HOUR_S) == tuple(h * HOUR_S for h in told)
    assert all(one.spread_wh == one.energy_wh for one in load), "when in hours it came nobody knows"
    await counting(world).rebuild()
    assert await counted(world) == (whole, load)
