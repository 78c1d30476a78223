"""Alerts where a station's clock is wrong, and where it tells late what it kept while it was offline."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.stories.alarming import Alarming, Kind, charged_between_readings, ruled
from tests.stories.world import World
from wattkeeper.web.operator.alerts.behind import behind

CLOCKS = {"right": 0, "behind": 70, "long behind": 56 * 365 * 1440, "ahead": -30, "local time as UTC": -120}
"""By how many minutes a clock is behind."""
VERSIONS = ("1.6", "2.0.1")


async def fail(world: World, version: str, minutes: list[float], pause_s: float = 0) -> None:
    """Starts at some minutes that end within seconds and without any energy; between two messages a pause of ours."""
    if version == "1.6":
        async with world.v16() as old:
            for at in minutes:
                tx = await old.start(at, 1000)
                world.clock.skip(seconds=pause_s)
                await old.stop(tx, at + 0.5, 1000)
                world.clock.skip(seconds=pause_s)
        return
    async with world.v201() as new:
        for place, at in enumerate(minutes):
            await new.event("Started", f"T{place}", 0, at, wh=1000, context="Transaction.Begin")
            world.clock.skip(seconds=pause_s)
            await new.event("Ended", f"T{place}", 1, at + 0.5, wh=1000, context="Transaction.End")
            world.clock.skip(seconds=pause_s)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("clock", CLOCKS)
async def test_starts_that_fail_are_told_whatever_the_clock_of_the_station(
    database: str, tmp_path: Path, clock: str, version: str
) -> None:
    a = await Alarming.open(database, tmp_path)
    await a.world.admit("CP1")
    await a.rule(ruled(Kind.FAILED_STARTS, 3, 0), name="count")
    await a.rule(ruled(Kind.FAILED_SHARE, 50, 10), name="share")
    a.world.behind = timedelta(minutes=CLOCKS[clock])
    await fail(a.world, version, [0, 2, 4, 6, 8])
    assert await a.look() == 2
    found = {row.kind: row for row in await a.on()}
    assert {kind: row.value for kind, row in found.items()} == {Kind.FAILED_STARTS: 5, Kind.FAILED_SHARE: 100}
    began = [one.started_at for one in await a.world.sessions()]
    for row in found.values():
        assert ("since" in row.figures) == (clock != "right")
        told = behind(row, UTC)
        assert told is not None
        query = parse_qs(urlsplit(told[1]).query)
        since, until = (datetime.fromisoformat(query[end][0]) for end in ("since", "until"))
        assert all(since <= at < until for at in began), "the way leads to them"
    a.world.clock.skip(minutes=70)
    assert await a.look() == 2 and await a.on() == [], "an hour of ours later none is of the last one"
    await a.world.close()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("pause_s", [0, 2, 12])
async def test_what_failed_hours_ago_while_a_station_was_offline_is_not_told_as_if_it_happened_now(
    database: str, tmp_path: Path, version: str, pause_s: float
) -> None:
    a = await Alarming.open(database, tmp_path)
    await a.world.admit("CP1")
    await a.rule(ruled(Kind.FAILED_STARTS, 3, 0))
    a.world.clock.skip(hours=3)
    await fail(a.world, version, [0, 2, 4, 6, 8, 10, 12], pause_s)
    assert await a.look() == 0
    a.world.clock.skip(minutes=20)
    assert await a.look() == 0
    await a.world.close()


async def test_what_failed_offline_within_the_hour_is_told(database: str, tmp_path: Path) -> None:
    a = await Alarming.open(database, tmp_path)
    await a.world.admit("CP1")
    await a.rule(ruled(Kind.FAILED_STARTS, 3, 0))
    a.world.clock.skip(minutes=50)
    await fail(a.world, "1.6", [0, 2, 4])
    assert await a.look() == 1 and (await a.on())[0].figures == {}
    a.world.clock.skip(minutes=14)
    assert await a.look() == 1 and await a.on() == [], "heard of lately, but begun more than an hour ago"
    await a.world.close()


@pytest.mark.parametrize("clock", CLOCKS)
async def test_energy_without_a_session_is_told_whatever_the_clock_of_the_station(
    database: str, tmp_path: Path, clock: str
) -> None:
    a = await Alarming.open(database, tmp_path)
    await a.world.admit("CP1")
    await a.rule(ruled(Kind.ENERGY_WITHOUT_SESSION, "0.5", 0))
    a.world.behind = timedelta(minutes=CLOCKS[clock])
    async with a.world.v16() as one:
        await charged_between_readings(one)
        assert await a.look() == 0, "what a session took is a session's"
        await one.read(None, 30, wh=6700)
        assert await a.look() == 1
        (risen,) = await a.on()
        assert str(risen.value) == "0.7" and ("since" in risen.figures) == (clock != "right")
        await one.read(None, 95, wh=6700)
        assert await a.look() == 1 and await a.on() == []
    await a.world.close()


async def test_energy_of_hours_ago_that_is_told_late_is_not_of_the_last_hour(database: str, tmp_path: Path) -> None:
    a = await Alarming.open(database, tmp_path)
    await a.world.admit("CP1")
    await a.rule(ruled(Kind.ENERGY_WITHOUT_SESSION, "0.5", 0))
    a.world.clock.skip(hours=5)
    async with a.world.v16() as one:
        for quarter in range(8):
            await one.read(None, 15 * quarter, wh=1000 + 500 * quarter)
            a.world.clock.skip(seconds=3)
            assert await a.look() == 0
    await a.world.close()
