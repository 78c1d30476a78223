"""A session cut where prices may change, so that within each piece one price holds for each thing used.

Cuts by time fall on exact instants, and the energy come by then is interpolated; cuts by energy fall on exact amounts,
and their instant is interpolated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from wattkeeper.charging.metering.flow import IDLE, Kind
from wattkeeper.charging.money.exact import ZERO, moment, share
from wattkeeper.charging.money.tariffs.clock import Turns
from wattkeeper.charging.money.tariffs.restriction import Moment, Reservation, Restrictions
from wattkeeper.charging.money.tariffs.tariff import Component, Dimension, Tariff
from wattkeeper.charging.money.usage import Interval, Usage, parted

NEVER = timedelta(0)


@dataclass(frozen=True, slots=True)
class Rule:
    """One price of a tariff, and where it stands there."""

    element: int
    component: Component
    when: Restrictions
    is_measured: bool

    def holds(self, now: Moment) -> bool:
        """Whether it holds by what the session has come to."""
        return not self.is_measured or self.when.holds_by_measure(now)


Rules = dict[Dimension, tuple[Rule, ...]]
"""The prices of each dimension, in the order in which they win."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch in which one price holds for each thing used."""

    interval: Interval
    now: Moment
    """What the session has come to at its start."""
    rules: Rules
    """The prices that hold by the clock."""
    day: date
    """In the tariff's zone, at its start."""

    def rule(self, dimension: Dimension) -> Rule | None:
        """The price that holds for a dimension: the first that does."""
        return next((rule for rule in self.rules.get(dimension, ()) if rule.holds(self.now)), None)


class Course:
    """A session on its way through a tariff."""

    def __init__(self, usage: Usage, tariff: Tariff) -> None:
        self._usage = usage
        self._tariff = tariff
        self._turns = Turns(tariff)
        self._rules = {is_reserved: _rules(tariff, usage, is_reserved) for is_reserved in (False, True)}
        whens = [element.restrictions for element in tariff.elements]
        self._energies = sorted({bound for one in whens for bound in one.energies if bound is not None})
        self._lasting = sorted({timedelta(seconds=s) for one in whens for s in one.durations if s is not None})
        self._idle = sorted({timedelta(seconds=one.min_idle_s) for one in whens if one.min_idle_s is not None})
        self._found: dict[tuple[bool, date, int], tuple[Rules, date]] = {}
        self._come = ZERO
        self._idle_since: datetime | None = None

    def pieces(self) -> Iterator[Piece]:
        """The pieces, in the order of time."""
        began = self._usage.began_at
        for one in self._usage.intervals:
            origin = one.since if one.kind is Kind.RESERVED or began is None else began
            self._rest(one)
            for part in self._parts(one, origin):
                if part.span or part.energy_wh:
                    yield self._piece(part, origin)
                    self._come += part.energy_wh

    def _rest(self, one: Interval) -> None:
        """Note since when the car is idle."""
        if one.kind not in IDLE:
            self._idle_since = None
        elif self._idle_since is None:
            self._idle_since = one.since

    def _parts(self, one: Interval, origin: datetime) -> Iterator[Interval]:
        """A stretch cut at each instant and each energy at which a price may change."""
        for at, come in sorted([*self._by_time(one, origin), *self._by_energy(one)]):
            come_here = min(max(come - self._come, ZERO), one.energy_wh)
            first, one = parted(one, at, come_here)
            yield first
        yield one

    def _by_time(self, one: Interval, origin: datetime) -> Iterator[tuple[datetime, Decimal]]:
        """The instants within a stretch, each with the energy of the session by then."""
        ats = self._turns.within(one.since, one.until)
        ats += [origin + lasting for lasting in self._lasting]
        if self._idle_since is not None:
            ats += [self._idle_since + idle for idle in self._idle]
        for at in {at for at in ats if one.since < at < one.until}:
            yield at, self._come + share(one.energy_wh, at - one.since, one.span)

    def _by_energy(self, one: Interval) -> Iterator[tuple[datetime, Decimal]]:
        """The energies of the session within a stretch, each with its instant."""
        for bound in self._energies:
            if self._come < bound < self._come + one.energy_wh:
                yield one.since + moment(one.span, bound - self._come, one.energy_wh), bound

    def _piece(self, part: Interval, origin: datetime) -> Piece:
        """A part with what the session has come to, and the prices that hold."""
        is_reserved = part.kind is Kind.RESERVED
        key = (is_reserved, *self._turns.place(part.since))
        if key not in self._found:
            local = part.since.astimezone(self._tariff.zone)
            here = [rule for rule in self._rules[is_reserved] if rule.when.holds_by_clock(local)]
            self._found[key] = _by_dimension(here), local.date()
        idle = NEVER if self._idle_since is None else part.since - self._idle_since
        now = Moment(
            energy_wh=self._come,
            lasting=part.since - origin,
            idle=idle,
            power_w=part.power_w,
            current_a=part.current_a,
        )
        return Piece(part, now, *self._found[key])


def _rules(tariff: Tariff, usage: Usage, is_reserved: bool) -> tuple[Rule, ...]:
    """The prices that can hold for a session, or for its reservation, in the order in which they win.

    Of a reservation that ran out, prices for just that go first, wherever they stand (OCPI mod_tariffs,
    ReservationRestrictionType).
    """
    order: list[Reservation | None] = [None]
    if is_reserved:
        order = [*[Reservation.RESERVATION_EXPIRES] * usage.expired, Reservation.RESERVATION]
    return tuple(
        Rule(place, component, element.restrictions, element.restrictions.is_measured)
        for which in order
        for place, element in enumerate(tariff.elements)
        if element.restrictions.reservation is which
        for component in element.components
    )


def _by_dimension(rules: Iterable[Rule]) -> Rules:
    """Prices by their dimension."""
    found: Rules = {}
    for rule in rules:
        found[rule.component.dimension] = (*found.get(rule.component.dimension, ()), rule)
    return found


def pieces(usage: Usage, tariff: Tariff) -> Iterator[Piece]:
    """A session cut where the prices of a tariff may change, in the order of time."""
    return Course(usage, tariff).pieces()
