"""A release held against the sessions it was made from: for staff alone, since no noise covers what this tells."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Any

import orjson

from wattkeeper.charging.insight.contribution import Cell, Record, of_driver, unbounded
from wattkeeper.charging.insight.question import Kind, Period, Question
from wattkeeper.store.insight.release import Entry


@dataclass(frozen=True, slots=True)
class Check:
    """What holding a release against its sessions came to."""

    is_whole: bool
    """Whether its bytes have the digest of the ledger."""
    is_logged: bool
    """Whether the log has a deed with that digest."""
    cells: int
    shown: int
    fewest: int
    """Behind the shown cell that has the fewest drivers; 0 where none is shown."""
    error: float | None
    """Of the shown cells with 50 sessions or more (mean absolute percentage), noise and bounds together."""


ENOUGH = 50
"""The error is told for cells of so many sessions, as the bar asks."""


def question_of(content: str) -> Question:
    """The question that a release answers, as its file tells it."""
    told: dict[str, Any] = orjson.loads(content)
    asked, privacy = told["question"], told["privacy"]
    span = Period(date.fromisoformat(asked["first_day"]), date.fromisoformat(asked["before_day"]))
    return Question(Kind(asked["kind"]), span, tuple(asked["sites"]), Decimal(privacy["epsilon"]))


def check(entry: Entry, asked: Question, records: Iterable[Record], is_logged: bool) -> Check:
    """Hold a release against the sessions, which come driver by driver."""
    told = orjson.loads(entry.content)
    shown = {(one["site"], one["cell"]): int(one["value"]) for one in told["cells"] if one["value"] is not None}
    drivers, sessions, truth = _truth(asked, records)
    off = [abs(value - truth[cell]) / truth[cell] for cell, value in shown.items() if sessions.get(cell, 0) >= ENOUGH]
    return Check(
        hashlib.sha256(entry.content.encode()).hexdigest() == entry.digest,
        is_logged,
        len(told["cells"]),
        len(shown),
        min((drivers.get(cell, 0) for cell in shown), default=0),
        sum(off) / len(off) if off else None,
    )


def _truth(asked: Question, records: Iterable[Record]) -> tuple[dict[Cell, int], dict[Cell, int], dict[Cell, int]]:
    """By cell: how many drivers stand behind it, how many sessions fall into it, and what they come to unbounded."""
    drivers: dict[Cell, int] = {}
    sessions: dict[Cell, int] = {}
    truth: dict[Cell, int] = {}
    for _, group in groupby(records, lambda one: one.driver):
        own = list(group)
        for cell in of_driver(asked, own)[0]:
            drivers[cell] = drivers.get(cell, 0) + 1
        for one in own:
            for cell, amount in unbounded(asked, one):
                sessions[cell] = sessions.get(cell, 0) + 1
                truth[cell] = truth.get(cell, 0) + amount
    return drivers, sessions, truth
