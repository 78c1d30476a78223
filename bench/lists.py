"""How soon a blocked card is known to the lists of all stations; ``python -m bench.lists [--quick]``.

The stations' end is in this process: each line answers at once, through the real dispatcher and a durable database.
A thousand real stations on two cores would measure themselves.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from statistics import median

import psutil
import uvloop

from wattkeeper.assembly import open_rooms
from wattkeeper.charging.orders import GetListBounds, GetLocalListVersion, Order, Outcome, SendLocalList, Settlement
from wattkeeper.charging.person import PROGRAMS, Role, Viewer
from wattkeeper.operations.dispatch import Dispatch
from wattkeeper.settings import Settings
from wattkeeper.web.rooms import Rooms

WHO = Viewer("bench", Role.SERVICE, PROGRAMS)
LOADS = ((30, 10_000), (1_000, 10_000))
"""Stations and cards."""
QUICK = ((30, 2_000),)
AT_ONCE = 500
"""Cards that one message names."""
BLOCKS = 3
TICK_S = 0.005


class Simulated:
    """A station's line that answers every order at once, and knows its list by the numbers that it was sent."""

    def __init__(self, name: str, dispatch: Dispatch) -> None:
        self.listed: dict[str, str] = {}
        self._name = name
        self._dispatch = dispatch
        self._sending: asyncio.Task[None] | None = None

    def check(self, order: Order) -> None:
        """It can do everything."""

    def wake(self) -> None:
        """An order waits."""
        self._sending = asyncio.create_task(self._send())

    async def _send(self) -> None:
        for key, order in await self._dispatch.due(self._name):
            if await self._dispatch.sent(key, type(order).__name__, {}):
                await self._dispatch.settled(key, self._answer(order))

    def _answer(self, order: Order) -> Settlement:
        """What it does and answers."""
        figures = {"list_version": 0} if isinstance(order, GetLocalListVersion) else {}
        if isinstance(order, SendLocalList):
            self.listed = {} if order.full else self.listed
            self.listed |= {entry.uid: entry.listing.value for entry in order.entries}
        return Settlement(Outcome.ACCEPTED, {"status": "Accepted"}, "Accepted", None, figures)


@contextlib.asynccontextmanager
async def watched() -> AsyncIterator[list[float]]:
    """What the event loop worked each time before another had its turn, while the block runs; seconds of its CPU time.

    Not of the wall clock: on a machine that is shared, that would measure its other work.
    """
    held: list[float] = []

    async def tick() -> None:
        while True:
            began = time.thread_time()
            await asyncio.sleep(TICK_S)
            held.append(time.thread_time() - began)

    ticking = asyncio.create_task(tick())
    try:
        yield held
    finally:
        ticking.cancel()


async def until(holds: Callable[[], bool]) -> float:
    """Wait until it holds; how long that took, seconds."""
    began = time.perf_counter()
    while not holds():  # noqa: ASYNC110 - what it waits for are stations, who tell nobody
        await asyncio.sleep(0.02)
    return time.perf_counter() - began


async def bare(rooms: Rooms, lines: dict[str, Simulated]) -> float:
    """How long the dispatcher takes to give each station one order, as many at once as lists do; seconds."""
    turns, began = asyncio.Semaphore(40), time.perf_counter()

    async def one(station: str) -> None:
        async with turns:
            await rooms.dispatch.order(station, GetListBounds(), "bench", wait_s=30, only_if_connected=True)

    await asyncio.gather(*map(one, lines))
    return time.perf_counter() - began


async def block(rooms: Rooms, lines: dict[str, Simulated], number: str) -> tuple[float, float]:
    """Block a card: how long until all lists say so, and how long the loop was held at most; seconds."""
    async with watched() as held:
        await rooms.cards.block(WHO, rooms.safe.ref(number))
        took = await until(lambda: all(line.listed.get(number) == "blocked" for line in lines.values()))
    return took, max(held)


async def measure(stations: int, cards: int, folder: Path) -> None:
    """One load: the first lists, then some cards blocked."""
    place = folder / str(stations)
    place.mkdir()
    database = f"sqlite:///{place}/bench.db"
    settings = Settings(database=database, root_key=place / "root.key", local_list_at_once=AT_ONCE)
    async with open_rooms(settings) as rooms:
        numbers = [f"04B0{index:010X}" for index in range(cards)]
        await rooms.cards.import_csv("number,offline\n" + "\n".join(f"{one},accept" for one in numbers), WHO)
        lines = {f"L{index:05}": Simulated(f"L{index:05}", rooms.dispatch) for index in range(stations)}
        for station in lines:
            await rooms.admission.provision(station, "bench")
        following = asyncio.create_task(rooms.local_lists.run())
        tidying = asyncio.create_task(rooms.store.keep_tidy())
        try:
            await follow(rooms, lines, min(cards, settings.local_list_entries))
        finally:
            for task in (following, tidying):
                task.cancel()
            await asyncio.gather(following, tidying, return_exceptions=True)


async def follow(rooms: Rooms, lines: dict[str, Simulated], longest: int) -> None:
    """Connect all, wait for their lists, block some cards; print what that took."""
    process = psutil.Process()
    before = process.memory_info().rss
    for station, line in lines.items():
        rooms.dispatch.connect(station, line)
    async with watched() as held:
        filled = await until(lambda: all(len(line.listed) >= longest for line in lines.values()))
    grown = (process.memory_info().rss - before) / 2**20
    alone = median([await bare(rooms, lines) for _ in range(BLOCKS)])
    listed = list(next(iter(lines.values())).listed)[:BLOCKS]
    blocks = [await block(rooms, lines, number) for number in listed]
    took = median(seconds for seconds, _ in blocks)
    print(
        f"  {len(lines):>5} stations: a blocked card is on every list after {took:.1f} s, of which 1.0 s is rest"
        f" ({(took - 1) / alone:.1f} of one bare order to each, {alone:.1f} s);"
        f" loop held {max(most for _, most in blocks) * 1e3:.0f} ms at most\n"
        f"        first lists of {longest:,} cards: {filled:.0f} s, {grown:.0f} MiB more, the simulated lists included;"
        f" loop held {max(held) * 1e3:.0f} ms at most",
        flush=True,
    )


async def main(quick: bool) -> None:
    """Measure every load, with garbage collected as seldom as in the server."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 25, 50)
    with tempfile.TemporaryDirectory(prefix="wattkeeper-bench-") as folder:
        for stations, cards in QUICK if quick else LOADS:
            await measure(stations, cards, Path(folder))


if __name__ == "__main__":
    uvloop.run(main("--quick" in sys.argv))
