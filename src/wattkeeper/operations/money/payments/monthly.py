"""One invoice a month for whoever pays so: over all that was billed in a month, once the month is over."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256

import msgspec

from wattkeeper.charging.phrase import Phrase, phrase
from wattkeeper.operations.money.payments.settling import BY, SETTLING
from wattkeeper.operations.money.payments.wallet import minor_text
from wattkeeper.operations.people.letters.notice_words import NoticeKind
from wattkeeper.operations.people.letters.notices import Notices
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store
from wattkeeper.store.money import due, ledger
from wattkeeper.store.money.payments import monthly, settlement
from wattkeeper.store.money.payments.monthly import InvoiceRow, Item
from wattkeeper.store.money.payments.settlement import Settlement
from wattkeeper.store.unit import Unit

log = logging.getLogger("wattkeeper.payments")

TOGETHER = 20
OPEN, PART, PAID, OURS = phrase("To pay"), phrase("Partly paid"), phrase("Paid"), phrase("In your favour")


def paid_words(gross_minor: int, paid_minor: int) -> Phrase:
    """How a monthly invoice stands, in words."""
    if gross_minor < 0:
        return OURS
    if paid_minor >= gross_minor:
        return PAID
    return PART if paid_minor > 0 else OPEN


class Monthly:
    """Issues monthly invoices, for as long as the installation runs."""

    def __init__(self, store: Store, settings: Settings, notices: Notices | None = None) -> None:
        self._store = store
        self._settings = settings
        self._notices = notices

    async def look(self) -> int:
        """Issue what is due; how many invoices that were."""
        count = 0
        while issued := await self._issue():
            count += issued
        return count

    async def _issue(self) -> int:
        """Issue some, once everything that was charged is settled: later documents are of a later month."""
        async with self._store.read() as connection:
            month = self._month(self._store.clock())
            if not await settlement.to_invoice(connection, month, 1):
                return 0
        async with self._store.unit() as unit:
            if (await due.followed(unit.connection, SETTLING)).n < await ledger.newest(unit.connection):
                return 0
            wanted = await settlement.to_invoice(unit.connection, self._month(unit.now), TOGETHER)
            for person, of_month, currency in wanted:
                documents = await settlement.of_month(unit.connection, person, of_month, currency)
                await self._keep(unit, person, of_month, documents)
        return len(wanted)

    def _month(self, at: datetime) -> str:
        return f"{at.astimezone(self._settings.zone):%Y-%m}"

    async def _keep(self, unit: Unit, person: str, month: str, documents: Sequence[Settlement]) -> None:
        """Issue one invoice: numbered, its documents noted, its driver told."""
        local = unit.now.astimezone(self._settings.zone)
        series, numbers = f"{local:%Y}", [one.number for one in documents]
        place = await monthly.next_place(unit, series)
        items = await monthly.items(unit.connection, numbers)
        content = content_of(items)
        row = InvoiceRow(
            number=monthly.number_of(series, place),
            series=series,
            place=place,
            person=person,
            month=month,
            currency=documents[0].currency,
            digits=documents[0].digits,
            net_minor=sum(one.net_minor for one in items),
            vat_minor=sum(one.vat_minor for one in items),
            gross_minor=sum(one.gross_minor for one in items),
            issued_at=unit.now,
            due_on=f"{local + timedelta(days=self._settings.payment_days):%Y-%m-%d}",
            content=content,
            digest=sha256(content.encode()).hexdigest(),
            by=BY,
        )
        await monthly.keep(unit, row)
        await settlement.put_on(unit, numbers, row.number)
        await self._tell(unit, row)

    async def _tell(self, unit: Unit, row: InvoiceRow) -> None:
        """Let the driver know; one who was forgotten is told nothing."""
        if self._notices is None:
            return
        amount = minor_text(row.gross_minor, row.currency, row.digits)
        words = {"number": row.number, "month": row.month, "amount": str(amount), "due": row.due_on}
        try:
            async with unit.attempt():
                await self._notices.tell(unit, row.person, NoticeKind.MONTHLY_INVOICE, words, row.number)
        except Exception:
            log.warning("monthly invoice %s could not be announced", row.number)


def content_of(items: Sequence[Item]) -> str:
    """The documents of a monthly invoice, canonical JSON."""
    return msgspec.json.encode(items, order="sorted").decode()


def items_of(content: str) -> list[Item]:
    """The documents of a monthly invoice."""
    return msgspec.json.decode(content, type=list[Item])
