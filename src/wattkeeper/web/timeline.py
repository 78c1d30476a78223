"""A session's line of time: its own steps and what its station went through meanwhile, in the order it happened."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby

from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.cards.token import Authorisation
from wattkeeper.charging.facts import (
    Alarmed,
    Booted,
    Connected,
    Disconnected,
    Fact,
    Garbled,
    OrderSettled,
    Reported,
    StatusChanged,
    TokenPresented,
)
from wattkeeper.charging.person import Reach, Scope, Viewer
from wattkeeper.charging.station import ConnectorStatus
from wattkeeper.operations.people.names import Names
from wattkeeper.store import journal
from wattkeeper.store.journal import Entry
from wattkeeper.store.sessions.session import SessionRow
from wattkeeper.web.by import named
from wattkeeper.web.lateness import Dated, dated
from wattkeeper.web.words import Step, StepKind, of_readings, tell

BESIDE = timedelta(minutes=15)
"""How long before its first and after its last word what the station told is looked through."""
BACK = timedelta(days=7)
"""How far before its first word a session told late may have begun, to be looked through."""
MOST_OF_SESSION, MOST_AROUND, AT_ONCE = 20_000, 2_000, 1_000
STATION_KINDS = (
    *(Alarmed, Booted, Connected, Disconnected, Garbled, OrderSettled, Reported, StatusChanged, TokenPresented),
)


@dataclass(frozen=True, slots=True)
class Line:
    """The steps, in order; ``is_whole`` is False where there were too many to tell them all."""

    steps: list[Step]
    is_whole: bool


async def line(
    connection: AsyncConnection, viewer: Viewer, session: SessionRow, *, names: Names | None = None, fold: bool = True
) -> Line:
    """The line of time of a session; ``fold`` tells readings that follow each other as one step.

    ``names`` says who did what; without them accounts go by their ids.
    """
    own = await _own(connection, viewer, session.id)
    around: list[Entry] = []
    if own:
        since, until = _window(session, own)
        station, kinds = session.station, STATION_KINDS
        around = await journal.around(connection, viewer, station, kinds, since, until, MOST_AROUND)
        around = [entry for entry in around if _may_tell(viewer, session, entry.fact)]
    if names is not None:
        own, around = await named(names, viewer, own), await named(names, viewer, around)
    is_whole = len(own) < MOST_OF_SESSION and len(around) < MOST_AROUND
    if len(own) <= AT_ONCE:
        return Line(arrange(session, own, around, fold=fold), is_whole)
    return Line(await asyncio.to_thread(arrange, session, own, around, fold=fold), is_whole)


async def _own(connection: AsyncConnection, viewer: Viewer, session: str) -> list[Entry]:
    """The session's entries, read in pages so that a long session holds nobody up."""
    own: list[Entry] = []
    while len(own) < MOST_OF_SESSION:
        after = own[-1].n if own else 0
        page = await journal.of_session(connection, viewer, session, AT_ONCE, after)
        own += page
        if len(page) < AT_ONCE:
            break
    return own


def _window(session: SessionRow, own: Sequence[Entry]) -> tuple[datetime, datetime]:
    """The span of our time in which the station's words may belong to the session."""
    first, last = own[0].received_at, max(entry.received_at for entry in own)
    began = max(min(first, session.started_at), first - BACK)
    return began - BESIDE, last + BESIDE


def arrange(session: SessionRow, own: Sequence[Entry], around: Sequence[Entry], *, fold: bool = True) -> list[Step]:
    """The steps of the session's entries and of those around it that concern it."""
    every = dated(sorted({entry.n: entry for entry in (*own, *around)}.values(), key=lambda entry: entry.n))
    mine = {entry.n for entry in own}
    began = min(d.happened_at for d in every if d.entry.n in mine)
    chosen = [d for d in every if d.entry.n in mine or _concerns(session, own, d, began)]
    steps = [step for d in _trimmed(chosen, mine) for step in _told(d)]
    steps.sort(key=lambda step: (step.happened_at, step.n))
    steps = _without_repeats(steps)
    return _folded(steps) if fold else steps


def _may_tell(viewer: Viewer, session: SessionRow, fact: Fact) -> bool:
    """Whether a viewer is told what their station went through: a driver, nothing of other people's cards and starts.

    An alarm may be about anybody's card; an order that names no transaction may be another driver's start.
    """
    if viewer.reach(Scope.SESSIONS_READ) is not Reach.OWN:
        return True
    if isinstance(fact, OrderSettled):
        return fact.by == viewer.name or (fact.ref is not None and fact.ref == session.ref)
    return not isinstance(fact, Alarmed)


# --- what concerns the session --------------------------------------------------------------------------


OURSELVES = "wattkeeper"
"""Who asks a station what it can do: that concerns no session."""


def _concerns(session: SessionRow, own: Sequence[Entry], dated: Dated, began: datetime) -> bool:
    """Whether an entry of the station belongs into the line of the session, which ``began`` by the station's clock."""
    entry, fact = dated.entry, dated.entry.fact
    if entry.session is not None:
        return False
    if isinstance(fact, TokenPresented):
        is_same = fact.token is not None and fact.token == session.token
        return is_same and entry.n < own[0].n and dated.happened_at >= began - BESIDE
    if isinstance(fact, StatusChanged):
        return _same_place(session, fact)
    if isinstance(fact, OrderSettled):
        if fact.ref is not None:
            return fact.ref == session.ref
        return fact.evse == session.evse or (fact.evse is None and fact.by != OURSELVES)
    if isinstance(fact, Reported):
        return fact.evse in (None, session.evse) and own[0].n < entry.n < own[-1].n
    return own[0].n < entry.n < own[-1].n or (session.live and entry.n > own[0].n)


def _same_place(session: SessionRow, fact: StatusChanged) -> bool:
    """Whether a status is the session's connector's, or a trouble of the whole station."""
    if fact.evse == 0:
        return fact.status in (ConnectorStatus.FAULTED, ConnectorStatus.UNAVAILABLE)
    return fact.evse == session.evse and session.connector in (None, fact.connector)


def _trimmed(chosen: Sequence[Dated], mine: set[int]) -> list[Dated]:
    """Without what was for others: the connector before and after it was free, taps before the last one accepted."""
    places = [place for place, d in enumerate(chosen) if d.entry.n in mine]
    free = [place for place, d in enumerate(chosen) if _is_free(d.entry)]
    low = max((place + 1 for place in free if place < places[0]), default=0)
    high = min((place for place in free if place > places[-1]), default=len(chosen))
    tapped = _own_taps(chosen, places[0])

    def is_for_it(place: int, fact: Fact) -> bool:
        if isinstance(fact, StatusChanged):
            return low <= place <= high
        return not isinstance(fact, TokenPresented) or place >= tapped

    return [d for place, d in enumerate(chosen) if is_for_it(place, d.entry.fact)]


def _own_taps(chosen: Sequence[Dated], began: int) -> int:
    """From which place on taps are this session's: the last before it began, and refused ones just before that."""
    taps = [place for place in range(began) if isinstance(chosen[place].entry.fact, TokenPresented)]
    first = began
    for place in reversed(taps):
        if first != began and chosen[place].entry.decided.verdict == Authorisation.ACCEPTED:
            break
        first = place
    return first


def _is_free(entry: Entry) -> bool:
    return isinstance(entry.fact, StatusChanged) and entry.fact.status is ConnectorStatus.AVAILABLE


# --- steps ------------------------------------------------------------------------------------------------


def _told(dated: Dated) -> Iterable[Step]:
    """The steps of an entry, where they belong in the line."""
    for step in tell(dated.entry):
        happened = step.happened_at if step.readings else dated.happened_at
        yield replace(step, happened_at=happened, late_s=dated.late_s)


FLOWING = frozenset({StepKind.CHARGING, StepKind.PAUSE})


def _without_repeats(steps: Sequence[Step]) -> list[Step]:
    """Without what is said again: what flows comes with every reading, the verdict on a card with every start."""
    kept: list[Step] = []
    said: dict[str, str] = {}
    for step in steps:
        about = "flow" if step.kind in FLOWING else "card" if step.kind is StepKind.AUTHORISATION else ""
        if about and said.get(about) == step.title and not _is_of_tap(kept, step):
            continue
        said[about] = step.title
        kept.append(step)
    return kept


def _is_of_tap(before: Sequence[Step], step: Step) -> bool:
    """Whether a verdict is that on the tap just before it."""
    return bool(before) and before[-1].n == step.n and before[-1].kind is StepKind.TAP


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
