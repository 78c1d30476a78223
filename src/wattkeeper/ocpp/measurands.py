"""Which column a sampled value belongs to and what brings it to that column's unit (1.6 7.31, 7.41 to 7.43)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, auto
from functools import lru_cache
from typing import Final, NamedTuple

from wattkeeper.charging.deviation import Deviation
from wattkeeper.charging.reading import Context
from wattkeeper.ocpp.wire.text import fold

DEFAULT_MEASURAND: Final = "Energy.Active.Import.Register"
DEFAULT_LOCATION: Final = "Outlet"
LARGEST_MULTIPLIER: Final = 12


class Quantity(Enum):
    """What is measured, whatever the unit."""

    ENERGY = auto()
    POWER = auto()
    CURRENT = auto()
    VOLTAGE = auto()
    PERCENT = auto()
    TEMPERATURE = auto()


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit: canonical = (value + before) * factor + after."""

    quantity: Quantity
    factor: Decimal = Decimal(1)
    before: Decimal = Decimal(0)
    after: Decimal = Decimal(0)

    def canonical(self, value: Decimal) -> Decimal:
        """The value in Wh, W, A, V, percent or degrees Celsius."""
        if self.quantity is Quantity.TEMPERATURE:
            return ((value + self.before) * self.factor + self.after).quantize(_THOUSANDTH)
        return value * self.factor


@dataclass(frozen=True, slots=True)
class Measurand:
    """A measurand with columns of its own."""

    quantity: Quantity
    column: str
    phases: tuple[str, str, str] | None = None
    """The columns of the three phases."""
    summed: bool = False
    """Whether the phases add up to the column."""
    locations: frozenset[str] | None = frozenset({DEFAULT_LOCATION})
    """Where it may be measured to be meant by the column; None for anywhere."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """What makes a value canonical, where it is not yet."""

    scale: Decimal
    """What undoes the multiplier of 2.x."""
    unit: Unit | None

    def canonical(self, value: Decimal) -> Decimal:
        """The scaled value in the unit of its column."""
        return value if self.unit is None else self.unit.canonical(value)


class Spot(NamedTuple):
    """Where a sampled value belongs, told from the words around it."""

    column: str | None
    """The column of `Reading`; None where it has none."""
    phase: int
    """1 to 3 where the value is one phase of the column's sum, else 0."""
    conversion: Conversion | None
    """None where the value is canonical as it stands."""
    context: Context
    signed: bool
    codes: tuple[Deviation, ...]
    words: tuple[str, str, str | None, str | None]
    """Measurand, unit, phase and location in the standard's words where it has them, else the station's."""


_ONE = Decimal(1)
_THOUSANDTH = Decimal("0.001")
_KILO, _MEGA, _MILLI = Decimal(1000), Decimal(10) ** 6, Decimal("0.001")

MEASURANDS: Mapping[str, Measurand] = {
    DEFAULT_MEASURAND: Measurand(Quantity.ENERGY, "energy_wh", summed=True),
    "Energy.Active.Export.Register": Measurand(Quantity.ENERGY, "export_wh", summed=True),
    "Energy.Active.Import.Interval": Measurand(Quantity.ENERGY, "interval_wh", summed=True),
    "Power.Active.Import": Measurand(Quantity.POWER, "power_w", summed=True),
    "Power.Offered": Measurand(Quantity.POWER, "offered_w", summed=True),
    "Current.Import": Measurand(Quantity.CURRENT, "current_a", ("current_l1_a", "current_l2_a", "current_l3_a")),
    "Current.Offered": Measurand(Quantity.CURRENT, "offered_a"),
    "Voltage": Measurand(Quantity.VOLTAGE, "voltage_v", ("voltage_l1_v", "voltage_l2_v", "voltage_l3_v")),
    "SoC": Measurand(Quantity.PERCENT, "soc_percent", locations=None),
    "Temperature": Measurand(Quantity.TEMPERATURE, "temperature_c", locations=frozenset({DEFAULT_LOCATION, "Body"})),
}
_FOLDED_MEASURANDS: Mapping[str, str] = {fold(name): name for name in MEASURANDS}

_UNITS: Mapping[str, Unit] = {
    "Wh": Unit(Quantity.ENERGY),
    "kWh": Unit(Quantity.ENERGY, _KILO),
    "W": Unit(Quantity.POWER),
    "kW": Unit(Quantity.POWER, _KILO),
    "A": Unit(Quantity.CURRENT),
    "V": Unit(Quantity.VOLTAGE),
    "Percent": Unit(Quantity.PERCENT),
    "Celsius": Unit(Quantity.TEMPERATURE),
    # the 1.6 schemas list this spelling too
    "Celcius": Unit(Quantity.TEMPERATURE),
    "Fahrenheit": Unit(Quantity.TEMPERATURE, Decimal(5) / Decimal(9), before=Decimal(-32)),
    "K": Unit(Quantity.TEMPERATURE, after=Decimal("-273.15")),
}
_ODD_UNITS: Mapping[str, Unit] = {
    "MWh": Unit(Quantity.ENERGY, _MEGA),
    "mWh": Unit(Quantity.ENERGY, _MILLI),
    "MW": Unit(Quantity.POWER, _MEGA),
    "mW": Unit(Quantity.POWER, _MILLI),
    "kA": Unit(Quantity.CURRENT, _KILO),
    "mA": Unit(Quantity.CURRENT, _MILLI),
    "kV": Unit(Quantity.VOLTAGE, _KILO),
    "mV": Unit(Quantity.VOLTAGE, _MILLI),
}
"""Units that only case tells apart; no standard lists them."""
_FOLDED_UNITS: Mapping[str, Unit] = {fold(name): unit for name, unit in _UNITS.items()} | {
    "watthour": _UNITS["Wh"],
    "watt": _UNITS["W"],
    "amp": _UNITS["A"],
    "amps": _UNITS["A"],
    "ampere": _UNITS["A"],
    "volt": _UNITS["V"],
    "volts": _UNITS["V"],
    "%": _UNITS["Percent"],
    "c": _UNITS["Celsius"],
    "°c": _UNITS["Celsius"],
    "degc": _UNITS["Celsius"],
    "f": _UNITS["Fahrenheit"],
    "°f": _UNITS["Fahrenheit"],
    "kelvin": _UNITS["K"],
}
_PREFERRED: Mapping[Quantity, str] = {
    Quantity.ENERGY: "Wh",
    Quantity.POWER: "W",
    Quantity.CURRENT: "A",
    Quantity.VOLTAGE: "V",
    Quantity.PERCENT: "Percent",
    Quantity.TEMPERATURE: "Celsius",
}
_PHASES: Mapping[str, int] = {"L1": 1, "L2": 2, "L3": 3, "L1-N": 1, "L2-N": 2, "L3-N": 3}
_CONTEXTS: Mapping[str, Context] = {
    "Transaction.Begin": Context.BEGIN,
    "Transaction.End": Context.END,
    "Sample.Periodic": Context.PERIODIC,
    "Sample.Clock": Context.CLOCK,
    "Trigger": Context.TRIGGER,
    "Interruption.Begin": Context.INTERRUPTION_BEGIN,
    "Interruption.End": Context.INTERRUPTION_END,
    "Other": Context.OTHER,
}


@lru_cache(maxsize=4096)
def spot(
    measurand: str | None,
    phase: str | None,
    location: str | None,
    unit: str | None,
    multiplier: object,
    context: str | None,
    form: str | None,
) -> Spot:
    """Where a value with these words belongs; absent or empty words mean the standard's defaults."""
    codes: list[Deviation] = []
    measurand, phase = _named(measurand or DEFAULT_MEASURAND, phase or None, codes)
    location = location or DEFAULT_LOCATION
    known = MEASURANDS.get(measurand)
    meant = _unit(known, unit or None, codes)
    scale = _scale(multiplier, codes)
    column, part = _column(known, phase, location) if meant and scale else (None, 0)
    return Spot(
        column,
        part,
        _conversion(scale or _ONE, meant),
        _CONTEXTS.get(context or "Sample.Periodic", Context.OTHER),
        form == "SignedData",
        tuple(codes),
        (measurand, unit or (_PREFERRED[known.quantity] if known else ""), phase, _told(location)),
    )


def _scale(multiplier: object, codes: list[Deviation]) -> Decimal | None:
    """Ten to the multiplier; None (and noted) where that is no sane number."""
    if not multiplier:
        return _ONE
    if type(multiplier) is int and abs(multiplier) <= LARGEST_MULTIPLIER:
        return _ONE.scaleb(multiplier)
    codes.append(Deviation.UNKNOWN_UNIT)
    return None


def _conversion(scale: Decimal, unit: Unit | None) -> Conversion | None:
    if scale == _ONE and (unit is None or unit.canonical(_ONE) == _ONE):
        return None
    return Conversion(scale, unit)


def _told(location: str) -> str | None:
    return None if location == DEFAULT_LOCATION else location


def _named(measurand: str, phase: str | None, codes: list[Deviation]) -> tuple[str, str | None]:
    """Measurand and phase; some stations write "Voltage.L1-N" for both."""
    stem, dot, tail = measurand.rpartition(".")
    if dot and tail.upper() in _PHASES and phase in {None, tail.upper()}:
        codes.append(Deviation.PHASE_IN_MEASURAND)
        measurand, phase = stem, tail.upper()
    return _FOLDED_MEASURANDS.get(fold(measurand), measurand), phase


def _unit(known: Measurand | None, unit: str | None, codes: list[Deviation]) -> Unit | None:
    """The unit to convert from; None where the measurand has no column or the unit says nothing about it."""
    if known is None:
        return None
    if unit is None:
        return _UNITS[_PREFERRED[known.quantity]]
    found = _UNITS.get(unit)
    if found is None:
        found = _ODD_UNITS.get(unit) or _FOLDED_UNITS.get(fold(unit))
        codes.append(Deviation.ODD_UNIT if found else Deviation.UNKNOWN_UNIT)
    if found is None or found.quantity is known.quantity:
        return found
    codes.append(Deviation.WRONG_UNIT)
    if known.quantity is Quantity.PERCENT:
        return _UNITS["Percent"]
    if {found.quantity, known.quantity} == {Quantity.ENERGY, Quantity.POWER}:
        # W for Wh and kW for kWh are slips of the pen; the prefix is still meant
        return Unit(known.quantity, found.factor)
    return None


def _column(known: Measurand | None, phase: str | None, location: str) -> tuple[str | None, int]:
    if known is None or (known.locations is not None and location not in known.locations):
        return None, 0
    if phase is None:
        return known.column, 0
    number = _PHASES.get(phase, 0)
    if number and known.phases is not None:
        return known.phases[number - 1], 0
    if number and known.summed:
        return known.column, number
    return (known.column, 0) if known.quantity is Quantity.PERCENT else (None, 0)
