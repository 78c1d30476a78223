"""Spans of time in an address, and pictures: pure, whatever is typed and whatever clocks do."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattkeeper.operations.statistics.when import _slots
from wattkeeper.store.statistics.total import Total
from wattkeeper.web.operator.insight.pictures.drawing import Drawing, Mark, Stretch, bars, curve, heat, level, scale
from wattkeeper.web.operator.within import hours_of, within

VIENNA = ZoneInfo("Europe/Vienna")
HOUR = timedelta(hours=1)
SKIPS, REPEATS = date(2026, 3, 29), date(2026, 10, 25)
"""Sundays on which clocks in Vienna skip the hour after two, and go back over it."""


def test_an_hour_that_clocks_skip_is_none_and_one_they_repeat_is_two() -> None:
    assert list(hours_of(SKIPS, 2, VIENNA)) == []
    assert [since for since, _ in hours_of(REPEATS, 2, VIENNA)] == [
        datetime(2026, 10, 25, 0, tzinfo=UTC),
        datetime(2026, 10, 25, 1, tzinfo=UTC),
    ]
    assert [since for since, _ in hours_of(SKIPS, 3, VIENNA)] == [datetime(2026, 3, 29, 1, tzinfo=UTC)]


@pytest.mark.parametrize("day", [SKIPS, REPEATS, date(2026, 7, 1)])
def test_hours_of_a_day_are_those_of_the_week(day: date) -> None:
    """What a cell of the map counts is where its link leads."""
    since, until = (datetime(one.year, one.month, one.day, tzinfo=VIENNA) for one in (day, day + timedelta(days=1)))
    found = {since.astimezone(UTC) + number * HOUR: Total(sessions=1) for number in range(25)}
    slots = _slots(found, since.astimezone(UTC), until.astimezone(UTC), VIENNA, knows_money=True)
    for hour in range(24):
        windows = list(hours_of(day, hour, VIENNA))
        assert slots[day.weekday(), hour].hours == len(windows) == slots[day.weekday(), hour].total.sessions


def test_days_and_instants_are_understood() -> None:
    days = within("2026-03-01", "2026-03-28", "", "", VIENNA)
    assert days is not None and days.words == "1 Mar 2026 – 28 Mar 2026"
    assert days.windows == ((datetime(2026, 2, 28, 23, tzinfo=UTC), datetime(2026, 3, 28, 23, tzinfo=UTC)),)
    tuesdays = within("2026-03-01", "2026-03-28", "8", "1", VIENNA)
    assert tuesdays is not None and len(tuesdays.windows) == 4
    assert tuesdays.words == "1 Mar 2026 – 28 Mar 2026, Tuesday 08:00 to 09:00"
    mornings = within("2026-03-01", "2026-03-02", "08:00-12:15", "", VIENNA)
    assert mornings is not None and mornings.words == "1 Mar 2026 – 2 Mar 2026, 08:00 to 12:15"
    assert mornings.windows[1] == (datetime(2026, 3, 2, 7, tzinfo=UTC), datetime(2026, 3, 2, 11, 15, tzinfo=UTC))
    nights = within("2026-03-01", "2026-03-01", "22:00-06:00", "", VIENNA)
    assert nights is not None and [(one.hour, other.hour) for one, other in nights.windows] == [(23, 5), (21, 23)]
    at = within("2026-10-25T02:15+01:00", "2026-10-25T02:30+01:00", "", "", VIENNA)
    assert at is not None and at.windows[0][0] == datetime(2026, 10, 25, 1, 15, tzinfo=UTC)
    for odd in (("", ""), ("2026-03-02", "2026-03-01"), ("2026-03-01T10:00", "2026-03-01T09:00"), ("x", "2026-03-01")):
        assert within(*odd, "", "", VIENNA) is None


@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=3), st.text(max_size=2))
def test_whatever_is_typed_is_understood_or_not(since: str, until: str, hour: str, weekday: str) -> None:
    for one in (within(since, until, hour, weekday, VIENNA), within("2026-03-01", "2026-03-02", hour, weekday, VIENNA)):
        assert one is None or all(begin < end for begin, end in one.windows)


VALUES = st.lists(st.decimals(0, 10**9, places=3), min_size=1, max_size=30)


def read(drawing: Drawing) -> ET.Element:
    """The marks of a drawing; they must be well formed."""
    return ET.fromstring(f"<svg>{drawing.marks}</svg>")


@given(VALUES)
def test_marks_lie_within_their_picture(values: list[Decimal]) -> None:
    marks = [Mark(value, "<&>", '"', "/x?a&b") for value in values]
    drawn = bars(marks, [str(place) for place in range(len(marks))], "kWh", 358)
    for rect in read(drawn).iter("rect"):
        assert int(rect.get("y", "")) >= 0 and int(rect.get("y", "")) + int(rect.get("height", "")) <= drawn.height
        assert int(rect.get("x", "")) >= 0 and int(rect.get("x", "")) + int(rect.get("width", "")) <= drawn.width
    assert len(list(read(drawn).iter("rect"))) == (len(marks) if any(values) else 0)
    stretches = [Stretch(value, value / 2) for value in values]
    assert len(list(read(curve(stretches, [(0, "<")], "kW", 358, (0, "&"))).iter("path"))) == 2


@given(VALUES)
def test_the_darkest_is_the_most_and_nothing_has_no_colour(values: list[Decimal]) -> None:
    drawn = read(heat([[Mark(value, "x", "y") for value in values]], ["row"], [""] * len(values), (40, 30)))
    classes = [group.get("class", "") for group in drawn.iter("g")]
    assert len(classes) == len(values)
    assert sum("top" in one for one in classes) == (1 if any(values) else 0)
    most = max(values)
    assert level(most, most) == (6 if most else 0)
    for value in values:
        assert (level(value, most) == 0) == (value == 0)


@given(st.decimals(Decimal("0.001"), 10**12, places=3))
def test_a_scale_is_round_short_and_high_enough(most: Decimal) -> None:
    ticks = scale(most)
    assert ticks[0] == 0 and ticks[-2] < most <= ticks[-1]
    assert len(ticks) <= 5
