"""An invoice for machines: EN 16931 in the syntax of UN/CEFACT CII, written by drafthorse.

Amounts are those of the bill to the cent. A first bill has its own lines; what changes one has a line for each rate,
with what it changes. A credit note says what is given back, above zero (type 381); a correction is 384.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from drafthorse.models.accounting import ApplicableTradeTax
from drafthorse.models.document import Document
from drafthorse.models.party import TaxRegistration, TradeParty
from drafthorse.models.payment import PaymentMeans, PaymentTerms
from drafthorse.models.tradelines import LineItem

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.money.exact import divided, exactly
from wattkeeper.charging.money.line import Line, LineKind
from wattkeeper.charging.money.numbered import DocumentKind
from wattkeeper.charging.phrase import phrase
from wattkeeper.language import tell_in
from wattkeeper.operations.money.explaining import WHAT, changed
from wattkeeper.operations.money.paper import Paper, Party, to_do

GUIDELINE = "urn:cen.eu:en16931:2017"
TYPES = {DocumentKind.BILL: "380", DocumentKind.CORRECTION: "384", DocumentKind.CREDIT_NOTE: "381"}
"""UNTDID 1001."""
UNITS = {"kWh": "KWH", "h": "HUR", "session": "C62"}
"""UN/ECE recommendation 20."""
TRANSFER = "58"
"""SEPA credit transfer (UNTDID 4461)."""
RATELESS = phrase(
    "This session came to the least or the most that one costs, over several rates of tax. Its bill stands, but an "
    "invoice for machines has to name a rate for each amount."
)
MOST_DIGITS = 2
"""Amounts have no more places (EN 16931, BR-DEC)."""
UNWRITABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
"""What XML may not hold, or nobody can read."""
MICRO = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Item:
    """A line of the invoice: what it is called, how much, at which price without tax, and what that comes to."""

    what: str
    quantity: Decimal
    unit: str
    price: Decimal
    net_minor: int
    vat_percent: Decimal | None


def einvoice(paper: Paper, language: str) -> bytes:
    """The XML of an invoice, valid by the schema; Refusal CONFLICT where none can say what the bill does."""
    row = paper.row
    if row.digits > MOST_DIGITS:
        raise Refusal(Code.CONFLICT, phrase("Invoices for machines know no currency with more than two places."))
    if any(tax.vat_minor for tax in paper.why.adds if tax.vat_percent is None):
        raise Refusal(Code.CONFLICT, RATELESS)
    made = Document()
    made.context.guideline_parameter.id = GUIDELINE
    made.header.id, made.header.type_code = row.number, TYPES[row.kind]
    made.header.issue_date_time = _day_of(row.issued_at, paper)
    _agree(made, paper)
    for place, item in enumerate(_items(paper, language), 1):
        made.trade.items.add(_line(place, item, paper))
    _settle(made, paper, language)
    written: bytes = made.serialize(schema="FACTUR-X_EN16931")
    return written


def _day_of(at: datetime, paper: Paper) -> datetime:
    """An instant by the seller's clock; only its day is written."""
    return at.astimezone(paper.zone)


def _major(minor: int, paper: Paper) -> Decimal:
    """An amount in the major unit; a credit note's turned round."""
    sign = -1 if paper.row.kind is DocumentKind.CREDIT_NOTE else 1
    return Decimal(sign * minor).scaleb(-paper.row.digits)


# --- who ------------------------------------------------------------------------------------------------------


def _agree(made: Document, paper: Paper) -> None:
    """Seller and buyer, and when it was delivered."""
    assert paper.buyer is not None
    _party(made.trade.agreement.seller, paper.seller)
    _party(made.trade.agreement.buyer, paper.buyer)
    made.trade.delivery.event.occurrence = _day_of(paper.row.ended_at, paper)


def _party(made: TradeParty, party: Party) -> None:
    made.name = UNWRITABLE.sub("", party.name)
    given = {"postcode": party.postcode, "line_one": party.street, "city_name": party.city}
    for name, value in (given | {"country_id": party.country}).items():
        if value:
            setattr(made.address, name, UNWRITABLE.sub("", value))
    if party.vat_id:
        registration = TaxRegistration()
        registration.id = ("VA", UNWRITABLE.sub("", party.vat_id))
        made.tax_registrations.add(registration)


# --- what -----------------------------------------------------------------------------------------------------


def _items(paper: Paper, language: str) -> Iterator[Item]:
    """The lines: of a first bill its own, of a change one for each rate; so they add up to what it adds."""
    if paper.row.kind is DocumentKind.BILL:
        for line in paper.why.bill.lines:
            yield _item(line, paper, language)
        changes = paper.why.extra
    else:
        changes = paper.why.adds
    for tax in changes:
        what = UNWRITABLE.sub("", str(tell_in(language, changed(paper.why.reason))))
        amount = _major(tax.net_minor, paper)
        yield Item(what, _sign(amount), UNITS["session"], abs(amount), tax.net_minor, tax.vat_percent)


def _item(line: Line, paper: Paper, language: str) -> Item:
    """A line of the bill; a price is never below zero (BR-27), so the quantity is."""
    quantity = Decimal(1) if line.kind in (LineKind.LEAST, LineKind.MOST) else line.quantity.quantize(MICRO)
    amount = _major(line.net_minor, paper)
    with exactly():
        price = divided(abs(line.exact_net), quantity).quantize(MICRO) if quantity else Decimal(0)
    what = str(tell_in(language, WHAT[line.kind]))
    return Item(what, quantity * _sign(amount), UNITS[line.unit], price, line.net_minor, line.vat_percent)


def _sign(amount: Decimal) -> Decimal:
    """Once, or once taken back."""
    return Decimal(-1 if amount < 0 else 1)


def _line(place: int, item: Item, paper: Paper) -> LineItem:
    made = LineItem()
    made.document.line_id = str(place)
    made.product.name = item.what
    made.agreement.net.amount = _plain(item.price)
    made.delivery.billed_quantity = (_plain(item.quantity), item.unit)
    _rate(made.settlement.trade_tax, item.vat_percent)
    made.settlement.monetary_summation.total_amount = _major(item.net_minor, paper)
    return made


def _plain(number: Decimal) -> Decimal:
    """A number in plain digits without zeros at its end."""
    return Decimal(f"{number.normalize():f}")


def _rate(made: ApplicableTradeTax, percent: Decimal | None) -> None:
    """The rate of tax and its category: standard, zero, or exempt."""
    made.type_code = "VAT"
    made.category_code = "E" if percent is None else "S" if percent else "Z"
    made.rate_applicable_percent = _plain(percent or Decimal(0))


# --- how much -------------------------------------------------------------------------------------------------


def _settle(made: Document, paper: Paper, language: str) -> None:
    """Currency, tax by rate, sums, and how to pay."""
    settled, row = made.trade.settlement, paper.row
    settled.currency_code = row.currency
    settled.payment_reference = row.number
    settled.period.start, settled.period.end = _day_of(row.started_at, paper), _day_of(row.ended_at, paper)
    for tax in paper.why.adds:
        made_tax = ApplicableTradeTax()
        _rate(made_tax, tax.vat_percent)
        made_tax.calculated_amount = _major(tax.vat_minor, paper)
        made_tax.basis_amount = _major(tax.net_minor, paper)
        if tax.vat_percent is None:
            made_tax.exemption_reason = paper.exemption or str(tell_in(language, phrase("No tax applies.")))
        settled.trade_tax.add(made_tax)
    _pay(made, paper, language)
    if row.corrects is not None:
        settled.invoice_referenced_document.issuer_assigned_id = row.corrects
    _sum(made, paper)


def _pay(made: Document, paper: Paper, language: str) -> None:
    """To which account and until when, where there is something to pay; and how it is paid where there is not."""
    terms, owed = PaymentTerms(), paper.owed
    said = " ".join(str(tell_in(language, one)) for one in to_do(paper, language))
    if said:
        terms.description = UNWRITABLE.sub("", said)
    if owed.open_minor > 0:
        terms.due = datetime.combine(paper.due, datetime.min.time())
    if said or owed.open_minor > 0:
        made.trade.settlement.terms.add(terms)
    if paper.iban and owed.open_minor > 0 and owed.way is None:
        means = PaymentMeans()
        means.type_code = TRANSFER
        means.payee_account.iban = paper.iban.replace(" ", "")
        made.trade.settlement.payment_means.add(means)


def _sum(made: Document, paper: Paper) -> None:
    """The sums: what is not asked for any more counts as paid ahead (BT-113), the rest is due (BT-115)."""
    sums, row = made.trade.settlement.monetary_summation, paper.row
    net, vat, gross = (_major(one, paper) for one in (row.net_minor, row.vat_minor, row.gross_minor))
    sums.line_total = net
    sums.tax_basis_total, sums.grand_total = net, gross
    sums.tax_total = (vat, row.currency)
    due = _major(paper.owed.open_minor, paper)
    if due != gross:
        sums.prepaid_total = gross - due
    sums.due_amount = due
