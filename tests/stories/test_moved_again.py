"""A station that moves more than once, or whose move is corrected: what was kept of the past stays true."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from tests.stories.test_moving import move, told
from tests.stories.world import World, minute
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.store.sessions import receipt
from wattkeeper.store.stations import placement


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
