"""The lines of a bill as a table: quantity, unit price, from when to when, and how the meter is known at both ends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from wattkeeper.charging.money.bill import Bill
from wattkeeper.charging.money.line import BOUNDS, HOURLY, Line, LineKind, Part
from wattkeeper.charging.money.numbered import Explanation, Tax, gross_of
from wattkeeper.charging.phrase import Figure, Money, Said, phrase
from wattkeeper.operations.money.papers.explaining import KNOWN, WHAT
from wattkeeper.web.operator.said import money

FLAT = (LineKind.FLAT, LineKind.RESERVATION_FLAT)
STEP = phrase("from {used}, in steps of {step}")
BY_A_PERSON, BEFORE = phrase("Changed by a person"), phrase("Billed before")


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of a line."""

    since: datetime
    until: datetime
    used: Figure
    low: Figure | None
    """The register at its beginning; None: there is none."""
    high: Figure | None
    since_known: Said
    until_known: Said


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table."""

    what: Said
    net: Money
    vat: Money
    gross: Money
    quantity: Figure | None = None
    step: Said | None = None
    """What was used, where it was rounded up."""
    price: Money | None = None
    rate: Figure | None = None
    known: Said | None = None
    """How its ends are known, the weakest of all."""
    stretches: tuple[Stretch, ...] = ()


def rows(why: Explanation) -> list[Row]:
    """What a session comes to, what a person added, and what was billed before."""
    told = [*of_bill(why.bill)]
    if why.extra:
        told.append(_sum(why.bill, BY_A_PERSON, why.extra))
    if why.before:
        less = [Tax(one.vat_percent, -one.net_minor, -one.vat_minor) for one in why.before]
        told.append(_sum(why.bill, BEFORE, less))
    return told


def of_bill(bill: Bill) -> Iterator[Row]:
    """What the money function made of a session."""
    for line in bill.lines:
        yield _row(bill, line)


def _row(bill: Bill, line: Line) -> Row:
    """One line."""
    net, vat, gross = (
        money(one, bill.currency, bill.digits) for one in (line.net_minor, line.vat_minor, line.gross_minor)
    )
    counted = line.kind not in BOUNDS
    is_stepped = line.quantity != line.used
    unit = "" if line.unit == "session" else line.unit
    return Row(
        WHAT[line.kind],
        net,
        vat,
        gross,
        quantity=_figure(line.quantity, unit) if counted else None,
        step=STEP.filled(used=_figure(line.used, unit), step=_step(line)) if is_stepped else None,
        price=Money(line.unit_price, bill.currency, _places(line.unit_price, bill.digits)) if counted else None,
        rate=None if line.vat_percent is None else _figure(line.vat_percent, "%"),
        known=KNOWN[line.known] if line.parts and line.kind not in FLAT else None,
        stretches=() if line.kind in FLAT else tuple(_stretch(line, part) for part in line.parts),
    )


def _stretch(line: Line, part: Part) -> Stretch:
    """A stretch of a line; only energy has registers."""
    marks = (part.since_wh, part.until_wh) if line.kind is LineKind.ENERGY else (None, None)
    low, high = (None if mark is None else _register(mark) for mark in marks)
    used = _figure(replace(line, used_base=part.used).used, line.unit)
    return Stretch(part.since, part.until, used, low, high, KNOWN[part.since_known], KNOWN[part.until_known])


def _sum(bill: Bill, what: Said, taxes: Iterable[Tax]) -> Row:
    """Sums by rate as one line."""
    told = list(taxes)
    sums = (sum(one.net_minor for one in told), sum(one.vat_minor for one in told), gross_of(told))
    net, vat, gross = (money(minor, bill.currency, bill.digits) for minor in sums)
    return Row(what, net, vat, gross)


def _places(value: Decimal, fewest: int = 0) -> int:
    """How many places a number needs, six at most."""
    return min(6, max(fewest, -int(value.normalize().as_tuple().exponent)))


def _figure(value: Decimal, unit: str = "") -> Figure:
    """A number with as many places as it needs."""
    return Figure(value, _places(value), unit)


def _register(wh: Decimal) -> Figure:
    """A register, to the watt-hour or finer."""
    return Figure(wh.scaleb(-3), _places(wh.scaleb(-3), 3))


def _step(line: Line) -> Figure:
    """The step of a line."""
    return Figure(Decimal(line.step_size), 0, "s" if line.kind in HOURLY else "Wh")
