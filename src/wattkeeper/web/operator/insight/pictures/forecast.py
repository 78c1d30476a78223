"""Next week as a picture: what each hour is expected to come to, between what it lies, and what it was a week before.

An hour that is expected leads to the sessions of the same hour of the weeks that are known, one of the last week to
its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal

from markupsafe import Markup

from wattkeeper.charging.phrase import Figure, Said, joined, phrase
from wattkeeper.operations.money.papers.sheet import Cell
from wattkeeper.operations.statistics.forecasts import Told
from wattkeeper.web.operator.insight.pictures.drawing import NARROW_PX, WIDE_PX, Drawing, Plot, reached
from wattkeeper.web.operator.insight.pictures.pictured import Picture, Sheet, Shown, at_place
from wattkeeper.web.operator.insight.place import sessions_at
from wattkeeper.web.operator.said import dated

SHORT, DAY_OF_WEEK = phrase("EEE d"), phrase("EEEE d MMM")
HEADS = ("at", "expected_kwh", "low_kwh", "high_kwh", "last_week_kwh")
EXPECTED, LAST = phrase("expected"), phrase("last week")
WEEK = timedelta(weeks=1)
NAME_PX, APART_PX = 48, 120
"""How much room the name of a day takes, and how far apart what names the lines stands."""
NOTE = phrase(
    "kWh in each hour of the next seven days. The solid line is expected to be passed as often as not; four of five "
    "hours should lie in the band; dashed: the week before. From totals of sessions, by the clock of {place}."
)


@dataclass(frozen=True, slots=True)
class Where:
    """Of which site a forecast is (None: of all), by whose clock, and whether its hours lead to sessions."""

    site: str | None
    zone: tzinfo
    clock: str
    linked: bool = True

    def sessions(self, at: datetime, since: int, until: int) -> str:
        """Where the sessions are that ran in an hour of the week, from so many weeks before it until so many."""
        if not self.linked:
            return ""
        there = at.astimezone(self.zone)
        first, last = ((there.date() - weeks * WEEK).isoformat() for weeks in (since, until))
        return sessions_at(self.site, first, last, weekday=str(there.weekday()), hour=str(there.hour))

    def day(self, day: date, weeks: int) -> str:
        """Where the sessions are that ran on the same day of the weeks before."""
        if not self.linked:
            return ""
        first, last = ((day - count * WEEK).isoformat() for count in (weeks, 1))
        return sessions_at(self.site, first, last, weekday=str(day.weekday()))


def drawn(told: Told, where: Where, title: Said) -> Picture:
    """The picture of a forecast that is shown."""
    wide, narrow = (_drawing(told, where, width) for width in (WIDE_PX, NARROW_PX))
    heads = (phrase("Hour"), EXPECTED_HEAD, phrase("At least"), phrase("At most"), phrase("Last week"))
    note = NOTE.filled(place=where.clock)
    top = max(range(len(told.begins)), key=lambda at: told.forecast.hours[at].expected_wh)
    href = where.sessions(told.begins[top], told.forecast.known, 1)
    given = (wide, narrow, heads, list(_rows(told, where)), lambda: _sheet(told, where))
    return Picture("week", title, note, *given, href=href)


EXPECTED_HEAD = phrase("Expected")


def kwh(wh: float) -> Figure:
    """Energy as people read it."""
    return Figure(Decimal(wh) / 1000, 2, "kWh")


def said_since(begins: Sequence[datetime], zone: tzinfo) -> Said:
    """From when on a forecast is."""
    there = begins[0].astimezone(zone)
    clock = f"{there:%H:%M}"
    return phrase("from {day} {clock}", day=dated(there.date(), DAY_OF_WEEK), clock=clock)


def _rows(told: Told, where: Where) -> Iterator[list[Shown]]:
    """The hours, one by one."""
    weeks = told.forecast.known
    for at, hour, last in zip(told.begins, told.forecast.hours, told.last_wh, strict=False):
        there = at.astimezone(where.zone)
        clock = f"{there:%H:%M}"
        yield [
            Shown(joined((dated(there.date(), DAY_OF_WEEK), clock))),
            Shown(kwh(hour.expected_wh), where.sessions(at, weeks, 1)),
            *(Shown(kwh(wh)) for wh in (hour.low_wh, hour.high_wh)),
            Shown(kwh(last), where.sessions(at, 1, 1)),
        ]


def _sheet(told: Told, where: Where) -> Sheet:
    """The same exactly."""
    rows: list[tuple[Cell, ...]] = []
    for at, hour, last in zip(told.begins, told.forecast.hours, told.last_wh, strict=False):
        energies = (hour.expected_wh, hour.low_wh, hour.high_wh, last)
        rows.append((at_place(at, where.zone), *(Decimal(wh) / 1000 for wh in energies)))
    return Sheet(HEADS, rows)


# --- drawing ------------------------------------------------------------------------------------------------------


def _drawing(told: Told, where: Where, width: int) -> Drawing:
    """The week in a width."""
    hours, count = told.forecast.hours, len(told.begins)
    expected = [Decimal(one.expected_wh) / 1000 for one in hours]
    last = [Decimal(wh) / 1000 for wh in told.last_wh]
    plot = Plot(width, max([*last, *(Decimal(one.high_wh) / 1000 for one in hours)]), "kWh")
    high = [plot.y(Decimal(one.high_wh) / 1000) for one in hours]
    low = [plot.y(Decimal(one.low_wh) / 1000) for one in hours]
    marks = [*plot.grid()]
    days = list(_days(told.begins, where.zone))
    for x, day in _spread([(plot.x(at, count), day) for at, day in days], width):
        marks.append(plot.upright(x, dated(day, SHORT)))
    back = "".join(f"V{low[at]}H{plot.x(at, count)}" for at in range(count - 1, -1, -1))
    band = f"{_steps(high, plot)}{back}Z"
    marks.append(Markup('<path class="band" d="{}"/>').format(band))
    marks.append(Markup('<path class="past" d="{}"/>').format(_steps([plot.y(one) for one in last], plot)))
    marks.append(Markup('<path class="expected" d="{}"/>').format(_steps([plot.y(one) for one in expected], plot)))
    top = max(range(count), key=lambda at: expected[at])
    others = [at for at in range(count) if abs(at - top) * (width - plot.left) > count * APART_PX]
    last_top = max(others, key=lambda at: last[at])
    marks.append(plot.label(plot.x(top, count), plot.y(expected[top]), EXPECTED))
    marks.append(plot.label(plot.x(last_top, count), plot.y(last[last_top]), LAST))
    marks.append(plot.base())
    marks += _reach(told, where, plot, days)
    return Drawing(width, plot.height, Markup("").join(marks))


def _spread(days: Sequence[tuple[int, date]], width: int) -> Iterator[tuple[int, date]]:
    """The days whose names have room, of a first that is nearly over the next."""
    edges = [*(x for x, _ in days[1:]), width]
    last = -NAME_PX
    for (x, day), end in zip(days, edges, strict=True):
        if x - last >= NAME_PX and (end - x >= NAME_PX or (x > days[0][0] and width - x >= NAME_PX)):
            yield x, day
            last = x


def _reach(told: Told, where: Where, plot: Plot, days: Sequence[tuple[int, date]]) -> Iterator[Markup]:
    """Each day, which leads to the sessions of the same day of the weeks before."""
    count = len(told.begins)
    edges = [*days, (count, days[-1][1])]
    for (since, day), (until, _) in zip(days, edges[1:], strict=True):
        wh = sum(one.expected_wh for one in told.forecast.hours[since:until])
        said = phrase("{day}: about {energy} expected", day=dated(day, DAY_OF_WEEK), energy=kwh(wh))
        box = plot.x(since, count), plot.x(until, count)
        yield reached(box, plot, said, where.day(day, told.forecast.known))


def _steps(heights: Sequence[int], plot: Plot) -> str:
    """A path that stays at each height for an hour."""
    count = len(heights)
    return f"M{plot.x(0, count)} {heights[0]}" + "".join(
        f"V{height}H{plot.x(at + 1, count)}" for at, height in enumerate(heights)
    )


def _days(begins: Sequence[datetime], zone: tzinfo) -> Iterator[tuple[int, date]]:
    """Where each day begins, the first as far as it is left."""
    before: date | None = None
    for at, begin in enumerate(begins):
        day = begin.astimezone(zone).date()
        if day != before:
            yield at, day
        before = day
