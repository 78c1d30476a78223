"""What is priced of a session: stretches of time, each of one kind, with the energy that came in it.

Stretches come from the readings of a session, from a plan that nobody has driven yet, or from sums alone. How the
register is known at their ends stays with them, so that a bill can say it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import accumulate, pairwise

from wattkeeper.charging.meter import power_of
from wattkeeper.charging.metering.flow import Kind, between
from wattkeeper.charging.money.exact import ZERO, exactly, mean, per_hour, seconds, share, span_of
from wattkeeper.charging.money.stay import Pause
from wattkeeper.charging.reading import Reading
from wattkeeper.charging.session import Session, counts


class Known(StrEnum):
    """How the register is known at an instant."""

    MEASURED = "measured"
    INTERPOLATED = "interpolated"
    """Between two readings: energy is taken to come evenly."""
    ESTIMATED = "estimated"
    """Nobody measured it: a plan, or an end that was put."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A stretch of one kind in which energy is taken to come evenly."""

    kind: Kind
    since: datetime
    until: datetime
    energy_wh: Decimal = ZERO
    power_w: Decimal | None = None
    """Mean power; None: nobody knows."""
    current_a: Decimal | None = None
    """Mean current, sum of the phases; None: nobody knows."""
    register_wh: Decimal | None = None
    """The register at its start, as it counts; at its end it is higher by the energy. None: there is none."""
    since_known: Known = Known.MEASURED
    until_known: Known = Known.MEASURED

    @property
    def span(self) -> timedelta:
        """How long it is."""
        return self.until - self.since


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What is priced of a session."""

    intervals: tuple[Interval, ...] = ()
    """In the order of time; where there is none between two, nothing was measured and nothing is billed."""
    started_at: datetime | None = None
    """When the session began, from which durations count; None: with its first stretch that is not reserved."""
    expired: bool = False
    """Whether its reservation ran out without charging."""

    @property
    def energy_wh(self) -> Decimal:
        """Energy delivered, Wh."""
        return sum((one.energy_wh for one in self.intervals), ZERO)

    @property
    def charging_s(self) -> Decimal:
        """In which energy flowed, s."""
        return self.lasting_s(Kind.CHARGING)

    @property
    def parking_s(self) -> Decimal:
        """Idle within the transaction, s."""
        return self.lasting_s(Kind.PARKING)

    def lasting_s(self, kind: Kind) -> Decimal:
        """How long its stretches of a kind are together, s."""
        return seconds(sum((one.span for one in self.intervals if one.kind is kind), timedelta(0)))

    @property
    def began_at(self) -> datetime | None:
        """From when durations count."""
        first = next((one.since for one in self.intervals if one.kind is not Kind.RESERVED), None)
        return first if self.started_at is None else self.started_at

    @property
    def is_empty(self) -> bool:
        """Whether nothing flowed and nobody parked: then not even a start is billed."""
        return not any(_matters(one) for one in self.intervals if one.kind is not Kind.RESERVED)


def _matters(one: Interval) -> bool:
    """Whether a stretch makes a session one that costs something."""
    return one.energy_wh > 0 or (one.kind in (Kind.CHARGING, Kind.PARKING) and one.until > one.since)


def energy_until(used: Usage, at: datetime) -> Decimal:
    """How much of the energy of a usage came before an instant, Wh: evenly within each stretch."""
    total = ZERO
    with exactly():
        for one in used.intervals:
            if one.until <= at:
                total += one.energy_wh
            elif one.since < at:
                total += share(one.energy_wh, at - one.since, one.span)
    return total


# --- of a session ---------------------------------------------------------------------------------------------


def usage(
    session: Session,
    readings: Sequence[Reading],
    paused: Sequence[Pause] = (),
    blocked_until: datetime | None = None,
    reserved_at: datetime | None = None,
) -> Usage:
    """What is priced of a session so far; ``readings`` are all that are kept of it, in order.

    ``paused``: when its station gave no power. ``blocked_until``: how long its car blocked the connector afterwards.
    ``reserved_at``: when its EVSE was reserved for it.
    """
    counted = [reading for reading in readings if counts(session, reading)]
    with exactly():
        has_register = any(reading.energy_wh is not None for reading in counted)
        intervals = [*(_registered(counted) if has_register else _summed(counted))]
        if paused:
            intervals = [part for one in intervals for part in _without(one, paused)]
    before = () if reserved_at is None else _plain(Kind.RESERVED, reserved_at, session.started_at)
    after: tuple[Interval, ...] = ()
    if blocked_until is not None and session.ended_at is not None:
        after = _plain(Kind.BLOCKING, session.ended_at, blocked_until)
    return Usage(intervals=(*before, *intervals, *after), started_at=session.started_at)


def _plain(kind: Kind, since: datetime, until: datetime) -> tuple[Interval, ...]:
    """A stretch without energy; none where it ends before it begins."""
    return (Interval(kind=kind, since=since, until=until, power_w=ZERO, current_a=ZERO),) if since < until else ()


def _without(one: Interval, paused: Sequence[Pause]) -> Iterator[Interval]:
    """A stretch in which the car is idle only while its station gives power."""
    edges = {edge for pause in paused for edge in (pause.since, pause.until) if edge and one.since < edge < one.until}
    for edge in sorted(edges) if one.kind is Kind.PARKING else ():
        first, one = parted(one, edge)
        yield _paused(first, paused)
    yield _paused(one, paused)


def _paused(one: Interval, paused: Sequence[Pause]) -> Interval:
    """A stretch, of no kind that is billed where it lies in a pause."""
    is_off = any(pause.since <= one.since and (pause.until is None or one.since < pause.until) for pause in paused)
    return replace(one, kind=Kind.OTHER) if is_off and one.kind is Kind.PARKING else one


def _registered(readings: Iterable[Reading]) -> Iterator[Interval]:
    """The stretches between registers; energy counts as `meter.extend` counts it.

    A register that stands still only because it counts in coarse steps, while power flows, is no news: its stretch
    goes on to the next that rises.
    """
    told = [reading for reading in readings if reading.energy_wh is not None]
    base = high = told[0].energy_wh or ZERO if told else ZERO
    waits: Reading | None = None
    for before, reading in pairwise(told):
        was, now = before.energy_wh or ZERO, reading.energy_wh or ZERO
        kind = between(was, reading, power_of(reading))
        if kind is Kind.CHARGING and now == was:
            waits = waits or before
            continue
        if waits is not None and kind is not Kind.CHARGING:
            yield _stretch(Kind.CHARGING, waits, before, high, high)
        start = waits if waits is not None and kind is Kind.CHARGING else before
        if now < was and 0 <= now * 2 < (base or high):
            base = high = now
        yield _stretch(kind, start, reading, high, max(high, now))
        high, waits = max(high, now), None
    if waits is not None:
        yield _stretch(Kind.CHARGING, waits, told[-1], high, high)


def _stretch(kind: Kind, before: Reading, reading: Reading, low: Decimal, high: Decimal) -> Interval:
    """The stretch between two readings, from one register to another as they count."""
    flows = kind is Kind.CHARGING
    return Interval(
        kind=kind,
        since=before.at,
        until=reading.at,
        energy_wh=high - low,
        power_w=per_hour(high - low, reading.at - before.at),
        current_a=_current(before, reading) if flows else ZERO,
        register_wh=low,
    )


def _current(before: Reading, reading: Reading) -> Decimal | None:
    """The mean of what two readings say of the current; of what one says where the other is silent."""
    told = [one for one in (current_of(before), current_of(reading)) if one is not None]
    return mean(told[0], told[-1]) if told else None


def current_of(reading: Reading) -> Decimal | None:
    """The current of a reading, sum of the phases, A."""
    phases = [a for a in (reading.current_l1_a, reading.current_l2_a, reading.current_l3_a) if a is not None]
    return sum(phases, ZERO) if phases else reading.current_a


def _summed(readings: Sequence[Reading]) -> Iterator[Interval]:
    """The stretches of a meter that tells only what came since its last reading; what it takes back never counts."""
    told = [reading for reading in readings if reading.interval_wh is not None]
    sums = [*accumulate(reading.interval_wh or ZERO for reading in told)]
    least = [*accumulate(reversed(sums), min)][::-1]
    counted = [max(one, ZERO) for one in least]
    starts = {after.at: before.at for before, after in pairwise(readings)}
    for reading, before, after in zip(told, (ZERO, *counted), counted, strict=False):
        since = starts.get(reading.at, reading.at)
        yield Interval(kind=Kind.OTHER, since=since, until=reading.at, energy_wh=after - before)


# --- without readings -----------------------------------------------------------------------------------------


def outlined(session: Session) -> Usage:
    """What is priced of a session by its sums alone: the same money by a tariff that `is_plain`, and only by such.

    The instants are not those at which anything happened.
    """
    track, at = session.track, session.started_at
    energy_wh = max(session.energy_wh or ZERO, ZERO)
    spans = [(Kind.CHARGING, track.charging_s, energy_wh), (Kind.PARKING, track.parking_s, ZERO)]
    if not track.charging_s:
        spans[0] = (Kind.OTHER, ZERO, energy_wh)
    return Usage(intervals=tuple(_laid(at, spans if track.parks else spans[::-1])), started_at=at)


def planned(
    at: datetime, energy_wh: Decimal, charging_s: Decimal, parking_s: Decimal = ZERO, current_a: Decimal | None = None
) -> Usage:
    """A session that has not happened: charging evenly from an instant on, then idle."""
    spans = [(Kind.CHARGING, charging_s, energy_wh), (Kind.PARKING, parking_s, ZERO)]
    return Usage(intervals=tuple(_laid(at, spans, current_a)), started_at=at)


def _laid(
    at: datetime, spans: Iterable[tuple[Kind, Decimal, Decimal]], current_a: Decimal | None = None
) -> Iterator[Interval]:
    """Stretches laid one after the other."""
    for kind, lasting_s, energy_wh in spans:
        until = at + span_of(lasting_s)
        if until > at or energy_wh:
            yield Interval(
                kind=kind,
                since=at,
                until=until,
                energy_wh=energy_wh,
                power_w=per_hour(energy_wh, until - at) if until > at else None,
                current_a=current_a if kind is Kind.CHARGING else ZERO,
                since_known=Known.ESTIMATED,
                until_known=Known.ESTIMATED,
            )
        at = until


def expired(reserved_at: datetime, until: datetime) -> Usage:
    """A reservation that ran out without charging."""
    return Usage(intervals=_plain(Kind.RESERVED, reserved_at, until), expired=True)


def parted(one: Interval, at: datetime, come_wh: Decimal | None = None) -> tuple[Interval, Interval]:
    """A stretch as two at an instant within it; ``come_wh``: how much had come by then, where that is known."""
    if come_wh is None:
        come_wh = share(one.energy_wh, at - one.since, one.span)
    known = Known.ESTIMATED if Known.ESTIMATED in (one.since_known, one.until_known) else Known.INTERPOLATED
    register = None if one.register_wh is None else one.register_wh + come_wh
    first = replace(one, until=at, energy_wh=come_wh, until_known=known)
    rest_wh = one.energy_wh - come_wh
    return first, replace(one, since=at, energy_wh=rest_wh, register_wh=register, since_known=known)
