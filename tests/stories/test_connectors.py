"""Several connectors, several sessions on one connector: never two live at one EVSE, never readings mixed."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from tests.stories.world import CARD, FindingCode, SessionState, World, found, minute, stamp
from wattkeeper.charging.cards.token import Presented
from wattkeeper.charging.facts import SessionOpened
from wattkeeper.store.tables import session


async def test_two_connectors_at_once_never_mix(world: World) -> None:
    await world.enroll(max_sessions=2)
    async with world.v16("CP1") as cp:
        left = await cp.start(0, 1000, connector=1)
        right = await cp.start(1, 500_000, connector=2)
        for step in range(2, 10):
            await cp.read(left, step, wh=1000 + 100 * step, connector=1)
            await cp.read(right, step, wh=500_000 + 10 * step, connector=2)
            await cp.read(None, step + 0.5, wh=1000 + 100 * step + 50, connector=1)
            await cp.read(0, step + 0.5, wh=500_000 + 10 * step + 5, connector=2)
        await cp.stop(right, 10, 500_100)
        await cp.stop(left, 11, 2100)
    one, other = await world.sessions()
    assert (one.energy_wh, other.energy_wh) == (1100, 100)
    assert found(one) == found(other) == {}
    assert all(wh is not None and wh < 3000 for _, wh in await world.registers(one))
    assert all(wh is not None and wh >= 500_000 for _, wh in await world.registers(other))
    assert len(await world.registers(one)) == len(await world.registers(other)) == 18


async def test_a_new_start_closes_the_session_that_was_never_ended(world: World) -> None:
    """By an estimate that says so; its true end replaces it."""
    await world.enroll()
    async with world.v16("CP1") as cp:
        old = await cp.start(0, 1000)
        await cp.read(old, 5, wh=1500)
        new = await cp.start(60, 4000)
        first, second = await world.sessions()
        assert (first.state, first.ended_at, first.energy_wh) == (SessionState.ESTIMATED, minute(5), 500)
        assert found(first)[FindingCode.END_ESTIMATED] == {
            "cause": "superseded",
            "reason": "The same connector began another session.",
            "by": "wattkeeper",
        }
        assert second.is_live
        await cp.stop(old, 55, 3900)
        first, second = await world.sessions()
        assert (first.state, first.ended_at, first.energy_wh) == (SessionState.ENDED, minute(55), 2900)
        assert FindingCode.END_ESTIMATED not in found(first)
        assert second.is_live
        await cp.stop(new, 70, 4100)


async def test_a_backlog_start_older_than_the_running_session_ends_nothing(world: World) -> None:
    await world.enroll(max_sessions=5)
    async with world.v16("CP1") as cp:
        running = await cp.start(0, 5000)
        backlog = await cp.start(-60, 1000)
        await cp.read(backlog, -30, wh=2000)
        await cp.read(running, 5, wh=5500)
        older, newer = await world.sessions()
        assert (older.state, newer.is_live) == (SessionState.ESTIMATED, True)
        await cp.stop(backlog, -10, 3000)
    older, newer = await world.sessions()
    assert (older.state, older.energy_wh) == (SessionState.ENDED, 2000)
    assert (newer.is_live, newer.energy_wh) == (True, 500)


async def test_50_parallel_starts_on_one_connector_leave_one_session_live(world: World) -> None:
    """C13: all are recorded, one lives."""
    intake = world.door.intake
    starts = [
        SessionOpened(at=minute(number / 10), evse=1, connector=1, register_wh=Decimal(number)) for number in range(50)
    ]
    order = [starts[(index * 17) % 50] for index in range(50)]
    cards = [Presented(f"0400000000{index:04}") for index in range(50)]
    answers = await asyncio.gather(*(intake.record("CP1", f, token=t) for f, t in zip(order, cards, strict=True)))
    assert len({answer.number for answer in answers}) == 50
    sessions = await world.sessions()
    assert len(sessions) == 50
    assert [s.is_live for s in sessions] == [False] * 49 + [True]


async def test_the_database_itself_refuses_a_second_live_session(world: World) -> None:
    async with world.v16("CP1") as cp:
        await cp.start(0, 1)
        await cp.start(1, 2)
    older, newer = await world.sessions()
    assert newer.is_live
    with pytest.raises(IntegrityError):
        async with world.door.store.unit() as unit:
            await unit.connection.execute(update(session).where(session.c.id == older.id).values(live=True))
    async with world.door.store.read() as connection:
        live = select(func.count()).select_from(session).where(session.c.live)
        assert (await connection.execute(live)).scalar_one() == 1


@pytest.mark.parametrize("ahead", [timedelta(hours=3), timedelta(days=365 * 3000)])
async def test_a_start_from_the_future_does_not_hold_its_connector_for_ever(world: World, ahead: timedelta) -> None:
    """A clock that was wrong once: whoever was heard of earlier began earlier."""
    await world.enroll(max_sessions=5)
    async with world.v16("CP1") as cp:
        lost = await cp.say(
            "StartTransaction",
            {"connectorId": 1, "idTag": CARD, "meterStart": 1000, "timestamp": stamp(minute(0) + ahead)},
        )
        true = await cp.start(10, 2000)
        await cp.read(true, 15, wh=2500)
        sessions = await world.sessions()
        assert [s.ref for s in sessions if s.is_live] == [str(true)]
        assert FindingCode.CLOCK_AHEAD in found(next(s for s in sessions if s.ref == str(lost["transactionId"])))
        await cp.stop(true, 20, 3000)
    assert [s.energy_wh for s in await world.sessions() if s.ref == str(true)] == [1000]


async def test_late_statuses_do_not_change_what_flows_now(world: World) -> None:
    """Q41: Available before the stop ends nothing; a status of before is no news."""
    async with world.v16("CP1") as cp:
        tx = await cp.start(0, 1000)
        await cp.status("Charging", 5)
        await cp.status("SuspendedEV", 2)
        await cp.status("Available", 6)
        session = await world.the_session()
        assert session.state is SessionState.CHARGING
        await cp.stop(tx, 7, 2000)
