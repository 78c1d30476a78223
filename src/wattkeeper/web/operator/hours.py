"""Hours of the week as people type them: ``mon-fri 08:00-18:00, sat 09:00-12:00``; days in any language of ours."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import time
from functools import cache

from wattkeeper.charging.cards.limits import DAYS, WEEK, Day, Span
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.phrase import Phrase, phrase
from wattkeeper.language import LANGUAGES, means, tell, tell_in

_PART = re.compile(r"(?:([a-z]{2,3})(?:-([a-z]{2,3}))? +)?([0-9]{1,2}:[0-9]{2}) ?- ?([0-9]{1,2}:[0-9]{2})")
NEVER = phrase("never")
SHORT: Mapping[Day, Phrase] = {
    Day.MONDAY: phrase("mon"),
    Day.TUESDAY: phrase("tue"),
    Day.WEDNESDAY: phrase("wed"),
    Day.THURSDAY: phrase("thu"),
    Day.FRIDAY: phrase("fri"),
    Day.SATURDAY: phrase("sat"),
    Day.SUNDAY: phrase("sun"),
}
WRONG = phrase("The hours must look like mon-fri 08:00-18:00, sat 09:00-12:00.")


def read_hours(text: str) -> tuple[Span, ...] | None:
    """What was typed; nothing is no limit, ``never`` no hour at all. Refusal INVALID where it cannot be understood."""
    if means(text, NEVER):
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
    known = _days_by_name()
    begin, end = known[first], known[last or first]
    return frozenset(Day((begin + at) % 7) for at in range((end - begin) % 7 + 1))


@cache
def _days_by_name() -> dict[str, Day]:
    """The days by what they are called, in every language."""
    return DAYS | {str(tell_in(language, name)): day for language in LANGUAGES for day, name in SHORT.items()}


def say_hours(spans: Sequence[Span] | None) -> str:
    """Hours as they are typed in the language spoken; empty where there is no limit."""
    if spans is None:
        return ""
    return ", ".join(part for span in spans for part in _said(span)) or str(tell(NEVER))


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
    names = [[str(tell(SHORT[day])) for day in run] for run in runs]
    return [run[0] if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in names]
