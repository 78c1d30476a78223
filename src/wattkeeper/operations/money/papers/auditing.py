"""Invoices for a tax audit: printed with their buyer, from under the key of their year, though who it was is forgotten.

Nothing else of a person opens by that key, and after ten years it is destroyed.
"""

from __future__ import annotations

import orjson

from wattkeeper.charging.deed import DeedKind
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.money.papers.paper import Party
from wattkeeper.operations.money.papers.papers import Papers, Printed
from wattkeeper.operations.safe import Safe
from wattkeeper.store import deed
from wattkeeper.store.engines import Store
from wattkeeper.store.privacy import buyer
from wattkeeper.store.unit import Unit
from wattkeeper.vault.keys import KeyRefused

SHORTEST, LONGEST = 3, 100
NOBODY = phrase("No buyer is kept for this document: it was never made out to anybody, or its ten years are over.")


class TaxAudit:
    """Prints invoices for those who may ask for them by law."""

    def __init__(self, store: Store, safe: Safe, papers: Papers) -> None:
        self._store = store
        self._safe = safe
        self._papers = papers

    async def invoice(self, viewer: Viewer, number: str, case: str, language: str = "") -> Printed:
        """An invoice or monthly invoice with the buyer it was made out to; the look is in the log with its ``case``.

        Scopes bills:write and persons:read, and a fresh proof. Refusal NOT_FOUND; INVALID where no case is named.
        """
        viewer.need(Scope.BILLS_WRITE)
        viewer.need(Scope.PERSONS_READ)
        if viewer.account:
            viewer.need_fresh(self._store.clock())
        asked = " ".join(case.split())
        if not SHORTEST <= len(asked) <= LONGEST or not asked.isprintable():
            raise Refusal(Code.INVALID, phrase("Name the case of the audit, such as its file number; no person."))
        async with self._store.unit() as unit:
            party = await self._buyer(unit, number)
            body = {"what": "invoice", "purpose": "tax_audit", "case": asked}
            await deed.enter(unit, DeedKind.LOOKED, viewer.name, number, body)
        if number.startswith("M"):
            return await self._papers.monthly(viewer, number, party if party.country else None, language)
        return await self._papers.invoice(viewer, number, party, language)

    async def _buyer(self, unit: Unit, number: str) -> Party:
        """To whom it was made out; Refusal NOT_FOUND."""
        kept = await buyer.one(unit.connection, number)
        if kept is None:
            raise Refusal(Code.NOT_FOUND, NOBODY)
        try:
            plain = await self._safe.unseal_for(unit, kept.subject, "paper_buyer", "sealed", kept.sealed)
        except KeyRefused:
            raise Refusal(Code.NOT_FOUND, NOBODY) from None
        return Party(**orjson.loads(plain))
