"""Uptime over a span: by hand, second by second from what the journal says, and with what staff say does not count."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from tests.stories.test_reliability import fault, reckoning
from tests.stories.world import NOON, World, minute
from wattkeeper.bus.memory import MemoryBus
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Role, Scope, Viewer
from wattkeeper.charging.statistics.attempt import PLUG_INS
from wattkeeper.charging.statistics.span import Span
from wattkeeper.charging.statistics.uptime import Exclusion
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.operations.statistics.reliability import Reliability
from wattkeeper.store.tables import deed, exclusion, journal

DAY = Span(date(2026, 3, 1), date(2026, 3, 2))
HOST = Viewer("host", Role.SITE_HOST, at_sites=frozenset({Scope.SESSIONS_READ}), sites=frozenset({"Harbour"}))
DRIVER = Viewer("driver", Role.DRIVER, own=frozenset({Scope.SESSIONS_READ}), person="person:1")


def reliability(world: World) -> Reliability:
    """What is asked."""
    return Reliability(world.door.store, world.door.safe, MemoryBus(), world.door.settings)


async def broken(world: World) -> None:
    """A port is there for 100 minutes; it breaks from 20 to 40, is out of service from 50 to 55, and breaks at 90."""
    await world.admit("CP1")
    async with world.v16() as station:
        await station.status("Available", 0)
        await fault(station, "Faulted", 20, 1, "GroundFailure")
        await station.status("Available", 40)
        await station.status("Unavailable", 50)
        await station.status("Available", 55)
        await fault(station, "Faulted", 90)
        world.clock.reach(100)
        await reckoning(world).look()


async def test_uptime_and_time_to_repair_are_those_worked_out_by_hand(database: str, tmp_path: Path) -> None:
    world = World(database, tmp_path)
    await world.open()
    await broken(world)
    report = await reliability(world).report(VIEWER, DAY)
    (port,) = report.ports
    assert (port.port.station, port.port.evse) == ("CP1", 1)
    uptime = port.uptime
    assert [round(s / 60) for s in (uptime.known_s, uptime.out_s, uptime.excluded_s)] == [100, 35, 0]
    assert uptime.nevi is not None and round(uptime.nevi, 3) == Decimal("0.650") and uptime.nevi == uptime.found
    assert (uptime.outages, uptime.repairs, uptime.mean_repair) == (3, 1, timedelta(minutes=20))
    assert [(one.evse, one.since, one.until) for one in report.open] == [(1, minute(90), None)]
    before = await reliability(world).report(VIEWER, Span(date(2026, 2, 1), date(2026, 3, 1)))
    assert before.ports == [] and before.uptime.nevi is None
    world.clock.skip(days=1)
    (port,) = (await reliability(world).report(VIEWER, Span(date(2026, 3, 2), date(2026, 3, 3)))).ports
    assert port.uptime.nevi == 0 == port.uptime.outages == port.uptime.repairs
    assert port.uptime.out_s == port.uptime.known_s and round(port.uptime.known_s / 60) == 13 * 60 + 40
    await world.close()


async def test_what_staff_exclude_counts_for_nevi_no_more_and_for_drivers_still(database: str, tmp_path: Path) -> None:
    world = World(database, tmp_path)
    await world.open()
    await broken(world)
    asked, note = reliability(world), "Copper thieves; police report 4711."
    row = await asked.exclude(VIEWER, "CP1", 1, minute(20), Exclusion.VANDALISM, note)
    await asked.exclude(VIEWER, "CP1", 1, minute(90), Exclusion.UTILITY, "The grid operator switched off.")
    world.clock.reach(110)
    (port,) = (await asked.report(VIEWER, DAY)).ports
    assert [round(s / 60) for s in (port.uptime.out_s, port.uptime.excluded_s)] == [45, 30]
    assert port.uptime.nevi is not None and round(port.uptime.nevi, 2) == Decimal("0.86")
    assert port.uptime.found is not None and round(port.uptime.found, 2) == Decimal("0.59")
    told = await asked.outages(VIEWER, DAY)
    assert [one.excluded for one in told] == [Exclusion.UTILITY, None, Exclusion.VANDALISM]
    assert (await asked.notes(VIEWER, told))[row.id][1] == note
    with pytest.raises(Refusal) as refused:
        await asked.exclude(VIEWER, "CP1", 1, minute(20), Exclusion.VANDALISM, note)
    assert refused.value.code is Code.CONFLICT
    await asked.exclude(VIEWER, "CP1", 1, minute(90), Exclusion.UTILITY, "It is switched off still.")
    (port,) = (await asked.report(VIEWER, DAY)).ports
    assert round(port.uptime.excluded_s / 60) == 40
    await asked.count_again(VIEWER, row.id)
    (port,) = (await asked.report(VIEWER, DAY)).ports
    assert round(port.uptime.excluded_s / 60) == 20
    told = await asked.outages(VIEWER, DAY)
    await reckoning(world).rebuild()
    assert await asked.outages(VIEWER, DAY) == told
    async with world.door.store.read() as connection:
        deeds = (await connection.execute(select(deed.c.kind, deed.c.subject, deed.c.body).order_by(deed.c.n))).all()
        kept = (await connection.execute(select(exclusion))).all()
    mine = [one for one in deeds if one.kind.startswith("outage.")]
    assert [one.kind for one in mine] == ["outage.excluded"] * 3 + ["outage.counted"]
    assert {one.subject for one in mine} == {"CP1"} and note not in str(mine) and note not in str(kept)
    await world.close()


async def test_who_may_not_excludes_nothing(database: str, tmp_path: Path) -> None:
    world = World(database, tmp_path)
    await world.open()
    await broken(world)
    asked = reliability(world)
    for viewer, at, note, code in (
        (HOST, 20, "It was the weather again.", Code.FORBIDDEN),
        (DRIVER, 20, "It was the weather again.", Code.FORBIDDEN),
        (VIEWER, 20, "storm", Code.INVALID),
        (VIEWER, 20, "x" * 501, Code.INVALID),
        (VIEWER, 21, "It was the weather again.", Code.NOT_FOUND),
    ):
        with pytest.raises(Refusal) as refused:
            await asked.exclude(viewer, "CP1", 1, minute(at), Exclusion.DISASTER, note)
        assert refused.value.code is code
    for viewer, code in ((HOST, Code.FORBIDDEN), (VIEWER, Code.NOT_FOUND)):
        with pytest.raises(Refusal) as refused:
            await asked.count_again(viewer, "000000000000")
        assert refused.value.code is code
    assert (await asked.report(HOST, DAY)).ports == []
    for question in (asked.report(DRIVER, DAY), asked.outages(DRIVER, DAY)):
        with pytest.raises(Refusal) as refused:
            await question
        assert refused.value.code is Code.FORBIDDEN
    assert await asked.outages(HOST, DAY) == [] == await asked.attempts(HOST, DAY, PLUG_INS)
    await world.close()


@pytest.mark.parametrize("seed", range(3))
async def test_uptime_agrees_with_each_second_by_itself(database: str, tmp_path: Path, seed: int) -> None:
    """Two stations say what they like for two hours, connected or not; some of it is told in the wrong order."""
    chance = random.Random(seed)
    world = World(database, tmp_path)
    await world.open()
    await world.admit("CP1", "CP2")
    words = ["Available", "Faulted", "Unavailable", "Occupied", "Preparing", "Charging", "Available"]
    now = 1
    while now < 120:
        name = chance.choice(["CP1", "CP2"])
        async with world.v16(name) as station:
            for _ in range(chance.randint(1, 6)):
                now += chance.randint(1, 7)
                world.clock.reach(now)
                told_for = now - chance.choice([0, 0, 0, 3, 10])
                connector = chance.choice([0, 1, 1, 2]) if chance.random() < 0.3 else 1
                await station.status(chance.choice(words), told_for, connector)
                if chance.random() < 0.3:
                    await reckoning(world).look()
        now += chance.randint(1, 5)
        world.clock.reach(now)
    await reckoning(world).look()
    report = await reliability(world).report(VIEWER, DAY)
    async with world.door.store.read() as connection:
        rows = (await connection.execute(select(journal).order_by(journal.c.n))).all()
    assert len(report.ports) >= 2
    for one in report.ports:
        known, out = by_seconds([row for row in rows if row.station_id == one.port.station], one.port.evse, world)
        assert abs(one.uptime.known_s - known) <= 2 and abs(one.uptime.out_s - out) <= len(rows)
        assert one.uptime.nevi is not None and 0 <= one.uptime.nevi <= 1
    await world.close()


def by_seconds(rows: list[Any], evse: int, world: World) -> tuple[int, int]:
    """For how many seconds a port was there and was out, looking at each second by itself."""
    told = []
    for row in rows:
        body, at = orjson.loads(row.body), row.received_at
        if row.kind == "StatusChanged":
            said = min(datetime.fromisoformat(body["at"]).astimezone(UTC), at)
            told.append((said, row.n, ("port", body["evse"]), body["status"] in ("faulted", "unavailable")))
        elif row.kind in ("Connected", "Disconnected"):
            told.append((at, row.n, ("line", 0), row.kind == "Disconnected"))
    told.sort(key=lambda one: one[:2])
    first = min(at for at, _, what, _ in told if what == ("port", evse))
    known = out = 0
    state: dict[tuple[str, int], bool] = {}
    place, second = 0, NOON - timedelta(minutes=10)
    while second < world.clock.now:
        while place < len(told) and told[place][0] <= second:
            state[told[place][2]] = told[place][3]
            if told[place][2] == ("port", evse) and not told[place][3]:
                state["port", 0] = False  # what a port says of itself later holds against what was said of all
            place += 1
        if second >= first:
            known += 1
            out += any(state.get(what, False) for what in (("port", evse), ("port", 0), ("line", 0)))
        second += timedelta(seconds=1)
    return known, out
