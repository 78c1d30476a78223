"""A tariff as it is typed into the editor's form: blocks of prices one after the other, and rates of tax with dates."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from decimal import Decimal

from babel.numbers import get_decimal_symbol

from wattkeeper.charging.cards.limits import DAYS
from wattkeeper.charging.money.tariffs.restriction import Restrictions
from wattkeeper.charging.money.tariffs.tariff import Bound, Component, Dimension, Element, Tariff, TaxRate
from wattkeeper.language import locale

KINDS = {
    "energy": Dimension.ENERGY,
    "time": Dimension.TIME,
    "idle": Dimension.PARKING_TIME,
    "once": Dimension.FLAT,
}
"""The prices of a block, by the name of their fields."""
MEASURES = {"kwh": ("energy_wh", 3), "kw": ("power_w", 3), "amp": ("current_a", 0)}
"""What bounds are of, by the name of their fields: ours, and by how many places its unit is smaller."""
SPANS = ("min_duration", "max_duration", "min_idle")
MOST_ROWS = 50
"""Blocks, and rates; as many as the API takes."""
HEAD = (
    *("name", "currency", "tax", "zone", "blocking", "least_net", "least_gross", "most_net", "most_gross"),
    *("since_day", "since_time", "seen", "x_day", "x_time", "x_hours", "x_kwh", "x_idle"),
)
BLOCK = (
    *(f"{kind}-{what}" for kind in KINDS for what in ("price", "vat", "rate", "step")),
    *("start_time", "end_time", "start_date", "end_date", "reservation", *DAYS, *SPANS),
    *(f"{end}_{name}" for name in MEASURES for end in ("min", "max")),
)
RATE = ("name", "percent", "since", "until")
ROW = re.compile(r"([br])([0-9]{1,3})-(.{1,40})", re.DOTALL).fullmatch
NO_BLOCK = dict.fromkeys(BLOCK, "") | dict.fromkeys(DAYS, "on")
NO_RATE = dict.fromkeys(RATE, "")


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the form, by field; rows in their order."""

    head: dict[str, str]
    blocks: list[dict[str, str]] = field(default_factory=list)
    rates: list[dict[str, str]] = field(default_factory=list)

    def changed(self, deed: str) -> Typed:
        """The same with a row added, taken out or moved up: ``add``, ``remove-2``, ``up-2``, ``add-rate`` …"""
        blocks, rates = list(self.blocks), list(self.rates)
        what, _, number = deed.rpartition("-")
        place = int(number) if number.isascii() and number.isdecimal() and len(number) < 4 else -1
        if deed == "add" and len(blocks) < MOST_ROWS:
            blocks.append(dict(NO_BLOCK))
        elif deed == "add-rate" and len(rates) < MOST_ROWS:
            rates.append(dict(NO_RATE))
        elif what == "remove" and 0 <= place < len(blocks):
            del blocks[place]
        elif what == "remove-rate" and 0 <= place < len(rates):
            del rates[place]
            blocks = [_without(block, {rate["name"] for rate in rates}) for block in blocks]
        elif what == "up" and 0 < place < len(blocks):
            blocks.insert(place - 1, blocks.pop(place))
        return Typed(self.head, blocks, rates)


def _without(block: dict[str, str], names: Collection[str]) -> dict[str, str]:
    """A block whose prices name no other rates than these."""
    gone = (f"{kind}-rate" for kind in KINDS if block[f"{kind}-rate"] not in names)
    return block | dict.fromkeys(gone, "")


def of_form(form: Mapping[str, str]) -> Typed:
    """What a form says; fields that nobody knows are left out."""
    head = {name: form.get(name, "")[:200] for name in HEAD}
    rows: dict[str, dict[int, dict[str, str]]] = {"b": {}, "r": {}}
    for name, value in form.items():
        found = ROW(name)
        if found and found[3] in (BLOCK if found[1] == "b" else RATE):
            rows[found[1]].setdefault(int(found[2]), {})[found[3]] = value[:200]
    return Typed(head, _in_order(rows["b"], BLOCK), _in_order(rows["r"], RATE))


def _in_order(rows: Mapping[int, dict[str, str]], names: Iterable[str]) -> list[dict[str, str]]:
    """Rows by their number, with every field."""
    blank = dict.fromkeys(names, "")
    return [blank | rows[number] for number in sorted(rows)][:MOST_ROWS]


# --- a tariff, as it would be typed -----------------------------------------------------------------------------


def of_tariff(tariff: Tariff) -> Typed:
    """A tariff as it would be typed."""
    head = dict.fromkeys(HEAD, "") | {"currency": tariff.currency, "zone": str(tariff.zone)}
    head["tax"] = "N/A" if tariff.untaxed else "YES" if tariff.tax_included else "NO"
    head["blocking"] = "on" * tariff.bills_blocking
    for name, bound in (("least", tariff.least), ("most", tariff.most)):
        head |= dict(_bound(name, bound))
    names = {rate.name for rate in tariff.rates}  # one that is not there never holds
    blocks = [_without(NO_BLOCK | dict(_block(each)), names) for each in tariff.elements]
    return Typed(head, blocks, [dict(_rate(rate)) for rate in tariff.rates])


def fresh(currency: str, zone: tzinfo) -> Typed:
    """The form for a tariff that is not there yet: one block, still empty."""
    head = dict.fromkeys(HEAD, "") | {"currency": currency, "zone": str(zone), "tax": "YES", "seen": "0"}
    return Typed(head, [dict(NO_BLOCK)])


def _bound(name: str, bound: Bound | None) -> Iterator[tuple[str, str]]:
    if bound is not None:
        yield f"{name}_net", figure(bound.net)
        yield f"{name}_gross", "" if bound.gross is None else figure(bound.gross)


def _block(each: Element) -> Iterator[tuple[str, str]]:
    """The fields of a block that are not empty; of two prices of one kind only the first can ever hold."""
    known = set()
    for one in each.components:
        if one.dimension not in known:
            known.add(one.dimension)
            yield from _price(one)
    yield from _when(each.restrictions)


def _price(one: Component) -> Iterator[tuple[str, str]]:
    kind = next(name for name, dimension in KINDS.items() if dimension is one.dimension)
    yield f"{kind}-price", figure(one.price)
    yield f"{kind}-vat", "" if one.vat_percent is None else figure(one.vat_percent)
    yield f"{kind}-rate", one.tax_rate or ""
    if one.step_size > 1:
        yield f"{kind}-step", str(one.step_size) if one.dimension is Dimension.ENERGY else lasting(one.step_size)


def _when(when: Restrictions) -> Iterator[tuple[str, str]]:
    for name in ("start_time", "end_time"):
        at = getattr(when, name)
        yield name, "" if at is None else f"{at:%H:%M}"
    for name in ("start_date", "end_date"):
        day = getattr(when, name)
        yield name, "" if day is None else day.isoformat()
    for name, (ours, places) in MEASURES.items():
        for end in ("min", "max"):
            bound = getattr(when, f"{end}_{ours}")
            yield f"{end}_{name}", "" if bound is None else figure(bound.scaleb(-places))
    for name in SPANS:
        seconds = getattr(when, f"{name}_s")
        yield name, "" if seconds is None else lasting(seconds)
    for short, day in DAYS.items():
        yield short, "on" if day in when.days else ""
    yield "reservation", "" if when.reservation is None else when.reservation.value


def _rate(rate: TaxRate) -> Iterator[tuple[str, str]]:
    yield "name", rate.name
    yield "percent", figure(rate.percent)
    yield "since", rate.since.isoformat()
    yield "until", "" if rate.until is None else rate.until.isoformat()


def figure(value: Decimal) -> str:
    """A number with the digits it has, as the language spoken writes it."""
    return f"{value:f}".replace(".", get_decimal_symbol(locale()))


def lasting(seconds: int) -> str:
    """A span as it is typed: minutes, or seconds where it is no whole minutes."""
    return f"{seconds} s" if seconds % 60 else str(seconds // 60)
