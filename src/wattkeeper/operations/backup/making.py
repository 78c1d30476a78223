"""A backup: the data in one place, the wrapped keys in another, while everything runs; whole, or not there."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
from pathlib import Path

from wattkeeper import __version__
from wattkeeper.charging.deed import DeedKind
from wattkeeper.operations.backup.manifest import (
    DATA,
    FORMAT,
    KEYS_FILE,
    MANIFEST,
    BackupRefused,
    Manifest,
    digest,
    keys_written,
    written,
)
from wattkeeper.settings import Settings
from wattkeeper.store import copying, deed
from wattkeeper.store.engines import Store
from wattkeeper.store.log import checkpoint


async def back_up(store: Store, settings: Settings, folder: Path, keys: Path, by: str) -> Manifest:
    """Write a backup into a new folder, the wrapped keys into another or below it. Raises BackupRefused, OSError."""
    for place in {folder, keys}:
        if place.exists() and any(place.iterdir()):
            raise BackupRefused(f"{place} is not empty. Name a folder that is not there yet.")
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    (part / DATA).mkdir(parents=True, mode=0o700)
    try:
        async with store.read() as connection:
            signed = await checkpoint.newest(connection)
        copied = await copying.dump(settings.database, part / DATA)
        manifest = await asyncio.to_thread(_describe, part, copied, store, signed.note if signed else "")
        await asyncio.to_thread(_place, part, folder, keys, manifest, keys_written(copied.keys))
    finally:
        shutil.rmtree(part, ignore_errors=True)
    async with store.unit() as unit:
        await deed.enter(unit, DeedKind.BACKED_UP, by, "", {"backup": manifest.mark, "made_at": manifest.made_at})
    return manifest


def _describe(part: Path, copied: copying.Copied, store: Store, signed: str) -> Manifest:
    """What was copied, with the digest of each file."""
    files = {str(path.relative_to(part)): digest(path) for path in sorted((part / DATA).iterdir())}
    keys = hashlib.sha256(keys_written(copied.keys)).hexdigest()
    engine = "sqlite" if store.is_sqlite else "postgresql"
    said = (FORMAT, store.clock().isoformat(), engine, __version__, copied.schema, copied.tables)
    return Manifest(*said, copied.columns, files, keys, signed)


def _place(part: Path, folder: Path, keys: Path, manifest: Manifest, wrapped: bytes) -> None:
    """Put the keys where they belong, then the data in their place: the manifest is the last to be there."""
    _write(part / MANIFEST, written(manifest))
    place = part / keys.relative_to(folder) if keys.is_relative_to(folder) else keys
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    _write(place / KEYS_FILE, wrapped)
    if folder.exists():
        folder.rmdir()
    part.replace(folder)


def _write(path: Path, content: bytes) -> None:
    """A file that its owner alone may read, on disk."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
