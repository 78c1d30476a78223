"""Sampled values, the same words in 1.6 and 2.x, to readings: one for each instant (1.6 7.28, 7.43)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from wattkeeper.charging.deviation import Deviation
from wattkeeper.charging.reading import UNDATED, Context, Reading, Sample
from wattkeeper.ocpp.measurands import Spot, spot
from wattkeeper.ocpp.wire.amount import amount, bounded, split_unit
from wattkeeper.ocpp.wire.moment import moment
from wattkeeper.ocpp.wire.notes import Notes
from wattkeeper.ocpp.wire.text import fold

_RANKS: Mapping[Context, int] = {
    Context.BEGIN: 0,
    Context.OTHER: 1,
    Context.PERIODIC: 2,
    Context.CLOCK: 3,
    Context.TRIGGER: 4,
    Context.INTERRUPTION_BEGIN: 5,
    Context.INTERRUPTION_END: 6,
    Context.END: 7,
}
"""Which of two values for one quantity at one instant stands: a start value that is repeated later is the older one."""


_ENERGY = "energy_wh"


class _Instant:
    """What is known of one instant while a message is read."""

    __slots__ = ("columns", "context", "parts", "rest", "signed", "taken")

    def __init__(self) -> None:
        self.columns: dict[str, Decimal] = {}
        self.taken: dict[str, tuple[Decimal, Spot]] = {}
        """For each column the value in the station's unit and its words."""
        self.parts: dict[str, dict[int, tuple[Context, Decimal]]] = {}
        """For each column that is a sum: its phases."""
        self.rest: list[Sample] = []
        self.context: Context | None = None
        """The context that ranks highest; None while nothing was read."""
        self.signed = False


def readings(meter_values: Any, notes: Notes, otherwise: datetime | None = None) -> tuple[Reading, ...]:
    """The readings of a list of MeterValue objects, in their order; undated ones get `otherwise`, or `UNDATED`."""
    instants: dict[datetime, _Instant] = {}
    for meter_value in meter_values or ():
        at = moment(meter_value.get("timestamp"), notes)
        if at is None:
            notes.add(Deviation.UNDATED_READING)
            at = otherwise or UNDATED
        instant = instants.get(at)
        if instant is None:
            instants[at] = instant = _Instant()
        for sample in meter_value.get("sampledValue") or ():
            _read(sample, instant, notes)
    return tuple([_reading(at, instant) for at, instant in instants.items() if instant.context is not None])


def last_instant(found: tuple[Reading, ...]) -> datetime | None:
    """When the last of the readings was taken; None where there is none or it is undated."""
    at = found[-1].at if found else UNDATED
    return None if at == UNDATED else at


def _read(sample: Mapping[str, Any], instant: _Instant, notes: Notes) -> None:
    get = sample.get
    value, measure = get("value"), get("unitOfMeasure")
    unit, multiplier = (get("unit"), 0) if measure is None else (measure.get("unit"), measure.get("multiplier", 0))
    if type(value) is str and value[-1:] > "9":
        value, unit = _without_tail(value, unit, notes)
    where = spot(get("measurand"), get("phase"), get("location"), unit, multiplier, get("context"), get("format"))
    column, phase, conversion, context, signed, codes, _ = where
    if signed or "signedMeterValue" in sample:
        instant.signed = True
        _count(context, instant)
    number = None if signed else amount(value, notes)
    if number is None:
        return
    if codes:
        for code in codes:
            notes.add(code)
    if context is not instant.context:
        _count(context, instant)
    if column is None or phase or conversion or column in instant.columns:
        _place(number, where, instant, notes)
    else:
        instant.columns[column] = number
        instant.taken[column] = (number, where)


def _without_tail(value: str, unit: str | None, notes: Notes) -> tuple[str, str | None]:
    """A value that carries its unit behind it ("1.5 kWh") and the unit, where no other is named."""
    tailed = split_unit(value)
    if tailed is None or (unit and fold(unit) != fold(tailed[1])):
        return value, unit
    notes.add(Deviation.ODD_NUMBER)
    return tailed


def _count(context: Context, instant: _Instant) -> None:
    if instant.context is None or _RANKS[context] > _RANKS[instant.context]:
        instant.context = context


def _place(number: Decimal, where: Spot, instant: _Instant, notes: Notes) -> None:
    """Find the place of a value that needs to be converted, is one of several, or has no column."""
    column, said = where.column, number
    if where.conversion is not None:
        told = bounded(number * where.conversion.scale, notes)
        converted = None if told is None else bounded(where.conversion.canonical(told), notes)
        if told is None or converted is None:
            return
        said, number = told, converted
    if column is None:
        instant.rest.append(_sample(said, where))
    elif where.phase:
        instant.rest.append(_sample(said, where))
        _add_part(column, where, number, instant)
    elif column not in instant.columns:
        instant.columns[column] = number
        instant.taken[column] = (said, where)
    elif instant.columns[column] != number:
        _settle_conflict(column, said, number, where, instant, notes)


def _sample(number: Decimal, where: Spot) -> Sample:
    measurand, unit, phase, location = where.words
    return Sample(measurand, number, unit, phase, location)


def _add_part(column: str, where: Spot, converted: Decimal, instant: _Instant) -> None:
    phases = instant.parts.setdefault(column, {})
    known = phases.get(where.phase)
    if known is None or _RANKS[where.context] > _RANKS[known[0]]:
        phases[where.phase] = (where.context, converted)


def _settle_conflict(
    column: str, number: Decimal, converted: Decimal, where: Spot, instant: _Instant, notes: Notes
) -> None:
    """Two values for one column: the context that ranks higher stands, else the first; the other goes to the rest."""
    first, its = instant.taken[column]
    if where.context is its.context:
        notes.add(Deviation.CONFLICTING_VALUES)
    if _RANKS[where.context] > _RANKS[its.context]:
        instant.columns[column] = converted
        instant.taken[column] = (number, where)
        number, where = first, its
    instant.rest.append(_sample(number, where))


def _reading(at: datetime, instant: _Instant) -> Reading:
    context = instant.context or Context.PERIODIC
    for column, phases in instant.parts.items():
        if column not in instant.columns:
            instant.columns[column] = sum((value for _, value in phases.values()), Decimal(0))
            if column == _ENERGY:
                context = max((said for said, _ in phases.values()), key=_RANKS.__getitem__)
    if _ENERGY in instant.taken:
        context = instant.taken[_ENERGY][1].context
    return Reading(at, context, signed=instant.signed, rest=tuple(instant.rest), **instant.columns)
