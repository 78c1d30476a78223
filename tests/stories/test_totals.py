"""Totals follow what is recorded: as worked out by hand, and whatever comes late or twice, as if counted anew."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from tests.stories.world import NOON, World, minute
from wattkeeper.bus.memory import MemoryBus
from wattkeeper.charging.statistics.share import Share
from wattkeeper.operations.rebuild import rebuild
from wattkeeper.operations.statistics import counting as counting_room
from wattkeeper.operations.statistics.counting import Counting
from wattkeeper.operations.statistics.reckoning import Reckoning
from wattkeeper.store.engines import Store
from wattkeeper.store.stations import station
from wattkeeper.store.tables import (
    TOTALS,
    attempt_day,
    load_quarter,
    stay_count,
    tally_day,
    tally_hour,
    tally_month,
    untallied,
)

HOUR = timedelta(hours=1)


def counting(world: World) -> Counting:
    """What counts, looked at by hand."""
    return Counting(world.door.store, MemoryBus(), world.door.settings)


async def rows(store: Store, *columns: Any, **only: Any) -> list[tuple[Any, ...]]:
    """Rows of a total, in order."""
    async with store.read() as connection:
        return [tuple(row) for row in await connection.execute(select(*columns).order_by(*columns))]


async def totals(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Every total that is not nothing."""
    found = {}
    for table in TOTALS:
        keys = len(table.primary_key)
        found[table.name] = [row for row in await rows(store, *table.columns) if any(row[keys:])]
    return found


async def told(world: World) -> None:
    """A session from 12:07 on: 4 kWh by 12:30, 2 more by 13:10, then idle until 13:40; another that brings nothing."""
    await world.admit("CP1")
    async with world.v16() as station:
        tx = await station.start(7, 1000)
        await station.read(tx, 30, wh=5000)
        await station.read(tx, 70, wh=7000)
        await station.read(tx, 100, wh=7000, w=0)
        await station.stop(tx, 100, 7000)
        await station.status("Available", 100)
        empty = await station.start(120, 7000)
        await station.stop(empty, 124, 7000)
        await station.status("Available", 124)


async def test_totals_are_those_worked_out_by_hand(database: str, tmp_path: Path) -> None:
    world = World(database, tmp_path)
    await world.open()
    await told(world)
    assert await counting(world).look() == 2
    store = world.door.store
    by_quarter = {at: wh for at, wh in await rows(store, load_quarter.c.at, load_quarter.c.energy_wh) if wh}
    first = Decimal(4000) * 8 / 23  # 12:07 to 12:15, of 23 minutes
    assert [round(by_quarter[minute(at)], 3) for at in (0, 15, 30, 45, 60)] == [
        round(first, 3),
        round(4000 - first, 3),
        750,
        750,
        500,
    ]
    assert sum(by_quarter.values()) == 6000
    h = tally_hour.c
    assert await rows(store, h.at, h.plugged_s, h.charging_s, h.idle_s, h.energy_wh, h.sessions) == [
        (NOON, 53 * 60, 53 * 60, 0, 5500, 1),
        (NOON + HOUR, 40 * 60, 10 * 60, 30 * 60, 500, 0),
        (NOON + 2 * HOUR, 4 * 60, 0, 0, 0, 1),
    ]
    for table, span in ((tally_day, "2026-03-01"), (tally_month, "2026-03")):
        assert await rows(store, *table.columns) == [
            ("", "CP1", 1, 1, span, *(60 * m for m in (97, 63, 30)), 6000, 0, 2, 0, 0, 2, 1, 97 * 60)
        ]
    assert await rows(store, *stay_count.columns) == [("", "2026-03", 0, 1), ("", "2026-03", 6, 1)]
    await world.close()


async def test_what_comes_late_is_counted_as_if_it_had_been_there(database: str, tmp_path: Path) -> None:
    world = World(database, tmp_path)
    await world.open()
    look = counting(world)
    await told(world)
    async with world.v201("CP1") as station:
        await station.event("Started", "A", 0, 130, wh=0)
        await look.look()
        await station.event("Updated", "A", 1, 150, wh=3000)
        await look.look()
        await station.event("Ended", "A", 3, 190, wh=9000)
        await look.look()
        await station.event("Updated", "A", 2, 170, wh=4000)
        await station.event("Updated", "A", 2, 170, wh=4000)
    world.clock.skip(days=2)
    await look.look()
    store = world.door.store
    counted = await totals(store)
    assert sum(row[2] for row in counted["load_quarter"]) == 15000
    assert await look.look() == 0
    await look.rebuild()
    assert await totals(store) == counted
    await world.close()
    fresh = Store(database, world.clock)
    await rebuild(fresh)
    await Counting(fresh, MemoryBus(), world.door.settings).look()
    assert await totals(fresh) == counted
    await fresh.close()


async def test_a_site_that_is_named_later_gets_what_was_counted_before(database: str, tmp_path: Path) -> None:
    world = World(database, tmp_path)
    await world.open()
    await told(world)
    look = counting(world)
    await look.look()
    async with world.door.store.unit() as unit:
        await station.describe(unit, "CP1", {"site": "Harbour"})
    assert await look.look() == 2
    found = await totals(world.door.store)
    assert {row[0] for rows in found.values() for row in rows} == {"Harbour"}
    assert sum(row[2] for row in found["load_quarter"]) == 6000
    await world.close()


async def test_energy_that_cannot_be_counts_as_none_and_hinders_nobody_else(database: str, tmp_path: Path) -> None:
    world = World(database, tmp_path)
    await world.open()
    await world.admit("CP1", "CP2")
    look = counting(world)
    async with world.v16("CP1") as liar:
        for one in range(0, 40, 2):
            tx = await liar.start(one, 0)
            await liar.stop(tx, one + 1, 9 * 10**11)
    await look.look()
    async with world.v16("CP2") as honest:
        tx = await honest.start(41, 1000)
        await honest.stop(tx, 50, 3000)
    await look.look()
    store = world.door.store
    counted = await totals(store)
    assert sum(row[2] for row in counted["load_quarter"]) == 2000
    (hour,) = await rows(store, tally_hour.c.energy_wh, tally_hour.c.sessions)
    assert hour == (2000, 21)
    await look.rebuild()
    assert await totals(store) == counted
    await world.close()


async def test_what_begins_long_hence_is_counted_anew_as_well(database: str, tmp_path: Path) -> None:
    """The clock of its station is 200 years ahead."""
    world = World(database, tmp_path)
    await world.open()
    await world.admit("CP1")
    async with world.v16() as station:
        told = {"connectorId": 1, "meterStart": 0, "timestamp": "2226-03-01T12:00:00Z", "idTag": "04AA"}
        tx = (await station.say("StartTransaction", told))["transactionId"]
        await station.say("StopTransaction", {"transactionId": tx, "meterStop": 5, "timestamp": "2226-03-01T13:00:00Z"})
    look = counting(world)
    assert await look.look() == 1
    counted = await totals(world.door.store)
    assert sum(row[2] for row in counted["load_quarter"]) == 5
    assert await look.rebuild() == 1
    assert await totals(world.door.store) == counted
    await world.close()


async def test_what_has_thousands_of_readings_is_counted_the_more_seldom(database: str, tmp_path: Path) -> None:
    world = World(database, tmp_path)
    await world.open()
    await world.admit("CP1")
    look = counting(world)
    async with world.v16() as station:
        tx = await station.start(0, 0)
        for batch in range(3):
            world.clock.reach(batch + 1)
            at = [NOON + timedelta(milliseconds=25 * (2_000 * batch + one)) for one in range(2_000)]
            values = [{"timestamp": one.isoformat(), "sampledValue": [{"value": str(batch)}]} for one in at]
            await station.say("MeterValues", {"connectorId": 1, "transactionId": tx, "meterValue": values})
        assert await look.look() == 1
        world.clock.skip(minutes=16)
        await station.read(tx, 19, wh=3000)
        assert await look.look() == 0, "it waits on, whatever else is told of it"
        world.clock.skip(minutes=16)
        assert await look.look() == 1
        await station.stop(tx, 50, 4000)
        assert await look.look() == 1, "and not when it ends"
    await world.close()


async def test_another_time_zone_has_all_counted_anew_by_itself(database: str, tmp_path: Path) -> None:
    world = World(database, tmp_path)
    await world.open()
    await world.admit("CP1")
    async with world.v16() as station:
        tx = await station.start(60 * 11, 1000)  # 23:00 in UTC
        await station.stop(tx, 60 * 11 + 30, 5000)
    store = world.door.store

    async def days(zone: str) -> set[str]:
        settings = replace(world.door.settings, time_zone=zone)
        for follower in (Counting(store, MemoryBus(), settings), Reckoning(store, MemoryBus(), settings)):
            await follower.look()
        counted = {day for (day,) in await rows(store, tally_day.c.day)}
        assert counted == {day for (day,) in await rows(store, attempt_day.c.day)}, "reliability goes by the same clock"
        return counted

    assert await days("UTC") == {"2026-03-01"}
    assert await days("Europe/Vienna") == {"2026-03-02"}
    before = await totals(store)
    assert await days("Europe/Vienna") == {"2026-03-02"} and await totals(store) == before
    look = counting(world)
    async with store.unit() as unit:
        many = [{"session_id": f"S{n}", "at": NOON} for n in range(501)]
        await unit.connection.execute(insert(untallied), many)
    assert await look.behind() == 501
    await look.look()
    assert await look.behind() == 0
    await world.close()


async def test_who_counts_by_the_time_zone_before_writes_nothing_any_more(database: str, tmp_path: Path) -> None:
    world = World(database, tmp_path)
    await world.open()
    await world.admit("CP1")
    store = world.door.store

    def followers(zone: str) -> tuple[Counting, Reckoning]:
        settings = replace(world.door.settings, time_zone=zone)
        return Counting(store, MemoryBus(), settings), Reckoning(store, MemoryBus(), settings)

    async def days() -> set[str]:
        return {day for table in (tally_day, attempt_day) for (day,) in await rows(store, table.c.day)}

    old, new = followers("UTC"), followers("Europe/Vienna")
    for one in (*old, *new):
        await one.look()
    async with world.v16() as station:
        tx = await station.start(60 * 11, 1000)  # 23:00 in UTC
        await station.stop(tx, 60 * 11 + 30, 5000)
    for one in old:
        await one.look()
    assert await days() == set()
    assert await old[0].count_all() == 0
    for one in new:
        await one.look()
    assert await days() == {"2026-03-02"}
    await world.close()


@dataclass(slots=True)
class Held:
    """What counts a session, held while it counts until the story lets it go."""

    here: threading.Event = field(default_factory=threading.Event)
    go: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def reckoning(self) -> Iterator[None]:
        """While this holds, sessions are reckoned once they may go."""
        share = counting_room._share

        def held(*given: Any) -> Share:
            self.here.set()
            assert self.go.wait(30)
            return share(*given)

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(counting_room, "_share", held)
            yield

    async def counts(self, world: World) -> asyncio.Task[int]:
        """A look that has read its session and reckons."""
        looks = asyncio.create_task(counting(world).look())
        assert await asyncio.to_thread(self.here.wait, 30)
        return looks


async def agree(world: World, *, shown: str) -> None:
    """Totals are what they would be counted anew, with so much energy."""
    before = await totals(world.door.store)
    assert sum(wh for (wh,) in await rows(world.door.store, load_quarter.c.energy_wh)) == Decimal(shown)
    await counting(world).rebuild()
    assert await totals(world.door.store) == before


async def test_whoever_has_another_clock_counts_nothing_anew_beside_who_runs(database: str, tmp_path: Path) -> None:
    world = World(database, tmp_path)
    await world.open()
    await told(world)
    await counting(world).look()
    before, elsewhere = await totals(world.door.store), replace(world.door.settings, time_zone="Asia/Tokyo")
    with pytest.raises(ValueError, match=r"by the clock of UTC, and WATTKEEPER_TIME_ZONE is Asia/Tokyo here\. Set it"):
        await Counting(world.door.store, MemoryBus(), elsewhere).rebuild()
    assert await totals(world.door.store) == before
    await counting(world).rebuild()
    assert await totals(world.door.store) == before
    await world.close()


@pytest.mark.parametrize("is_seen", [True, False], ids=["another follows", "nobody follows"])
async def test_a_session_goes_on_and_ends_while_it_is_counted(database: str, tmp_path: Path, is_seen: bool) -> None:
    world = World(database, tmp_path)
    await world.open()
    await world.admit("CP1")
    async with world.v16() as station:
        tx = await station.start(0, 0)
        await station.read(tx, 10, wh=1000)
        held = Held()
        with held.reckoning():
            looks = await held.counts(world)
            await station.read(tx, 20, wh=2000)
            await station.stop(tx, 30, 3000)
            if is_seen:
                await counting(world).follow()
            held.go.set()
            await looks
        await counting(world).look()
        await agree(world, shown="3000")
    await world.close()


async def test_a_session_that_is_read_while_it_is_counted_is_counted_again(database: str, tmp_path: Path) -> None:
    world = World(database, tmp_path)
    await world.open()
    await world.admit("CP1")
    async with world.v16() as station:
        tx = await station.start(0, 0)
        await station.read(tx, 10, wh=1000)
        assert await counting(world).look() == 1
        world.clock.skip(minutes=16)
        held = Held()
        with held.reckoning():
            looks = await held.counts(world)
            await station.read(tx, 27, wh=2000)
            await counting(world).follow()
            held.go.set()
            assert await looks == 1
        world.clock.skip(minutes=16)
        assert await counting(world).look() == 1
        await agree(world, shown="2000")
    await world.close()


async def test_who_dies_while_counting_or_is_slower_than_another_counts_nothing_twice(
    database: str, tmp_path: Path
) -> None:
    world = World(database, tmp_path)
    await world.open()
    await told(world)
    held = Held()
    with held.reckoning():
        looks = await held.counts(world)
        assert await counting(world).count_all() == 0, "they are another's"
        world.clock.skip(minutes=8)
        held.here.clear()
        again = await held.counts(world)
        held.go.set()
        assert await again == 2
        before = await totals(world.door.store)
        await looks
    assert await totals(world.door.store) == before
    await agree(world, shown="6000")
    await world.close()
