"""A monthly invoice as a paper: a line for each document, tax by rate, and until when what is paid to which account."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, tzinfo
from decimal import Decimal
from typing import Any

from wattkeeper.charging.money.numbered import Tax, less
from wattkeeper.charging.phrase import Figure, Money, Said, phrase
from wattkeeper.language import tell_in
from wattkeeper.operations.money.papers.machines.cii import Item, Machine, once, written
from wattkeeper.operations.money.papers.machines.einvoice import NO_TAX
from wattkeeper.operations.money.papers.paper import PAY, TO_ACCOUNT, Party, Teller
from wattkeeper.store.money.bill import BillRow
from wattkeeper.store.money.payments.monthly import InvoiceRow

COLUMNS = (
    *(phrase("Document"), phrase("Where"), phrase("Energy")),
    *(phrase("Without tax"), phrase("Tax"), phrase("With tax")),
)
RATE_COLUMNS = (phrase("Rate"), phrase("Without tax"), phrase("Tax"), phrase("With tax"))
BY_RATE = phrase("Tax by rate")
ABOUT = phrase(
    "This is what to pay for all the documents above. Each has its own paper, which says how it was worked out; none "
    "of them asks for anything by itself."
)
IN_FAVOUR = phrase("This is in your favour: there is nothing to pay.")
PAID = phrase("Paid: nothing is left to pay.")
PART = phrase("{amount} of it was paid.")


@dataclass(frozen=True, slots=True)
class Entry:
    """A document on a monthly invoice, and its tax by rate."""

    row: BillRow
    taxes: tuple[Tax, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthlyPaper:
    """All that stands on it."""

    row: InvoiceRow
    entries: Sequence[Entry]
    paid_minor: int
    seller: Party
    zone: tzinfo
    buyer: Party | None = None
    """None: it is made out to nobody."""
    iban: str = ""
    exemption: str = ""

    @property
    def month(self) -> date:
        """The first day of its month."""
        return date.fromisoformat(f"{self.row.month}-01")

    @property
    def due(self) -> date:
        """Until when to pay."""
        return date.fromisoformat(self.row.due_on)

    @property
    def open_minor(self) -> int:
        """What is still to be paid; what is in somebody's favour below zero."""
        gross = self.row.gross_minor
        return gross if gross < 0 else max(gross - max(self.paid_minor, 0), 0)

    @property
    def taxes(self) -> tuple[Tax, ...]:
        """Its tax by rate."""
        return less((tax for entry in self.entries for tax in entry.taxes), ())

    def money(self, minor: int) -> Money:
        """An amount."""
        return Money(Decimal(minor).scaleb(-self.row.digits), self.row.currency, self.row.digits)


def told(paper: MonthlyPaper, language: str) -> dict[str, Any]:
    """It in a language, as plain words: what the template prints."""
    teller, row = _Teller(paper, language), paper.row
    energy = sum((entry.row.energy_wh for entry in paper.entries), Decimal(0))
    sums = (kwh(energy), *map(paper.money, (row.net_minor, row.vat_minor, row.gross_minor)))
    return {
        "language": language,
        "title": teller.tell(phrase("Monthly invoice {number}", number=row.number)),
        "seller": teller.address(paper.seller),
        "buyer": [] if paper.buyer is None else [*teller.address(paper.buyer), *teller.vat_id(paper.buyer)],
        "buyer_label": teller.tell(phrase("For")),
        "facts": [[teller.tell(name), teller.tell(value)] for name, value in teller.facts()],
        "columns": [teller.tell(name) for name in COLUMNS],
        "rows": [teller.row(entry.row) for entry in paper.entries],
        "totals": [[teller.tell(one) for one in (phrase("Total"), *sums)]],
        "rates_label": teller.tell(BY_RATE),
        "rate_columns": [teller.tell(name) for name in RATE_COLUMNS],
        "rates": [[teller.tell(one) for one in rate_row(tax, paper.money)] for tax in paper.taxes],
        "pay": " ".join(teller.tell(one) for one in to_pay(paper, language)),
        "why_label": teller.tell(phrase("What this is")),
        "why": [teller.tell(ABOUT), *teller.exemption()],
        "foot": [*filter(None, [paper.seller.name]), *teller.vat_id(paper.seller), row.number],
        "page": teller.tell(phrase("Page")),
    }


def to_pay(paper: MonthlyPaper, language: str) -> Iterator[Said]:
    """What is to be paid, by when and where."""
    if paper.row.gross_minor <= 0:
        yield IN_FAVOUR
    elif not paper.open_minor:
        yield PAID
    else:
        if paper.paid_minor > 0:
            yield PART.filled(amount=paper.money(paper.paid_minor))
        given = {"amount": paper.money(paper.open_minor), "day": Teller(language).day(paper.due)}
        where = {"iban": paper.iban, "number": paper.row.number}
        yield TO_ACCOUNT.filled(**given, **where) if paper.iban else PAY.filled(**given)


class _Teller(Teller):
    """Tells its parts."""

    def __init__(self, paper: MonthlyPaper, language: str) -> None:
        super().__init__(language)
        self._paper = paper

    def facts(self) -> Iterator[tuple[Said, str]]:
        """What stands beneath the title."""
        paper = self._paper
        yield phrase("Number"), paper.row.number
        yield phrase("For what was billed in"), self.month(paper.month)
        yield phrase("Issued on"), self.day(paper.row.issued_at.astimezone(paper.zone).date())
        yield phrase("To pay until"), self.day(paper.due)
        if paper.iban:
            yield phrase("Account"), paper.iban
        yield phrase("Reference"), paper.row.number

    def row(self, row: BillRow) -> list[Any]:
        """A document: its number and the day of its issue, where, its energy, what it comes to."""
        issued = self.day(row.issued_at.astimezone(self._paper.zone).date())
        figures = (kwh(row.energy_wh), *map(self._paper.money, (row.net_minor, row.vat_minor, row.gross_minor)))
        return [[issued, row.number], [row.station, row.site], *(self.tell(one) for one in figures)]

    def exemption(self) -> list[str]:
        """Why no tax applies."""
        untaxed = any(tax.vat_percent is None for tax in self._paper.taxes)
        return [self._paper.exemption] if untaxed and self._paper.exemption else []


def rate_row(tax: Tax, money: Any) -> tuple[Said | Figure, Money, Money, Money]:
    """A rate of tax: what of the sums bears it."""
    rate = tax.vat_percent
    name = phrase("No tax") if rate is None else Figure(rate, max(0, -int(rate.normalize().as_tuple().exponent)), "%")
    return name, money(tax.net_minor), money(tax.vat_minor), money(tax.net_minor + tax.vat_minor)


def kwh(wh: Decimal) -> Figure:
    """Energy in kWh with two places."""
    return Figure(wh.scaleb(-3), 2, "kWh")


# --- for machines ---------------------------------------------------------------------------------------------


def monthly_einvoice(paper: MonthlyPaper, language: str) -> bytes:
    """It as an invoice for machines: a line for each document and rate; Refusal CONFLICT where none can say that."""
    row = paper.row
    assert paper.buyer is not None
    began, ended = ([getattr(one.row, name) for one in paper.entries] for name in ("started_at", "ended_at"))
    return written(
        Machine(
            number=row.number,
            type_code="381" if row.gross_minor < 0 else "380",
            issued=row.issued_at.astimezone(paper.zone),
            seller=paper.seller,
            buyer=paper.buyer,
            since=min(began).astimezone(paper.zone),
            until=max(ended).astimezone(paper.zone),
            currency=row.currency,
            digits=row.digits,
            items=list(_items(paper)),
            taxes=paper.taxes,
            exemption=paper.exemption or str(tell_in(language, NO_TAX)),
            terms=" ".join(str(tell_in(language, one)) for one in to_pay(paper, language)),
            due=paper.due,
            open_minor=paper.open_minor,
            iban=paper.iban,
        )
    )


def _items(paper: MonthlyPaper) -> Iterator[Item]:
    """A line for each document and rate."""
    for entry in paper.entries:
        for tax in entry.taxes:
            what = f"{entry.row.number} · {entry.row.station}"
            yield once(what, tax, paper.row.gross_minor < 0, paper.row.digits)
