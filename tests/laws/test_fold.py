"""Laws for all sessions: order, repetition, loss-and-resend and restarts of ours lead to the same session."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import select

from wattkeeper.bus.memory import MemoryBus
from wattkeeper.charging.cards.token import Presented
from wattkeeper.charging.facts import (
    ChargingState,
    MetersRead,
    SessionEnded,
    SessionFact,
    SessionOpened,
    SessionUpdated,
)
from wattkeeper.charging.meter import fold as fold_readings
from wattkeeper.charging.reading import Context, Reading
from wattkeeper.charging.session import Session
from wattkeeper.operations.intake import Intake
from wattkeeper.operations.rebuild import rebuild
from wattkeeper.operations.safe import open_safe
from wattkeeper.settings import load
from wattkeeper.store.engines import Store
from wattkeeper.store.fold import decode
from wattkeeper.store.migrate import migrate
from wattkeeper.store.tables import DERIVED, reading, session

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CARD = Presented("04A1B2C3D4E5F6")
ENOUGH = settings(max_examples=25, deadline=None)


@cache
def migrated() -> bytes:
    """An empty database, as a file: migrated once, for every example."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "empty.db"
        asyncio.run(migrate(f"sqlite:///{file}"))
        sqlite3.connect(file).execute("PRAGMA wal_checkpoint(TRUNCATE)").connection.close()
        return file.read_bytes()


@asynccontextmanager
async def intake() -> AsyncIterator[tuple[Intake, Store]]:
    """An intake on an empty database of its own."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "law.db"
        file.write_bytes(await asyncio.to_thread(migrated))
        store = Store(f"sqlite:///{file}")
        one = Intake(store, await open_safe(store, Path(folder) / "root.key"), MemoryBus(), load({}))
        await one.start()
        try:
            yield one, store
        finally:
            await one.stop()
            await store.close()


async def derived(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """All that is derived from the journal, row by row."""
    async with store.read() as connection:
        tables = {t.name: await connection.execute(select(t).order_by(*t.primary_key)) for t in DERIVED}
        return {name: [tuple(row) for row in rows] for name, rows in tables.items()}


async def the_session(store: Store) -> tuple[Session, list[tuple[Any, ...]]]:
    """The only session, without what was drawn for this installation; and its readings."""
    async with store.read() as connection:
        folds = (await connection.execute(select(session.c.fold))).scalars().all()
        assert len(folds) == 1
        columns = [c for c in reading.columns if c.name not in ("session_id", "n", "place")]
        rows = await connection.execute(select(*columns).order_by(reading.c.at))
        return replace(decode(folds[0]), id="", ref=None, key="", token=None), [tuple(row) for row in rows]


@st.composite
def readings(draw: st.DrawFn, most: int = 8) -> list[Reading]:
    """Readings of one session in order: a register that never falls, at distinct instants."""
    register, found = Decimal(draw(st.integers(0, 5_000_000))), []
    seconds = 0
    for _ in range(draw(st.integers(0, most))):
        seconds += draw(st.integers(1, 3000))
        register += draw(st.integers(0, 2_000))
        power = draw(st.one_of(st.none(), st.integers(0, 22_000).map(Decimal)))
        found.append(Reading(NOON + timedelta(seconds=seconds), energy_wh=register, power_w=power))
    return found


def told_in_v201(course: Sequence[Reading]) -> list[SessionFact]:
    """A session as a 2.0.1 station tells it: numbered events."""
    start, end = NOON, (course[-1].at if course else NOON) + timedelta(seconds=30)
    facts: list[SessionFact] = [SessionOpened(at=start, ref="T-1", seq=0, evse=1, connector=1)]
    for seq, one in enumerate(course, 1):
        state = ChargingState.CHARGING if seq % 3 else ChargingState.SUSPENDED_EV
        facts.append(SessionUpdated(at=one.at, ref="T-1", seq=seq, charging=state, readings=(one,)))
    last = Reading(end, Context.END, energy_wh=course[-1].energy_wh if course else Decimal(0))
    return [*facts, SessionEnded(at=end, ref="T-1", seq=len(facts), readings=(last,), reason="EVDisconnected")]


@st.composite
def disordered(draw: st.DrawFn, facts: Sequence[SessionFact]) -> list[SessionFact]:
    """The same facts in any order, some of them more than once."""
    again = draw(st.lists(st.sampled_from(list(facts)), max_size=6))
    return draw(st.permutations([*facts, *again]))


async def _fold(facts: Sequence[SessionFact]) -> tuple[Session, list[tuple[Any, ...]]]:
    async with intake() as (one, store):
        for fact in facts:
            await one.record("CP1", fact)
        return await the_session(store)


@pytest.mark.long
@ENOUGH
@given(data=st.data())
def test_any_order_and_repetition_of_numbered_events_is_one_session(data: st.DataObject) -> None:
    """2.x: whichever way the events come, the session, its readings, findings and energy are the same."""
    facts = told_in_v201(data.draw(readings()))
    assert asyncio.run(_fold(data.draw(disordered(facts)))) == asyncio.run(_fold(facts))


async def _fold_v16(order: Sequence[int], course: Sequence[Reading]) -> tuple[Session, list[tuple[Any, ...]]]:
    """1.6: the start first (its answer gives the transaction id), the rest in the order given, starts repeated."""
    end = (course[-1].at if course else NOON) + timedelta(seconds=30)
    start = SessionOpened(at=NOON, evse=1, register_wh=Decimal(0))
    async with intake() as (one, store):
        ref = str((await one.record("CP1", start, token=CARD)).number)
        facts: list[SessionFact] = [MetersRead(at=r.at, ref=ref, evse=1, readings=(r,)) for r in course]
        facts.append(SessionEnded(at=end, ref=ref, register_wh=course[-1].energy_wh if course else Decimal(0)))
        facts.append(start)
        for index in order:
            token = CARD if facts[index] is start else None
            answer = await one.record("CP1", facts[index], token=token)
            assert facts[index] is not start or str(answer.number) == ref
        return await the_session(store)


@pytest.mark.long
@ENOUGH
@given(data=st.data())
def test_any_order_and_repetition_after_a_start_is_one_session(data: st.DataObject) -> None:
    """1.6: readings and stop in any order and number, the start repeated at any moment."""
    course = data.draw(readings())
    straight = list(range(len(course) + 2))
    again = data.draw(st.lists(st.sampled_from(straight), max_size=6))
    order = data.draw(st.permutations([*straight, *again]))
    assert asyncio.run(_fold_v16(order, course)) == asyncio.run(_fold_v16(straight, course))


@ENOUGH
@given(data=st.data())
def test_the_energy_never_shrinks(data: st.DataObject) -> None:
    """Whatever registers are told, even falling ones, the energy of a session only grows as readings go on."""
    registers = data.draw(st.lists(st.integers(0, 10**7), max_size=20))
    course = [
        Reading(NOON + timedelta(minutes=minute), energy_wh=Decimal(register))
        for minute, register in enumerate(registers)
    ]
    energies = [fold_readings(course[:count], Decimal(22_000)).energy_wh or 0 for count in range(len(course) + 1)]
    assert energies == sorted(energies)


async def _rebuilt(facts: Sequence[SessionFact]) -> tuple[object, object]:
    async with intake() as (one, store):
        await asyncio.gather(*(one.record(f"CP{index % 2}", fact) for index, fact in enumerate(facts)))
        before = await derived(store)
        await rebuild(store)
        return before, await derived(store)


@ENOUGH
@given(data=st.data())
def test_rebuild_changes_nothing(data: st.DataObject) -> None:
    """Everything derived can be dropped and folded again from the journal, to the same rows."""
    facts = told_in_v201(data.draw(readings()))
    before, after = asyncio.run(_rebuilt(data.draw(disordered(facts))))
    assert after == before
