"""What a station told beside its meter that decides what idle time is billed: pauses of its own, and the end of a stay.

While the station says that it gives no power (SuspendedEVSE), a car that draws none is not idle. After the transaction
a car blocks its connector until the station says that it is available; where nobody can know any more whether it still
does (another status, another session, the station gone), it counts as gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from wattkeeper.charging.facts import ChargingState, Fact, SessionFact, SessionOpened, StatusChanged
from wattkeeper.charging.session import Session
from wattkeeper.charging.station import ConnectorStatus

C = ConnectorStatus
OCCUPIED = frozenset({C.OCCUPIED, C.PREPARING, C.CHARGING, C.SUSPENDED_EV, C.SUSPENDED_EVSE, C.FINISHING})
"""What a connector is while a car may be there."""


@dataclass(frozen=True, slots=True)
class Pause:
    """A span in which the station gave no power by its own word; ``until`` None: it has not said that it is over."""

    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Stay:
    """How a car stayed at its connector after its session."""

    until: datetime | None
    """Until when it blocked it; None: it did not, or nobody has told yet."""
    goes_on: bool = False
    """Whether it is still there, as far as anyone knows."""


GONE = Stay(None)
"""It left with its session, or nobody knows that it stayed."""


def pauses(told: Iterable[Fact]) -> tuple[Pause, ...]:
    """The pauses that facts about a session tell, in order."""
    return tuple(_pauses(sorted(_words(told))))


def _words(told: Iterable[Fact]) -> Iterator[tuple[datetime, int, bool]]:
    """When something was said about the flow, in which place, and whether it was that the station gives none."""
    for fact in told:
        if fact.at is not None and isinstance(fact, SessionFact) and fact.charging is not None:
            yield fact.at, fact.seq or 0, fact.charging is ChargingState.SUSPENDED_EVSE
        if fact.at is not None and isinstance(fact, StatusChanged) and fact.status in OCCUPIED:
            yield fact.at, 0, fact.status is C.SUSPENDED_EVSE


def _pauses(words: list[tuple[datetime, int, bool]]) -> Iterator[Pause]:
    """From each word that it gives none to the next that says otherwise."""
    since: datetime | None = None
    for at, _, gives_none in words:
        if gives_none:
            since = since or at
        elif since is not None:
            yield Pause(since, at)
            since = None
    if since is not None:
        yield Pause(since, None)


def stay_after(session: Session, told: Iterable[Fact]) -> Stay:
    """How a car stayed after its session, by what was told of its connector and its station, in any order."""
    ended_at = session.ended_at
    if ended_at is None:
        return GONE
    is_there = False
    for at, fact in sorted(((fact.at, fact) for fact in told if fact.at is not None), key=lambda one: one[0]):
        if isinstance(fact, StatusChanged):
            if not _is_its_connector(session, fact) or fact.status is C.UNKNOWN:
                continue
            is_occupied = fact.status in OCCUPIED
            if at <= ended_at or (is_occupied and is_there):
                is_there = is_occupied
                continue
        elif at <= ended_at or (isinstance(fact, SessionOpened) and fact.evse != session.evse):
            continue
        return Stay(at) if is_there else GONE
    return Stay(None, is_there)


def _is_its_connector(session: Session, fact: StatusChanged) -> bool:
    """Whether a status is of the connector at which a session ran."""
    return fact.evse == session.evse and session.connector in (None, fact.connector)
