"""Stations that misbehave, each in one named way, so that a central system can be watched while it copes.

`power_loss`: in mid-session the station goes dark without a word; its socket stays half open. It boots
later, and goes on with the transaction (2.0.1) or ends it with PowerLoss (1.6).
`backlog`: in mid-session the network is lost while charging goes on; what happened is told much later.
`quirky`: a 1.6 station with habits seen in real products; see `quirks`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import StrEnum

from wattkeeper.simulator.charge import Charge
from wattkeeper.simulator.station import Station

EVERY = 3
"""Trouble comes with the first charge that lasts long enough, and then with every third."""
UNTIL_TROUBLE_S = (480.0, 1_200.0)
DARK_S = (300.0, 900.0)
OFFLINE_S = (1_800.0, 3_600.0)
"""Simulated seconds, least and most."""


class Behaviour(StrEnum):
    """How a station behaves."""

    GOOD = "good"
    POWER_LOSS = "power_loss"
    BACKLOG = "backlog"
    QUIRKY = "quirky"


async def power_loss(station: Station) -> None:
    """The power fails and comes back."""
    station.tell_human("power fails: dark, without a word")
    station.lose_power(silently=True)
    await station.clock.sleep(station.chance.uniform(*DARK_S))
    station.tell_human("power is back")
    station.restore_power()


async def backlog(station: Station) -> None:
    """The network fails and comes back; charging goes on and messages wait."""
    station.tell_human("network lost, charging goes on")
    station.lose_network()
    await station.clock.sleep(station.chance.uniform(*OFFLINE_S))
    station.restore_network()


MISHAPS: dict[Behaviour, Callable[[Station], Awaitable[None]]] = {
    Behaviour.POWER_LOSS: power_loss,
    Behaviour.BACKLOG: backlog,
}


class Mishap:
    """Befalls the first charge of a station that lasts long enough, and then every third."""

    def __init__(self, befall: Callable[[Station], Awaitable[None]]) -> None:
        self._befall = befall
        self._spared = EVERY
        self._under_way = False

    async def __call__(self, station: Station, charge: Charge) -> None:
        """Wait for the moment; then, if the charge still runs, let it happen."""
        self._spared += 1
        if self._under_way or self._spared < EVERY:
            return
        self._under_way = True
        await station.clock.sleep(station.chance.uniform(*UNTIL_TROUBLE_S))
        if charge.ended_at is None:
            self._spared = 0
            await self._befall(station)
        self._under_way = False
