"""The load of a day that goes on: pictures and files say the same."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from tests.stories.test_totals import counting
from tests.stories.world import opened
from tests.web.conftest import house_of
from tests.web.drivers import signed_in
from tests.web.test_statistics import DAY, read
from tests.web.test_statistics_pictures import table
from wattkeeper.charging.person import Role


async def test_the_quarter_hour_that_goes_on_is_in_the_file_as_it_is_in_the_picture(
    database: str, tmp_path: Path
) -> None:
    """5 kWh from 13:00 to 13:10, looked at at 13:11: the mean of its quarter hour is 20 kW."""
    async with opened(database, tmp_path, "CP1") as world:
        async with world.v16() as post:
            tx = await post.start(5, 0)
            await post.stop(tx, 15, 1000)
            tx = await post.start(60, 1000)
            await post.stop(tx, 70, 6000)
            await post.status("Available", 70)
        house = await house_of(world.door)
        world.clock.reach(71)
        await counting(world).look()
        async with house.api, signed_in(house, "o@example.org", Role.OWNER) as (_, owner):
            assert "peak 20.0 kW, Sunday 1 Mar 13:00" in read(await owner.get(f"/insight/load?{DAY}"))
            load = table(await owner.get(f"/insight/load/load.csv?{DAY}"))
            assert list(load[-1].values())[:3] == ["2026-03-01T13:00+00:00", "5.000000", "20.000000"]
            days = table(await owner.get(f"/insight/all/days.csv?{DAY}"))
            assert sum(Decimal(row["energy_kwh"]) for row in load) == Decimal(days[0]["energy_kwh"]) == 6
