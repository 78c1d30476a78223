"""A session's line of time: its own steps and what its station went through meanwhile, in the order it happened."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import accumulate, groupby

from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.facts import (
    Alarmed,
    Booted,
    Connected,
    Disconnected,
    Garbled,
    OrderSettled,
    Reported,
    SessionEstimated,
    SessionFact,
    StatusChanged,
    TokenPresented,
)
from wattkeeper.charging.person import Viewer
from wattkeeper.charging.station import ConnectorStatus
from wattkeeper.store import journal
from wattkeeper.store.journal import Entry
from wattkeeper.store.session import SessionRow
from wattkeeper.web.words import Step, StepKind, of_readings, tell

BESIDE = timedelta(minutes=15)
"""How long before its first and after its last word what the station told is looked through."""
BACK = timedelta(days=7)
"""How far before its first word a session told late may have begun, to be looked through."""
LATE = timedelta(minutes=1)
ZERO = timedelta(0)
MOST_OF_SESSION, MOST_AROUND = 20_000, 2_000
STATION_KINDS = (
    *(Alarmed, Booted, Connected, Disconnected, Garbled, OrderSettled, Reported, StatusChanged, TokenPresented),
)


@dataclass(frozen=True, slots=True)
class Line:
    """The steps, in order; ``is_whole`` is False where there were too many to tell them all."""

    steps: list[Step]
    is_whole: bool


async def line(connection: AsyncConnection, viewer: Viewer, session: SessionRow, *, fold: bool = True) -> Line:
    """The line of time of a session; ``fold`` tells readings that follow each other as one step."""
    own = await journal.of_session(connection, viewer, session.id, MOST_OF_SESSION)
    around: list[Entry] = []
    if own:
        since, until = _window(session, own)
        station, kinds = session.station, STATION_KINDS
        around = await journal.around(connection, viewer, station, kinds, since, until, MOST_AROUND)
    is_whole = len(own) < MOST_OF_SESSION and len(around) < MOST_AROUND
    return Line(arrange(session, own, around, fold=fold), is_whole)


def _window(session: SessionRow, own: Sequence[Entry]) -> tuple[datetime, datetime]:
    """The span of our time in which the station's words may belong to the session."""
    first, last = own[0].received_at, max(entry.received_at for entry in own)
    began = max(min(first, session.started_at), first - BACK)
    return began - BESIDE, last + BESIDE


def arrange(session: SessionRow, own: Sequence[Entry], around: Sequence[Entry], *, fold: bool = True) -> list[Step]:
    """The steps of the session's entries and of those around it that concern it."""
    dated = _dated(sorted({entry.n: entry for entry in (*own, *around)}.values(), key=lambda entry: entry.n))
    mine = {entry.n for entry in own}
    chosen = [d for d in dated if d.entry.n in mine or _concerns(session, own, d.entry)]
    steps = [step for d in _trimmed(chosen, mine) for step in _told(d)]
    steps.sort(key=lambda step: (step.happened_at, step.n))
    steps = _without_repeats(steps)
    return _folded(steps) if fold else steps


# --- when it happened, and whether it came late ---------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Dated:
    """An entry with when it happened by the station's clock, and by how much it came late, seconds."""

    entry: Entry
    happened_at: datetime
    late_s: int


def _dated(entries: Sequence[Entry]) -> list[_Dated]:
    """Put entries, in the order they came, onto the station's clock.

    A clock that runs behind is behind in all it tells, and that is not lateness. So a word is late against the
    least delay of what came before and of what came after; and it is late where something that happened after it
    had been heard before it. What a connector does is told as it is now, and shows how the clock stands.
    """
    usual = newest = None
    dated = []
    for entry, least in zip(entries, _least_after(entries), strict=True):
        told_at = _told_at(entry)
        if told_at is None:
            dated.append(_Dated(entry, entry.received_at - (usual or ZERO), 0))
            continue
        delay = entry.received_at - told_at
        late = max(delay - max(usual or least, least, ZERO), newest - told_at if newest else ZERO)
        is_late = late > LATE and not isinstance(entry.fact, StatusChanged)
        if not is_late:
            usual = delay if usual is None else min(usual, delay)
        newest = max(newest or told_at, told_at)
        dated.append(_Dated(entry, told_at, int(late.total_seconds()) if is_late or _offline(entry, late) else 0))
    return _in_turn(dated)


def _told_at(entry: Entry) -> datetime | None:
    """The station's time of what it told; None where it told none, or where it is our own deed."""
    return None if isinstance(entry.fact, SessionEstimated) else entry.at


def _in_turn(dated: Sequence[_Dated]) -> list[_Dated]:
    """What has no time of the station's stands before whatever was told, in time, after it."""
    ceiling = datetime.max.replace(tzinfo=UTC)
    placed = []
    for one in reversed(dated):
        if _told_at(one.entry) is None:
            one = replace(one, happened_at=min(one.happened_at, ceiling))
        elif not one.late_s:
            ceiling = min(ceiling, one.happened_at)
        placed.append(one)
    return placed[::-1]


def _least_after(entries: Sequence[Entry]) -> list[timedelta]:
    """For each entry the least delay of itself and all that came after it."""
    told = [(entry.received_at, _told_at(entry)) for entry in entries]
    delays = [timedelta.max if told_at is None else came - told_at for came, told_at in told]
    return [*accumulate(reversed(delays), min)][::-1]


def _offline(entry: Entry, late: timedelta) -> bool:
    """Whether the station itself says that it was offline, and it came at least a second late."""
    return isinstance(entry.fact, SessionFact) and entry.fact.offline and late >= timedelta(seconds=1)


# --- what concerns the session --------------------------------------------------------------------------


def _concerns(session: SessionRow, own: Sequence[Entry], entry: Entry) -> bool:
    """Whether an entry of the station belongs into the session's line."""
    fact = entry.fact
    if entry.session is not None:
        return False
    if isinstance(fact, TokenPresented):
        return fact.token is not None and fact.token == session.token and entry.n < own[0].n
    if isinstance(fact, StatusChanged):
        return _same_place(session, fact)
    if isinstance(fact, OrderSettled):
        return fact.ref == session.ref if fact.ref is not None else fact.evse in (None, session.evse)
    if isinstance(fact, Reported):
        return fact.evse in (None, session.evse) and own[0].n < entry.n < own[-1].n
    return own[0].n < entry.n < own[-1].n or (session.live and entry.n > own[0].n)


def _same_place(session: SessionRow, fact: StatusChanged) -> bool:
    """Whether a status is the session's connector's, or a trouble of the whole station."""
    if fact.evse == 0:
        return fact.status in (ConnectorStatus.FAULTED, ConnectorStatus.UNAVAILABLE)
    return fact.evse == session.evse and session.connector in (None, fact.connector)


def _trimmed(chosen: Sequence[_Dated], mine: set[int]) -> list[_Dated]:
    """Without what the connector did for others: before it was free the last time, after it was free again."""
    places = [place for place, d in enumerate(chosen) if d.entry.n in mine]
    free = [place for place, d in enumerate(chosen) if _is_free(d.entry)]
    low = max((place + 1 for place in free if place < places[0]), default=0)
    high = min((place for place in free if place > places[-1]), default=len(chosen))
    return [d for place, d in enumerate(chosen) if low <= place <= high or not isinstance(d.entry.fact, StatusChanged)]


def _is_free(entry: Entry) -> bool:
    return isinstance(entry.fact, StatusChanged) and entry.fact.status is ConnectorStatus.AVAILABLE


# --- steps ------------------------------------------------------------------------------------------------


def _told(dated: _Dated) -> Iterable[Step]:
    """The steps of an entry, where they belong in the line."""
    for step in tell(dated.entry):
        happened = step.happened_at if step.readings else dated.happened_at
        yield replace(step, happened_at=happened, late_s=dated.late_s)


FLOWING = frozenset({StepKind.CHARGING, StepKind.PAUSE})


def _without_repeats(steps: Sequence[Step]) -> list[Step]:
    """Without steps that say again what flows: stations repeat it with every reading."""
    kept: list[Step] = []
    flowing = ""
    for step in steps:
        if step.kind in FLOWING and step.title == flowing:
            continue
        if step.kind in FLOWING:
            flowing = step.title
        kept.append(step)
    return kept


def _folded(steps: Sequence[Step]) -> list[Step]:
    """Readings that follow each other, late ones apart from the others, told as one step."""
    folded: list[Step] = []
    for (are_readings, _), run in groupby(steps, key=lambda step: (step.kind is StepKind.READINGS, step.late)):
        same = [*run]
        folded += [_joined(same)] if are_readings and len(same) > 1 else same
    return folded


def _joined(steps: Sequence[Step]) -> Step:
    """Steps of readings as one."""
    readings = tuple(reading for step in steps for reading in step.readings)
    title, detail = of_readings(readings)
    return replace(
        steps[0],
        title=title,
        detail=detail,
        until=readings[-1].at,
        readings=readings,
        late_s=max(step.late_s for step in steps),
        station_words={},
    )
