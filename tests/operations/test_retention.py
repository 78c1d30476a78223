"""What is kept for so many days is gone afterwards, and not before; what has no such end stays."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select

from tests.operations.people import Clock
from wattkeeper.charging.deed import DeedKind
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.operations.privacy.register.legal_hold import LegalHolds, holding
from wattkeeper.operations.retention import forget_old, overdue
from wattkeeper.operations.safe import open_safe
from wattkeeper.store import deed
from wattkeeper.store.engines import Store
from wattkeeper.store.retention import TOGETHER, passing
from wattkeeper.store.tables import card_change, mail, notice, person, sighting, subject_key
from wattkeeper.store.tables import holding as holdings

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    """A store at noon."""
    made = Store(database, lambda: NOW)
    yield made
    await made.close()


async def _notices(store: Store, many: int, age: timedelta, whose: str = "p") -> None:
    at = NOW - age
    rows = [
        {"id": f"{whose}{age.days}-{n}", "person_id": whose, "kind": "k", "sealed": b"", "created_at": at}
        for n in range(many)
    ]
    async with store.unit() as unit:
        await unit.connection.execute(insert(notice), rows)


async def test_what_is_older_than_its_days_goes_and_nothing_else(store: Store) -> None:
    await _notices(store, TOGETHER + 3, timedelta(days=91))
    await _notices(store, 2, timedelta(days=89))
    async with store.unit() as unit:
        change = {"id": "c", "ref": "p1:aa", "at": NOW - timedelta(days=4000), "by": "x", "what": "Enrolled."}
        await unit.connection.execute(insert(card_change).values(change))
    assert await forget_old(store) == {"notice": TOGETHER + 3}
    assert await forget_old(store) == {}
    async with store.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(notice)) == 2
        assert await connection.scalar(select(func.count()).select_from(card_change)) == 1


def test_every_table_whose_columns_have_days_is_emptied_by_one_of_its_instants() -> None:
    tables = {table.name: kept.days for table, _, kept in passing()}
    assert tables["mail"] == 30
    assert tables["orders"] == 90
    assert {"login", "secret_link", "step_up", "enrolment", "knock", "app_code"} <= set(tables)
    assert mail in [table for table, _, _ in passing()]
    assert not {"session", "card", "account", "person", "journal", "holding"} & set(tables)


async def test_each_deletion_is_written_down_in_its_own_transaction(store: Store) -> None:
    await _notices(store, TOGETHER + 3, timedelta(days=91))
    await _notices(store, 1, timedelta(days=80))
    assert await forget_old(store) == {"notice": TOGETHER + 3}
    assert await forget_old(store) == {}
    async with store.read() as connection:
        proofs = await deed.about(connection, "", [DeedKind.DELETED])
    assert [one.body["deleted"] for one in reversed(proofs)] == [TOGETHER, 3], "and nothing where nothing was deleted"
    assert {one.body["table"] for one in proofs} == {"notice"}
    assert proofs[0].body["oldest_left"] == (NOW - timedelta(days=80)).isoformat()
    assert proofs[0].body["before"] == (NOW - timedelta(days=90)).isoformat()


async def test_what_is_held_stays_until_the_hold_ends(database: str, tmp_path: Path) -> None:
    clock = Clock()
    clock.now = NOW
    store = Store(database, clock)
    holds = LegalHolds(store, await open_safe(store, tmp_path / "root.key"))
    for whose in ("person:held", "person:free"):
        await _notices(store, 2, timedelta(days=91), whose)
        await _tapped(store, whose)
    held = await holds.set("test", "person:held", "A court asks for their letters.", NOW + timedelta(days=10))
    assert {one.table: (one.rows, one.held) for one in await overdue(store)} == {"sighting": (2, 1)}
    assert await forget_old(store) == {"notice": 2, "sighting": 1}
    async with store.unit() as unit:
        assert [row.id for row in await holding(unit, "person:held")] == [held]
        assert await holding(unit, "person:free") == []
        assert len((await unit.connection.execute(select(notice.c.id))).all()) == 2
    clock.on(days=5)
    late = await overdue(store)
    assert {(one.table, one.rows, one.held, one.is_fault) for one in late} == {
        ("notice", 2, 2, False),
        ("sighting", 1, 1, False),
    }
    await holds.end("test", held)
    assert {one.table: one.is_fault for one in await overdue(store)} == {"notice": True, "sighting": True}
    assert await forget_old(store) == {"notice": 2, "sighting": 1}
    assert await overdue(store) == []
    assert [one.reason for one in await holds.listed(ended_too=True)] == ["A court asks for their letters."]
    await store.close()


async def test_a_hold_ends_by_itself_and_says_why_it_was_set(database: str, tmp_path: Path) -> None:
    clock = Clock()
    clock.now = NOW
    store = Store(database, clock)
    holds = LegalHolds(store, await open_safe(store, tmp_path / "root.key"))
    await _tapped(store, "person:a")
    for subject, reason, days, code in (
        ("person:a", "short", 5, Code.INVALID),
        ("person:a", "A court asks.", 0, Code.INVALID),
        ("person:a", "A court asks.", 4000, Code.INVALID),
        ("person:nobody", "A court asks.", 5, Code.NOT_FOUND),
        ("", "A court asks.", 5, Code.NOT_FOUND),
    ):
        with pytest.raises(Refusal) as refused:
            await holds.set("test", subject, reason, NOW + timedelta(days=days))
        assert refused.value.code is code
    held = await holds.set("test", "person:a", "A court asks.", NOW + timedelta(days=5))
    clock.on(days=6)
    async with store.unit() as unit:
        assert await holding(unit, "person:a") == []
    with pytest.raises(Refusal):
        await holds.end("test", held)
    async with store.read() as connection:
        assert [one.body["hold"] for one in await deed.about(connection, "person:a", [DeedKind.HELD])] == [held]
    await store.close()


async def _tapped(store: Store, whose: str) -> None:
    """A person who holds a card that was seen at a station long ago."""
    at = NOW - timedelta(days=60)
    async with store.unit() as unit:
        await unit.connection.execute(insert(person).values(id=whose, created_at=at))
        await unit.connection.execute(insert(subject_key).values(subject=whose, wrapped=b"", created_at=at))
        held = {"id": whose, "ref": f"p1:{whose}", "person_id": whose, "since": at}
        await unit.connection.execute(insert(holdings).values(held))
        await unit.connection.execute(insert(sighting).values(token=f"p1:{whose}", station_id="CP1", at=at))
