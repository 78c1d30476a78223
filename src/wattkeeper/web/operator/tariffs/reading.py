"""What was typed into the editor, read: the tariff that it means, or what is wrong, field by field."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any

from wattkeeper.charging.cards.limits import DAYS, MIDNIGHT, WEEK
from wattkeeper.charging.errors import Refusal
from wattkeeper.charging.money.tariffs.restriction import Reservation, Restrictions
from wattkeeper.charging.money.tariffs.tariff import (
    MOST,
    RESERVABLE,
    Bound,
    Component,
    Dimension,
    Element,
    Tariff,
    TaxRate,
    check,
)
from wattkeeper.charging.money.usage import Usage, planned
from wattkeeper.charging.phrase import Said, phrase
from wattkeeper.store.money.tariffs.ocpi import zone_of
from wattkeeper.web.operator.tariffs.typed import KINDS, MEASURES, Typed

NO_NUMBER = phrase("This is no number. One is such as 0.49, with a point or a comma.")
TOO_MUCH = phrase("This must be 0 or more, and below {most}.")
NO_CURRENCY = phrase("A currency is three capital letters, such as EUR.")
NO_PERCENT = phrase("A tax is 0 to 100 percent.")
NO_CLOCK = phrase("This is no time of day. One is such as 22:00.")
NO_DAY = phrase("This is no day. One is such as 2027-01-31.")
NO_SPAN = phrase("This is no duration. One is such as 15 (minutes), 90 s or 2 h.")
NO_STEP = phrase("A step is a whole number of watt-hours, such as 100.")
NOT_BELOW = phrase("The upper bound must be above the lower one.")
SAME_TIME = phrase("Choose two different times; leave both empty for the whole day.")
NO_DAYS = phrase("Choose at least one day.")
NO_PRICE = phrase("A price is missing here, or take the rest of the line out.")
NO_RATE = phrase("There is no rate of this name below.")
NOT_RESERVABLE = phrase("A reservation costs by the hour or once, nothing else.")
EMPTY = phrase("This block has no price yet. Give it one, or take it out.")
NO_NET = phrase("Give the amount without tax too.")
UNDER_NET = phrase("With tax it is no less than without.")
UNDER_LEAST = phrase("The most is below the least.")
UNNAMED = phrase("A rate needs a name, such as DE standard.")
OVERLAPS = phrase("Two rates of this name hold on the same day.")
TOO_LONG = phrase("An example lasts 31 days at most.")
CLOCK = re.compile(r"([01]?[0-9]|2[0-4]):([0-5][0-9])").fullmatch
SPAN = re.compile(r"([0-9]{1,7}(?:[.,][0-9]{1,3})?)\s*(s|min|h)?").fullmatch
UNITS = {"s": 1, None: 60, "min": 60, "h": 3600}
LONGEST_S = Decimal(31 * 86_400)


@dataclass(slots=True)
class Read:
    """What was read so far, and what is wrong by field."""

    typed: Typed
    faults: dict[str, Said] = field(default_factory=dict)
    tariff: Tariff | None = None
    """What it means; None: something about it is wrong."""
    elements: tuple[Element, ...] = ()
    """Its blocks as far as they could be read."""

    def fault(self, name: str, why: Said) -> None:
        """Something is wrong with a field; of several things the first is said."""
        self.faults.setdefault(name, why)

    def number(self, name: str, text: str, most: Decimal = MOST, why: Said | None = None) -> Decimal | None:
        """A number that was typed; None where there is none, or a fault."""
        if not text:
            return None
        try:
            value = Decimal(text.replace(",", "."))
        except InvalidOperation:
            self.fault(name, NO_NUMBER)
            return None
        if not value.is_finite() or not 0 <= value <= most or value != round(value, 6):
            self.fault(name, why or TOO_MUCH.filled(most=most))
            return None
        return value.normalize() + 0 if value == 0 else value

    def day(self, name: str, text: str) -> date | None:
        """A day that was typed."""
        try:
            found = date.fromisoformat(text) if text else None
        except ValueError:
            self.fault(name, NO_DAY)
            return None
        if found and not 1971 <= found.year < 9990:
            self.fault(name, NO_DAY)
            return None
        return found

    def clock(self, name: str, text: str) -> time | None:
        """A time of day that was typed; 24:00 is the end of the day."""
        if not text:
            return None
        found = CLOCK(text)
        if found is None or (found[1] == "24" and found[2] != "00"):
            self.fault(name, NO_CLOCK)
            return None
        return time(int(found[1]) % 24, int(found[2]))

    def seconds(self, name: str, text: str) -> int | None:
        """A duration that was typed: minutes, unless it says otherwise."""
        if not text:
            return None
        found = SPAN(text)
        lasting = Decimal(found[1].replace(",", ".")) * UNITS[found[2]] if found else Decimal("0.5")
        if lasting != int(lasting) or lasting > 10_000_000:
            self.fault(name, NO_SPAN)
            return None
        return int(lasting)


def read(typed: Typed) -> Read:
    """What was typed, read."""
    found = Read(typed)
    head = typed.head
    if not re.fullmatch(r"[A-Z]{3}", head["currency"]):
        found.fault("currency", NO_CURRENCY)
    rates = tuple(_rates(found))
    elements = found.elements = tuple(_element(found, place, block) for place, block in enumerate(typed.blocks))
    least, most = (_bound(found, name) for name in ("least", "most"))
    if least and most and least.net > most.net:
        found.fault("most_net", UNDER_LEAST)
    zone = _zone(found, head["zone"])
    if not found.faults:
        kinds: dict[str, Any] = {"tax_included": head["tax"] == "YES", "untaxed": head["tax"] == "N/A"}
        kinds |= {"least": least, "most": most, "zone": zone, "bills_blocking": bool(head["blocking"])}
        _checked(found, Tariff(head["currency"], elements, **kinds, rates=rates))
    return found


def _checked(found: Read, tariff: Tariff) -> None:
    """Keep a tariff that can be billed by."""
    try:
        found.tariff = check(tariff)
    except Refusal as refusal:
        found.fault("", refusal.why)


def _zone(found: Read, name: str) -> tzinfo:
    try:
        return zone_of(name)
    except Refusal as refusal:
        found.fault("zone", refusal.why)
        return UTC


def _bound(found: Read, name: str) -> Bound | None:
    """The least or the most that a session costs."""
    net, gross = (found.number(f"{name}_{what}", found.typed.head[f"{name}_{what}"]) for what in ("net", "gross"))
    if net is None:
        if gross is not None:
            found.fault(f"{name}_net", NO_NET)
        return None
    if gross is not None and gross < net:
        found.fault(f"{name}_gross", UNDER_NET)
    return Bound(net, gross)


def _rates(found: Read) -> Iterator[TaxRate]:
    """The rates of tax with dates."""
    known: list[TaxRate] = []
    for place, row in enumerate(found.typed.rates):
        head = f"r{place}-"
        percent = found.number(f"{head}percent", row["percent"], Decimal(100), NO_PERCENT)
        since, until = (found.day(head + name, row[name]) for name in ("since", "until"))
        if not row["name"]:
            found.fault(f"{head}name", UNNAMED)
        if percent is None:
            found.fault(f"{head}percent", NO_PERCENT)
        if since is None:
            found.fault(f"{head}since", NO_DAY)
        if percent is None or since is None:
            continue
        if until is not None and until <= since:
            found.fault(f"{head}until", NOT_BELOW)
        made = TaxRate(row["name"], percent, since, until)
        if any(one.name == made.name and (one.holds(since) or made.holds(one.since)) for one in known):
            found.fault(f"{head}since", OVERLAPS)
        known.append(made)
        yield made


def _element(found: Read, place: int, block: Mapping[str, str]) -> Element:
    """A block: its prices, and when they hold."""
    head = f"b{place}-"
    when = _when(found, head, block)
    components = tuple(_components(found, head, block, when.reservation))
    if not components and not any(name.startswith(head) for name in found.faults):
        found.fault(f"{head}energy-price", EMPTY)
    return Element(components, when)


def _components(
    found: Read, head: str, block: Mapping[str, str], reservation: Reservation | None
) -> Iterator[Component]:
    """The prices of a block."""
    names = {row["name"] for row in found.typed.rates}
    for kind, dimension in KINDS.items():
        field_ = f"{head}{kind}"
        price = found.number(f"{field_}-price", block[f"{kind}-price"])
        vat = found.number(f"{field_}-vat", block[f"{kind}-vat"], Decimal(100), NO_PERCENT)
        step = _step(found, f"{field_}-step", block[f"{kind}-step"], dimension)
        rate = block[f"{kind}-rate"] or None
        if rate is not None and rate not in names:
            found.fault(f"{field_}-rate", NO_RATE)
        if price is None:
            if block[f"{kind}-step"] and f"{field_}-price" not in found.faults:
                found.fault(f"{field_}-price", NO_PRICE)
            continue
        if reservation and dimension not in RESERVABLE:
            found.fault(f"{field_}-price", NOT_RESERVABLE)
        yield Component(dimension, price, vat, step, rate)


def _step(found: Read, name: str, text: str, dimension: Dimension) -> int:
    """What is rounded up to: watt-hours, or a duration."""
    if dimension is not Dimension.ENERGY:
        return max(found.seconds(name, text) or 1, 1)
    if text and not (text.isascii() and text.isdecimal() and len(text) < 7):
        found.fault(name, NO_STEP)
        return 1
    return max(int(text or 1), 1)


def _when(found: Read, head: str, block: Mapping[str, str]) -> Restrictions:
    """When a block holds."""
    values: dict[str, Any] = {name: found.clock(head + name, block[name]) for name in ("start_time", "end_time")}
    if values["start_time"] == values["end_time"] not in (None, MIDNIGHT):
        found.fault(f"{head}end_time", SAME_TIME)
    values |= {name: found.day(head + name, block[name]) for name in ("start_date", "end_date")}
    _ordered(found, f"{head}end_date", values["start_date"], values["end_date"])
    for name, (ours, places) in MEASURES.items():
        low, high = (found.number(f"{head}{end}_{name}", block[f"{end}_{name}"]) for end in ("min", "max"))
        _ordered(found, f"{head}max_{name}", low, high)
        for end, bound in (("min", low), ("max", high)):
            values[f"{end}_{ours}"] = None if bound is None else bound.scaleb(places)
    for name in ("min_duration", "max_duration", "min_idle"):
        values[f"{name}_s"] = found.seconds(head + name, block[name])
    _ordered(found, f"{head}max_duration", values["min_duration_s"], values["max_duration_s"])
    values["days"] = frozenset(day for short, day in DAYS.items() if block[short])
    if not values["days"]:
        found.fault(f"{head}mon", NO_DAYS)
    values["reservation"] = _reservation(block["reservation"])
    return Restrictions(**values | {"days": values["days"] or WEEK})


def _reservation(text: str) -> Reservation | None:
    return Reservation(text) if text in set(Reservation) else None


def _ordered(found: Read, name: str, low: Any, high: Any) -> None:
    """A lower bound must be below its upper."""
    if low is not None and high is not None and low >= high:
        found.fault(name, NOT_BELOW)


# --- the example, and from when on ------------------------------------------------------------------------------


def example(found: Read, zone: tzinfo) -> Usage | None:
    """The session that prices are tried on; None: something about it is wrong."""
    head = found.typed.head
    before = set(found.faults)
    day, at = found.day("x_day", head["x_day"]), found.clock("x_time", head["x_time"])
    hours, energy = (found.number(name, head[name], Decimal(100_000)) for name in ("x_hours", "x_kwh"))
    idle = found.number("x_idle", head["x_idle"], Decimal(100_000))
    told = (
        (day, "x_day", NO_DAY),
        (at, "x_time", NO_CLOCK),
        (hours, "x_hours", NO_NUMBER),
        (energy, "x_kwh", NO_NUMBER),
    )
    for value, name, why in told:
        if value is None:
            found.fault(name, why)
    charging_s, parking_s = (hours or Decimal(0)) * 3600, (idle or Decimal(0)) * 60
    if charging_s + parking_s > LONGEST_S:
        found.fault("x_hours", TOO_LONG)
    if day is None or at is None or energy is None or set(found.faults) - before:
        return None
    begins = datetime.combine(day, at, zone).astimezone(UTC)
    return planned(begins, energy * 1000, charging_s, parking_s)


def since(found: Read, zone: tzinfo) -> datetime | None:
    """From when on a version shall hold, by a clock; None: from now."""
    head = found.typed.head
    day, at = found.day("since_day", head["since_day"]), found.clock("since_time", head["since_time"])
    if day is None:
        if at is not None:
            found.fault("since_day", NO_DAY)
        return None
    return datetime.combine(day, at or time(), zone).astimezone(UTC)
