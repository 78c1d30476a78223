"""2.0.1 events out of order, missing, twice, late by days, without an EVSE or a card."""

from __future__ import annotations

import itertools
import json
from datetime import timedelta
from typing import Any

import pytest

from tests.stories.world import CARD, FindingCode, Grade, SessionState, Voice201, World, found, grade, minute, stamp

EVENTS: list[tuple[str, int, float, dict[str, Any]]] = [
    ("Started", 0, 0, {"card": CARD, "wh": 1000, "context": "Transaction.Begin", "trigger": "Authorized"}),
    ("Updated", 1, 5, {"wh": 1600, "state": "Charging"}),
    ("Updated", 2, 10, {"wh": 2200, "state": "SuspendedEV"}),
    ("Ended", 3, 15, {"wh": 2300, "context": "Transaction.End", "info": {"stoppedReason": "EVDisconnected"}}),
]


async def tell(cp: Voice201, *which: int, tx: str = "T", **more: Any) -> None:
    """Tell some of the events."""
    for index in which:
        kind, seq, at, words = EVENTS[index]
        await cp.event(kind, tx, seq, at, **(words | more))


@pytest.mark.parametrize("order", [*list(itertools.permutations(range(4)))[1::5], (3, 2, 1, 0), (1, 3, 0, 2)])
async def test_events_in_any_order_are_one_session(world: World, order: tuple[int, ...]) -> None:
    await world.enroll(max_sessions=2)
    async with world.v201("CP1") as one, world.v201("CP2") as other:
        await tell(one, 0, 1, 2, 3)
        await tell(other, *order, order[0], order[-1])
    (straight,), (tangled,) = await world.sessions("CP1"), await world.sessions("CP2")
    assert (tangled.energy_wh, found(tangled), tangled.state) == (1300, {}, SessionState.ENDED)
    for name in ("opened", "ended", "verdict", "token", "phase", "seqs", "track", "first_at", "last_at", "evse"):
        assert getattr(tangled, name) == getattr(straight, name), name
    assert await world.registers(tangled) == await world.registers(straight)


async def test_a_gap_is_a_finding_until_what_is_missing_comes(world: World) -> None:
    await world.enroll()
    async with world.v201("CP1") as cp:
        await tell(cp, 0, 3)
        session = await world.the_session()
        assert found(session) == {FindingCode.MESSAGES_MISSING: {"count": "2", "numbers": "1 to 2"}}
        assert grade(session) is Grade.RECONSTRUCTED
        await tell(cp, 2)
        assert found(await world.the_session()) == {FindingCode.MESSAGES_MISSING: {"count": "1", "numbers": "1"}}
        await tell(cp, 1)
    session = await world.the_session()
    assert (found(session), grade(session), session.energy_wh) == ({}, Grade.MEASURED, 1300)


async def test_a_missing_start_is_a_finding_until_it_comes(world: World) -> None:
    await world.enroll()
    async with world.v201("CP1") as cp:
        await tell(cp, 1, 2)
        session = await world.the_session()
        assert found(session).keys() == {FindingCode.MESSAGES_MISSING, FindingCode.START_MISSING}
        assert (session.started_at, session.token) == (minute(5), None)
        await tell(cp, 0)
        session = await world.the_session()
        assert (found(session), session.started_at, session.energy_wh) == ({}, minute(0), 1200)
        assert session.token is not None


async def test_events_after_the_end_do_not_reopen_it(world: World) -> None:
    await world.enroll()
    async with world.v201("CP1") as cp:
        await tell(cp, 0, 1, 2, 3)
        await cp.event("Updated", "T", 4, 20, wh=9000, state="Charging")
        await cp.event("Updated", "T", 4, 20, wh=9000, state="Charging")
        await cp.event("Started", "T", 0, 0, wh=1000, context="Transaction.Begin")
    session = await world.the_session()
    assert (session.state, session.energy_wh, session.ended_at) == (SessionState.ENDED, 1300, minute(15))
    assert found(session) == {FindingCode.READINGS_AFTER_END: {"count": "1"}}


async def test_a_backlog_of_days_is_one_complete_session(world: World) -> None:
    """The station was offline; its backlog comes after others of its sessions, and ends nothing that runs."""
    await world.enroll(max_sessions=3)
    world.clock.skip(days=5)
    async with world.v201("CP1") as cp:
        await cp.event("Started", "new", 0, world.clock.now, card=CARD, wh=50_000, context="Transaction.Begin")
        await tell(cp, 0, 1, 2, 3, more={"offline": True})
        await cp.event("Updated", "new", 1, world.clock.now + timedelta(minutes=5), wh=51_000)
    late, running = await world.sessions()
    assert (late.ref, late.energy_wh, late.ended_at) == ("T", 1300, minute(15))
    assert found(late) == {FindingCode.TOLD_OFFLINE: {}}
    assert grade(late) is Grade.MEASURED
    assert (running.is_live, running.energy_wh, found(running)) == (True, 1000, {})


async def test_the_evse_may_come_later(world: World) -> None:
    """Q51; by then another session may occupy it: the one that began earlier gives way."""
    await world.enroll(max_sessions=3)
    async with world.v201("CP1") as cp:
        await cp.event("Started", "A", 0, 0, card=CARD, evse=None, wh=1000)
        await cp.event("Started", "B", 0, 1, card=CARD, evse=1, wh=1500)
        assert [s.is_live for s in await world.sessions()] == [True, True]
        await cp.event("Updated", "A", 1, 2, evse=1, wh=1600)
        assert [s.state for s in await world.sessions()] == [SessionState.ESTIMATED, SessionState.OPEN]
        await cp.event("Ended", "A", 2, 3, evse=None, wh=1700, context="Transaction.End")
        await cp.event("Updated", "B", 1, 4, evse=None, wh=1800)
    first, second = await world.sessions()
    assert (first.evse, first.state, first.energy_wh) == (1, SessionState.ENDED, 700)
    assert (second.evse, second.energy_wh) == (1, 300)


async def test_the_card_may_come_later(world: World) -> None:
    """Plugged in first, tapped afterwards; and the verdict is that of the first card, in whichever order it comes."""
    ref = await world.enroll(max_sessions=2)
    async with world.v201("CP1") as one, world.v201("CP2") as other:
        for cp, order in ((one, (0, 1, 2)), (other, (2, 1, 0))):
            for seq in order:
                card = {1: CARD, 2: "04FFFFFFFFFFFF"}.get(seq)
                answer = await cp.event("Updated" if seq else "Started", "T", seq, seq, card=card, wh=1000)
                assert ("idTokenInfo" in answer) is (card is not None)
    for session in await world.sessions():
        assert (session.token, session.verdict) == (ref, "accepted")
        assert found(session) == {}


async def test_events_of_one_transaction_all_at_once(world: World) -> None:
    """Sent without waiting for answers, and all again, as some stations do after a reconnect."""
    await world.enroll()
    world.clock.reach(15)
    async with world.v201("CP1") as cp:
        for seq, (kind, at) in enumerate(
            [("Started", 0), *(("Updated", at) for at in range(1, 30)), ("Ended", 30)] * 2
        ):
            info, value = {"transactionId": "T"}, {"value": 1000 + 100 * at}
            told = {"eventType": kind, "timestamp": stamp(at / 2), "triggerReason": "Trigger", "seqNo": at}
            told |= {"transactionInfo": info, "meterValue": [{"timestamp": stamp(at / 2), "sampledValue": [value]}]}
            await cp.station.send(json.dumps([2, f"m{seq}", "TransactionEvent", told | {"evse": {"id": 1}}]))
        answers = [await cp.station.hear() for _ in range(62)]
    assert [answer[:2] for answer in answers] == [[3, f"m{seq}"] for seq in range(62)]
    session = await world.the_session()
    assert (session.energy_wh, session.seqs, found(session)) == (3000, ((0, 30),), {})
    assert len(await world.readings(session)) == 31
