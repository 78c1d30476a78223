"""Exact arithmetic on the way of money: one context for all of it, and the only divisions.

No binary fraction enters here: amounts are Decimals, spans are whole microseconds, and what has to be divided before
it is rounded stays a fraction of whole numbers until then.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from fractions import Fraction
from typing import TypeVar

ZERO = Decimal(0)
EXACT = Context(prec=80, rounding=ROUND_HALF_EVEN)
"""Wide enough for sums and products of all that a meter tells and a price list says, whoever set the thread's own."""
MICRO = Decimal("0.000001")
"""Energy between two readings is interpolated to a millionth of a watt-hour, which is how readings are kept."""
FINE = Decimal("0.000000000001")
"""Exact amounts are shown to so much of the major unit."""
Number = TypeVar("Number", Decimal, Fraction)
INSTANT = timedelta(microseconds=1)
HOUR_S = 3600
KILO = 1000


def exactly() -> AbstractContextManager[Context]:
    """The context in which money is worked out."""
    return localcontext(EXACT)


def divided(amount: Number, by: Number | int) -> Number:
    """A quotient: exact of fractions, to the digits of the context of decimals; never of two whole numbers."""
    return amount / by


def seconds(span: timedelta) -> Decimal:
    """A span in seconds, to the microsecond."""
    return Decimal(span // INSTANT).scaleb(-6).normalize()


def span_of(lasting_s: Decimal) -> timedelta:
    """So many seconds as a span, to the microsecond, half even."""
    return int(lasting_s.scaleb(6).to_integral_value(ROUND_HALF_EVEN)) * INSTANT


def share(amount: Decimal, part: timedelta, whole: timedelta) -> Decimal:
    """How much of an amount that comes evenly over a whole span falls in a part of it, to a millionth."""
    return (amount * (part // INSTANT) / Decimal(whole // INSTANT)).quantize(MICRO)


def moment(whole: timedelta, part: Decimal, amount: Decimal) -> timedelta:
    """After how much of a whole span a part of an amount has come that comes evenly, to the microsecond."""
    return int((Decimal(whole // INSTANT) * part / amount).to_integral_value(ROUND_HALF_EVEN)) * INSTANT


def per_hour(amount: Decimal, span: timedelta) -> Decimal:
    """What an amount over a span comes to in an hour, to a millionth: Wh over a span as W."""
    return (amount * HOUR_S / seconds(span)).quantize(MICRO)


def mean(one: Decimal, other: Decimal) -> Decimal:
    """The middle of two values."""
    return (one + other) / 2


def shown(value: Fraction, quantum: Decimal = FINE) -> Decimal:
    """A fraction as a decimal of at most so many digits, half even."""
    with exactly():
        rounded = (Decimal(value.numerator) / Decimal(value.denominator)).quantize(quantum).normalize()
        return rounded.quantize(Decimal(1)) if rounded == rounded.to_integral_value() else rounded


def stepped(amount: Decimal, step: int) -> Decimal:
    """An amount rounded up to whole steps of at least one."""
    size = Decimal(max(step, 1))
    whole = amount // size * size
    return whole if whole == amount else whole + size
