"""What follows by itself while the installation runs: a look whenever something was announced, and after a rest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from logging import Logger

from wattkeeper.bus import Bus
from wattkeeper.store import journal
from wattkeeper.store.engines import Store

END_S = 5.0
"""How long what is being done may take to end, when the installation stops."""


async def watch(
    bus: Bus,
    topics: Sequence[str],
    look: Callable[[], Awaitable[object]],
    log: Logger,
    *,
    pause_s: float = 1,
    rest_s: float | None = 5,
) -> None:
    """Look at once, then whenever one of these topics was announced, and at the latest after a rest; None: never then.

    It pauses between two looks, so that what comes together is seen together. A look that fails is logged and tried
    again with the next.
    """
    woken = asyncio.Event()
    async with AsyncExitStack() as ears:
        heard = [await ears.enter_async_context(bus.listen(topic)) for topic in topics]
        listening = [asyncio.create_task(_wake(hints, woken)) for hints in heard]
        try:
            while True:
                try:
                    await _whole(look)
                except Exception:
                    log.exception("a look failed; trying again")
                await asyncio.sleep(pause_s)
                with suppress(TimeoutError):
                    async with asyncio.timeout(rest_s):
                        await woken.wait()
                woken.clear()
        finally:
            for ear in listening:
                ear.cancel()


async def catch_up(store: Store, follow: Callable[[], Awaitable[int]]) -> None:
    """Follow the journal as far as it goes now, stretch by stretch; each gives the number of its last entry, or 0.

    What is recorded meanwhile is for the next look: one that followed until nothing is new would have no end while
    stations talk, and nothing would be seen to that comes after it.
    """
    async with store.read() as connection:
        newest = await journal.newest(connection)
    while 0 < await follow() < newest:
        pass


async def now_and_then(write: Callable[[], Awaitable[object]], log: Logger, pause_s: float) -> None:
    """Write what gathered after each pause, and once more at the end; what fails is logged, and tried with the next."""
    try:
        while True:
            await asyncio.sleep(pause_s)
            await _tried(write, log)
    finally:
        await _tried(write, log)


async def _tried(write: Callable[[], Awaitable[object]], log: Logger) -> None:
    try:
        await _whole(write)
    except Exception:
        log.exception("what gathered could not be written; trying again")


async def _whole(do: Callable[[], Awaitable[object]]) -> None:
    """Do something to its end, though whoever waits for it is cancelled, unless that takes long.

    A statement that is cut off leaves its transaction open until nobody refers to it any more, and SQLite locked.
    """
    doing = asyncio.ensure_future(do())
    try:
        await asyncio.shield(doing)
    except asyncio.CancelledError:
        await asyncio.wait({doing}, timeout=END_S)
        doing.cancel()
        await asyncio.gather(doing, return_exceptions=True)
        raise


async def _wake(hints: AsyncIterator[str], woken: asyncio.Event) -> None:
    """Note that something was announced."""
    async for _ in hints:
        woken.set()
