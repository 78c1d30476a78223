"""What a tariff that is being typed would mean: its week, and what an example session would cost, with why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from wattkeeper.charging.money.bill import Bill, price
from wattkeeper.charging.money.tariffs.tariff import Tariff
from wattkeeper.charging.phrase import Money, Phrase, Said, joined, phrase
from wattkeeper.operations.money.papers.explaining import LineSaid, Teller
from wattkeeper.operations.money.tariffs.conditions import conditions
from wattkeeper.web.operator.tariffs.picture import ALWAYS, Picture, pictures
from wattkeeper.web.operator.tariffs.reading import Read, example

HEADS: Mapping[str, Phrase] = {
    "name": phrase("Name"),
    "currency": phrase("Currency"),
    "zone": phrase("Time zone"),
    "least_net": phrase("At least"),
    "least_gross": phrase("At least"),
    "most_net": phrase("At most"),
    "most_gross": phrase("At most"),
    "since_day": phrase("Holds from"),
    "since_time": phrase("Holds from"),
}


@dataclass(frozen=True, slots=True)
class Told:
    """A line of the example's price, and of which block it is."""

    line: LineSaid
    block: int | None
    """Counted from 1."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is wrong, with the field that it is about."""

    name: str
    where: Said
    why: Said


@dataclass(frozen=True, slots=True)
class Preview:
    """What is shown beside the form."""

    pictures: tuple[Picture, ...] = ()
    is_free: bool = False
    total: Money | None = None
    net: Money | None = None
    lines: tuple[Told, ...] = ()
    faults: tuple[Fault, ...] = ()


def preview(found: Read, now: datetime) -> Preview:
    """What stands in the form means."""
    tariff = found.tariff
    if tariff is None:
        return Preview(faults=tuple(_faults(found)))
    usage = example(found, tariff.zone)
    day = found.day("x_day", found.typed.head["x_day"]) or now.astimezone(tariff.zone).date()
    shown = pictures(tariff, day)
    if usage is None:
        return Preview(shown, tariff.is_free, faults=tuple(_faults(found)))
    bill, teller = price(usage, tariff), Teller(tariff, tariff.zone)
    total, net = teller.money(bill.gross_minor), teller.money(bill.net_minor)
    return Preview(shown, tariff.is_free, total, net, tuple(_lines(bill, teller)))


def _lines(bill: Bill, teller: Teller) -> Iterator[Told]:
    for line in bill.lines:
        yield Told(teller.line(line), None if line.element is None else line.element + 1)


def _faults(found: Read) -> Iterator[Fault]:
    """What is wrong, and where."""
    for name, why in found.faults.items():
        yield Fault(name, where(name), why)


def where(name: str) -> Said:
    """What a field is called that something is wrong with."""
    row, _, rest = name.partition("-")
    if rest and row[1:].isdecimal():
        number = int(row[1:]) + 1
        return phrase("Block {number}", number=number) if row[0] == "b" else phrase("Rate {number}", number=number)
    if name.startswith("x_"):
        return phrase("Example")
    return HEADS.get(name, phrase("Tariff"))


def whens(found: Read) -> list[Said]:
    """When each block holds, in words."""
    return [joined(conditions(each.restrictions) or [ALWAYS], ", ") for each in found.elements]


def begun(now: datetime, tariff: Tariff) -> dict[str, str]:
    """An example to begin with: tomorrow evening, 20 kWh in two hours, then half an hour plugged in."""
    there = now.astimezone(tariff.zone) + timedelta(days=1)
    return {"x_day": there.date().isoformat(), "x_time": "18:00", "x_hours": "2", "x_kwh": "20", "x_idle": "30"}
