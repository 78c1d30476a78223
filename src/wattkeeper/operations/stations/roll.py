"""The roll of stations, as their door calls it: many newcomers at once cost one query."""

from __future__ import annotations

import asyncio

from wattkeeper.store.engines import Store
from wattkeeper.store.stations import station as stations
from wattkeeper.store.stations.station import Credential

AT_ONCE = 500
"""How many stations are looked up in one query."""


class Roll:
    """Looks stations up as they come; each try costs one look, whether there is such a station or not."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._asked: dict[str, asyncio.Future[Credential | None]] = {}
        self._reading: asyncio.Task[None] | None = None

    async def find(self, station: str) -> Credential | None:
        """The station's credential as it is kept now, or None; raises what the store raises."""
        answer = self._asked.get(station)
        if answer is None:
            answer = self._asked[station] = asyncio.get_running_loop().create_future()
            answer.add_done_callback(_look)
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read(), name="roll")
        return await asyncio.shield(answer)

    async def _read(self) -> None:
        """Answer those who have asked, and those who ask meanwhile."""
        while self._asked:
            asked = {name: self._asked.pop(name) for name in list(self._asked)[:AT_ONCE]}
            try:
                async with self._store.read() as connection:
                    found = await stations.credentials(connection, [*asked])
            except Exception as fault:
                for answer in asked.values():
                    answer.set_exception(fault)
            else:
                for name, answer in asked.items():
                    answer.set_result(found.get(name))


def _look(answer: asyncio.Future[Credential | None]) -> None:
    """Look at a failure, for whoever asked may have hung up meanwhile."""
    if not answer.cancelled():
        answer.exception()
