"""The keys that sign the log: Ed25519, each kept wrapped under ``log:<version>``, and what the log is called.

A checkpoint is signed by the newest key. When another is begun, the old one signs all there is first; a deed names the
new key and that last checkpoint; and the first checkpoint of the new key, which covers the deed, is signed by both. So
whoever trusts the old key comes to the new one without asking anybody.
"""

from __future__ import annotations

import base64
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.deed import DeedKind
from wattkeeper.operations.safe import Safe
from wattkeeper.settings import Settings
from wattkeeper.store import deed
from wattkeeper.store.engines import Store
from wattkeeper.store.log import checkpoint
from wattkeeper.store.tables import subject_key
from wattkeeper.store.unit import Unit
from wattkeeper.vault.note import Checkpoint, Signer, Verifier, check_name, read_checkpoint, read_note, signed

PREFIX = "log:"
"""What the keys are kept under, before their version."""
NAMELESS = "wattkeeper.local"
"""What a log is called that nobody reaches by a name."""
OTHER_NAME = (
    "The log has been called {old} since its first checkpoint, and whoever checks it knows it by that name. "
    "Set WATTKEEPER_LOG_NAME={old}, or leave it out."
)


def named(settings: Settings) -> str:
    """What a log that begins now is called; raises NoteRefused where the setting cannot be a name."""
    host = urlsplit(settings.public_url).hostname
    return check_name(settings.log_name or (f"{host}/log" if host else NAMELESS))


class Signing:
    """Signs checkpoints, and begins new keys."""

    def __init__(self, store: Store, safe: Safe, settings: Settings) -> None:
        self._store = store
        self._safe = safe
        self._settings = settings
        self._signers: list[Signer] = []

    async def origin(self) -> str:
        """What the log is called; raises ValueError where a setting says otherwise than its first checkpoint."""
        async with self._store.read() as connection:
            first = await checkpoint.oldest(connection)
        if first is None:
            return named(self._settings)
        old = read_checkpoint(read_note(first.note).text).origin
        if self._settings.log_name and self._settings.log_name != old:
            raise ValueError(OTHER_NAME.format(old=old))
        return old

    async def signers(self) -> list[Signer]:
        """Every key there is, the newest first; the first is made where there is none."""
        async with self._store.read() as connection:
            known = await self._known(connection)
        if not known:
            async with self._store.unit() as unit:
                if not await self._known(unit.connection):
                    await self._begin(unit, 1, None, "wattkeeper")
            return await self.signers()
        origin = await self.origin()
        self._signers = [Signer(origin, self._safe.secret(f"{PREFIX}{v}", known[v])) for v in sorted(known)[::-1]]
        return self._signers

    async def verifiers(self) -> list[Verifier]:
        """The public half of every key, the newest first."""
        return [one.verifier for one in await self.signers()]

    async def sign(self, size: int, root: bytes) -> str:
        """The signed note over a tree: by the newest key, and by the one before where the newest has not signed yet."""
        signers = await self.signers()
        async with self._store.read() as connection:
            last = await checkpoint.newest(connection)
        by = {one.key_id for one in read_note(last.note).signatures} if last else set()
        new = last is not None and signers[0].verifier.key_id not in by
        text = Checkpoint(signers[0].name, size, root).text
        return signed(text, signers[:2] if new else signers[:1])

    async def begin(self, by: str) -> Verifier:
        """Begin another key; what was logged so far must have been signed (`Keeper.finish`) by the old one."""
        await self.signers()
        async with self._store.unit() as unit:
            version = max(await self._known(unit.connection)) + 1
            last = await checkpoint.newest(unit.connection)
            await self._begin(unit, version, last, by)
        return (await self.verifiers())[0]

    async def _begin(self, unit: Unit, version: int, last: checkpoint.CheckpointRow | None, by: str) -> None:
        """Make and keep a key, and a deed that says so."""
        seed = await self._safe.make_secret(unit, f"{PREFIX}{version}")
        name = named(self._settings) if last is None else read_checkpoint(read_note(last.note).text).origin
        body = {"version": version, "key": str(Signer(name, seed).verifier)}
        if last is not None:
            body |= {"after_size": last.size, "after_root": base64.b64encode(last.root).decode()}
        await deed.enter(unit, DeedKind.LOG_KEY, by, f"{PREFIX}{version}", body)

    async def _known(self, connection: AsyncConnection) -> dict[int, bytes]:
        """The wrapped keys by version."""
        key = subject_key.c
        rows = await connection.execute(select(key.subject, key.wrapped).where(key.subject.like(f"{PREFIX}%")))
        return {int(subject.removeprefix(PREFIX)): bytes(wrapped) for subject, wrapped in rows}
