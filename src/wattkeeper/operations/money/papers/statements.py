"""What somebody was billed for charging in a month, as one paper: to hand to an employer who pays for a company car."""

from __future__ import annotations

import calendar
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal
from typing import Any

from wattkeeper.charging.cards.token import TokenRef
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.money.exact import divided, exactly
from wattkeeper.charging.money.numbered import DocumentKind, Tax, less
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import Money, counted, joined, phrase
from wattkeeper.language import chosen, spoken
from wattkeeper.operations.money.papers.monthly_paper import BY_RATE, RATE_COLUMNS, kwh, rate_row
from wattkeeper.operations.money.papers.paper import Party, Teller, clock
from wattkeeper.operations.money.papers.papers import Papers, Printed
from wattkeeper.operations.money.papers.printing import MONTH, printed
from wattkeeper.operations.money.papers.yearly import Yearly
from wattkeeper.operations.money.revenue import month as days_of
from wattkeeper.operations.money.tariffs.prices import Prices, Receipt
from wattkeeper.operations.statistics.yearly import OwnYears
from wattkeeper.store.cards import card as cards
from wattkeeper.store.cards.card import CardRow
from wattkeeper.store.engines import Store
from wattkeeper.store.money import bill
from wattkeeper.store.money.content import decode

MOST_CARDS = 1000
EMPTY = phrase("Nothing was billed for this month yet, so there is nothing to state.")
COLUMNS = (
    *(phrase("Day and receipt"), phrase("Where"), phrase("Energy")),
    *(phrase("Without tax"), phrase("Tax"), phrase("With tax")),
)
PURPOSE = phrase(
    "This states what was billed, to be reimbursed by whoever pays for the car. It is no invoice: each amount stands "
    "on the receipt beside it, which anyone can work out again."
)


@dataclass(frozen=True, slots=True)
class Statement:
    """The billed sessions of a month, the oldest first."""

    month: date
    """Its first day."""
    seller: Party
    payer: str
    """What the person is called; empty where they told us no name."""
    zone: tzinfo
    made_at: datetime
    receipts: Sequence[Receipt]
    cards: Mapping[TokenRef, CardRow]
    taxes: Sequence[tuple[tuple[str, int], Tax]]
    """The tax of every document, by currency and its digits."""
    waiting: int
    """How many sessions of the month were not billed yet."""


class Statements:
    """Prints what somebody was billed in a month; ``yearly``: in a year."""

    def __init__(self, store: Store, prices: Prices, papers: Papers) -> None:
        self._store = store
        self._prices = prices
        self._papers = papers
        self.yearly = Yearly(store, OwnYears(store, papers.zone), papers)

    async def printed(self, viewer: Viewer, month: str, card: str | None = None, language: str = "") -> Printed:
        """One's own month such as 2026-03 as PDF; of one card alone where its pseudonym is given.

        Scope bills:read, one's own. Refusal INVALID where it is no month, NOT_FOUND where nothing was billed.
        """
        one = await self._of(viewer, month, card)
        words = told(one, chosen(language, spoken()))
        return Printed(f"statement-{month}.pdf", await printed(words, one.made_at, template=MONTH))

    async def _of(self, viewer: Viewer, month: str, card: str | None) -> Statement:
        """What is to be stated."""
        viewer.need_own(Scope.BILLS_READ)
        first, _ = days_of(month)
        history = [one for one in await self._prices.history(viewer, month) if card in (None, one.token)]
        billed = [one for one in history if one.documents]
        if not billed:
            raise Refusal(Code.NOT_FOUND, EMPTY)
        async with self._store.read() as connection:
            own = {row.ref: row for row in await cards.find(connection, viewer, MOST_CARDS)}
            documents = {row.number: row for one in billed for row in one.documents}
            contents = await bill.contents(connection, list(documents))
        return Statement(
            month=first,
            seller=self._papers.seller,
            payer=await self._papers.payer_of(viewer),
            zone=self._papers.zone,
            made_at=self._store.clock(),
            receipts=sorted(billed, key=lambda one: (one.started_at, one.session)),
            cards=own,
            taxes=[
                ((documents[number].currency, documents[number].digits), tax)
                for number, text in contents.items()
                for tax in decode(text).adds
            ],
            waiting=sum(not one.documents and not one.is_waived and one.bill is not None for one in history),
        )


def told(one: Statement, language: str) -> dict[str, Any]:
    """A statement in a language, as plain words: what the template prints."""
    teller = _Teller(one, language)
    return {
        "language": language,
        "title": teller.title(),
        "seller": teller.address(one.seller),
        "buyer": [one.payer] if one.payer else [],
        "buyer_label": teller.tell(phrase("For")),
        "facts": [[teller.tell(name), teller.tell(value)] for name, value in teller.facts()],
        "columns": [teller.tell(name) for name in COLUMNS],
        "rows": [teller.row(each) for each in one.receipts],
        "totals": [[teller.tell(cell) for cell in row] for row in teller.totals()],
        "pay": "",
        "rates_label": teller.tell(BY_RATE),
        "rate_columns": [teller.tell(name) for name in RATE_COLUMNS],
        "rates": [[teller.tell(cell) for cell in row] for row in teller.rates()],
        "why_label": teller.tell(phrase("What this is")),
        "why": [teller.tell(note) for note in teller.notes()],
        "foot": [*filter(None, [one.seller.name]), *teller.vat_id(one.seller)],
        "page": teller.tell(phrase("Page")),
    }


class _Teller(Teller):
    """Tells the parts of a statement."""

    def __init__(self, statement: Statement, language: str) -> None:
        super().__init__(language)
        self._one = statement
        self._energy: dict[tuple[str, int], Decimal] = defaultdict(Decimal)
        self._net: Counter[tuple[str, int]] = Counter()
        self._amounts: Counter[tuple[str, int]] = Counter()
        for each in (document for receipt in statement.receipts for document in receipt.documents):
            self._energy[each.currency, each.digits] += each.energy_wh
            self._net[each.currency, each.digits] += each.net_minor
            self._amounts[each.currency, each.digits] += each.gross_minor

    def title(self) -> str:
        """What it is called."""
        return self.tell(phrase("Charging in {month}", month=self.month(self._one.month)))

    def facts(self) -> Iterator[tuple[str, str]]:
        """What stands beneath the title."""
        first = self._one.month
        last = first.replace(day=calendar.monthrange(first.year, first.month)[1])
        yield phrase("From"), self.day(first)
        yield phrase("To"), self.day(last)
        ends = [at for one in self._one.receipts for at in (one.started_at, one.ended_at or one.started_at)]
        yield phrase("Time zone"), clock(self._one.zone, ends)
        yield phrase("Sessions"), str(len(self._one.receipts))
        for (currency, digits), amount in sorted(self._amounts.items()):
            wh = self._energy[currency, digits]
            if wh > 0:
                with exactly():
                    price = divided(Decimal(amount).scaleb(3 - digits), wh)
                yield phrase("Average for each kWh"), Money(price, currency, digits + 2)
        yield phrase("Made on"), self.day(self._one.made_at.astimezone(self._one.zone).date())

    def row(self, receipt: Receipt) -> list[Any]:
        """A session: its day and documents, where and with what, its energy, what it came to."""
        began = receipt.started_at.astimezone(self._one.zone)
        ended = (receipt.ended_at or receipt.started_at).astimezone(self._one.zone)
        first = receipt.documents[0]
        net, gross = (sum(getattr(one, name) for one in receipt.documents) for name in ("net_minor", "gross_minor"))
        wh = sum((one.energy_wh for one in receipt.documents), Decimal(0))
        how = self.tell(joined((f"{began:%H:%M}–{ended:%H:%M}", self._by(receipt)), " · "))
        numbers = " ".join(one.number for one in receipt.documents)
        cells = (kwh(wh), *_sums(net, gross, (first.currency, first.digits)))
        return [[self.day(began.date()), numbers], [receipt.name, how], *(self.tell(cell) for cell in cells)]

    def _by(self, receipt: Receipt) -> str:
        """What it was started with, as far as may be shown."""
        card = None if receipt.token is None else self._one.cards.get(receipt.token)
        if card is None:
            return phrase("started by phone") if receipt.by_phone else phrase("by card")
        return phrase("Card ••{last2}", last2=card.last2) if card.last2 else phrase("by card")

    def totals(self) -> Iterator[tuple[object, ...]]:
        """The sums, by currency."""
        for money, gross in sorted(self._amounts.items()):
            yield phrase("Total"), kwh(self._energy[money]), *_sums(self._net[money], gross, money)

    def rates(self) -> Iterator[tuple[object, ...]]:
        """What bears which rate of tax, by currency."""
        for money in sorted(self._amounts):
            taxes = (tax for (of, tax) in self._one.taxes if of == money)
            yield from (rate_row(tax, lambda minor, money=money: _money(minor, money)) for tax in less(taxes, ()))

    def notes(self) -> Iterator[object]:
        """What it is, and what is not in it."""
        yield PURPOSE
        kinds = {document.kind for receipt in self._one.receipts for document in receipt.documents}
        if kinds - {DocumentKind.BILL}:
            yield phrase("Where a receipt was corrected, the amount is what all its documents come to together.")
        if self._one.waiting:
            yield counted(
                "{count} session of this month was not billed yet and is not in it.",
                "{count} sessions of this month were not billed yet and are not in it.",
                self._one.waiting,
            )


def _money(minor: int, money: tuple[str, int]) -> Money:
    """An amount of a currency with so many digits."""
    currency, digits = money
    return Money(Decimal(minor).scaleb(-digits), currency, digits)


def _sums(net: int, gross: int, money: tuple[str, int]) -> tuple[Money, Money, Money]:
    """Without tax, the tax, and both."""
    return _money(net, money), _money(gross - net, money), _money(gross, money)
