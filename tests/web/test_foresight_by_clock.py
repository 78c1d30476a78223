"""Next week's load where clocks change in it: every hour there is once, by the page, its files and programs alike."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert

from tests.stories.world import World, opened
from tests.web.conftest import house_of
from tests.web.drivers import signed_in
from tests.web.test_statistics import read
from tests.web.test_statistics_pictures import table
from wattkeeper.charging.person import Role
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.operations.statistics.forecasts import Told
from wattkeeper.store.tables import stay_count, tally_hour

VIENNA, HOUR, SITE = ZoneInfo("Europe/Vienna"), timedelta(hours=1), "Harbour"
D = Decimal


@asynccontextmanager
async def world_at(database: str, folder: Path, now: datetime) -> AsyncIterator[tuple[World, list[float]]]:
    """Twelve weeks of hours before now, by the clock of Vienna: more by day than by night; and what each came to."""
    nothing = dict.fromkeys(("plugged_s", "charging_s", "idle_s"), D(0)) | {"gross_minor": 0, "sessions": 0}
    begin, rows, chance, weeks = now.replace(minute=0), [], random.Random(7), [0.0] * 12
    for back in range(1, 12 * 168 + 2):
        at = begin - back * HOUR
        there = at.astimezone(VIENNA)
        usual_wh = (2000 + 300 * there.hour) * (2 if there.weekday() < 5 else 1) * 1.02 ** (12 - back // 168)
        energy_wh = round(usual_wh * chance.uniform(0.5, 1.5))
        rows.append({"site": SITE, "at": at, "energy_wh": D(energy_wh)} | nothing)
        if back <= 12 * 168:
            weeks[(back - 1) // 168] += energy_wh
    async with opened(database, folder, time_zone="Europe/Vienna") as world:
        world.clock.reach(now)
        async with world.door.store.unit() as unit:
            await unit.connection.execute(insert(tally_hour), rows)
            stay = {"site": SITE, "month": f"{now:%Y-%m}", "quarters": 4, "sessions": 1}
            await unit.connection.execute(insert(stay_count), [stay])
        yield world, weeks


SPRING, AUTUMN = datetime(2026, 3, 26, 9, 20, tzinfo=UTC), datetime(2026, 10, 22, 9, 20, tzinfo=UTC)
WEEKS = {
    "clocks go forward": (SPRING, 167),
    "clocks go back": (AUTUMN, 169),
    "clocks stay": (datetime(2026, 6, 3, 9, 20, tzinfo=UTC), 168),
    "the hour before they go forward": (datetime(2026, 3, 29, 0, 20, tzinfo=UTC), 167),
    "the hour that they repeat": (datetime(2026, 10, 25, 0, 20, tzinfo=UTC), 169),
    "the same hour again": (datetime(2026, 10, 25, 1, 20, tzinfo=UTC), 168),
}


@pytest.mark.parametrize("week", WEEKS)
async def test_every_hour_of_the_week_is_forecast_once(database: str, tmp_path: Path, week: str) -> None:
    now, count = WEEKS[week]
    async with world_at(database, tmp_path, now) as (world, _):
        house = await house_of(world.door)
        async with house.api, signed_in(house, "o@example.org", Role.OWNER) as (_, owner):
            told: Told = await house.rooms.statistics.forecasts.of(VIEWER, SITE)
            hours, begin = told.forecast.hours, now.replace(minute=0)
            assert told.begins == [begin + hour * HOUR for hour in range(count)], "one after another"
            assert len(hours) == len(told.last_wh) == count
            for place, at in enumerate(told.begins):
                if place and at.astimezone(VIENNA).hour == told.begins[place - 1].astimezone(VIENNA).hour:
                    assert hours[place] == hours[place - 1] and told.last_wh[place] == told.last_wh[place - 1]
            after = told.begins[-1] + HOUR
            assert after.astimezone(VIENNA).replace(tzinfo=None) == (
                begin.astimezone(VIENNA).replace(tzinfo=None) + timedelta(days=7)
            ), "seven days by the clock"
            api = (await house.api.get("/api/v1/statistics/forecast", params={"site": SITE})).json()["hours"]
            assert [datetime.fromisoformat(one["at"]) for one in api] == told.begins
            sheet = table(await owner.get(f"/insight/forecast/week.csv?site={SITE}"))
            assert [datetime.fromisoformat(row["at"]) for row in sheet] == told.begins
            assert [round(float(row["expected_kwh"]) * 1000) for row in sheet] == [
                round(one.expected_wh) for one in hours
            ]
            page = await owner.get(f"/insight/forecast?site={SITE}")
            assert "kWh in each hour of the next seven days." in read(page)
            assert page.text.count("<tr>") >= count
            picture = (await owner.get(f"/insight/forecast/week.svg?site={SITE}")).text
            line = picture.split('class="expected" d="')[1].split('"')[0]
            assert line.count("H") == count


@pytest.mark.parametrize("week", ["clocks go forward", "clocks go back"])
async def test_a_week_with_an_hour_less_comes_to_less_and_one_with_an_hour_more_to_more(
    database: str, tmp_path: Path, week: str
) -> None:
    now, count = WEEKS[week]
    async with world_at(database, tmp_path, now) as (world, weeks):
        house = await house_of(world.door)
        async with house.api:
            told = await house.rooms.statistics.forecasts.of(VIEWER, SITE)
    usual_wh = sum(wh * 0.6**age for age, wh in enumerate(weeks)) / sum(0.6**age for age in range(len(weeks)))
    assert told.forecast.week is not None
    part = told.forecast.week.expected_wh / usual_wh
    if count == 167:
        assert 1 - 2 / 168 < part < 1
        return
    whole_wh = sum(one.expected_wh for one in told.forecast.hours)
    again = next(place for place, at in enumerate(told.begins) if at.astimezone(VIENNA).fold)
    assert part == pytest.approx(whole_wh / (whole_wh - told.forecast.hours[again].expected_wh))
    assert 1 < part < 1 + 2 / 168
