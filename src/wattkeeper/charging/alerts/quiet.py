"""Quiet hours: spans of the week, by the clock on the wall, in which nobody is told unless there is harm.

Where clocks are set forward or back in such a night, what they show decides: what is shown twice is quiet twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

from wattkeeper.charging.cards.limits import Span

MOST_SPANS = 14
_MINUTE = timedelta(minutes=1)
_WEEK = 7 * 24 * 60
_MONDAY = datetime(2024, 1, 1)
"""A clock on the wall, of no zone."""


def is_quiet(spans: Sequence[Span], at: datetime, zone: tzinfo) -> bool:
    """Whether an instant lies in quiet hours of a zone."""
    local = at.astimezone(zone)
    return any(span.holds(local) for span in spans)


def quiet_until(spans: Sequence[Span], at: datetime, zone: tzinfo) -> datetime | None:
    """When the quiet hours end that an instant lies in, spans that follow each other counted as one; None: in none."""
    if not is_quiet(spans, at, zone):
        return None
    return _end(tuple(spans), at.astimezone(UTC).replace(second=0, microsecond=0), zone)


@lru_cache(maxsize=256)
def _end(spans: tuple[Span, ...], end: datetime, zone: tzinfo) -> datetime:
    """The first minute after one that is not quiet: the same for all that is raised in it."""
    for _ in range(2 * _WEEK):
        end += _MINUTE
        if not is_quiet(spans, end, zone):
            break
    return end


def leaves_room(spans: Sequence[Span]) -> bool:
    """Whether some minute of the week is not quiet."""
    week = (_MONDAY + minute * _MINUTE for minute in range(_WEEK))
    return not spans or any(not any(span.holds(local) for span in spans) for local in week)
