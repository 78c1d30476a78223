"""Days and months below and beside pictures: a day each, or a month each where there are many days."""

from __future__ import annotations

from collections.abc import Sequence

from wattkeeper.charging.phrase import phrase
from wattkeeper.charging.statistics.span import Span
from wattkeeper.web.operator.money.months import MONTH
from wattkeeper.web.operator.said import DAY, dated

MOST_DAYS = 100
"""From how many days on a picture is of months."""
WEEKDAY_AND_DAY, MONTH_SHORT = phrase("EEEE d MMM"), phrase("LLL y")
"""How days and months are written (Unicode TR 35)."""


def is_by_month(span: Span) -> bool:
    """Whether a picture of it is of months."""
    return span.days > MOST_DAYS


def said_span(span: Span) -> str:
    """A day, or the month in which it lies."""
    return dated(span.first, WEEKDAY_AND_DAY if span.days == 1 else MONTH)


def named(spans: Sequence[Span], most: int) -> list[str]:
    """What stands below the bars: as many as there is room for."""
    each = max(1, -(-len(spans) // most))
    pattern = DAY if all(span.days == 1 for span in spans) else MONTH_SHORT
    return [dated(span.first, pattern) if place % each == 0 else "" for place, span in enumerate(spans)]
