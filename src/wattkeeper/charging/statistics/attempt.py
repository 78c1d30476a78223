"""Attempts to charge and what became of them: plug-ins, sessions, taps and starts from here; and why some failed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from wattkeeper.charging.cards.limits import counted_at
from wattkeeper.charging.cards.token import Authorisation
from wattkeeper.charging.facts import Fact, OrderSettled, TokenPresented
from wattkeeper.charging.orders import Outcome
from wattkeeper.charging.phrase import Phrase, phrase
from wattkeeper.charging.session import LIVE, Session
from wattkeeper.charging.station import ConnectorStatus
from wattkeeper.charging.statistics.share import LONGEST
from wattkeeper.charging.statistics.uptime import Word

SOON = timedelta(minutes=5)
"""A session that brought no energy and ended within this is a start that failed; in a longer one a car drew none."""
STARTS = frozenset({"StartCharging", "RemoteStartTransaction", "RequestStartTransaction"})
"""What starts from here are called in the journal: our word where one was never sent, else the standards'."""
AS_WANTED = frozenset(
    {
        *("EnergyLimitReached", "EVDisconnected", "Local", "LocalOutOfCredit", "Remote"),
        *("SOCLimitReached", "StoppedByEV", "TimeLimitReached"),
    }
)
"""Why a session ends that ended as somebody wanted: the reasons that ChargeX counts as a success (OCPP's words)."""


class Kind(StrEnum):
    """What was tried."""

    PLUG_IN = "plug_in"
    """A port was taken until it was free again."""
    SESSION = "session"
    TAP = "tap"
    """A card was shown before a session began."""
    REMOTE = "remote"
    """A station was asked to start."""


class Became(StrEnum):
    """What became of it, where that is not the standards' word."""

    CHARGED = "charged"
    """Energy came, and it ended as somebody wanted."""
    BROKEN_OFF = "broken_off"
    """Energy came, and it ended for another reason."""
    UNASKED = "unasked"
    """It ended without energy before anybody had asked to charge."""
    UNAUTHORISED = "unauthorised"
    """It was begun though nobody had allowed it; ``unauthorised:energy`` where energy came."""
    EMPTY = "empty"
    """It ended within five minutes without energy; ``empty:`` and why, in the standards' word."""
    DREW_NOTHING = "drew_nothing"
    """It brought no energy, however long it lasted."""
    LEFT = "left"
    """A port was taken and free again without a session."""


STARTED = frozenset({Became.CHARGED.value, Became.BROKEN_OFF.value})
"""It was allowed, and energy came."""
CHARGED = STARTED | {f"{Became.UNAUTHORISED.value}:energy"}
"""Energy came, whoever allowed it."""
WENT_WELL: Mapping[Kind, frozenset[str]] = {
    Kind.PLUG_IN: CHARGED,
    Kind.SESSION: frozenset({Became.CHARGED.value}),
    Kind.TAP: frozenset({Authorisation.ACCEPTED.value}),
    Kind.REMOTE: frozenset({Outcome.ACCEPTED.value}),
}
"""What became of attempts that did not fail."""
WORDS: Mapping[tuple[Kind, str], Phrase] = {
    (Kind.PLUG_IN, "charged"): phrase("Plugged in and charged"),
    (Kind.PLUG_IN, "drew_nothing"): phrase("Plugged in, a session, no energy"),
    (Kind.PLUG_IN, "left"): phrase("Plugged in and left without a session"),
    (Kind.SESSION, "charged"): phrase("Charged, and ended as wanted"),
    (Kind.SESSION, "broken_off"): phrase("Charging broke off"),
    (Kind.SESSION, "unasked"): phrase("Ended before a card was shown"),
    (Kind.SESSION, "unauthorised"): phrase("Session that nobody allowed"),
    (Kind.SESSION, "unauthorised:energy"): phrase("Session that nobody allowed, with energy"),
    (Kind.SESSION, "empty"): phrase("Ended within 5 minutes without energy"),
    (Kind.SESSION, "drew_nothing"): phrase("Longer session without energy"),
    (Kind.TAP, "accepted"): phrase("Card accepted"),
    (Kind.TAP, "unknown"): phrase("Card not known here"),
    (Kind.TAP, "blocked"): phrase("Card blocked"),
    (Kind.TAP, "expired"): phrase("Card expired"),
    (Kind.TAP, "concurrent"): phrase("Card charges elsewhere already"),
    (Kind.TAP, "no_credit"): phrase("Nothing left to pay with"),
    (Kind.TAP, "not_here"): phrase("Card not good at this place"),
    (Kind.TAP, "not_now"): phrase("Card not good at this hour"),
    (Kind.TAP, "wrong_plug"): phrase("Card not good for this plug"),
    (Kind.TAP, "invalid"): phrase("Card not good for this"),
    (Kind.REMOTE, "accepted"): phrase("Start from here accepted"),
    (Kind.REMOTE, "rejected"): phrase("Start from here declined by the station"),
    (Kind.REMOTE, "error"): phrase("Start from here not understood by the station"),
    (Kind.REMOTE, "timeout"): phrase("Start from here not answered"),
}
"""Each in words."""


@dataclass(frozen=True, slots=True)
class Some:
    """Attempts of a kind: those that became one of these, or all but those."""

    kind: Kind
    reasons: frozenset[str] = frozenset()
    but: bool = True
    """Whether the reasons are those that are left out."""

    def holds(self, kind: Kind, reason: str) -> bool:
        """Whether an attempt is one of them."""
        return kind is self.kind and (reason in self.reasons) is not self.but


PLUG_INS = (Some(Kind.PLUG_IN),)
STARTED_ALL = (Some(Kind.SESSION, STARTED, but=False),)
ATTEMPTS = (
    Some(Kind.SESSION, frozenset({Became.UNASKED.value})),
    Some(Kind.TAP, WENT_WELL[Kind.TAP]),
    Some(Kind.REMOTE, WENT_WELL[Kind.REMOTE]),
)
"""Sessions for which a card was shown, cards that were refused, and starts from here that came to nothing."""


class Attempt(NamedTuple):
    """Something that was tried at a port, and what became of it."""

    kind: Kind
    name: str
    """What names it among its kind at its station."""
    evse: int
    """0: not told."""
    since: datetime
    until: datetime | None
    """None: it goes on, and is not counted yet."""
    reason: str
    """What became of it: `Became`, an `Authorisation` or an `Outcome`; ``empty:`` and the standards' word."""
    session: str | None = None


def attempt_of(n: int, received_at: datetime, fact: Fact, verdict: str | None) -> Attempt | None:
    """The tap or the start from here that a journal entry tells of; None where it tells of none."""
    if isinstance(fact, TokenPresented) and verdict is not None:
        return Attempt(Kind.TAP, str(n), fact.evse or 0, received_at, received_at, verdict)
    if isinstance(fact, OrderSettled) and fact.action in STARTS:
        return Attempt(Kind.REMOTE, str(n), fact.evse or 0, received_at, received_at, fact.outcome)
    return None


class Heard(NamedTuple):
    """Our times of a session, by which it is held where its station's clock is not to be believed."""

    began: datetime
    """When it was first heard of."""
    ended: datetime
    """When its end was told, or estimated; of one that goes on, when it was last heard of."""


def attempt_by(session: Session, heard: Heard) -> Attempt:
    """What became of a session, held by the same clock as what was said of its port."""
    since = counted_at(session.started_at, heard.began)
    until = None if session.state in LIVE else _until(session, since, heard.ended)
    became = _became(session, None if until is None else _lasted(session, since, until))
    return Attempt(Kind.SESSION, session.id, session.evse or 0, since, until, became, session.id)


def _until(session: Session, since: datetime, told: datetime) -> datetime | None:
    """When a session ended. An estimate is the station's own instant, however long after it was made."""
    if session.ended_at is None:
        return None
    if session.ended is None:
        until = min(since + (session.ended_at - session.started_at), max(told, since))
    else:
        until = counted_at(session.ended_at, told)
    return min(max(until, since), since + LONGEST)


def _lasted(session: Session, since: datetime, until: datetime) -> timedelta:
    """How long a session lasted: by its station where one clock, right or wrong, told begin and end."""
    is_moved = since != session.started_at, until != session.ended_at
    own = (session.ended_at or until) - session.started_at
    return own if all(is_moved) and timedelta(0) <= own <= LONGEST else until - since


def _became(session: Session, lasted: timedelta | None) -> str:
    """What became of a session, in one word."""
    why = session.ended.reason[:40] if session.ended else "Unknown"
    has_energy = (session.energy_wh or Decimal(0)) > 0
    if session.verdict is not Authorisation.ACCEPTED:
        if has_energy:
            return f"{Became.UNAUTHORISED.value}:energy"
        return (Became.UNAUTHORISED if session.verdict or session.token else Became.UNASKED).value
    if has_energy:
        return Became.CHARGED.value if why in AS_WANTED else Became.BROKEN_OFF.value
    if lasted is not None and lasted <= SOON:
        return f"{Became.EMPTY.value}:{why}"
    return Became.DREW_NOTHING.value


# --- plug-ins -----------------------------------------------------------------------------------------------------

S = ConnectorStatus
TAKEN = frozenset(
    one.value for one in (S.OCCUPIED, S.PREPARING, S.CHARGING, S.SUSPENDED_EV, S.SUSPENDED_EVSE, S.FINISHING)
)
FREE = frozenset({S.AVAILABLE.value, S.RESERVED.value})
"""Other words say nothing of whether a car is there."""


@dataclass(frozen=True, slots=True)
class Stay:
    """A session as a port sees it."""

    since: datetime
    until: datetime | None
    brought_energy: bool


def plug_ins(evse: int, words: Iterable[Word], stays: Iterable[Stay]) -> list[Attempt]:
    """How often a port was taken, from the first word of it until it was free and no session ran; in order.

    ``words``: of its connectors, from an instant on at which nothing of it was taken.
    """
    spans: list[tuple[datetime, datetime | None, Stay | None]]
    spans = [(since, until, None) for since, until in _taken(sorted(words))]
    spans += [(stay.since, stay.until, stay) for stay in stays]
    found: list[tuple[datetime, datetime | None, list[Stay]]] = []
    for since, until, stay in sorted(spans, key=lambda span: span[0]):
        if found and (found[-1][1] is None or since <= found[-1][1]):
            start, end, held = found[-1]
            end = None if end is None or until is None else max(end, until)
            found[-1] = (start, end, [*held, stay] if stay else held)
        else:
            found.append((since, until, [stay] if stay else []))
    return [_plug_in(evse, *one) for one in found]


def _plug_in(evse: int, since: datetime, until: datetime | None, stays: list[Stay]) -> Attempt:
    """One plug-in and what became of it."""
    charged = Became.CHARGED if any(stay.brought_energy for stay in stays) else Became.DREW_NOTHING
    became = charged if stays else Became.LEFT
    return Attempt(Kind.PLUG_IN, f"{evse}:{since.isoformat()}", evse, since, until, became.value)


def _taken(words: Iterable[Word]) -> Iterator[tuple[datetime, datetime | None]]:
    """The spans in which a connector of a port was taken."""
    taken: set[int] = set()
    since: datetime | None = None
    for word in words:
        if word.said in TAKEN:
            taken.add(word.connector)
        elif word.said in FREE:
            taken.discard(word.connector)
        if taken and since is None:
            since = word.at
        elif not taken and since is not None:
            yield since, word.at
            since = None
    if since is not None:
        yield since, None


# --- what they come to --------------------------------------------------------------------------------------------

Counts = Mapping[tuple[Kind, str], int]
"""How many attempts that are over became what."""


@dataclass(frozen=True, slots=True)
class Success:
    """How many attempts of a span led to what was wanted."""

    plug_ins: int
    plug_ins_charged: int
    attempts: int
    """Sessions for which a card was shown, cards that were refused, and starts from here that came to nothing."""
    started: int
    """Attempts that were allowed and in which energy came."""
    completed: int
    """Of these, those that ended as somebody wanted."""

    @property
    def plug_in(self) -> Decimal | None:
        """The share of plug-ins that led to energy; None where there was none."""
        return _share(self.plug_ins_charged, self.plug_ins)

    @property
    def charge_start(self) -> Decimal | None:
        """The share of attempts in which energy came: ChargeX's Charge Start Success, as far as messages tell."""
        return _share(self.started, self.attempts)

    @property
    def charge_end(self) -> Decimal | None:
        """The share of those with energy that ended as somebody wanted: ChargeX's Charge End Success."""
        return _share(self.completed, self.started)

    @property
    def session(self) -> Decimal | None:
        """The share of attempts with energy that ended as somebody wanted: ChargeX's Session Success."""
        return _share(self.completed, self.attempts)


def success(counts: Counts) -> Success:
    """What attempts come to. A card that was accepted is no attempt of its own: its session is."""

    def sum_of(*which: Some) -> int:
        return sum(one for (kind, why), one in counts.items() if any(some.holds(kind, why) for some in which))

    return Success(
        plug_ins=sum_of(*PLUG_INS),
        plug_ins_charged=sum_of(Some(Kind.PLUG_IN, CHARGED, but=False)),
        attempts=sum_of(*ATTEMPTS),
        started=sum_of(*STARTED_ALL),
        completed=sum_of(Some(Kind.SESSION, WENT_WELL[Kind.SESSION], but=False)),
    )


def _share(part: int, whole: int) -> Decimal | None:
    return Decimal(part) / whole if whole else None
