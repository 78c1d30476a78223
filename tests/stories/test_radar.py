"""The clone radar at the stations' door: one card at two places, twice at once, late news, and what is innocent."""

from __future__ import annotations

import asyncio

import pytest

from tests.stories.suspicion import FAR, NOT_NOW, scene, voice
from tests.stories.world import World, minute
from wattkeeper.charging.radar import StepUp
from wattkeeper.operations.rebuild import rebuild
from wattkeeper.store import station as stations
from wattkeeper.store.tables import decision, finding

DIALECTS = ("ocpp1.6", "ocpp2.0.1")
both = pytest.mark.parametrize("dialect", DIALECTS)


@both
async def test_a_card_at_two_places_too_far_apart_is_refused_at_the_second(world: World, dialect: str) -> None:
    async with scene(world) as here, voice(world, dialect, "CP1") as one, voice(world, dialect, "CP2") as other:
        assert await one.authorize() == "Accepted"
        world.clock.reach(minute(8))
        assert await other.authorize() == NOT_NOW[dialect]
        assert await here.start(other, 9) == NOT_NOW[dialect]
        assert await here.kinds() == [(FAR, "open", "nothing")]
        (found,) = await here.findings()
        assert found.words == "Tapped at CP2, and 8 minutes earlier 300 km away at CP1."
        assert await here.start(one, 10) == "Accepted", "who was first goes on"
        reasons = [row.reason for row in await world.door.rows(decision)]
        assert reasons[1].startswith("Tapped at CP2, and 8 minutes earlier 300 km away at CP1. Support decides")


async def test_half_a_day_later_the_same_card_is_welcome(world: World) -> None:
    async with scene(world) as here, world.v16("CP1") as one, world.v201("CP2") as other:
        assert await one.authorize() == "Accepted"
        assert await here.start(other, 60) == "Accepted"
        assert await here.findings() == []


@pytest.mark.parametrize("second", ["CP3", "CP4"])
async def test_the_next_street_and_nobody_knows_where_are_never_far(world: World, second: str) -> None:
    async with scene(world, max_sessions=2) as here, world.v16("CP1") as one, world.v201(second) as other:
        assert await here.start(one, 0) == "Accepted"
        assert await here.start(other, 1) == "Accepted"
        assert await here.findings() == []


async def test_one_site_is_never_far_whatever_its_coordinates_say(world: World) -> None:
    async with scene(world, max_sessions=2) as here, world.v16("CP1") as one, world.v201("CP2") as other:
        for name in ("CP1", "CP2"):
            async with world.door.store.unit() as unit:
                await stations.describe(unit, name, {"site": "Yard"})
        assert await here.start(one, 0) == "Accepted"
        assert await here.start(other, 1) == "Accepted"
        assert await here.findings() == []


async def test_taps_that_arrive_together_are_judged_one_after_the_other(world: World) -> None:
    """Even in one transaction: the second sees the first."""
    async with scene(world) as here, world.v201("CP1") as one, world.v201("CP2") as other:
        said = await asyncio.gather(one.authorize(), other.authorize())
        assert sorted(said) == ["Accepted", "NotAtThisTime"]
        assert await here.kinds() == [(FAR, "open", "nothing")]


async def test_what_an_offline_station_tells_late_is_found_and_never_refused(world: World) -> None:
    """By the station's time: the copy charged at CP2 while the card itself was tapped at CP1."""
    async with scene(world, StepUp.SUSPECT) as here, world.v16("CP1") as one, world.v201("CP2") as other:
        world.clock.reach(minute(3))
        assert await one.authorize() == "Accepted"
        world.clock.reach(minute(120))
        assert await here.start(other, 5, offline=True) == "Accepted"
        assert await here.kinds() == [(FAR, "open", "nothing")]


async def test_late_news_of_a_1_6_station_is_found_by_its_own_time(world: World) -> None:
    async with scene(world) as here, world.v16("CP1") as one, world.v16("CP2") as other:
        world.clock.reach(minute(3))
        assert await one.authorize() == "Accepted"
        world.clock.reach(minute(120))
        assert await here.start(other, 5) == "Accepted"
        assert await here.kinds() == [(FAR, "open", "nothing")]


async def test_a_tap_long_ago_that_is_told_late_is_no_tap_now(world: World) -> None:
    async with scene(world, max_sessions=2) as here, world.v16("CP1") as one, world.v201("CP2") as other:
        world.clock.reach(minute(180))
        assert await here.start(one, 0) == "Accepted"
        assert await other.authorize() == "Accepted"
        assert await here.findings() == []


async def test_a_slow_clock_is_no_excuse_after_a_tap(world: World) -> None:
    """A start right after a tap that waited for our answer happens now, whatever the station's clock says."""
    async with scene(world) as here, world.v16("CP1") as one, world.v16("CP2") as other:
        world.clock.reach(minute(600))
        assert await one.authorize() == "Accepted"
        world.clock.reach(minute(603))
        assert await other.authorize() == "Blocked"
        assert await here.start(other, 590) == "Blocked", "its clock is 13 minutes slow"


@both
async def test_a_card_tapped_elsewhere_while_it_charges_is_found(world: World, dialect: str) -> None:
    async with scene(world) as here, voice(world, dialect, "CP1") as one, voice(world, dialect, "CP4") as other:
        assert await here.start(one, 0) == "Accepted"
        assert await here.start(other, 5) == "ConcurrentTx"
        assert await here.start(other, 6) == "ConcurrentTx"
        assert await here.kinds() == [("in_use_twice", "open", "nothing")]
        assert (await here.findings())[0].words == "Tapped at CP4 while a session runs on it at CP1."


async def test_two_cars_in_one_street_and_a_session_that_fell_silent_are_no_copy(world: World) -> None:
    async with scene(world) as here, world.v16("CP1") as one:
        assert await here.start(one, 0) == "Accepted"
        async with world.v16("CP3") as beside:
            assert await here.start(beside, 2) == "ConcurrentTx"
        world.clock.reach(minute(60))
        async with world.v16("CP4") as elsewhere:
            assert await here.start(elsewhere, 61) == "ConcurrentTx"
        assert await here.findings() == []


async def test_a_person_who_dismissed_it_is_not_asked_again_that_day(world: World) -> None:
    """Coordinates may be wrong: what a person found innocent is let through until the next day."""
    async with scene(world) as here, world.v16("CP1") as one, world.v16("CP2") as other:
        assert await one.authorize() == "Accepted"
        world.clock.reach(minute(8))
        assert await other.authorize() == "Blocked"
        (found,) = await here.findings()
        assert (await here.house.api.post(f"/api/v1/findings/{found.id}/dismiss")).status_code == 200
        assert await other.authorize() == "Accepted"
        assert await here.kinds() == [(FAR, "dismissed", "nothing")]


async def test_a_start_that_we_asked_for_is_no_tap(world: World) -> None:
    """Somebody at a desk started a session there with the card's number: nobody travelled."""
    async with scene(world) as here, world.v16("CP1") as one, world.v201("CP2") as other:
        assert await one.authorize() == "Accepted"
        world.clock.reach(minute(4))
        told = {"transactionInfo": {"transactionId": "R", "remoteStartId": 7}}
        assert await here.start(other, 5, **told) == "Accepted"
        assert await here.findings() == []


async def test_rebuilding_finds_nothing_again(world: World) -> None:
    async with scene(world) as here, world.v16("CP1") as one, world.v201("CP2") as other:
        assert await one.authorize() == "Accepted"
        assert await here.start(other, 5) == "NotAtThisTime"
        before = await here.findings(), await world.alarms("CardFarApart")
        assert len(before[0]) == len(before[1]) == 1
    await world.close()
    await world.open()
    await rebuild(world.door.store)
    assert (await world.door.rows(finding), await world.alarms("CardFarApart")) == before
