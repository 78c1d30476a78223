"""What a station tells us, and what we noticed of it: values in the past tense, the same for every dialect.

``at`` is the station's own time of the happening (aware, UTC) or None where it told none. ``deviations`` names
where the station's words departed from the standard and were tolerated (see ``ocpp``). No fact ever holds a token
in the clear: ``token`` is a pseudonym, put in by `operations.intake` from what the dialect hands it beside the fact.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from wattkeeper.charging.cards.token import TokenRef
from wattkeeper.charging.metering.ruling import Ruling
from wattkeeper.charging.reading import Reading
from wattkeeper.charging.station import ConnectorStatus, Version


class ChargingState(StrEnum):
    """What flows in a session (OCPP 2.0.1 ChargingStateEnumType)."""

    CHARGING = "charging"
    EV_CONNECTED = "ev_connected"
    SUSPENDED_EV = "suspended_ev"
    SUSPENDED_EVSE = "suspended_evse"
    IDLE = "idle"


class Fact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that happened."""

    at: datetime | None = None
    deviations: tuple[str, ...] = ()


# --- what a station tells ---------------------------------------------------------------------------


class Booted(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """A station started (BootNotification)."""

    vendor: str
    model: str
    serial: str | None = None
    firmware: str | None = None
    meter_serial: str | None = None
    iccid: str | None = None
    imsi: str | None = None
    reason: str | None = None


class HeartBeaten(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """A station said that it is alive (Heartbeat)."""


class StatusChanged(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """A connector changed (StatusNotification); evse 0 is the station as a whole (1.6 connector 0)."""

    evse: int
    connector: int = 1
    status: ConnectorStatus
    said: str = ""
    """The station's own word for the status."""
    error: str | None = None
    """The station's error code; None for NoError."""
    info: str | None = None


class TokenPresented(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """A driver tapped (Authorize)."""

    token: TokenRef | None = None
    evse: int | None = None


class SessionFact(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """A step of a charging session, as the station told it."""

    ref: str | None = None
    """The transaction id the station named: its own (2.x), or ours in decimal (1.6). None: it named none."""
    seq: int | None = None
    """The station's sequence number within the transaction (2.x seqNo)."""
    offline: bool = False
    """Whether the station says it was offline when this happened (2.x)."""
    imported: bool = False
    """Whether another system's records say it, and not the station: ``ref`` is then the session's name there."""
    evse: int | None = None
    connector: int | None = None
    token: TokenRef | None = None
    trigger: str | None = None
    """Why this was told (2.x triggerReason), in the standard's word."""
    charging: ChargingState | None = None
    readings: tuple[Reading, ...] = ()


def is_history(fact: Fact) -> bool:
    """Whether another system's records say it: the station was not heard."""
    return isinstance(fact, SessionFact) and fact.imported


class SessionOpened(SessionFact, frozen=True, kw_only=True, omit_defaults=True):
    """A session began (StartTransaction; TransactionEvent Started)."""

    register_wh: Decimal | None = None
    """The energy register at the start: meterStart (1.6). 2.x tells it in its readings."""
    reservation: int | None = None
    remote_start: int | None = None


class SessionUpdated(SessionFact, frozen=True, kw_only=True, omit_defaults=True):
    """A session went on (TransactionEvent Updated)."""


class MetersRead(SessionFact, frozen=True, kw_only=True, omit_defaults=True):
    """A meter was read (MeterValues), in a session or outside of one; evse 0 is the main meter."""


class SessionEnded(SessionFact, frozen=True, kw_only=True, omit_defaults=True):
    """A session ended (StopTransaction; TransactionEvent Ended)."""

    register_wh: Decimal | None = None
    """The energy register at the end: meterStop (1.6). 2.x tells it in its readings."""
    reason: str = "Local"
    """Why it ended, in the standard's word (1.6 Reason; 2.x stoppedReason); Local where none was told."""


class Topic(StrEnum):
    """What a report is about, where nothing acts on it yet: it is recorded and shown."""

    DATA = "data"
    DIAGNOSTICS = "diagnostics"
    FIRMWARE = "firmware"
    LOG = "log"
    SECURITY = "security"
    CERTIFICATE_REQUEST = "certificate_request"
    CERTIFICATE_EV = "certificate_ev"
    CERTIFICATE_STATUS = "certificate_status"
    CHARGING_LIMIT = "charging_limit"
    CHARGING_NEEDS = "charging_needs"
    CHARGING_PROFILES = "charging_profiles"
    CHARGING_SCHEDULE = "charging_schedule"
    CUSTOMER_INFORMATION = "customer_information"
    DISPLAY_MESSAGES = "display_messages"
    EVENT = "event"
    MONITORING = "monitoring"
    INVENTORY = "inventory"
    RESERVATION = "reservation"
    OTHER = "other"
    """An action that the standard does not have (its name is in ``summary``)."""


class Reported(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """A station reported something that the product records and shows but does not act on yet."""

    topic: Topic
    summary: str
    """The gist in the station's own words, at most 200 characters, never a free text that could hold a card number."""
    evse: int | None = None
    displays_messages: bool | None = None
    """Set where an inventory report tells whether the station can show messages (DisplayMessageCtrlr Available)."""


class Garbled(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """A frame arrived that could not be read; what was wrong with it (the frame itself is sealed)."""

    problem: str
    action: str | None = None


# --- what we noticed or did ---------------------------------------------------------------------------


class Connected(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """A station's authenticated connection came up."""

    version: Version
    address: str | None = None


class Disconnected(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """A station's connection went away."""

    reason: str


class Alarmed(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """Something security-relevant happened at our door (DuplicateIdentity, WrongKey, ForeignTransaction …)."""

    code: str
    summary: str


class OrderSettled(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """An order we sent to a station was answered, refused or expired."""

    order_id: str
    action: str
    outcome: str
    by: str
    evse: int | None = None
    ref: str | None = None


class EstimateCause(StrEnum):
    """Why we ended a session ourselves."""

    SILENCE = "silence"
    """The station fell silent."""
    SUPERSEDED = "superseded"
    """The same connector began another session."""
    OPERATOR = "operator"
    """A person closed it."""


class SessionEstimated(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """We ended a session by an estimate; the station's true end replaces it. ``at`` is the estimated end."""

    session: str
    cause: EstimateCause
    reason: str
    by: str


class SignaturesChecked(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """We checked the signed meter values of a session that had ended, under the keys that were pinned."""

    session: str
    ruling: Ruling
