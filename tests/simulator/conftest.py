"""A central system, and stations that live as long as their test."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest

from wattkeeper.simulator.clock import Clock, real_now
from wattkeeper.simulator.station import Manners, Station

from .csms import KEY, Csms, open_csms

SPEED = 28_800
"""Simulated seconds a real second: a session of one hour takes an eighth of a second."""
SLOW = 600
"""For tests that do something to a car that is still charging, however busy the machine."""

Plug = Callable[..., Any]


@pytest.fixture
async def csms() -> AsyncIterator[Csms]:
    """A central system that listens for the length of the test."""
    async with open_csms() as opened:
        yield opened


@pytest.fixture
def said() -> list[str]:
    """What the stations of this test told people."""
    return []


@pytest.fixture
async def plug_in(csms: Csms, said: list[str]) -> AsyncIterator[Plug]:
    """Start stations: `await plug_in(Station16, "CP1", connectors=2)` returns one that is accepted."""
    living = csms.lives

    async def start(kind: type[Station], name: str = "CP1", *, accepted: bool = True, **more: Any) -> Station:
        manners = Manners(retry_from_s=0.02, retry_up_to_s=0.1, answer_within_s=20, strict=True)
        clock = Clock(real_now() - timedelta(days=60), more.pop("speed", SPEED))
        station = kind(
            name,
            more.pop("key", KEY),
            csms.url,
            clock,
            chance=random.Random(7),
            say=said.append,
            manners=more.pop("manners", manners),
            **more,
        )
        living.append(asyncio.ensure_future(station.run()))
        if accepted:
            await csms.until(lambda: station.online and not len(station.outbox), "acceptance")
        return station

    yield start
    for life in living:
        life.cancel()
    for ended in await asyncio.gather(*living, return_exceptions=True):
        assert isinstance(ended, asyncio.CancelledError), "a station died of a fault"
