"""The numbers by the API: as worked out by hand and as on the pages, within reach, with clear words where it is odd."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.web.conftest import House
from tests.web.drivers import signed_in
from tests.web.test_statistics import two_sites
from wattkeeper.charging.person import Role, Scope

DAY = {"first_day": "2026-03-01", "last_day": "2026-03-01"}
PATHS = ("use", "days", "hours-of-week", "load", "peaks", "stays", "carbon", "hours-of-day")


async def told(client: httpx.AsyncClient, path: str, **query: str) -> Any:
    """What the API tells of the day."""
    answer = await client.get(f"/api/v1/statistics/{path}", params=DAY | query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_figures_are_those_worked_out_by_hand(database: str, tmp_path: Path) -> None:
    async with two_sites(database, tmp_path) as house:
        api = house.api
        use = await told(api, "use")
        assert use["span_s"] == 86_400
        cp1, cp2 = use["items"]
        about = ("station", "site", "evse", "connector", "energy_wh", "plugged_s", "charging_s", "idle_s", "sessions")
        assert [cp1[name] for name in about] == ["CP1", "Harbour", 1, 1, 6000, 97 * 60, 63 * 60, 30 * 60, 2]
        assert (cp1["plugged_share"], cp1["stay_s"], cp1["empty"]) == (0.067361, 48.5 * 60, 1), "97 of 1440 min"
        assert [cp2[name] for name in about] == ["CP2", "Hill", 1, 1, 1000, 3600, 0, 0, 1]
        unknown = ("unknown_s", "unknown", "charging_share")
        assert [cp1[name] for name in unknown] == [0, 0, 0.04375], "63 of 1440 min"
        assert [cp2[name] for name in unknown] == [3600, 1, None]
        assert [use["whole"][name] for name in unknown] == [3600, 1, 0.035406], "63 of the 97 min known, of 157 of 2880"
        assert use["whole"]["evses"] == 2
        assert use["whole"]["plugged_share"] == 0.054514
        assert [row["site"] for row in (await told(api, "use", by="site"))["items"]] == ["Harbour", "Hill"]
        assert (await told(api, "use", station="CP2"))["whole"]["energy_wh"] == 1000
        assert [row["energy_wh"] for row in (await told(api, "days"))["items"]] == [7000]
        two = await told(api, "days", first_day="2026-02-28", by="month")
        assert [(row["first_day"], row["sessions"]) for row in two["items"]] == [("2026-02-28", 0), ("2026-03-01", 3)]
        week = {(row["weekday"], row["hour"]): row for row in (await told(api, "hours-of-week"))["items"]}
        assert len(week) == 168
        assert (week[7, 12]["mean_power_w"], week[7, 13]["idle_s"], week[7, 15]["mean_plugged"]) == (5500, 1800, 1)
        assert (week[7, 15]["charging_s"], week[7, 15]["unknown_s"], week[7, 15]["unknown"]) == (0, 3600, 1)
        load = await told(api, "load", site="Harbour")
        assert load["peak"]["at"] == "2026-03-01T12:15:00Z"
        assert round(load["peak"]["power_w"]) == round(4 * 4000 * 15 / 23)
        assert sum(row["energy_wh"] for row in load["items"]) == 6000
        assert (load["site"], load["peak"]["spread_wh"]) == ("Harbour", 0)
        together = await told(api, "load")
        assert (together["site"], together["peak"], sum(row["energy_wh"] for row in together["items"])) == (
            None,
            load["peak"],
            7000,
        )
        assert sum(row["spread_wh"] for row in together["items"]) == 3000, "1 kWh in an hour, 2 in 40 minutes"
        peaks = await told(api, "peaks")
        assert [(row["site"], round(row["power_w"])) for row in peaks["items"]] == [("Harbour", 10_435), ("Hill", 1000)]
        stays = await told(api, "stays")
        assert (stays["first_day"], stays["sessions"], stays["median_under_s"]) == ("2026-03-01", 3, 75 * 60)


async def test_how_things_were_used_is_told_in_pages(database: str, tmp_path: Path) -> None:
    async with two_sites(database, tmp_path) as house:
        for by, names in (("site", ["Harbour", "Hill"]), ("station", ["CP1", "CP2"]), ("connector", ["CP1", "CP2"])):
            first = await told(house.api, "use", by=by, limit="1")
            then = await told(house.api, "use", by=by, limit="1", cursor=first["next"])
            column = "site" if by == "site" else "station"
            assert [row[column] for row in first["items"] + then["items"]] == names
            assert then["next"] is None
            assert first["whole"] == then["whole"], "the whole is of all pages"
        for odd in ("", "2", "WzFd", "\u00e9", "WyJhIiwiYiIsMSwiMSJd", "x" * 5_000):
            refused = await house.api.get("/api/v1/statistics/use", params=DAY | {"cursor": odd})
            assert refused.status_code == 422, odd


async def test_pages_files_and_the_api_say_the_same(database: str, tmp_path: Path) -> None:
    async with two_sites(database, tmp_path) as house, signed_in(house, "o@example.org", Role.OWNER) as (_, owner):
        for site in ("Harbour", "Hill"):
            asked = {"from": DAY["first_day"], "to": DAY["last_day"], "site": site}
            sheet = await owner.get("/insight/all/connectors.csv", params=asked)
            rows = list(csv.DictReader(io.StringIO(sheet.text.removeprefix("\ufeff"))))
            items = (await told(house.api, "use", site=site))["items"]
            for row, item in zip(rows, items, strict=True):
                assert Decimal(row["energy_kwh"]) * 1000 == item["energy_wh"]
                names = ("plugged_s", "charging_s", "idle_s", "unknown_s", "unknown", "stayed_s", "sessions", "ended")
                assert [Decimal(row[name]) for name in names] == [item[name] for name in names]
                assert Decimal(row["billed"]) * 100 == item["gross_minor"]
            week = await owner.get("/insight/week/week.csv", params=asked)
            cells = list(csv.DictReader(io.StringIO(week.text.removeprefix("\ufeff"))))
            for cell, item in zip(cells, (await told(house.api, "hours-of-week", site=site))["items"], strict=True):
                assert Decimal(cell["energy_kwh"]) * 1000 == Decimal(str(item["energy_wh"])), cell
                assert (int(cell["hours"]), int(cell["sessions"])) == (item["hours"], item["sessions"])


async def test_nobody_learns_of_other_sites_or_of_money_that_is_not_theirs(database: str, tmp_path: Path) -> None:
    async with two_sites(database, tmp_path) as house:
        async with signed_in(house, "h@example.org", Role.SITE_HOST, ("Hill",)) as (_, host):
            for path in PATHS:
                there = await host.get(f"/api/v1/statistics/{path}", params=DAY | {"site": "Hill"})
                assert there.status_code == 200, path
                assert "Harbour" not in there.text and "CP1" not in there.text
                alike = [
                    await host.get(f"/api/v1/statistics/{path}", params=DAY | {"site": site})
                    for site in ("Harbour", "Nowhere", "")
                ]
                assert {(one.status_code, one.json()["detail"]) for one in alike} == {
                    (404, "There is no site of this name.")
                }, path
            assert (await told(host, "use"))["whole"]["energy_wh"] == 1000
            assert (await told(host, "use"))["items"][0]["gross_minor"] is None
            assert [row["site"] for row in (await told(host, "peaks"))["items"]] == ["Hill"]
            assert (await host.get("/api/v1/statistics/use", params=DAY | {"station": "CP1"})).status_code == 404
        async with signed_in(house, "d@example.org", Role.DRIVER) as (_, driver):
            for path in PATHS:
                refused = await driver.get(f"/api/v1/statistics/{path}", params=DAY | {"site": "Hill"})
                assert refused.status_code == 403
                assert "Hill" not in refused.text
        async with await house.with_scopes(Scope.SESSIONS_READ) as program:
            assert (await told(program, "use"))["whole"]["gross_minor"] is None
            assert {row["gross_minor"] for row in (await told(program, "hours-of-week"))["items"]} == {None}
        async with await house.with_scopes(Scope.STATIONS_READ) as program:
            assert (await program.get("/api/v1/statistics/use", params=DAY)).status_code == 403


WRONG = (
    ({"first_day": "2026-03-02", "last_day": "2026-03-01"}, "The last day must not come before the first."),
    ({"first_day": "2020-01-01", "last_day": "2026-03-01"}, "At most 400 days can be looked at at once"),
    ({"first_day": "2026-03-01"}, "Give two days: first_day and last_day."),
    ({"last_day": "2026-03-01"}, "Give two days: first_day and last_day."),
    ({"first_day": "0001-01-01", "last_day": "0001-01-02"}, "These days are too far off."),
    ({"first_day": "9999-12-30", "last_day": "9999-12-31"}, "These days are too far off."),
)


@pytest.mark.parametrize("path", PATHS)
async def test_odd_spans_are_refused_with_the_reason(house: House, path: str) -> None:
    for query, why in WRONG:
        answer = await house.api.get(f"/api/v1/statistics/{path}", params={"site": "", **query})
        assert answer.status_code == 422, (path, query)
        assert why in answer.json()["detail"], (path, query)
    for odd in ({"first_day": "yesterday"}, {"page": "2"}, {"site": "\x00"}, {"site": "x" * 300}):
        assert (await house.api.get(f"/api/v1/statistics/{path}", params={"site": "", **odd})).status_code == 422
    assert (await house.api.get(f"/api/v1/statistics/{path}", params={"site": ""})).status_code == 200, (
        "CP1 has no site"
    )


async def test_a_site_that_there_is_not_is_found_nowhere(house: House) -> None:
    for path in (*PATHS, "forecast", "findings", "uptime", "uptime/outages"):
        answer = await house.api.get(f"/api/v1/statistics/{path}", params={"site": "Nowhere"})
        assert answer.status_code == 404, path


async def test_quarter_hours_are_told_of_two_months_at_once(house: House) -> None:
    asked = {"site": "", "first_day": "2026-01-01", "last_day": "2026-03-04"}
    answer = await house.api.get("/api/v1/statistics/load", params=asked)
    assert "at most 62 days" in answer.json()["detail"]
    assert (
        await house.api.get("/api/v1/statistics/load", params=asked | {"last_day": "2026-03-03"})
    ).status_code == 200
    assert (await told(house.api, "load"))["site"] is None, "without a site it is of all"
