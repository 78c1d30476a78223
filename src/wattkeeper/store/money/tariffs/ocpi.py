"""Tariffs and what was charged in OCPI terms (2.3.0, and what 2.2.1 has differently); numbers are text, so that they
stay exact.

What OCPI has no word for is told under names that begin with ``x_``: the clock's zone, dated rates of tax, the grace
before an idle fee, and whether that goes on until the connector is available.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from wattkeeper.charging.cards.limits import WEEK, Day
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.metering.flow import Kind
from wattkeeper.charging.money.exact import ZERO, per_hour, span_of
from wattkeeper.charging.money.tariffs.restriction import Reservation, Restrictions
from wattkeeper.charging.money.tariffs.tariff import (
    MOST_ELEMENTS,
    NO_DAY,
    NO_TIME,
    NO_ZONE,
    NOT_KNOWN,
    UNREADABLE,
    Bound,
    Component,
    Dimension,
    Element,
    Tariff,
    TaxRate,
)
from wattkeeper.charging.money.usage import Interval, Usage

THOUSAND = 3
LONGEST = 40
"""How many signs a number has at most, and digits before or after its point."""
MOST_TOGETHER = 50
"""How many prices an element has at most."""
SCALED = {
    "min_kwh": ("min_energy_wh", THOUSAND),
    "max_kwh": ("max_energy_wh", THOUSAND),
    "min_power": ("min_power_w", THOUSAND),
    "max_power": ("max_power_w", THOUSAND),
    "min_current": ("min_current_a", 0),
    "max_current": ("max_current_a", 0),
}
"""Bounds by their OCPI name: ours, and by how many places its unit is smaller."""
SECONDS = {"min_duration": "min_duration_s", "max_duration": "max_duration_s", "x_min_idle": "min_idle_s"}
TIMES = ("start_time", "end_time")
DATES = ("start_date", "end_date")
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]").fullmatch


# --- a tariff, told ---------------------------------------------------------------------------------------------


def to_ocpi(what: Tariff) -> dict[str, Any]:
    """A tariff as OCPI has it, prices as text."""
    included = "N/A" if what.untaxed else "YES" if what.tax_included else "NO"
    told: dict[str, Any] = {"currency": what.currency, "tax_included": included}
    told["elements"] = [_element_told(each) for each in what.elements]
    for name, bound in (("min_price", what.least), ("max_price", what.most)):
        if bound is not None:
            told[name] = {"before_taxes": _text(bound.net)}
            told[name] |= {} if bound.gross is None else {"after_taxes": _text(bound.gross)}
    if str(what.zone) != "UTC":
        told["x_time_zone"] = str(what.zone)
    if what.bills_blocking:
        told["x_bills_blocking"] = True
    if what.rates:
        told["x_tax_rates"] = [_rate_told(rate) for rate in what.rates]
    return told


def _text(number: Decimal) -> str:
    """A number as text, without an exponent."""
    return f"{number:f}"


def _element_told(each: Element) -> dict[str, Any]:
    """A tariff element."""
    told: dict[str, Any] = {"price_components": [_component_told(one) for one in each.components]}
    when = dict(_restrictions_told(each.restrictions))
    return told | ({"restrictions": when} if when else {})


def _component_told(one: Component) -> dict[str, Any]:
    """A price component."""
    told = {"type": one.dimension.value, "price": _text(one.price), "step_size": one.step_size}
    told |= {} if one.vat_percent is None else {"vat": _text(one.vat_percent)}
    return told | ({} if one.tax_rate is None else {"x_tax_rate": one.tax_rate})


def _restrictions_told(when: Restrictions) -> Iterator[tuple[str, Any]]:
    """Restrictions, those that are given."""
    for name in (*TIMES, *DATES):
        value = getattr(when, name)
        if value is not None:
            yield name, f"{value:%H:%M}" if name in TIMES else value.isoformat()
    for name, (ours, places) in SCALED.items():
        if (bound := getattr(when, ours)) is not None:
            yield name, _text(bound.scaleb(-places))
    for name, ours in SECONDS.items():
        if (bound := getattr(when, ours)) is not None:
            yield name, bound
    if when.days != WEEK:
        yield "day_of_week", [day.name for day in sorted(when.days)]
    if when.reservation is not None:
        yield "reservation", when.reservation.value


def _rate_told(rate: TaxRate) -> dict[str, str]:
    """A dated rate."""
    told = {"name": rate.name, "percent": _text(rate.percent), "since": rate.since.isoformat()}
    return told | ({} if rate.until is None else {"until": rate.until.isoformat()})


# --- a tariff, read ---------------------------------------------------------------------------------------------


def of_ocpi(told: Mapping[str, Any], zone: tzinfo = UTC) -> Tariff:
    """The tariff that OCPI says; amounts may be text or decimals. Refusal INVALID where it cannot be understood.

    ``zone`` is the location's, where the tariff does not name one itself.
    """
    try:
        return _tariff(told, zone)
    except (KeyError, TypeError, AttributeError, ValueError, InvalidOperation) as error:
        raise Refusal(Code.INVALID, UNREADABLE.filled(error=repr(error))) from None


def _tariff(told: Mapping[str, Any], zone: tzinfo) -> Tariff:
    name = told.get("x_time_zone")
    return Tariff(
        currency=told["currency"],
        elements=tuple(map(_element, told["elements"][: MOST_ELEMENTS + 1])),
        tax_included=told.get("tax_included") == "YES",
        least=_bound(told.get("min_price")),
        most=_bound(told.get("max_price")),
        zone=zone if name is None else zone_of(name),
        bills_blocking=bool(told.get("x_bills_blocking")),
        untaxed=told.get("tax_included") == "N/A",
        rates=tuple(map(_rate, told.get("x_tax_rates") or ())),
    )


def zone_of(name: str) -> tzinfo:
    """The time zone of a name of the IANA; Refusal INVALID where there is none."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise Refusal(Code.INVALID, NO_ZONE.filled(name=name)) from None


def _number(told: object) -> Decimal:
    """A number, however it is told; ValueError where it is none."""
    text = str(told)
    number = Decimal(text) if len(text) <= LONGEST else None
    if number is None or not number.is_finite() or abs(number.adjusted()) > LONGEST:
        raise ValueError(text[:LONGEST])
    return number


def _element(told: Mapping[str, Any]) -> Element:
    """A tariff element."""
    if len(told["price_components"]) > MOST_TOGETHER:
        raise ValueError("price_components")
    return Element(tuple(map(_component, told["price_components"])), _restrictions(told.get("restrictions") or {}))


def _component(told: Mapping[str, Any]) -> Component:
    """A price component."""
    vat, step = told.get("vat"), told.get("step_size", 1)
    percent = None if vat is None else _number(vat)
    return Component(Dimension(told["type"]), _number(told["price"]), percent, int(step), told.get("x_tax_rate"))


def _restrictions(told: Mapping[str, Any]) -> Restrictions:
    """Restrictions; one that is not known is refused, so that nobody is billed by half a tariff."""
    given = {name: value for name, value in told.items() if value is not None}
    values: dict[str, Any] = {name: _time(name, given.pop(name)) for name in TIMES if name in given}
    values |= {name: _day(given.pop(name)) for name in DATES if name in given}
    for name, (ours, places) in SCALED.items():
        if name in given:
            values[ours] = _number(given.pop(name)).scaleb(places)
    values |= {ours: int(given.pop(name)) for name, ours in SECONDS.items() if name in given}
    days = given.pop("day_of_week", None)
    if days:
        values["days"] = frozenset(Day[day] for day in days)
    if "reservation" in given:
        values["reservation"] = Reservation(given.pop("reservation"))
    if given:
        raise Refusal(Code.INVALID, NOT_KNOWN.filled(name=min(given)))
    return Restrictions(**values)


def _time(name: str, told: str) -> time:
    """A time of day; an end at 24:00 is the end of the day as 00:00 is."""
    if (name, told) == ("end_time", "24:00"):
        return time(0)
    if not _TIME(told):
        raise Refusal(Code.INVALID, NO_TIME.filled(time=told))
    return time.fromisoformat(told)


def _day(told: str) -> date:
    """A day."""
    try:
        return date.fromisoformat(told)
    except ValueError:
        raise Refusal(Code.INVALID, NO_DAY.filled(day=told[:LONGEST])) from None


def _bound(told: Mapping[str, Any] | None) -> Bound | None:
    """A limit: before_taxes and after_taxes; in 2.2.1 excl_vat and incl_vat."""
    if told is None:
        return None
    net = told["before_taxes"] if "before_taxes" in told else told["excl_vat"]
    gross = told.get("after_taxes", told.get("incl_vat"))
    return Bound(_number(net), None if gross is None else _number(gross))


def _rate(told: Mapping[str, Any]) -> TaxRate:
    """A dated rate."""
    until = told.get("until")
    ends = None if until is None else date.fromisoformat(until)
    return TaxRate(told["name"], _number(told["percent"]), date.fromisoformat(told["since"]), ends)


# --- what was charged -------------------------------------------------------------------------------------------

HOURS = {"RESERVATION_TIME": Kind.RESERVED, "TIME": Kind.CHARGING, "PARKING_TIME": Kind.PARKING}
MILLISECOND = Decimal("0.001")


def usage_of_periods(periods: Iterable[Mapping[str, Any]], until: datetime, expired: bool = False) -> Usage:
    """What OCPI charging periods say was used, the last of which ended at an instant; as long as their volumes say.

    Power and current are those of the period: its mean where told, else its maximum, else its minimum.
    """
    told = [(datetime.fromisoformat(one["start_date_time"]).astimezone(UTC), one["dimensions"]) for one in periods]
    ends = [at for at, _ in told[1:]] + [until.astimezone(UTC)]
    intervals = [
        each
        for (since, dimensions), end in zip(told, ends, strict=True)
        for each in _stretches(since, end, {one["type"]: _number(one["volume"]) for one in dimensions})
    ]
    return Usage(intervals=tuple(intervals), expired=expired)


def _stretches(since: datetime, until: datetime, volumes: Mapping[str, Decimal]) -> Iterator[Interval]:
    """The stretches of one period: energy comes while it charges; where no time is told, for all of it."""
    energy_wh = volumes.get("ENERGY", ZERO).scaleb(THOUSAND)
    spans = [
        (kind, span_of((volumes[name] * 3600).quantize(MILLISECOND))) for name, kind in HOURS.items() if name in volumes
    ]
    spans = spans or [(Kind.CHARGING if energy_wh else Kind.OTHER, until - since)]
    bearer = next((kind for kind in (Kind.CHARGING, Kind.PARKING) if kind in dict(spans)), spans[0][0])
    for kind, span in spans:
        bears = energy_wh if kind is bearer else ZERO
        power_w = _of_period(volumes, "POWER", THOUSAND) if bears else ZERO
        if power_w is None and span:
            power_w = per_hour(bears, span)
        current_a = _of_period(volumes, "CURRENT", 0) if kind is Kind.CHARGING else ZERO
        yield Interval(
            kind=kind, since=since, until=since + span, energy_wh=bears, power_w=power_w, current_a=current_a
        )
        since += span


def _of_period(volumes: Mapping[str, Decimal], name: str, places: int) -> Decimal | None:
    """A power or current of a period, W or A; None where it tells none."""
    told = (volumes.get(prefix + name) for prefix in ("", "MAX_", "MIN_"))
    value = next((one for one in told if one is not None), None)
    return None if value is None else value.scaleb(places)


# --- a tariff, as a file ----------------------------------------------------------------------------------------


def exported(what: Tariff, identifier: str, valid_from: datetime) -> bytes:
    """A tariff as a file: an OCPI Tariff object with numbers as JSON has them, every digit kept."""
    head = {"id": identifier, "start_date_time": valid_from.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
    told = {name: _numbered(value, name) for name, value in to_ocpi(what).items()}
    return msgspec.json.format(msgspec.json.Encoder(decimal_format="number").encode(head | told), indent=2) + b"\n"


NUMBERS = frozenset({"price", "vat", "before_taxes", "after_taxes", "percent", *SCALED})
"""Members that are numbers in OCPI."""


def _numbered(told: Any, name: str = "") -> Any:
    """The same with decimals where there is text that OCPI has as numbers."""
    if isinstance(told, dict):
        return {key: _numbered(value, key) for key, value in told.items()}
    if isinstance(told, list):
        return [_numbered(one) for one in told]
    return Decimal(told) if name in NUMBERS else told
