"""The log grows: what is new in the tables that it follows becomes leaves, and each minute their root is signed.

It runs beside everything else and in nobody's way: rows are read and hashed outside of any transaction, then appended
in a short one, which takes its turn like any other. That one begins by asking whether anything has moved meanwhile
(another keeper, a card that was renamed); then nothing is appended and it looks again. So it may die at any moment.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.bus import Bus
from wattkeeper.operations.log.saying import SALT, nameless, said
from wattkeeper.operations.log.signing import Signing
from wattkeeper.operations.watching import watch
from wattkeeper.settings import Settings
from wattkeeper.store.columns import EPOCH, to_micros
from wattkeeper.store.engines import Store
from wattkeeper.store.log import checkpoint, leaf, name, source
from wattkeeper.store.log.checkpoint import CheckpointRow
from wattkeeper.store.log.leaf import LeafRow
from wattkeeper.store.log.name import Named
from wattkeeper.store.log.source import SOURCES, By, Found, Source
from wattkeeper.store.tables import follower
from wattkeeper.store.unit import Unit
from wattkeeper.vault.leaf import Leaf, committed
from wattkeeper.vault.transparency import WIDTH, Frontier, widths

log = logging.getLogger("wattkeeper.log")

TOPICS: Final = ("journal", "bills", "cards")
TOPIC: Final = "log"
"""What is announced when the log was signed."""
TOGETHER: Final = 500
"""How many leaves are appended in one transaction, about: stations need not wait long for it."""
PAUSE_S: Final = 1
REST_S: Final = 2
"""After how long it looks without being told to, seconds."""


Told = tuple[str, str, bytes, list[str]]
"""A row: of which kind, which one, the salt of its leaf, and what it says (`name.parted`)."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What is new, hashed: nothing of it is in the log yet."""

    followed: dict[str, int]
    """How far everything was followed when it was read."""
    found: list[Found]
    rows: list[LeafRow]
    named: dict[str, Named]
    frontier: Frontier
    """The tree with these leaves."""
    nodes: list[tuple[int, int, bytes]]


class Keeper:
    """Keeps the log, for as long as the installation runs."""

    def __init__(self, store: Store, bus: Bus, settings: Settings, signing: Signing) -> None:
        self._store = store
        self._bus = bus
        self._every_s = settings.log_checkpoint_s
        self._signing = signing
        self._frontier: Frontier | None = None
        self._signed_size = -1
        self._signed_at = 0.0
        self._few: dict[str, int] = {}
        self._looked_at = 0
        self._turn = asyncio.Lock()
        self._is_begun = False

    async def begin(self) -> None:
        """Before anything is logged: see to its key; raises ValueError where it is called otherwise than it was."""
        await self._signing.origin()
        await self._signing.signers()
        self._is_begun = True

    async def run(self) -> None:
        """Follow, until cancelled."""
        await watch(self._bus, TOPICS, self.look, log, pause_s=PAUSE_S, rest_s=REST_S)

    async def look(self) -> None:
        """Append all that is new, and sign where it is time."""
        async with self._turn:
            await self._append_all()
            if time.monotonic() - self._signed_at >= self._every_s or self._signed_size < 0:
                await self._sign()

    async def finish(self) -> None:
        """Append all that is new, and sign it now."""
        async with self._turn:
            await self._append_all()
            await self._sign()

    async def _append_all(self) -> None:
        """Append all that is new now; what comes meanwhile is for the next look, or no look would ever sign."""
        if not self._is_begun:
            await self.begin()
        more = True
        while more:
            more = await self._step()

    # --- appending ------------------------------------------------------------------------------------

    async def _step(self) -> bool:
        """Append some of what is new; whether there may be more."""
        async with self._store.read() as connection:
            if self._frontier is None:
                self._frontier = await frontier_of(connection)
            batch = await self._read(connection, self._frontier)
        is_full = len(batch.rows) >= TOGETHER
        is_full |= any(one.n - batch.followed.get(one.name, 0) >= TOGETHER for one in batch.found)
        if not batch.rows and not is_full:
            return False
        async with self._store.unit() as unit:
            moved = await followed(unit.connection) != batch.followed
            if moved or await leaf.size(unit.connection) != batch.frontier.size - len(batch.rows):
                self._frontier = None
                return True
            await self._append(unit, batch)
        self._frontier = batch.frontier
        return is_full

    async def _read(self, connection: AsyncConnection, frontier: Frontier) -> Batch:
        """What is new, as leaves."""
        before, now = await followed(connection), self._store.clock()
        found: list[Found] = []
        async for one in self._new(connection, before):
            found.append(one)
            if sum(len(each.rows) for each in found) >= TOGETHER:
                break
        salts = os.urandom(SALT * sum(len(one.rows) for one in found))
        told: list[Told] = []
        for one in found:
            for ref, values in one.rows:
                salt = salts[len(told) * SALT : (len(told) + 1) * SALT]
                told.append((one.source.kind, ref, salt, name.parted(said(one.source, values, now, salt))))
        tokens = {token for *_, parts in told for token in parts[1::2]}
        named = await name.commitments(connection, tokens, self._store.is_sqlite)
        return _hashed(before, found, told, named, frontier.copy(), now)

    async def _new(self, connection: AsyncConnection, before: dict[str, int]) -> AsyncIterator[Found]:
        """What is new of each source, as long as more is wanted."""
        for one in SOURCES:
            if one.by is By.NUMBER:
                yield await source.numbered(connection, one, before.get(f"log.{one.kind}", 0), TOGETHER)
            elif one.by is By.PLACE:
                for series in await source.series_of(connection, one):
                    n = before.get(f"log.{one.kind}.{series}", 0)
                    yield await source.placed(connection, one, series, n, TOGETHER)
            elif await self._may_lack(connection, one):
                yield await self._lacking(connection, one)

    async def _may_lack(self, connection: AsyncConnection, one: Source) -> bool:
        """Whether rows of a table may have no leaf; of a small one that is seen by their number."""
        return one.by is By.LATELY or await source.count(connection, one) != self._few.get(one.kind, -1)

    async def _lacking(self, connection: AsyncConnection, one: Source) -> Found:
        """What has no leaf of a table: all of it at the start, then what came lately."""
        seen = self._few.get(one.kind, -1)
        since = to_micros(self._store.clock()) - source.LATELY_US if one.by is By.LATELY and seen >= 0 else 0
        found = await source.lacking(connection, one, TOGETHER, since)
        if not found.rows:
            self._few[one.kind] = await source.count(connection, one)
        return found

    async def _append(self, unit: Unit, batch: Batch) -> None:
        """Write it down."""
        for row in batch.rows:
            leaf.append(unit, row)
        leaf.add_nodes(unit, batch.nodes)
        name.keep(unit, batch.named)
        for one in batch.found:
            if one.name and one.n != batch.followed.get(one.name, 0):
                await _follow(unit, one.name, one.n)

    # --- signing --------------------------------------------------------------------------------------

    async def _sign(self) -> None:
        """Sign the tree, where it has grown since it was signed last."""
        if self._frontier is None or self._frontier.size == 0:
            return
        if self._signed_size < 0:
            async with self._store.read() as connection:
                last = await checkpoint.newest(connection)
            self._signed_size = last.size if last else 0
        if self._frontier.size > self._signed_size:
            await self._enter(self._frontier.size, self._frontier.root())
        self._signed_at = time.monotonic()

    async def _enter(self, size: int, root: bytes) -> None:
        """Keep a signed checkpoint, unless somebody else signed so much meanwhile."""
        note = await self._signing.sign(size, root)
        async with self._store.unit() as unit:
            last = await checkpoint.newest(unit.connection)
            if last is None or last.size < size:
                await checkpoint.enter(unit, CheckpointRow(size, root, unit.now, note))
        self._signed_size = size
        self._bus.announce(TOPIC, str(size))


def _hashed(
    before: dict[str, int],
    found: list[Found],
    told: list[Told],
    named: dict[str, Named],
    frontier: Frontier,
    now: datetime,
) -> Batch:
    """The leaves of what rows say, and the tree with them."""
    rows, nodes = [], []
    for kind, ref, salt, parts in told:
        commitment = committed(salt, nameless(parts, named))
        rows.append(LeafRow(frontier.size, now, kind, ref, salt, commitment))
        nodes += frontier.add(Leaf(kind, ref, commitment).hash)
    return Batch(before, found, rows, named, frontier, nodes)


async def frontier_of(connection: AsyncConnection) -> Frontier:
    """The tree as far as it has grown, from the few rows that it grows by."""
    size, levels = await leaf.size(connection), []
    for level, width in enumerate(widths(size)):
        start = (size >> (8 * level)) - width
        levels.append(await hashes(connection, level, start, width))
    return Frontier(size, levels)


async def hashes(connection: AsyncConnection, level: int, start: int, count: int) -> list[bytes]:
    """The hashes of leaves (level 0) or nodes side by side, at most 256."""
    assert count <= WIDTH
    if level:
        return await leaf.nodes(connection, level, start, count)
    rows = await leaf.leaves(connection, start, count)
    return [Leaf(row.kind, row.ref, row.commitment).hash for row in rows]


async def followed(connection: AsyncConnection) -> dict[str, int]:
    """How far each source was followed, and how often a card was renamed."""
    f = follower.c
    return {row.name: row.n for row in await connection.execute(select(f.name, f.n).where(f.name.like("log.%")))}


async def _follow(unit: Unit, named: str, n: int) -> None:
    """Note how far a source was followed."""
    moved = await unit.connection.execute(update(follower).where(follower.c.name == named).values(n=n))
    if not moved.rowcount:
        await unit.connection.execute(insert(follower).values(name=named, n=n, since=EPOCH))
