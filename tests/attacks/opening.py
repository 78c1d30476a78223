"""All that whoever holds database and root key can read: every sealed value that opens by any key that is kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tink
from sqlalchemy import LargeBinary, select

from wattkeeper.store.engines import Store
from wattkeeper.store.tables import metadata, subject_key
from wattkeeper.vault.envelope import unseal
from wattkeeper.vault.keys import INSTALLATION, KeyRefused, KeyRing, version_of
from wattkeeper.vault.root import FileRoot

NOT_SEALED = frozenset({"wrapped", "token_hash", "code_hash", "secret_hash", "public_key", "credential_id", "hash"})


async def opened(database: str, root_key: Path) -> list[tuple[str, str, bytes]]:
    """Each value that opens: its place, whose key opened it, and what it says."""
    store = Store(database)
    try:
        async with store.read() as connection:
            rows = (await connection.execute(select(subject_key.c.subject, subject_key.c.wrapped))).all()
            ciphers = dict(_ciphers(root_key, [(subject, bytes(wrapped)) for subject, wrapped in rows]))
            found: list[tuple[str, str, bytes]] = []
            for table in metadata.sorted_tables:
                for column in (one for one in table.c if isinstance(one.type, LargeBinary)):
                    if column.name in NOT_SEALED:
                        continue
                    for (value,) in await connection.execute(select(column).where(column.is_not(None))):
                        found += _open(ciphers, table.name, column.name, bytes(value))
            return found
    finally:
        await store.close()


def _ciphers(root_key: Path, rows: list[tuple[str, bytes]]) -> Iterator[tuple[str, Any]]:
    """The cipher of each subject whose key is kept."""
    ring = KeyRing(FileRoot(root_key))
    for subject, wrapped in rows:
        if version_of(subject)[0] == INSTALLATION:
            ring.open_installation(wrapped, version_of(subject)[1])
    for subject, wrapped in rows:
        try:
            yield subject, ring.cipher(subject, wrapped)
        except (KeyRefused, tink.TinkError, Exception):  # noqa: S112 - a pepper or the like, no cipher
            continue


def _open(ciphers: dict[str, Any], table: str, column: str, sealed: bytes) -> Iterator[tuple[str, str, bytes]]:
    for subject, cipher in ciphers.items():
        try:
            yield f"{table}.{column}", subject, unseal(cipher, table, column, subject, sealed)
        except KeyRefused:
            continue
        return
