"""Insight › Stays: when cars arrive, how long they stay, and how long they stand there after they are full."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from fastapi import APIRouter

from wattkeeper.charging.money.exact import divided
from wattkeeper.charging.phrase import Figure, Said, counted, joined, phrase
from wattkeeper.operations.money.papers.sheet import Cell
from wattkeeper.operations.statistics.when import Slot, Stays, Week
from wattkeeper.store.statistics.total import Total
from wattkeeper.web.operator.insight.desks import STAYS
from wattkeeper.web.operator.insight.pictures.drawing import NARROW_PX, WIDE_PX, Mark, bars
from wattkeeper.web.operator.insight.pictures.pictured import Desk, Picture, Scene, Sheet, Shown
from wattkeeper.web.operator.insight.pictures.week import clock, rounded, said_hours
from wattkeeper.web.operator.insight.unknown import MOSTLY_UNKNOWN, said_unknown
from wattkeeper.web.operator.paper import Paper
from wattkeeper.web.operator.said import duration_s
from wattkeeper.web.operator.sessions.sessions import said_stay
from wattkeeper.web.operator.within import RAN

QUARTER_S = 900
BINS: tuple[tuple[int, int | None], ...] = (
    *((0, 1), (1, 2), (2, 4), (4, 8), (8, 16), (16, 24), (24, 32), (32, 40), (40, 48), (48, 96)),
    (96, None),
)
"""How long a stay was, from so many whole quarter hours until under so many."""


async def drawn(scene: Scene) -> list[Picture]:
    """Arrivals, stays, and what comes after full."""
    when, part = scene.rooms.statistics.when, scene.asked.part
    week = await when.week(scene.viewer, scene.asked.span, part.site)
    stays = await when.stays(scene.viewer, scene.asked.span, part.site)
    return [_stays(scene, stays), _arrivals(scene, week), _idle(scene, week)]


def _stays(scene: Scene, stays: Stays) -> Picture:
    """How long cars stayed, as bars from short to long."""
    marks, rows, sheet = [], [], []
    for low, high in BINS:
        count = stays.between(low, high)
        part = Figure(divided(Decimal(100 * count), stays.sessions) if stays.sessions else Decimal(0), 0, "%")
        said, text = said_stay(low, high), Figure(Decimal(count), 0)
        href = scene.sessions(stay=f"{low}-{high or ''}") if count else ""
        marks.append(Mark(Decimal(count), text, phrase("{when}: {value}", when=said, value=text), href))
        rows.append([Shown(said), Shown(text, href), Shown(part, href)])
        sheet.append((low * 15, "" if high is None else high * 15, count))
    median = stays.median
    title = phrase("No session ended")
    if median is not None:
        title = phrase("Half of all cars stayed under {until}", until=duration_s(median * QUARTER_S))
    wide = [_short(*one) for one in BINS]
    narrow = [name if place in (0, 3, 6, 9) else "" for place, name in enumerate(wide)]
    given = (bars(marks, wide, "", WIDE_PX), bars(marks, narrow, "", NARROW_PX))
    heads = (phrase("Stay"), phrase("Sessions"), phrase("Share"))
    made = Sheet(("from_min", "until_min", "sessions"), sheet)
    href = scene.sessions(stay="0-") if median is not None else ""
    shown = rows if median is not None else ()
    return Picture("stays", title, _note(stays), *given, heads, shown, lambda: made, href=href)


def _short(low: int, high: int | None) -> str:
    """How long a stay was, below its bar; the units are the same in every language of ours."""
    if high is None:
        return f"≥ {low // 4} h"
    if high > 4:
        return f"{low // 4}–{high // 4} h"
    return f"{low * 15}–{high * 15} min" if low else f"< {high * 15} min"


def _note(stays: Stays) -> Said:
    """Of which sessions."""
    of = counted("1 session that ended", "{count} sessions that ended", stays.sessions)
    told = phrase("Sessions that began in these days, by how long the car stayed plugged in: {of}.", of=of)
    return joined((told, phrase("To the right bars are of longer spans.")))


def _arrivals(scene: Scene, week: Week) -> Picture:
    """When cars arrive."""

    def mark(hour: int, slot: Slot) -> Mark:
        text = Figure(Decimal(slot.total.sessions), 0)
        href = scene.sessions(hour=str(hour)) if slot.total.sessions else ""
        return Mark(
            Decimal(slot.total.sessions), text, phrase("{when}: {value}", when=said_hours(hour), value=text), href
        )

    def title(top: int, part: Figure) -> Said:
        return phrase("{part} arrive from {since} to {until}", part=part, since=clock(top), until=clock(top + 1))

    note = phrase("Sessions that began, by hour of the day, all days together.")
    about = ("arrivals", phrase("No car arrived"), note, phrase("Sessions"))
    return _by_hour(week, mark, title, about, {"sessions": lambda total: total.sessions})


def _idle(scene: Scene, week: Week) -> Picture:
    """When cars stand there full."""

    def mark(hour: int, slot: Slot) -> Mark:
        text = Figure(divided(slot.total.idle_s, 3600), 1, "h")
        href = scene.sessions(hour=str(hour), within=RAN) if slot.total.idle_s else ""
        return Mark(text.value, text, phrase("{when}: {value}", when=said_hours(hour), value=text), href)

    def title(top: int, part: Figure) -> Said:
        whole = week.whole.total
        idle = Figure(divided(whole.idle_s, 3600), 0, "h")
        if not whole.is_known:
            return MOSTLY_UNKNOWN
        share = Figure(divided(whole.idle_s * 100, whole.known_s) if whole.known_s else Decimal(0), 0, "%")
        told = phrase("Idle after full: {idle}, {share} of the time plugged in;", idle=idle, share=share)
        return joined((told, phrase("most from {since} to {until}", since=clock(top), until=clock(top + 1))))

    note = phrase(
        "Hours in which cars stood plugged in after their last energy, by hour of the day, all days together."
    )
    whole = week.whole.total
    nothing = phrase("No car stood there full") if whole.is_known else MOSTLY_UNKNOWN
    about = ("idle", nothing, joined((note, said_unknown(whole))), phrase("Idle after full"))
    times: dict[str, Callable[[Total], Cell]] = {
        "idle_h": lambda total: rounded(divided(total.idle_s, 3600)),
        "unknown_h": lambda total: rounded(divided(total.unknown_s, 3600)),
    }
    return _by_hour(week, mark, title, about, times)


def _by_hour(
    week: Week,
    mark: Callable[[int, Slot], Mark],
    title: Callable[[int, Figure], Said],
    about: tuple[str, Said, Said, Said],
    columns: Mapping[str, Callable[[Total], Cell]],
) -> Picture:
    """Something by hour of the day; ``about``: its key, what is said where there is nothing, its note, its heading."""
    key, nothing, note, head = about
    slots = [week.hour(hour) for hour in range(24)]
    marks: Sequence[Mark] = [mark(hour, slot) for hour, slot in enumerate(slots)]
    top = max(range(24), key=lambda hour: marks[hour].value)
    whole = sum((one.value for one in marks), Decimal(0))
    said = title(top, Figure(divided(marks[top].value * 100, whole), 0, "%")) if whole > 0 else nothing
    wide = [clock(hour) if hour % 2 == 0 else "" for hour in range(24)]
    narrow = [clock(hour) if hour % 6 == 0 else "" for hour in range(24)]
    given = (bars(marks, wide, "", WIDE_PX), bars(marks, narrow, "", NARROW_PX))
    rows = [[Shown(said_hours(hour)), Shown(one.text, one.href)] for hour, one in enumerate(marks)]
    values = [[value(slot.total) for value in columns.values()] for slot in slots]
    sheet = Sheet(("hour", *columns), [(hour, *told) for hour, told in enumerate(values)])
    heads, shown = (phrase("Hour"), head), rows if whole > 0 else ()
    return Picture(key, said, note, *given, heads, shown, lambda: sheet, href=marks[top].href)


def router(paper: Paper) -> APIRouter:
    """``/insight/stays`` and its files."""
    return Desk(paper, STAYS, {}, drawn).router()
