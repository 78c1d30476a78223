"""Real sessions of some months as if they had been of late: moved by whole weeks, so that week-ends stay week-ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from wattkeeper.simulator.curve import draw
from wattkeeper.simulator.replay import Sojourn

WEEK = timedelta(days=7)


def of_late(sojourns: Sequence[Sojourn], until: date) -> Iterator[Sojourn]:
    """The sessions, moved so that they reach up to a day; those that would end on it or after are left out."""
    newest = max(one.ended for one in sojourns).date()
    by = -((newest - until + timedelta(days=1)) // WEEK) * WEEK
    for one in sojourns:
        if (one.ended + by).date() < until:
            yield replace(one, created=one.created + by, ended=one.ended + by)


def charged_at(one: Sojourn) -> datetime:
    """When energy ceases to flow, as cars of this simulator draw it; the data do not say."""
    drawn_s = draw(one.energy_wh, (one.ended - one.created).total_seconds()).length_s
    return min(one.created + timedelta(seconds=int(drawn_s) + 1), one.ended)
