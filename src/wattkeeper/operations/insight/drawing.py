"""From sessions to a candidate: counted within the bounds, noise drawn once, measured before anybody sees it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from wattkeeper.charging.insight import bar, contribution
from wattkeeper.charging.insight import release as shown
from wattkeeper.charging.insight.bar import Figure
from wattkeeper.charging.insight.contribution import Counted, Record
from wattkeeper.charging.insight.design import Design, design
from wattkeeper.charging.insight.question import Question
from wattkeeper.charging.insight.release import Release
from wattkeeper.operations.insight import measuring
from wattkeeper.operations.insight.advantage import Shift
from wattkeeper.operations.insight.noise import drawn


@dataclass(frozen=True, slots=True)
class Candidate:
    """What might leave, as it was drawn: once, for drawing again until it pleases would cost the same again."""

    asked: Question
    made: Design
    release: Release | None
    """None where the first look showed that no cell could be shown: nothing more was drawn."""
    figures: list[Figure]

    @property
    def may_leave(self) -> bool:
        """Whether it meets the bar and shows anything."""
        return self.release is not None and bool(self.release.shown) and bar.is_met(self.figures)


def candidate(asked: Question, records: Iterable[Record], before: Sequence[Shift] = ()) -> Candidate:
    """Draw a candidate; the records come driver by driver. ``before``: what has left about the year already."""
    return drawn_from(asked, contribution.count(asked, records), before)


def drawn_from(asked: Question, counted: Counted, before: Sequence[Shift] = ()) -> Candidate:
    """Draw a candidate from what was counted."""
    made = design(asked)
    look = drawn(shown.looked_at(counted, asked), made.look)
    if not shown.is_worth_it(look, made):
        return Candidate(asked, made, None, [])
    cells = list(counted.cells)
    noisy = dict(zip(cells, drawn([counted.cells[cell] for cell in cells], made.cells), strict=True))
    release = shown.release(asked, made, look, noisy)
    return Candidate(asked, made, release, measuring.figures(asked, made, release, before))
