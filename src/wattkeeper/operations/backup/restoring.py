"""A backup put back: into an empty database alone, whole or not at all; and who was forgotten since stays forgotten."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import orjson
from sqlalchemy import func, select
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.bus.memory import MemoryBus
from wattkeeper.charging.deed import DeedKind
from wattkeeper.operations.access import Access
from wattkeeper.operations.backup.manifest import KEYS_FILE, BackupRefused, Manifest, keys_read, need_whole, read
from wattkeeper.operations.keys.kinds import HOUSE
from wattkeeper.operations.keys.sealed import SEALED, Sealed
from wattkeeper.operations.privacy.erasure.forgetting import Forgetting
from wattkeeper.operations.safe import Safe, open_safe, root_of
from wattkeeper.settings import Settings
from wattkeeper.store import copying, deed, key
from wattkeeper.store.columns import to_micros
from wattkeeper.store.copying import Copied, Key, NotEmpty
from wattkeeper.store.engines import Store, async_url, utc_now
from wattkeeper.store.migrate import migrate, newest_schema
from wattkeeper.store.tables import account
from wattkeeper.vault.keys import INSTALLATION, KeyRefused, Root, RootUnreachable, version_of

REPLAY = (
    "This database was restored from a backup, and who was forgotten since is not forgotten in it yet. "
    "Bring {path}, the file of who was forgotten, and run: wattkeeper restore replay"
)
NO_STONES = (
    "There is no file {path} of who was forgotten. Bring it from beside the root key; or, if nobody was forgotten "
    "since the backup was made, run: wattkeeper restore replay --nobody-was-forgotten"
)


async def restore(settings: Settings, folder: Path, keys: Path, by: str) -> Manifest:
    """Fill the empty database of the settings; it may not serve until `replay`. Raises BackupRefused, KeyRefused."""
    manifest = read(folder)
    await asyncio.to_thread(need_whole, folder, keys / KEYS_FILE, manifest)
    engine = async_url(settings.database).drivername.split("+")[0]
    if engine != manifest.engine:
        raise BackupRefused(f"This backup is of {manifest.engine} and goes back into that alone, not into {engine}.")
    if manifest.schema > newest_schema():
        raise BackupRefused(f"This backup was made by Wattkeeper {manifest.version}, which is newer. Use that one.")
    wrapped = keys_read(keys / KEYS_FILE)
    await asyncio.to_thread(need_root, root_of(settings), wrapped)
    try:
        await copying.need_empty(settings.database)
        if engine != "sqlite":
            await migrate(settings.database, manifest.schema)
        copied = Copied(manifest.schema, manifest.tables, manifest.columns, wrapped)
        await copying.fill(settings.database, folder / "data", copied, _restored(manifest, by))
    except NotEmpty as there:
        raise BackupRefused(
            f"{there} holds something already, and a backup replaces nothing. Name an empty database, or move this."
        ) from None
    await migrate(settings.database)
    return manifest


def need_root(root: Root, keys: Sequence[Key]) -> None:
    """Raise KeyRefused where the root key does not open the keys of a backup: before anything is written."""
    for subject, wrapped, _ in keys:
        if version_of(subject)[0] != INSTALLATION:
            continue
        try:
            root.unwrap(wrapped, subject.encode())
        except RootUnreachable:
            raise
        except KeyRefused as why:
            raise KeyRefused(f"{why} A backup needs the root key of when it was made.") from None


def _restored(manifest: Manifest, by: str) -> tuple[int, str, str, str]:
    """The deed that says so, which stands in the database from the first moment."""
    body = {"backup": manifest.mark, "made_at": manifest.made_at}
    return to_micros(utc_now()), DeedKind.RESTORED.value, by, orjson.dumps(body, option=orjson.OPT_SORT_KEYS).decode()


async def waits_for_replay(connection: AsyncConnection) -> bool:
    """Whether a database was restored and who was forgotten since is not forgotten in it yet."""
    found = await deed.about(connection, "", [DeedKind.RESTORED, DeedKind.REPLAYED], most=1)
    return bool(found) and found[0].kind == DeedKind.RESTORED


async def need_replayed(store: Store, settings: Settings) -> None:
    """Raise BackupRefused where a restored database may not serve yet."""
    async with store.read() as connection:
        if await waits_for_replay(connection):
            raise BackupRefused(REPLAY.format(path=settings.tombstones))


async def replay(store: Store, safe: Safe, settings: Settings, by: str, *, nobody: bool = False) -> int:
    """Forget again whoever was forgotten since the backup was made; how many. Raises BackupRefused without the file."""
    if not settings.tombstones.exists() and not nobody:
        raise BackupRefused(NO_STONES.format(path=settings.tombstones))
    access = Access(store, safe, settings)
    count = await Forgetting(store, safe, MemoryBus(), settings, access).forget_again()
    async with store.unit() as unit:
        await deed.enter(unit, DeedKind.REPLAYED, by, "", {"forgotten": count, "without_file": nobody})
    return count


# --- a test of it -------------------------------------------------------------------------------------


@dataclass(slots=True)
class Tested:
    """What a restored backup was found to be."""

    manifest: Manifest
    rows: int = 0
    opened: int = 0
    faults: list[str] = field(default_factory=list)


async def check(settings: Settings, folder: Path, keys: Path) -> Tested:
    """Restore a backup into a database of its own, count it and open what is sealed, and throw it away."""
    async with _elsewhere(settings) as other:
        manifest = await restore(other, folder, keys, "test")
        tested = Tested(manifest)
        store = Store(other.database)
        try:
            safe = await open_safe(store, root_of(other))
            await _count(store, tested)
            for column in SEALED:
                await _open(store, safe, column, tested)
        finally:
            await store.close()
    return tested


@asynccontextmanager
async def _elsewhere(settings: Settings) -> AsyncIterator[Settings]:
    """The same settings with a database that is there while the block runs."""
    url = make_url(settings.database)
    if url.drivername.startswith("sqlite"):
        with tempfile.TemporaryDirectory(prefix="wattkeeper-check-", dir=copying.path_of(url).parent) as folder:
            yield replace(settings, database=f"sqlite:///{folder}/check.db")
        return
    name = f"wattkeeper_check_{to_micros(utc_now())}"
    connection = await copying.connect(async_url(settings.database))
    try:
        with copying.said():
            await connection.execute(f"CREATE DATABASE {name}")
        try:
            yield replace(settings, database=url.set(database=name).render_as_string(hide_password=False))
        finally:
            await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await connection.close()


async def _count(store: Store, tested: Tested) -> None:
    """Compare the rows of each table with what the backup says; the deed of the restoring itself is one more."""
    async with store.read() as connection:
        for table in copying.data_tables():
            said = tested.manifest.tables.get(table.name)
            found = int(await connection.scalar(select(func.count()).select_from(table)) or 0)
            found -= table.name == "deed"
            tested.rows += found
            if said is not None and found != said:
                tested.faults.append(f"{table.name} has {found:,} rows where {said:,} were backed up.")


async def _open(store: Store, safe: Safe, column: Sealed, tested: Tested) -> None:
    """Open every value of a sealed column whose key there is."""
    async with store.unit() as unit:
        for whose, at, sealed in await _sealed(unit.connection, column):
            where = (column.table.name, column.column)
            try:
                if whose == HOUSE:
                    safe.unseal(*where, sealed)
                elif await key.wrapped_of(unit.connection, whose) is not None:
                    await safe.unseal_for(unit, whose, *where, sealed)
                tested.opened += 1
            except KeyRefused:
                tested.faults.append(
                    f"{'.'.join(where)} of {at if isinstance(at, str | int) else 'a row'} does not open."
                )


async def _sealed(connection: AsyncConnection, column: Sealed) -> list[tuple[str, object, bytes]]:
    """Whose each value is, of which row, and itself."""
    wanted = select(column.key, column.value, *([column.table.c[column.owner]] if column.owner else []))
    if column.owner == "account_id":
        joined = column.table.join(account, account.c.id == column.table.c.account_id)
        wanted = select(column.key, column.value, account.c.person_id).select_from(joined)
    found = []
    for row in await connection.execute(wanted.where(column.value.is_not(None))):
        owner = HOUSE if not column.owner or row[2] == column.house else f"{column.head}{row[2]}"
        found.append((owner, row[0], bytes(row[1])))
    return found
