"""A station that falls silent: its session is closed by an estimate that says so, until better is known."""

from __future__ import annotations

import pytest

from tests.stories.world import CARD, FindingCode, Grade, SessionState, World, found, grade, minute
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.evidence import findings, say


async def fall_silent(world: World) -> int:
    """A session with one reading, its station gone and long unheard; the transaction id."""
    await world.enroll(max_sessions=5)
    async with world.v16("CP1") as cp:
        tx = await cp.start(0, 1000)
        await cp.read(tx, 5, wh=1500)
    assert await world.close_silent() == 0
    world.clock.skip(hours=2)
    assert await world.close_silent() == 1
    assert await world.close_silent() == 0
    return tx


async def test_a_silent_session_is_closed_by_an_estimate_that_says_so(world: World) -> None:
    await fall_silent(world)
    session = await world.the_session()
    assert (session.state, session.ended_at, session.energy_wh) == (SessionState.ESTIMATED, minute(5), 500)
    assert grade(session) is Grade.RECONSTRUCTED
    assert [say(finding) for finding in findings(session)] == [
        "The station has not told an end. Nothing was heard of it for 1 h. "
        "It was ended by estimate at the last thing known."
    ]
    assert not (await world.row(session)).live


async def test_the_true_end_replaces_the_estimate(world: World) -> None:
    tx = await fall_silent(world)
    async with world.v16("CP1") as cp:
        await cp.stop(tx, 15, 2500)
    session = await world.the_session()
    assert (session.state, session.ended_at, session.energy_wh) == (SessionState.ENDED, minute(15), 1500)
    assert (found(session), grade(session)) == ({}, Grade.MEASURED)


async def test_news_of_later_revives_the_session_and_news_of_before_does_not(world: World) -> None:
    tx = await fall_silent(world)
    async with world.v16("CP1") as cp:
        await cp.read(tx, 3, wh=1300)
        assert (await world.the_session()).state is SessionState.ESTIMATED
        await cp.read(tx, 130, wh=9000)
        session = await world.the_session()
        assert (session.is_live, session.ended_at) == (True, None)
        assert FindingCode.END_ESTIMATED not in found(session)
        world.clock.skip(hours=2)
    world.clock.skip(hours=2)
    assert await world.close_silent() == 1
    session = await world.the_session()
    assert (session.state, session.ended_at) == (SessionState.ESTIMATED, minute(130))


@pytest.mark.parametrize("at", [130, 150])
async def test_a_session_revived_on_an_occupied_connector_breaks_nothing(world: World, at: float) -> None:
    """The connector meanwhile runs another session: the one that began later occupies it."""
    tx = await fall_silent(world)
    async with world.v16("CP1") as cp:
        other = await cp.start(140, 4000)
        await cp.read(tx, at, wh=3900)
        await cp.read(tx, at + 1, wh=3950)
        await cp.read(other, 160, wh=4500)
        older, newer = await world.sessions()
        assert (older.state, newer.is_live) == (SessionState.ESTIMATED, True)
        assert found(older)[FindingCode.END_ESTIMATED]["cause"] == "superseded"
        await cp.stop(tx, 139, 3960)
        await cp.stop(other, 170, 5000)
    assert [s.energy_wh for s in await world.sessions()] == [2960, 1000]
    assert [s.state for s in await world.sessions()] == [SessionState.ENDED] * 2


async def test_a_silent_session_whose_start_is_told_again_stays_closed(world: World) -> None:
    tx = await fall_silent(world)
    async with world.v16("CP1") as cp:
        assert await cp.start(0, 1000) == tx
    assert (await world.the_session()).state is SessionState.ESTIMATED


async def test_a_station_that_still_speaks_keeps_its_session(world: World) -> None:
    """A car that is full says nothing for hours; the station's heartbeats do."""
    async with world.v16("CP1") as cp:
        await cp.start(0, 1000)
        for _ in range(4):
            world.clock.skip(minutes=40)
            await cp.say("Heartbeat", {})
            assert await world.close_silent() == 0
    assert (await world.the_session()).is_live


async def test_silence_in_v201(world: World) -> None:
    await world.enroll()
    async with world.v201("CP1") as cp:
        await cp.event("Started", "T", 0, 0, card=CARD, wh=1000, context="Transaction.Begin")
    world.clock.skip(hours=2)
    assert await world.close_silent() == 1
    await world.restart()
    async with world.v201("CP1") as cp:
        assert (await world.the_session()).state is SessionState.ESTIMATED
        await cp.event("Updated", "T", 1, 100, wh=5000, state="Charging")
        assert (await world.the_session()).state is SessionState.CHARGING
        await cp.event("Ended", "T", 2, 110, wh=6000, context="Transaction.End")
    session = await world.the_session()
    assert (session.energy_wh, session.state) == (5000, SessionState.ENDED)


async def test_a_person_closes_a_session_and_only_its_true_end_replaces_that(world: World) -> None:
    async with world.v16("CP1") as cp:
        tx = await cp.start(0, 1000)
        await cp.read(tx, 5, wh=1500)
        session = await world.the_session()
        await world.door.intake.close_session(session.id, "The car left.", "vera")
        await cp.read(tx, 10, wh=1800)
        session = await world.the_session()
        assert (session.state, session.ended_at) == (SessionState.ESTIMATED, minute(5))
        assert found(session)[FindingCode.END_ESTIMATED] == {
            "cause": "operator",
            "reason": "The car left.",
            "by": "vera",
        }
        with pytest.raises(Refusal) as refused:
            await world.door.intake.close_session(session.id, "Again.", "vera")
        assert refused.value.code is Code.CONFLICT
        await cp.stop(tx, 20, 3000)
    session = await world.the_session()
    assert (session.state, session.ended_at, session.energy_wh) == (SessionState.ENDED, minute(20), 2000)
