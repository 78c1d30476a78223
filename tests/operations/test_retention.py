"""What is kept for so many days is gone afterwards, and not before; what has no such end stays."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, insert, select

from wattkeeper.operations.retention import forget_old
from wattkeeper.store.engines import Store
from wattkeeper.store.retention import TOGETHER, passing
from wattkeeper.store.tables import card_change, mail, notice

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    """A store at noon."""
    made = Store(database, lambda: NOW)
    yield made
    await made.close()


async def _notices(store: Store, many: int, age: timedelta) -> None:
    at = NOW - age
    rows = [
        {"id": f"{age.days}-{n}", "person_id": "p", "kind": "k", "sealed": b"", "created_at": at} for n in range(many)
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
