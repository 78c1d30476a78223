"""What happened, in plain sentences: one place for the pages and the API alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from wattkeeper.charging.cards.token import Authorisation
from wattkeeper.charging.evidence import duration, kwh, say
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
    SignaturesChecked,
    StatusChanged,
    TokenPresented,
    Topic,
)
from wattkeeper.charging.meter import power_of
from wattkeeper.charging.orders import Outcome
from wattkeeper.charging.phrase import Figure, Joined, Phrase, counted, joined, phrase
from wattkeeper.charging.reading import Context, Reading
from wattkeeper.charging.station import ConnectorStatus, Version
from wattkeeper.language import retold
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
    def words(self) -> Joined:
        """The step in full."""
        lateness = phrase("Told {duration} late.", duration=duration(self.late_s)) if self.late else ""
        return joined((self.title, self.detail, lateness))


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
    is_ours = isinstance(entry.fact, SessionEstimated | SignaturesChecked)
    told_at = readings[0].at if readings else None if is_ours else entry.at
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
    Authorisation.NO_CREDIT: phrase("The card was refused: what it may use in a month is used up."),
    Authorisation.NOT_HERE: phrase("The card was refused: it may not charge here."),
    Authorisation.NOT_NOW: phrase("The card was refused: it may not charge now."),
    Authorisation.WRONG_PLUG: phrase("The card was refused: it may not charge with this kind of plug."),
    Authorisation.INVALID: phrase("The card was refused: it is not good for this."),
}
POWER_BACK, POWER_GONE = phrase("The power is back."), phrase("The power was interrupted.")


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
        said.append((K.POWER_INTERRUPTION, POWER_BACK if over else POWER_GONE, ""))
    if fact.readings and not isinstance(fact, SessionOpened | SessionEnded):
        said.append((K.READINGS, *of_readings(fact.readings)))
    return said


def _verdict(entry: Entry) -> Said:
    """What became of a token."""
    verdict = entry.decided.verdict or ""
    return K.AUTHORISATION, VERDICTS.get(verdict) or phrase("The card: {verdict}.", verdict=verdict), ""


def of_readings(readings: tuple[Reading, ...]) -> tuple[Phrase, str]:
    """Readings in a title and their figures: how many, the register, the power."""
    title = counted("The meter was read.", "The meter was read {count} times.", len(readings))
    registers = [reading.energy_wh for reading in readings if reading.energy_wh is not None]
    powers = [power for reading in readings if (power := power_of(reading)) is not None]
    figures = list[str]()
    if registers:
        first, last = _kwh(registers[0]), _kwh(registers[-1])
        same = registers[0] == registers[-1]
        figures.append(first if same else phrase("{first} to {last}", first=first, last=last))
    if powers:
        most = _kw(max(powers))
        figures.append(most if min(powers) == max(powers) else phrase("up to {power}", power=most))
    told = joined(figures, ", ")
    return title, phrase("Register {figures}.", figures=told) if registers else told


def _start(fact: SessionOpened, entry: Entry) -> list[Said]:
    """The session began."""
    registers = [r.energy_wh for r in fact.readings if r.energy_wh is not None]
    register = fact.register_wh if fact.register_wh is not None else (registers[0] if registers else None)
    at = phrase("The session began at connector {connector}.", connector=fact.evse)
    return [(K.START, at if fact.evse else phrase("The session began."), _ends(register, fact))]


def _stop(fact: SessionEnded, entry: Entry) -> list[Said]:
    """The session ended."""
    registers = [r.energy_wh for r in fact.readings if r.energy_wh is not None]
    register = fact.register_wh if fact.register_wh is not None else (registers[-1] if registers else None)
    why = "" if fact.imported else REASONS.get(fact.reason) or phrase("Reason: {reason}.", reason=fact.reason)
    return [(K.STOP, joined((phrase("The session ended."), why)), _ends(register, fact))]


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


def _ends(register: Decimal | None, fact: SessionFact) -> Joined:
    """The register at the start or end of a session, and whether the station was offline."""
    figure = "" if register is None else phrase("Register {figures}.", figures=_kwh(register))
    offline = phrase("The station was offline.") if fact.offline else ""
    return joined((figure, offline, phrase("As another system's records have it.") if fact.imported else ""))


def _estimate(fact: SessionEstimated, entry: Entry) -> list[Said]:
    """We ended it; what a person typed as the reason stays as it is."""
    if fact.cause is EstimateCause.OPERATOR:
        return [(K.ESTIMATE, phrase("Closed by {who}.", who=fact.by), fact.reason)]
    return [(K.ESTIMATE, ESTIMATES[fact.cause], retold(fact.reason))]


def _checked(fact: SignaturesChecked, entry: Entry) -> list[Said]:
    """We checked signatures; what was found stands among the findings."""
    serial = fact.ruling.serial
    if fact.ruling.is_verified:
        return [(K.REPORT, phrase("Its energy is proven by the signature of meter {serial}.", serial=serial), "")]
    return [(K.REPORT, phrase("Its signed meter values were checked."), joined(map(say, fact.ruling.findings)))]


ESTIMATES = {
    EstimateCause.SILENCE: phrase("Ended by estimate: the station fell silent."),
    EstimateCause.SUPERSEDED: phrase("Ended by estimate: the connector began another session."),
}


def _tap(fact: TokenPresented, entry: Entry) -> list[Said]:
    """A card was presented, and what became of it."""
    said: list[Said] = [(K.TAP, phrase("A card was presented."), "")]
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


STATION_STATUSES: Mapping[ConnectorStatus, Phrase] = {
    ConnectorStatus.AVAILABLE: phrase("The station is free."),
    ConnectorStatus.RESERVED: phrase("The station is reserved."),
    ConnectorStatus.UNAVAILABLE: phrase("The station is out of service."),
    ConnectorStatus.FAULTED: phrase("The station has a fault."),
}
"""What is said of a whole station where it is not what is said of a connector."""
ODD_STATUS = phrase("The connector says {status}."), phrase("The station says {status}.")
UNKNOWN_STATUS = phrase("The connector says something unknown."), phrase("The station says something unknown.")


def _status(fact: StatusChanged, entry: Entry) -> list[Said]:
    """A connector changed, or the station as a whole."""
    whole = fact.evse == 0
    odd = ODD_STATUS[whole].filled(status=fact.said) if fact.said else UNKNOWN_STATUS[whole]
    kind, title = STATUSES.get(fact.status, (K.REPORT, odd))
    title = STATION_STATUSES.get(fact.status, title) if whole else title
    return [(kind, title, phrase("Error: {error}.", error=fact.error) if fact.error else "")]


def _connected(fact: Connected, entry: Entry) -> list[Said]:
    version = {Version.V16: "OCPP 1.6", Version.V201: "OCPP 2.0.1"}.get(fact.version, fact.version)
    return [(K.CONNECTION_BACK, phrase("The station connected."), phrase("It speaks {version}.", version=version))]


def _disconnected(fact: Disconnected, entry: Entry) -> list[Said]:
    return [(K.CONNECTION_LOST, phrase("The connection to the station was lost."), "")]


def _booted(fact: Booted, entry: Entry) -> list[Said]:
    why = phrase("Reason: {reason}.", reason=fact.reason) if fact.reason else ""
    return [(K.RESTART, phrase("The station restarted."), joined((f"{fact.vendor} {fact.model}.", why)))]


BECAME: Mapping[str, Phrase] = {
    Outcome.ACCEPTED: phrase("{who} asked for {action}: the station accepted."),
    Outcome.REJECTED: phrase("{who} asked for {action}: the station declined."),
    Outcome.TIMEOUT: phrase("{who} asked for {action}: no answer came."),
    Outcome.ERROR: phrase("{who} asked for {action}: the station answered with an error."),
}


def _order(fact: OrderSettled, entry: Entry) -> list[Said]:
    """Somebody asked the station for something."""
    became = BECAME.get(fact.outcome, BECAME[Outcome.ERROR])
    return [(K.ORDER, became.filled(who=fact.by, action=fact.action), "")]


def _alarm(fact: Alarmed, entry: Entry) -> list[Said]:
    return [(K.ALARM, retold(fact.summary), "")]


TOPICS: Mapping[Topic, Phrase] = {
    Topic.DATA: phrase("data"),
    Topic.DIAGNOSTICS: phrase("diagnostics"),
    Topic.FIRMWARE: phrase("firmware"),
    Topic.LOG: phrase("log"),
    Topic.SECURITY: phrase("security"),
    Topic.CERTIFICATE_REQUEST: phrase("certificate request"),
    Topic.CERTIFICATE_EV: phrase("certificate ev"),
    Topic.CERTIFICATE_STATUS: phrase("certificate status"),
    Topic.CHARGING_LIMIT: phrase("charging limit"),
    Topic.CHARGING_NEEDS: phrase("charging needs"),
    Topic.CHARGING_PROFILES: phrase("charging profiles"),
    Topic.CHARGING_SCHEDULE: phrase("charging schedule"),
    Topic.CUSTOMER_INFORMATION: phrase("customer information"),
    Topic.DISPLAY_MESSAGES: phrase("display messages"),
    Topic.EVENT: phrase("event"),
    Topic.MONITORING: phrase("monitoring"),
    Topic.INVENTORY: phrase("inventory"),
    Topic.RESERVATION: phrase("reservation"),
    Topic.OTHER: phrase("other"),
}


def _report(fact: Reported, entry: Entry) -> list[Said]:
    return [(K.REPORT, phrase("The station reported ({topic}).", topic=TOPICS[fact.topic]), fact.summary)]


def _garbled(fact: Garbled, entry: Entry) -> list[Said]:
    return [(K.REPORT, phrase("The station sent something that could not be read."), retold(fact.problem))]


TELLERS: Mapping[type[Fact], tuple[Callable[[Any, Entry], list[Said]], ...]] = {
    SessionOpened: (_start,),
    SessionEnded: (_stop,),
    SessionEstimated: (_estimate,),
    SignaturesChecked: (_checked,),
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


def _kw(power_w: Decimal) -> Figure:
    """W as kW with one decimal."""
    return Figure(power_w / 1000, 1, "kW")
