"""A bill as a paper: who sells, who pays, what for, what it comes to and why; told in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

from babel.dates import format_date

from wattkeeper.charging.identifiers import shown
from wattkeeper.charging.money.numbered import DocumentKind, Explanation
from wattkeeper.charging.money.payments.paying import Way
from wattkeeper.charging.phrase import Money, Phrase, Said, phrase
from wattkeeper.language import tell_in
from wattkeeper.language.catalogue import catalogue
from wattkeeper.operations.money.papers.explaining import Explained, LineSaid, explained
from wattkeeper.operations.money.papers.owing import Owing
from wattkeeper.store.money.bill import BillRow

DAY = phrase("d MMMM y")
MONTH = phrase("MMMM y")
"""How days and months are written (Unicode TR 35 patterns); each language has its own."""
INVOICES = {
    DocumentKind.BILL: phrase("Invoice {number}"),
    DocumentKind.CORRECTION: phrase("Corrected invoice {number} for {corrects}: more to pay"),
    DocumentKind.CREDIT_NOTE: phrase("Credit note {number} for {corrects}: less to pay"),
}
PAY = phrase("Please pay {amount} by {day}.")
TO_ACCOUNT = phrase("Please pay {amount} by {day} to the account {iban}, and name {number}.")
NOTHING_LEFT = phrase("Nothing is left to pay.")
REDUCED = phrase("Reduced by credit note {number}: {amount} is left.")
COVERED = phrase("Covered by {seller}: there is nothing to pay.")
COVERED_FOR = phrase("Covered for whoever charged: there is nothing to pay.")
FROM_BALANCE = phrase("Taken from the prepaid balance: there is nothing to pay.")
BY_CARD = phrase("Paid by card: there is nothing to pay.")
CARD_OPEN = phrase("It is paid by card; {amount} was not taken yet. There is nothing to transfer.")
MONTHLY = phrase("It comes onto the monthly invoice. Please pay that, and nothing on this paper.")
ON_MONTHLY = phrase("It is on the monthly invoice {number}. Please pay that, and nothing on this paper.")
ON_MONTHLY_LESS = phrase("It is taken off the monthly invoice {number}.")
GIVEN_BACK = {
    Way.PREPAID: phrase("It is added to the prepaid balance."),
    Way.CARD: phrase("It is set against what the card pays for this session."),
    Way.INVOICE: phrase("It is taken off the monthly invoice."),
}


@dataclass(frozen=True, slots=True)
class Party:
    """Who sells or who buys; an empty field is not known."""

    name: str
    street: str = ""
    postcode: str = ""
    city: str = ""
    country: str = ""
    """Two letters (ISO 3166)."""
    vat_id: str = ""

    def lines(self, country: str) -> list[str]:
        """Name and address as they stand on a letter, with the country as it is called."""
        place = " ".join(part for part in (self.postcode, self.city) if part)
        return [line for line in (self.name, self.street, place, country) if line]


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """All that stands on a paper."""

    row: BillRow
    why: Explanation
    seller: Party
    zone: tzinfo
    buyer: Party | None = None
    """None: it is made out to nobody."""
    is_invoice: bool = False
    """Whether it asks a named buyer for money; a receipt only says what it came to."""
    iban: str = ""
    exemption: str = ""
    """Why no tax applies, where none does, in the seller's words."""
    payment_days: int = 14
    owing: Owing | None = None
    """What of it is still to be paid; None: all of it."""

    @property
    def owed(self) -> Owing:
        """What of it is still to be paid, and how."""
        return self.owing or Owing(self.row.gross_minor, self.row.gross_minor)

    @property
    def due(self) -> date:
        """Until when to pay."""
        return self.issued + timedelta(days=self.payment_days)

    @property
    def issued(self) -> date:
        """On which day it was issued, by the seller's clock."""
        return self.row.issued_at.astimezone(self.zone).date()

    @property
    def is_untaxed(self) -> bool:
        """Whether something on it bears no tax at all."""
        return any(tax.vat_percent is None for tax in self.why.adds)


def told(paper: Paper, language: str) -> dict[str, Any]:
    """A paper in a language, as plain words: what the template prints, and nothing that it would have to work out."""
    teller = _PaperTeller(paper, language)
    said = explained(paper.row, paper.why, paper.zone, teller.at)
    return {
        "language": language,
        "title": teller.tell(_title(paper, said)),
        "seller": teller.address(paper.seller),
        "buyer": [] if paper.buyer is None else [*teller.address(paper.buyer), *teller.vat_id(paper.buyer)],
        "buyer_label": teller.tell(phrase("For")),
        "facts": [[teller.tell(name), teller.tell(value)] for name, value in teller.facts()],
        "session_label": teller.tell(phrase("Session id, should you call us")),
        "session": shown(paper.row.session),
        "columns": [teller.tell(one) for one in COLUMNS],
        "lines": [teller.line(line) for line in said.lines],
        "total": [teller.tell(one) for one in (phrase("Total"), said.net, said.vat, said.gross)],
        "pay": " ".join(teller.tell(one) for one in to_do(paper, language)),
        "why_label": teller.tell(phrase("How this was worked out")),
        "why": [teller.tell(one) for one in (*said.facts, *teller.exemption(), *said.notes)],
        "foot": [*filter(None, [paper.seller.name]), *teller.vat_id(paper.seller), paper.row.number],
        "page": teller.tell(phrase("Page")),
    }


def to_do(paper: Paper, language: str) -> Iterator[Said]:
    """What is to be paid of an invoice, or how it is paid without anybody doing more."""
    row, owed = paper.row, paper.owed
    if not paper.is_invoice or not row.gross_minor:
        return
    if row.gross_minor < 0:
        if owed.way in GIVEN_BACK:
            yield ON_MONTHLY_LESS.filled(number=owed.invoice) if owed.invoice else GIVEN_BACK[owed.way]
        return
    if owed.reduced_by:
        yield REDUCED.filled(number=", ".join(owed.reduced_by), amount=_money(paper, owed.left_minor))
    yield _by_way(paper, language)


def _by_way(paper: Paper, language: str) -> Said:
    """How what is left is paid."""
    owed = paper.owed
    amount = _money(paper, owed.open_minor)
    if owed.way is Way.FREE:
        return COVERED.filled(seller=paper.seller.name) if paper.seller.name else COVERED_FOR
    if owed.way is Way.PREPAID:
        return FROM_BALANCE
    if owed.way is Way.INVOICE:
        return ON_MONTHLY.filled(number=owed.invoice) if owed.invoice else MONTHLY
    if owed.way is Way.CARD:
        return CARD_OPEN.filled(amount=amount) if owed.open_minor > 0 else BY_CARD
    if owed.open_minor <= 0:
        return NOTHING_LEFT
    given = {"amount": amount, "day": Teller(language).day(paper.due)}
    return TO_ACCOUNT.filled(**given, iban=paper.iban, number=paper.row.number) if paper.iban else PAY.filled(**given)


def _money(paper: Paper, minor: int) -> Money:
    """An amount of a document."""
    return Money(Decimal(minor).scaleb(-paper.row.digits), paper.row.currency, paper.row.digits)


COLUMNS = (phrase("What for"), phrase("Without tax"), phrase("Tax"), phrase("With tax"))


def _title(paper: Paper, said: Explained) -> Said:
    """What it is called."""
    if not paper.is_invoice:
        return said.title
    return INVOICES[paper.row.kind].filled(number=paper.row.number, corrects=paper.row.corrects or "")


class Teller:
    """Tells words, days and parties in a language."""

    def __init__(self, language: str) -> None:
        self.language = language

    def tell(self, said: object) -> str:
        """Something in the language."""
        return str(tell_in(self.language, said))

    def day(self, at: date) -> str:
        """A day."""
        return format_date(at, self.tell(DAY), locale=catalogue(self.language).locale)

    def month(self, first: date) -> str:
        """A month."""
        return format_date(first, self.tell(MONTH), locale=catalogue(self.language).locale)

    def address(self, party: Party) -> list[str]:
        """Name and address, the country by its name."""
        names: Mapping[str, str] = catalogue(self.language).locale.territories
        return party.lines(names.get(party.country, party.country))

    def vat_id(self, party: Party) -> list[str]:
        """The line with a party's VAT number, where it is known."""
        return [self.tell(phrase("VAT number {id}", id=party.vat_id))] if party.vat_id else []


def offset(local: datetime) -> str:
    """How far a clock is from UTC."""
    sign, digits = f"{local:%z}"[:1], f"{local:%z}"[1:5]
    return f"UTC{sign}{digits[:2]}:{digits[2:]}" if digits.strip("0") else "UTC"


def offsets(zone: tzinfo, instants: Iterable[datetime]) -> set[str]:
    """How far the clock of a zone is from UTC at these instants."""
    return {offset(at.astimezone(zone)) for at in instants}


def clock(zone: tzinfo, instants: Iterable[datetime]) -> str:
    """By whose clock these instants are told: said once on a paper."""
    name, told_ = getattr(zone, "key", ""), offsets(zone, instants)
    if len(told_) > 1:
        return name or ", ".join(sorted(told_))
    return f"{name} ({min(told_)})" if name and name != "UTC" else min(told_)


class _PaperTeller(Teller):
    """Tells the parts of a bill's paper."""

    def __init__(self, paper: Paper, language: str) -> None:
        super().__init__(language)
        self._paper = paper

    def facts(self) -> Iterator[tuple[Phrase, str]]:
        """What stands beside the title."""
        row, zone = self._paper.row, self._paper.zone
        station = row.station if self._paper.why.evse is None else f"{row.station} · {self._paper.why.evse}"
        yield phrase("Number"), row.number
        if row.corrects is not None:
            yield phrase("Corrects"), row.corrects
        yield phrase("Issued on"), self.day(self._paper.issued)
        yield phrase("Station"), station
        yield phrase("Started"), self.at(row.started_at)
        yield phrase("Ended"), self.at(row.ended_at)
        yield phrase("Time zone"), clock(zone, self._instants())

    def at(self, at: datetime) -> str:
        """A day with its time; with its offset where that changes meanwhile, for one night has an hour twice."""
        local = at.astimezone(self._paper.zone)
        said = f"{self.day(local.date())}, {local:%H:%M:%S}"
        return f"{said} ({offset(local)})" if len(offsets(self._paper.zone, self._instants())) > 1 else said

    def _instants(self) -> list[datetime]:
        """All instants that stand on it."""
        parts = [part for line in self._paper.why.bill.lines for part in line.parts]
        ends = [one for part in parts for one in (part.since, part.until)]
        return [self._paper.row.started_at, self._paper.row.ended_at, *ends]

    def line(self, line: LineSaid) -> dict[str, Any]:
        """A line with what it was worked out of."""
        amounts = [self.tell(one) for one in (line.net, line.vat, line.gross)]
        spans = [self.tell(one) for one in line.spans]
        return {"what": self.tell(line.what), "how": self.tell(line.how), "spans": spans, "amounts": amounts}

    def exemption(self) -> list[str]:
        """Why no tax applies."""
        return [self._paper.exemption] if self._paper.is_untaxed and self._paper.exemption else []
