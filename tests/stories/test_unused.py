"""Connectors without a session are connectors: what a station told of no EVSE is one only where it told of none."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from tests.stories.test_totals import counting
from tests.stories.world import CARD, NOON, Voice201, World, opened
from wattkeeper.charging.statistics.savings import Kind
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.operations.statistics.findings import Findings


async def unused(world: World) -> list[str]:
    """What is said of connectors without a session, once all is counted."""
    await counting(world).look()
    found = await Findings(world.door.store, world.door.settings).of(VIEWER)
    return [str(one.title) for one in found if one.kind is Kind.UNUSED]


async def tap(station: Voice201, name: str, at: float) -> None:
    """A card is shown and nothing comes of it: no EVSE is told."""
    await station.event("Started", name, 0, at, card=CARD, evse=None, trigger="Authorized")
    await station.event("Ended", name, 1, at + 1, evse=None, trigger="Timeout")


async def charge(station: Voice201, name: str, at: float, evse: int = 1) -> None:
    """A kWh in half an hour."""
    await station.event("Started", name, 0, at, card=CARD, evse=evse, wh=0, context="Transaction.Begin")
    await station.event("Ended", name, 1, at + 30, evse=evse, wh=1000, context="Transaction.End")


async def test_a_tap_without_an_evse_is_no_connector_without_a_session(database: str, tmp_path: Path) -> None:
    async with opened(database, tmp_path, "CP1", "CP2") as world:
        await world.enroll(max_sessions=9)
        async with world.v201("CP1") as one, world.v201("CP2") as two:
            await tap(one, "tap", 0)
            await tap(two, "tap", 2)
            await charge(one, "other", 5, evse=2)
            for day in range(40):
                await charge(one, f"day{day}", 60 + day * 1440)
        assert world.clock.now > NOON + timedelta(days=39)
        assert await unused(world) == ["2 connectors had no session for 30 days"], "the second EVSE, and all of CP2"
        (found,) = [
            one for one in await Findings(world.door.store, world.door.settings).of(VIEWER) if one.kind is Kind.UNUSED
        ]
        assert found.behind.outlets == (("CP1", 2, 1), ("CP2", 0, 0))
        async with world.v201("CP1") as one, world.v201("CP2") as two:
            await charge(one, "again", 40 * 1440, evse=2)
            await tap(two, "again", 40 * 1440 + 40)
        assert await unused(world) == []
