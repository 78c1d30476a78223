"""The syntax of an invoice for machines: EN 16931 in UN/CEFACT CII, written by drafthorse, valid by the schema."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from drafthorse.models.accounting import ApplicableTradeTax
from drafthorse.models.document import Document
from drafthorse.models.party import TaxRegistration, TradeParty
from drafthorse.models.payment import PaymentMeans, PaymentTerms
from drafthorse.models.tradelines import LineItem

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.money.numbered import Tax
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.money.papers.paper import Party

GUIDELINE = "urn:cen.eu:en16931:2017"
ONCE = "C62"
"""A piece, by UN/ECE recommendation 20."""
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


@dataclass(frozen=True, slots=True)
class Item:
    """A line of the invoice: what it is called, how much, at which price without tax, and what that comes to."""

    what: str
    quantity: Decimal
    unit: str
    price: Decimal
    net_minor: int
    vat_percent: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """All that an invoice for machines says; amounts in minor units, below zero where something is given back."""

    number: str
    type_code: str
    """UNTDID 1001; of a credit note (381) every amount is turned round."""
    issued: datetime
    seller: Party
    buyer: Party
    since: datetime
    until: datetime
    """From when to when it was delivered."""
    currency: str
    digits: int
    items: Sequence[Item]
    taxes: Sequence[Tax]
    exemption: str
    terms: str
    """What is to be paid, or how it is paid, in words."""
    due: date
    open_minor: int
    """What is still asked for (BT-115); the rest counts as paid ahead (BT-113)."""
    iban: str = ""
    """To which account; empty: to none."""
    corrects: str | None = None

    def major(self, minor: int) -> Decimal:
        """An amount in the major unit; a credit note's turned round."""
        sign = -1 if self.type_code == "381" else 1
        return Decimal(sign * minor).scaleb(-self.digits)


def once(what: str, tax: Tax, one_is_back: bool, digits: int) -> Item:
    """A line of an amount by itself; a price is never below zero (BR-27), so the quantity is."""
    amount = Decimal(-tax.net_minor if one_is_back else tax.net_minor).scaleb(-digits)
    return Item(UNWRITABLE.sub("", what), sign(amount), ONCE, abs(amount), tax.net_minor, tax.vat_percent)


def sign(amount: Decimal) -> Decimal:
    """Once, or once taken back."""
    return Decimal(-1 if amount < 0 else 1)


def written(one: Machine) -> bytes:
    """The XML; Refusal CONFLICT where none can say that."""
    if one.digits > MOST_DIGITS:
        raise Refusal(Code.CONFLICT, phrase("Invoices for machines know no currency with more than two places."))
    if any(tax.vat_minor for tax in one.taxes if tax.vat_percent is None):
        raise Refusal(Code.CONFLICT, RATELESS)
    made = Document()
    made.context.guideline_parameter.id = GUIDELINE
    made.header.id, made.header.type_code = one.number, one.type_code
    made.header.issue_date_time = one.issued
    _party(made.trade.agreement.seller, one.seller)
    _party(made.trade.agreement.buyer, one.buyer)
    made.trade.delivery.event.occurrence = one.until
    for place, item in enumerate(one.items, 1):
        made.trade.items.add(_line(place, item, one))
    _settle(made, one)
    xml: bytes = made.serialize(schema="FACTUR-X_EN16931")
    return xml


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


def _line(place: int, item: Item, one: Machine) -> LineItem:
    made = LineItem()
    made.document.line_id = str(place)
    made.product.name = item.what
    made.agreement.net.amount = _plain(item.price)
    made.delivery.billed_quantity = (_plain(item.quantity), item.unit)
    _rate(made.settlement.trade_tax, item.vat_percent)
    made.settlement.monetary_summation.total_amount = one.major(item.net_minor)
    return made


def _plain(number: Decimal) -> Decimal:
    """A number in plain digits without zeros at its end."""
    return Decimal(f"{number.normalize():f}")


def _rate(made: ApplicableTradeTax, percent: Decimal | None) -> None:
    """The rate of tax and its category: standard, zero, or exempt."""
    made.type_code = "VAT"
    made.category_code = "E" if percent is None else "S" if percent else "Z"
    made.rate_applicable_percent = _plain(percent or Decimal(0))


def _settle(made: Document, one: Machine) -> None:
    """Currency, tax by rate, sums, and how to pay."""
    settled = made.trade.settlement
    settled.currency_code = one.currency
    settled.payment_reference = one.number
    settled.period.start, settled.period.end = one.since, one.until
    for tax in one.taxes:
        made_tax = ApplicableTradeTax()
        _rate(made_tax, tax.vat_percent)
        made_tax.calculated_amount = one.major(tax.vat_minor)
        made_tax.basis_amount = one.major(tax.net_minor)
        if tax.vat_percent is None:
            made_tax.exemption_reason = UNWRITABLE.sub("", one.exemption)
        settled.trade_tax.add(made_tax)
    _pay(made, one)
    if one.corrects is not None:
        settled.invoice_referenced_document.issuer_assigned_id = one.corrects
    _sum(made, one)


def _pay(made: Document, one: Machine) -> None:
    """To which account and until when, where there is something to pay; and how it is paid where there is not."""
    terms = PaymentTerms()
    if one.terms:
        terms.description = UNWRITABLE.sub("", one.terms)
    if one.open_minor > 0:
        terms.due = datetime.combine(one.due, datetime.min.time())
    if one.terms or one.open_minor > 0:
        made.trade.settlement.terms.add(terms)
    if one.iban and one.open_minor > 0:
        means = PaymentMeans()
        means.type_code = TRANSFER
        means.payee_account.iban = one.iban.replace(" ", "")
        made.trade.settlement.payment_means.add(means)


def _sum(made: Document, one: Machine) -> None:
    """The sums: what is not asked for any more counts as paid ahead (BT-113), the rest is due (BT-115)."""
    sums = made.trade.settlement.monetary_summation
    net = one.major(sum(tax.net_minor for tax in one.taxes))
    vat = one.major(sum(tax.vat_minor for tax in one.taxes))
    due = one.major(one.open_minor)
    sums.line_total = net
    sums.tax_basis_total, sums.grand_total = net, net + vat
    sums.tax_total = (vat, one.currency)
    if due != net + vat:
        sums.prepaid_total = net + vat - due
    sums.due_amount = due
