"""The clone radar after the fact: guessing at a station, and a session unlike its card; found once, told once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.stories.suspicion import scene
from tests.stories.world import CARD, NOON, World
from wattkeeper.charging.cards.radar import HISTORY, Settled
from wattkeeper.store.cards import finding as findings


async def guess(voice: Any, count: int, first: int = 0) -> None:
    """Hold so many different unknown cards to the reader."""
    for number in range(first, first + count):
        assert await voice.authorize(f"04BADBAD{number:06X}") in ("Invalid", "Unknown")


async def test_many_unknown_cards_at_one_station_are_guessing(world: World) -> None:
    async with scene(world) as here, world.v16("CP1") as one, world.v201("CP2") as other:
        await guess(one, 9)
        await guess(one, 9)
        await guess(other, 9)
        await here.watch.look()
        assert await here.findings() == [], "nine are not ten, however often each is tapped"
        await guess(one, 1, first=9)
        await here.watch.look()
        (found,) = await here.findings()
        assert (found.kind, found.station_id, found.token, found.state) == ("many_unknown", "CP1", None, "open")
        assert found.words == "10 different unknown cards were tapped at CP1 within an hour, far above its usual."
        await guess(one, 20, first=10)
        await here.watch.look()
        assert len(await here.findings()) == 1


async def test_unknown_cards_of_a_whole_day_are_no_guessing(world: World) -> None:
    async with scene(world) as here, world.v16("CP1") as one:
        for number in range(30):
            world.clock.skip(minutes=10)
            await guess(one, 1, first=number)
            await here.watch.look()
        assert await here.findings() == []


async def test_what_is_usual_at_a_busy_station_is_no_guessing(world: World) -> None:
    async with scene(world) as here, world.v16("CP1") as one, world.v16("CP2") as other:
        for day in range(15):
            world.clock.reach(NOON + timedelta(days=day))
            await guess(one, 8, first=100 * day)
        world.clock.reach(NOON + timedelta(days=16))
        await guess(one, 12, first=10_000)
        await guess(other, 12, first=20_000)
        await here.watch.look()
        assert [row.station_id for row in await here.findings()] == ["CP2"]


async def lived(world: World, sessions: int, station: str = "CP1") -> None:
    """Let the card have charged at a station at noon on so many days, 8 kWh each."""
    async with world.v16(station) as one:
        for day in range(sessions):
            at = NOON + timedelta(days=day)
            tx = await one.start(at, 1000 + 8000 * day)
            await one.stop(tx, at + timedelta(hours=2), 9000 + 8000 * day)


async def charge(world: World, station: str, at: Any, wh: int) -> None:
    """One session."""
    async with world.v201(station) as voice:
        await voice.event("Started", "X", 0, at, card=CARD, wh=0)
        await voice.event("Ended", "X", 1, at + timedelta(hours=3), wh=wh)


async def test_a_session_unlike_its_card_is_found_and_its_holder_told(world: World) -> None:
    async with scene(world) as here:
        await lived(world, HISTORY)
        await here.watch.look()
        assert await here.findings() == [], "a card is like itself"
        phone = await here.driver()
        await charge(world, "CP2", NOON + timedelta(days=HISTORY - 1, hours=8), 60_000)
        for _ in range(2):
            await here.watch.look()
        (found,) = await here.findings()
        assert (found.kind, found.station_id) == ("unlike_itself", "CP2")
        assert "at a place where it never was, with far more energy than ever" in found.words
        told = (await phone.get("/api/v1/notices")).json()["items"]
        assert [one["kind"] for one in told] == ["unlike_itself"]


async def test_a_restart_finds_nothing_twice(world: World) -> None:
    async with scene(world) as here:
        await lived(world, HISTORY)
        await charge(world, "CP2", NOON + timedelta(days=HISTORY, hours=15), 60_000)
        await here.watch.look()
        (found,) = await here.findings()
        async with world.door.store.unit() as unit:
            assert await findings.settle(unit, found.id, Settled.DISMISSED, "test")
        again = type(here.watch)(world.door.store, world.door.bus, world.door.settings, here.house.rooms.notices)
        await again.look()
        assert len(await here.findings()) == 1
