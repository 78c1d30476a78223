"""What a meter showed at one instant, in canonical units: one row for each instant."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

UNDATED = datetime(1970, 1, 1, tzinfo=UTC)
"""The `at` of a reading whose station told no readable time: the time of receipt stands for it at intake."""


class Context(StrEnum):
    """Why a reading was taken (OCPP ReadingContext)."""

    BEGIN = "begin"
    END = "end"
    PERIODIC = "periodic"
    CLOCK = "clock"
    TRIGGER = "trigger"
    INTERRUPTION_BEGIN = "interruption_begin"
    INTERRUPTION_END = "interruption_end"
    OTHER = "other"


class Sample(msgspec.Struct, frozen=True, omit_defaults=True):
    """A sampled value that has no column of its own, in the station's words but with a decimal value."""

    measurand: str
    value: Decimal
    unit: str
    phase: str | None = None
    location: str | None = None


class Reading(msgspec.Struct, frozen=True, omit_defaults=True):
    """Everything a meter showed at one instant; None where it said nothing."""

    at: datetime
    context: Context = Context.PERIODIC
    energy_wh: Decimal | None = None
    """The imported active energy register at the outlet (total of the phases), Wh."""
    export_wh: Decimal | None = None
    """The exported active energy register, Wh."""
    interval_wh: Decimal | None = None
    """Energy imported since the reading before (Energy.Active.Import.Interval), Wh."""
    power_w: Decimal | None = None
    """Active power imported, all phases, W."""
    offered_w: Decimal | None = None
    """Power offered to the vehicle, W."""
    current_a: Decimal | None = None
    """Current imported where no phase was named, A."""
    current_l1_a: Decimal | None = None
    current_l2_a: Decimal | None = None
    current_l3_a: Decimal | None = None
    offered_a: Decimal | None = None
    """Current offered to the vehicle, A."""
    voltage_v: Decimal | None = None
    """Voltage where no phase was named, V."""
    voltage_l1_v: Decimal | None = None
    voltage_l2_v: Decimal | None = None
    voltage_l3_v: Decimal | None = None
    soc_percent: Decimal | None = None
    """State of charge as the vehicle told it, 0 to 100; informative only."""
    temperature_c: Decimal | None = None
    signed: bool = False
    """Whether a signed meter value came with it (kept sealed; checked by billing)."""
    rest: tuple[Sample, ...] = ()
    """Whatever else was measured: other measurands, locations and phases."""
