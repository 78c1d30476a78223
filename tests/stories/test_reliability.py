"""When ports could not be used and what was tried at them: as worked out by hand, in whichever order it was told."""

from __future__ import annotations

import asyncio
import gc
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from tests.stories.world import NOON, World, minute
from wattkeeper.bus.memory import MemoryBus
from wattkeeper.charging.cards.token import CardState
from wattkeeper.charging.facts import SessionEnded, SessionOpened
from wattkeeper.operations.rebuild import rebuild
from wattkeeper.operations.statistics.reckoning import Reckoning
from wattkeeper.store.engines import Store
from wattkeeper.store.statistics.port import MOST_CONNECTORS
from wattkeeper.store.tables import RELIABILITY, attempt, attempt_day, attempt_month, outage


def reckoning(world: World) -> Reckoning:
    """What reckons, looked at by hand."""
    return Reckoning(world.door.store, MemoryBus(), world.door.settings)


async def reckoned(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that is reckoned; counts of none left out."""
    found = {}
    async with store.read() as connection:
        for table in RELIABILITY:
            rows = await connection.execute(select(table).order_by(*table.primary_key))
            found[table.name] = [
                tuple(row) for row in rows if table not in (attempt_day, attempt_month) or row.attempts
            ]
    return found


async def outages(world: World, station: str = "CP1") -> list[tuple[Any, ...]]:
    """EVSE, minutes from and to, cause, error and whether it is over, of each outage."""

    def at(instant: Any) -> float | None:
        return None if instant is None else round((instant - NOON).total_seconds() / 60, 1)

    o = outage.c
    wanted = select(outage).where(o.station_id == station).order_by(o.evse, o.since)
    async with world.door.store.read() as connection:
        rows = (await connection.execute(wanted)).all()
    return [(row.evse, at(row.since), at(row.until), row.cause, row.error, bool(row.is_over)) for row in rows]


async def counts(world: World) -> dict[tuple[str, str], int]:
    """How many attempts became what."""
    async with world.door.store.read() as connection:
        rows = await connection.execute(select(attempt_day))
        found: dict[tuple[str, str], int] = {}
        for row in rows:
            found[row.kind, row.reason] = found.get((row.kind, row.reason), 0) + row.attempts
    return {key: count for key, count in found.items() if count}


async def fault(station: Any, word: str, at: float, connector: int = 1, error: str = "NoError") -> None:
    """StatusNotification in 1.6 with an error code."""
    station.world.clock.reach(at)
    told = {"connectorId": connector, "status": word, "errorCode": error, "timestamp": minute(at).isoformat()}
    assert await station.say("StatusNotification", told) == {}


async def test_outages_of_a_1_6_station_are_those_worked_out_by_hand(database: str, tmp_path: Path) -> None:
    """Port 1 breaks at 10 and works at 40; port 2 is out of service from 20 to 25; both are offline from 60 to 90."""
    world = World(database, tmp_path)
    await world.open()
    await world.admit("CP1")
    look = reckoning(world)
    async with world.v16() as station:
        await station.status("Available", 0, 1)
        await station.status("Available", 0, 2)
        await fault(station, "Faulted", 10, 1, "GroundFailure")
        await look.look()
        await station.status("Unavailable", 20, 2)
        await station.status("Available", 25, 2)
        await fault(station, "Faulted", 30, 1, "GroundFailure")
        await station.status("Available", 40, 1)
        await look.look()
        world.clock.reach(60)
    await look.look()
    world.clock.reach(90)
    async with world.v16() as station:
        await station.status("Available", 90, 1)
        await look.look()
        assert await outages(world) == [
            (1, 10, 40, "faulted", "GroundFailure", True),
            (1, 60, 90, "offline", "", True),
            (2, 20, 25, "unavailable", "", True),
            (2, 60, 90, "offline", "", True),
        ]
    await world.close()


async def test_what_a_port_says_of_itself_later_holds_against_what_was_said_of_the_station(
    database: str, tmp_path: Path
) -> None:
    """The whole station breaks at 10; port 1 is in use again from 30 on and charges, port 2 says nothing any more."""
    world = World(database, tmp_path)
    await world.open()
    await world.admit("CP1")
    async with world.v16() as station:
        await station.status("Available", 0, 1)
        await station.status("Available", 0, 2)
        await fault(station, "Faulted", 10, 0, "OtherError")
        await reckoning(world).look()
        await station.start(30, 1000)
        await station.status("Available", 50, 1)
        await reckoning(world).look()
        assert await outages(world) == [
            (1, 10, 30, "faulted", "OtherError", True),
            (2, 10, None, "faulted", "OtherError", False),
        ]
    await world.close()


async def test_outages_of_a_2_0_1_station_are_those_worked_out_by_hand(database: str, tmp_path: Path) -> None:
    """An EVSE with two connectors is out only while both are; a session shows that it can be used."""
    world = World(database, tmp_path)
    await world.open()
    await world.admit("CP1")

    async def status(word: str, at: float, connector: int) -> None:
        world.clock.reach(at)
        told = {"timestamp": minute(at).isoformat(), "connectorStatus": word, "evseId": 1, "connectorId": connector}
        assert await station.say("StatusNotification", told) == {}

    async with world.v201() as station:
        await status("Available", 0, 1)
        await status("Available", 0, 2)
        await status("Faulted", 10, 1)
        await status("Unavailable", 20, 2)
        await status("Unavailable", 30, 1)
        await station.event("Started", "A", 0, 50, wh=0)
        await status("Faulted", 60, 1)
        await reckoning(world).look()
        assert await outages(world) == [
            (1, 20, 30, "faulted", "", False),
            (1, 30, 50, "unavailable", "", True),
            (1, 60, None, "faulted", "", False),
        ]
    await world.close()


async def busy(world: World, look: Any) -> None:
    """An hour in which everything happens, looked at in between where ``look`` says so."""
    await world.admit("CP1", "CP2")
    await world.enroll()
    await world.enroll("04B10C4ED0", state=CardState.BLOCKED)
    async with world.v16() as station:
        await station.status("Available", 0)
        assert await station.authorize("0499999999") == "Invalid"
        assert await station.authorize("04B10C4ED0") == "Blocked"
        assert await station.authorize() == "Accepted"
        await station.status("Preparing", 2)
        tx = await station.start(3, 1000)
        await look()
        await station.read(tx, 10, wh=3000)
        await station.stop(tx, 20, 4000, reason="EVDisconnected")
        await station.status("Available", 21)
        await look()
        await station.status("Preparing", 25)
        await station.status("Available", 27)
        await look()
        tx = await station.start(30, 4000)
        await station.stop(tx, 32, 4000, reason="EmergencyStop")
        await look()
        tx = await station.start(35, 4000, "0499999999")
        await station.stop(tx, 36, 4000, reason="DeAuthorized")
        await look()
    async with world.v201("CP2") as station:
        await station.status("Available", 37)
        await station.status("Occupied", 38)
        await station.event("Started", "A", 0, 39, wh=0, trigger="CablePluggedIn", card="04A1B2C3D4E5F6")
        await station.event("Ended", "A", 2, 70, wh=8000, info={"stoppedReason": "PowerLoss"})
        await look()
        await station.status("Available", 71)
        await look()
        await station.event("Updated", "A", 1, 50, wh=4000, state="Charging")
        await station.event("Updated", "A", 1, 50, wh=4000, state="Charging")
        await station.event("Started", "B", 0, 80, wh=8000, card="04A1B2C3D4E5F6")
        await look()
        await station.event("Ended", "B", 1, 110, wh=8000, info={"stoppedReason": "Local"})


async def test_what_was_tried_is_counted_by_what_became_of_it(database: str, tmp_path: Path) -> None:
    world = World(database, tmp_path)
    await world.open()
    look = reckoning(world)
    await busy(world, look.look)
    await look.look()
    assert await counts(world) == {
        ("tap", "unknown"): 1,
        ("tap", "blocked"): 1,
        ("tap", "accepted"): 1,
        ("session", "charged"): 1,
        ("session", "empty:EmergencyStop"): 1,
        ("session", "unauthorised"): 1,
        ("session", "broken_off"): 1,
        ("session", "drew_nothing"): 1,
        ("plug_in", "charged"): 2,
        ("plug_in", "left"): 1,
        ("plug_in", "drew_nothing"): 3,
    }
    await world.close()


async def test_reckoned_along_the_way_or_at_once_or_anew_is_the_same(database: str, tmp_path: Path) -> None:
    world = World(database, tmp_path)
    await world.open()
    look = reckoning(world)
    await busy(world, look.look)
    await look.look()
    store = world.door.store
    before = await reckoned(store)
    assert before["outage"] and not before["unreckoned"]
    assert await look.look() == 0
    await look.rebuild()
    assert await reckoned(store) == before
    await world.close()
    fresh = Store(database, world.clock)
    await rebuild(fresh)
    await Reckoning(fresh, MemoryBus(), world.door.settings).look()
    assert await reckoned(fresh) == before
    await fresh.close()


async def test_what_is_told_late_or_twice_is_as_if_it_had_been_there(database: str, tmp_path: Path) -> None:
    """Statuses of an hour in any order, some twice, looked at after each: the outages of the true order."""
    told = [
        *((0, "Available"), (5, "Faulted"), (9, "Available"), (12, "Occupied"), (20, "Available")),
        *((25, "Unavailable"), (30, "Faulted"), (41, "Available"), (44, "Preparing"), (46, "Available")),
    ]
    found: list[tuple[Any, Any]] = []
    for order in (told, told[::-1], [*told[5:], *told[:5], *told[3:8]]):
        world = World(database, tmp_path)
        await world.open()
        name = f"CP{len(found) + 2}"
        await world.admit(name)
        world.clock.now = minute(60)
        async with world.v16(name) as station:
            for at, word in order:
                await station.status(word, at)
                await reckoning(world).look()
            plugs = attempt.c
            wanted = select(plugs.since, plugs.until, plugs.reason).where(plugs.station_id == name)
            async with world.door.store.read() as connection:
                taken = sorted(tuple(row) for row in await connection.execute(wanted.where(plugs.kind == "plug_in")))
            found.append((await outages(world, name), taken))
        await world.close()
    assert found[0] == found[1] == found[2]
    assert [(since, until, cause) for _, since, until, cause, *_ in found[0][0]] == [
        (5, 9, "faulted"),
        (25, 30, "unavailable"),
        (30, 41, "faulted"),
    ]
    assert [(since, until) for since, until, _ in found[0][1]] == [
        (minute(12), minute(20)),
        (minute(44), minute(46)),
    ]


async def test_a_clock_that_is_wrong_makes_no_outage_of_years(database: str, tmp_path: Path) -> None:
    world = World(database, tmp_path)
    await world.open()
    await world.admit("CP1")
    async with world.v16() as station:
        await station.status("Available", 0)
        world.clock.reach(10)
        for at in ("1970-01-01T00:00:00Z", "2099-01-01T00:00:00Z"):
            told = {"connectorId": 1, "status": "Faulted", "errorCode": "NoError", "timestamp": at}
            assert await station.say("StatusNotification", told) == {}
        await station.status("Available", 15)
        await reckoning(world).look()
        assert await outages(world) == [(1, 10, 15, "faulted", "", True)]
    await world.close()


async def test_a_station_that_names_no_end_of_connectors_is_kept_short(database: str, tmp_path: Path) -> None:
    world = World(database, tmp_path)
    await world.open()
    await world.admit("CP1")
    async with world.v16() as station:
        for connector in range(1, 150):
            await station.status("Faulted", 1, connector)
        await reckoning(world).look()
        assert len(await outages(world)) == MOST_CONNECTORS - 1
    await world.close()


async def test_a_station_whose_sessions_name_no_end_of_evses_is_not_reckoned_without_end(
    database: str, tmp_path: Path
) -> None:
    world = World(database, tmp_path)
    await world.open()
    await world.admit("CP1")
    async with world.v201() as station:
        for evse in range(1, 151):
            await station.event("Started", f"T{evse}", 0, evse, wh=0, evse=evse)
            await station.event("Ended", f"T{evse}", 1, evse + 30, wh=1000, evse=evse)
        await reckoning(world).look()
    async with world.door.store.read() as connection:
        kinds = select(attempt.c.kind, func.count(attempt.c.evse.distinct())).group_by(attempt.c.kind)
        told = {kind: count for kind, count in await connection.execute(kinds)}
        outages_of = await connection.scalar(select(func.count(outage.c.evse.distinct())))
    assert told["session"] == 150, "every session is told"
    assert 0 < told["plug_in"] <= MOST_CONNECTORS
    assert int(outages_of or 0) <= MOST_CONNECTORS
    await world.close()


async def test_it_may_die_at_any_moment(database: str, tmp_path: Path) -> None:
    """Cut off at random while it looks, again and again, then let finish: as if it had never been cut off."""
    world = World(database, tmp_path)
    await world.open()
    await busy(world, lambda: asyncio.sleep(0))
    store, chance = world.door.store, random.Random(7)
    cut = 0
    for place in range(40):
        looking = asyncio.create_task(reckoning(world).look())
        done, _ = await asyncio.wait([looking], timeout=chance.random() * 0.03 if place else 0)
        cut += not done
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        gc.collect()  # SQLite holds what a statement that was cut off had begun until nobody refers to it
    assert cut > 0
    await reckoning(world).look()
    before = await reckoned(store)
    assert before["outage"] and before["attempt"] and not before["unreckoned"]
    await reckoning(world).rebuild()
    assert await reckoned(store) == before
    await world.close()


async def test_what_was_imported_says_nothing_of_reliability(database: str, tmp_path: Path) -> None:
    """History of another system is no attempt, and no port is up or out by it."""
    world = World(database, tmp_path)
    await world.open()
    await world.admit("CP1")
    began: dict[str, Any] = {"evse": 1, "connector": 1, "ref": "old", "imported": True}
    opened = SessionOpened(at=minute(-90), register_wh=Decimal(0), **began)
    ended = SessionEnded(at=minute(-30), register_wh=Decimal(4000), reason="Local", **began)
    for fact in (opened, ended):
        await world.door.intake.record("CP1", fact)
    await reckoning(world).look()
    assert len(await world.sessions()) == 1 and not any((await reckoned(world.door.store)).values())
    await world.close()
