"""A second pricer, deliberately naive: it walks through a session in small steps and asks everything anew at each.

It shares no code with the product: tariffs are OCPI's own JSON, a session is a list of registers. What it is slow at,
it cannot get wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

Registers = list[tuple[datetime, int]]
"""Instants (whole seconds, UTC) and what the register showed, Wh."""
CLOCK = datetime(2000, 1, 1, tzinfo=UTC)
read = lru_cache(Fraction)
"""A number as text."""
NAMES = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"]


def cost(registers: Registers, tariff: dict[str, Any], zone: str, step_s: int) -> tuple[int, int]:
    """What a session costs without and with tax, in cents; boundaries of the tariff are multiples of ``step_s``."""
    used: dict[tuple[str, int], Fraction] = {}
    last: dict[str, int] = {}
    time_kind = ""
    for kind, amounts in steps(registers, tariff, ZoneInfo(zone), step_s):
        for (dimension, element), amount in amounts.items():
            if dimension == "FLAT" and any(one == "FLAT" for one, _ in used):
                continue
            used[dimension, element] = used.get((dimension, element), Fraction(0)) + amount
            last[dimension] = element
            if dimension in ("TIME", "PARKING_TIME"):
                time_kind = kind
    if len(registers) < 2:
        return 0, 0
    for dimension in {"ENERGY", time_kind} & set(last):
        part = component(tariff, dimension, last[dimension])
        total = sum((amount for (one, _), amount in used.items() if one == dimension), Fraction(0))
        size = max(int(part["step_size"]), 1)
        used[dimension, last[dimension]] += -(-total // size) * size - total
    return summed(used, tariff)


def summed(used: dict[tuple[str, int], Fraction], tariff: dict[str, Any]) -> tuple[int, int]:
    """The exact sums, bounded, then rounded."""
    net = gross = Fraction(0)
    for (dimension, element), amount in used.items():
        part = component(tariff, dimension, element)
        unit = {"FLAT": 1, "ENERGY": 1000}.get(dimension, 3600)
        money = amount * read(part["price"]) / unit
        rate = 1 + read(part.get("vat", "0")) / 100
        net, gross = (
            (net + money / rate, gross + money)
            if tariff["tax_included"] == "YES"
            else (net + money, gross + money * rate)
        )
    for name, pick in (("min_price", max), ("max_price", min)):
        if name in tariff:
            net = pick(net, read(tariff[name]["before_taxes"]))
            gross = pick(gross, read(tariff[name]["after_taxes"]))
    return int((net * 100 + Fraction(1, 2)) // 1), int((gross * 100 + Fraction(1, 2)) // 1)


def component(tariff: dict[str, Any], dimension: str, element: int) -> dict[str, Any]:
    """A price of a tariff."""
    found: dict[str, Any] = next(
        one for one in tariff["elements"][element]["price_components"] if one["type"] == dimension
    )
    return found


def steps(
    registers: Registers, tariff: dict[str, Any], zone: ZoneInfo, step_s: int
) -> Iterator[tuple[str, dict[tuple[str, int], Fraction]]]:
    """The session step by step: what it did, and how much of each dimension by which element (Wh, s, once)."""
    start, come, idle_since = registers[0][0], Fraction(0), None
    clocked = asked(tariff, "start_time", "end_time", "start_date", "end_date", "day_of_week")
    aged, idling = asked(tariff, "min_duration", "max_duration"), asked(tariff, "x_min_idle")
    for (since, low), (until, high) in pairwise(registers):
        kind = "TIME" if high > low else "PARKING_TIME"
        if kind == "TIME":
            idle_since = None
        elif idle_since is None:
            idle_since = since
        whole = Fraction(int((until - since).total_seconds()))
        speed = (high - low) / whole
        origins = [CLOCK] * clocked + [start] * aged + [one for one in (idle_since,) if idling and one]
        marks = [Fraction(0), *grid(since, whole, origins, step_s), whole]
        marks += [(bound - come) / speed for bound in bounds(tariff) if speed and come < bound < come + high - low]
        marks.sort()
        for before, after in pairwise(marks):
            if after == before:
                continue
            middle = (before + after) / 2
            at = since + timedelta(microseconds=int(middle * 1_000_000))
            now = {
                "local": at.astimezone(zone),
                "kwh": (come + middle * speed) / 1000,
                "age": (at - start).total_seconds(),
                "idle": 0 if idle_since is None else (at - idle_since).total_seconds(),
                "kw": speed * 18 / 5,
            }
            amounts = {"FLAT": Fraction(1), "ENERGY": (after - before) * speed, kind: after - before}
            yield kind, found(amounts, tariff, now)
        come += high - low


def grid(since: datetime, whole: Fraction, origins: list[datetime], step_s: int) -> Iterator[Fraction]:
    """The seconds within a stretch at which a clock, an age or an idle time that is a multiple of the step turns."""
    for origin in origins:
        gone = int((since - origin).total_seconds()) % step_s
        yield from (Fraction(second) for second in range(step_s - gone, int(whole), step_s))


def asked(tariff: dict[str, Any], *names: str) -> bool:
    """Whether a tariff has one of these restrictions."""
    return any(name in each.get("restrictions", {}) for each in tariff["elements"] for name in names)


def bounds(tariff: dict[str, Any]) -> set[Fraction]:
    """The energies at which a price may change, Wh."""
    names = ("min_kwh", "max_kwh")
    told = [each.get("restrictions", {}).get(name) for each in tariff["elements"] for name in names]
    return {read(one) * 1000 for one in told if one is not None}


def found(amounts: dict[str, Fraction], tariff: dict[str, Any], now: dict[str, Any]) -> dict[tuple[str, int], Fraction]:
    """The amounts that have a price now, each with the first element that has one for it."""
    priced: dict[tuple[str, int], Fraction] = {}
    for place, element in enumerate(tariff["elements"]):
        if holds(element.get("restrictions", {}), now):
            for part in element["price_components"]:
                dimension = part["type"]
                taken = any(one == dimension for one, _ in priced)
                if amounts.get(dimension) and not taken:
                    priced[dimension, place] = amounts[dimension]
    return priced


def holds(when: dict[str, Any], now: dict[str, Any]) -> bool:
    """Whether an element holds now."""
    local = now["local"]
    clock, day = f"{local:%H:%M:%S.%f}", f"{local:%Y-%m-%d}"
    start, end = when.get("start_time", "00:00"), when.get("end_time", "00:00")
    end = "24:00" if end == "00:00" else end
    in_time = start <= clock < end if start < end else (clock >= start or clock < end)
    return (
        in_time
        and when.get("start_date", day) <= day
        and ("end_date" not in when or day < when["end_date"])
        and NAMES[local.weekday()] in when.get("day_of_week", NAMES)
        and ("min_kwh" not in when or read(when["min_kwh"]) <= now["kwh"])
        and ("max_kwh" not in when or now["kwh"] < read(when["max_kwh"]))
        and when.get("min_duration", 0) <= now["age"]
        and ("max_duration" not in when or now["age"] < when["max_duration"])
        and ("min_power" not in when or read(when["min_power"]) <= now["kw"])
        and ("max_power" not in when or now["kw"] < read(when["max_power"]))
        and when.get("x_min_idle", 0) <= now["idle"]
    )
