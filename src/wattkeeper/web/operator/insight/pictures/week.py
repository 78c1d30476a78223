"""Insight › Peak times: how much there is by hour of the week, as a map."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from fastapi import APIRouter

from wattkeeper.charging.cards.limits import DAY_WORDS, Day
from wattkeeper.charging.phrase import Figure, Phrase, joined, phrase
from wattkeeper.operations.money.papers.sheet import Cell
from wattkeeper.operations.statistics.when import Place, Slot, Week
from wattkeeper.web.operator.insight.desks import WEEK
from wattkeeper.web.operator.insight.pictures.drawing import NARROW_PX, WIDE_PX, Drawing, Mark, heat
from wattkeeper.web.operator.insight.pictures.pictured import Desk, Picture, Scene, Sheet, Shown
from wattkeeper.web.operator.insight.unknown import MOSTLY_UNKNOWN, said_unknown
from wattkeeper.web.operator.paper import Paper
from wattkeeper.web.operator.tariffs.picture import SHORT
from wattkeeper.web.operator.within import RAN

FROM_TO = phrase("{day} {since} to {until}")
HOURS = phrase("{since} to {until}")


class Show(StrEnum):
    """What a map of the week can show."""

    POWER = "power"
    PLUGGED = "plugged"
    CHARGING = "charging"
    ARRIVALS = "arrivals"


@dataclass(frozen=True, slots=True)
class Kind:
    """One of them."""

    name: Phrase
    unit: Phrase
    """As it is said of an hour: ``{value} kW on average``."""
    title: Phrase
    nothing: Phrase
    note: Phrase
    value: Callable[[Slot], Decimal]


KINDS = {
    Show.POWER: Kind(
        phrase("Mean power"),
        phrase("{value} kW on average"),
        phrase("Busiest: {when}, {value} kW on average"),
        phrase("No energy was delivered"),
        phrase("Mean power by hour of the week, kW."),
        lambda slot: slot.power_w.scaleb(-3),
    ),
    Show.PLUGGED: Kind(
        phrase("Cars plugged in"),
        phrase("{value} cars plugged in on average"),
        phrase("Fullest: {when}, {value} cars plugged in on average"),
        phrase("No car was plugged in"),
        phrase("Cars plugged in at once by hour of the week, on average."),
        lambda slot: slot.plugged,
    ),
    Show.CHARGING: Kind(
        phrase("Cars charging"),
        phrase("{value} cars charging on average"),
        phrase("Most charge: {when}, {value} cars on average"),
        phrase("No car charged"),
        phrase("Cars charging at once by hour of the week, on average."),
        lambda slot: slot.charging,
    ),
    Show.ARRIVALS: Kind(
        phrase("Arrivals"),
        phrase("{value} arrivals on average"),
        phrase("Most arrive: {when}, {value} an hour on average"),
        phrase("No car arrived"),
        phrase("Sessions that began in each hour of the week, on average."),
        lambda slot: slot.arrivals,
    ),
}


def clock(hour: int) -> str:
    """The beginning of an hour."""
    return f"{hour:02}:00"


def said_hours(hour: int) -> Phrase:
    """An hour of the day."""
    return HOURS.filled(since=clock(hour), until=clock(hour + 1))


def said_place(place: Place) -> Phrase:
    """An hour of the week."""
    day, hour = place
    return FROM_TO.filled(day=DAY_WORDS[Day(day)], since=clock(hour), until=clock(hour + 1))


def short(value: Decimal) -> Figure:
    """A value as a cell of a map has room for it."""
    return Figure(value, 0 if value >= 100 else 1)


async def drawn(scene: Scene) -> list[Picture]:
    """The map."""
    week = await scene.rooms.statistics.when.week(scene.viewer, scene.asked.span, scene.asked.part.site)
    return [_map(scene, week)]


# --- the map ------------------------------------------------------------------------------------------------------


def _map(scene: Scene, week: Week) -> Picture:
    """The week as a map."""
    show = dict(scene.asked.rest).get("show", "")
    asked = Show(show) if show in set(Show) else Show.POWER
    kind = KINDS[asked]
    marks = {place: _mark(scene, kind, asked, place, slot) for place, slot in week.slots.items()}
    top = max(marks, key=lambda place: marks[place].value)
    is_some = marks[top].value > 0
    whole = week.whole.total
    is_unclear = asked is Show.CHARGING and bool(whole.unknown_s)
    title = kind.title.filled(when=said_place(top), value=short(marks[top].value)) if is_some else kind.nothing
    if is_unclear and not whole.is_known:
        title = MOSTLY_UNKNOWN
    note = joined((kind.note, said_unknown(whole) if is_unclear else ""))
    wide, narrow = _both(marks)
    rows = [
        [Shown(said_hours(hour)), *(Shown(marks[day, hour].text, marks[day, hour].href) for day in range(7))]
        for hour in range(24)
    ]
    pick = [(one.name, scene.asked.address(WEEK, show=which.value), which is asked) for which, one in KINDS.items()]
    given = (wide, narrow, (phrase("Hour"), *SHORT), rows, lambda: _sheet(scene, week), pick)
    return Picture("week", title, note, *given, href=marks[top].href)


def _mark(scene: Scene, kind: Kind, show: Show, place: Place, slot: Slot) -> Mark:
    """An hour of the week; where the sessions are that ran in it, or that began in it."""
    value = kind.value(slot)
    told = phrase("{when}: {value}", when=said_place(place), value=kind.unit.filled(value=short(value)))
    within = {} if show is Show.ARRIVALS else {"within": RAN}
    href = scene.sessions(weekday=str(place[0]), hour=str(place[1]), **within) if value > 0 else ""
    return Mark(value, short(value), told, href)


def _both(marks: dict[Place, Mark]) -> tuple[Drawing, Drawing]:
    """Days below each other where there is room, beside each other where there is little."""
    by_day = [[marks[day, hour] for hour in range(24)] for day in range(7)]
    by_hour = [[marks[day, hour] for day in range(7)] for hour in range(24)]
    heads = [f"{hour:02}" for hour in range(24)]
    wide = heat(by_day, SHORT, heads, ((WIDE_PX - 44) // 24, 36))
    narrow = heat(by_hour, [clock(hour) for hour in range(24)], SHORT, ((NARROW_PX - 44) // 7, 24))
    return wide, narrow


# --- as a file ----------------------------------------------------------------------------------------------------

HEADS = (
    *(
        "weekday",
        "hour",
        "hours",
        "energy_kwh",
        "mean_kw",
        "plugged_h",
        "charging_h",
        "idle_h",
        "unknown_h",
        "sessions",
    ),
    *("mean_plugged", "mean_charging", "sessions_an_hour"),
)


def _sheet(scene: Scene, week: Week) -> Sheet:
    """All that is known of each hour of the week; 1 is Monday."""
    _, digits = scene.currency
    heads = (*HEADS, "billed") if week.knows_money else HEADS
    rows: list[list[Cell]] = []
    for (day, hour), slot in sorted(week.slots.items()):
        t = slot.total
        row: list[Cell] = [day + 1, hour, slot.hours, t.energy_wh.scaleb(-3), rounded(slot.power_w.scaleb(-3))]
        row += [rounded(one / 3600) for one in (t.plugged_s, t.charging_s, t.idle_s, t.unknown_s)]
        row += [t.sessions, *(rounded(one) for one in (slot.plugged, slot.charging, slot.arrivals))]
        rows.append([*row, Decimal(t.gross_minor).scaleb(-digits)] if week.knows_money else row)
    return Sheet(heads, rows)


def rounded(value: Decimal) -> Decimal:
    """To a millionth."""
    return value.quantize(Decimal("0.000001"))


def router(paper: Paper) -> APIRouter:
    """``/insight/week`` and its files."""
    return Desk(paper, WEEK, {"show": Show.POWER.value}, drawn).router()
