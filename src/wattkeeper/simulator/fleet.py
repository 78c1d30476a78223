"""A fleet of simulated stations that replays real sessions until it is cancelled."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from wattkeeper.simulator.charge import Connector
from wattkeeper.simulator.clock import Clock, real_now
from wattkeeper.simulator.quirks import QuirkyStation16
from wattkeeper.simulator.replay import BUSIEST_DAY, Arrival, arrivals, load, opening_time
from wattkeeper.simulator.retelling import Kept, keep
from wattkeeper.simulator.station import Manners, Station
from wattkeeper.simulator.trouble import MISHAPS, Behaviour, Mishap
from wattkeeper.simulator.v16.telling import Station16
from wattkeeper.simulator.v201.telling import Station201
from wattkeeper.simulator.visit import Driver, arrive

HOURS = 8.0
"""Real hours of running until a sped-up clock has caught up with the present, nights not counted."""
LEAD_IN_S = 2.0
"""Real seconds between the start and the first arrival: time to boot."""
WORTH_A_LEAP = timedelta(minutes=20)
"""A pause in which no car is there and none comes for this long is skipped."""
SHORTLY_BEFORE = timedelta(minutes=1)
LOST_CARD_EVERY = 15
"""Every so many drivers first tap a card that nobody knows."""
PLUGS_FIRST, PULLS_PLUG = 0.3, 0.2
"""Parts of the drivers who plug in before they tap, and who leave without a second tap."""


class FleetError(ValueError):
    """A fleet description that cannot be run, in words."""


@dataclass(frozen=True, slots=True)
class StationPlan:
    """One station of a fleet. `key` None: it connects without credentials."""

    id: str
    key: str | None = field(repr=False)
    version: str = "1.6"
    connectors: int = 1
    behaviour: Behaviour = Behaviour.GOOD
    past: tuple[Kept, ...] = ()
    """What it tells first, as a station that was offline does: in order, 1.6 alone."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """What to run: where, how fast, with which cards (full numbers) and which stations."""

    url: str
    stations: tuple[StationPlan, ...]
    cards: tuple[str, ...] = field(repr=False)
    speed: float = 60.0
    seed: int = 1
    day: date = BUSIEST_DAY
    hours: float = HOURS
    strict: bool = False


def read_fleet(text: str) -> Fleet:
    """A fleet from its JSON description; raises `FleetError`."""
    try:
        plan = json.loads(text)
    except ValueError as error:
        raise FleetError(f"this is no fleet description: it is no JSON ({error})") from error
    try:
        stations = tuple(_station_plan(entry) for entry in plan.pop("stations"))
        cards = tuple(plan.pop("cards"))
        if "day" in plan:
            plan["day"] = date.fromisoformat(plan["day"])
        fleet = Fleet(stations=stations, cards=cards, **plan)
        if not fleet.speed >= 1:
            raise ValueError(f"speed {fleet.speed}: 1 is real time, and nothing is slower")
    except KeyError as error:
        raise FleetError(f"this is no fleet description: it has no {error}") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise FleetError(f"this is no fleet description: {error}") from error
    if not fleet.stations or not fleet.cards:
        raise FleetError("a fleet needs at least one station and one card")
    return fleet


def _station_plan(entry: dict[str, Any]) -> StationPlan:
    past = tuple(map(_kept, entry.get("past", ())))
    plan = StationPlan(**{**entry, "behaviour": Behaviour(entry.get("behaviour", "good")), "past": past})
    if plan.version not in ("1.6", "2.0.1"):
        raise ValueError(f"version {plan.version!r}: 1.6 and 2.0.1 are spoken")
    if plan.connectors not in (1, 2):
        raise ValueError(f"{plan.connectors} connectors: a station has one or two")
    if plan.behaviour is Behaviour.QUIRKY and plan.version != "1.6":
        raise ValueError("quirky stations speak 1.6")
    if past and (plan.version != "1.6" or not all(1 <= one.connector <= plan.connectors for one in past)):
        raise ValueError("what a station kept is told in 1.6, of connectors that it has")
    return plan


def _kept(entry: dict[str, Any]) -> Kept:
    times = {name: datetime.fromisoformat(entry[name]) for name in ("began", "ended")}
    return Kept(**{**entry, **times})


async def run_fleet(fleet: Fleet, say: Callable[[str], None]) -> None:
    """Run until cancelled; `say` gets one line for each thing that happens, never with a card number in it."""
    clock = Clock(start_of(fleet, real_now()), fleet.speed)
    stations = [_station(plan, fleet, clock, say) for plan in fleet.stations]
    async with asyncio.TaskGroup() as running:
        for station in stations:
            running.create_task(station.run())
        running.create_task(Replay(fleet, clock, stations).run())


def start_of(fleet: Fleet, now: datetime) -> datetime:
    """When the stations' clock starts: far enough in the past, at the time of day at which the replay opens."""
    if fleet.speed == 1:
        return now
    latest = now - timedelta(hours=fleet.hours * fleet.speed)
    midnight = latest.replace(hour=0, minute=0, second=0, microsecond=0)
    start = midnight + opening_time(fleet.day) - _lead_in(fleet)
    return start if start <= latest else start - timedelta(days=1)


def _lead_in(fleet: Fleet) -> timedelta:
    return timedelta(seconds=LEAD_IN_S * fleet.speed)


def _station(plan: StationPlan, fleet: Fleet, clock: Clock, say: Callable[[str], None]) -> Station:
    kinds: dict[str, type[Station]] = {"1.6": Station16, "2.0.1": Station201}
    kind = QuirkyStation16 if plan.behaviour is Behaviour.QUIRKY else kinds[plan.version]
    station = kind(
        plan.id,
        plan.key,
        fleet.url,
        clock,
        connectors=plan.connectors,
        chance=random.Random(f"{fleet.seed}/{plan.id}"),
        say=say,
        manners=Manners(strict=fleet.strict),
    )
    befall = MISHAPS.get(plan.behaviour)
    station.mishap = None if befall is None else Mishap(befall)
    if isinstance(station, Station16):
        for one in plan.past:
            connector = station.connectors[one.connector - 1]
            keep(station, one, connector.register_wh)
            connector.register_wh += one.energy_wh
    return station


class Replay:
    """Sends the drivers of the real days to the stations, as they came."""

    def __init__(self, fleet: Fleet, clock: Clock, stations: list[Station]) -> None:
        self._fleet, self._clock, self._stations = fleet, clock, stations
        self._chance = random.Random(fleet.seed)
        self._given_wh = {id(place): 0 for station in stations for place in station.connectors}
        self._cards: dict[str, str] = {}
        self._in_use = {one.card for plan in fleet.stations for one in plan.past}
        self._visits = 0

    async def run(self) -> None:
        """Send driver after driver, for ever."""
        async with asyncio.TaskGroup() as visits:
            visits.create_task(self._told())
            for arrival in self._arrivals():
                await self.wait_for(arrival.at)
                place = self._place()
                card = self._card(arrival.user)
                if place is not None and card is not None:
                    visits.create_task(self._visit(arrival, *place, card))
                    # The driver takes card and place before the next one looks for theirs.
                    await asyncio.sleep(0)

    async def _told(self) -> None:
        """Give the cards free whose past is told: a card charges one car at a time."""
        for station, plan in zip(self._stations, self._fleet.stations, strict=True):
            if plan.past:
                await station.outbox.emptied()
                self._in_use -= {one.card for one in plan.past}

    def _arrivals(self) -> Iterator[Arrival]:
        return arrivals(load(), self._clock.now() + _lead_in(self._fleet), self._fleet.day)

    async def wait_for(self, at: datetime) -> None:
        """Wait for an arrival; a long time in which no car is there is skipped."""
        while self._clock.now() < at:
            step = min(at, self._clock.now() + WORTH_A_LEAP)
            if step < at and not self._anyone():
                self._clock.leap(at - SHORTLY_BEFORE)
                step = at
            await self._clock.until(step)

    def _anyone(self) -> bool:
        return any(place.taken for station in self._stations for place in station.connectors)

    def _place(self) -> tuple[Station, Connector] | None:
        """The free connector in service that has given the least energy so far; none: the car park is full."""
        free = [
            (station, place)
            for station in self._stations
            if station.booted and station.powered.is_set()
            for place in station.connectors
            if place.operative and not place.taken
        ]
        return min(free, key=lambda one: self._given_wh[id(one[1])], default=None)

    def _card(self, user: str) -> str | None:
        """The driver's own card, or another that nobody is using: one card charges one car at a time."""
        spare = [card for card in self._fleet.cards if card not in self._in_use]
        if not spare:
            return None
        usual = self._cards.setdefault(user, self._fleet.cards[len(self._cards) % len(self._fleet.cards)])
        return usual if usual in spare else spare[0]

    async def _visit(self, arrival: Arrival, station: Station, place: Connector, card: str) -> None:
        self._visits += 1
        self._given_wh[id(place)] += arrival.energy_wh
        self._in_use.add(card)
        habits = {
            "plugs_first": self._chance.random() < PLUGS_FIRST,
            "pulls_plug": self._chance.random() < PULLS_PLUG,
        }
        driver = Driver(card, arrival.energy_wh, arrival.stay_s, **habits)
        try:
            if self._visits % LOST_CARD_EVERY == LOST_CARD_EVERY // 2:
                lost = f"{self._chance.getrandbits(56):014X}"
                await arrive(station, Driver(lost, 0, 60.0), place.number)
            await arrive(station, driver, place.number)
        finally:
            self._in_use.discard(card)
