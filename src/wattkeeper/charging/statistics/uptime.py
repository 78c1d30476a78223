"""When a port could not be used, and what part of a span it could: by NEVI's equation and without its exclusions.

A port charges one vehicle at a time (23 CFR 680.104), so it is an EVSE: of an EVSE with several connectors all must be
out. It is up while it is connected to us and neither faulted nor out of service, in use or not (680.116(b)(1)).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import groupby
from typing import NamedTuple

from wattkeeper.charging.cards.limits import counted_at
from wattkeeper.charging.facts import Connected, Disconnected, Fact, SessionOpened, StatusChanged
from wattkeeper.charging.station import ConnectorStatus

WHOLE = 0
"""The EVSE that stands for the station as a whole."""
LINE = -1
"""The EVSE under which it stands whether the station is connected."""
CONNECTED, DISCONNECTED, SESSION = "connected", "disconnected", "session"
"""What is said beside statuses: a session that begins shows that its port can be used."""
OUT = (ConnectorStatus.FAULTED.value, ConnectorStatus.UNAVAILABLE.value)
TOLD = frozenset({CONNECTED, DISCONNECTED, SESSION, *ConnectorStatus} - {ConnectorStatus.UNKNOWN})


class Cause(StrEnum):
    """Why a port could not be used; where several hold, the first of these."""

    FAULTED = "faulted"
    """The station said that it is broken."""
    UNAVAILABLE = "unavailable"
    """It was taken out of service, from here or at the station."""
    OFFLINE = "offline"
    """The station was not connected."""


class Exclusion(StrEnum):
    """Why an outage does not count, as 23 CFR 680.116(b)(3) has it; that it is so is for staff to say and to show."""

    UTILITY = "utility"
    """The electric utility's service was interrupted."""
    VEHICLE = "vehicle"
    """The vehicle was at fault."""
    MAINTENANCE = "maintenance"
    """Maintenance that was scheduled."""
    VANDALISM = "vandalism"
    DISASTER = "disaster"
    """A natural disaster."""
    HOURS = "hours"
    """Outside of the station's hours of operation."""


class Word(NamedTuple):
    """What was said of a connector, a station or its connection, and for when."""

    at: datetime
    n: int
    """The journal entry: of two words for one instant the later holds."""
    evse: int
    connector: int
    said: str
    """A status, or CONNECTED, DISCONNECTED, SESSION."""
    error: str = ""
    """The station's code."""


def word_of(n: int, received_at: datetime, fact: Fact) -> Word | None:
    """What a fact says of ports; None where nothing."""
    if isinstance(fact, StatusChanged):
        if fact.status.value not in TOLD or fact.evse < 0:
            return None
        return Word(_held(fact.at, received_at), n, fact.evse, fact.connector, fact.status.value, fact.error or "")
    if isinstance(fact, SessionOpened) and fact.evse:
        return Word(_held(fact.at, received_at), n, fact.evse, fact.connector or 1, SESSION)
    if isinstance(fact, Connected | Disconnected):
        return Word(received_at, n, LINE, 0, CONNECTED if isinstance(fact, Connected) else DISCONNECTED)
    return None


def _held(at: datetime | None, received_at: datetime) -> datetime:
    """The instant for which something holds: never after it was told, and not long before."""
    return received_at if at is None else counted_at(at, received_at)


@dataclass(frozen=True, slots=True)
class Outage:
    """A span in which a port could not be used, for one cause."""

    evse: int
    since: datetime
    until: datetime | None
    """None: it goes on."""
    cause: Cause
    error: str
    """The station's code of the fault."""
    began: datetime
    """When the port went out of use; earlier than ``since`` where it was for another cause first."""
    fault_at: datetime | None
    """The first word of a fault in it; None while none was told."""
    is_over: bool = False
    """Whether the port could be used after it."""


@dataclass(slots=True)
class Standing:
    """How a station stands: what was said last of each connector, whether it is connected, which outages go on."""

    said: dict[tuple[int, int], Word] = field(default_factory=dict)
    """By EVSE and connector."""
    is_connected: bool | None = None
    """None: nothing was told yet."""
    open: dict[int, Outage] = field(default_factory=dict)

    def hear(self, word: Word) -> None:
        """Take in a word."""
        if word.evse == LINE:
            self.is_connected = word.said == CONNECTED
        else:
            self.said[word.evse, word.connector] = word

    def why_out(self, evse: int) -> tuple[Cause, str] | None:
        """Why a port cannot be used now, and the station's code; None where it can."""
        own = [one for one in self.said.values() if one.evse == evse]
        used = max(((one.at, one.n) for one in own if one.said not in OUT), default=None)
        out = [] if used else own
        for one in self.said.values():  # what a port says of itself later holds against what was said of all
            if one.evse == WHOLE and one.said in OUT and (used is None or used < (one.at, one.n)):
                out.append(one)
        for cause in (Cause.FAULTED, Cause.UNAVAILABLE):
            told = [one.error for one in out if one.said == cause.value]
            if told:
                return cause, next(filter(None, told), "")
        return (Cause.OFFLINE, "") if self.is_connected is False else None

    def ports(self) -> list[int]:
        """The ports that were told of."""
        return sorted({evse for evse, _ in self.said if evse > WHOLE})


def outages(words: Iterable[Word], standing: Standing) -> Iterator[Outage]:
    """The outages that words end, cut short or begin, from how the station stood before; those that go on come last.

    ``standing`` follows. The same words in whichever order give the same spans, and those of a port never overlap.
    """
    for at, told in groupby(sorted(words), key=lambda word: word.at):
        for word in told:
            standing.hear(word)
        for evse in standing.ports():
            ended = _turn(standing, evse, at)
            if ended is not None:
                yield ended
    yield from (standing.open[evse] for evse in sorted(standing.open))


def _turn(standing: Standing, evse: int, at: datetime) -> Outage | None:
    """Let a port be as it stands from an instant on; gives the outage that ends there."""
    before, why = standing.open.get(evse), standing.why_out(evse)
    if before is None and why is not None:
        standing.open[evse] = Outage(evse, at, None, *why, at, at if why[0] is Cause.FAULTED else None)
        return None
    if before is None or (why is not None and why[0] is before.cause):
        return None
    del standing.open[evse]
    if why is not None:
        fault_at = before.fault_at or (at if why[0] is Cause.FAULTED else None)
        standing.open[evse] = Outage(evse, at, None, *why, before.began, fault_at)
    return replace(before, until=at, is_over=why is None)


# --- what part of a span ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Uptime:
    """How long one port, or several together, could be used in a span."""

    known_s: Decimal = Decimal(0)
    """Seconds of the span in which the port was there: since something was first told of it."""
    out_s: Decimal = Decimal(0)
    """Seconds of outage (T_outage)."""
    excluded_s: Decimal = Decimal(0)
    """Seconds of outage that do not count (T_excluded)."""
    outages: int = 0
    """How many began in it."""
    repairs: int = 0
    """How many faults ended in it."""
    repair_s: Decimal = Decimal(0)
    """From the first word of each of these faults to the first word that the port can be used, seconds."""

    def __add__(self, other: Uptime) -> Uptime:
        return Uptime(
            known_s=self.known_s + other.known_s,
            out_s=self.out_s + other.out_s,
            excluded_s=self.excluded_s + other.excluded_s,
            outages=self.outages + other.outages,
            repairs=self.repairs + other.repairs,
            repair_s=self.repair_s + other.repair_s,
        )

    @property
    def nevi(self) -> Decimal | None:
        """µ of 23 CFR 680.116(b)(3) as a share of one; None where nothing is known of the span.

        The minutes of the year are those of the span in which the port was there: 525,600 for a year of 365 days.
        """
        return None if self.known_s <= 0 else 1 - (self.out_s - self.excluded_s) / self.known_s

    @property
    def found(self) -> Decimal | None:
        """What drivers found: the share of the span in which the port could be used, with nothing excluded."""
        return None if self.known_s <= 0 else 1 - self.out_s / self.known_s

    @property
    def mean_repair(self) -> timedelta | None:
        """Mean time to repair; None where no fault ended."""
        return timedelta(seconds=int(self.repair_s / self.repairs)) if self.repairs else None
