"""While sessions are counted anew totals are partial: nothing is found in them, and no alert is over by them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sqlalchemy import insert

from tests.stories.alarming import Alarming, Kind, ruled
from tests.stories.test_totals import counting
from tests.stories.world import NOON, World
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.operations.statistics.findings import Findings
from wattkeeper.store.statistics import share
from wattkeeper.store.tables import untallied

MANY = 501


async def fall_behind(world: World) -> None:
    """Many sessions wait to be counted, as they do after an upgrade; there is nothing of them to count."""
    async with world.door.store.unit() as unit:
        rows = [{"session_id": f"S{n}", "at": NOON - timedelta(days=MANY - n)} for n in range(MANY)]
        await unit.connection.execute(insert(untallied), rows)


async def test_nothing_is_found_in_partial_totals_and_what_is_newest_is_counted_first(
    database: str, tmp_path: Path
) -> None:
    world = World(database, tmp_path)
    await world.open()
    await world.admit("CP1")
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
    await world.close()


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
