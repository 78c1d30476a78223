"""Restarts of ours and of the station in mid-session."""

from __future__ import annotations

from tests.stories.world import CARD, FindingCode, SessionState, World, found, minute
from wattkeeper.charging.facts import Connected, Disconnected
from wattkeeper.charging.station import Version
from wattkeeper.store.tables import station_state


async def test_a_restart_of_ours_in_mid_session_is_not_noticed(world: World) -> None:
    await world.enroll(max_sessions=2)
    async with world.v16("CP1") as old, world.v201("CP2") as new:
        tx = await old.start(0, 1000)
        await old.read(tx, 5, wh=1500)
        await new.event("Started", "T", 0, 0, card=CARD, wh=1000, context="Transaction.Begin")
        await new.event("Updated", "T", 1, 5, wh=1500)
    await world.restart()
    async with world.v16("CP1", boots=False) as old, world.v201("CP2", boots=False) as new:
        assert await old.start(0, 1000) == tx
        await old.read(tx, 10, wh=1800)
        await old.stop(tx, 15, 2000)
        await new.event("Updated", "T", 2, 10, wh=1800)
        await new.event("Ended", "T", 3, 15, wh=2000, context="Transaction.End")
    for session in await world.sessions():
        assert (session.energy_wh, session.ended_at, found(session)) == (1000, minute(15), {})
        assert await world.registers(session) == [(0, 1000), (5, 1500), (10, 1800), (15, 2000)]


async def test_a_station_that_boots_in_mid_session_goes_on_with_it(world: World) -> None:
    await world.enroll()
    async with world.v16("CP1") as cp:
        tx = await cp.start(0, 1000)
        await cp.read(tx, 5, wh=1500)
    async with world.v16("CP1", boots=False) as cp:
        await cp.station.boot()
        await cp.status("Charging", 8)
        await cp.read(tx, 10, wh=1800)
        assert (await world.the_session()).is_live
        await cp.stop(tx, 15, 2000)
    session = await world.the_session()
    assert (session.energy_wh, found(session)) == (1000, {})


async def test_a_station_that_boots_tells_the_stop_of_the_power_loss(world: World) -> None:
    """After the boot, with a time of before it, and again after a second boot."""
    await world.enroll()
    async with world.v16("CP1") as cp:
        tx = await cp.start(0, 1000)
        await cp.read(tx, 5, wh=1500)
    world.clock.skip(minutes=30)
    for _ in range(2):
        async with world.v16("CP1") as cp:
            assert await cp.stop(tx, 6, 1550, reason="PowerLoss") == {}
    session = await world.the_session()
    assert (session.state, session.ended_at, session.energy_wh) == (SessionState.ENDED, minute(6), 550)
    assert session.ended is not None
    assert (session.ended.reason, found(session)) == ("PowerLoss", {})


async def test_a_register_that_restarts_with_the_station_is_added_up(world: World) -> None:
    """Q21: a finding, and both parts count, in both versions."""
    await world.enroll(max_sessions=2)
    async with world.v16("CP1") as old, world.v201("CP2") as new:
        tx = await old.start(0, 50_000)
        await old.read(tx, 5, wh=51_000)
        await new.event("Started", "T", 0, 0, card=CARD, wh=50_000, context="Transaction.Begin")
        await new.event("Updated", "T", 1, 5, wh=51_000)
    async with world.v16("CP1") as old, world.v201("CP2") as new:
        await old.read(tx, 10, wh=0)
        await old.read(tx, 15, wh=700)
        await old.stop(tx, 20, 800)
        for seq, (at, wh) in enumerate([(10, 0), (15, 700)], 2):
            await new.event("Updated", "T", seq, at, wh=wh)
        await new.event("Ended", "T", 4, 20, wh=800, context="Transaction.End")
    one, other = await world.sessions()
    assert one.energy_wh == other.energy_wh == 1800
    reset = {"from_wh": "51000", "to_wh": "0", "since": minute(5).isoformat()}
    assert found(one) == found(other) == {FindingCode.REGISTER_RESET: reset}


async def test_stations_are_not_connected_any_more_after_a_crash_of_ours(world: World) -> None:
    """Nobody could write down that they were cut off; whoever starts next does."""
    async with world.v16("CP2"):
        pass
    await world.door.intake.record("CP1", Connected(version=Version.V16))
    for _ in range(2):
        await world.restart()
        states = {row.station_id: row.online for row in await world.door.rows(station_state)}
        assert states == {"CP1": False, "CP2": False}
    (told,) = await world.door.facts(Disconnected, "CP1")
    assert told["reason"] == "Wattkeeper stopped while the station was connected."
