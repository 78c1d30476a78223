"""One charge at one connector: what the car has drawn, what the register shows, what a meter would read."""

from __future__ import annotations

import asyncio
import random
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Any

from wattkeeper.simulator.curve import Curve

MAINS_V = Decimal("230.0")
BATTERY_WH = 45_000


class Status(Enum):
    """What a connector is doing; each version of OCPP has its own words for it."""

    AVAILABLE = "available"
    PREPARING = "preparing"
    CHARGING = "charging"
    SUSPENDED = "suspended by the car"
    FINISHING = "finishing"
    UNAVAILABLE = "unavailable"


class Ending(Enum):
    """Why a charge ended."""

    LOCAL = "the driver stopped it"
    UNPLUGGED = "the driver pulled the plug"
    REMOTE = "stopped from afar"
    DEAUTHORIZED = "the card was refused"
    POWER_LOSS = "the power failed"
    SOFT_RESET = "the station was reset"
    HARD_RESET = "the station was reset at once"
    UNLOCKED = "the connector was unlocked"


class Measurand(StrEnum):
    """What is measured, in the words that both versions share (temperature: 1.6 alone)."""

    ENERGY = "Energy.Active.Import.Register"
    POWER = "Power.Active.Import"
    CURRENT = "Current.Import"
    VOLTAGE = "Voltage"
    SOC = "SoC"
    TEMPERATURE = "Temperature"


class Context(StrEnum):
    """Why a reading was taken, in the words that both versions share."""

    BEGIN = "Transaction.Begin"
    END = "Transaction.End"
    PERIODIC = "Sample.Periodic"
    TRIGGER = "Trigger"
    CUT = "Interruption.Begin"
    BACK = "Interruption.End"


@dataclass(frozen=True, slots=True)
class Sample:
    """One measured value in the unit named."""

    measurand: Measurand
    value: Decimal
    unit: str
    phase: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """All samples of one instant."""

    at: datetime
    context: Context
    samples: tuple[Sample, ...]


@dataclass(slots=True)
class Connector:
    """One socket with its own meter, whose register (Wh) only grows."""

    number: int
    register_wh: int
    status: Status = Status.AVAILABLE
    operative: bool = True
    taken: bool = False
    charge: Charge | None = None


@dataclass(slots=True)
class Till:
    """What the display says that a charge costs, in the words and figures that the central system told."""

    price: str | None = None
    """The price in words."""
    costs: list[Decimal] = field(default_factory=list)
    """What it cost so far, each time it was told."""
    units: dict[str, Any] = field(default_factory=dict)
    """All that was told with the newest of them (1.6)."""
    total: Decimal | None = None
    text: str | None = None
    """The total in words (1.6)."""
    link: str | None = None
    """Where the receipt is (1.6)."""

    @property
    def shows(self) -> Decimal | None:
        """The amount on the display."""
        return self.total if self.total is not None or not self.costs else self.costs[-1]


@dataclass(slots=True)
class Charge:
    """What happens between a car and a connector, from the driver's arrival until the end of the transaction."""

    connector: Connector
    card: str
    curve: Curve
    arrived_at: datetime
    leaves_at: datetime
    remote_start_id: int | None = None
    soc_at_start: int | None = None
    transaction_id: int | None = None
    reference: str = field(default_factory=lambda: str(uuid.uuid4()))
    events: int = 0
    begun: bool = False
    begin: Reading | None = None
    message: str | None = None
    till: Till = field(default_factory=Till)
    wanted: Ending | None = None
    ended_at: datetime | None = None
    nudge: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    register_start_wh: int = 0
    drawn_s: float = 0.0
    flowing_since: datetime | None = None
    cut_at: datetime | None = None
    suspended: bool = False

    def __post_init__(self) -> None:
        self.register_start_wh = self.connector.register_wh

    def flow(self, at: datetime) -> None:
        """Let energy flow from that instant."""
        self.flowing_since = at

    def cut(self, at: datetime) -> None:
        """Stop the flow at that instant; what was drawn stays drawn."""
        self.drawn_s = self.drawn_by_s(at)
        self.flowing_since = None
        self.cut_at = at

    def drawn_by_s(self, at: datetime) -> float:
        """Seconds of the curve that have passed by that instant."""
        if self.flowing_since is None:
            return self.drawn_s
        return self.drawn_s + max((at - self.flowing_since).total_seconds(), 0.0)

    def energy_wh(self, at: datetime) -> int:
        """Energy of this charge by that instant, Wh."""
        return self.curve.energy_at_wh(self.drawn_by_s(at))

    def register_wh(self, at: datetime) -> int:
        """What the connector's register shows at that instant, Wh."""
        return self.register_start_wh + self.energy_wh(at)

    def full_at(self) -> datetime | None:
        """The instant at which the car stops drawing, if energy flows."""
        if self.flowing_since is None or self.suspended:
            return None
        # One millisecond more, so that rounding cannot leave the last watt-hour undrawn.
        left_s = self.curve.length_s - self.drawn_s
        return self.flowing_since + timedelta(seconds=max(left_s, 0.0), milliseconds=1)

    def want(self, ending: Ending) -> None:
        """Ask for the end of this charge; the first wish counts."""
        self.wanted = self.wanted or ending
        self.nudge.set()

    def next_event(self) -> int:
        """The sequence number of the next event, from 0."""
        self.events += 1
        return self.events - 1


def read(charge: Charge, at: datetime, context: Context, chance: random.Random) -> Reading:
    """What the meter shows at that instant: register, power, current and voltage by phase, and what the car tells."""
    power_w = Decimal(0)
    if charge.flowing_since is not None:
        power_w = Decimal(round(charge.curve.power_w(charge.drawn_by_s(at))))
    samples = [
        Sample(Measurand.ENERGY, Decimal(charge.register_wh(at)), "Wh"),
        Sample(Measurand.POWER, power_w, "W"),
        *_by_phase(power_w, charge.curve.phases, chance),
    ]
    if charge.soc_at_start is not None:
        samples.append(Sample(Measurand.SOC, _soc(charge, at), "Percent"))
    warmth = Decimal(18) + power_w / 500
    samples.append(Sample(Measurand.TEMPERATURE, warmth.quantize(Decimal("0.1")), "Celsius"))
    return Reading(at, context, tuple(samples))


def _by_phase(power_w: Decimal, phases: int, chance: random.Random) -> list[Sample]:
    samples = []
    for phase in (f"L{number}" for number in range(1, phases + 1)):
        volts = MAINS_V + Decimal(chance.randint(-25, 25)) / 10
        amperes = (power_w / phases / volts).quantize(Decimal("0.01"))
        samples.append(Sample(Measurand.CURRENT, amperes, "A", phase))
        samples.append(Sample(Measurand.VOLTAGE, volts, "V", f"{phase}-N"))
    return samples


def _soc(charge: Charge, at: datetime) -> Decimal:
    start = charge.soc_at_start or 0
    return min(Decimal(start) + Decimal(100 * charge.energy_wh(at) // BATTERY_WH), Decimal(100))
