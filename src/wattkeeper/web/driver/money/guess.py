"""What a session would cost, before it starts: as much energy and time as the driver says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation

from starlette.requests import Request

from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.money.tariffs.prices import PriceTag, estimated
from wattkeeper.web.driver.money import tags
from wattkeeper.web.driver.money.tags import Billed

MOST_KWH, MOST_HOURS = Decimal(1000), Decimal(240)
WRONG = phrase("Give the energy in kWh, up to 1,000, and the times in hours, up to 240: such as 30 and 1.5.")


@dataclass(frozen=True, slots=True)
class Guess:
    """What was asked, as it was typed, and what that would cost."""

    kwh: str = ""
    hours: str = ""
    idle: str = ""
    fault: str = ""
    lines: tuple[Billed, ...] = ()
    total: str = ""


def guess_of(request: Request, tag: PriceTag) -> Guess:
    """What the driver asks for in the address, worked out by the one money function."""
    typed = Guess(_typed(request, "kwh"), _typed(request, "hours"), _typed(request, "idle"))
    if not typed.kwh and not typed.hours:
        return typed
    try:
        kwh, hours = _number(typed.kwh, MOST_KWH), _number(typed.hours, MOST_HOURS)
        idle = _number(typed.idle, MOST_HOURS)
    except ValueError:
        return replace(typed, fault=WRONG)
    bill = estimated(tag, kwh * 1000, hours * 3600, idle * 3600)
    return replace(typed, lines=tuple(tags.lines_of(bill)), total=tags.total(bill))


def _typed(request: Request, name: str) -> str:
    """What was typed into a field."""
    return request.query_params.get(name, "").strip()[:12]


def _number(typed: str, most: Decimal) -> Decimal:
    """A number that was typed, with a point or a comma, nothing for none; ValueError."""
    try:
        number = Decimal(typed.replace(",", ".") or "0")
    except InvalidOperation:
        raise ValueError from None
    if not (number.is_finite() and 0 <= number <= most):
        raise ValueError
    return number
