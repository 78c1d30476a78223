"""What was used and what it came to, as plain values: canonical, exact, and read with suspicion.

Numbers that are not counts are text in plain digits, instants are UTC; what says nothing is left out. They may come
from anywhere: what is missing is a KeyError; an endless number, a time without a zone, an end before its start is a
ValueError.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from wattkeeper.charging.metering.flow import Kind
from wattkeeper.charging.money.bill import Bill
from wattkeeper.charging.money.exact import exactly
from wattkeeper.charging.money.line import Line, LineKind, Part
from wattkeeper.charging.money.usage import Interval, Known, Usage

Json = Mapping[str, Any]
LONGEST = 40
"""Digits before and after the point."""


# --- written --------------------------------------------------------------------------------------------------


def text(value: Decimal) -> str:
    """A number in plain digits."""
    with exactly():
        return f"{value.normalize():f}"


def stamp(at: datetime) -> str:
    """An instant, UTC."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def bare(told: Any) -> Any:
    """Without members that say nothing, with numbers and instants as text."""
    if isinstance(told, dict):
        return {name: bare(value) for name, value in told.items() if value is not None}
    if isinstance(told, list):
        return [bare(one) for one in told]
    return text(told) if isinstance(told, Decimal) else stamp(told) if isinstance(told, datetime) else told


def usage_told(usage: Usage) -> dict[str, Any]:
    """What was used, and when."""
    return {
        "started_at": usage.started_at,
        "expired": usage.expired or None,
        "intervals": [_interval(one) for one in usage.intervals],
    }


def _interval(one: Interval) -> dict[str, Any]:
    """A stretch; what it does not say of how its ends are known was measured."""
    names = ("since", "until", "energy_wh", "power_w", "current_a", "register_wh")
    told = {"kind": one.kind.value} | {name: getattr(one, name) for name in names}
    return told | _ends(one.since_known, one.until_known)


def _ends(since: Known, until: Known) -> dict[str, Any]:
    """How two ends are known, where they were not measured."""
    ends = {"since_known": since, "until_known": until}
    return {name: None if known is Known.MEASURED else known.value for name, known in ends.items()}


def _line(one: Line) -> dict[str, Any]:
    """A line; used and billed in Wh, seconds or sessions."""
    told = {"kind": one.kind.value, "element": one.element, "step_size": one.step_size, "used": one.used_base}
    told |= {"billed": one.billed_base, "unit_price": one.unit_price, "vat": one.vat_percent, "net": one.net_minor}
    told |= {"tax": one.vat_minor, "gross": one.gross_minor, "exact_net": one.exact_net, "exact_gross": one.exact_gross}
    return told | {"parts": [_part(part) for part in one.parts]}


def _part(one: Part) -> dict[str, Any]:
    """A stretch of a line."""
    told = {name: getattr(one, name) for name in ("since", "until", "used", "since_wh", "until_wh")}
    return told | _ends(one.since_known, one.until_known)


def bill_told(one: Bill) -> dict[str, Any]:
    """A bill."""
    return {"currency": one.currency, "digits": one.digits, "lines": [_line(line) for line in one.lines]}


# --- read -----------------------------------------------------------------------------------------------------


def at(told: str) -> datetime:
    """An instant."""
    instant = datetime.fromisoformat(told)
    if instant.tzinfo is None:
        raise ValueError(f"{told} has no zone")
    return instant.astimezone(UTC)


def number(told: str) -> Decimal:
    """A number, of no more digits than any meter or price has."""
    try:
        value = Decimal(told) if isinstance(told, str) else Decimal("NaN")
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or value.adjusted() > LONGEST or value.as_tuple().exponent < -LONGEST:  # type: ignore[operator]
        raise ValueError(f"{told!r} is no number")
    return value


def number_if(told: str | None) -> Decimal | None:
    """A number, where there is one."""
    return None if told is None else number(told)


def whole(told: int) -> int:
    """A count, or an amount of minor units."""
    if type(told) is not int:
        raise ValueError(f"{told!r} is no whole number")
    return told


def _span(told: Json) -> tuple[datetime, datetime]:
    """From when to when."""
    since, until = at(told["since"]), at(told["until"])
    if until < since:
        raise ValueError(f"{told['until']} is before {told['since']}")
    return since, until


def usage_of(told: Json) -> Usage:
    """What was used, and when."""
    started = told.get("started_at")
    return Usage(
        intervals=tuple(map(_interval_of, told["intervals"])),
        started_at=None if started is None else at(started),
        expired=bool(told.get("expired")),
    )


def _interval_of(told: Json) -> Interval:
    since, until = _span(told)
    return Interval(
        kind=Kind(told["kind"]),
        since=since,
        until=until,
        energy_wh=number(told["energy_wh"]),
        power_w=number_if(told.get("power_w")),
        current_a=number_if(told.get("current_a")),
        register_wh=number_if(told.get("register_wh")),
        since_known=Known(told.get("since_known", Known.MEASURED)),
        until_known=Known(told.get("until_known", Known.MEASURED)),
    )


def _line_of(told: Json) -> Line:
    return Line(
        kind=LineKind(told["kind"]),
        used_base=number(told["used"]),
        billed_base=number(told["billed"]),
        unit_price=number(told["unit_price"]),
        vat_percent=number_if(told.get("vat")),
        net_minor=whole(told["net"]),
        vat_minor=whole(told["tax"]),
        gross_minor=whole(told["gross"]),
        exact_net=number(told["exact_net"]),
        exact_gross=number(told["exact_gross"]),
        element=None if told.get("element") is None else whole(told["element"]),
        step_size=whole(told["step_size"]),
        parts=tuple(map(_part_of, told["parts"])),
    )


def _part_of(told: Json) -> Part:
    since, until = _span(told)
    return Part(
        since=since,
        until=until,
        used=number(told["used"]),
        since_known=Known(told.get("since_known", Known.MEASURED)),
        until_known=Known(told.get("until_known", Known.MEASURED)),
        since_wh=number_if(told.get("since_wh")),
        until_wh=number_if(told.get("until_wh")),
    )


def bill_of(told: Json) -> Bill:
    """A bill."""
    return Bill(told["currency"], whole(told["digits"]), tuple(map(_line_of, told["lines"])))
