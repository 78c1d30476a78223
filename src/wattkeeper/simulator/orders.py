"""What a station does when it is told to, in either version: call a driver, unlock, go out of service."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from wattkeeper.simulator.charge import Connector, Context, Ending, Measurand, Reading, Sample, Status
from wattkeeper.simulator.station import Listed, Station
from wattkeeper.simulator.visit import Driver, arrive, free_connector

T = TypeVar("T")

SHORTEST_KEY = 16
OWN_VENDOR = "Wattkeeper"
LONGEST_LIST, MOST_AT_ONCE = 5_000, 250
"""Entries of the local list, and of one message about it."""
CALLED_ENERGY_WH = (4_000, 12_000)
CALLED_STAY_S = (5_400, 10_800)


@dataclass(slots=True)
class Setting:
    """One configuration key or variable; `apply` takes a new value and raises ValueError if it makes no sense."""

    value: str
    apply: Callable[[str], None] | None = None
    secret: bool = False

    @property
    def readonly(self) -> bool:
        """Whether the central system cannot change it."""
        return self.apply is None

    def change(self, value: str) -> bool:
        """Set and act on it; false when it is read-only or makes no sense."""
        if self.apply is None:
            return False
        try:
            self.apply(value)
        except ValueError:
            return False
        self.value = value
        return True


def positive(value: str) -> float:
    """Seconds out of a setting's value; raises ValueError."""
    seconds = int(value)
    if seconds <= 0:
        raise ValueError(value)
    return float(seconds)


def keep(value: str) -> None:
    """Take a value on which nothing in the simulation depends."""


def reading_interval(station: Station) -> Callable[[str], None]:
    """Take how often the meter is read, in seconds."""

    def change(value: str) -> None:
        station.reading_every_s = positive(value)

    return change


def heartbeat_interval(station: Station) -> Callable[[str], None]:
    """Take how often the station says that it is there, in seconds."""

    def change(value: str) -> None:
        station.heartbeat_s = positive(value)

    return change


def key_change(station: Station) -> Callable[[str], None]:
    """Take a new key; the station connects with it once it has answered."""

    def change(value: str) -> None:
        if len(value) < SHORTEST_KEY:
            raise ValueError("too short")
        station.after_answer(lambda: station.spawn(station.change_key(value)))

    return change


def call_driver(station: Station, number: int | None, card: str, remote_start_id: int | None = None) -> bool:
    """A driver who started the charge from afar now plugs in; false when no connector is free."""
    connector = free_connector(station, number)
    if connector is None or not station.booted:
        return False
    driver = Driver(
        card=card,
        energy_wh=station.chance.randint(*CALLED_ENERGY_WH),
        stay_s=station.chance.uniform(*CALLED_STAY_S),
        called=True,
        remote_start_id=remote_start_id,
    )
    station.tell_human("started from afar", connector)
    station.spawn(arrive(station, driver, connector.number))
    return True


def each(deed: Callable[[T], None], ones: Iterable[T]) -> None:
    """Do the deed with each of them."""
    for one in ones:
        deed(one)


def unlock(connector: Connector) -> None:
    """Open the lock; a charge that runs there ends."""
    if connector.charge is not None:
        connector.charge.want(Ending.UNLOCKED)


def set_operative(station: Station, connectors: Iterable[Connector], operative: bool) -> None:
    """Take connectors in or out of service; one that is taken follows once the car has left."""
    for connector in connectors:
        connector.operative = operative
        if not connector.taken:
            station.show(connector, Status.AVAILABLE if operative else Status.UNAVAILABLE)


def take_local_list(station: Station, version: int, full: bool, entries: dict[str, Listed | None]) -> str:
    """Take a local list, None where a card is to be removed; the status: VersionMismatch when the version is old."""
    if not full and version <= station.local_list_version:
        return "VersionMismatch"
    kept = {} if full else dict(station.listed)
    for card, listed in entries.items():
        kept.pop(card, None)
        if listed is not None:
            kept[card] = listed
    if version < 1 or len(kept) > LONGEST_LIST or len(entries) > MOST_AT_ONCE:
        return "Failed"
    station.listed, station.local_list_version = kept, version
    return "Accepted"


def listed(info: dict[str, Any] | None, until: str) -> Listed | None:
    """An entry of a local list; `until` is the version's word for its expiry."""
    if info is None:
        return None
    end = info.get(until)
    return Listed(info["status"] == "Accepted", None if end is None else datetime.fromisoformat(end))


def triggered_reading(station: Station, connector: Connector) -> Reading:
    """What the meter shows now because the central system asked."""
    now = station.clock.now()
    if connector.charge is not None:
        return station.sample(connector.charge, now, Context.TRIGGER)
    samples = (
        Sample(Measurand.ENERGY, Decimal(connector.register_wh), "Wh"),
        Sample(Measurand.POWER, Decimal(0), "W"),
    )
    return Reading(now, Context.TRIGGER, samples)
