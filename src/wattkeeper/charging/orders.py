"""What we ask of a station: values in the imperative, the same for every dialect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from wattkeeper.charging.money.standing import Standing


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


class Listing(StrEnum):
    """What a station's own list says of a card (1.6 3.5.2; 2.0.1 D01)."""

    ACCEPTED = "accepted"
    BLOCKED = "blocked"
    REMOVED = "removed"
    """It leaves the list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListEntry:
    """A card on a station's own list. ``uid`` is its number in the clear: for the station alone."""

    uid: str = field(repr=False)
    listing: Listing
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SendLocalList(Order):
    """Give the station the cards that it may accept while it cannot ask (1.6 5.15, 2.0.1 D01)."""

    version: int
    """The version that the list has then, 1 or more."""
    full: bool
    """Whether it replaces the whole list; otherwise it changes the version before."""
    entries: tuple[ListEntry, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class GetLocalListVersion(Order):
    """Ask for the version of the station's list: ``list_version`` in the figures (1.6 5.10; 2.0.1 D02)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GetListBounds(Order):
    """Ask how long the list may be (``most_entries``, ``most_at_once``), and whether there is a ``cache`` (1 or 0)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearCache(Order):
    """Make the station forget the cards that it remembers as accepted (1.6 5.4, 2.0.1 C11)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetCustomer(Order):
    """Make the station forget what it keeps about the holder of a card (2.0.1 N10 CustomerInformation, clear)."""

    uid: str = field(repr=False)
    """The card's number in the clear: for the station alone."""
    request_id: int
    """A number that the station repeats when it says what it did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskDisplay(Order):
    """Ask what the station's display can show: ``shows_cost``, ``shows_price`` in the figures (1 or 0).

    ``other_currency`` is 1 where it shows amounts in another one (2.0.1 TariffCostCtrlr; 1.6 California pricing).
    """

    currency: str
    """In which amounts would be shown (ISO 4217)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowPrice(Order):
    """Show the driver of a session what charging costs, in words (1.6 SetUserPrice; 2.x SetDisplayMessage)."""

    text: str
    ref: str
    uid: str = field(repr=False)
    """The token in the clear, by which 1.6 knows whom it is for."""
    message_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowCost(Order):
    """Show what a session has cost so far, with tax, in the major unit (1.6 RunningCost; 2.x CostUpdated)."""

    ref: str
    cost: Decimal
    at: datetime
    """Of the reading by which that is so."""
    register_wh: Decimal
    is_idle: bool
    """Whether idle time counts now."""
    standing: Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowTotal(Order):
    """Show what a session cost in the end, with tax, in the major unit (1.6 FinalCost; 2.x CostUpdated)."""

    ref: str
    cost: Decimal
    text: str
    link: str = ""
    """Where its receipt is; empty: nowhere that can be told."""


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


class Decline(StrEnum):
    """Why a station declined, where that decides what we do next."""

    UNSUPPORTED = "unsupported"
    """It cannot do this at all."""
    MISMATCH = "mismatch"
    """Its list is of another version than the change needs (VersionMismatch)."""


NO_FIGURES: Mapping[str, int] = {}


@dataclass(frozen=True, slots=True)
class Settlement:
    """How a station settled an order: the outcome, and the answer in the station's words."""

    outcome: Outcome
    words: Mapping[str, object]
    """The CALLRESULT payload; for a CALLERROR ``{"code", "description", "details"}``."""
    summary: str
    """One line: the status word, or the error code and description."""
    decline: Decline | None = None
    figures: Mapping[str, int] = field(default_factory=lambda: NO_FIGURES)
    """Numbers that the order asked for, by our names."""
