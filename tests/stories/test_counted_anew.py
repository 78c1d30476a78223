"""While sessions are counted anew totals are partial: nothing is found in them, and no alert is over by them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sqlalchemy import insert

from tests.stories.alarming import Alarming, Kind, ruled
from tests.stories.test_totals import counting
from tests.stories.world import NOON, World, opened
from wattkeeper.bus.memory import MemoryBus
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.operations.statistics.findings import Findings
from wattkeeper.operations.statistics.forecasts import Forecasts
from wattkeeper.operations.statistics.reckoning import Reckoning
from wattkeeper.store.statistics import share
from wattkeeper.store.tables import unreckoned, untallied

MANY, SOON = 501, timedelta(seconds=1)


async def fall_behind(world: World) -> None:
    """Many sessions wait to be counted, as they do after an upgrade; there is nothing of them to count."""
    async with world.door.store.unit() as unit:
        rows = [{"session_id": f"S{n}", "at": NOON - timedelta(days=MANY - n)} for n in range(MANY)]
        await unit.connection.execute(insert(untallied), rows)


async def test_nothing_is_found_in_partial_totals_and_what_is_newest_is_counted_first(
    database: str, tmp_path: Path
) -> None:
    async with opened(database, tmp_path, "CP1") as world:
        async with world.v16() as station:
            tx = await station.start(0, 1000)
            await station.stop(tx, 30, 5000)
        store = world.door.store
        await counting(world).look()
        world.clock.skip(days=40)
        await counting(world).look()
        findings = Findings(store, world.door.settings)
        found = await findings.of(VIEWER)
        assert found, "nobody charged there for thirty days"
        await fall_behind(world)
        assert await findings.of(VIEWER) == []
        async with store.read() as connection:
            assert await share.waiting(connection, store.clock(), 2) == [f"S{MANY - 1}", f"S{MANY - 2}"]
        await counting(world).look()
        assert [one.title for one in await findings.of(VIEWER)] == [one.title for one in found]


async def test_no_load_is_over_by_partial_totals_and_what_is_near_is_told(database: str, tmp_path: Path) -> None:
    a = await Alarming.open(database, tmp_path)
    await a.world.admit("CP1")
    await a.stand("CP1", "Linz")
    await a.rule(ruled(Kind.PEAK_NEAR_LIMIT, 90, 80, limit_kw=20))
    await fall_behind(a.world)
    async with a.world.v16() as station:
        tx = await station.start(0, 1000)
        await station.read(tx, 1, wh=1100, w=19_000)
        assert await a.look() == 1, "what flows now is known"
        await station.read(tx, 2, wh=1200, w=1000)
        assert await a.look() == 0
        assert len(await a.on()) == 1, "others may have drawn as much in the last quarter hour"
        await counting(a.world).look()
        assert await a.look() == 1
        assert await a.on() == []
    await a.world.close()


async def test_what_waits_is_not_said_to_be_counted_however_late_it_was_followed(database: str, tmp_path: Path) -> None:
    async with opened(database, tmp_path, "CP1") as world:
        world.clock.reach(5)
        begun = world.clock.now
        async with world.v16() as station:
            tx = await station.start(5, 1000)
            await station.stop(tx, 30, 5000)
        store, look = world.door.store, counting(world)
        world.clock.skip(hours=2)
        await look.follow()
        assert await look.as_of() - begun < SOON, "followed two hours later, and not counted yet"
        async with store.unit() as unit:
            (name,) = await share.waiting(unit.connection, unit.now, 2)
            await share.take(unit, [name], unit.now + timedelta(minutes=7))
        assert await look.as_of() - begun < SOON, "taken by who may die before it is counted"
        async with store.unit() as unit:
            await share.put_off(unit, name, unit.now + timedelta(hours=1))
        assert await look.as_of() - begun < SOON, "it made trouble"
        world.clock.skip(hours=1)
        await look.look()
        assert store.clock() - await look.as_of() < SOON


async def test_a_forecast_from_partial_totals_is_not_kept_and_says_as_of_when_it_is(
    database: str, tmp_path: Path
) -> None:
    async with opened(database, tmp_path, "CP1") as world:
        async with world.v16() as station:
            tx = await station.start(5, 1000)
            await station.stop(tx, 30, 5000)
        store = world.door.store
        world.clock.skip(days=40)
        look, forecasts = counting(world), Forecasts(store, world.door.settings)
        await look.follow()
        early = await forecasts.of(VIEWER)
        assert (early.forecast.known, early.as_of.date()) == (0, NOON.date())
        await look.look()
        whole = await forecasts.of(VIEWER)
        assert whole.forecast.known == 5 and store.clock() - whole.as_of < SOON
        world.clock.skip(seconds=9)
        assert (await forecasts.of(VIEWER)).as_of == whole.as_of, "it is kept for its hour, and says since when"


async def test_reliability_is_as_of_what_is_reckoned(database: str, tmp_path: Path) -> None:
    async with opened(database, tmp_path, "CP1") as world:
        world.clock.reach(5)
        begun = world.clock.now
        async with world.v16() as station:
            await station.status("Available", 5)
        store = world.door.store
        look = Reckoning(store, MemoryBus(), world.door.settings)
        world.clock.skip(hours=2)
        await look.follow()
        assert await look.as_of() - begun < SOON
        await look.look()
        assert store.clock() - await look.as_of() < SOON
        async with store.unit() as unit:
            many = [{"station_id": f"X{n}", "since": NOON} for n in range(101)]
            await unit.connection.execute(insert(unreckoned), many)
        assert (await look.behind(), await look.stations_behind()) == (0, 101)
