"""The content of a bill: its whole explanation as canonical JSON, from which anyone can work it out again.

Canonical is: members in alphabetical order, no spaces, UTF-8; numbers that are not counts as text in plain digits;
instants in UTC. The same explanation always gives the same bytes, and so the same SHA-256.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson

from wattkeeper.charging.assignment import Rank
from wattkeeper.charging.bill import Bill, price
from wattkeeper.charging.billing import Reason
from wattkeeper.charging.evidence import Grade
from wattkeeper.charging.exact import exactly
from wattkeeper.charging.flow import Kind
from wattkeeper.charging.line import Line, LineKind, Part
from wattkeeper.charging.numbered import Explanation, Tax
from wattkeeper.charging.usage import Interval, Known, Usage
from wattkeeper.store.ocpi import of_ocpi, to_ocpi

FORMAT = "wattkeeper-bill-1"
Json = Mapping[str, Any]


def encode(why: Explanation) -> str:
    """An explanation as canonical JSON."""
    told = {
        "format": FORMAT,
        "session": _session(why),
        "tariff": {"id": why.tariff_id, "version": why.version, "rank": why.rank.value, "terms": to_ocpi(why.tariff)},
        "usage": _usage(why.usage),
        "bill": {
            "currency": why.bill.currency,
            "digits": why.bill.digits,
            "lines": [_line(one) for one in why.bill.lines],
        },
        "told": {"gross": why.told_minor, "energy_wh": text(why.told_wh)},
        "extra": [_tax(one) for one in why.extra],
        "before": {"taxes": [_tax(one) for one in why.before], "energy_wh": text(why.before_wh)},
        "adds": [_tax(one) for one in why.adds],
        "reason": why.reason,
    }
    return orjson.dumps(_bare(told), option=orjson.OPT_SORT_KEYS).decode()


def decode(content: str) -> Explanation:
    """The explanation of a content; raises ValueError, KeyError or TypeError where it is none."""
    told = orjson.loads(content)
    if told["format"] != FORMAT:
        raise ValueError(f"This is not {FORMAT}.")
    session, terms, bill = told["session"], told["tariff"], told["bill"]
    return Explanation(
        session=session["id"],
        station=session["station"],
        evse=session.get("evse"),
        started_at=_at(session["started_at"]),
        ended_at=_at(session["ended_at"]),
        grade=Grade(session["grade"]),
        reasons=tuple(map(_reason, session["reasons"])),
        tariff_id=terms["id"],
        version=terms["version"],
        rank=Rank(terms["rank"]),
        tariff=of_ocpi(terms["terms"]),
        usage=_usage_of(told["usage"]),
        bill=Bill(bill["currency"], bill["digits"], tuple(map(_line_of, bill["lines"]))),
        told_minor=told["told"]["gross"],
        told_wh=Decimal(told["told"]["energy_wh"]),
        extra=_taxes(told["extra"]),
        before=_taxes(told["before"]["taxes"]),
        before_wh=Decimal(told["before"]["energy_wh"]),
        reason=told.get("reason"),
    )


def worked_out(why: Explanation) -> Bill:
    """What the money function makes of an explanation's usage and tariff, now."""
    return price(why.usage, why.tariff)


# --- written --------------------------------------------------------------------------------------------------


def text(value: Decimal) -> str:
    """A number in plain digits."""
    with exactly():
        return f"{value.normalize():f}"


def _stamp(at: datetime) -> str:
    """An instant, UTC."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _bare(told: Any) -> Any:
    """Without members that say nothing, with numbers and instants as text."""
    if isinstance(told, dict):
        return {name: _bare(value) for name, value in told.items() if value is not None}
    if isinstance(told, list):
        return [_bare(one) for one in told]
    return text(told) if isinstance(told, Decimal) else _stamp(told) if isinstance(told, datetime) else told


def _session(why: Explanation) -> dict[str, Any]:
    """Which session it was, and how good the evidence."""
    reasons = [{"code": one.code, "at": one.at, "evidence": {**one.evidence}} for one in why.reasons]
    told = {"id": why.session, "station": why.station, "evse": why.evse, "grade": why.grade.value}
    return told | {"started_at": why.started_at, "ended_at": why.ended_at, "reasons": reasons}


def _usage(usage: Usage) -> dict[str, Any]:
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


def _tax(one: Tax) -> dict[str, Any]:
    """The tax of a rate."""
    return {"vat": one.vat_percent, "net": one.net_minor, "tax": one.vat_minor}


# --- read -----------------------------------------------------------------------------------------------------


def _at(told: str) -> datetime:
    return datetime.fromisoformat(told)


def _number(told: str | None) -> Decimal | None:
    return None if told is None else Decimal(told)


def _reason(told: Json) -> Reason:
    return Reason(told["code"], _at(told["at"]) if "at" in told else None, told["evidence"])


def _taxes(told: Iterable[Json]) -> tuple[Tax, ...]:
    return tuple(Tax(_number(one.get("vat")), one["net"], one["tax"]) for one in told)


def _usage_of(told: Json) -> Usage:
    started = told.get("started_at")
    return Usage(
        intervals=tuple(map(_interval_of, told["intervals"])),
        started_at=None if started is None else _at(started),
        expired=told.get("expired", False),
    )


def _interval_of(told: Json) -> Interval:
    return Interval(
        kind=Kind(told["kind"]),
        since=_at(told["since"]),
        until=_at(told["until"]),
        energy_wh=Decimal(told["energy_wh"]),
        power_w=_number(told.get("power_w")),
        current_a=_number(told.get("current_a")),
        register_wh=_number(told.get("register_wh")),
        since_known=Known(told.get("since_known", Known.MEASURED)),
        until_known=Known(told.get("until_known", Known.MEASURED)),
    )


def _line_of(told: Json) -> Line:
    return Line(
        kind=LineKind(told["kind"]),
        used_base=Decimal(told["used"]),
        billed_base=Decimal(told["billed"]),
        unit_price=Decimal(told["unit_price"]),
        vat_percent=_number(told.get("vat")),
        net_minor=told["net"],
        vat_minor=told["tax"],
        gross_minor=told["gross"],
        exact_net=Decimal(told["exact_net"]),
        exact_gross=Decimal(told["exact_gross"]),
        element=told.get("element"),
        step_size=told["step_size"],
        parts=tuple(map(_part_of, told["parts"])),
    )


def _part_of(told: Json) -> Part:
    return Part(
        since=_at(told["since"]),
        until=_at(told["until"]),
        used=Decimal(told["used"]),
        since_known=Known(told.get("since_known", Known.MEASURED)),
        until_known=Known(told.get("until_known", Known.MEASURED)),
        since_wh=_number(told.get("since_wh")),
        until_wh=_number(told.get("until_wh")),
    )
