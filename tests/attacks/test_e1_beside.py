"""E1: what a driver learns of other people beside their own session; B5: how many streams one may hold open."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.doors import PATIENCE_S
from tests.web.conftest import House, served
from tests.web.phones import becoming, listed, puppet, signed_in, started
from wattkeeper.charging.facts import Alarmed
from wattkeeper.web.live import MOST_OF_ONE

ONCE = pytest.mark.parametrize("engine", ["sqlite"])
SECRET = "Tapped at CP1, and 10 minutes earlier 300 km away at FARAWAY."


@pytest.fixture
async def dora(house: House) -> AsyncIterator[httpx.AsyncClient]:
    """A driver's phone; CP1 can be found."""
    await listed(house)
    async with await signed_in(house) as phone:
        yield phone


@ONCE
async def test_e1_a_line_of_time_tells_nothing_of_others(house: House, dora: httpx.AsyncClient) -> None:
    """Meanwhile somebody else's card is found suspect there, and soon after somebody else starts."""
    async with puppet(house) as station, await signed_in(house, "emil") as emil:
        station.at = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
        start = (await started(dora))["id"]
        await station.begin(await station.token())
        session = (await becoming(dora, start, "charging"))["session"]
        await house.rooms.intake.record("CP1", Alarmed(code="CardFarApart", summary=SECRET))
        await station.read(1, 2000)
        await station.end(2, 3000)
        await station.status("Available")
        station.heard.clear()
        await becoming(emil, (await started(emil))["id"], "taken")
        told = (await dora.get(f"/api/v1/sessions/{session}/timeline")).json()["items"]
        assert [step["kind"] for step in told].count("order") == 1, "the own start, and no other"
        assert "FARAWAY" not in str(told)
        assert "alarm" not in {step["kind"] for step in told}
        staff = (await house.api.get(f"/api/v1/sessions/{session}/timeline")).text
        assert SECRET in staff


@ONCE
async def test_b5_streams_that_are_opened_at_once_are_counted(house: House, dora: httpx.AsyncClient) -> None:
    async with served(house.app) as address:
        held = asyncio.Event()
        statuses: Counter[int] = Counter()

        async def one() -> None:
            async with (
                httpx.AsyncClient(base_url=address, headers=dora.headers, timeout=PATIENCE_S) as client,
                client.stream("GET", "/api/v1/events") as answer,
            ):
                statuses[answer.status_code] += 1
                if statuses.total() == MOST_OF_ONE + 20:
                    held.set()
                await asyncio.wait_for(held.wait(), PATIENCE_S)

        await asyncio.gather(*(one() for _ in range(MOST_OF_ONE + 20)))
    assert statuses == {200: MOST_OF_ONE, 429: 20}
