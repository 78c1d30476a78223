"""Letters about alerts: one tells its reader all that is due, a few things each in words, many counted by rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import NamedTuple

from wattkeeper.charging.person import Viewer
from wattkeeper.charging.phrase import Said, joined, phrase, plural
from wattkeeper.language import tell_in
from wattkeeper.operations.alerts.told import ENDS, told_of
from wattkeeper.store.alerts import alert, letter
from wattkeeper.store.alerts.alert import AlertRow
from wattkeeper.store.alerts.letter import Due
from wattkeeper.store.alerts.sending import Word
from wattkeeper.store.stations import station
from wattkeeper.store.unit import Unit

FEW = 20
"""How many things a letter tells each in words; of more it tells the first so many, and of as many rules how much."""
SUBJECTS = {
    Word.RAISED: phrase("Alert: {what}"),
    Word.CLEARED: phrase("Over: {what}"),
    Word.TEST: phrase("A try of the alert {name}"),
}
HOW_MANY = {
    Word.RAISED: plural("1 new alert", "{count} new alerts"),
    Word.CLEARED: plural("1 alert is over", "{count} alerts are over"),
}
TRY = phrase("Somebody tried whether this alert reaches you. Nothing is wrong.")
SINCE = phrase("Since {when}.")
OVER = phrase("It began {begin} and was over {end}.")
SEE = phrase("See and acknowledge it: {where}")
SEE_ALL = phrase("See and acknowledge them: {where}")
BY_RULE = phrase("By rule:")
FIRST = plural("The first of them:", "The first {count}:")
MORE_RULES = plural("And 1 line more.", "And {count} lines more.")


class Letter(NamedTuple):
    """A letter in its reader's language."""

    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Heard:
    """What one letter tells."""

    due: Sequence[Due]
    rows: Sequence[tuple[Word, AlertRow]]
    """The first few of it, in the order in which they are told."""
    names: Mapping[str, str] = field(default_factory=dict)
    """What people call their stations."""

    @property
    def count(self) -> int:
        """How much it is."""
        return sum(one.count for one in self.due)


async def heard(unit: Unit, viewer: Viewer, account: str) -> Heard:
    """All that is due to somebody, who may know all of it."""
    due = await letter.by_rule(unit.connection, account, unit.now)
    first = await letter.first(unit.connection, account, unit.now, FEW)
    found = await alert.these(unit.connection, {identifier for _, identifier in first})
    named = [(name, await _label(unit, viewer, name)) for name in {one.station for one in found.values()}]
    return Heard(
        due, [(word, found[identifier]) for word, identifier in first], {name: label for name, label in named if label}
    )


async def _label(unit: Unit, viewer: Viewer, name: str) -> str:
    """What people call a station; empty where it has no name of its own, or is there no more."""
    row = await station.seen(unit.connection, viewer, name) if name and viewer.scopes | viewer.at_sites else None
    return row.label if row is not None else ""


def letter_of(told: Heard, language: str, zone: tzinfo, where: str) -> Letter:
    """All that is told, ``where`` it can be seen."""
    if told.count == 1:
        word, row = told.rows[0]
        subject: Said = _title(told, word, row)
        parts: list[Said] = [joined((told_of(row, told.names).why, _when(word, row, zone)))]
    else:
        subject = joined(_how_many(told.due), ", ")
        parts = [joined((subject, "."), ""), *(_each(told, zone) if told.count <= FEW else _many(told, zone))]
    see = (SEE if told.count == 1 else SEE_ALL).filled(where=where)
    return written(language, subject, (*parts, see))


def try_of(name: str, language: str, where: str) -> Letter:
    """A try of a rule."""
    return written(language, SUBJECTS[Word.TEST].filled(name=name), (TRY, SEE.filled(where=where)))


def written(language: str, subject: Said, parts: Sequence[Said]) -> Letter:
    """A letter of its paragraphs; its subject is one line, though names may have line breaks of Unicode."""
    line = " ".join(f"Wattkeeper: {tell_in(language, subject)}".split())
    return Letter(line, "\n\n".join(str(tell_in(language, part)) for part in parts) + "\n")


def _how_many(due: Sequence[Due]) -> Iterator[Said]:
    """How much began, and how much is over."""
    for word, said in HOW_MANY.items():
        if count := sum(one.count for one in due if one.word is word):
            yield said.filled(count=count)


def _title(told: Heard, word: Word, row: AlertRow) -> Said:
    return SUBJECTS[word].filled(what=told_of(row, told.names).title)


def _each(told: Heard, zone: tzinfo) -> Iterator[Said]:
    """Everything in words."""
    for word, row in told.rows:
        why = told_of(row, told.names).why
        yield joined((_title(told, word, row), joined((why, _when(word, row, zone)))), "\n")


def _many(told: Heard, zone: tzinfo) -> Iterator[Said]:
    """How much of each rule, and the first of it."""
    lines = [joined((one.rule, HOW_MANY[one.word].filled(count=one.count)), ": ") for one in told.due]
    more = MORE_RULES.filled(count=len(lines) - FEW) if len(lines) > FEW else ""
    yield joined((BY_RULE, *lines[:FEW], more), "\n")
    first = (joined((_title(told, word, row), _when(word, row, zone)), ". ") for word, row in told.rows)
    yield joined((FIRST.filled(count=len(told.rows)), *first), "\n")


def _when(word: Word, row: AlertRow, zone: tzinfo) -> Said:
    """Since when, or from when to when, on the installation's clock."""
    begin = _clock(row.raised_at, zone)
    if word is Word.RAISED or row.cleared_at is None:
        return SINCE.filled(when=begin)
    return joined((OVER.filled(begin=begin, end=_clock(row.cleared_at, zone)), ENDS.get(row.ended, "")))


def _clock(at: datetime, zone: tzinfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"
