"""What can be proved with the log, to whoever asks: checkpoints, entries, tiles, and proofs. None of it is secret.

Only what a published checkpoint covers is told; whoever asks for more hears that it is not there yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.deed import DeedKind
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.phrase import Figure, Phrase, phrase
from wattkeeper.operations.log.keeper import hashes
from wattkeeper.operations.log.saying import shown
from wattkeeper.operations.log.signing import Signing
from wattkeeper.store.columns import to_micros
from wattkeeper.store.engines import Store
from wattkeeper.store.log import checkpoint, leaf, source
from wattkeeper.store.log.checkpoint import CheckpointRow
from wattkeeper.store.log.leaf import LeafRow
from wattkeeper.store.log.source import NAMED
from wattkeeper.store.tables import deed
from wattkeeper.vault.leaf import Leaf
from wattkeeper.vault.note import Verifier
from wattkeeper.vault.transparency import (
    HEIGHT,
    WIDTH,
    Span,
    consistency_spans,
    folded,
    inclusion_spans,
    root_of,
    rows_of,
)

MOST_ENTRIES: Final = 1_000
NO_CHECKPOINT = phrase("The log has no checkpoint yet: it is signed within a minute of its first entry.")
NOT_LOGGED = phrase("That is not in the log, or not yet: what is new is signed within a minute.")
IN_LOG = phrase("In the log as entry {index}: nobody can change it unnoticed.")
NO_ENTRY = phrase("The log has {size} entries, and {index} is none of them.")
NO_SIZES = phrase("The log has {size} entries: ask from one size up to another within it.")
NO_TILE = phrase("There is no such tile in a log of {size} entries.")


@dataclass(frozen=True, slots=True)
class Inclusion:
    """A proof that a leaf is in the tree of a checkpoint."""

    leaf: LeafRow
    size: int
    path: tuple[bytes, ...]
    note: str
    """The signed checkpoint, with what witnesses said of it."""

    @property
    def line(self) -> str:
        """The leaf, as the tree hashes it."""
        return data_of(self.leaf).decode()


@dataclass(frozen=True, slots=True)
class Opened:
    """A leaf and what it commits to, for whoever may see that."""

    proof: Inclusion
    said: dict[str, Any]

    def told(self) -> dict[str, Any]:
        """As JSON has it: all that is needed to check it without us."""
        row = self.proof.leaf
        opening = {"kind": row.kind, "ref": row.ref, "salt": row.salt.hex(), "at": to_micros(row.at), "row": self.said}
        where = {"index": row.n, "size": self.proof.size, "path": [step.hex() for step in self.proof.path]}
        return {"leaf": opening, **where, "checkpoint": self.proof.note}


def data_of(row: LeafRow) -> bytes:
    """A leaf, as the tree hashes it."""
    return Leaf(row.kind, row.ref, row.commitment).data


class Log:
    """Answers whoever wants to check."""

    def __init__(self, store: Store, signing: Signing) -> None:
        self._store = store
        self._signing = signing

    async def keys(self) -> list[Verifier]:
        """The keys that checkpoints are signed with, the newest first."""
        return await self._signing.verifiers()

    async def checkpoint(self) -> str:
        """The newest checkpoint, a signed note, with what witnesses said of it; Refusal NOT_FOUND before the first."""
        async with self._store.read() as connection:
            return await _note(connection, await _newest(connection))

    async def checkpointed(self) -> CheckpointRow:
        """The newest checkpoint; Refusal NOT_FOUND before the first."""
        async with self._store.read() as connection:
            return await _newest(connection)

    async def inclusion(self, index: int) -> Inclusion:
        """A proof that the entry at an index is in the newest checkpoint; Refusal NOT_FOUND."""
        async with self._store.read() as connection:
            newest = await _newest(connection)
            found = await leaf.leaves(connection, index, 1) if index < newest.size else []
            if not found:
                raise Refusal(Code.NOT_FOUND, NO_ENTRY.filled(size=newest.size, index=index))
            return await _included(connection, found[0], newest)

    async def of_row(self, kind: str, ref: str) -> Inclusion:
        """A proof that the leaf about a row is in the newest checkpoint; Refusal NOT_FOUND where it is not yet."""
        async with self._store.read() as connection:
            return await _of_row(connection, kind, ref)

    async def opened(self, kind: str, ref: str, *, first: bool = False) -> Opened:
        """As `of_row`, with what the leaf commits to: only for whoever may see the row; Refusal NOT_FOUND.

        ``first``: by the first checkpoint that covers it instead of the newest.
        """
        async with self._store.read() as connection:
            proof = await _of_row(connection, kind, ref, first=first)
            rows = await source.these(connection, NAMED[kind], [ref])
            if ref not in rows:
                raise Refusal(Code.NOT_FOUND, NOT_LOGGED)
            return Opened(proof, shown(NAMED[kind], rows[ref], proof.leaf.salt))

    async def logged(self, kind: str, ref: str) -> tuple[int, datetime] | None:
        """At which index a row is in the newest checkpoint, and when that was signed; None where it is not yet."""
        async with self._store.read() as connection:
            row = await leaf.named(connection, kind, ref)
            first = None if row is None else await checkpoint.covering(connection, row.n)
            return None if row is None or first is None else (row.n, first.at)

    async def words(self, kind: str, ref: str) -> Phrase | None:
        """Where in the log a row is, in words; None where no checkpoint covers it yet."""
        found = await self.logged(kind, ref)
        return None if found is None else IN_LOG.filled(index=Figure(Decimal(found[0]), 0))

    async def consistency(self, first: int, second: int) -> list[bytes]:
        """A proof that the log of the second size begins with all of the first; Refusal INVALID."""
        async with self._store.read() as connection:
            newest = await _newest(connection)
            if not 0 <= first <= second <= newest.size:
                raise Refusal(Code.INVALID, NO_SIZES.filled(size=newest.size))
            return await roots(connection, consistency_spans(first, second))

    async def root_at(self, size: int) -> bytes:
        """The root of the first entries, at most as many as the newest checkpoint has."""
        async with self._store.read() as connection:
            return (await roots(connection, [(0, size)]))[0]

    async def checkpoints(self, size: int, limit: int) -> list[tuple[int, str]]:
        """The first checkpoints beyond a size: their sizes and notes, with what witnesses said."""
        async with self._store.read() as connection:
            rows = await checkpoint.after(connection, size, limit)
            return [(row.size, await _note(connection, row)) for row in rows]

    async def deeds(self, kind: DeedKind) -> list[int]:
        """The numbers of all deeds of a kind."""
        async with self._store.read() as connection:
            rows = await connection.execute(select(deed.c.n).where(deed.c.kind == kind.value).order_by(deed.c.n))
            return list(rows.scalars())

    async def entries(self, start: int, limit: int) -> list[LeafRow]:
        """The entries from an index on, at most `MOST_ENTRIES`, as far as the newest checkpoint goes."""
        async with self._store.read() as connection:
            newest = await _newest(connection)
            count = max(0, min(limit, MOST_ENTRIES, newest.size - start))
            return await leaf.leaves(connection, start, count)

    async def tile(self, level: int, n: int, width: int = WIDTH) -> bytes:
        """The hashes of a tile one after another (C2SP tlog-tiles); Refusal NOT_FOUND."""
        async with self._store.read() as connection:
            newest = await _newest(connection)
            need_tile(level, n, width, newest.size)
            return b"".join(await hashes(connection, level, n * WIDTH, width))

    async def bundle(self, n: int, width: int = WIDTH) -> bytes:
        """The entries of a tile, each after its length in two bytes (C2SP tlog-tiles); Refusal NOT_FOUND."""
        async with self._store.read() as connection:
            newest = await _newest(connection)
            need_tile(0, n, width, newest.size)
            rows = await leaf.leaves(connection, n * WIDTH, width)
            return bundled([data_of(row) for row in rows])


def bundled(entries: Sequence[bytes]) -> bytes:
    """Entries one after another, each after its length."""
    return b"".join(len(one).to_bytes(2, "big") + one for one in entries)


def need_tile(level: int, n: int, width: int, size: int) -> None:
    """Refusal NOT_FOUND where a log of this size has no such tile."""
    last = size >> (HEIGHT * level) if level < 8 else 0
    if not (1 <= width <= WIDTH and n >= 0 and n * WIDTH + width <= last):
        raise Refusal(Code.NOT_FOUND, NO_TILE.filled(size=size))


async def roots(connection: AsyncConnection, spans: Sequence[Span]) -> list[bytes]:
    """The root of each span."""
    found = []
    for span in spans:
        rows = [await hashes(connection, row.level, row.start, row.count) for row in rows_of(span)]
        found.append(folded([root_of(row) for row in rows]))
    return found


async def _newest(connection: AsyncConnection) -> CheckpointRow:
    """The newest checkpoint; Refusal NOT_FOUND."""
    found = await checkpoint.newest(connection)
    if found is None:
        raise Refusal(Code.NOT_FOUND, NO_CHECKPOINT)
    return found


async def _note(connection: AsyncConnection, row: CheckpointRow) -> str:
    """A checkpoint with what witnesses said of it."""
    return row.note + "".join(await checkpoint.cosignatures(connection, row.size))


async def _of_row(connection: AsyncConnection, kind: str, ref: str, *, first: bool = False) -> Inclusion:
    """The proof for a row."""
    newest = await _newest(connection)
    found = await leaf.named(connection, kind, ref)
    if found is None or found.n >= newest.size:
        raise Refusal(Code.NOT_FOUND, NOT_LOGGED)
    by = await checkpoint.covering(connection, found.n) if first else newest
    return await _included(connection, found, by or newest)


async def _included(connection: AsyncConnection, row: LeafRow, newest: CheckpointRow) -> Inclusion:
    """The proof for a leaf."""
    path = await roots(connection, inclusion_spans(row.n, newest.size))
    return Inclusion(row, newest.size, tuple(path), await _note(connection, newest))
