"""Pictures of the numbers: their titles say what was worked out by hand, and files say the same as pages."""

from __future__ import annotations

import csv
import io
import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx

from tests.web.conftest import House
from tests.web.drivers import signed_in
from tests.web.test_statistics import DAY, HOSTILE, read, two_sites
from wattkeeper.bus.memory import MemoryBus
from wattkeeper.charging.person import Role
from wattkeeper.operations.statistics.counting import Counting
from wattkeeper.store.stations import station
from wattkeeper.web.operator.insight.pictures.pictured import at_place

PAGES = {
    "/insight": ("/insight/all", ("days",)),
    "/insight/week": ("/insight/week", ("week",)),
    "/insight/hours": ("/insight/hours", ("hours",)),
    "/insight/load": ("/insight/load", ("load",)),
    "/insight/stays": ("/insight/stays", ("stays", "arrivals", "idle")),
    "/insight/carbon": ("/insight/carbon", ("hours",)),
}
"""Pages, where their files are, and what their pictures are called."""
SVG = "{http://www.w3.org/2000/svg}"


def table(answer: httpx.Response) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    assert answer.status_code == 200, answer.text
    assert answer.text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))


async def test_titles_are_what_was_worked_out_by_hand(database: str, tmp_path: Path) -> None:
    """1 March 2026 is a Sunday; of the 4 kWh from 12:07 to 12:30, 15 of 23 minutes lie after 12:15."""
    async with two_sites(database, tmp_path) as house, signed_in(house, "o@example.org", Role.OWNER) as (_, owner):
        week = read(await owner.get(f"/insight/week?{DAY}"))
        assert "Busiest: Sunday 12:00 to 13:00, 5.5 kW on average" in week
        assert "hours are in UTC" in week
        hours = read(await owner.get(f"/insight/hours?{DAY}"))
        assert "79 % of the energy flows from 12:00 to 13:00" in hours
        plugged = read(await owner.get(f"/insight/week?{DAY}&show=plugged"))
        assert "Fullest: Sunday 15:00 to 16:00, 1.0 cars plugged in on average" in plugged
        arrivals = read(await owner.get(f"/insight/week?{DAY}&show=arrivals&site=Harbour"))
        assert "Most arrive: Sunday 12:00 to 13:00, 1.0 an hour on average" in arrivals
        load = read(await owner.get(f"/insight/load?{DAY}"))
        assert "All sites together: peak 10.4 kW, Sunday 1 Mar 12:15" in load, "4 * 4000 * 15 / 23 W"
        assert "1 Mar 2026, all sites" in load
        assert "The highest of one site: Harbour, 10.4 kW, Sunday 1 Mar 12:15." in load
        assert "Hill 1.0 Sunday 1 Mar 15:00 100 %" in load
        assert "nobody knows" not in load, "the peak itself was measured"
        hill = read(await owner.get(f"/insight/load?{DAY}&site=Hill"))
        assert "Hill: peak 1.0 kW, Sunday 1 Mar 15:00, had energy come evenly" in hill
        assert "100 % of the peak’s energy came between readings more than half an hour apart" in hill
        assert "Harbour: peak 10.4 kW" in read(await owner.get(f"/insight/load?{DAY}&site=Harbour"))
        stays = read(await owner.get(f"/insight/stays?{DAY}"))
        assert "Half of all cars stayed under 1 h 15 min" in stays
        assert "by how long the car stayed plugged in: 3 sessions that ended." in stays
        assert all(span in stays for span in (" < 15 min ", " 30–60 min ", " 2–4 h ", " 12–24 h ", " ≥ 24 h "))
        assert "Idle after full: 0 h, 31 % of the time plugged in; most from 13:00 to 14:00" in stays, "30 of 97 min"
        assert "For how long cars charged is not known of 1 of 3 sessions (1.0 h of 2.6 h plugged in)" in stays
        charging = read(await owner.get(f"/insight/week?{DAY}&show=charging"))
        assert "Most charge: Sunday 12:00 to 13:00, 0.9 cars on average" in charging
        assert "not known of 1 of 3 sessions" in charging and "not known of" not in week
        for page in ("week?show=charging&", "stays?"):
            hill = read(await owner.get(f"/insight/{page}{DAY}&site=Hill"))
            assert "For how long cars charged and stood there full is mostly not known" in hill
            assert "No car charged" not in hill and "No car stood there full" not in hill
        days = read(await owner.get(f"/insight?{DAY}"))
        assert "Most: 7.00 kWh, Sunday 1 Mar" in days


async def test_each_form_of_the_load_says_in_which_steps_it_is_drawn(database: str, tmp_path: Path) -> None:
    """In 1200 pixels up to 700 quarter hours or 240 stretches, in 358 up to 120."""
    quarters, steps = "Mean power by quarter hour, kW.", "Behind: the highest quarter hour of each {} h, kW;"
    async with two_sites(database, tmp_path) as house, signed_in(house, "o@example.org", Role.OWNER) as (_, owner):
        for first, said in (
            ("2026-03-01", {"": quarters}),
            ("2026-02-28", {" wide": quarters, " narrow": steps.format("0.5")}),
            ("2026-02-23", {" wide": quarters, " narrow": steps.format(2)}),
            ("2026-02-02", {" wide": steps.format(3), " narrow": steps.format(6)}),
        ):
            page = await owner.get(f"/insight/load?from={first}&to=2026-03-01")
            caption = page.text.partition("<figcaption>")[2].partition("</figcaption>")[0]
            notes = dict(re.findall(r'<p class="quiet small([a-z ]*)">(.*?)</p>', caption))
            assert set(notes) == set(said), first
            for form, words in said.items():
                assert words in notes[form], (first, form)
                assert "On average" in notes[form] and "The highest of one site: Harbour" in notes[form]


async def test_files_say_the_same(database: str, tmp_path: Path) -> None:
    async with two_sites(database, tmp_path) as house, signed_in(house, "o@example.org", Role.OWNER) as (_, owner):
        week = table(await owner.get(f"/insight/week/week.csv?{DAY}"))
        assert len(week) == 168
        busy = {(row["weekday"], row["hour"]): row for row in week if float(row["energy_kwh"])}
        energy = {place: Decimal(row["energy_kwh"]) for place, row in busy.items()}
        assert energy == {("7", "12"): Decimal("5.5"), ("7", "13"): Decimal("0.5"), ("7", "15"): 1}
        assert sum(int(row["hours"]) for row in week) == 24
        assert busy["7", "13"]["idle_h"] == "0.500000"
        assert (busy["7", "15"]["charging_h"], busy["7", "15"]["unknown_h"]) == ("0.000000", "1.000000")
        idle = table(await owner.get(f"/insight/stays/idle.csv?{DAY}"))
        assert [row for row in idle if float(row["idle_h"]) or float(row["unknown_h"])] == [
            {"hour": "13", "idle_h": "0.500000", "unknown_h": "0.000000"},
            {"hour": "15", "idle_h": "0.000000", "unknown_h": "1.000000"},
        ]
        load = table(await owner.get(f"/insight/load/load.csv?{DAY}&site=Hill"))
        assert len(load) == 96
        assert list(load[60].values()) == ["2026-03-01T15:00+00:00", "0.250000", "1.000000", "0.250000"]
        assert len(table(await owner.get(f"/insight/load/load.csv?{DAY}"))) == 96
        sites = table(await owner.get(f"/insight/load/sites.csv?{DAY}"))
        assert [(row["site"], row["spread_kw"]) for row in sites] == [("Harbour", "0.000000"), ("Hill", "1.000000")]
        stays = table(await owner.get(f"/insight/stays/stays.csv?{DAY}"))
        assert [row["sessions"] for row in stays] == ["1", "0", "0", "2", "0", "0", "0", "0", "0", "0", "0"]
        days = table(await owner.get(f"/insight/all/days.csv?{DAY}"))
        assert days == [{"day": "2026-03-01", "energy_kwh": "7.000000", "sessions": "3"}]
        connectors = table(await owner.get(f"/insight/all/connectors.csv?{DAY}"))
        assert [(row["station"], row["energy_kwh"], row["plugged_s"], row["billed"]) for row in connectors] == [
            ("CP1", "6.000000", "5820", "0.00"),
            ("CP2", "1.000000", "3600", "0.00"),
        ]


async def test_files_are_named_by_site_and_days_and_tell_the_clock_of_the_place(database: str, tmp_path: Path) -> None:
    async with two_sites(database, tmp_path) as house, signed_in(house, "o@example.org", Role.OWNER) as (_, owner):
        for path, name in (
            (f"/insight/load/load.csv?{DAY}", "load-2026-03-01-2026-03-01.csv"),
            (f"/insight/uptime/ports.csv?{DAY}&site=Hill", "ports-Hill-2026-03-01-2026-03-01.csv"),
            (f"/insight/uptime/outages.csv?{DAY}&station=CP1", "outages-CP1-2026-03-01-2026-03-01.csv"),
        ):
            answer = await owner.get(path)
            assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
            assert answer.text.startswith("\ufeff")
    assert at_place(datetime(2026, 10, 25, 1, tzinfo=UTC), ZoneInfo("Europe/Vienna")) == "2026-10-25T02:00+01:00"


async def test_a_picture_as_a_file_stands_for_itself(database: str, tmp_path: Path) -> None:
    async with two_sites(database, tmp_path) as house, signed_in(house, "o@example.org", Role.OWNER) as (_, owner):
        for files, pictures in PAGES.values():
            for picture in pictures:
                answer = await owner.get(f"{files}/{picture}.svg?{DAY}&site=Harbour")
                assert answer.headers["content-type"] == "image/svg+xml"
                assert answer.headers["content-disposition"].endswith(f'"{picture}-Harbour-2026-03-01-2026-03-01.svg"')
                drawn = ET.fromstring(answer.text)
                said = drawn.findtext(f"{SVG}title") or ""
                assert said and "Harbour" in (drawn.findtext(f"{SVG}desc") or ""), picture
                assert said in [one.text for one in drawn.iter(f"{SVG}text")], "its answer can be read"
                rules = drawn.findtext(f"{SVG}style") or ""
                assert "prefers-color-scheme: dark" in rules and "url(" not in rules and "@import" not in rules
                assert "href" not in answer.text, "it leads nowhere and fetches nothing"


async def test_names_are_neither_formulas_nor_marks(database: str, tmp_path: Path) -> None:
    odd = '=HYPERLINK("x")<script>&'
    asked = {"from": "2026-03-01", "to": "2026-03-01", "site": odd}
    async with two_sites(database, tmp_path) as house, signed_in(house, "o@example.org", Role.OWNER) as (_, owner):
        async with house.rooms.store.unit() as unit:
            await station.describe(unit, "CP1", {"site": odd, "label": "@SUM(1)"}, datetime(2026, 1, 1, tzinfo=UTC))
        await Counting(house.rooms.store, MemoryBus(), house.rooms.settings).look()
        rows = table(await owner.get(f"/insight/all/connectors.csv?{DAY}"))
        assert {(row["site"], row["name"]) for row in rows} >= {("'" + odd, "'@SUM(1)"), ("Hill", "CP2")}
        sites = table(await owner.get(f"/insight/load/sites.csv?{DAY}"))
        assert sites[0]["site"] == "'" + odd
        for path in PAGES:
            page = await owner.get(path, params=asked)
            assert page.status_code == 200
            assert "<script>&" not in page.text
        drawn = await owner.get(
            "/insight/load/load.svg", params={"from": "2026-03-01", "to": "2026-03-01", "site": odd}
        )
        assert odd in (ET.fromstring(drawn.text).findtext(f"{SVG}desc") or "")


async def test_a_host_draws_the_own_sites_alone(database: str, tmp_path: Path) -> None:
    async with two_sites(database, tmp_path) as house:
        async with signed_in(house, "h@example.org", Role.SITE_HOST, ("Hill",)) as (_, host):
            for path, (files, pictures) in PAGES.items():
                page = await host.get(f"{path}?{DAY}")
                assert page.status_code == 200
                for word in ("Harbour", "Quay", "CP1", "illed", "€"):
                    assert word not in page.text, (path, word)
                for site in ("Harbour", "Nowhere"):
                    assert (await host.get(f"{path}?{DAY}&site={site}")).status_code == 404
                    for picture in pictures:
                        assert (await host.get(f"{files}/{picture}.csv?{DAY}&site={site}")).status_code == 404
            assert "billed" not in (await host.get(f"/insight/week/week.csv?{DAY}")).text
            assert "b" not in (await host.get(f"/insight/hours/hours.csv?{DAY}&show=billed")).text.partition("\n")[0]
            assert "Hill: peak 1.0 kW" in (await host.get(f"/insight/load?{DAY}")).text
        async with signed_in(house, "d@example.org", Role.DRIVER) as (_, driver):
            for path, (files, pictures) in PAGES.items():
                for address in (path, f"{files}/{pictures[0]}.csv", f"{files}/{pictures[0]}.svg"):
                    assert (await driver.get(f"{address}?{DAY}")).status_code == 403


async def test_whatever_is_asked_of_a_picture_there_is_an_answer(house: House) -> None:
    async with signed_in(house, "o@example.org", Role.OWNER) as (_, owner):
        for path, (files, pictures) in PAGES.items():
            for query in HOSTILE:
                dated = 422 if any(one in query for one in ("from", "to=", "span")) else 200
                assert (await owner.get(f"{path}?{query}")).status_code == dated, (path, query)
                assert (await owner.get(f"{files}/{pictures[0]}.csv?{query}")).status_code == dated
            assert (await owner.get(f"{files}/nothing.csv")).status_code == 404
            assert (await owner.get(f"{files}/{pictures[0]}.pdf")).status_code == 404
            assert (await owner.get(f"{path}?show=%00&sort=<b>")).status_code == 200
