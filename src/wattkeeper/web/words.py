"""What happened, in plain sentences: one place for the pages and the API alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from wattkeeper.charging.evidence import duration, kwh
from wattkeeper.charging.facts import (
    Alarmed,
    Booted,
    ChargingState,
    Connected,
    Disconnected,
    EstimateCause,
    Fact,
    Garbled,
    OrderSettled,
    Reported,
    SessionEnded,
    SessionEstimated,
    SessionFact,
    SessionOpened,
    StatusChanged,
    TokenPresented,
)
from wattkeeper.charging.meter import power_of
from wattkeeper.charging.phrase import phrase
from wattkeeper.charging.reading import Context, Reading
from wattkeeper.charging.station import ConnectorStatus, Version
from wattkeeper.charging.token import Authorisation
from wattkeeper.store.journal import Entry


class StepKind(StrEnum):
    """What kind of step it is."""

    TAP = "tap"
    AUTHORISATION = "authorisation"
    PLUG = "plug"
    START = "start"
    READINGS = "readings"
    CHARGING = "charging"
    """Energy flows, or flows again."""
    PAUSE = "pause"
    POWER_INTERRUPTION = "power_interruption"
    CONNECTION_LOST = "connection_lost"
    CONNECTION_BACK = "connection_back"
    RESTART = "restart"
    ORDER = "order"
    STOP = "stop"
    ESTIMATE = "estimate"
    """We ended the session ourselves."""
    FAULT = "fault"
    ALARM = "alarm"
    REPORT = "report"


K = StepKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step in a line of time."""

    n: int
    """The journal entry that told it (the first of them, where several are told as one)."""
    kind: StepKind
    title: str
    detail: str = ""
    at: datetime | None
    """The station's time of it; None where the station did not tell it."""
    received_at: datetime
    happened_at: datetime
    """Where it belongs in the line: ``at``, else our time put onto the station's clock."""
    until: datetime | None = None
    """The last instant, where several are told as one."""
    late_s: int = 0
    """By how much it came later than this station's words usually do, seconds; 0 where it was not late."""
    readings: tuple[Reading, ...] = ()
    station_words: Mapping[str, Any] = field(default_factory=dict)
    """The station's words, tokens masked."""

    @property
    def late(self) -> bool:
        """Whether it was told late."""
        return self.late_s > 0

    @property
    def words(self) -> str:
        """The step in full."""
        lateness = f"Told {duration(self.late_s)} late." if self.late else ""
        return " ".join(part for part in (self.title, self.detail, lateness) if part)


Said = tuple[StepKind, str, str]
"""Kind, title, detail."""


def tell(entry: Entry) -> list[Step]:
    """The steps that an entry tells, none for what nobody needs to read (a heartbeat)."""
    fact = entry.fact
    said = [one for teller in TELLERS.get(type(fact), ()) for one in teller(fact, entry)]
    if isinstance(fact, SessionFact):
        said += _session_words(fact, entry)
    return [_step(entry, *one) for one in said]


def _step(entry: Entry, kind: StepKind, title: str, detail: str) -> Step:
    readings = entry.fact.readings if kind is K.READINGS and isinstance(entry.fact, SessionFact) else ()
    told_at = readings[0].at if readings else None if isinstance(entry.fact, SessionEstimated) else entry.at
    return Step(
        n=entry.n,
        kind=kind,
        title=title,
        detail=detail,
        at=told_at,
        received_at=entry.received_at,
        happened_at=told_at or entry.received_at,
        until=readings[-1].at if len(readings) > 1 else None,
        readings=readings,
        station_words=entry.words,
    )


# --- the steps of a session ---------------------------------------------------------------------------

FLOWS: Mapping[ChargingState, tuple[StepKind, str]] = {
    ChargingState.CHARGING: (K.CHARGING, phrase("Energy flows.")),
    ChargingState.EV_CONNECTED: (K.PLUG, phrase("The vehicle is connected; no energy flows yet.")),
    ChargingState.SUSPENDED_EV: (K.PAUSE, phrase("Paused by the vehicle.")),
    ChargingState.SUSPENDED_EVSE: (K.PAUSE, phrase("Paused by the station.")),
    ChargingState.IDLE: (K.PAUSE, phrase("Nothing flows; no vehicle is connected.")),
}
VERDICTS: Mapping[str, str] = {
    Authorisation.ACCEPTED: phrase("The card was accepted."),
    Authorisation.UNKNOWN: phrase("The card was refused: it is unknown."),
    Authorisation.BLOCKED: phrase("The card was refused: it is blocked."),
    Authorisation.EXPIRED: phrase("The card was refused: it has expired."),
    Authorisation.CONCURRENT: phrase("The card was refused: it charges elsewhere already."),
}


def _session_words(fact: SessionFact, entry: Entry) -> list[Said]:
    """What any step of a session may tell beside its own: verdict, what flows, interruptions, readings."""
    said: list[Said] = []
    if fact.token is not None and entry.decided.verdict and not isinstance(fact, SessionEnded):
        said.append(_verdict(entry))
    if fact.charging is not None and not isinstance(fact, SessionEnded):
        said.append((*FLOWS[fact.charging], ""))
    contexts = {reading.context for reading in fact.readings}
    if contexts & {Context.INTERRUPTION_BEGIN, Context.INTERRUPTION_END}:
        over = Context.INTERRUPTION_END in contexts
        said.append((K.POWER_INTERRUPTION, "The power is back." if over else "The power was interrupted.", ""))
    if fact.readings and not isinstance(fact, SessionOpened | SessionEnded):
        said.append((K.READINGS, *of_readings(fact.readings)))
    return said


def _verdict(entry: Entry) -> Said:
    """What became of a token."""
    verdict = entry.decided.verdict or ""
    return K.AUTHORISATION, VERDICTS.get(verdict, f"The card: {verdict}."), ""


def of_readings(readings: tuple[Reading, ...]) -> tuple[str, str]:
    """Readings in a title and their figures: how many, the register, the power."""
    count = len(readings)
    title = "The meter was read." if count == 1 else f"The meter was read {count} times."
    registers = [reading.energy_wh for reading in readings if reading.energy_wh is not None]
    powers = [power for reading in readings if (power := power_of(reading)) is not None]
    figures = []
    if registers:
        one = registers[0] == registers[-1]
        figures.append(_kwh(registers[0]) if one else f"{_kwh(registers[0])} to {_kwh(registers[-1])}")
    if powers:
        figures.append(_kw(powers[0]) if min(powers) == max(powers) else f"up to {_kw(max(powers))}")
    return title, "Register " + ", ".join(figures) + "." if registers else ", ".join(figures)


def _start(fact: SessionOpened, entry: Entry) -> list[Said]:
    """The session began."""
    registers = [r.energy_wh for r in fact.readings if r.energy_wh is not None]
    register = fact.register_wh if fact.register_wh is not None else (registers[0] if registers else None)
    where = f" at connector {fact.evse}" if fact.evse else ""
    return [(K.START, f"The session began{where}.", _register(register) + _offline(fact))]


def _stop(fact: SessionEnded, entry: Entry) -> list[Said]:
    """The session ended."""
    registers = [r.energy_wh for r in fact.readings if r.energy_wh is not None]
    register = fact.register_wh if fact.register_wh is not None else (registers[-1] if registers else None)
    why = REASONS.get(fact.reason, f"Reason: {fact.reason}.")
    return [(K.STOP, f"The session ended. {why}", _register(register) + _offline(fact))]


REASONS: Mapping[str, str] = {
    "DeAuthorized": phrase("The card was refused."),
    "EmergencyStop": phrase("The emergency button was pressed."),
    "EnergyLimitReached": phrase("The agreed energy was reached."),
    "EVDisconnected": phrase("The vehicle was unplugged."),
    "GroundFault": phrase("The station found a ground fault."),
    "HardReset": phrase("The station was reset."),
    "ImmediateReset": phrase("The station was reset."),
    "Local": phrase("It was stopped at the station."),
    "MasterPass": phrase("It was stopped with a master card."),
    "PowerLoss": phrase("The power failed."),
    "Reboot": phrase("The station restarted."),
    "Remote": phrase("It was stopped from here."),
    "SoftReset": phrase("The station was reset."),
    "StoppedByEV": phrase("The vehicle stopped it."),
    "TimeLimitReached": phrase("The agreed time was reached."),
    "Timeout": phrase("No vehicle was connected in time."),
    "UnlockCommand": phrase("The connector was unlocked from here."),
}
"""Why sessions end: 1.6 Reason and 2.x ReasonEnumType where a sentence helps."""


def _offline(fact: SessionFact) -> str:
    return " The station was offline." if fact.offline else ""


def _register(register: Decimal | None) -> str:
    return "" if register is None else f"Register {_kwh(register)}."


def _estimate(fact: SessionEstimated, entry: Entry) -> list[Said]:
    """We ended it."""
    titles = {
        EstimateCause.SILENCE: "Ended by estimate: the station fell silent.",
        EstimateCause.SUPERSEDED: "Ended by estimate: the connector began another session.",
        EstimateCause.OPERATOR: f"Closed by {fact.by}.",
    }
    return [(K.ESTIMATE, titles[fact.cause], fact.reason)]


def _tap(fact: TokenPresented, entry: Entry) -> list[Said]:
    """A card was presented, and what became of it."""
    said: list[Said] = [(K.TAP, "A card was presented.", "")]
    return [*said, _verdict(entry)] if entry.decided.verdict else said


# --- the steps of a station ---------------------------------------------------------------------------

STATUSES: Mapping[ConnectorStatus, tuple[StepKind, str]] = {
    ConnectorStatus.AVAILABLE: (K.PLUG, phrase("The connector is free.")),
    ConnectorStatus.OCCUPIED: (K.PLUG, phrase("A vehicle is plugged in.")),
    ConnectorStatus.PREPARING: (K.PLUG, phrase("A vehicle is plugged in, or a card was presented.")),
    ConnectorStatus.CHARGING: (K.CHARGING, phrase("Energy flows.")),
    ConnectorStatus.SUSPENDED_EV: (K.PAUSE, phrase("Paused by the vehicle.")),
    ConnectorStatus.SUSPENDED_EVSE: (K.PAUSE, phrase("Paused by the station.")),
    ConnectorStatus.FINISHING: (K.PLUG, phrase("The session is over; the vehicle is still plugged in.")),
    ConnectorStatus.RESERVED: (K.PLUG, phrase("The connector is reserved.")),
    ConnectorStatus.UNAVAILABLE: (K.FAULT, phrase("The connector is out of service.")),
    ConnectorStatus.FAULTED: (K.FAULT, phrase("The connector has a fault.")),
}


def _status(fact: StatusChanged, entry: Entry) -> list[Said]:
    """A connector changed."""
    kind, title = STATUSES.get(fact.status, (K.REPORT, f"The connector says {fact.said or 'something unknown'}."))
    if fact.evse == 0:
        title = title.replace("connector", "station")
    return [(kind, title, f"Error: {fact.error}." if fact.error else "")]


def _connected(fact: Connected, entry: Entry) -> list[Said]:
    version = {Version.V16: "OCPP 1.6", Version.V201: "OCPP 2.0.1"}.get(fact.version, fact.version)
    return [(K.CONNECTION_BACK, "The station connected.", f"It speaks {version}.")]


def _disconnected(fact: Disconnected, entry: Entry) -> list[Said]:
    return [(K.CONNECTION_LOST, "The connection to the station was lost.", "")]


def _booted(fact: Booted, entry: Entry) -> list[Said]:
    why = f" Reason: {fact.reason}." if fact.reason else ""
    return [(K.RESTART, "The station restarted.", f"{fact.vendor} {fact.model}.{why}")]


def _order(fact: OrderSettled, entry: Entry) -> list[Said]:
    """Somebody asked the station for something."""
    became = {"accepted": "the station accepted", "rejected": "the station declined", "timeout": "no answer came"}
    outcome = became.get(fact.outcome, "the station answered with an error")
    return [(K.ORDER, f"{fact.by} asked for {fact.action}: {outcome}.", "")]


def _alarm(fact: Alarmed, entry: Entry) -> list[Said]:
    return [(K.ALARM, fact.summary, "")]


def _report(fact: Reported, entry: Entry) -> list[Said]:
    topic = fact.topic.value.replace("_", " ")
    return [(K.REPORT, f"The station reported ({topic}).", fact.summary)]


def _garbled(fact: Garbled, entry: Entry) -> list[Said]:
    return [(K.REPORT, "The station sent something that could not be read.", fact.problem)]


TELLERS: Mapping[type[Fact], tuple[Callable[[Any, Entry], list[Said]], ...]] = {
    SessionOpened: (_start,),
    SessionEnded: (_stop,),
    SessionEstimated: (_estimate,),
    TokenPresented: (_tap,),
    StatusChanged: (_status,),
    Connected: (_connected,),
    Disconnected: (_disconnected,),
    Booted: (_booted,),
    OrderSettled: (_order,),
    Alarmed: (_alarm,),
    Reported: (_report,),
    Garbled: (_garbled,),
}
"""Who puts which fact into words."""


# --- figures ------------------------------------------------------------------------------------------


def _kwh(energy_wh: Decimal) -> str:
    return kwh(str(energy_wh))


def _kw(power_w: Decimal) -> str:
    """W as kW with one decimal."""
    return f"{power_w / 1000:.1f} kW"
