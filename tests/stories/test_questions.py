"""Is this you? A suspect card charges after a yes on its holder's phone, and never without one."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from tests.stories.suspicion import FAR, NOT_NOW, Scene, scene, voice
from tests.stories.test_radar import both
from tests.stories.world import World, minute
from wattkeeper.charging.cards.radar import StepUp
from wattkeeper.charging.cards.token import Strength
from wattkeeper.store.tables import card, mail, notice, step_up

SUSPECT = StepUp.SUSPECT


async def asked(phone: httpx.AsyncClient) -> list[Any]:
    """The questions on the phone."""
    answer = await phone.get("/api/v1/questions")
    assert answer.status_code == 200, answer.text
    found: list[Any] = answer.json()["items"]
    return found


async def answers(phone: httpx.AsyncClient, word: str, question: Any) -> int:
    """Answer a question; the status."""
    return (await phone.post(f"/api/v1/questions/{question['id']}", json={"answer": word})).status_code


async def accepted(here: Scene) -> int:
    """How many sessions were let charge."""
    return sum(one.verdict == "accepted" for one in await here.world.sessions())


@both
async def test_yes_lets_the_next_tap_charge(world: World, dialect: str) -> None:
    async with (
        scene(world, SUSPECT) as here,
        voice(world, dialect, "CP1") as one,
        voice(world, dialect, "CP2") as other,
    ):
        phone = await here.driver()
        assert await one.authorize() == "Accepted"
        assert await asked(phone) == []
        world.clock.reach(minute(8))
        assert await other.authorize() == NOT_NOW[dialect]
        assert await here.start(other, 8) == NOT_NOW[dialect]
        assert await accepted(here) == 0, "no energy before the answer"
        (question,) = await asked(phone)
        assert (question["station"], question["last2"], question["reply"]) == ("Garage CP2", "F6", "waiting")
        assert await answers(phone, "yes", question) == 200
        assert await other.authorize() == "Accepted"
        assert await here.start(other, 9, **({"connector": 2} if dialect == "ocpp1.6" else {})) == "Accepted"
        assert await accepted(here) == 1
        assert await here.kinds() == [(FAR, "open", "mine")]
        assert await asked(phone) == []


@both
async def test_no_blocks_the_card_and_settles_the_finding(world: World, dialect: str) -> None:
    async with (
        scene(world, SUSPECT) as here,
        voice(world, dialect, "CP1") as one,
        voice(world, dialect, "CP2") as other,
    ):
        phone = await here.driver()
        assert await one.authorize() == "Accepted"
        world.clock.reach(minute(8))
        assert await other.authorize() == NOT_NOW[dialect]
        (question,) = await asked(phone)
        assert await answers(phone, "no", question) == 200
        assert await other.authorize() == await one.authorize() == "Blocked"
        assert await here.kinds() == [(FAR, "confirmed", "not_mine")]
        assert len(await world.alarms("TapDenied")) == 1, "staff sees it"
        assert await answers(phone, "yes", question) == 409
        assert await here.start(other, 9) == "Blocked"
        assert await accepted(here) == 0


@both
async def test_a_late_answer_lets_nothing_flow(world: World, dialect: str) -> None:
    async with (
        scene(world, SUSPECT) as here,
        voice(world, dialect, "CP1") as one,
        voice(world, dialect, "CP2") as other,
    ):
        phone = await here.driver()
        assert await one.authorize() == "Accepted"
        world.clock.reach(minute(8))
        assert await other.authorize() == NOT_NOW[dialect]
        (question,) = await asked(phone)
        world.clock.skip(minutes=2, seconds=1)
        assert await asked(phone) == []
        assert await answers(phone, "yes", question) == 409
        assert await here.start(other, 11) == NOT_NOW[dialect]
        assert await accepted(here) == 0
        assert len(await asked(phone)) == 1, "the next tap asks again"
        await here.watch.look()
        assert sorted(row.answer for row in await world.door.rows(step_up)) == ["late", "waiting"]


async def test_of_many_answers_at_once_one_counts(world: World) -> None:
    async with scene(world, SUSPECT) as here, world.v16("CP1") as one, world.v16("CP2") as other:
        phone = await here.driver()
        assert await one.authorize() == "Accepted"
        world.clock.reach(minute(8))
        assert await other.authorize() == "Blocked"
        (question,) = await asked(phone)
        statuses = await asyncio.gather(*(answers(phone, "yes", question) for _ in range(10)))
        assert sorted(statuses) == [200] + [409] * 9


async def test_a_yes_is_good_at_that_station_for_five_minutes(world: World) -> None:
    async with scene(world, SUSPECT) as here, world.v16("CP1") as one, world.v201("CP2") as other:
        phone = await here.driver()
        assert await one.authorize() == "Accepted"
        world.clock.reach(minute(8))
        assert await other.authorize() == "NotAtThisTime"
        (question,) = await asked(phone)
        assert await answers(phone, "yes", question) == 200
        assert await one.authorize() == "Blocked", "a yes at one place is none at another"
        world.clock.skip(minutes=5, seconds=1)
        assert await other.authorize() == "NotAtThisTime"


async def test_nobody_wears_a_holder_down(world: World) -> None:
    """Three questions within the hour without a yes, and there is no fourth."""
    async with scene(world, SUSPECT) as here, world.v16("CP1") as one, world.v16("CP2") as other:
        phone = await here.driver()
        assert await one.authorize() == "Accepted"
        world.clock.reach(minute(8))
        for _ in range(6):
            assert await other.authorize() == "Blocked"
            assert await other.authorize() == "Blocked"
            world.clock.skip(minutes=2, seconds=1)
        assert len(await world.door.rows(step_up)) == 3
        assert await asked(phone) == []


async def test_a_holder_without_an_account_is_not_asked_and_the_card_waits_for_support(world: World) -> None:
    async with scene(world, SUSPECT) as here, world.v16("CP1") as one, world.v16("CP2") as other:
        assert await one.authorize() == "Accepted"
        world.clock.reach(minute(8))
        assert await other.authorize() == "Blocked"
        assert await world.door.rows(step_up) == []
        assert await here.kinds() == [(FAR, "open", "nothing")]


async def test_cards_that_are_only_a_number_are_always_asked_about_and_others_are_not(world: World) -> None:
    async with scene(world, StepUp.NUMBER_ONLY, max_sessions=5) as here, world.v16("CP1") as one:
        phone = await here.driver()
        assert await one.authorize() == "Blocked"
        (question,) = await asked(phone)
        assert await answers(phone, "yes", question) == 200
        assert await one.authorize() == "Accepted"
        assert await here.start(one, 1) == "Accepted"
        world.clock.skip(minutes=10)
        assert await one.authorize() == "Accepted", "to end what runs nobody is asked"
        async with world.door.store.unit() as unit:
            await unit.connection.execute(card.update().values(strength=Strength.SECURE.value))
        async with world.v16("CP4") as other:
            assert await other.authorize() == "Accepted"


async def test_a_no_without_suspicion_is_a_finding_of_its_own(world: World) -> None:
    async with scene(world, StepUp.NUMBER_ONLY) as here, world.v16("CP1") as one:
        phone = await here.driver()
        assert await one.authorize() == "Blocked"
        (question,) = await asked(phone)
        assert await answers(phone, "no", question) == 200
        assert await one.authorize() == "Blocked"
        assert await here.kinds() == [("denied", "confirmed", "not_mine")]


async def test_another_drivers_question_does_not_exist(world: World) -> None:
    async with scene(world, SUSPECT) as here, world.v16("CP1") as one, world.v16("CP2") as other:
        phone = await here.driver()
        await world.enroll("04EE00EE00EE11")
        stranger = await here.driver("stan", "04EE00EE00EE11")
        assert await one.authorize() == "Accepted"
        world.clock.reach(minute(8))
        assert await other.authorize() == "Blocked"
        (question,) = await asked(phone)
        assert await asked(stranger) == []
        tried = await stranger.post(f"/api/v1/questions/{question['id']}", json={"answer": "yes"})
        nothing = await stranger.post(f"/api/v1/questions/{'0' * 24}", json={"answer": "yes"})
        assert tried.status_code == nothing.status_code == 404
        assert tried.text == nothing.text
        assert await answers(phone, "yes", question) == 200


async def test_its_holder_is_told_once_and_in_words(world: World) -> None:
    async with scene(world, SUSPECT) as here, world.v16("CP1") as one, world.v16("CP2") as other:
        phone = await here.driver()
        assert await one.authorize() == "Accepted"
        world.clock.reach(minute(8))
        assert await other.authorize() == "Blocked"
        for _ in range(2):
            await here.watch.look()
        told = (await phone.get("/api/v1/notices")).json()
        assert sorted(one["kind"] for one in told["items"]) == [FAR, "question"]
        assert told["unread"] == 2
        text = next(one["text"] for one in told["items"] if one["kind"] == FAR)
        assert "Card ••F6 was tapped at Garage CP2 at 2026-03-01 12:08 (UTC)" in text
        first = told["items"][0]["id"]
        assert (await phone.post(f"/api/v1/notices/{first}/read")).status_code == 204
        assert (await phone.get("/api/v1/notices")).json()["unread"] == 1
        rows = await world.door.rows(notice)
        assert len(rows) == 2
        assert sorted(letter.kind for letter in await world.door.rows(mail)) == [FAR, "question"]
        assert not any(b"Garage" in bytes(row.sealed) for row in rows)


@pytest.mark.parametrize("path", ["/api/v1/questions", "/api/v1/notices"])
async def test_these_are_for_people_and_their_own(world: World, path: str) -> None:
    async with scene(world) as here:
        assert (await here.house.api.get(path)).status_code == 403
        assert (await here.house.client().get(path)).status_code == 401
