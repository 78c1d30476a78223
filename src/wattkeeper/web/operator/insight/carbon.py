"""Carbon dioxide as pages tell it: by month, and for a kWh, as far as somebody told what the grid carries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from wattkeeper.charging.person import Viewer
from wattkeeper.charging.phrase import Figure, Phrase, phrase
from wattkeeper.charging.statistics.carbon import Emitted
from wattkeeper.charging.statistics.span import Span
from wattkeeper.operations.statistics.carbon import by_month
from wattkeeper.web.operator.money.months import MONTH
from wattkeeper.web.operator.said import NOTHING, dated
from wattkeeper.web.rooms import Rooms

TITLE = phrase("{grams} of CO₂, {each} for a kWh")


@dataclass(frozen=True, slots=True)
class Row:
    """A month of it."""

    month: str
    grams: Figure
    each: Figure | str
    known: Figure
    """Of which energy it is, kWh."""


@dataclass(frozen=True, slots=True)
class Told:
    """The carbon dioxide of a span."""

    title: Phrase
    rows: list[Row]


async def told(rooms: Rooms, viewer: Viewer, span: Span, site: str | None) -> Told | None:
    """What a span came to at a site or at all (scope sessions:read); None where nobody told of any grid."""
    async with rooms.store.read() as connection:
        months = await by_month(connection, viewer, span.first, span.until, rooms.settings.zone, site)
    whole = sum(months.values(), Emitted())
    if whole.known_wh <= 0:
        return None
    rows = [_row(month, one) for month, one in months.items() if one.known_wh > 0]
    return Told(TITLE.filled(grams=_kilograms(whole.grams), each=_each(whole)), rows)


def _row(month: str, one: Emitted) -> Row:
    name = dated(date.fromisoformat(f"{month}-01"), MONTH)
    return Row(name, _kilograms(one.grams), _each(one), Figure(one.known_wh.scaleb(-3), 2, "kWh"))


def _each(one: Emitted) -> Figure | str:
    """What a kWh came to."""
    return NOTHING if one.g_per_kwh is None else Figure(one.g_per_kwh, 0, "g")


def _kilograms(grams: Decimal) -> Figure:
    return Figure(grams.scaleb(-3), 1, "kg")
