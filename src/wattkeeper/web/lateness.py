"""When things happened by the station's clock, and what was told late."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import accumulate

from wattkeeper.charging.facts import SessionEstimated, SessionFact, SignaturesChecked, StatusChanged, is_history
from wattkeeper.store.journal import Entry

LATE = timedelta(minutes=1)
BURST = timedelta(seconds=1)
"""What comes within this time was told at once."""
ZERO = timedelta(0)
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Dated:
    """An entry with when it happened by the station's clock, and by how much it came late, seconds."""

    entry: Entry
    happened_at: datetime
    late_s: int
    is_told: bool
    """Whether the station itself told when it happened."""


def dated(entries: Sequence[Entry]) -> list[Dated]:
    """Put entries, in the order they came, onto the station's clock.

    A clock that runs behind is behind in all it tells, and that is not lateness. So a word is late against the
    least delay of what came before and of what came after; and it is late where something that happened after it
    had been heard before it. What a connector does is told as it is now, and shows how the clock stands. What was
    imported is late by no measure.
    """
    told = [_told(entry) for entry in entries]
    newest = [*accumulate((one or FIRST for one in told), max)]
    usual: timedelta | None = None
    found = []
    for place, (entry, at, least) in enumerate(zip(entries, told, _least_after(entries), strict=True)):
        if at is None:
            found.append(Dated(entry, entry.received_at, 0, is_told=False))
            continue
        delay = entry.received_at - at
        late = max(delay - max(usual or least, least, ZERO), newest[place] - at)
        if isinstance(entry.fact, SessionFact) and entry.fact.offline:
            late = max(late, _by_burst(entries, newest, place) - at, BURST)
        never = isinstance(entry.fact, StatusChanged) or is_history(entry.fact)
        is_late = not never and (late > LATE or _is_offline(entry))
        if not is_late and not is_history(entry.fact):
            usual = delay if usual is None else min(usual, delay)
        found.append(Dated(entry, at, int(late.total_seconds()) if is_late else 0, is_told=True))
    return _in_turn(found)


def _told(entry: Entry) -> datetime | None:
    """The station's time of what it told; None where it told none, or where it is our own deed."""
    return None if isinstance(entry.fact, SessionEstimated | SignaturesChecked) else entry.at


def _is_offline(entry: Entry) -> bool:
    """Whether the station says that it was offline when this happened."""
    return isinstance(entry.fact, SessionFact) and entry.fact.offline


def _least_after(entries: Sequence[Entry]) -> list[timedelta]:
    """For each entry the least delay of itself and all that came after it."""
    told = [(entry.received_at, _told(entry)) for entry in entries]
    delays = [timedelta.max if at is None else came - at for came, at in told]
    return [*accumulate(reversed(delays), min)][::-1]


def _by_burst(entries: Sequence[Entry], newest: Sequence[datetime], place: int) -> datetime:
    """How late it was on the station's clock when it told this: the newest instant of all that it told at once."""
    end = bisect_right(entries, entries[place].received_at + BURST, key=lambda entry: entry.received_at)
    return newest[max(place, end - 1)]


def _in_turn(found: Sequence[Dated]) -> list[Dated]:
    """Place what has no time of the station's by its neighbours: after what it told, in time, before it and so on."""
    fresh = [one for one in found if one.is_told and not one.late_s]
    floors = accumulate((one.happened_at if one.is_told and not one.late_s else FIRST for one in found), max)
    ceiling = LAST
    placed = []
    for one, floor in reversed([*zip(found, floors, strict=True)]):
        if not one.is_told:
            near = max(one.happened_at - _delay_near(fresh, one), floor)
            one = replace(one, happened_at=min(near, ceiling))
        elif not one.late_s:
            ceiling = min(ceiling, one.happened_at)
        placed.append(one)
    return placed[::-1]


def _delay_near(fresh: Sequence[Dated], one: Dated) -> timedelta:
    """The delay of what the station told, in time, nearest to this."""
    came = one.entry.received_at
    place = bisect_right(fresh, came, key=lambda other: other.entry.received_at)
    near = fresh[max(0, place - 1) : place + 1]
    if not near:
        return ZERO
    nearest = min(near, key=lambda other: abs(other.entry.received_at - came))
    return nearest.entry.received_at - nearest.happened_at
