"""A log of its own for tests: deeds, a keeper, copies as files, and a superuser's hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from wattkeeper.bus.memory import MemoryBus
from wattkeeper.charging.deed import DeedKind
from wattkeeper.operations.log.export import export
from wattkeeper.operations.log.keeper import Keeper
from wattkeeper.operations.log.proving import Log, data_of
from wattkeeper.operations.log.signing import Signing
from wattkeeper.operations.safe import open_safe
from wattkeeper.settings import Settings
from wattkeeper.store import deed
from wattkeeper.store.engines import Store
from wattkeeper.store.log import leaf
from wattkeeper.store.migrate import migrate
from wattkeeper.vault.transparency import leaf_hash


class Kept:
    """A log and its database."""

    def __init__(self, store: Store, signing: Signing, settings: Settings) -> None:
        self.store, self.signing, self.settings = store, signing, settings
        self.keeper = Keeper(store, MemoryBus(), settings, signing)
        self.log = Log(store, signing)

    async def deeds(self, count: int, by: str = "house") -> None:
        """Do something so often."""
        async with self.store.unit() as unit:
            await deed.enter_all(unit, DeedKind.RELEASED, by, {f"{by}-{n}": {"n": n} for n in range(count)})

    async def grow(self, count: int, by: str = "house") -> None:
        """Do something so often, and sign it."""
        await self.deeds(count, by)
        await self.keeper.finish()

    async def leaves(self) -> list[bytes]:
        """The hashes of all leaves."""
        async with self.store.read() as connection:
            return [leaf_hash(data_of(row)) for row in await leaf.leaves(connection, 0, 10**6)]

    async def copy(self, folder: Path) -> Path:
        """The log as files."""
        await export(self.log, folder)
        return folder

    async def overpower(self, *changes: str) -> None:
        """Change the database as its superuser: no trigger is in the way."""
        async with self.store.unit() as unit:
            if unit.is_sqlite:
                names = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
                for (name,) in (await unit.connection.exec_driver_sql(names)).all():
                    await unit.connection.exec_driver_sql(f"DROP TRIGGER {name}")
            else:
                await unit.connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            for change in changes:
                await unit.connection.exec_driver_sql(change)


@asynccontextmanager
async def kept(database: str, key: Path, **given: object) -> AsyncIterator[Kept]:
    """A log in a database."""
    await migrate(database)
    store = Store(database)
    given.setdefault("public_url", "https://charge.example")
    settings = Settings(database=database, root_key=key, **given)  # type: ignore[arg-type]
    signing = Signing(store, await open_safe(store, key), settings)
    try:
        await signing.signers()
        yield Kept(store, signing, settings)
    finally:
        await store.close()
