"""Carbon dioxide as the overview tells it: by month, and for a kWh, as far as somebody told what the grid carries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from wattkeeper.charging.person import Viewer
from wattkeeper.charging.phrase import Figure, Phrase, phrase
from wattkeeper.charging.statistics.carbon import Emitted
from wattkeeper.web.operator.insight.asked import Asked
from wattkeeper.web.operator.insight.desks import CARBON
from wattkeeper.web.operator.money.months import MONTH
from wattkeeper.web.operator.said import NOTHING, dated
from wattkeeper.web.rooms import Rooms

TITLE = phrase("{grams} of CO₂, {each} for a kWh")


@dataclass(frozen=True, slots=True)
class Row:
    """A month of it."""

    month: str
    href: str
    """The month among the pictures of carbon, where each figure leads to its sessions."""
    grams: Figure
    each: Figure | str
    known: Figure
    """Of which energy it is, kWh."""


@dataclass(frozen=True, slots=True)
class Told:
    """The carbon dioxide of a span."""

    title: Phrase
    rows: list[Row]


async def told(rooms: Rooms, viewer: Viewer, asked: Asked, sites: Sequence[str]) -> Told | None:
    """What a span came to at sites (scope sessions:read); None where nobody told of any grid."""
    span = asked.span
    found = (await rooms.statistics.carbon.of(viewer, span, sites, by_month=True, told_alone=True)).weighed
    if found.whole.known_wh <= 0:
        return None
    about = replace(asked, usual=None, station="", rest=())
    rows = [_row(replace(about, span=month), one) for month, one in found.spans if one.known_wh > 0]
    return Told(TITLE.filled(grams=kilograms(found.whole), each=each(found.whole)), rows)


def _row(month: Asked, one: Emitted) -> Row:
    known = Figure(one.known_wh.scaleb(-3), 2, "kWh")
    return Row(dated(month.span.first, MONTH), month.address(CARBON), kilograms(one), each(one), known)


def each(one: Emitted) -> Figure | str:
    """What a kWh came to."""
    return NOTHING if one.g_per_kwh is None else Figure(one.g_per_kwh, 0, "g")


def kilograms(one: Emitted) -> Figure:
    """What it came to in all."""
    return Figure(one.grams.scaleb(-3), 1, "kg")
