"""Prices and bills in the words of a receipt. The money itself is `charging.bill.price`; here it is only written."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from wattkeeper.charging.money.bill import Bill
from wattkeeper.charging.money.exact import divided
from wattkeeper.charging.money.line import HOURLY, Line, LineKind
from wattkeeper.charging.money.tariffs.offered import Offered, offered
from wattkeeper.charging.money.tariffs.tariff import Dimension, Tariff, with_tax
from wattkeeper.charging.phrase import Figure, joined, phrase
from wattkeeper.operations.money.tariffs.price_words import holding, step_of, step_size
from wattkeeper.operations.money.tariffs.prices import PriceTag, Receipt, estimated
from wattkeeper.web.driver.money.amounts import written

PER = {
    Dimension.ENERGY: phrase("per kWh"),
    Dimension.TIME: phrase("per hour of charging"),
    Dimension.PARKING_TIME: phrase("per hour plugged in without charging"),
    Dimension.FLAT: phrase("for each session"),
}
PER_RESERVED = {Dimension.TIME: phrase("per hour reserved"), Dimension.FLAT: phrase("for each reservation")}
NAMES = {
    LineKind.ENERGY: phrase("Energy"),
    LineKind.TIME: phrase("Charging time"),
    LineKind.PARKING_TIME: phrase("Plugged in without charging"),
    LineKind.FLAT: phrase("For the session"),
    LineKind.RESERVATION_FLAT: phrase("For the reservation"),
    LineKind.RESERVATION_TIME: phrase("Time reserved"),
    LineKind.BLOCKING_TIME: phrase("Connector blocked after the session"),
    LineKind.LEAST: phrase("Up to the least a session costs"),
    LineKind.MOST: phrase("Down to the most a session costs"),
}
COUNTED = HOURLY | {LineKind.ENERGY}
EXAMPLE_WH, EXAMPLE_S = Decimal(20_000), Decimal(3600)
AT_ANY_SPEED, IN_AN_HOUR = phrase("20 kWh cost {cost}."), phrase("20 kWh, charged in an hour, cost {cost}.")


@dataclass(frozen=True, slots=True)
class Tag:
    """What charging costs, before it starts."""

    figure: str
    """The price that holds when it is told."""
    per: str
    rest: tuple[str, ...]
    """Every other price, with when it holds."""
    tax: str
    example: str


@dataclass(frozen=True, slots=True)
class Billed:
    """One line of a receipt."""

    what: str
    how: str
    amount: str


def exact(amount: Decimal, currency: str, digits: int) -> str:
    """A unit price with as many places as it needs, at least the currency's and at most four."""
    places = max(digits, min(4, -int(amount.normalize().as_tuple().exponent)))
    return written(amount, currency, places)


def tag_of(found: PriceTag) -> Tag | None:
    """The price as a driver reads it; None where none is set, or all is free."""
    tariff = found.tariff
    if tariff is None or tariff.is_free:
        return None
    offers = offered(tariff, found.at)
    if not offers:
        least = written(tariff.least.net if tariff.least else None, tariff.currency, tariff.digits)
        return Tag(least, phrase("at least"), (), "", "") if tariff.least else None
    first, *others = offers
    rest = [_offered(one, tariff) for one in others]
    rest += [phrase("In steps of {step}", step=step_size(first.component))] * bool(step_of(first.component))
    per = joined((_per(first), *holding(first)), ", ")
    return Tag(_price(first, tariff), per, (*rest, *_bounds(tariff)), _tax(tariff), _example(found))


def _offered(one: Offered, tariff: Tariff) -> str:
    """A further price, its step, and when it holds."""
    words = phrase("{price} {per}", price=_price(one, tariff), per=_per(one))
    return joined((words, step_of(one.component), *holding(one)), ", ")


def _per(one: Offered) -> str:
    """What a price is for."""
    return (PER_RESERVED if one.when.reservation else PER)[one.component.dimension]


def _price(one: Offered, tariff: Tariff) -> str:
    return exact(with_tax(one.component, tariff), tariff.currency, tariff.digits)


def _bounds(tariff: Tariff) -> list[str]:
    """The least and the most that a session costs."""
    bounds = (
        (phrase("At least {amount} for each session"), tariff.least),
        (phrase("At most {amount} for each session"), tariff.most),
    )
    return [
        words.filled(amount=written(bound.gross or bound.net, tariff.currency, tariff.digits))
        for words, bound in bounds
        if bound is not None
    ]


def _tax(tariff: Tariff) -> str:
    rates = {one.vat_percent for one in tariff.components if one.vat_percent is not None}
    if len(rates) == 1:
        return phrase("{rate} VAT is included.", rate=_percent(rates.pop()))
    return phrase("VAT is included.") if rates or tariff.tax_included else ""


def _percent(rate: Decimal) -> Figure:
    """A rate with as many places as it needs."""
    return Figure(rate, max(0, -int(rate.normalize().as_tuple().exponent)), "%")


def _example(found: PriceTag) -> str:
    """What twenty kilowatt-hours come to, by the one money function."""
    tariff = found.tariff
    assert tariff is not None
    bill = estimated(found, EXAMPLE_WH, EXAMPLE_S)
    assert bill is not None
    is_timed = any(one.dimension is Dimension.TIME for one in tariff.components)
    cost = written(bill.gross, bill.currency, bill.digits)
    if not tariff.is_steady:
        return phrase("20 kWh, charged in the hour from now on, cost {cost}.", cost=cost)
    return (IN_AN_HOUR if is_timed else AT_ANY_SPEED).filled(cost=cost)


def total(bill: Bill | None) -> str:
    """What is to be paid."""
    return phrase("free") if bill is None else written(bill.gross, bill.currency, bill.digits)


def owed(receipt: Receipt) -> str:
    """What a session costs: by its documents where there are any, else as it comes to."""
    if receipt.documents:
        first = receipt.documents[0]
        return written(Decimal(receipt.gross_minor or 0).scaleb(-first.digits), first.currency, first.digits)
    if receipt.is_waived and receipt.bill is not None:
        return written(Decimal(0), receipt.bill.currency, receipt.bill.digits)
    return total(receipt.bill)


def lines_of(bill: Bill | None) -> list[Billed]:
    """The lines of a bill, each with how its amount came about."""
    return [] if bill is None else [_billed(line, bill) for line in bill.lines]


def _billed(line: Line, bill: Bill) -> Billed:
    amount = written(Decimal(line.gross_minor).scaleb(-bill.digits), bill.currency, bill.digits)
    return Billed(NAMES[line.kind], _how(line, bill), amount)


def _how(line: Line, bill: Bill) -> str:
    """Quantity times unit price, and what was rounded up."""
    if line.kind not in COUNTED or not line.quantity:
        return ""
    each = exact(round(divided(line.exact_gross, line.quantity), 6), bill.currency, bill.digits)
    quantity, used = Figure(line.quantity, 3, line.unit), Figure(line.used, 3)
    if used.value == quantity.value:
        return phrase("{quantity} at {price}", quantity=quantity, price=each)
    return phrase("{quantity} at {price}, rounded up from {used}", quantity=quantity, price=each, used=used)


def tax_of(bill: Bill | None) -> Billed | None:
    """The tax in the total."""
    if bill is None:
        return None
    rates = {line.vat_percent for line in bill.lines if line.vat_percent is not None}
    return taxed(bill.vat_minor, rates, bill.currency, bill.digits)


def taxed(vat_minor: int, rates: set[Decimal], currency: str, digits: int) -> Billed | None:
    """The tax in a total, at these rates; None where there is none."""
    if not vat_minor:
        return None
    what = phrase("of which {rate} VAT", rate=_percent(rates.pop())) if len(rates) == 1 else phrase("of which VAT")
    return Billed(what, "", written(Decimal(vat_minor).scaleb(-digits), currency, digits))
