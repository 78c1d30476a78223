"""History beside what happens: it is counted and shown, and bills, alarms, limits and sessions go on without it."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.stories.till import Till
from tests.stories.world import CARD, NOON, World, found
from wattkeeper.charging.errors import Refusal
from wattkeeper.charging.evidence import Grade, grade
from wattkeeper.charging.facts import MetersRead, SessionEnded, SessionOpened
from wattkeeper.charging.history.past import Past, facts_of
from wattkeeper.charging.meter import FindingCode
from wattkeeper.charging.money.discrepancy import Kind
from wattkeeper.charging.reading import Reading
from wattkeeper.charging.session import SessionState
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.operations.cards.watch import RadarWatch
from wattkeeper.operations.history.importing import plan, record
from wattkeeper.operations.history.mapping import read_mapping
from wattkeeper.operations.history.table import read_table
from wattkeeper.operations.money.cases import told_of
from wattkeeper.operations.money.discrepancies import audit_sessions
from wattkeeper.operations.statistics.counting import Counting
from wattkeeper.store import journal
from wattkeeper.store.money.proposal import Deed, Wish
from wattkeeper.store.statistics import total
from wattkeeper.store.tables import decision, finding, pin, sighting, station_state
from wattkeeper.web.lateness import dated

MAPPING = """
[columns]
session = "id"
station = "station"
begin = "from"
end = "to"
energy = "kwh"
card = "card"
[times]
zone = "UTC"
[energy]
unit = "kWh"
"""
A = "A,CP1,2026-02-28 08:00,2026-02-28 12:00,8"


async def take(world: World, *rows: str, card: str = CARD) -> int:
    """Import rows; how many were recorded."""
    lines = ["id,station,from,to,kwh,card", *(f"{row},{card}" for row in rows)]
    file = Path(world.folder) / "old.csv"
    file.write_text("\n".join(lines))
    mapping = read_mapping(MAPPING)
    found = await plan(world.door.store, read_table(file), mapping)
    assert not found.bad
    return await record(world.door.intake, found.fresh, mapping)


async def rows(world: World, table: Any) -> int:
    """How many rows a table has."""
    return len(await world.door.rows(table))


async def test_it_is_reconstructed_and_says_that_it_was_imported(world: World) -> None:
    await take(world, A)
    one = await world.the_session()
    assert (one.state, grade(one), one.energy_wh) == (SessionState.ENDED, Grade.RECONSTRUCTED, 8000)
    assert set(found(one)) == {FindingCode.IMPORTED}
    await take(world, "B,CP1,2026-02-28 12:30,2026-02-28 12:31,80")
    leapt = (await world.sessions())[1]
    assert grade(leapt) is Grade.DISPUTED
    assert FindingCode.ZERO_BASELINE not in found(leapt)
    assert FindingCode.IMPLAUSIBLE_POWER in found(leapt)


async def test_it_never_becomes_a_bill(world: World) -> None:
    till = Till(world)
    await till.price()
    await world.enroll()
    async with world.v16() as station:
        tx = await station.start(0, 1000)
        await station.stop(tx, 30, 4000)
    await take(world, A, "B,CP2,2026-03-01 10:00,2026-03-01 11:00,5")
    while await till.look(days=2):
        pass
    assert await till.amounts() == [("bill", 180)]
    assert await till.holds(all_of_them=True) == []
    assert await rows(world, pin) == 1
    old = next(one for one in await world.sessions() if one.imported)
    async with world.door.store.read() as connection:
        assert (await told_of(connection, [old.id]))[old.id].choice.row is None
    with pytest.raises(Refusal):
        await till.deeds.do(VIEWER, old.id, Wish(deed=Deed.ACCEPT, said="It was charged."))
    assert await till.amounts() == [("bill", 180)]


async def test_it_alarms_nobody_and_uses_up_nothing(world: World) -> None:
    world.settings["number_card_kwh_month"] = 10
    await world.restart()
    await world.enroll()
    usual = [f"{day},CP1,2026-01-{day:02} 08:00,2026-01-{day:02} 12:00,8" for day in range(1, 32)]
    await take(
        world, *usual, A, "B,CP2,2026-02-27 21:00,2026-02-27 23:00,80", "C,CP1,2026-03-01 09:00,2026-03-01 12:00,30"
    )
    door = world.door
    watch = RadarWatch(door.store, door.bus, door.settings, None)  # type: ignore[arg-type]
    await watch.look()
    for table in (finding, decision, sighting):
        assert await rows(world, table) == 0, table.name
    assert await world.alarms() == []
    async with world.v16() as station:
        assert await station.authorize() == "Accepted"
        tx = await station.start(5, 1000)
        await station.stop(tx, 30, 4000)


async def test_its_station_was_not_heard_of(world: World) -> None:
    await take(world, A)
    assert await rows(world, station_state) == 0


async def test_a_car_that_charges_there_now_goes_on(world: World) -> None:
    await world.enroll()
    async with world.v16() as station:
        tx = await station.start(0, 1000)
        await take(world, A, "B,CP1,2026-03-01 11:00,2026-03-01 11:59,3")
        await station.read(tx, 20, wh=2000)
        await station.read(None, 25, wh=2500)
        live = [one for one in await world.sessions() if one.is_live]
        assert [one.track.last.wh for one in live] == [2500]
        await station.stop(tx, 30, 4000)
        await take(world, "C,CP1,2026-03-01 12:10,2026-03-01 12:20,1")
        await station.read(None, 15, wh=1900)
    told = await world.sessions()
    assert [(one.imported, one.energy_wh) for one in told] == [(True, 8000), (True, 3000), (False, 3000), (True, 1000)]
    assert (15, 1900) in await world.registers(told[2]), "history does not hide what the station means"


async def test_no_station_can_touch_it_whatever_it_names(world: World) -> None:
    await take(world, "7,CP1,2026-02-28 08:00,2026-02-28 12:00,8", "import:7,CP1,2026-02-28 13:00,2026-02-28 14:00,1")
    before = await world.sessions()
    async with world.v16() as station:
        await station.stop(7, 5, 999_000)
        await station.read(7, 6, wh=999_000)
        await station.read(None, "2026-02-28T09:00:00Z", wh=555)
    async with world.v201("CP1") as station:
        for name in ("7", "import:7", "import:import:7"):
            await station.event("Started", name, 0, 10, wh=0)
            await station.event("Ended", name, 1, 11, wh=50_000)
        await station.event("Ended", "", 2, "2026-02-28T12:00:00Z", wh=8000)
    assert [one for one in await world.sessions() if one.imported] == before


async def test_readings_that_wait_for_their_session_are_not_its_own(world: World) -> None:
    async with world.v16() as station:
        await station.read(None, "2026-02-28T09:00:00Z", wh=123_456)
    at = NOON - timedelta(hours=26)
    alone, later, end = _read(at), _read(at + timedelta(hours=1)), SessionEnded(at=at + timedelta(hours=2))
    await asyncio.gather(world.door.intake.record("CP1", alone), take(world, A))
    one = await world.the_session()
    assert one.energy_wh == 8000
    assert len(await world.readings(None)) == 2
    told = [world.door.intake.record("CP1", fact) for fact in (*facts_of(_past("B")), later, end)]
    await asyncio.gather(*told)
    assert [one.energy_wh for one in await world.sessions() if one.imported] == [8000, 8000]
    assert len(await world.readings(None)) == 3


def _read(at: datetime) -> MetersRead:
    """A reading without a session."""
    return MetersRead(at=at, evse=1, readings=(Reading(at, energy_wh=Decimal(234_567)),))


def _past(name: str) -> Past:
    """A session of the day before."""
    began_at = NOON - timedelta(hours=28)
    ended_at = began_at + timedelta(hours=4)
    return Past(name=name, line=2, station="CP1", began_at=began_at, ended_at=ended_at, energy_wh=Decimal(8000))


async def test_half_of_it_is_made_whole(world: World) -> None:
    """A kill between two transactions left only the beginning: it lives nowhere, and the next import ends it."""
    began = NOON - timedelta(hours=28)
    opened = SessionOpened(at=began, ref="A", imported=True, evse=1, connector=1, register_wh=None)
    await world.door.intake.record("CP1", opened)
    one = await world.the_session()
    assert (one.state, one.is_live, await world.close_silent()) == (SessionState.ESTIMATED, False, 0)
    assert await take(world, A) == 1
    one = await world.the_session()
    assert (one.state, one.energy_wh) == (SessionState.ENDED, 8000)
    assert await take(world, A) == 0
    orphan = SessionEnded(at=began, ref="nobody", imported=True, evse=1, connector=1)
    await world.door.intake.record("CP1", orphan)
    assert len(await world.sessions()) == 1


async def test_registers_of_old_and_new_are_not_compared(world: World) -> None:
    await world.enroll()
    await take(world, A)
    async with world.v16() as station:
        tx = await station.start(0, 1_234_000)
        await station.stop(tx, 30, 1_238_000)
    await take(world, "B,CP1,2026-03-01 12:29,2026-03-01 12:30,1")
    kinds = (await audit_sessions(world.door.store, VIEWER)).totals
    assert set(kinds) == {Kind.OVERLAP}


async def test_nothing_of_it_is_told_late(world: World) -> None:
    async with world.v16() as station:
        await station.status("Available", 0)
        await take(world, A)
        await station.status("Available", 1)
    one = await world.the_session()
    async with world.door.store.read() as connection:
        entries = await journal.of_session(connection, VIEWER, one.id, 100)
    assert [(each.late_s, each.happened_at) for each in dated(entries)] == [(0, one.started_at), (0, one.ended_at)]


async def test_the_audit_finds_what_is_odd_about_it(world: World) -> None:
    await take(
        world,
        *("A,CP1,2026-02-01 08:00,2026-02-01 12:00,0", "B,CP1,2026-02-02 08:00,2026-02-02 12:00,269"),
        *("C,CP1,2026-02-03 08:00,2026-02-03 12:00,8", "D,CP1,2026-02-03 08:00,2026-02-03 12:00,8"),
        "E,CP1,2026-02-04 08:00,2026-02-04 12:00,",
    )
    found = (await audit_sessions(world.door.store, VIEWER)).totals
    told = {kind: one.count for kind, one in found.items()}
    assert told == {Kind.NO_ENERGY: 2, Kind.BEYOND_BATTERY: 1, Kind.TWICE: 1, Kind.OVERLAP: 1}
    assert found[Kind.BEYOND_BATTERY].energy_wh == 169_000


async def test_it_is_counted_with_the_others(world: World) -> None:
    await world.enroll()
    async with world.v16() as station:
        tx = await station.start(0, 0)
        await station.stop(tx, 60, 6000)
    await take(world, A)
    look = Counting(world.door.store, world.door.bus, world.door.settings)
    assert await look.look() == 2
    async with world.door.store.read() as connection:
        months = await total.by_month(connection, VIEWER, "2026-01", "2026-12")
    told = [(month, int(one.energy_wh), one.sessions, one.empty) for month, one in months.items()]
    assert told == [("2026-02", 8000, 1, 0), ("2026-03", 6000, 1, 0)]
