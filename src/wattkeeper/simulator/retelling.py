"""Real sessions told as they were: each station of the data connects and tells its own, with their true times.

As a station does that was offline for a year: it boots, then tells what it kept, in order, and hangs up.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from ocpp.v16 import call
from ocpp.v16.datatypes import MeterValue

from wattkeeper.simulator.charge import Context, Measurand, Reading, Sample
from wattkeeper.simulator.clock import Clock, real_now
from wattkeeper.simulator.curve import draw
from wattkeeper.simulator.outbox import Note
from wattkeeper.simulator.replay import Sojourn
from wattkeeper.simulator.v16.telling import UNKNOWN_TRANSACTION, Station16, meter_value
from wattkeeper.simulator.wire import stamp

READ_EVERY_S = 600
"""How often a meter is read that tells of itself between the begin and the end."""
TOGETHER = 20
"""How many stations are connected at once."""
Progress = Callable[[int], None]


class Retelling:
    """Stations that tell their sessions; `keys` by station, `say` gets a line for what goes wrong."""

    def __init__(self, url: str, keys: Mapping[str, str], say: Callable[[str], None]) -> None:
        self._url, self._keys, self._say = url, keys, say
        self._cards = defaultdict[str, asyncio.Lock](asyncio.Lock)
        self.told = 0
        """How many sessions were told to their end, and answered."""

    async def run(self, sojourns: Sequence[Sojourn], progress: Progress = lambda told: None) -> int:
        """Tell every session; gives how many were heard."""
        gate = asyncio.Semaphore(TOGETHER)
        async with asyncio.TaskGroup() as telling:
            for station in self._keys:
                its = [one for one in sojourns if one.station == station]
                telling.create_task(self._tell(station, its, gate, progress))
        return self.told

    async def _tell(self, name: str, its: Sequence[Sojourn], gate: asyncio.Semaphore, progress: Progress) -> None:
        """One station's whole life: connect, tell, hang up."""
        async with gate:
            station = Teller(name, self._keys[name], self._url, Clock(real_now(), 1), say=self._hush)
            register_wh = 0
            for one in its:
                self._put(station, one, register_wh, progress)
                register_wh += one.energy_wh
            living = asyncio.ensure_future(station.run())
            try:
                await station.outbox.emptied()
            finally:
                living.cancel()
                await asyncio.gather(living, return_exceptions=True)

    def _hush(self, line: str) -> None:
        """Pass on what went wrong; that stations boot and tell is what they are for."""
        if not any(word in line for word in ("booted", "back on line")):
            self._say(line)

    def _put(self, station: Teller, one: Sojourn, register_wh: int, progress: Progress) -> None:
        """Keep a session to be told while nobody else uses its card."""

        def told() -> None:
            self.told += 1
            progress(self.told)

        begin, end = keep(station, Kept(1, one.user, one.created, one.ended, one.energy_wh, False), register_wh, told)
        station.takes[begin] = station.frees[end] = self._cards[one.user]


@dataclass(frozen=True, slots=True)
class Kept:
    """A session of which a station has still to tell."""

    connector: int
    card: str = field(repr=False)
    began: datetime
    ended: datetime
    energy_wh: int
    is_metered: bool = True
    """Whether it tells what its meter showed meanwhile, and not only at the begin and the end."""

    def readings(self, register_wh: int) -> list[MeterValue]:
        """What its meter showed meanwhile, as cars of this simulator draw energy; from a register of so many Wh."""
        stay_s = (self.ended - self.began).total_seconds()
        curve = draw(self.energy_wh, stay_s)
        times_s = sorted({*range(READ_EVERY_S, int(stay_s), READ_EVERY_S), int(curve.length_s) + 1})
        shown = [(at_s, register_wh + curve.energy_at_wh(at_s)) for at_s in times_s if 0 < at_s < stay_s]
        return [meter_value(_showing(self.began + timedelta(seconds=at_s), wh)) for at_s, wh in shown]


def _showing(at: datetime, register_wh: int) -> Reading:
    """A reading of the register alone."""
    return Reading(at, Context.PERIODIC, (Sample(Measurand.ENERGY, Decimal(register_wh), "Wh"),))


Build = Callable[[bool], Any]


def keep(
    station: Station16, one: Kept, register_wh: int, told: Callable[[], None] = lambda: None
) -> tuple[Build, Build]:
    """Let a station tell of a session by and by; its stop names the transaction that its start was given.

    Gives what makes its first and its last message.
    """
    given = {"transaction": UNKNOWN_TRANSACTION}
    stops_wh = register_wh + one.energy_wh
    readings = one.readings(register_wh) if one.is_metered else []

    def started(answer: Any) -> None:
        given["transaction"] = answer.transaction_id

    def begin(offline: bool) -> Any:
        return call.StartTransaction(
            connector_id=one.connector, id_tag=one.card, meter_start=register_wh, timestamp=stamp(one.began)
        )

    def read(offline: bool) -> Any:
        return call.MeterValues(connector_id=one.connector, meter_value=readings, transaction_id=given["transaction"])

    def end(offline: bool) -> Any:
        return call.StopTransaction(
            meter_stop=stops_wh, timestamp=stamp(one.ended), transaction_id=given["transaction"], id_tag=one.card
        )

    station.put(begin, heard=started)
    if readings:
        station.put(read)
    station.put(end, heard=lambda answer: told())
    return begin, end


class Teller(Station16):
    """A station that takes a card before it tells of a session on it, for a card is at one station at a time."""

    def __init__(self, *parts: Any, **more: Any) -> None:
        super().__init__(*parts, **more)
        self.takes: dict[Callable[[bool], Any], asyncio.Lock] = {}
        self.frees: dict[Callable[[bool], Any], asyncio.Lock] = {}

    async def _deliver(self, note: Note) -> bool:
        """Tell, once the card is free; it is free again when the end was told, or given up."""
        card = self.takes.pop(note.build, None)
        if card is not None:
            await card.acquire()
        done = await super()._deliver(note)
        if done and note.build in self.frees:
            self.frees.pop(note.build).release()
        return done
