"""The rows of the database compared with what was logged of them: whatever was changed behind our back is named.

It reads the log from its beginning, makes each leaf anew from the row as it is now, and the tree from the leaves; then
compares the tree with every checkpoint that was ever signed, and with those that somebody kept elsewhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import orjson
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.deed import DeedKind
from wattkeeper.charging.phrase import Said, phrase
from wattkeeper.operations.log.keeper import followed
from wattkeeper.operations.log.saying import nameless, said
from wattkeeper.store.columns import EPOCH
from wattkeeper.store.engines import Store
from wattkeeper.store.log import checkpoint, leaf, name, source
from wattkeeper.store.log.checkpoint import CheckpointRow
from wattkeeper.store.log.leaf import LeafRow
from wattkeeper.store.log.source import NAMED, SOURCES
from wattkeeper.store.privacy import consent
from wattkeeper.store.retention import tax_end
from wattkeeper.store.tables import deed, log_node
from wattkeeper.vault.copy import Signed, read_signed
from wattkeeper.vault.leaf import Leaf, committed
from wattkeeper.vault.note import NoteRefused, Verifier, read_verifier
from wattkeeper.vault.transparency import Frontier

Progress = Callable[[int, int], None]
TOGETHER: Final = 1_000
MOST_FAULTS: Final = 1_000
UNSIGNED: Final = timedelta(hours=1)
"""After how long an entry that nobody signed is a fault: each minute all there is gets signed."""

CHANGED = phrase("It is not what was logged.")
DELETED = phrase("It was deleted.")
INSERTED = phrase("It was put in behind the log's back: it has no entry, and those after it have.")
NO_LEAF = phrase("The entry is missing from the log.")
NO_KIND = phrase("It is of no kind that is logged.")
NO_NODE = phrase("One of the entries {begin} to {end} was changed: the node above them is another.")
EXTRA_NODE = phrase("There are nodes in the log that no entries make.")
NOT_SIGNED = phrase("A checkpoint of {size} entries is signed by no key of the log.")
OTHER_ROOT = phrase("One of the entries {begin} to {end} is not what was signed.")
CUT = phrase("The log has {size} entries, and {had} were signed: it was cut, or an older copy was put back.")
OTHER_LOG = phrase("The checkpoint that was given is not of this log: its first {had} entries were others.")
CUT_SINCE = phrase(
    "The log has {size} entries, and the checkpoint that was given {had}: it was cut, or is an older copy."
)
NEVER_SIGNED = phrase(
    "The entries from {index} on are older than an hour and signed by nobody: their checkpoints were deleted, or the "
    "log was stopped before it had signed them."
)
SKIPPED = phrase("{count} of its numbers have neither a row nor an entry: they were deleted before they were logged.")
TURNED_BACK = phrase("Up to where it was logged was set back: nothing new of it is logged any more.")
OTHER_CARD = phrase("It is not the card that entries are about: its name was changed behind the log's back.")
NOT_AGREED = phrase("Nobody said this: the deed beside it says something else, or there is none.")
NOT_FORGOTTEN = phrase(
    "Cards that are called as if their holders had been forgotten: {gone}. Deeds say so of {forgotten}."
)
STRANGER = phrase("The checkpoint that was given is signed by no key of this log.")


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is not as it was logged."""

    index: int | None
    """The first entry that it is about; None where there is none."""
    kind: str
    ref: str
    what: Said
    is_exact: bool = True
    """Whether it is that entry; else one of some from there on."""


@dataclass(slots=True)
class Audited:
    """What was compared, and what was found: first what is known exactly, by index."""

    entries: int = 0
    checkpoints: int = 0
    waiting: int = 0
    """Entries that no checkpoint covers yet."""
    gone: int = 0
    """Rows that had to go, as deeds say, or as tax law lets them."""
    faults: list[Fault] = field(default_factory=list)

    def note(
        self, what: Said, index: int | None = None, kind: str = "", ref: str = "", *, is_exact: bool = True
    ) -> None:
        """Note a fault, unless there are enough."""
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(Fault(index, kind, ref, what, is_exact))


async def audit_log(
    store: Store,
    keys: Sequence[Verifier] = (),
    earlier: Sequence[Signed] = (),
    progress: Progress = lambda done, of: None,
) -> Audited:
    """Compare everything; ``keys``: those of the log, where they were kept elsewhere; ``earlier``: checkpoints too."""
    async with store.read() as connection:
        return await _Audit(connection, store, list(keys), earlier).run(progress)


class _Audit:
    """One comparison, at one snapshot."""

    def __init__(
        self, connection: AsyncConnection, store: Store, keys: list[Verifier], earlier: Sequence[Signed]
    ) -> None:
        self.connection = connection
        self.store = store
        self.keys = keys
        self.earlier = earlier
        self.found = Audited()
        self.tree = Frontier()
        self.is_whole = True
        self.held = 0
        """Up to where the newest checkpoint that held went."""
        self.is_broken = False
        self.seen: Counter[str] = Counter()
        """How many entries there are of each kind."""
        self.at = EPOCH
        """When the newest entry was made whose row is as it was logged: those after it are no older."""

    async def run(self, progress: Progress) -> Audited:
        """All of it."""
        size = await leaf.size(self.connection)
        self.keys = self.keys or await self._own_keys()
        gone, oldest = await self._gone(), tax_end(self.store.clock())
        ahead = await self._checkpoints(0)
        for one in self.earlier:
            if not one.note.opened(self.keys):
                self.found.note(STRANGER)
        start = 0
        while start < size:
            rows = await leaf.leaves(self.connection, start, TOGETHER)
            await self._rows(rows, gone, oldest)
            ahead = await self._grow(rows, start, ahead)
            start += TOGETHER
            progress(min(start, size), size)
        await self._end(size, ahead)
        self.found.faults.sort(key=lambda one: (one.index is None, not one.is_exact, one.index or 0))
        return self.found

    # --- rows -----------------------------------------------------------------------------------------

    async def _own_keys(self) -> list[Verifier]:
        """The keys that the log itself names."""
        rows = await self.connection.execute(select(deed.c.body).where(deed.c.kind == DeedKind.LOG_KEY.value))
        return [read_verifier(orjson.loads(body)["key"]) for body in rows.scalars()]

    async def _gone(self) -> set[tuple[str, str]]:
        """Rows of which a deed says that they had to go, of tables whose rows ever do."""
        asked = select(deed.c.subject, deed.c.body).where(deed.c.kind == DeedKind.ROWS_GONE.value)
        rows = (await self.connection.execute(asked)).all()
        may = [row for row in rows if row.subject in NAMED and NAMED[row.subject].goes]
        return {(row.subject, ref) for row in may for ref in orjson.loads(row.body)["refs"]}

    async def _rows(self, rows: Sequence[LeafRow], gone: set[tuple[str, str]], oldest: datetime) -> None:
        """Compare each row with its leaf."""
        by_kind: dict[str, list[LeafRow]] = {}
        for row in rows:
            by_kind.setdefault(row.kind, []).append(row)
        told: dict[int, list[str]] = {}
        for kind, some in by_kind.items():
            self.seen[kind] += len(some)
            if kind not in NAMED:
                self.found.note(NO_KIND, some[0].n, kind, some[0].ref)
                continue
            now = await source.these(self.connection, NAMED[kind], [row.ref for row in some])
            told |= {
                row.n: name.parted(said(NAMED[kind], now[row.ref], row.at, row.salt)) for row in some if row.ref in now
            }
        tokens = {token for words in told.values() for token in words[1::2]}
        named = await name.commitments(self.connection, tokens, self.store.is_sqlite)
        for row in rows:
            if row.kind in NAMED:
                self._row(row, told.get(row.n), named, gone, oldest)

    def _row(
        self,
        row: LeafRow,
        words: Sequence[str] | None,
        named: Mapping[str, name.Named],
        gone: set[tuple[str, str]],
        oldest: datetime,
    ) -> None:
        """Compare one row with its leaf."""
        if words is None:
            if (row.kind, row.ref) in gone or self._is_over(row, oldest):
                self.found.gone += 1
            else:
                self.found.note(DELETED, row.n, row.kind, row.ref)
        elif committed(row.salt, nameless(words, named)) != row.commitment:
            self.found.note(CHANGED, row.n, row.kind, row.ref)
        else:
            self.at = max(self.at, row.at)

    def _is_over(self, row: LeafRow, oldest: datetime) -> bool:
        """Whether tax law asks for a row no longer. When its entry was made is only believed of one that opens, so
        those before it have to be as old."""
        return row.kind in ("bill", "month") and max(row.at, self.at) < oldest

    async def _names(self) -> None:
        """Compare what cards are called with what entries say instead."""
        for token in await name.changed(self.connection):
            self.found.note(OTHER_CARD, None, "card", token)
        asked = select(deed.c.body).where(deed.c.kind == DeedKind.ERASED.value)
        forgotten = sum(orjson.loads(body).get("cards", 0) for body in (await self.connection.execute(asked)).scalars())
        gone = await name.gone(self.connection)
        if gone > forgotten:
            self.found.note(NOT_FORGOTTEN.filled(gone=gone, forgotten=forgotten), None, "card")

    # --- the tree -------------------------------------------------------------------------------------

    async def _checkpoints(self, size: int) -> list[CheckpointRow]:
        """The next checkpoints beyond a size."""
        return await checkpoint.after(self.connection, size, TOGETHER)

    async def _grow(self, rows: Sequence[LeafRow], start: int, ahead: list[CheckpointRow]) -> list[CheckpointRow]:
        """Add leaves to the tree, and compare it with nodes and checkpoints on the way."""
        made: dict[tuple[int, int], bytes] = {}
        for place, row in enumerate(rows):
            if not self.is_whole:
                return ahead
            if row.n != start + place:
                self.is_whole = False
                self.found.note(NO_LEAF, start + place)
                return ahead
            made |= {node[:2]: node[2] for node in self.tree.add(Leaf(row.kind, row.ref, row.commitment).hash)}
            while ahead and ahead[0].size == self.tree.size:
                self._signed(ahead.pop(0))
                if not ahead:
                    ahead = await self._checkpoints(self.tree.size)
            self._kept_elsewhere()
        if len(rows) < TOGETHER and start + len(rows) < await leaf.size(self.connection):
            self.is_whole = False
            self.found.note(NO_LEAF, start + len(rows))
        await self._nodes(made)
        return ahead

    def _signed(self, row: CheckpointRow) -> None:
        """Compare the tree with a checkpoint."""
        self.found.checkpoints += 1
        self.found.entries = row.size
        try:
            one = read_signed(row.note)
            is_signed = bool(one.note.opened(self.keys)) and (one.checkpoint.size, one.checkpoint.root) == (
                row.size,
                row.root,
            )
        except NoteRefused:
            is_signed = False
        if not is_signed:
            self.found.note(NOT_SIGNED.filled(size=row.size), row.size - 1)
        elif self.tree.root() == row.root:
            self.held = row.size
        elif not self.is_broken:
            self.is_broken = True
            self.found.note(OTHER_ROOT.filled(begin=self.held, end=row.size - 1), self.held, is_exact=False)

    def _kept_elsewhere(self) -> None:
        """Compare the tree with checkpoints that were kept elsewhere."""
        for one in self.earlier:
            if one.checkpoint.size == self.tree.size and one.checkpoint.root != self.tree.root():
                at = min(self.held, self.tree.size - 1)
                self.found.note(OTHER_LOG.filled(had=one.checkpoint.size), at, is_exact=False)

    async def _nodes(self, made: Mapping[tuple[int, int], bytes]) -> None:
        """Compare nodes with those that are kept."""
        for (level, n), node in made.items():
            if await leaf.nodes(self.connection, level, n, 1) != [node]:
                begin = n << (8 * level)
                words = NO_NODE.filled(begin=begin, end=begin + (1 << (8 * level)) - 1)
                self.found.note(words, begin, is_exact=False)

    async def _end(self, size: int, ahead: Sequence[CheckpointRow]) -> None:
        """What is only seen at the end: what was cut, what was never logged, what is too much."""
        self.found.waiting = max(0, size - self.found.entries)
        if self.is_whole and ahead:
            last = await checkpoint.newest(self.connection)
            self.found.note(CUT.filled(size=size, had=last.size if last else 0), size)
        for one in self.earlier:
            if self.is_whole and one.checkpoint.size > size:
                self.found.note(CUT_SINCE.filled(size=size, had=one.checkpoint.size), size)
        before = await followed(self.connection)
        for each in SOURCES:
            passed = await source.passed_by(self.connection, each, before)
            for ref in passed:
                self.found.note(INSERTED, None, each.kind, ref)
            skipped = 0 if passed else await source.unsaid(self.connection, each, before) - self.seen[each.kind]
            if skipped > 0 and self.is_whole:
                self.found.note(SKIPPED.filled(count=skipped), None, each.kind)
            elif skipped < 0 and each.by is source.By.NUMBER:
                self.found.note(TURNED_BACK, None, each.kind)
        await self._names()
        for n in await consent.unlike_deeds(self.connection):
            self.found.note(NOT_AGREED, None, "consent", str(n))
        await self._unsigned(size)
        kept = await self.connection.scalar(
            select(log_node.c.n).where(log_node.c.level == 1, log_node.c.n >= size >> 8)
        )
        if kept is not None:
            self.found.note(EXTRA_NODE)

    async def _unsigned(self, size: int) -> None:
        """Say where entries were never signed that should have been long ago."""
        last = await checkpoint.newest(self.connection)
        first = last.size if last else 0
        rows = await leaf.leaves(self.connection, first, 1) if self.is_whole and first < size else []
        if rows and rows[0].at < self.store.clock() - UNSIGNED:
            self.found.note(NEVER_SIGNED.filled(index=first), first)
