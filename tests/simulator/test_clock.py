"""The stations' clock: fast, and never ahead."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from wattkeeper.simulator.clock import Clock

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


class World:
    """Real time that a test moves by hand."""

    def __init__(self) -> None:
        self.passed_s = 0.0

    def wall(self) -> datetime:
        return NOON + timedelta(seconds=self.passed_s)

    def ticks(self) -> float:
        return self.passed_s


def clock(world: World, speed: float, behind: timedelta) -> Clock:
    return Clock(NOON - behind, speed, wall=world.wall, ticks=world.ticks)


def test_sixty_times_faster() -> None:
    world = World()
    fast = clock(world, 60, timedelta(days=20))
    world.passed_s = 60
    assert fast.now() == NOON - timedelta(days=20) + timedelta(hours=1)
    assert fast.pace() == 60


def test_it_catches_up_and_then_keeps_the_pace_of_the_present() -> None:
    world = World()
    fast = clock(world, 60, timedelta(hours=1))
    world.passed_s = 59
    assert fast.now() < world.wall()
    for passed_s in (62, 600, 86_400):
        world.passed_s = passed_s
        assert fast.now() == world.wall()
        assert fast.pace() == 1


def test_speed_one_is_the_real_clock() -> None:
    world = World()
    real = clock(world, 1, timedelta(days=3))
    assert real.now() == NOON


def test_a_leap_skips_time_but_never_past_the_present_nor_backwards() -> None:
    world = World()
    fast = clock(world, 60, timedelta(days=1))
    fast.leap(NOON - timedelta(hours=10))
    assert fast.now() == NOON - timedelta(hours=10)
    fast.leap(NOON - timedelta(hours=20))
    assert fast.now() == NOON - timedelta(hours=10)
    fast.leap(NOON + timedelta(hours=1))
    assert fast.now() == NOON


def test_slower_than_real_is_refused() -> None:
    with pytest.raises(ValueError, match="1 or more"):
        clock(World(), 0.5, timedelta(0))


async def test_a_nudge_ends_a_sleep() -> None:
    real = Clock(NOON, 1)
    nudge = asyncio.Event()
    sleeping = asyncio.ensure_future(real.until(real.now() + timedelta(hours=1), nudge))
    await asyncio.sleep(0)
    nudge.set()
    await asyncio.wait_for(sleeping, 30)
