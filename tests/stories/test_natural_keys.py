"""A start is known by what it says, never by how or how often it was sent."""

from __future__ import annotations

import asyncio
import json
from itertools import pairwise
from typing import Any

from tests.stories.world import CARD, World, minute, stamp
from wattkeeper.charging.cards.token import Presented
from wattkeeper.charging.facts import SessionOpened

START = {"connectorId": 1, "idTag": CARD, "meterStart": 1000, "timestamp": stamp(0)}


async def test_a_start_sent_again_is_the_same_session(world: World) -> None:
    """The same message id, a new one, after other messages, after the stop, after reconnecting."""
    await world.enroll()
    async with world.v16("CP1") as cp:
        answers = []
        for _ in range(2):
            await cp.station.send(json.dumps([2, "same", "StartTransaction", START]))
            answers.append((await cp.station.hear())[2])
        answers.append(await cp.say("StartTransaction", START))
        tx = answers[0]["transactionId"]
        await cp.read(tx, 5, wh=1500)
        answers.append(await cp.say("StartTransaction", START))
        await cp.stop(tx, 10, 2000)
        answers.append(await cp.say("StartTransaction", START))
    async with world.v16("CP1") as cp:
        answers.append(await cp.say("StartTransaction", START))
    await world.restart()
    async with world.v16("CP1") as cp:
        answers.append(await cp.say("StartTransaction", START))
    remembered = {"status": "Accepted", "expiryDate": "2026-03-01T14:00:00.000Z"}
    assert answers == [{"transactionId": tx, "idTagInfo": remembered}] * 7
    session = await world.the_session()
    assert (session.energy_wh, session.ended_at) == (1000, minute(10))
    assert len(await world.readings(session)) == 3


async def test_spelling_does_not_make_another_start(world: World) -> None:
    """The card in other letters, the register with decimals, the time with an offset."""
    async with world.v16("CP1") as cp:
        first = await cp.say("StartTransaction", START)
        spelled = {"connectorId": 1, "idTag": "04:a1:b2:c3:d4:e5:f6", "meterStart": 1000.0}
        again = await cp.say("StartTransaction", spelled | {"timestamp": "2026-03-01T13:00:00.000+01:00"})
    assert first == again
    await world.the_session()


async def test_a_different_start_is_another_session(world: World) -> None:
    differences: list[dict[str, Any]] = [
        {},
        {"connectorId": 2},
        {"idTag": "04FFEEDDCCBBAA"},
        {"meterStart": 1001},
        {"timestamp": stamp(0.001)},
    ]
    async with world.v16("CP1") as one, world.v16("CP2") as other:
        numbers = [(await one.say("StartTransaction", START | d))["transactionId"] for d in differences]
        numbers += [(await other.say("StartTransaction", START))["transactionId"]]
    assert len(set(numbers)) == len(await world.sessions()) == 6


async def test_many_sockets_worth_of_the_same_start_at_once(world: World) -> None:
    """However many arrive before the first is on disk: one session, one transaction id."""
    fact = SessionOpened(at=minute(0), evse=1, connector=1)
    card = Presented(CARD)
    answers = await asyncio.gather(*(world.door.intake.record("CP1", fact, token=card) for _ in range(300)))
    session = await world.the_session()
    assert {answer.number for answer in answers} == {int(session.ref or 0)}


async def test_transaction_ids_cannot_be_foretold(world: World) -> None:
    """Drawn from 31 bits, unique over all stations; no two follow one another, and half of all lie in each half."""
    async with world.v16("CP1") as one, world.v16("CP2") as other:
        numbers = []
        for at in range(40):
            numbers += [await cp.start(at / 100, card=None) for cp in (one, other)]
    assert len(set(numbers)) == 80
    assert all(0 < number < 2**31 for number in numbers)
    ordered = sorted(numbers)
    assert min(high - low for low, high in pairwise(ordered)) > 1
    assert 15 < sum(number < 2**30 for number in numbers) < 65
    steps = {high - low for low, high in pairwise(numbers)}
    assert len(steps) == 79


async def test_a_start_without_a_time_is_kept_and_known_again_while_it_runs(world: World) -> None:
    """Nothing but receipt tells when it was; the station still gets one transaction for one start."""
    async with world.v16("CP1") as cp:
        untimed = {key: value for key, value in START.items() if key != "timestamp"}
        first = await cp.say("StartTransaction", untimed)
        world.clock.skip(seconds=30)
        assert await cp.say("StartTransaction", untimed) == first
        await cp.stop(first["transactionId"], 10, 2000)
        world.clock.skip(hours=1)
        later = await cp.say("StartTransaction", untimed)
        assert later["transactionId"] != first["transactionId"]
    one, other = await world.sessions()
    assert "no_time" in one.deviations
    assert one.energy_wh == 1000
    assert other.is_live
