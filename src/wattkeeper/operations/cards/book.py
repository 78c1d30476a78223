"""Cards come in, change and are opened; their numbers live only as pseudonym and inside the vault."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice

import orjson

from wattkeeper.bus import Bus
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.token import Card, CardState, Presented, TokenRef
from wattkeeper.operations import card_list
from wattkeeper.operations.card_list import Rejected, Rule, Wish
from wattkeeper.operations.safe import Safe
from wattkeeper.store import card as cards
from wattkeeper.store.engines import Store
from wattkeeper.store.unit import Unit
from wattkeeper.vault.keys import KeyRefused
from wattkeeper.vault.pseudonym import canonical

log = logging.getLogger(__name__)

TOPIC = "cards"
"""What is announced when cards have changed."""
TOGETHER = 100
"""Cards enrolled in one transaction: few enough that stations need not wait for it."""
MOST_REASONS = 10_000


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


class Cards:
    """The deeds on cards. No number leaves by an exception, a log or a report."""

    def __init__(self, store: Store, safe: Safe, bus: Bus) -> None:
        self._store = store
        self._safe = safe
        self._bus = bus

    async def enroll(self, number: str, name: str | None, rule: Rule, by: str) -> TokenRef:
        """Take in one card; Refusal INVALID (not a number), CONFLICT (already enrolled)."""
        wish = Wish(0, Presented(card_list.checked(number)), name, rule)
        ref = self._safe.ref(wish.card.uid)
        async with self._store.unit() as unit:
            if await cards.owners(unit, [ref]):
                raise Refusal(Code.CONFLICT, "This card is already enrolled. Change it instead.", ref=ref)
            self._enroll(unit, ref, wish)
        self._announce("enrolled one card", by)
        return ref

    async def import_csv(self, text: str, by: str) -> ImportReport:
        """Take in a list: the first line names the columns; a known card changes, an empty cell leaves what is there.

        Good rows are kept even where others are rejected. Refusal INVALID where the file cannot be understood at all.
        """
        report = ImportReport()
        wishes = self._wishes(card_list.read(text), report)
        while some := list(islice(wishes, TOGETHER)):
            async with self._store.unit() as unit:
                await self._take(unit, some, report)
            await asyncio.sleep(0)
        self._announce(f"imported {report.imported}, updated {report.updated}, rejected {report.rejected_count}", by)
        return report

    async def change(self, ref: str, rule: Rule, by: str) -> None:
        """Change what a card may do; Refusal NOT_FOUND."""
        async with self._store.unit() as unit:
            if not await cards.change(unit, ref, _columns(rule)):
                raise Refusal(Code.NOT_FOUND, "There is no such card.")
        self._announce("changed one card", by)

    async def set_state(self, ref: str, state: CardState, by: str) -> None:
        """Block or unblock a card; Refusal NOT_FOUND."""
        await self.change(ref, {"state": state}, by)

    async def reveal(self, ref: str) -> str:
        """The number of a card, for sending it to a station; Refusal NOT_FOUND, also where its key was destroyed."""
        try:
            async with self._store.unit() as unit:
                kept = await cards.number(unit.connection, ref)
                if kept is not None:
                    plain = await self._safe.unseal_for(unit, kept.person, "card", "sealed", kept.sealed)
                    return plain.decode()
        except KeyRefused:
            raise Refusal(Code.NOT_FOUND, "This card's number can no longer be opened.") from None
        raise Refusal(Code.NOT_FOUND, "There is no such card.")

    # --- within ---------------------------------------------------------------------------------------

    def _wishes(self, rows: Iterable[Wish | Rejected], report: ImportReport) -> Iterator[tuple[TokenRef, Wish]]:
        """The rows that can be taken, each card once; the others go into the report."""
        seen: dict[TokenRef, int] = {}
        for row in rows:
            if isinstance(row, Rejected):
                report.reject(row)
                continue
            ref = self._safe.ref(row.card.uid)
            if seen.setdefault(ref, row.line) != row.line:
                report.reject(Rejected(row.line, f"This is the card of line {seen[ref]} again."))
                continue
            yield ref, row

    async def _take(self, unit: Unit, some: list[tuple[TokenRef, Wish]], report: ImportReport) -> None:
        """Enrol or change each."""
        owners = await cards.owners(unit, [ref for ref, _ in some])
        for ref, wish in some:
            if ref in owners:
                await cards.change(unit, ref, _columns(wish.rule))
                await self._name(unit, owners[ref], wish)
            else:
                self._enroll(unit, ref, wish)
        report.updated += len(owners)
        report.imported += len(some) - len(owners)

    def _enroll(self, unit: Unit, ref: TokenRef, wish: Wish) -> None:
        """A new person with a key of their own, and their card."""
        person = f"person:{secrets.token_hex(12)}"
        seal = self._safe.enter_subject(unit, person)
        cards.keep_person(unit, person, seal("person", "sealed", _known(wish.name)) if wish.name else None)
        number = seal("card", "sealed", wish.card.uid.encode())
        card = replace(Card(ref), **wish.rule)
        cards.keep(unit, person, number, last2(wish.card.uid), card)

    async def _name(self, unit: Unit, person: str, wish: Wish) -> None:
        """Keep a person's name, if one is given, under their own key."""
        if wish.name:
            sealed = await self._safe.seal_for(unit, person, "person", "sealed", _known(wish.name))
            await cards.name_person(unit, person, sealed)

    def _announce(self, what: str, by: str) -> None:
        log.info("%s %s", by, what)
        self._bus.announce(TOPIC)


def _known(name: str) -> bytes:
    """What is kept, sealed, of a person."""
    return orjson.dumps({"name": name})


def last2(number: str) -> str:
    """The last two characters, for support; empty where the number is so short that they would say too much."""
    symbols = canonical(number)
    return symbols[-2:] if len(symbols) >= 4 else ""


def _columns(rule: Rule) -> dict[str, object]:
    """A rule as the store has it."""
    columns: dict[str, object] = dict(rule)
    if "group" in columns:
        columns["grouping"] = columns.pop("group")
    if "state" in rule:
        columns["state"] = rule["state"].value
    return columns
