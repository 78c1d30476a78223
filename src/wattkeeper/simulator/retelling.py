"""Real sessions told as they were: each station of the data connects and tells its own, with their true times.

As a station does that was offline for a year: it boots, then tells what it kept, in order, and hangs up.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ocpp.v16 import call

from wattkeeper.simulator.clock import Clock, real_now
from wattkeeper.simulator.outbox import Note
from wattkeeper.simulator.replay import Sojourn
from wattkeeper.simulator.v16.telling import UNKNOWN_TRANSACTION, Station16
from wattkeeper.simulator.wire import stamp

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
        """Keep a session's start and stop to be told; the stop names the transaction that the start was given."""
        given = {"transaction": UNKNOWN_TRANSACTION}

        def started(answer: Any) -> None:
            given["transaction"] = answer.transaction_id

        def stopped(answer: Any) -> None:
            self.told += 1
            progress(self.told)

        start = call.StartTransaction(
            connector_id=1, id_tag=one.user, meter_start=register_wh, timestamp=stamp(one.created)
        )

        def begin(offline: bool) -> Any:
            return start

        def end(offline: bool) -> Any:
            return call.StopTransaction(
                meter_stop=register_wh + one.energy_wh,
                timestamp=stamp(one.ended),
                transaction_id=given["transaction"],
                id_tag=one.user,
            )

        station.takes[begin] = station.frees[end] = self._cards[one.user]
        station.put(begin, heard=started)
        station.put(end, heard=stopped)


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
