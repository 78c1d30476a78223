"""Reliability of stations whose clock is wrong: what is said of a port and its sessions is held by one clock."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from tests.databases import Databases
from tests.stories.test_reliability import busy, counts, outages, reckoned, reckoning
from tests.stories.world import NOON, World
from wattkeeper.store.tables import attempt


async def attempts(world: World) -> list[tuple[Any, ...]]:
    """Station, kind, minutes from and to and what became of each attempt; taps have no time of their own."""

    def at(instant: Any) -> int | None:
        return None if instant is None else round((instant - NOON).total_seconds() / 60)

    a = attempt.c
    wanted = select(a.station_id, a.kind, a.since, a.until, a.reason).where(a.kind.in_(["plug_in", "session"]))
    async with world.door.store.read() as connection:
        rows = await connection.execute(wanted.order_by(a.station_id, a.kind, a.since))
    return [(station, kind, at(since), at(until), reason) for station, kind, since, until, reason in rows]


async def told_by(world: World) -> Any:
    """What is reckoned of the busy hour; the same when it is reckoned anew."""
    await world.open()
    look = reckoning(world)
    await busy(world, look.look)
    await look.look()
    before = await reckoned(world.door.store)
    await look.rebuild()
    assert await reckoned(world.door.store) == before
    told = await attempts(world), await counts(world), await outages(world), await outages(world, "CP2")
    await world.close()
    return told


@pytest.mark.parametrize("behind", [20, 20_000, -20], ids="{} days".format)
async def test_a_clock_that_is_off_changes_nothing_of_what_was_tried(
    databases: Databases, engine: str, tmp_path: Path, behind: int
) -> None:
    """The busy hour, told by the true clock, and by one that is back by days, by decades, or ahead."""
    found = []
    for folder, days in (("true", 0), ("off", behind)):
        (tmp_path / folder).mkdir()
        database = await databases.fresh(engine)
        found.append(await told_by(World(database, tmp_path / folder, behind=timedelta(days=days))))
        await databases.drop(database)
    assert found[0] == found[1]
    assert found[1][1]["plug_in", "charged"] == 2 and found[1][1]["session", "charged"] == 1


async def test_a_clock_that_is_set_right_within_a_session_makes_it_no_longer(database: str, tmp_path: Path) -> None:
    """Begun by a clock 20 days back, ended by the true one: from when its begin was told to its end."""
    world = World(database, tmp_path, behind=timedelta(days=20))
    await world.open()
    await world.admit("CP1")
    await world.enroll()
    async with world.v16() as station:
        await station.status("Preparing", 2)
        tx = await station.start(3, 1000)
        world.behind = timedelta(0)
        await station.stop(tx, 20, 4000, reason="EVDisconnected")
        await station.status("Available", 21)
        await reckoning(world).look()
    assert await attempts(world) == [
        ("CP1", "plug_in", 2, 21, "charged"),
        ("CP1", "session", 3, 20, "charged"),
    ]
    await world.close()


async def test_what_a_station_kept_for_long_is_told_apart_though_it_comes_at_once(
    database: str, tmp_path: Path
) -> None:
    """Three hours of ten days ago, told within a second: how long each lasted is by its station's clock."""
    world = World(database, tmp_path)
    await world.open()
    await world.admit("CP1")
    await world.enroll()
    world.clock.skip(days=10)
    async with world.v16() as station:
        for at, wh in ((0, 3000), (60, 0), (120, 0)):
            await station.status("Preparing", at)
            tx = await station.start(at + 1, 1000)
            await station.stop(tx, at + (40 if at < 120 else 3), 1000 + wh, reason="Local")
            await station.status("Available", at + 50)
        await reckoning(world).look()
    assert await counts(world) == {
        ("session", "charged"): 1,
        ("session", "drew_nothing"): 1,
        ("session", "empty:Local"): 1,
        ("plug_in", "charged"): 1,
        ("plug_in", "drew_nothing"): 2,
    }
    assert {since for _, _, since, *_ in await attempts(world)} == {14_400}
    await world.close()


@pytest.mark.parametrize("behind", [0, 20])
async def test_an_estimate_that_is_made_late_makes_a_stay_no_longer(database: str, tmp_path: Path, behind: int) -> None:
    """A session of which nothing came any more is ended by hand after a month, at the last thing told of it."""
    world = World(database, tmp_path, behind=timedelta(days=behind))
    await world.open()
    await world.admit("CP1")
    await world.enroll()
    async with world.v16() as station:
        tx = await station.start(3, 1000)
        await station.read(tx, 10, wh=3000)
        world.clock.skip(days=30)
        await world.door.intake.close_session((await world.the_session()).id, "gone", "somebody")
        await reckoning(world).look()
    assert await attempts(world) == [
        ("CP1", "plug_in", 3, 10, "charged"),
        ("CP1", "session", 3, 10, "broken_off"),
    ]
    await world.close()
