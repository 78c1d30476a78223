"""Hours of the week as people type them: ``mon-fri 08:00-18:00, sat 09:00-12:00``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import time

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.limits import DAYS, WEEK, Day, Span
from wattkeeper.charging.phrase import phrase

_PART = re.compile(r"(?:([a-z]{3})(?:-([a-z]{3}))? +)?([0-9]{1,2}:[0-9]{2}) ?- ?([0-9]{1,2}:[0-9]{2})")
NEVER = "never"
WRONG = phrase("The hours must look like mon-fri 08:00-18:00, sat 09:00-12:00.")


def read_hours(text: str) -> tuple[Span, ...] | None:
    """What was typed; nothing is no limit, ``never`` no hour at all. Refusal INVALID where it cannot be understood."""
    if text.strip().lower() == NEVER:
        return ()
    parts = [part.strip().lower() for part in re.split(r"[,;\n]", text) if part.strip()]
    return tuple(_span(part) for part in parts[:50]) or None


def _span(part: str) -> Span:
    told = _PART.fullmatch(part)
    try:
        if told:
            first, last, since, until = told.groups()
            return Span(_time(since), _time(until), _days(first, last))
    except (KeyError, ValueError):
        pass
    raise Refusal(Code.INVALID, WRONG)


def _time(text: str) -> time:
    """A time of day; 24:00 is midnight."""
    hour, minute = map(int, text.split(":"))
    return time(0 if (hour, minute) == (24, 0) else hour, minute)


def _days(first: str | None, last: str | None) -> frozenset[Day]:
    if first is None:
        return WEEK
    begin, end = DAYS[first], DAYS[last or first]
    return frozenset(Day((begin + at) % 7) for at in range((end - begin) % 7 + 1))


def say_hours(spans: Sequence[Span] | None) -> str:
    """Hours as they are typed; empty where there is no limit."""
    return "" if spans is None else ", ".join(part for span in spans for part in _said(span)) or NEVER


def _said(span: Span) -> Iterator[str]:
    until = "24:00" if span.until == time(0) else f"{span.until:%H:%M}"
    for days in _runs(span.days):
        yield f"{days} {span.since:%H:%M}-{until}".strip()


def _runs(days: frozenset[Day]) -> list[str]:
    """Days as runs: mon-fri."""
    if days == WEEK:
        return [""]
    runs: list[list[Day]] = []
    for day in sorted(days):
        if runs and day == runs[-1][-1] + 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return [run[0].short if len(run) == 1 else f"{run[0].short}-{run[-1].short}" for run in runs]
