"""H5, H8: without its root key nothing opens; where the database fails nobody is let in, and no energy is lost."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.doors import Door
from tests.web.conftest import ADDRESS, PASSWORD, House
from wattkeeper.charging.facts import SessionEnded, SessionOpened
from wattkeeper.operations.safe import open_safe
from wattkeeper.store.engines import Store
from wattkeeper.vault.keys import KeyRefused
from wattkeeper.vault.root import make_root


@pytest.fixture
def engine() -> str:
    """A disk is full by the one file; tests/vault tries the keys on both."""
    return "sqlite"


# --- H5 -------------------------------------------------------------------------------------------------


async def test_h5_a_wrong_a_missing_and_a_destroyed_root_key_open_nothing_and_the_right_one_opens_all_again(
    database: str, tmp_path: Path
) -> None:
    store, root = Store(database), tmp_path / "wattkeeper.key"
    safe = await open_safe(store, root)
    sealed = safe.seal("orders", "sealed", b"a secret")
    kept = shutil.copy2(root, tmp_path / "kept.key")

    root.unlink()
    with pytest.raises((KeyRefused, OSError)):
        await open_safe(store, root)
    assert not root.exists(), "no other key is made beside what only the lost one opens"

    make_root(root)
    with pytest.raises(KeyRefused):
        await open_safe(store, root)

    root.chmod(0o600)
    root.write_bytes(b"\0" * root.stat().st_size)
    with pytest.raises((KeyRefused, ValueError)):
        await open_safe(store, root)

    shutil.copy2(kept, root)
    assert (await open_safe(store, root)).unseal("orders", "sealed", sealed) == b"a secret"
    await store.close()


# --- H8 -------------------------------------------------------------------------------------------------


@asynccontextmanager
async def full(store: Store) -> AsyncIterator[None]:
    """The disk takes no page more while the block runs, and what was taken already is filled."""
    async with store.unit() as unit:
        await unit.connection.execute(text("CREATE TABLE filler (it BLOB)"))
    async with store.unit() as unit:
        pages = int(await unit.connection.scalar(text("PRAGMA page_count")) or 0)
        await unit.connection.execute(text(f"PRAGMA max_page_count = {pages}"))
    try:
        for size in (900, 60):
            with pytest.raises(DBAPIError, match="full"):
                await fill(store, size)
        yield
    finally:
        async with store.unit() as unit:
            await unit.connection.execute(text("PRAGMA max_page_count = 1073741823"))
        async with store.unit() as unit:
            await unit.connection.execute(text("DROP TABLE filler"))


async def fill(store: Store, size: int) -> None:
    """Write until nothing fits any more."""
    while True:
        async with store.unit() as unit:
            await unit.connection.execute(text(f"INSERT INTO filler VALUES (randomblob({size}))"))


async def test_h8_on_a_full_disk_no_station_hears_accepted_and_no_energy_is_lost(door: Door) -> None:
    async with door.plugged() as station:
        await station.boot()
        start = {"connectorId": 1, "idTag": "04A1B2C3", "meterStart": 100, "timestamp": "2026-03-01T12:00:00Z"}
        begun = await station.call("StartTransaction", start)
        tx = begun[2]["transactionId"]
        stop = {"transactionId": tx, "meterStop": 9_100, "timestamp": "2026-03-01T13:00:00Z"}
        stop["transactionData"] = [
            {"timestamp": "2026-03-01T12:30:00Z", "sampledValue": [{"value": str(n)}]} for n in range(100, 400)
        ]
        async with full(door.store):
            refused = await station.call("StopTransaction", stop)
            assert (refused[0], refused[2]) == (4, "InternalError"), "it is told to send it again"
            assert await door.facts(SessionEnded) == []
        answer = await station.call("StopTransaction", stop)
        assert answer[0] == 3
        (ended,) = await door.facts(SessionEnded)
        assert "9100" in str(ended), "what the meter showed at the end is there"
        assert len(await door.facts(SessionOpened)) == 1


@pytest.mark.parametrize("table", ["account", "login"])
async def test_h8_where_the_database_fails_nobody_signs_in_and_nobody_is_told_why(house: House, table: str) -> None:
    await house.rooms.access.make_account("olga", PASSWORD)
    wrong, right = {"name": "olga", "password": "a wrong one altogether"}, {"name": "olga", "password": PASSWORD}
    async with house.client(Origin=ADDRESS) as nobody:
        async with house.door.store.unit() as unit:
            await unit.connection.execute(text(f"ALTER TABLE {table} RENAME TO away"))
        for typed in (wrong, right):
            answer = await nobody.post("/login", data=typed)
            assert answer.status_code >= 400
            assert "set-cookie" not in answer.headers
            assert "no such table" not in answer.text and "sqlite" not in answer.text.lower()
        async with house.door.store.unit() as unit:
            await unit.connection.execute(text(f"ALTER TABLE away RENAME TO {table}"))
        answer = await nobody.post("/login", data=right)
        assert answer.status_code == 303 and "set-cookie" in answer.headers, "the control"
