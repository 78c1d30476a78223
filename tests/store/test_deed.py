"""Deeds are numbered without gaps, and stay as they were written down."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import DBAPIError

from wattkeeper.charging.deed import DeedKind
from wattkeeper.store import deed
from wattkeeper.store.engines import Store
from wattkeeper.store.migrate import migrate
from wattkeeper.store.tables import deed as table


async def test_deeds_are_written_down_in_order_and_stay(database: str) -> None:
    await migrate(database)
    store = Store(database)
    async with store.unit() as unit:
        assert await deed.enter(unit, DeedKind.CONSENT_GIVEN, "an-account", "a-person", {"purpose": "insight"}) == 1
        assert await deed.enter(unit, DeedKind.CONSENT_GIVEN, "another", "b-person", {}) == 2
        assert await deed.enter(unit, DeedKind.LOOKED, "an-account", "a-person", {}) == 3
    async with store.unit() as unit:
        found = await deed.about(unit.connection, "a-person", [DeedKind.CONSENT_GIVEN])
    assert [(one.n, one.by, one.body) for one in found] == [(1, "an-account", {"purpose": "insight"})]
    for change in (delete(table), update(table).values(by="nobody")):
        with pytest.raises(DBAPIError, match="stays as it is"):
            async with store.unit() as unit:
                await unit.connection.execute(change)
    await store.close()
