"""A station that moves more than once, or whose move is corrected: what was kept of the past stays true."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from sqlalchemy import update

from tests.stories.test_moving import host, move, told
from tests.stories.world import NOON, World, minute
from wattkeeper.charging.facts import SessionEnded, SessionOpened
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.store import journal
from wattkeeper.store.money import billable, delivered
from wattkeeper.store.sessions import receipt
from wattkeeper.store.sessions import session as sessions
from wattkeeper.store.stations import placement
from wattkeeper.store.tables import session


async def _addresses(world: World) -> list[str]:
    """The address on each receipt, in the order of the sessions."""
    async with world.door.store.read() as connection:
        shown = [await receipt.one(connection, VIEWER, one.id) for one in await world.sessions("CP1")]
    return [one.address or "" for one in shown if one is not None]


async def test_a_correction_leaves_alone_where_the_station_stood_before(database: str, tmp_path: Path) -> None:
    world = await told(database, tmp_path)
    right = ["Quay 1, Linz", "Square 2, Graz"]
    for since in (minute(120), minute(120), minute(150), minute(100)):
        await move(world, "Graz", 250, since)
        assert await _addresses(world) == right, "also after the same again"
    async with world.door.store.read() as connection:
        assert [one.until for one in await placement.of_station(connection, "CP1")] == [minute(100), None]
    await move(world, "Graz", 251, placement.ALWAYS)
    await move(world, "", 260)
    await world.door.admission.describe("CP1", "ann", {"address": "Lane 3, Wels", "latitude": Decimal(46)})
    await move(world, "Wels", 270)
    assert await _addresses(world) == ["Square 2, Graz"] * 2, "a place that is named for the first time"
    await world.close()


async def test_a_date_alone_is_about_the_site_where_it_stands(database: str, tmp_path: Path) -> None:
    world = await told(database, tmp_path)
    await world.door.admission.describe("CP1", "ann", {}, minute(150))
    async with world.door.store.read() as connection:
        known = [(one.site, one.until) for one in await placement.of_station(connection, "CP1")]
    assert known == [("Linz", minute(150)), ("Graz", None)]
    await world.close()


async def test_a_main_meter_counts_once_where_a_station_comes_back(database: str, tmp_path: Path) -> None:
    world = await told(database, tmp_path)
    async with world.v16(boots=False) as station:

        async def read(at: float, wh: int) -> None:
            await station.read(None, at, connector=0, wh=wh)

        await read(300, 100_000)
        tx = await station.start(302, 6000)
        await station.stop(tx, 305, 6500)
        await read(310, 101_000)
        await move(world, "Linz", 320)
        await read(330, 103_000)
        tx = await station.start(332, 6500)
        await station.stop(tx, 335, 8000)
        await read(340, 105_000)
        await move(world, "Graz", 350)
        await read(360, 106_000)
        await read(370, 106_300)
    async with world.door.store.read() as connection:
        found = await delivered.by_main_meters(connection, VIEWER, NOON, minute(600))
    assert [(one.site, int(one.grid_wh), int(one.delivered_wh)) for one in found] == [
        ("Graz", 1000, 500),
        ("Linz", 2000, 1500),
        ("Graz", 300, 0),
    ], "what was drawn at Linz is not Graz's, nor what was drawn between the last reading here and the first there"
    assert (found[0].until, found[2].since) == (minute(310), minute(360))
    await world.close()


async def test_what_comes_late_of_a_session_is_for_the_host_where_it_ran(database: str, tmp_path: Path) -> None:
    world = await told(database, tmp_path)
    async with world.v201("CP1") as station:
        await station.event("Started", "A", 0, 90, wh=0)
        await station.event("Ended", "A", 1, 110, wh=900)
    (late,) = (one for one in await world.sessions("CP1") if one.started_at == minute(90))
    async with world.door.store.read() as connection:
        for site, count in (("Linz", 2), ("Graz", 0)):
            marks = (await journal.marks_after(connection, host(site), 0, 999)).marks
            assert len([one for one in marks if one.session == late.id]) == count, site
            words = await journal.of_station(connection, host(site), "CP1", 99)
            assert len([one for one in words if one.decided.session == late.id]) == count, site
            around = await journal.around(
                connection, host(site), "CP1", [SessionOpened, SessionEnded], minute(200), minute(300), 9
            )
            assert len([one for one in around if one.decided.session == late.id]) == count, site
            assert (await sessions.one(connection, host(site), late.id) is None) == (count == 0)
    await world.close()


async def test_a_clock_that_is_years_behind_does_not_carry_a_session_back(database: str, tmp_path: Path) -> None:
    world = await told(database, tmp_path)
    async with world.v201("CP1") as station:
        for seq, at in enumerate(("2018-01-01T00:00:00Z", NOON - timedelta(days=5), NOON - timedelta(days=8))):
            await station.event("Started", f"T{seq}", 0, at, wh=0, evse=seq + 1)
    async with world.door.store.read() as connection:
        found = await billable.of(connection, [one.id for one in await world.sessions("CP1")])
    sites = {one.whole.started_at: one.spot.site for one in found.values() if one.whole.started_at < NOON}
    assert [sites[at] for at in sorted(sites)] == ["Graz", "Graz", "Linz"], "only a week back is believed"
    assert sites[NOON - timedelta(days=5)] == "Linz"
    async with world.door.store.unit() as unit:
        its = update(session).where(session.c.started_at == NOON - timedelta(days=8))
        await unit.connection.execute(its.values(key="import:8"))
    async with world.door.store.read() as connection:
        found = await billable.of(connection, list(found))
    (imported,) = (one for one in found.values() if one.whole.started_at == NOON - timedelta(days=8))
    assert imported.spot.site == "Linz", "what was imported is believed"
    await world.close()
