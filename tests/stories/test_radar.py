"""The clone radar at the stations' door: one card at two places, twice at once, late news, and what is innocent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

import pytest
from sqlalchemy import Engine, event

from tests.stories.suspicion import FAR, NOT_NOW, scene, voice
from tests.stories.world import CARD, World, minute
from wattkeeper.charging.cards.radar import StepUp
from wattkeeper.charging.cards.token import Authorisation, Presented
from wattkeeper.charging.facts import SessionOpened, TokenPresented
from wattkeeper.operations.rebuild import rebuild
from wattkeeper.store.stations import station as stations
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


async def test_a_slow_clock_is_no_excuse_where_tap_and_start_come_together(world: World) -> None:
    """In one transaction with each other, and with a start of another station that is told late indeed."""
    async with scene(world, max_sessions=3), world.v16("CP1") as one:
        world.clock.reach(minute(600))
        assert await one.authorize() == "Accepted"
        world.clock.reach(minute(603))
        record, card = world.door.intake.record, Presented(CARD)
        start = SessionOpened(at=minute(590), evse=1, connector=1, register_wh=Decimal(0))
        told = (("CP4", start), ("CP2", TokenPresented()), ("CP2", start))
        answers = await asyncio.gather(*(record(station, fact, token=card) for station, fact in told))
        said = [answer.verdict.status for answer in answers if answer.verdict]
        assert said == [Authorisation.ACCEPTED, Authorisation.NOT_NOW, Authorisation.NOT_NOW]


async def test_a_backlog_asks_the_store_no_more_often_than_one_late_start(world: World) -> None:
    """Whether its card was tapped just now is looked up for all that are told together."""
    await world.admit(*(f"B{number}" for number in range(26)))
    numbers = [f"04A1B2C3D4{number:04X}" for number in range(26)]
    for number in numbers:
        await world.enroll(number)
    world.clock.reach(minute(600))

    async def asked(some: range) -> int:
        starts = [SessionOpened(at=minute(n), evse=1, connector=1, register_wh=Decimal(n)) for n in some]
        told = zip(some, starts, strict=True)
        record = world.door.intake.record
        with statements() as heard:
            answers = [record(f"B{n}", start, token=Presented(numbers[n])) for n, start in told]
            said = [answer.verdict for answer in await asyncio.gather(*answers)]
        assert all(verdict is not None and verdict.accepted for verdict in said)
        return len(heard)

    one, backlog = (range(1), range(1, 2)), (range(2, 14), range(14, 26))
    assert min([await asked(some) for some in one]) == min([await asked(some) for some in backlog])  # a tick asks too


@contextmanager
def statements() -> Iterator[list[str]]:
    """What every store is asked while the block runs."""
    heard: list[str] = []

    def hear(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        heard.append(statement)

    event.listen(Engine, "before_cursor_execute", hear)
    try:
        yield heard
    finally:
        event.remove(Engine, "before_cursor_execute", hear)


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
