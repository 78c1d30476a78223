"""The stations' clock: simulated time that runs faster than real time and is never ahead of it.

A central system rightly distrusts a clock that is ahead of its own, and a session of three hours that is
over in three minutes has to put its hours somewhere. So the clock of a sped-up run *begins in the past* and
hurries towards the present: every session keeps its true length, its true power and its true energy, and
its timestamps are merely late, as those of a station that was offline are. How far in the past is a choice:
`speed` times the hours of running that are wished for. When the clock has caught up with the present it
goes on at the pace of the present. At speed 1 it simply is the real clock.

All stations of a fleet share one clock. The time that a central system sends is not adopted: it would tear
the simulated time apart.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

SHORTEST_NAP_S = 0.0005


def real_now() -> datetime:
    """The machine's own time, aware, UTC."""
    return datetime.now(UTC)


class Clock:
    """Simulated time from `start` on, `speed` simulated seconds a real second, never ahead of `wall`."""

    def __init__(
        self,
        start: datetime,
        speed: float,
        *,
        wall: Callable[[], datetime] = real_now,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        if speed < 1:
            raise ValueError(f"speed must be 1 or more, not {speed}")
        self.speed = speed
        self._start = start
        self._wall = wall
        self._ticks = ticks
        self._began = ticks()

    def now(self) -> datetime:
        """The simulated instant, aware, UTC."""
        return min(self._unbounded(), self._wall())

    def pace(self) -> float:
        """Simulated seconds a real second at this moment: `speed`, or 1 once the present is reached."""
        return self.speed if self._unbounded() < self._wall() else 1.0

    def leap(self, instant: datetime) -> None:
        """Skip a time in which nothing happens; never backwards and never ahead of real time."""
        gap = min(instant, self._wall()) - self.now()
        if gap > timedelta(0):
            self._start += gap

    async def sleep(self, seconds: float) -> None:
        """Sleep for that many simulated seconds."""
        await self.until(self.now() + timedelta(seconds=seconds))

    async def until(self, instant: datetime, nudge: asyncio.Event | None = None) -> None:
        """Sleep until the simulated instant, or until `nudge` is set, whichever comes first."""
        while not (nudge is not None and nudge.is_set()):
            gap_s = (instant - self.now()).total_seconds()
            if gap_s <= 0:
                return
            await _nap(max(gap_s / self.pace(), SHORTEST_NAP_S), nudge)

    def _unbounded(self) -> datetime:
        if self.speed == 1:
            return self._wall()
        return self._start + timedelta(seconds=(self._ticks() - self._began) * self.speed)


async def _nap(seconds: float, nudge: asyncio.Event | None) -> None:
    if nudge is None:
        await asyncio.sleep(seconds)
        return
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await nudge.wait()
