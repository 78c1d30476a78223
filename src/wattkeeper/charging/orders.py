"""What we ask of a station: values in the imperative, the same for every dialect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Something a station is asked to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartCharging(Order):
    """Start a session (RemoteStartTransaction; RequestStartTransaction). ``uid`` is the token in the clear."""

    uid: str = field(repr=False)
    evse: int | None = None
    remote_start: int = 0
    """A number that the station repeats when the session begins (2.x remoteStartId)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopCharging(Order):
    """Stop a session (RemoteStopTransaction; RequestStopTransaction)."""

    ref: str
    """The station's transaction id: its own (2.x), ours in decimal (1.6)."""


class ResetKind(StrEnum):
    """How hard to reset: 1.6 Soft/Hard, 2.x OnIdle/Immediate."""

    SOFT = "soft"
    HARD = "hard"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset(Order):
    """Restart the station, or in 2.x one EVSE of it."""

    kind: ResetKind = ResetKind.SOFT
    evse: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger(Order):
    """Ask the station to send a message now (TriggerMessage); ``message`` is the standard's word."""

    message: str
    evse: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlock(Order):
    """Unlock a connector's cable (UnlockConnector)."""

    evse: int
    connector: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeAvailability(Order):
    """Take a station (evse None), an EVSE or a connector out of service, or put it back."""

    operative: bool
    evse: int | None = None
    connector: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowMessage(Order):
    """Show a text on the station's display while a session runs (2.x SetDisplayMessage)."""

    text: str
    ref: str
    message_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyCommand(Order):
    """A command as the standard words it, sent as given."""

    action: str
    payload: Mapping[str, object] = field(repr=False)


class Outcome(StrEnum):
    """What became of an order that was sent."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    """The station understood and declined (Rejected, NotSupported, UnlockFailed, Occupied …)."""
    ERROR = "error"
    """The station answered CALLERROR."""
    TIMEOUT = "timeout"
    """The station did not answer in time."""


class OrderState(StrEnum):
    """Where an order is in its life."""

    QUEUED = "queued"
    """It waits for its station."""
    SENT = "sent"
    """It is on the wire; it is never sent again."""
    ANSWERED = "answered"
    """Its outcome is known."""
    EXPIRED = "expired"
    """Nobody answered in time, or it was never sent."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """How a station settled an order: the outcome, and the answer in the station's words."""

    outcome: Outcome
    words: Mapping[str, object]
    """The CALLRESULT payload; for a CALLERROR ``{"code", "description", "details"}``."""
    summary: str
    """One line: the status word, or the error code and description."""
