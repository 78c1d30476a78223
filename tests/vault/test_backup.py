"""A backup is data and keys apart, made while others write; it comes back whole, without who was forgotten since."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import delete, select

from tests.databases import Databases
from tests.vault.planted import Planted
from wattkeeper.assembly import open_rooms
from wattkeeper.charging.deed import DeedKind
from wattkeeper.operations.backup import restoring
from wattkeeper.operations.backup.making import back_up
from wattkeeper.operations.backup.manifest import KEYS_FILE, MANIFEST, BackupRefused, keys_read
from wattkeeper.operations.privacy.erasure import tombstones
from wattkeeper.operations.privacy.erasure.tombstones import Tombstone
from wattkeeper.operations.safe import open_safe
from wattkeeper.settings import Settings
from wattkeeper.store import deed
from wattkeeper.store.engines import Store
from wattkeeper.store.tables import card, person, subject_key
from wattkeeper.vault.keys import KeyRefused


@dataclass
class Kept:
    """An installation with everything planted, and a backup of it."""

    settings: Settings
    store: Store
    planted: Planted
    data: Path
    keys: Path

    @property
    def empty(self) -> Settings:
        """The same settings with the database that is to be filled."""
        return replace(self.settings, database=self.target)

    target: str = ""


@pytest.fixture
async def kept(database: str, databases: Databases, engine: str, tmp_path: Path):  # type: ignore[no-untyped-def]
    settings = Settings(database=database, root_key=tmp_path / "root.key")
    store = Store(database)
    planted = await Planted.make(store, await open_safe(store, settings.root_key))
    made = Kept(settings, store, planted, tmp_path / "backup", tmp_path / "apart")
    made.target = await databases.bare(engine)
    await back_up(store, settings, made.data, made.keys, "test")
    yield made
    await store.close()


async def test_what_was_backed_up_comes_back_whole(kept: Kept) -> None:
    kept.settings.tombstones.write_text("")
    await restoring.restore(kept.empty, kept.data, kept.keys, "test")
    store = Store(kept.target)
    safe = await open_safe(store, kept.settings.root_key)
    await kept.planted.check(safe, store)
    async with store.read() as connection:
        (said,) = await deed.about(connection, "", [DeedKind.RESTORED])
    async with kept.store.read() as connection:
        (made,) = await deed.about(connection, "", [DeedKind.BACKED_UP])
    assert said.body == made.body
    await store.close()


async def test_the_data_hold_no_key_the_keys_no_data_and_neither_the_root_key(kept: Kept) -> None:
    wrapped = [one for _, one, _ in keys_read(kept.keys / KEYS_FILE)]
    assert len(wrapped) > 12
    files = [path.read_bytes() for path in (*kept.data.rglob("*"), *kept.keys.rglob("*")) if path.is_file()]
    root = kept.settings.root_key.read_bytes()
    data = b"".join(path.read_bytes() for path in (kept.data / "data").iterdir())
    for one in wrapped:
        assert one not in data
    assert not any(root[8:40] in file for file in files)
    assert all(path.stat().st_mode & 0o077 == 0 for path in kept.data.rglob("*") if path.is_file())
    assert (kept.keys / KEYS_FILE).stat().st_mode & 0o077 == 0


async def test_a_backup_that_is_made_while_others_write_is_of_one_instant(kept: Kept, tmp_path: Path) -> None:
    stop = asyncio.Event()

    async def write() -> int:
        count = 0
        while not stop.is_set():
            async with kept.store.unit() as unit:
                await kept.planted.person(unit, f"person:late{count}")
            count += 1
            await asyncio.sleep(0)
        return count

    writing = asyncio.create_task(write())
    await asyncio.sleep(0.1)
    data = tmp_path / "second"
    manifest = await back_up(kept.store, kept.settings, data, data / "keys", "test")
    stop.set()
    assert await writing > 0
    keys = {subject for subject, _, _ in keys_read(data / "keys" / KEYS_FILE)}
    tested = await restoring.check(kept.settings, data, data / "keys")
    assert tested.faults == []
    assert tested.opened > 200
    assert sum(one.startswith("person:late") for one in keys) <= manifest.tables["card"]


@pytest.mark.parametrize("engine", ["sqlite"])
async def test_what_does_not_fit_is_refused_before_anything_is_written(kept: Kept, tmp_path: Path) -> None:
    async def refused(settings: Settings, why: str, data: Path = kept.data, keys: Path = kept.keys) -> None:
        with pytest.raises((BackupRefused, KeyRefused), match=why):
            await restoring.restore(settings, data, keys, "test")
        assert not Path(kept.target.removeprefix("sqlite:///")).exists()

    await refused(kept.settings, "holds something already")
    await refused(kept.empty, "--keys", keys=tmp_path)
    await refused(kept.empty, "holds no backup", data=tmp_path)
    await refused(replace(kept.empty, database="postgresql://localhost/x"), "goes back into that alone")
    (tmp_path / "other.key").write_bytes(b"")
    await refused(replace(kept.empty, root_key=tmp_path / "missing.key"), "missing")
    changed = tmp_path / "changed"
    shutil.copytree(kept.data, changed)
    (changed / "data" / "wattkeeper.db").write_bytes(b"x" + (changed / "data" / "wattkeeper.db").read_bytes()[1:])
    await refused(kept.empty, "damaged or changed", data=changed)
    text = (changed / MANIFEST).read_text()
    (changed / MANIFEST).write_text(text.replace('"schema": "', '"schema": "9'))
    shutil.copy(kept.data / "data" / "wattkeeper.db", changed / "data" / "wattkeeper.db")
    await refused(kept.empty, "newer", data=changed)
    with pytest.raises(BackupRefused, match="not empty"):
        await back_up(kept.store, kept.settings, kept.data, kept.keys, "test")


async def test_g6_last_weeks_backup_does_not_bring_back_who_was_forgotten_since(kept: Kept) -> None:
    async with kept.store.read() as connection:
        gone = str(await connection.scalar(select(card.c.person_id).limit(1)))
        numbers = [*(await connection.scalars(select(card.c.ref).where(card.c.person_id == gone)))]
    await restoring.restore(kept.empty, kept.data, kept.keys, "test")
    with pytest.raises(BackupRefused, match="restore replay"):
        async with open_rooms(kept.empty):
            pass
    store = Store(kept.target)
    safe = await open_safe(store, kept.settings.root_key)
    with pytest.raises(BackupRefused, match="nobody-was-forgotten"):
        await restoring.replay(store, safe, kept.empty, "test")
    tombstones.write(kept.settings.tombstones, [Tombstone(gone, store.clock(), "ab" * 32)])
    assert await restoring.replay(store, safe, kept.empty, "test") == 1
    async with store.read() as connection:
        assert await connection.scalar(select(subject_key.c.subject).where(subject_key.c.subject == gone)) is None
        assert await connection.scalar(select(person.c.id).where(person.c.id == gone)) is None
        assert not [*(await connection.scalars(select(card.c.ref).where(card.c.ref.in_(numbers))))]
    await store.close()
    async with open_rooms(kept.empty):
        pass


@pytest.mark.parametrize("engine", ["sqlite"])
async def test_a_backup_that_would_not_come_back_is_told(kept: Kept, tmp_path: Path) -> None:
    async with kept.store.unit() as unit:
        await unit.connection.execute(delete(subject_key).where(subject_key.c.subject == "house"))
        await unit.connection.execute(
            subject_key.insert().values(
                subject="house", wrapped=kept.planted.safe.ring.make("house"), created_at=unit.now
            )
        )
    await back_up(kept.store, kept.settings, tmp_path / "second", tmp_path / "keys2", "test")
    tested = await restoring.check(kept.settings, tmp_path / "second", tmp_path / "keys2")
    assert any("does not open" in fault for fault in tested.faults)
