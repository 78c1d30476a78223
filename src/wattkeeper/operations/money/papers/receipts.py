"""Receipts by letter, to whoever wants them: each document once, with its PDF attached.

It follows the ledger, so that a letter is queued in the same transaction as the note that it was: a death between
leaves no document without its letter, and none with two.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from wattkeeper.bus import Bus
from wattkeeper.charging.evidence import kwh
from wattkeeper.charging.person import Role, Scope, Viewer
from wattkeeper.charging.phrase import Money, phrase
from wattkeeper.language import tell_in
from wattkeeper.operations.log.keeper import TOPIC as SIGNED
from wattkeeper.operations.money.billing import TOPIC
from wattkeeper.operations.money.papers.papers import Papers
from wattkeeper.operations.people.accounts import BY_MAIL, RECEIPTS
from wattkeeper.operations.people.letters.mail import Attached, Mail
from wattkeeper.operations.watching import watch
from wattkeeper.store.engines import Store
from wattkeeper.store.money import bill, due, ledger
from wattkeeper.store.money.bill import BillRow
from wattkeeper.store.money.ledger import EntryRow
from wattkeeper.store.people import account
from wattkeeper.store.people.account import AccountState
from wattkeeper.store.unit import Unit
from wattkeeper.vault.keys import KeyRefused

log = logging.getLogger("wattkeeper.receipts")

NAME, KIND = "receipts", "receipt"
TOGETHER = 50
"""How many ledger entries are followed in one transaction."""
REST_S = 30
"""After how long it looks without being told to."""
PATIENCE = timedelta(minutes=5)
"""How long a letter waits for the proof that it is to carry; after that it goes without."""
SUBJECT = phrase("Your receipt {number}: {amount}")
TEXT = phrase(
    "You charged {energy} at {station}. It comes to {amount}; the receipt is attached.\n\nWhy it costs that, and what "
    "to do if something is wrong: {link}\n\nYou get a letter for each receipt because you asked for it. End that at "
    "{end}"
)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A receipt that somebody wants by letter, in their language."""

    person: str
    number: str
    language: str


class Receipts:
    """Sends receipts to whoever wants them by letter."""

    def __init__(self, store: Store, bus: Bus, mail: Mail, papers: Papers) -> None:
        self._store = store
        self._bus = bus
        self._mail = mail
        self._papers = papers

    async def run(self) -> None:
        """Look whenever something was billed, or the log was signed, for as long as the installation runs."""
        await watch(self._bus, [TOPIC, SIGNED], self._look, log, rest_s=REST_S)

    async def _look(self) -> None:
        while await self.look():
            pass

    async def look(self) -> int:
        """Queue the letters of the next documents; gives how many ledger entries were followed."""
        async with self._store.read() as connection:
            before = await due.followed(connection, NAME)
            entries = await ledger.after(connection, before.n, TOGETHER)
            issued = await bill.named(connection, [one.ref for one in entries if one.is_billed])
        entries = await self._signed(entries, {row.number: row for row in issued})
        if not entries:
            return 0
        followed = {one.ref for one in entries}
        issued = [row for row in issued if row.number in followed]
        async with self._store.unit() as unit:
            wanted = [one for row in issued if (one := await self._wanted(unit, row)) is not None]
        files = {one.number: file for one in wanted if (file := await self._printed(one)) is not None}
        rows = {row.number: row for row in issued}
        async with self._store.unit() as unit:
            if await due.advance(unit, NAME, before, entries[-1].n):
                for one in (one for one in wanted if one.number in files):
                    await self._write(unit, one, rows[one.number], files[one.number])
        return len(entries)

    async def _signed(self, entries: Sequence[EntryRow], issued: Mapping[str, BillRow]) -> list[EntryRow]:
        """Those before the first document that the log does not prove yet: its letter waits a minute for the proof."""
        ready = []
        for one in entries:
            row = issued.get(one.ref)
            is_new = row is not None and self._store.clock() - row.issued_at < PATIENCE
            if is_new and not await self._papers.is_proved(one.ref):
                break
            ready.append(one)
        return ready

    async def _wanted(self, unit: Unit, row: BillRow) -> _Wanted | None:
        """Whether whose document it is wants it by letter."""
        holder = await account.of_person(unit.connection, row.person) if row.person else None
        if holder is None or holder.state is not AccountState.ACTIVE:
            return None
        try:
            known: Mapping[str, str] = await self._mail.known(unit, holder)
        except KeyRefused:
            return None
        return _Wanted(row.person, row.number, known.get("language", "en")) if known.get(RECEIPTS) == BY_MAIL else None

    async def _printed(self, one: _Wanted) -> Attached | None:
        """The receipt as a file, printed for its payer; None where it cannot be printed, which holds up no other."""
        payer = Viewer("wattkeeper", Role.DRIVER, own=frozenset({Scope.BILLS_READ}), person=one.person)
        try:
            paper = await self._papers.receipt(payer, one.number, one.language)
        except Exception:
            log.exception("the receipt %s could not be printed, so it is sent to nobody", one.number)
            return None
        return Attached(paper.name, "application/pdf", paper.pdf)

    async def _write(self, unit: Unit, one: _Wanted, row: BillRow, file: Attached) -> None:
        """Queue the letter."""
        amount = Money(Decimal(row.gross_minor).scaleb(-row.digits), row.currency, row.digits)
        subject = SUBJECT.filled(number=row.number, amount=amount)
        door = self._mail.door(staff=False)
        text = TEXT.filled(
            energy=kwh(f"{row.energy_wh:f}"),
            station=row.station,
            amount=amount,
            link=f"{door}sessions/{row.session}",
            end=f"{door}me",
        )
        told = [str(tell_in(one.language, said)) for said in (subject, text)]
        with suppress(KeyRefused):  # forgotten meanwhile
            await self._mail.write(unit, one.person, KIND, f"Wattkeeper: {told[0]}", f"{told[1]}\n", file=file)
