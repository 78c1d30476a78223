"""A database of the first release comes along whole: its accounts still sign in, its cards belong to whom they did."""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.databases import Databases
from wattkeeper.charging.person import EVERYTHING
from wattkeeper.operations.access import Access
from wattkeeper.operations.money.payments.settling import Settling
from wattkeeper.operations.people.sign_in.password import Passwords
from wattkeeper.operations.safe import open_safe
from wattkeeper.settings import Settings
from wattkeeper.store.columns import to_micros
from wattkeeper.store.engines import Store, async_url, utc_now
from wattkeeper.store.migrate import _config, migrate
from wattkeeper.store.money import due
from wattkeeper.store.statistics import share

PASSWORD = "correct horse battery staple"


@pytest.fixture
async def first_release(databases: Databases, engine: str) -> AsyncIterator[str]:
    """A database as the first release left it: an account, somebody signed in, a card."""
    address = await databases.bare(engine)
    opened = create_async_engine(async_url(address))
    kept = await Passwords().hash(PASSWORD)
    async with opened.begin() as connection:
        await connection.run_sync(_to_first_release)
        one = {"name": "Anna Lindqvist", "kept": kept}
        for statement in (
            "INSERT INTO account VALUES (:name, :kept, 'operator', 1700000000000000)",
            "INSERT INTO card VALUES ('p1:aa', 'person:1', '\\x00', 'A7', 'active', NULL, 'crew', 1, 1700000000000000)",
            "INSERT INTO station VALUES ('CP1', 'North', 'Yard', '\\x00', '\\x00', NULL, 1700000000000000, 'x')",
        ):
            await connection.execute(text(statement), one if ":name" in statement else {})
    await opened.dispose()
    yield address
    await databases.drop(address)


def _to_first_release(connection: Connection) -> None:
    config = _config(connection)
    config.cmd_opts = argparse.Namespace()
    command.upgrade(config, "0001")


async def test_accounts_of_the_first_release_still_sign_in_and_their_names_are_sealed(
    first_release: str, tmp_path: Path
) -> None:
    await migrate(first_release)
    store = Store(first_release)
    safe = await open_safe(store, tmp_path / "root.key")
    access = Access(store, safe, Settings(staff_passkeys=False))
    for _ in range(2):
        await access.adopt()
        viewer = await access.viewer_by_cookie(await access.sign_in("Anna Lindqvist", PASSWORD, "192.0.2.1"))
        assert viewer is not None
        assert viewer.scopes == EVERYTHING
    async with store.read() as connection:
        tables = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
        assert "account_before" not in tables
        rows = (await connection.execute(text("SELECT * FROM account"))).all()
        assert len(rows) == 1
        assert b"Lindqvist" not in repr(rows).encode()
    await store.close()


async def test_cards_of_the_first_release_belong_to_whom_they_did(first_release: str) -> None:
    await migrate(first_release)
    store = Store(first_release)
    async with store.read() as connection:
        card = (await connection.execute(text("SELECT person_id, kind, offline, changed_at FROM card"))).one()
        assert tuple(card) == ("person:1", "card", "refuse", 1700000000000000)
        held = (await connection.execute(text("SELECT ref, person_id, since, until FROM holding"))).one()
        assert tuple(held) == ("p1:aa", "person:1", 1700000000000000, None)
        group = (await connection.execute(text("SELECT name, parent_id, is_master_pass, limits FROM card_group"))).one()
        assert tuple(group) == ("crew", None, False, None)
        station = (await connection.execute(text("SELECT address, is_listed FROM station"))).one()
        assert station.address == ""
        assert not station.is_listed
    await store.close()


async def test_bills_and_checks_of_signatures_begin_with_what_is_told_after_the_upgrade(
    databases: Databases, engine: str
) -> None:
    address = await databases.bare(engine)
    opened = create_async_engine(async_url(address))
    columns = "n, station_id, received_at, kind, body, words"
    entry = f"INSERT INTO journal ({columns}) VALUES (:n, 'CP1', 1, 'Booted', '{{}}', '{{}}')"
    async with opened.begin() as connection:
        await connection.run_sync(lambda sync: command.upgrade(_config(sync), "0002"))
        for n in (1, 2):
            await connection.execute(text(entry), {"n": n})
    await opened.dispose()
    await migrate(address)
    store = Store(address)
    async with store.read() as connection:
        rows = (await connection.execute(text("SELECT name, n, since FROM follower ORDER BY name"))).all()
    await store.close()
    await databases.drop(address)
    assert [(row.name, row.n) for row in rows] == [("billing", 2), ("signatures", 2)]
    assert all(abs(row.since - to_micros(utc_now())) < 600 * 1_000_000 for row in rows)


async def test_sessions_counted_before_are_counted_again_for_what_is_not_known(
    databases: Databases, engine: str
) -> None:
    address = await databases.bare(engine)
    opened = create_async_engine(async_url(address))
    columns = "id, station_id, key, state, live, grade, started_at, known_at, heard_at, last_n, fold"
    row = f"INSERT INTO session ({columns}) VALUES (:id, 'CP1', :id, 'ended', false, 'measured', 1, 1, 1, 1, '{{}}')"
    async with opened.begin() as connection:
        await connection.run_sync(lambda sync: command.upgrade(_config(sync), "0020"))
        for name in ("A", "B"):
            await connection.execute(text(row), {"id": name})
        await connection.execute(text("INSERT INTO untallied VALUES ('A', 7)"))
        await connection.execute(text("INSERT INTO load_quarter VALUES ('', 1, 5)"))
    await opened.dispose()
    await migrate(address)
    store = Store(address)
    async with store.read() as connection:
        waiting = (await connection.execute(text("SELECT session_id, at FROM untallied ORDER BY session_id"))).all()
        before = (await connection.execute(text("SELECT energy_wh, spread_wh FROM load_quarter"))).all()
    await store.close()
    await databases.drop(address)
    assert [tuple(one) for one in waiting] == [("A", 7), ("B", 1)]
    assert [tuple(one) for one in before] == [(5, 0)], "until then totals are as they were"


@pytest.mark.parametrize("before", ["0019", "0020"])
async def test_a_session_dated_ahead_is_counted_right_after_the_upgrade(
    databases: Databases, engine: str, before: str
) -> None:
    address = await databases.bare(engine)
    opened = create_async_engine(async_url(address))
    columns = "id, station_id, key, state, live, grade, started_at, known_at, heard_at, last_n, fold"
    row = f"INSERT INTO session ({columns}) VALUES ('A', 'CP1', 'A', 'ended', false, 'measured', :at, 5, 5, 1, '{{}}')"
    async with opened.begin() as connection:
        await connection.run_sync(lambda sync: command.upgrade(_config(sync), before))
        await connection.execute(text(row), {"at": to_micros(datetime(2038, 1, 19, tzinfo=UTC))})
    await opened.dispose()
    await migrate(address)
    store = Store(address)
    async with store.read() as connection:
        waiting = await share.waiting(connection, utc_now(), 9)
    await store.close()
    await databases.drop(address)
    assert waiting == ["A"]


async def test_what_was_charged_before_the_upgrade_is_owed_as_it_was(databases: Databases, engine: str) -> None:
    address = await databases.bare(engine)
    opened = create_async_engine(async_url(address))
    async with opened.begin() as connection:
        await connection.run_sync(lambda sync: command.upgrade(_config(sync), "0003"))
        for line in ("(1, 0, 'owed:x', 'EUR', 120)", "(1, 1, 'sales:y', 'EUR', -120)"):
            await connection.execute(text(f"INSERT INTO ledger_line VALUES {line}"))
        await connection.execute(text("INSERT INTO ledger_entry VALUES (1, 1, 'charge', '2026-000001', 'wattkeeper')"))
    await opened.dispose()
    await migrate(address)
    store = Store(address)
    assert await Settling(store, Settings(), has_provider=False).look() == 0
    async with store.read() as connection:
        row = (await connection.execute(text("SELECT n FROM follower WHERE name = 'settling'"))).one()
        assert (await connection.execute(text("SELECT count(*) FROM settlement"))).scalar() == 0
    await store.close()
    await databases.drop(address)
    assert row.n == 1


async def test_reliability_is_reckoned_anew_after_the_upgrade(databases: Databases, engine: str) -> None:
    address = await databases.bare(engine)
    opened = create_async_engine(async_url(address))
    async with opened.begin() as connection:
        await connection.run_sync(lambda sync: command.upgrade(_config(sync), "0021"))
        await connection.execute(text("INSERT INTO follower VALUES ('reliability', 7, 1), ('totals', 7, 1)"))
        await connection.execute(text("INSERT INTO unreckoned VALUES ('CP1', 1)"))
    await opened.dispose()
    await migrate(address)
    store = Store(address)
    async with store.read() as connection:
        followed = [(await due.followed(connection, name)).n for name in ("reliability", "totals")]
        waiting = (await connection.execute(text("SELECT * FROM unreckoned"))).all()
    await store.close()
    await databases.drop(address)
    assert followed == [0, 7] and not waiting
