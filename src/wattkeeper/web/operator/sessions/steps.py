"""How a step of a line of time looks: its mark, its lateness, the station's own words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import orjson

from wattkeeper.charging.phrase import phrase
from wattkeeper.web.operator.said import duration_s
from wattkeeper.web.words import Step, StepKind

K = StepKind
MARKED = {
    K.CHARGING: "flows",
    K.CONNECTION_LOST: "looks",
    K.POWER_INTERRUPTION: "looks",
    K.ESTIMATE: "looks",
    K.FAULT: "harms",
    K.ALARM: "harms",
    K.READINGS: "minor",
    K.REPORT: "minor",
    K.CONNECTION_BACK: "minor",
}


def marked(step: Step) -> str:
    """The step's mark: an accepted card is nothing to look at, a refused one is."""
    if step.kind is K.AUTHORISATION and "refused" in step.title:
        return "looks"
    if step.kind is K.POWER_INTERRUPTION and "back" in step.title:
        return "minor"
    return MARKED.get(step.kind, "")


def late(step: Step) -> str:
    """By how much it came late; empty where it did not."""
    return phrase("told {duration} late", duration=duration_s(step.late_s)) if step.late else ""


def words(step: Step) -> str:
    """The station's own words, laid out; empty where there are none."""
    if not step.station_words:
        return ""
    return orjson.dumps(step.station_words, option=orjson.OPT_INDENT_2).decode()


def without_repeats(steps: Sequence[Step]) -> Iterator[Step]:
    """The steps without those that repeat the last word on the card: it is judged at every step it comes with."""
    word = ""
    for step in steps:
        if step.kind is not K.AUTHORISATION or step.title != word:
            yield step
        word = step.title if step.kind is K.AUTHORISATION else word


class Keys:
    """Element ids for steps: stable while a page is open, unique where an entry tells several steps of a kind."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._seen: Counter[str] = Counter()

    def of(self, step: Step) -> str:
        """The id of a step's element."""
        key = f"{self._prefix}-{step.n}-{step.kind.value}"
        self._seen[key] += 1
        return key if self._seen[key] == 1 else f"{key}-{self._seen[key]}"
