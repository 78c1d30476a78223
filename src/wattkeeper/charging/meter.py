"""Readings in canonical units: the energy of a session, its gaps, rollbacks and segments.

A `Track` is the fold of a session's readings in the order of their instants. Energy is what the register rose by;
a register that restarts begins a new segment, one that merely dips counts on from where it had been. Whatever looks
wrong is a `Finding` with its evidence; the figure itself is never corrected in silence.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Context as DecimalContext
from decimal import Decimal
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from wattkeeper.charging.metering.flow import Kind, between
from wattkeeper.charging.money.exact import HOUR_S, divided, seconds
from wattkeeper.charging.reading import Context, Reading

ZERO = Decimal(0)
GAP = timedelta(minutes=20)
"""Longer than the usual quarter of an hour between readings."""
SLACK_WH = Decimal(100)
"""What a coarse register may jump by at once."""
TOLERANCE = Decimal("1.1")
MOST_FINDINGS = 40
WIDE = DecimalContext(prec=100)
"""For products of what hostile meters tell: more digits than any of them can have."""


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something wrong or unproven: a code, when, and the figures that show it (units in their names)."""

    code: FindingCode
    at: datetime | None = None
    evidence: dict[str, str] = {}


class FindingCode(StrEnum):
    """Everything that can be found; `evidence` gives each its weight and its words."""

    IMPORTED = "imported"
    START_MISSING = "start_missing"
    END_ESTIMATED = "end_estimated"
    END_CONFLICT = "end_conflict"
    UNAUTHORISED = "unauthorised"
    OTHER_TOKEN_AT_END = "other_token_at_end"
    CLOCK_REVERSED = "clock_reversed"
    CLOCK_AHEAD = "clock_ahead"
    MESSAGES_MISSING = "messages_missing"
    TOLD_OFFLINE = "told_offline"
    STATION_DEVIATES = "station_deviates"
    READINGS_AFTER_END = "readings_after_end"
    READINGS_CONTRADICT = "readings_contradict"
    NO_REGISTER = "no_register"
    FROM_INTERVALS = "from_intervals"
    BASELINE_LATE = "baseline_late"
    END_UNREAD = "end_unread"
    REGISTER_ROLLBACK = "register_rollback"
    REGISTER_RESET = "register_reset"
    REGISTER_RETURNED = "register_returned"
    ZERO_BASELINE = "zero_baseline"
    LIFETIME_REGISTER = "lifetime_register"
    IMPLAUSIBLE_POWER = "implausible_power"
    REGISTER_SCALE = "register_scale"
    POWER_MISMATCH = "power_mismatch"
    GAP = "gap"
    EXPORTED = "exported"
    SIGNED_UNCHECKED = "signed_unchecked"
    SIGNATURE_MISSING = "signature_missing"
    SIGNATURE_INVALID = "signature_invalid"
    SIGNATURE_FOREIGN = "signature_foreign"
    SIGNATURE_REPLAYED = "signature_replayed"
    SIGNED_FOR_ANOTHER = "signed_for_another"
    SIGNED_FAULT = "signed_fault"
    SIGNED_OUT_OF_ORDER = "signed_out_of_order"
    SIGNED_OUT_OF_TIME = "signed_out_of_time"
    SIGNED_OTHERWISE = "signed_otherwise"


class Mark(msgspec.Struct, frozen=True):
    """The register at an instant, Wh."""

    at: datetime
    wh: Decimal


class Track(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a session's readings come to so far."""

    count: int = 0
    first: Mark | None = None
    last: Mark | None = None
    """The newest register."""
    last_at: datetime | None = None
    """The newest instant of any reading."""
    base_wh: Decimal = ZERO
    """Where the present segment of the register began."""
    high_wh: Decimal = ZERO
    """The highest register in the present segment."""
    done_wh: Decimal = ZERO
    """Energy of the segments before."""
    left_wh: Decimal | None = None
    """Where the register stood before it restarted, until it comes back there."""
    intervals_wh: Decimal | None = None
    power_w: Decimal | None = None
    """Power at the newest reading that told it, or that its current and voltage come to."""
    power_at: datetime | None = None
    peak_w: Decimal | None = None
    peak_at: datetime | None = None
    integral_wh: Decimal = ZERO
    """Power summed over time, from the first reading that told it to the newest."""
    integral_from_wh: Decimal = ZERO
    """Energy delivered when that sum began."""
    integral_to_wh: Decimal = ZERO
    """Energy delivered at the newest reading that told power: the difference is what the sum should be."""
    soc_first: Decimal | None = None
    soc_last: Decimal | None = None
    charging_s: Decimal = ZERO
    """Seconds in which energy flowed (`flow.between`)."""
    parking_s: Decimal = ZERO
    """Seconds in which the car was idle."""
    parks: bool = False
    """Whether the newest of these spans was parking."""
    signed: int = 0
    exported_wh: Decimal | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def energy_wh(self) -> Decimal | None:
        """Energy delivered, Wh: by the register, else by summed intervals; None where nothing told it."""
        if self.first is None:
            return self.intervals_wh
        return self.done_wh + self.high_wh - self.base_wh


def figure(value: Decimal) -> str:
    """A figure of evidence, the same for every way of writing one value: without exponent or trailing zeros."""
    return f"{value.normalize():f}"


def power_of(reading: Reading) -> Decimal | None:
    """Active power of a reading, W; from current and voltage where it does not say (unity power factor)."""
    if reading.power_w is not None:
        return reading.power_w
    volts = reading.voltage_v or reading.voltage_l1_v
    phases = [a for a in (reading.current_l1_a, reading.current_l2_a, reading.current_l3_a) if a is not None]
    if volts is None or not (phases or reading.current_a is not None):
        return None
    return volts * (sum(phases, ZERO) if phases else reading.current_a or ZERO)


def extend(track: Track, reading: Reading, max_power_w: Decimal) -> Track:
    """The track with one more reading, later than all before; ``max_power_w`` is the most the EVSE can deliver, W."""
    power = power_of(reading)
    changes: dict[str, object] = {"count": track.count + 1, "last_at": reading.at}
    findings: list[Finding] = []
    if reading.energy_wh is not None:
        _register(track, Mark(reading.at, reading.energy_wh), reading.context, max_power_w, changes, findings)
        _span(track, reading, power, changes)
    _beside(track, reading, changes)
    if power is not None:
        _power(track, reading.at, power, replace(track, **changes).energy_wh or ZERO, changes)
    if track.last_at is not None and reading.at - track.last_at > GAP:
        findings.append(_gap(track, reading))
    if findings and len(track.findings) < MOST_FINDINGS:
        changes["findings"] = track.findings + tuple(findings)
    return replace(track, **changes)


def _register(
    track: Track, mark: Mark, context: Context, max_power_w: Decimal, changes: dict[str, object], found: list[Finding]
) -> None:
    """Carry the register on: within its segment, over a dip, or into a new segment."""
    changes["last"] = mark
    last = track.last
    if last is None:
        changes.update(first=mark, base_wh=mark.wh, high_wh=mark.wh)
        return
    if mark.wh < last.wh:
        _fallen(track, last, mark, changes, found)
        return
    if mark.wh > track.high_wh:
        changes["high_wh"] = mark.wh
    if track.left_wh is not None and mark.wh >= track.left_wh:
        changes["left_wh"] = None
        evidence = {"left_wh": figure(track.left_wh), "to_wh": figure(mark.wh)}
        found.append(Finding(FindingCode.REGISTER_RETURNED, mark.at, evidence))
    lasting_s = seconds(mark.at - last.at)
    if mark.wh - track.high_wh > divided(max_power_w * TOLERANCE * lasting_s, HOUR_S) + SLACK_WH:
        found.append(_leap(track, Mark(last.at, track.high_wh), mark, lasting_s, context))


def _span(track: Track, reading: Reading, power_w: Decimal | None, changes: dict[str, object]) -> None:
    """Carry on how long energy flowed, and how long it could have but did not (OCPI TIME, PARKING_TIME)."""
    last = track.last
    if last is None:
        return
    kind, lasting_s = between(last.wh, reading, power_w), seconds(reading.at - last.at)
    if kind is Kind.CHARGING:
        changes.update(charging_s=track.charging_s + lasting_s, parks=False)
    elif kind is Kind.PARKING:
        changes.update(parking_s=track.parking_s + lasting_s, parks=True)


def _fallen(track: Track, last: Mark, mark: Mark, changes: dict[str, object], found: list[Finding]) -> None:
    """A register went down: a restart of the register, or a dip."""
    evidence = {"from_wh": figure(last.wh), "to_wh": figure(mark.wh), "since": last.at.isoformat()}
    if 0 <= mark.wh * 2 < (track.base_wh or track.high_wh):
        changes.update(done_wh=track.done_wh + track.high_wh - track.base_wh, base_wh=mark.wh, high_wh=mark.wh)
        changes["left_wh"] = track.high_wh
        found.append(Finding(FindingCode.REGISTER_RESET, mark.at, evidence))
    else:
        found.append(Finding(FindingCode.REGISTER_ROLLBACK, mark.at, evidence))


def _leap(track: Track, last: Mark, mark: Mark, lasting_s: Decimal, context: Context) -> Finding:
    """What counts rose by more than the station can deliver; says which kind of mistake it looks like."""
    rise = mark.wh - last.wh
    watts = divided(rise * HOUR_S, lasting_s).quantize(Decimal(1)) if lasting_s > 0 else None
    evidence = {"from_wh": figure(last.wh), "to_wh": figure(mark.wh), "seconds": figure(lasting_s)}
    if watts is not None:
        evidence["power_w"] = figure(watts)
    if last.wh == 0 and track.first is not None and track.first.at == last.at:
        return Finding(FindingCode.ZERO_BASELINE, mark.at, evidence)
    if context is Context.END and mark.wh > 10 * max(last.wh, Decimal(1000)):
        return Finding(FindingCode.LIFETIME_REGISTER, mark.at, evidence)
    return Finding(FindingCode.IMPLAUSIBLE_POWER, mark.at, evidence)


def _power(track: Track, at: datetime, power: Decimal, energy: Decimal, changes: dict[str, object]) -> None:
    """Carry power on: newest, peak, its sum over time and the energy told meanwhile."""
    changes.update(power_w=power, power_at=at, integral_to_wh=energy)
    if track.power_at is None:
        changes["integral_from_wh"] = energy
    if track.peak_w is None or power > track.peak_w:
        changes.update(peak_w=power, peak_at=at)
    if track.power_w is not None and track.power_at is not None:
        lasting_s = seconds(at - track.power_at)
        area = divided((track.power_w + power) * lasting_s, 2 * HOUR_S)
        changes["integral_wh"] = track.integral_wh + area.quantize(Decimal("0.001"), context=WIDE)


def _beside(track: Track, reading: Reading, changes: dict[str, object]) -> None:
    """Carry on what is told beside register and power."""
    if reading.interval_wh is not None:
        changes["intervals_wh"] = (track.intervals_wh or ZERO) + reading.interval_wh
    if reading.soc_percent is not None:
        changes["soc_last"] = reading.soc_percent
        if track.soc_first is None:
            changes["soc_first"] = reading.soc_percent
    if reading.signed:
        changes["signed"] = track.signed + 1
    if reading.export_wh is not None:
        changes["exported_wh"] = reading.export_wh


def _gap(track: Track, reading: Reading) -> Finding:
    """Nothing was read for long."""
    since = track.last_at or reading.at
    evidence = {"since": since.isoformat(), "seconds": str((reading.at - since) // timedelta(seconds=1))}
    if reading.energy_wh is not None and track.last is not None and reading.energy_wh >= track.last.wh:
        evidence["rise_wh"] = figure(reading.energy_wh - track.last.wh)
    return Finding(FindingCode.GAP, reading.at, evidence)


def fold(readings: Iterable[Reading], max_power_w: Decimal) -> Track:
    """The track of readings in ascending order of their instants."""
    track = Track()
    for reading in readings:
        track = extend(track, reading, max_power_w)
    return track


_VALUES = tuple(f for f in Reading.__struct_fields__ if f not in ("at", "context", "signed", "rest"))
_WEIGHT = {Context.BEGIN: 3, Context.END: 3, Context.PERIODIC: 1}


def merge(one: Reading, other: Reading) -> Reading:
    """Two tellings of one instant as one reading, the same whichever came first: what either says, else the greater."""
    changes: dict[str, object] = {}
    for name in _VALUES:
        mine, theirs = getattr(one, name), getattr(other, name)
        if theirs is not None and (mine is None or theirs > mine):
            changes[name] = theirs
    if _heavier(other.context, one.context):
        changes["context"] = other.context
    if other.signed and not one.signed:
        changes["signed"] = True
    if other.rest and other.rest != one.rest:
        union = {*one.rest, *other.rest}
        changes["rest"] = tuple(sorted(union, key=lambda s: (s.measurand, s.phase or "", s.location or "", s.value)))
    return replace(one, **changes) if changes else one


def _heavier(one: Context, other: Context) -> bool:
    """Whether a context says more about an instant than another."""
    return (_WEIGHT.get(one, 2), one.value) > (_WEIGHT.get(other, 2), other.value)


def gathered(readings: Iterable[Reading]) -> list[Reading]:
    """Readings in the order of their instants, one for each instant."""
    by_instant: dict[datetime, Reading] = {}
    for reading in readings:
        known = by_instant.get(reading.at)
        by_instant[reading.at] = reading if known is None else merge(known, reading)
    return [by_instant[at] for at in sorted(by_instant)]
