"""The cards as stations' own lists see them, kept at hand, and their numbers for the moment of sending."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from wattkeeper.charging.local_list import Listable, Roster, understood
from wattkeeper.charging.orders import ListEntry
from wattkeeper.operations.safe import Safe
from wattkeeper.store import local_list as lists
from wattkeeper.store.engines import Store
from wattkeeper.vault.keys import KeyRefused

READ_AT_ONCE = 500
"""Cards read in one query: few enough that nobody waits for it."""
OPENED_AT_ONCE = 20
"""Numbers opened before the others have their turn."""


class Cabinet:
    """Where the roster is: read again when a card has changed, in small portions."""

    def __init__(self, store: Store, safe: Safe) -> None:
        self._store = store
        self._safe = safe
        self._as_of: tuple[Any, ...] | None = None
        self._reading = asyncio.Lock()
        self._lost: set[str] = set()
        self.roster = Roster()

    async def refresh(self, *, anyway: bool = False) -> None:
        """Read the cards again where any has changed."""
        async with self._reading:
            async with self._store.read() as connection:
                as_of = await lists.state_of_cards(connection)
            if as_of != self._as_of or anyway:
                self.roster, self._as_of = await self._read(), as_of

    def leave_out(self, refs: Iterable[str]) -> None:
        """These cards' numbers cannot be opened any more: lists do without them from now on."""
        self._lost.update(refs)
        cards = {ref: card for ref, card in self.roster.cards.items() if ref not in self._lost}
        self.roster = Roster(cards, self.roster.spoilt_at)

    async def _read(self) -> Roster:
        """All cards, with a pause after each portion."""
        cards: dict[str, Listable] = {}
        spoilt: datetime | None = None
        after: str | None = ""
        while after is not None:
            async with self._store.read() as connection:
                page = await lists.page(connection, after, READ_AT_ONCE)
            cards.update({card.ref: card for card in page.cards if card.ref not in self._lost})
            spoilt = max(filter(None, (spoilt, page.spoilt_at)), default=None)
            after = page.last
            await asyncio.sleep(0)
        return Roster(cards, spoilt)

    async def entries(self, says: Mapping[str, str]) -> dict[str, ListEntry]:
        """The entries that say this, by pseudonym; a card whose key was destroyed has none."""
        async with self._store.read() as connection:
            sealed = await lists.numbers(connection, [*says])
        found: dict[str, ListEntry] = {}
        for place, one in enumerate(sealed):
            if place % OPENED_AT_ONCE == 0:
                await asyncio.sleep(0)
            number = self._open(one)
            if number is not None:
                listing, until = understood(says[one.ref])
                found[one.ref] = ListEntry(uid=number, listing=listing, expires_at=until)
        return {ref: found[ref] for ref in says if ref in found}

    def _open(self, one: lists.Sealed) -> str | None:
        """A card's number; None where it cannot be opened any more."""
        try:
            return self._safe.unseal_by(one.wrapped, one.person, "card", "sealed", one.number).decode()
        except KeyRefused:
            return None
