"""Stops that are repeated, contradict, name nothing or something unknown; readings early, late and astray."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.stories.world import CARD, FindingCode, Grade, SessionState, World, found, grade, minute
from wattkeeper.charging.evidence import findings, say
from wattkeeper.charging.facts import MetersRead


async def test_a_stop_repeated_changes_nothing(world: World) -> None:
    await world.enroll()
    async with world.v16("CP1") as cp:
        tx = await cp.start(0, 1000)
        answers = [await cp.stop(tx, 10, 3000, idTag=CARD) for _ in range(2)]
        before = await world.the_session()
        world.clock.skip(days=2)
        answers.append(await cp.stop(tx, 10, 3000, idTag=CARD))
    assert answers[0] == answers[1]
    assert [answer["idTagInfo"]["status"] for answer in answers] == ["Accepted"] * 3
    assert await world.the_session() == before
    assert await world.registers(before) == [(0, 1000), (10, 3000)]
    assert grade(before) is Grade.MEASURED


@pytest.mark.parametrize(("at", "meter"), [(10, 5000), (12, 5000), (8, 5000), (10, 2500), (12, 2500), (8, 2500)])
async def test_the_first_of_two_stops_stands(world: World, at: float, meter: int) -> None:
    """C4: a second stop with another register is a finding, and nothing of it enters the energy."""
    await world.enroll()
    async with world.v16("CP1") as cp:
        tx = await cp.start(0, 1000)
        await cp.read(tx, 5, wh=2000)
        await cp.stop(tx, 10, 3000)
        assert await cp.stop(tx, at, meter, reason="PowerLoss") == {}
        assert await cp.stop(tx, at, meter, reason="PowerLoss") == {}
    session = await world.the_session()
    assert (session.energy_wh, session.ended_at) == (2000, minute(10))
    assert found(session) == {FindingCode.END_CONFLICT: {"other_register_wh": str(meter), "other_reason": "PowerLoss"}}
    assert grade(session) is Grade.DISPUTED
    assert await world.registers(session) == [(0, 1000), (5, 2000), (10, 3000)]


@pytest.mark.parametrize(("at", "meter"), [(10, 5000), (12, 5000), (8, 2500)])
async def test_the_first_of_two_ends_stands_in_v201(world: World, at: float, meter: int) -> None:
    await world.enroll()
    async with world.v201("CP1") as cp:
        await cp.event("Started", "T", 0, 0, card=CARD, wh=1000, context="Transaction.Begin")
        await cp.event("Updated", "T", 1, 5, wh=2000)
        await cp.event("Ended", "T", 2, 10, wh=3000, context="Transaction.End")
        for _ in range(2):
            await cp.event(
                "Ended", "T", 2, at, wh=meter, context="Transaction.End", info={"stoppedReason": "PowerLoss"}
            )
    session = await world.the_session()
    assert (session.energy_wh, session.ended_at) == (2000, minute(10))
    assert found(session) == {FindingCode.END_CONFLICT: {"other_register_wh": str(meter), "other_reason": "PowerLoss"}}
    assert await world.registers(session) == [(0, 1000), (5, 2000), (10, 3000)]


async def test_a_stop_repeated_at_a_later_time_is_one_stop(world: World) -> None:
    """Q15: a station that restamps its stop when it sends it again."""
    await world.enroll()
    async with world.v16("CP1") as cp:
        tx = await cp.start(0, 1000)
        await cp.stop(tx, 10, 3000)
        await cp.stop(tx, 25, 3000, reason="PowerLoss")
    session = await world.the_session()
    assert (session.energy_wh, session.ended_at, found(session)) == (2000, minute(10), {})


async def test_a_stop_for_an_unknown_transaction_is_kept_and_never_billed_alone(world: World) -> None:
    """Q01, Q16, C5."""
    async with world.v16("CP1") as cp:
        for _ in range(3):
            assert await cp.stop(4711, 10, 3000) == {}
        await cp.start(20, 3000)
    orphan, other = await world.sessions()
    assert (orphan.ref, orphan.state, orphan.opened, orphan.energy_wh) == ("4711", SessionState.ENDED, None, None)
    assert FindingCode.START_MISSING in found(orphan)
    assert grade(orphan) is not Grade.MEASURED
    assert other.is_live


@pytest.mark.parametrize("lost", [-1, 0])
async def test_a_stop_that_lost_its_transaction_ends_the_one_that_it_can_mean(world: World, lost: int) -> None:
    """Q02: -1 after an offline start; the same stop again is no second session."""
    await world.enroll()
    async with world.v16("CP1") as cp:
        await cp.start(0, 1000)
        for _ in range(2):
            await cp.stop(lost, 10, 3000)
    await world.restart()
    async with world.v16("CP1") as cp:
        await cp.stop(lost, 10, 3000)
    session = await world.the_session()
    assert (session.state, session.energy_wh, session.ended_at) == (SessionState.ENDED, 2000, minute(10))
    assert grade(session) is Grade.MEASURED


async def test_a_lost_stop_that_could_mean_two_sessions_ends_neither(world: World) -> None:
    async with world.v16("CP1") as cp:
        await cp.start(0, 1000, connector=1)
        await cp.start(1, 5000, connector=2)
        for _ in range(2):
            assert await cp.stop(-1, 10, 6000) == {}
    sessions = await world.sessions()
    assert [s.is_live for s in sessions] == [True, True, False]
    assert sessions[2].opened is None


async def test_a_lost_stop_with_the_card_of_one_of_two_sessions_ends_that(world: World) -> None:
    async with world.v16("CP1") as cp:
        await cp.start(0, 1000, connector=1, card="AAAA0001")
        await cp.start(1, 5000, connector=2, card="AAAA0002")
        await cp.stop(-1, 10, 6000, idTag="AAAA0002")
    assert [s.is_live for s in await world.sessions()] == [True, False]


async def test_readings_find_their_session_by_place_where_they_name_none(world: World) -> None:
    """Q04, Q05: transaction 0, none, an unknown one; the main meter and another connector belong to nobody here."""
    async with world.v16("CP1") as cp:
        tx = await cp.start(0, 1000)
        await cp.read(0, 1, wh=1100)
        await cp.read(None, 2, wh=1200)
        await cp.read(99, 3, wh=1300)
        await cp.read(tx, 4, wh=1400, connector=0)
        await cp.read(None, 6, wh=77, connector=0)
        await cp.read(0, 7, wh=88, connector=0)
        await cp.read(None, 8, wh=99, connector=2)
    session = await world.the_session()
    assert await world.registers(session) == [(m, 1000 + 100 * m) for m in range(5)]
    assert await world.registers(None) == [(6, 77), (7, 88), (8, 99)]
    assert (session.evse, session.energy_wh) == (1, 400)


async def test_a_reading_of_another_connector_is_kept_and_not_counted(world: World) -> None:
    """C11: it names the transaction of connector 1, and was taken at connector 2."""
    await world.enroll(max_sessions=2)
    async with world.v16("CP1") as cp:
        tx = await cp.start(0, 1000)
        await cp.read(tx, 5, wh=80_000, connector=2)
        await cp.start(6, 80_000, connector=2)
        await cp.read(tx, 7, wh=80_100, connector=2)
        await cp.stop(tx, 10, 2000)
    session, other = await world.sessions()
    assert (session.energy_wh, other.energy_wh) == (1000, 0)
    assert found(session) == {FindingCode.STATION_DEVIATES: {"codes": "other_connector"}}
    assert await world.registers(session) == [(0, 1000), (10, 2000)]
    assert await world.registers(None) == []
    told = await world.door.facts(MetersRead)
    assert [one["readings"][0]["energy_wh"] for one in told] == ["80000", "80100"]


async def test_readings_after_the_stop_are_kept_and_not_counted(world: World) -> None:
    """C11; however often they are told."""
    await world.enroll()
    async with world.v16("CP1") as cp:
        tx = await cp.start(0, 1000)
        await cp.stop(tx, 10, 2000)
        for _ in range(2):
            await cp.read(tx, 11, wh=2600)
            await cp.read(tx, 12, wh=2700)
        await cp.read(tx, 11.5, wh=2650)
    session = await world.the_session()
    assert session.energy_wh == 1000
    assert found(session) == {FindingCode.READINGS_AFTER_END: {"count": "3"}}
    assert [m for m, _ in await world.registers(session)] == [0, 10, 11, 11.5, 12]


async def test_late_readings_are_folded_at_their_instants(world: World) -> None:
    """After the stop, readings from before it arrive; the gap closes and the peak is found."""
    await world.enroll()
    async with world.v16("CP1") as cp:
        tx = await cp.start(0, 1000)
        await cp.stop(tx, 60, 9000)
        assert FindingCode.GAP in found(await world.the_session())
        await cp.read(tx, 40, wh=7000, w=3000)
        await cp.read(tx, 20, wh=3000, w=11000)
    session = await world.the_session()
    assert found(session) == {}
    assert (session.energy_wh, session.track.peak_w) == (8000, 11000)
    assert session.track.integral_wh == Decimal("2333.333")


async def test_a_late_low_register_is_a_rollback_and_the_energy_is_the_same_in_any_order(world: World) -> None:
    await world.enroll(max_sessions=2)
    course = [(5, 2000), (10, 1900), (15, 2500)]
    async with world.v16("CP1") as one, world.v16("CP2") as other:
        for cp, order in ((one, course), (other, course[::-1])):
            tx = await cp.start(0, 1000)
            for at, wh in order:
                await cp.read(tx, at, wh=f"{wh}.0")
            await cp.stop(tx, 20, 3000)
    straight, late = await world.sessions()
    assert straight.energy_wh == late.energy_wh == 2000
    assert found(straight) == found(late)
    assert [say(f) for f in findings(late)] == [
        "The energy register went back from 2.00 kWh to 1.90 kWh; energy counts on from the higher."
    ]


async def test_fine_decimals_come_to_the_same_energy_in_any_order(world: World) -> None:
    async with world.v16("CP1") as one, world.v16("CP2") as other:
        for cp, order in ((one, (5, 10)), (other, (10, 5))):
            tx = await cp.start(0, 1000)
            for at in order:
                await cp.read(tx, at, wh=f"{1000 + at}.123456789")
    straight, late = await world.sessions()
    assert straight.energy_wh == late.energy_wh


async def test_readings_before_their_start_is_told_are_claimed_by_it(world: World) -> None:
    """Offline: MeterValues come first, then the start that they belong to."""
    await world.enroll()
    async with world.v16("CP1") as cp:
        await cp.read(None, -5, wh=1000)
        await cp.read(-1, 5, wh=1500)
        await cp.read(0, 10, wh=1800)
        await cp.read(0, 10, wh=7, connector=2)
        tx = await cp.start(0, 1000)
        await cp.stop(tx, 15, 2000)
    session = await world.the_session()
    assert await world.registers(session) == [(0, 1000), (5, 1500), (10, 1800), (15, 2000)]
    assert await world.registers(None) == [(-5, 1000), (10, 7)]
    assert (session.energy_wh, found(session)) == (1000, {})


async def test_a_first_reading_told_before_its_start_is_one_reading_with_it(world: World) -> None:
    """Transaction.Begin at the instant of the start, sent before it: one instant, one row."""
    await world.enroll()
    async with world.v16("CP1") as cp:
        await cp.read(None, 0, context="Transaction.Begin", wh=1000, w=0)
        await cp.read(None, 5, wh=1500)
        tx = await cp.start(0, 1000)
        await cp.read(tx, 10, wh=1600)
        await cp.read(tx, 7, wh=1550)
    session = await world.the_session()
    assert await world.registers(session) == [(0, 1000), (5, 1500), (7, 1550), (10, 1600)]
    assert session.track.count == 4
    assert (await world.readings(session))[0]["power_w"] == 0


async def test_readings_are_claimed_on_a_connector_that_another_session_still_occupies(world: World) -> None:
    """The older session is closed in the same breath: never are two live at one EVSE, not even on disk."""
    async with world.v16("CP1") as cp:
        await cp.start(0, 1000, card="AAAA0001")
        await cp.stop(await cp.start(30, 5000, connector=2), 31, 5001)
        await cp.read(None, 5, wh=1500, connector=1)
        await cp.read(12345, -20, wh=800, connector=1)
        tx = await cp.start(-30, 500, card="AAAA0002")
        await cp.stop(tx, -10, 900)
    older, running, _ = await world.sessions()
    assert await world.registers(older) == [(-30, 500), (-20, 800), (-10, 900)]
    assert running.is_live


async def test_two_registers_for_one_instant_are_a_contradiction(world: World) -> None:
    """Also when both came in one message: the stop's register and its last transaction data."""
    data = [{"timestamp": "2026-03-01T12:10:00Z", "sampledValue": [{"value": "2900", "context": "Transaction.End"}]}]
    await world.enroll(max_sessions=2)
    async with world.v16("CP1") as one, world.v16("CP2") as other:
        tx = await one.start(0, 1000)
        await one.stop(tx, 10, 3000, transactionData=data)
        tx = await other.start(0, 1000)
        await other.read(tx, 10, wh=2900)
        await other.stop(tx, 10, 3000)
    sessions = await world.sessions()
    evidence = {"lower_wh": "2900", "higher_wh": "3000"}
    assert [found(s) for s in sessions] == [{FindingCode.READINGS_CONTRADICT: evidence}] * 2
    assert [s.energy_wh for s in sessions] == [2000, 2000]
