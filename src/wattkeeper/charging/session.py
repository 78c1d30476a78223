"""A charging session: the fold of what was recorded about it, the same in whichever order that came.

`follow` takes one fact at a time. Everything that decides is kept with the key by which it wins (a sequence number,
an instant, being the station's word against our estimate), so that order, repetition and loss-and-resend of the
facts lead to the same session. Readings are folded by `meter` in the order of their instants.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec
from msgspec.structs import replace

from wattkeeper.charging.cards.token import Authorisation, TokenRef
from wattkeeper.charging.deviation import Deviation
from wattkeeper.charging.facts import (
    ChargingState,
    EstimateCause,
    Fact,
    SessionEnded,
    SessionEstimated,
    SessionFact,
    SessionOpened,
    SignaturesChecked,
    StatusChanged,
)
from wattkeeper.charging.meter import Track, extend, fold
from wattkeeper.charging.metering.ruling import Ruling
from wattkeeper.charging.reading import Context, Reading
from wattkeeper.charging.sequence import with_seq
from wattkeeper.charging.station import ConnectorStatus


class SessionState(StrEnum):
    """Where a session is in its life."""

    OPEN = "open"
    """Begun; no energy flows yet."""
    CHARGING = "charging"
    SUSPENDED = "suspended"
    """Paused by the vehicle or the station."""
    ESTIMATED = "estimated"
    """Ended by our estimate; the station's own end replaces it. So is history whose end is still to be imported."""
    ENDED = "ended"
    """Ended by the station's word."""


S = SessionState
LIVE = frozenset({S.OPEN, S.CHARGING, S.SUSPENDED})
MOVES: dict[SessionState, frozenset[SessionState]] = {
    S.OPEN: frozenset(S),
    S.CHARGING: frozenset(S),
    S.SUSPENDED: frozenset(S),
    S.ESTIMATED: frozenset(S),
    S.ENDED: frozenset({S.ENDED}),
}
"""The only transitions: an estimate can be lived down, the station's own end cannot."""


class Opening(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a session began."""

    at: datetime
    trigger: str | None = None
    reservation: int | None = None
    remote_start: int | None = None


class Ending(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a session ended, in the station's words."""

    at: datetime
    register_wh: Decimal | None = None
    reason: str = "Local"
    token: TokenRef | None = None
    last_at: datetime | None = None
    """The latest instant of a reading told with it, where that is later: some meters are read a moment after."""

    @property
    def until(self) -> datetime:
        """Up to when readings count."""
        return self.last_at or self.at


class Estimate(msgspec.Struct, frozen=True):
    """How we ended a session ourselves."""

    at: datetime
    cause: EstimateCause
    reason: str
    by: str


class Phase(msgspec.Struct, frozen=True):
    """What flows, by the newest word on it: by sequence number first, then by instant."""

    seq: int
    at: datetime
    state: ChargingState


class Contradiction(msgspec.Struct, frozen=True, order=True):
    """One instant, two registers, Wh."""

    at: datetime
    lower_wh: Decimal
    higher_wh: Decimal


class Session(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One charging session."""

    id: str
    station: str
    key: str
    ref: str | None = None
    """The transaction id in the station's words: its own (2.x), ours in decimal (1.6)."""
    evse: int | None = None
    connector: int | None = None
    token: TokenRef | None = None
    token_rank: tuple[int, datetime] | None = None
    verdict: Authorisation | None = None
    state: SessionState = SessionState.OPEN
    first_at: datetime
    """The earliest instant anything about it is told for."""
    last_at: datetime
    """The latest instant anything about it is told for."""
    opened: Opening | None = None
    ended: Ending | None = None
    rivals: tuple[Ending, ...] = ()
    """Other endings that contradict the first."""
    estimate: Estimate | None = None
    phase: Phase | None = None
    seqs: tuple[tuple[int, int], ...] = ()
    """The sequence numbers seen, as inclusive runs."""
    offline: bool = False
    ahead_s: int = 0
    """By how many seconds the station's clock ran ahead of ours at worst, where that is more than allowed."""
    deviations: tuple[str, ...] = ()
    contradictions: tuple[Contradiction, ...] = ()
    after_end: int = 0
    """How many readings came for instants after the end: kept, not counted."""
    imported: bool = False
    """Whether it was taken over from another system's records; no station of ours told it."""
    signed: Ruling | None = None
    """What its signed meter values came to; None: there are none, or they were not looked at yet."""
    track: Track = Track()
    max_power_w: Decimal = Decimal(400_000)

    @property
    def is_live(self) -> bool:
        """Whether it still occupies its EVSE."""
        return self.state in LIVE

    @property
    def started_at(self) -> datetime:
        """When it began, or the first thing told of it."""
        return self.opened.at if self.opened else self.first_at

    @property
    def ended_at(self) -> datetime | None:
        """When it ended, by the station's word or else by our estimate."""
        if self.ended:
            return self.ended.at
        return self.estimate.at if self.estimate and self.state is S.ESTIMATED else None

    @property
    def energy_wh(self) -> Decimal | None:
        """Energy delivered, Wh; None where nothing told it, or only a single register of a session without a start."""
        alone = self.track.first is not None and self.track.first == self.track.last
        return None if alone and self.opened is None else self.track.energy_wh


def follow(session: Session, fact: Fact, verdict: Authorisation | None = None) -> Session:
    """The session after one more fact about it; ``fact.at`` must be set. Its readings are left to `measure`."""
    assert fact.at is not None
    changes: dict[str, Any] = {}
    if fact.at < session.first_at:
        changes["first_at"] = fact.at
    if fact.at > session.last_at:
        changes["last_at"] = fact.at
    if isinstance(fact, SessionFact):
        _identify(session, fact, verdict, changes)
    if fact.deviations and not set(fact.deviations) <= set(session.deviations):
        changes["deviations"] = tuple(sorted({*session.deviations, *fact.deviations}))
    step = STEPS.get(type(fact))
    if step is not None:
        step(session, fact, changes)
    return settled(replace(session, **changes) if changes else session)


def _identify(session: Session, fact: SessionFact, verdict: Authorisation | None, changes: dict[str, Any]) -> None:
    """Take over where, who and whether they may, what flows, and the sequence number."""
    at = fact.at
    assert at is not None
    if session.evse is None and fact.evse:
        changes.update(evse=fact.evse, connector=fact.connector)
    elif session.connector is None and fact.connector is not None and fact.evse == session.evse:
        changes["connector"] = fact.connector
    if fact.token is not None and not isinstance(fact, SessionEnded):
        rank = (fact.seq or 0, at)
        if session.token_rank is None or rank < session.token_rank:
            changes.update(token=fact.token, token_rank=rank, verdict=verdict)
    if fact.charging is not None:
        _flow(session, Phase(fact.seq or 0, at, fact.charging), changes)
    if fact.seq is not None:
        changes["seqs"] = with_seq(session.seqs, fact.seq)
    if fact.offline and not session.offline:
        changes["offline"] = True
    if fact.imported and not session.imported:
        changes["imported"] = True


def _flow(session: Session, phase: Phase, changes: dict[str, Any]) -> None:
    """Take over what flows, if this is the newest word on it."""
    known = session.phase
    if known is None or (phase.seq, phase.at, phase.state.value) > (known.seq, known.at, known.state.value):
        changes["phase"] = phase


SAME_END = timedelta(minutes=5)
"""Two endings no further apart than this are one ending, told in two ways."""


def _open(session: Session, fact: Fact, changes: dict[str, Any]) -> None:
    assert isinstance(fact, SessionOpened) and fact.at is not None
    opening = Opening(fact.at, fact.trigger, fact.reservation, fact.remote_start)
    if session.opened is None or opening.at < session.opened.at:
        changes["opened"] = opening


def _end(session: Session, fact: Fact, changes: dict[str, Any]) -> None:
    assert isinstance(fact, SessionEnded) and fact.at is not None
    last_at = max((reading.at for reading in fact.readings), default=fact.at)
    ending = Ending(fact.at, _end_register(fact), fact.reason, fact.token, last_at if last_at > fact.at else None)
    known = session.ended
    if known is None:
        changes["ended"] = ending
    elif known.register_wh is None and abs(ending.at - known.at) <= SAME_END:
        until = max(known.until, ending.until)
        told = replace(known, register_wh=ending.register_wh, last_at=until if until > known.at else None)
        changes["ended"] = known if ending.register_wh is None else told
    elif contradicts(ending, known) and ending not in session.rivals and len(session.rivals) < 20:
        changes["rivals"] = (*session.rivals, ending)


def _end_register(fact: SessionEnded) -> Decimal | None:
    """The register at an end, Wh: 1.6 tells it as such (meterStop), 2.x as the last of the readings."""
    told = [(reading.at, reading.energy_wh) for reading in fact.readings if reading.energy_wh is not None]
    return fact.register_wh if fact.register_wh is not None or not told else max(told)[1]


def contradicts(one: Ending, other: Ending) -> bool:
    """Whether two endings cannot both be true: a repetition may differ in its words, not in its register."""
    apart = abs(one.at - other.at) > SAME_END
    return one.register_wh != other.register_wh and (apart or None not in (one.register_wh, other.register_wh))


def _estimate(session: Session, fact: Fact, changes: dict[str, Any]) -> None:
    assert isinstance(fact, SessionEstimated) and fact.at is not None
    known = session.estimate
    if known is None or known.cause is EstimateCause.SILENCE or fact.cause is not EstimateCause.SILENCE:
        changes["estimate"] = Estimate(fact.at, fact.cause, fact.reason, fact.by)


_FLOWS = {
    ConnectorStatus.CHARGING: ChargingState.CHARGING,
    ConnectorStatus.SUSPENDED_EV: ChargingState.SUSPENDED_EV,
    ConnectorStatus.SUSPENDED_EVSE: ChargingState.SUSPENDED_EVSE,
}


def _status(session: Session, fact: Fact, changes: dict[str, Any]) -> None:
    assert isinstance(fact, StatusChanged) and fact.at is not None
    state = _FLOWS.get(fact.status)
    if state is not None:
        _flow(session, Phase(0, fact.at, state), changes)


def _check(session: Session, fact: Fact, changes: dict[str, Any]) -> None:
    assert isinstance(fact, SignaturesChecked)
    changes["signed"] = fact.ruling


STEPS: dict[type[Fact], Callable[[Session, Fact, dict[str, Any]], None]] = {
    SessionOpened: _open,
    SessionEnded: _end,
    SessionEstimated: _estimate,
    SignaturesChecked: _check,
    StatusChanged: _status,
}


def settled(session: Session) -> Session:
    """The session with its state as its evidence says; a transition that MOVES does not have is a fault."""
    state = _state(session)
    if state is session.state:
        return session
    if state not in MOVES[session.state]:
        raise AssertionError(f"session {session.id}: no move from {session.state} to {state}")
    return replace(session, state=state)


def _state(session: Session) -> SessionState:
    """The station's end wins; then our estimate, unless later news lived it down; else what flows."""
    if session.ended is not None:
        return S.ENDED
    if session.imported:
        return S.ESTIMATED
    estimate = session.estimate
    if estimate is not None and (estimate.cause is not EstimateCause.SILENCE or session.last_at <= estimate.at):
        return S.ESTIMATED
    if session.phase is None:
        return S.CHARGING if session.track.energy_wh else S.OPEN
    if session.phase.state is ChargingState.CHARGING:
        return S.CHARGING
    suspended = (ChargingState.SUSPENDED_EV, ChargingState.SUSPENDED_EVSE)
    return S.SUSPENDED if session.phase.state in suspended else S.OPEN


# --- its readings -----------------------------------------------------------------------------------


def tellings(fact: Fact, ended: Ending | None = None) -> list[Reading]:
    """The readings a fact brings: those it carries, and the registers of its start or stop.

    ``ended`` is the end that its session had before. An end told again adds nothing to the end that stands.
    """
    if not isinstance(fact, SessionFact) or Deviation.OTHER_CONNECTOR in fact.deviations:
        return []
    if isinstance(fact, SessionEnded) and ended is not None and ended.register_wh is not None:
        return [r for r in fact.readings if r.context is not Context.END and fact.at is not None and r.at < fact.at]
    readings = list(fact.readings)
    if isinstance(fact, SessionOpened | SessionEnded) and fact.register_wh is not None and fact.at is not None:
        context = Context.BEGIN if isinstance(fact, SessionOpened) else Context.END
        readings.append(Reading(fact.at, context, energy_wh=fact.register_wh))
    return readings


def counts(session: Session, reading: Reading) -> bool:
    """Whether a reading counts towards the session: not those for instants after its end."""
    return session.ended is None or reading.at <= session.ended.until


def continues(session: Session, readings: list[Reading]) -> bool:
    """Whether readings can simply be added: all later than those before, and no end before those already counted."""
    last = session.track.last_at
    if session.after_end and readings:
        return False
    if last is None:
        return True
    if session.ended is not None and session.ended.until < last:
        return False
    return not readings or readings[0].at > last


def measure(session: Session, readings: list[Reading]) -> Session:
    """The session with readings added that `continues` allows, in order."""
    counted = [r for r in readings if counts(session, r)]
    track = session.track
    for reading in counted:
        track = extend(track, reading, session.max_power_w)
    after_end = session.after_end + len(readings) - len(counted)
    return settled(replace(session, track=track, after_end=after_end)) if readings else session


def remeasure(session: Session, readings: list[Reading]) -> Session:
    """The session with its readings folded anew; ``readings`` are all it has, in order."""
    counted = [r for r in readings if counts(session, r)]
    track = fold(counted, session.max_power_w)
    return settled(replace(session, track=track, after_end=len(readings) - len(counted)))


def contradicting(session: Session, told: Iterable[Reading]) -> Session:
    """The session with every instant noted for which different registers were told, in whichever order."""
    spans = {c.at: (c.lower_wh, c.higher_wh) for c in session.contradictions}
    for at, wh in ((r.at, r.energy_wh) for r in told if r.energy_wh is not None):
        low, high = spans.get(at, (wh, wh))
        spans[at] = min(low, wh), max(high, wh)
    found = tuple(Contradiction(at, *span) for at, span in sorted(spans.items()) if span[0] != span[1])
    return replace(session, contradictions=found[:50]) if found else session
