"""A list of cards is taken in: some rows together, each good one kept, each bad one told by its line."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from wattkeeper.charging.cards.token import TokenRef
from wattkeeper.charging.errors import Refusal
from wattkeeper.charging.person import Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.cards import groups, listing
from wattkeeper.operations.cards.listing import Rejected, Wish
from wattkeeper.operations.safe import Safe
from wattkeeper.store.cards import card as cards
from wattkeeper.store.cards.card import CardRow
from wattkeeper.store.engines import Store
from wattkeeper.store.unit import Unit

if TYPE_CHECKING:
    from wattkeeper.operations.cards.book import Cards

TOGETHER = 100
"""Cards enrolled in one transaction: few enough that stations need not wait for it."""
MOST_REASONS = 10_000
AGAIN = phrase("This is the card of line {line} again.")


@dataclass(slots=True)
class ImportReport:
    """What became of a list: rows that were good are kept, the others listed."""

    imported: int = 0
    updated: int = 0
    rejected_count: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    """The first 10,000 of them."""

    def reject(self, row: Rejected) -> None:
        """Note a row that was not taken."""
        self.rejected_count += 1
        if len(self.rejected) < MOST_REASONS:
            self.rejected.append(row)


class Import:
    """One list on its way in."""

    def __init__(self, book: Cards, store: Store, safe: Safe, viewer: Viewer) -> None:
        self._book = book
        self._store = store
        self._safe = safe
        self._viewer = viewer
        self._report = ImportReport()

    async def take(self, text: str) -> ImportReport:
        """Take in the rows of a file; Refusal INVALID where it cannot be understood at all."""
        wishes = self._wishes(listing.read(text))
        while some := list(islice(wishes, TOGETHER)):
            async with self._store.unit() as unit:
                await self._take(unit, some)
            await asyncio.sleep(0)
        self._report.rejected.sort(key=lambda row: row.line)
        return self._report

    def _wishes(self, rows: Iterable[Wish | Rejected]) -> Iterator[tuple[TokenRef, Wish]]:
        """The rows that can be taken, each card once; the others go into the report."""
        seen: dict[TokenRef, int] = {}
        for row in rows:
            if isinstance(row, Rejected):
                self._report.reject(row)
                continue
            ref = self._safe.ref(row.card.uid)
            if seen.setdefault(ref, row.line) != row.line:
                self._report.reject(Rejected(row.line, AGAIN.filled(line=seen[ref])))
                continue
            yield ref, row

    async def _take(self, unit: Unit, some: list[tuple[TokenRef, Wish]]) -> None:
        """Enrol or change each that the viewer may."""
        some = [(self._safe.ref(wish.card.uid), wish) for _, wish in some]  # keys may have changed meanwhile
        named = {name for _, wish in some if (name := wish.rule.get("group"))}
        refused = await groups.refusals(unit, self._viewer, named)
        known = await cards.lasting(unit, [ref for ref, _ in some])
        for ref, wish in some:
            why = refused.get(wish.rule.get("group") or "")
            if why is not None:
                self._report.reject(Rejected(wish.line, why))
            elif ref in known:
                await self._update(unit, known[ref], wish)
            else:
                self._book.take(unit, ref, wish, self._viewer.name)
                self._report.imported += 1

    async def _update(self, unit: Unit, row: CardRow, wish: Wish) -> None:
        """Change a card that is known."""
        try:
            await self._book.apply(unit, row, wish.rule, self._viewer)
        except Refusal as refusal:
            self._report.reject(Rejected(wish.line, refusal.why))
            return
        if wish.name:
            await self._book.rename_person(unit, row.person, wish.name)
        self._report.updated += 1
