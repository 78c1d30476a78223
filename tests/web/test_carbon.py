"""Carbon through the doors: page, files and the API say what was worked out by hand; what nobody told stands apart."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import unescape
from pathlib import Path

from tests.web.conftest import House
from tests.web.drivers import signed_in
from tests.web.test_statistics import DAY, read, two_sites
from tests.web.test_statistics_api import told
from tests.web.test_statistics_pictures import SVG, table
from wattkeeper.charging.person import Role

PAGE = "/insight/carbon"


@asynccontextmanager
async def known(database: str, folder: Path) -> AsyncIterator[House]:
    """Two sites: of Harbour the grid is told (5.5 kWh from 12, 0.5 from 13, 350 g); of Hill (1 kWh from 15) nothing."""
    async with two_sites(database, folder) as house:
        entered = await house.api.post("/api/v1/statistics/terms", json={"site": "Harbour", "carbon_g_per_kwh": [350]})
        assert entered.status_code == 201, entered.text
        yield house


async def test_the_page_says_what_was_worked_out_by_hand(database: str, tmp_path: Path) -> None:
    async with known(database, tmp_path) as house, signed_in(house, "o@example.org", Role.OWNER) as (_, owner):
        answer = await owner.get(f"{PAGE}?{DAY}")
        page = read(answer)
        assert "Most carbon between 12:00 and 13:00: 1.9 kg" in page, "5.5 kWh at 350 g"
        assert "In all 2.1 kg of CO₂, 350 g for a kWh." in page
        assert "Of 1.00 kWh out of 7.00 kWh the grid’s carbon is not told" in page
        assert "At Hill nobody told the carbon of the grid. Enter it under Terms" in page
        assert "12:00 to 13:00 1.9 kg" in page and "15:00 to 16:00 0.0 kg" in page
        assert "Most carbon: 2.1 kg, Sunday 1 Mar" in page
        assert "The grid carries most from 12:00 to 13:00: 350 g for a kWh" in read(
            await owner.get(f"{PAGE}?{DAY}&show=grid")
        )
        assert "Most energy flows from 12:00 to 13:00: 5.50 kWh" in read(
            await owner.get(f"{PAGE}?{DAY}&show=energy&site=Harbour")
        )
        hill = read(await owner.get(f"{PAGE}?{DAY}&site=Hill"))
        assert "Nobody told how much carbon the grid carries" in hill and "Enter it under Terms" in hill
        assert "No energy was delivered" in read(await owner.get(f"{PAGE}?from=2026-02-01&to=2026-02-02"))


async def test_figures_lead_to_the_sessions_that_ran_in_their_hour_or_day(database: str, tmp_path: Path) -> None:
    async with known(database, tmp_path) as house, signed_in(house, "o@example.org", Role.OWNER) as (_, owner):
        page = (await owner.get(f"{PAGE}?{DAY}&site=Harbour")).text
        links = {unescape(one) for one in re.findall(r'href="(/sessions\?[^"]+)"', page)}
        day = "since=2026-03-01&until=2026-03-01&site=Harbour&"
        assert links == {f"/sessions?{day}within=ran", *(f"/sessions?{day}hour={at}&within=ran" for at in (12, 13))}
        for link in links:
            listed = (await owner.get(link)).text
            assert len(set(re.findall(r'href="/sessions/([0-9A-Z]{9})"', listed))) >= 1, link


async def test_files_and_the_api_say_the_same(database: str, tmp_path: Path) -> None:
    async with known(database, tmp_path) as house, signed_in(house, "o@example.org", Role.OWNER) as (_, owner):
        hours = table(await owner.get(f"{PAGE}/hours.csv?{DAY}"))
        assert hours[12] == {
            "hour": "12", "carbon_kg": "1.925000", "energy_kwh": "5.500000", "g_per_kwh": "350.000000",
            "unknown_kwh": "0.000000",
        }  # fmt: skip
        assert (hours[15]["g_per_kwh"], hours[15]["unknown_kwh"], hours[15]["carbon_kg"]) == (
            "",
            "1.000000",
            "0.000000",
        )
        days = table(await owner.get(f"{PAGE}/days.csv?{DAY}"))
        assert [(one["day"], one["carbon_kg"], one["unknown_kwh"]) for one in days] == [
            ("2026-03-01", "2.100000", "1.000000")
        ]
        drawn = ET.fromstring((await owner.get(f"{PAGE}/hours.svg?{DAY}")).text)
        assert drawn.findtext(f"{SVG}title") == "Most carbon between 12:00 and 13:00: 1.9 kg"
        report = await told(house.api, "carbon")
        assert report["whole"] == {"energy_wh": 7000, "known_wh": 6000, "carbon_g": 2100, "g_per_kwh": 350}
        assert (report["untold"], report["time_zone"], len(report["hours"])) == (["Hill"], "UTC", 24)
        for row, item in zip(hours, report["hours"], strict=True):
            assert (int(row["hour"]), float(row["carbon_kg"]) * 1000) == (item["hour"], item["carbon_g"])
            assert float(row["unknown_kwh"]) * 1000 == item["energy_wh"] - item["known_wh"]
            assert (float(row["g_per_kwh"]) if row["g_per_kwh"] else None) == item["g_per_kwh"]
        assert [one["carbon_g"] for one in report["items"]] == [2100]
        months = await told(house.api, "carbon", by="month", first_day="2026-02-28")
        assert [(one["first_day"], one["carbon_g"]) for one in months["items"]] == [
            ("2026-02-28", 0), ("2026-03-01", 2100),
        ]  # fmt: skip


async def test_whoever_may_not_enter_terms_is_not_sent_there(database: str, tmp_path: Path) -> None:
    async with known(database, tmp_path) as house:
        async with signed_in(house, "h@example.org", Role.SITE_HOST, ("Hill",)) as (_, host):
            page = read(await host.get(f"{PAGE}?{DAY}"))
            assert "At Hill nobody told the carbon of the grid." in page and "Enter it under" not in page
            assert "Harbour" not in page
            assert (await told(host, "carbon"))["untold"] == ["Hill"]
        async with signed_in(house, "r@example.org", Role.SITE_HOST, ("Harbour",)) as (_, host):
            assert "In all 2.1 kg of CO₂" in read(await host.get(f"{PAGE}?{DAY}")), "carbon is no secret of prices"
