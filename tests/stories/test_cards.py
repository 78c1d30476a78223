"""Who may charge: one verdict, whichever way it is asked for; and a refused start is recorded all the same."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from tests.stories.world import CARD, NOON, FindingCode, Grade, World, found, grade, minute
from wattkeeper.charging.cards.token import Authorisation, CardState, Presented
from wattkeeper.charging.facts import SessionOpened
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.operations.cards.book import Cards

OTHER = "04FFEEDDCCBBAA"
CARDS: Mapping[str, tuple[dict[str, Any] | None, str, str]] = {
    "active": ({}, "Accepted", "Accepted"),
    "good until tomorrow": ({"expires_at": NOON + timedelta(days=1)}, "Accepted", "Accepted"),
    "unknown": (None, "Invalid", "Unknown"),
    "blocked": ({"state": CardState.BLOCKED}, "Blocked", "Blocked"),
    "expired": ({"expires_at": NOON - timedelta(days=1)}, "Expired", "Expired"),
    "expiring now": ({"expires_at": NOON}, "Expired", "Expired"),
    "of a group": ({"group": "fleet"}, "Accepted", "Accepted"),
}


@pytest.mark.parametrize(("rule", "in_16", "in_201"), CARDS.values(), ids=CARDS)
async def test_every_question_gets_the_same_verdict(
    world: World, rule: dict[str, Any] | None, in_16: str, in_201: str
) -> None:
    if rule is not None:
        await world.enroll(**rule)
    async with world.v16("CP1") as cp:
        said = [await cp.authorize(), (answer := await cp.begin(0, 1000))["idTagInfo"]["status"]]
        said += [(await cp.stop(answer["transactionId"], 5, 1500, idTag=CARD))["idTagInfo"]["status"]]
        said += [await cp.authorize("04:a1-b2.c3 d4:e5:f6")]
    async with world.v201("CP2") as cp201:
        said_201 = [await cp201.authorize()]
        for kind, seq in (("Started", 0), ("Updated", 1), ("Ended", 2)):
            answer = await cp201.event(kind, "T", seq, 10 + seq, card=CARD)
            said_201 += [answer["idTokenInfo"]["status"]]
    assert said == [in_16] * 4
    assert said_201 == [in_201] * 4
    for session in await world.sessions():
        accepted = in_16 == "Accepted"
        assert (FindingCode.UNAUTHORISED in found(session)) is not accepted
        if not accepted:
            assert grade(session) is Grade.DISPUTED
        assert session.token is not None


async def test_a_card_charges_in_as_many_places_as_it_may(world: World) -> None:
    """In whichever version and at whichever station; and again once a session ends."""
    await world.enroll(max_sessions=2)
    await world.admit("CP3")
    async with world.v16("CP1") as one, world.v201("CP2") as other, world.v16("CP3") as third_place:
        first = await one.begin(0, 1000, connector=1)
        second = await other.event("Started", "T", 0, 1, card=CARD)
        third = await one.begin(2, 5000, connector=2)
        assert await one.authorize() == "Accepted", "the driver may tap to stop"
        assert await other.authorize() == "Accepted", "here too"
        assert await third_place.authorize() == "ConcurrentTx", "nothing runs here that a tap could stop"
        statuses = [a["idTagInfo"]["status"] for a in (first, third)] + [second["idTokenInfo"]["status"]]
        assert statuses == ["Accepted", "ConcurrentTx", "Accepted"]
        await one.stop(first["transactionId"], 3, 1100)
        assert await third_place.authorize() == "Accepted"
        await one.stop(third["transactionId"], 4, 5100)
        assert [await one.authorize(), await third_place.authorize()] == ["Accepted"] * 2
        assert (await one.begin(5, 6000, connector=2))["idTagInfo"]["status"] == "Accepted"
    verdicts = [s.verdict for s in await world.sessions()]
    assert verdicts == [
        Authorisation.ACCEPTED,
        Authorisation.ACCEPTED,
        Authorisation.CONCURRENT,
        Authorisation.ACCEPTED,
    ]


async def test_the_replay_of_a_start_is_not_concurrent_with_itself(world: World) -> None:
    await world.enroll()
    async with world.v16("CP1") as cp:
        for _ in range(3):
            assert (await cp.begin(0, 1000))["idTagInfo"]["status"] == "Accepted"


async def test_two_stations_start_with_one_card_at_the_same_instant(world: World) -> None:
    """C13: one of them is accepted."""
    await world.enroll()
    start = SessionOpened(at=minute(0), evse=1, connector=1)
    record = world.door.intake.record
    answers = await asyncio.gather(*(record(name, start, token=Presented(CARD)) for name in ("CP1", "CP2") * 5))
    assert {a.verdict.status for a in answers if a.verdict} == {Authorisation.ACCEPTED, Authorisation.CONCURRENT}
    assert [s.verdict for s in await world.sessions()] == [Authorisation.ACCEPTED, Authorisation.CONCURRENT]


async def test_a_silent_session_does_not_hold_its_card(world: World) -> None:
    await world.enroll()
    async with world.v16("CP1") as cp:
        await cp.start(0, 1000)
    world.clock.skip(hours=2)
    await world.close_silent()
    async with world.v16("CP2") as cp:
        assert await cp.authorize() == "Accepted"


async def test_another_card_at_the_stop_is_noted(world: World) -> None:
    await world.enroll()
    await world.enroll(OTHER)
    async with world.v16("CP1") as old, world.v201("CP2") as new:
        tx = await old.start(0, 1000)
        assert (await old.stop(tx, 5, 1500, idTag=OTHER))["idTagInfo"]["status"] == "Accepted"
        await new.event("Started", "T", 0, 6, card=CARD, wh=1, context="Transaction.Begin")
        await new.event("Ended", "T", 1, 7, card=OTHER, wh=2, context="Transaction.End")
    for session in await world.sessions():
        assert found(session) == {FindingCode.OTHER_TOKEN_AT_END: {}}
        assert grade(session) is Grade.MEASURED


async def test_a_start_without_a_card_is_recorded(world: World) -> None:
    """Free charging, and a button in the office."""
    async with world.v16("CP1") as cp:
        answer = await cp.begin(0, 1000, card=None)
        empty = await cp.begin(1, 1000, card="")
    assert answer["idTagInfo"] == empty["idTagInfo"] == {"status": "Invalid"}
    assert [s.token for s in await world.sessions()] == [None, None]


async def test_a_card_blocked_in_mid_session_does_not_stain_it(world: World) -> None:
    ref = await world.enroll()
    async with world.v16("CP1") as cp:
        tx = await cp.start(0, 1000)
        await Cards(world.door.store, world.door.safe, world.door.bus).set_state(ref, CardState.BLOCKED, VIEWER)
        assert (await cp.begin(0, 1000))["idTagInfo"]["status"] == "Blocked"
        await cp.stop(tx, 10, 2000)
    session = await world.the_session()
    assert (session.verdict, found(session)) == (Authorisation.ACCEPTED, {})
