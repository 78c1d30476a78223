"""A driver's visit: tap, plug, charge, stop, unplug; at any station, in any version."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from wattkeeper.simulator.charge import Charge, Connector, Context, Ending, Status
from wattkeeper.simulator.curve import draw
from wattkeeper.simulator.station import Station
from wattkeeper.simulator.wire import OfflineError, UnansweredError

TAP_S, PLUG_S, UNPLUG_S = 8, 15, 20
"""Simulated seconds that a driver takes for each."""
FETCH_CAR_S = 300
"""Simulated seconds until a driver comes back to a car whose charge was ended without them."""
IDLE_STRETCH = 10
"""A car that draws no more is read that many times less often."""
SOC_TELLERS = 0.25
"""The part of cars that tell their state of charge."""


class Outcome(Enum):
    """How a visit went."""

    CHARGED = "charged"
    REFUSED = "the card was refused"
    TURNED_AWAY = "no connector in service"


@dataclass(frozen=True, slots=True)
class Driver:
    """Who comes: card, energy wished for (Wh), length of stay (simulated seconds), and habits."""

    card: str
    energy_wh: int
    stay_s: float
    plugs_first: bool = False
    pulls_plug: bool = False
    called: bool = False
    """Whether the central system started the charge: nobody taps then."""
    remote_start_id: int | None = None
    """Its number for that start (2.0.1)."""


def free_connector(station: Station, number: int | None = None) -> Connector | None:
    """A connector that can take a car now: the one named, else the first."""
    fits = (one for one in station.connectors if number in (None, one.number))
    return next((one for one in fits if not one.taken and one.operative), None)


async def arrive(station: Station, driver: Driver, number: int | None = None) -> Outcome:
    """A driver comes and stays until the car is gone again."""
    connector = free_connector(station, number)
    if connector is None or not station.powered.is_set() or not station.booted:
        station.tell_human("a driver finds no connector in service and leaves")
        return Outcome.TURNED_AWAY
    connector.taken = True
    try:
        return await _visit(station, connector, driver)
    finally:
        connector.taken = False
        connector.charge = None


async def _visit(station: Station, connector: Connector, driver: Driver) -> Outcome:
    charge = _charge(station, connector, driver)
    connector.charge = charge
    if not await _tap_and_plug(station, charge, driver):
        return Outcome.REFUSED
    await station.powered.wait()
    if charge.wanted is None:
        charge.nudge.clear()
    ending, at = await _energise(station, charge, driver)
    _end(station, charge, ending, at)
    await _drive_off(station, charge, ending)
    return Outcome.CHARGED


def _charge(station: Station, connector: Connector, driver: Driver) -> Charge:
    now = station.clock.now()
    tells_soc = station.chance.random() < SOC_TELLERS
    return Charge(
        connector=connector,
        card=driver.card,
        curve=draw(driver.energy_wh, max(driver.stay_s - TAP_S - PLUG_S, 1)),
        arrived_at=now,
        leaves_at=now + timedelta(seconds=driver.stay_s),
        remote_start_id=driver.remote_start_id,
        soc_at_start=station.chance.randint(10, 60) if tells_soc else None,
    )


async def _tap_and_plug(station: Station, charge: Charge, driver: Driver) -> bool:
    """Card and plug in the order of the driver's habit; false when the card was refused."""
    if driver.plugs_first:
        await _plug(station, charge)
    if not driver.called and not await _tap(station, charge):
        if driver.plugs_first:
            _end(station, charge, Ending.DEAUTHORIZED, station.clock.now())
            await _drive_off(station, charge, Ending.UNPLUGGED)
        return False
    station.tell_card(charge)
    if not driver.plugs_first:
        await _plug(station, charge)
    return True


async def _tap(station: Station, charge: Charge) -> bool:
    await station.clock.sleep(TAP_S)
    station.tell_human("card taps", charge.connector)
    accepted = await may_charge(station, charge.card)
    if not accepted:
        station.tell_human("card refused, the driver leaves", charge.connector)
    return accepted


async def may_charge(station: Station, card: str) -> bool:
    """The central system's answer; offline, what the local list or an earlier answer says."""
    try:
        if station.online:
            station.cards[card] = await station.authorize(card)
            return station.cards[card]
    except UnansweredError:
        return False
    except OfflineError:
        pass  # the line broke in mid-question: decide as a station does that was offline before it
    return station.local_list.get(card, station.cards.get(card, False))


async def _plug(station: Station, charge: Charge) -> None:
    await station.clock.sleep(PLUG_S)
    station.show(charge.connector, Status.PREPARING)
    station.tell_plug(charge)


async def _energise(station: Station, charge: Charge, driver: Driver) -> tuple[Ending, datetime]:
    """Let energy flow and tell of it until something ends it; returns why and when."""
    next_reading = _begin(station, charge) + timedelta(seconds=station.reading_every_s)
    while True:
        full = charge.full_at()
        due = min(next_reading, charge.leaves_at, full or charge.leaves_at)
        await station.clock.until(due, charge.nudge)
        if charge.flowing_since is None:
            if not await _weather(station, charge):
                return Ending.POWER_LOSS, charge.cut_at or station.clock.now()
            next_reading = station.clock.now() + timedelta(seconds=station.reading_every_s)
        elif charge.wanted is not None:
            return charge.wanted, station.clock.now()
        elif due == charge.leaves_at:
            return (Ending.UNPLUGGED if driver.pulls_plug else Ending.LOCAL), due
        elif due == full:
            _suspend(station, charge, due)
        else:
            station.tell_reading(charge, station.sample(charge, due, Context.PERIODIC))
            stretch = IDLE_STRETCH if charge.suspended else 1
            next_reading = due + timedelta(seconds=station.reading_every_s * stretch)


def _begin(station: Station, charge: Charge) -> datetime:
    now = station.clock.now()
    # A central system that was slow to answer costs the driver time, not energy.
    charge.leaves_at = max(charge.leaves_at, now + timedelta(seconds=charge.curve.length_s + 1))
    station.tell_flow(charge)
    charge.flow(now)
    station.show(charge.connector, Status.CHARGING)
    draws = charge.curve.energy_wh > 0
    station.tell_human("charging begins" if draws else "plugged in, but the car draws nothing", charge.connector)
    if station.mishap is not None:
        station.spawn(station.mishap(station, charge))
    return now


def _suspend(station: Station, charge: Charge, at: datetime) -> None:
    charge.suspended = True
    station.tell_suspended(charge, at)
    station.show(charge.connector, Status.SUSPENDED)
    if charge.curve.energy_wh:
        station.tell_human(f"the car draws no more ({_kwh(charge.energy_wh(at))})", charge.connector)


async def _weather(station: Station, charge: Charge) -> bool:
    """Wait for the power; true when the charge goes on."""
    await station.powered.wait()
    if charge.wanted is None:
        charge.nudge.clear()
    if not station.resumes:
        return False
    cut_at, now = charge.cut_at or station.clock.now(), station.clock.now()
    cut = station.sample(charge, cut_at, Context.CUT)
    charge.flow(now)
    charge.leaves_at = max(charge.leaves_at, now + timedelta(seconds=UNPLUG_S))
    station.tell_back(charge, cut, station.sample(charge, now, Context.BACK))
    station.tell_human("charging goes on", charge.connector)
    return True


def _end(station: Station, charge: Charge, ending: Ending, at: datetime) -> None:
    charge.cut(at)
    station.tell_end(charge, ending, station.sample(charge, at, Context.END))
    charge.connector.register_wh = charge.register_wh(at)
    charge.ended_at = at
    charge.over.set()
    station.past.append(charge)
    station.tell_human(f"{ending.value}: {_kwh(charge.energy_wh(at))}", charge.connector)


async def _drive_off(station: Station, charge: Charge, ending: Ending) -> None:
    """Unplug: at once, or when the driver comes back to the car."""
    connector, clock = charge.connector, station.clock
    if ending is not Ending.UNPLUGGED:
        station.show(connector, Status.FINISHING)
        absent = ending is not Ending.LOCAL
        await clock.sleep(UNPLUG_S)
        if absent:
            await clock.until(min(charge.leaves_at, clock.now() + timedelta(seconds=FETCH_CAR_S)))
    station.show(connector, Status.AVAILABLE if connector.operative else Status.UNAVAILABLE)
    station.tell_human("unplugged", connector)


def _kwh(energy_wh: int) -> str:
    return f"{energy_wh / 1000:.2f} kWh"
