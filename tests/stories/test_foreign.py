"""Only the station that owns a session can touch it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import select

from tests.stories.world import CARD, World, found, minute
from wattkeeper.charging.session import Session
from wattkeeper.store.tables import reading, session

Attack = Callable[[Any, str], Awaitable[Any]]

V16: dict[str, Attack] = {
    "stop": lambda cp, ref: cp.stop(int(ref), 10, 99_999),
    "stop with a card": lambda cp, ref: cp.stop(int(ref), 10, 99_999, idTag=CARD),
    "readings": lambda cp, ref: cp.read(int(ref), 10, wh=99_999),
    "readings elsewhere": lambda cp, ref: cp.read(int(ref), 10, wh=99_999, connector=0),
}
V201: dict[str, Attack] = {
    "updated": lambda cp, ref: cp.event("Updated", ref, 7, 10, wh=99_999),
    "ended": lambda cp, ref: cp.event("Ended", ref, 7, 10, wh=99_999, context="Transaction.End"),
    "ended without a number": lambda cp, ref: cp.event("Ended", ref, None, 10, wh=99_999),
}


async def kept_of(world: World, one: Session) -> list[Any]:
    """Everything kept of a session: its row and those of its readings."""
    async with world.door.store.read() as connection:
        row = await connection.execute(select(session).where(session.c.id == one.id))
        rows = await connection.execute(select(reading).where(reading.c.session_id == one.id).order_by(reading.c.n))
        return [*row.all(), *rows.all()]


@pytest.mark.parametrize("live", [True, False], ids=["live", "ended"])
@pytest.mark.parametrize("attack", V16.values(), ids=V16)
async def test_c1_another_station_cannot_touch_a_session_of_v16(world: World, attack: Attack, live: bool) -> None:
    await world.enroll()
    async with world.v16("CP1") as owner:
        tx = await owner.start(0, 1000)
        await owner.read(tx, 5, wh=1500)
        if not live:
            await owner.stop(tx, 7, 1700)
        (mine,) = await world.sessions("CP1")
        before = await kept_of(world, mine)
        async with world.v16("CP2") as thief:
            answer = await attack(thief, str(tx))
    assert not answer or (answer.keys(), answer["idTagInfo"]["status"]) == ({"idTagInfo"}, "Accepted")
    assert await kept_of(world, mine) == before
    assert all(one.opened is None and one.energy_wh is None for one in await world.sessions("CP2"))
    (alarm,) = await world.alarms()
    assert (alarm["code"], alarm["station"]) == ("ForeignTransaction", "CP2")
    assert str(tx) not in alarm["summary"]


@pytest.mark.parametrize("attack", V201.values(), ids=V201)
async def test_c1_another_station_cannot_touch_a_session_of_v201(world: World, attack: Attack) -> None:
    """What it tells is kept as its own, for two stations may use one id; what it had no start for is an alarm."""
    await world.enroll()
    async with world.v201("CP1") as owner, world.v201("CP2") as thief:
        await owner.event("Started", "T-1", 0, 0, card=CARD, wh=1000)
        await owner.event("Updated", "T-1", 1, 5, wh=1500)
        (mine,) = await world.sessions("CP1")
        before = await kept_of(world, mine)
        await attack(thief, "T-1")
        await attack(thief, "T-1")
        assert await kept_of(world, mine) == before
    alarms = await world.alarms("ForeignTransaction")
    assert {alarm["station"] for alarm in alarms} == {"CP2"}
    theirs = await world.sessions("CP2")
    assert len(theirs) + len(alarms) == 2
    assert all(one.opened is None for one in theirs)


async def test_two_stations_may_use_one_transaction_id(world: World) -> None:
    """2.0.1: ids are the station's own; sessions with the same id are strangers to each other."""
    await world.enroll(max_sessions=2)
    async with world.v201("CP1") as one, world.v201("CP2") as other:
        for cp, wh in ((one, 1000), (other, 70_000)):
            await cp.event("Started", "1", 0, 0, card=CARD, wh=wh, context="Transaction.Begin")
        for cp, wh in ((other, 70_500), (one, 2000)):
            await cp.event("Updated", "1", 1, 5, wh=wh)
        for cp, wh in ((one, 3000), (other, 71_000)):
            await cp.event("Ended", "1", 2, 10, wh=wh, context="Transaction.End")
    (mine,), (theirs,) = await world.sessions("CP1"), await world.sessions("CP2")
    assert (mine.energy_wh, theirs.energy_wh) == (2000, 1000)
    assert found(mine) == found(theirs) == {}
    assert (mine.id != theirs.id, mine.ended_at, theirs.ended_at) == (True, minute(10), minute(10))
    assert await world.alarms() == []


@pytest.mark.parametrize("ref", ["0", "-1", "00", " 1", "ü", "a" * 36])
async def test_any_transaction_id_of_v201_is_one(world: World, ref: str) -> None:
    """2.0.1 ids are texts: 0 and -1 mean nothing special in them."""
    await world.enroll()
    async with world.v201("CP1") as cp:
        await cp.event("Started", ref, 0, 0, card=CARD, wh=1000, context="Transaction.Begin")
        await cp.event("Started", "other", 0, 1, evse=2, wh=5)
        await cp.event("Updated", ref, 1, 5, wh=2000, evse=None)
        await cp.event("Ended", ref, 2, 10, wh=3000, context="Transaction.End", evse=None)
    session, other = await world.sessions()
    assert (session.energy_wh, session.ended_at, session.seqs) == (2000, minute(10), ((0, 2),))
    assert found(session) == {}
    assert other.is_live
