"""What follows by itself looks at once, when told and after a rest, and outlives a look that fails."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from wattkeeper.bus.memory import MemoryBus
from wattkeeper.operations.watching import watch

log = logging.getLogger("tests.watching")


@asynccontextmanager
async def watching(
    bus: MemoryBus, look: Callable[[], Awaitable[object]], rest_s: float | None
) -> AsyncIterator[asyncio.Task[None]]:
    """Something that follows while the block runs."""
    task = asyncio.create_task(watch(bus, ["journal", "bills"], look, log, pause_s=0, rest_s=rest_s))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class Looks:
    """Counts looks; some fail."""

    def __init__(self, failing: int = 0) -> None:
        self.count = 0
        self.failing = failing
        self.seen = asyncio.Event()

    async def __call__(self) -> None:
        self.count += 1
        self.seen.set()
        if self.count <= self.failing:
            raise ValueError("not now")

    async def again(self, than: int) -> None:
        """Wait until there were more looks than so many."""
        while self.count <= than:
            self.seen.clear()
            await asyncio.wait_for(self.seen.wait(), 10)


async def test_it_looks_again_after_each_rest_though_nothing_is_announced() -> None:
    looks = Looks()
    async with watching(MemoryBus(), looks, 0.01) as task:
        await looks.again(5)
        assert not task.done()


async def test_it_looks_at_once_and_then_only_when_told_where_it_never_rests() -> None:
    bus, looks = MemoryBus(), Looks()
    async with watching(bus, looks, None):
        await looks.again(0)
        await asyncio.sleep(0.1)
        assert looks.count == 1
        for topic in ("journal", "bills"):
            before = looks.count
            bus.announce(topic)
            await looks.again(before)


async def test_a_look_that_fails_is_told_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    looks = Looks(failing=2)
    async with watching(MemoryBus(), looks, 0.01) as task:
        await looks.again(3)
        assert not task.done()
    assert [record.message for record in caplog.records if record.name == log.name] == [
        "a look failed; trying again"
    ] * 2


@pytest.mark.parametrize("steps", range(8))
async def test_it_ends_whenever_it_is_told_to_though_something_is_announced_at_that_instant(steps: int) -> None:
    bus, looks = MemoryBus(), Looks()
    task = asyncio.create_task(watch(bus, ["journal"], looks, log, pause_s=0, rest_s=60))
    await looks.again(0)
    await asyncio.sleep(0.05)
    bus.announce("journal")
    for _ in range(steps):
        await asyncio.sleep(0)
    task.cancel()
    ended, _ = await asyncio.wait({task}, timeout=5)
    task.cancel()
    assert ended, "it goes on for ever, and whoever waits for its end does too"
