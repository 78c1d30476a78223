"""What one pays from now on: the unit prices that hold at the end of what was used so far, and when they change.

A station that counts along between our figures needs them. The money itself is `bill.price` alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from wattkeeper.charging.metering.flow import Kind
from wattkeeper.charging.money.exact import ZERO
from wattkeeper.charging.money.pieces import Piece, Rule, pieces
from wattkeeper.charging.money.tariffs.clock import Turns
from wattkeeper.charging.money.tariffs.tariff import Dimension, Tariff, with_tax
from wattkeeper.charging.money.usage import Interval, Usage
from wattkeeper.charging.session import Session

AHEAD = timedelta(days=1)
"""How far ahead it is looked for a change by the clock."""
TICK = timedelta(microseconds=1)
PLACES = 4
"""How many places unit prices are told to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPrices:
    """What is paid by the unit, with tax, in the currency's major unit; None: nothing."""

    kwh: Decimal | None = None
    hour: Decimal | None = None
    """For an hour of charging."""
    flat: Decimal | None = None
    """Once for the session."""
    idle_hour: Decimal | None = None
    """For an hour plugged in without charging."""
    idle_grace_min: int | None = None
    """How many minutes of that are free."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The prices that hold now, and what changes them."""

    prices: UnitPrices
    changes_at: datetime | None = None
    """When the clock changes them next, within a day."""
    then: UnitPrices | None = None
    """What holds from that instant."""
    changes_at_wh: Decimal | None = None
    """At which energy of the session they may change next, Wh."""


def standing(session: Session, tariff: Tariff, now: datetime) -> Standing:
    """The prices that hold for a session at an instant, after what it has used."""
    at = max(now, session.started_at)
    prices = _prices(session, tariff, at)
    later = ((turn, _prices(session, tariff, turn)) for turn in Turns(tariff).within(at, at + AHEAD))
    changes_at, then = next(((turn, found) for turn, found in later if found != prices), (None, None))
    used = session.energy_wh or ZERO
    bounds = (bound for one in tariff.elements for bound in one.restrictions.energies if bound is not None)
    above = min((bound for bound in bounds if bound > used), default=None)
    return Standing(prices=prices, changes_at=changes_at, then=then, changes_at_wh=above)


def _prices(session: Session, tariff: Tariff, at: datetime) -> UnitPrices:
    """The prices for the very next moment: of charging, and of idle time once its grace is over."""
    charging, idle = _piece(session, tariff, at, Kind.CHARGING), _piece(session, tariff, at, Kind.PARKING)
    waited = replace(idle.now, idle=AHEAD)
    parked = next((one for one in idle.rules.get(Dimension.PARKING_TIME, ()) if one.holds(waited)), None)
    idle_hour = _told(parked, tariff, at)
    grace_s = parked.when.min_idle_s if parked is not None and idle_hour is not None else None
    return UnitPrices(
        kwh=_told(charging.rule(Dimension.ENERGY), tariff, at),
        hour=_told(charging.rule(Dimension.TIME), tariff, at),
        flat=_told(charging.rule(Dimension.FLAT), tariff, at),
        idle_hour=idle_hour,
        idle_grace_min=None if not grace_s else grace_s // 60,
    )


def _piece(session: Session, tariff: Tariff, at: datetime, kind: Kind) -> Piece:
    """A moment of a kind that follows what was used."""
    before = Interval(kind=Kind.OTHER, since=session.started_at, until=at, energy_wh=session.energy_wh or ZERO)
    power = session.track.power_w if kind is Kind.CHARGING else ZERO
    moment = Interval(kind=kind, since=at, until=at + TICK, power_w=power)
    *_, piece = pieces(Usage(intervals=(before, moment), started_at=session.started_at), tariff)
    return piece


def _told(rule: Rule | None, tariff: Tariff, at: datetime) -> Decimal | None:
    """A price with the tax of the day; None where nothing is paid."""
    if rule is None or not rule.component.price:
        return None
    dated = replace(rule.component, vat_percent=tariff.vat_of(rule.component, at.astimezone(tariff.zone).date()))
    return round(with_tax(dated, tariff), PLACES).normalize()
