"""Pictures of one figure beside a table of several: by hour of the day, and by day or month."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Generic, TypeVar

from wattkeeper.charging.phrase import Said, phrase
from wattkeeper.charging.statistics.span import Span
from wattkeeper.operations.money.papers.sheet import Cell
from wattkeeper.web.operator.insight.pictures.drawing import NARROW_PX, WIDE_PX, Drawing, Mark, bars
from wattkeeper.web.operator.insight.pictures.pictured import Picture, Scene, Sheet, Shown
from wattkeeper.web.operator.insight.pictures.spans import named, said_span
from wattkeeper.web.operator.insight.pictures.week import clock, said_hours
from wattkeeper.web.operator.within import RAN

One = TypeVar("One")


@dataclass(frozen=True, slots=True)
class Column(Generic[One]):
    """A figure of each hour or day."""

    head: Said | str
    """What it is called in the table, with its unit; empty: it stands in files alone."""
    name: str
    """What it is called in files."""
    shown: Callable[[One], str]
    value: Callable[[One], Cell]
    """Exactly, for files; empty where it is not known."""


@dataclass(frozen=True, slots=True)
class Drawn(Generic[One]):
    """The figure that is drawn."""

    unit: str
    value: Callable[[One], Decimal]
    told: Callable[[One], str]
    """With its unit."""
    flows: bool = False
    """Whether it is energy."""


@dataclass(frozen=True, slots=True)
class Words:
    """What is said of a picture: what its files are called, its answer, what it shows."""

    key: str
    title: Said
    note: Said
    pick: Sequence[tuple[str, str, bool]] = ()
    lacks: Sequence[Shown] = ()


def by_hour(
    scene: Scene,
    told: Sequence[One],
    drawn: Drawn[One],
    columns: Sequence[Column[One]],
    words: Words,
    is_some: Callable[[One], bool],
) -> Picture:
    """The 24 hours of the day, each with the sessions that ran in it on any of the days."""
    names = [said_hours(hour) for hour in range(24)]
    hrefs = [scene.sessions(hour=str(hour), within=RAN) if is_some(one) else "" for hour, one in enumerate(told)]
    wide = [clock(hour) if hour % 2 == 0 else "" for hour in range(24)]
    narrow = [clock(hour) if hour % 6 == 0 else "" for hour in range(24)]
    rows = _rows(names, told, hrefs, columns) if any(map(is_some, told)) else ()
    sheet = Sheet(_heads("hour", columns), [[hour, *_cells(one, columns)] for hour, one in enumerate(told)])
    both = _both(names, told, hrefs, drawn, (wide, narrow))
    return _picture(words, both, phrase("Hour"), columns, rows, sheet, _top(told, hrefs, drawn))


def by_span(
    scene: Scene,
    told: Sequence[tuple[Span, One]],
    drawn: Drawn[One],
    columns: Sequence[Column[One]],
    words: Words,
    is_some: Callable[[One], bool],
) -> Picture:
    """The days or months of a span, each with the sessions that ran in it."""
    spans, ones = [span for span, _ in told], [one for _, one in told]
    is_days = all(span.days == 1 for span in spans)
    names = [said_span(span) for span in spans]
    hrefs = [scene.over(span).sessions(within=RAN) if scene.linked and is_some(one) else "" for span, one in told]
    rows = _rows(names, ones, hrefs, columns) if any(map(is_some, ones)) else ()
    head, name = (phrase("Day"), "day") if is_days else (phrase("Month"), "month")
    cells = [[span.first.isoformat(), *_cells(one, columns)] for span, one in told]
    both = _both(names, ones, hrefs, drawn, (named(spans, 14), named(spans, 5)))
    sheet = Sheet(_heads(name, columns), cells)
    return _picture(words, both, head, columns, rows, sheet, _top(ones, hrefs, drawn))


def _top(told: Sequence[One], hrefs: Sequence[str], drawn: Drawn[One]) -> str:
    """Where the sessions of the highest are, which is what the answer is about."""
    return max(zip(told, hrefs, strict=True), key=lambda one: drawn.value(one[0]), default=(None, ""))[1]


def _picture(
    words: Words,
    both: tuple[Drawing, Drawing],
    head: str,
    columns: Sequence[Column[One]],
    rows: Sequence[Sequence[Shown]],
    sheet: Sheet,
    href: str,
) -> Picture:
    heads = (head, *(column.head for column in columns if column.head))
    given = (words.key, words.title, words.note, *both, heads, rows, lambda: sheet)
    return Picture(*given, pick=words.pick, href=href, lacks=words.lacks)


def _both(
    names: Sequence[str],
    told: Sequence[One],
    hrefs: Sequence[str],
    drawn: Drawn[One],
    below: tuple[Sequence[str], Sequence[str]],
) -> tuple[Drawing, Drawing]:
    """The bars, wide and narrow."""
    marks = [_mark(*one, drawn) for one in zip(names, told, hrefs, strict=True)]
    wide, narrow = below
    flows = {"flows": drawn.flows}
    return bars(marks, wide, drawn.unit, WIDE_PX, **flows), bars(marks, narrow, drawn.unit, NARROW_PX, **flows)


def _mark(name: str, one: One, href: str, drawn: Drawn[One]) -> Mark:
    text = drawn.told(one)
    return Mark(drawn.value(one), text, phrase("{when}: {value}", when=name, value=text), href)


def _rows(
    names: Sequence[str], told: Sequence[One], hrefs: Sequence[str], columns: Sequence[Column[One]]
) -> list[list[Shown]]:
    """The same as a table."""
    return [
        [Shown(name), *(Shown(column.shown(one), href) for column in columns if column.head)]
        for name, one, href in zip(names, told, hrefs, strict=True)
    ]


def _heads(first: str, columns: Sequence[Column[One]]) -> tuple[str, ...]:
    return (first, *(column.name for column in columns))


def _cells(one: One, columns: Sequence[Column[One]]) -> list[Cell]:
    return [column.value(one) for column in columns]
