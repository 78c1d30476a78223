"""Reliability on its page, in its files and by the API: as worked out by hand, within reach, whatever is asked."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.stories.test_reliability import busy, fault, reckoning
from tests.stories.world import World, minute
from tests.web.conftest import House, house_of
from tests.web.drivers import signed_in
from tests.web.opening import figures, lines
from tests.web.test_statistics import HOSTILE, read, rows
from wattkeeper.charging.person import Role, Scope
from wattkeeper.charging.statistics.uptime import Exclusion
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.store.stations import station

DAY = "from=2026-03-01&to=2026-03-01"
PAGE = f"/insight/uptime?{DAY}"
API = "/api/v1/statistics/uptime?first_day=2026-03-01&last_day=2026-03-01"
NOTE = "The grid operator switched it off, ticket 17."


@asynccontextmanager
async def two_sites(database: str, folder: Path) -> AsyncIterator[House]:
    """What `busy` tells, and a third station, on the hill: there for 100 min from 120 on, broken from 150 to 170."""
    world = World(database, folder)
    await world.open()
    await busy(world, reckoning(world).look)
    await world.admit("CP3")
    world.clock.reach(120)
    async with world.v16("CP3") as post:
        await post.status("Available", 120)
        await fault(post, "Faulted", 150, 1, "GroundFailure")
        await post.status("Available", 170)
        world.clock.reach(220)
        house = await house_of(world.door)
        async with world.door.store.unit() as unit:
            for name, site in {"CP1": "Harbour", "CP2": "Harbour", "CP3": "Hill"}.items():
                await station.describe(unit, name, {"site": site})
        await reckoning(world).look()
        async with house.api:
            yield house
    await world.close()


async def test_the_page_says_what_was_worked_out_by_hand(database: str, tmp_path: Path) -> None:
    async with two_sites(database, tmp_path) as house, signed_in(house, "o@example.org", Role.OWNER) as (_, owner):
        hill = await owner.get(f"{PAGE}&site=Hill")
        assert "Ports were up 80.00 % of the time" in read(hill)
        assert "By NEVI’s equation; 80.00 % with nothing excluded. 0 of 1 port was up" in read(hill)
        assert "Every port can be used now" in read(hill) and "Broken GroundFailure" in read(hill)
        own = ["80.00 %", "80.00 %", "20 min", "–", "1", "20 min", "–"]
        assert rows(hill.text, "stations") == [["CP3 Hill", *own]]
        assert rows(hill.text, "ports") == [["CP3, port 1 Hill", *own]]
        whole = await owner.get(PAGE)
        assert [row[0] for row in rows(whole.text, "stations")] == ["CP1 Harbour", "CP2 Harbour", "CP3 Hill"]
        assert "2 ports are out now" in read(whole)
        assert [row[-1] for row in rows(whole.text, "ports")] == ["1 of 4", "1 of 2", "–"]
        said = read(whole)
        for failed in ("Plugged in, a session, no energy 3", "Card blocked 1", "Charging broke off 1"):
            assert failed in said
        assert "Ended within 5 minutes without energy: The emergency button was pressed. 1" in said
        up = await owner.get(f"{PAGE}&sort=-name")
        assert [row[0] for row in rows(up.text, "stations")] == ["CP1 Harbour", "CP2 Harbour", "CP3 Hill"]
        assert "Nothing is known of ports" in read(await owner.get("/insight/uptime?from=2026-02-01&to=2026-02-02"))
        assert "March 2026" in read(await owner.get("/insight/uptime"))


async def test_each_reason_leads_to_what_is_behind_it(database: str, tmp_path: Path) -> None:
    async with two_sites(database, tmp_path) as house, signed_in(house, "o@example.org", Role.OWNER) as (_, owner):
        page = (await owner.get(PAGE)).text
        links = {unescape(one) for one in re.findall(r'href="(/insight/uptime\?[^"#]*reason=[a-z_]+%3A[^"#]+)', page)}
        assert len(links) == 8
        for link in links:
            shown = (await owner.get(link)).text.partition('<section id="behind"')[2].partition("</section>")[0]
            lines = re.findall(r'<tr role="row">', shown)
            (count,) = re.findall(rf'href="{re.escape(link.replace("&", "&amp;"))}#behind".*?>(\d+)<span', page)
            assert len(lines) - 1 == int(count), link
            for session in re.findall(r'href="(/sessions/[0-9A-Z]{9})"', shown):
                assert (await owner.get(session)).status_code == 200
        assert "There is nothing of this kind" in read(await owner.get(f"{PAGE}&reason=tap:odd"))


async def test_each_figure_leads_to_the_outages_or_attempts_behind_it(database: str, tmp_path: Path) -> None:
    async with two_sites(database, tmp_path) as house, signed_in(house, "o@example.org", Role.OWNER) as (_, owner):
        assert await follow(owner, await owner.get(PAGE)) > 20
        async with signed_in(house, "h@example.org", Role.SITE_HOST, ("Hill",)) as (_, host):
            assert await follow(host, await host.get(PAGE)) > 3
        page = await owner.get(f"{PAGE}&reason=attempts")
        assert "Attempts, and what became of each" in read(page) and "Card blocked" in read(page)
        one = read(await owner.get(f"{PAGE}&station=CP3&port=1&outages=mended"))
        assert "Faults that ended in these days, port 1 all outages" in one


async def follow(who: httpx.AsyncClient, page: httpx.Response) -> int:
    """Follow every figure of a page; gives how many were compared with what they lead to."""
    done, known = 0, dict[str, int]()
    for one in figures(page):
        assert one.is_nothing or one.links or one.where in LISTS, one
        for link in one.links:
            if link not in known:
                known[link] = len(await lines(who, link))
            if one.head in ("Outages", "How often"):
                assert known[link] == int(one.text), (one, link)
            elif one.head == "Plug-ins that charged" and " of " in one.text:
                assert known[link] == int(one.text.split()[-1]), (one, link)
            elif one.head in ("Time to repair", "Mean time to repair", "Not counted", "Out"):
                assert known[link] > 0, (one, link)
            else:
                continue
            done += 1
    return done


async def test_pictures_of_reliability_say_what_the_page_says(database: str, tmp_path: Path) -> None:
    async with two_sites(database, tmp_path) as house, signed_in(house, "o@example.org", Role.OWNER) as (_, owner):
        page = read(await owner.get(PAGE))
        for key, title in {
            "over": "Least up: 37.57 %, 1 Mar 2026",
            "least-up": "0 of 3 ports were up for more than 97 % of the time",
            "when": "Longest out: CP1, port 1, Harbour, 3 h 4 min",
        }.items():
            assert title in page
            drawn = await owner.get(f"/insight/uptime/{key}.svg?{DAY}")
            assert drawn.headers["content-type"] == "image/svg+xml" and "href" not in drawn.text
            assert f">{title}</title>" in drawn.text
        ports = sheet(await owner.get(f"/insight/uptime/least-up.csv?{DAY}"))
        assert [one["station"] for one in ports] == ["CP1", "CP2", "CP3"]
        assert Decimal(ports[2]["outage_s"]) == 1200 and ports[2]["uptime_nevi"].startswith("0.800")
        (day,) = sheet(await owner.get(f"/insight/uptime/over.csv?{DAY}"))
        assert day["day"] == "2026-03-01"
        whole = sum(Decimal(one["outage_s"]) for one in ports)
        assert abs(whole - Decimal(day["outage_s"])) < 5, "two go on, and each answer is some moments later"
        async with signed_in(house, "h@example.org", Role.SITE_HOST, ("Hill",)) as (_, host):
            for key in ("over", "least-up", "when"):
                assert "CP1" not in (await host.get(f"/insight/uptime/{key}.svg?{DAY}")).text
            assert (await host.get(f"/insight/uptime/over.svg?{DAY}&site=Harbour")).status_code == 404


LISTS = ("open", "outages", "behind")
"""What figures lead to: each line says how long it lasted, and leads to its station or its session."""


def sheet(answer: httpx.Response) -> list[dict[str, str]]:
    """The lines of a CSV."""
    assert answer.status_code == 200 and answer.headers["content-type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\N{BYTE ORDER MARK}"))))


async def test_files_and_the_api_say_the_same_as_the_page(database: str, tmp_path: Path) -> None:
    async with two_sites(database, tmp_path) as house, signed_in(house, "o@example.org", Role.OWNER) as (_, owner):
        told: Any = (await owner.get(API)).json()
        ports = sheet(await owner.get(f"/insight/uptime/ports.csv?{DAY}"))
        assert [one["station"] for one in ports] == [one["station"] for one in told["ports"]] == ["CP1", "CP2", "CP3"]
        hill = told["ports"][2]
        assert hill["uptime"]["nevi"] == pytest.approx(0.8, abs=1e-4)
        assert hill["uptime"]["mean_time_to_repair_s"] == 1200 and ports[2]["mean_time_to_repair_s"] == "1200"
        assert ports[2]["uptime_nevi"].startswith("0.800") and ports[0]["plug_ins"] == "4"
        assert told["starts"]["plug_ins"] == 6 and told["starts"]["plug_ins_charged"] == 2
        # two with energy (one broke off), of five sessions and two cards refused
        assert told["starts"]["charge_start_success"] == pytest.approx(2 / 7, abs=1e-6)
        assert told["starts"]["charge_end_success"] == 0.5
        assert told["starts"]["session_success"] == pytest.approx(1 / 7, abs=1e-6)
        starts = {
            (one["kind"], one["became"]): int(one["count"])
            for one in sheet(await owner.get(f"/insight/uptime/starts.csv?{DAY}"))
        }
        assert starts == {(one["kind"], one["reason"]): one["count"] for one in told["became"]}
        outages = sheet(await owner.get(f"/insight/uptime/outages.csv?{DAY}"))
        listed = (await owner.get(API.replace("uptime?", "uptime/outages?"))).json()["items"]
        assert [one["cause"] for one in outages] == [one["cause"] for one in listed]
        assert len(outages) == 3 and len(told["open"]) == 2
        assert (await owner.get("/insight/uptime/ports.xlsx")).status_code == 404


async def test_what_does_not_count_is_said_on_the_page(database: str, tmp_path: Path) -> None:
    async with two_sites(database, tmp_path) as house, signed_in(house, "o@example.org", Role.OPERATOR) as (_, staff):
        form = {"station": "CP3", "evse": "1", "since": minute(150).isoformat(), "reason": "utility", "note": NOTE}
        for wrong, why in (
            ({"reason": "odd"}, "Choose why"),
            ({"note": "storm"}, "Say what shows it in 10 to 500 characters."),
            ({"since": "yesterday"}, "no outage that began then"),
            ({"evse": "one"}, "no outage that began then"),
            ({"station": "CP9"}, "no outage that began then"),
        ):
            refused = await staff.post(f"/insight/uptime/exclude?{DAY}", data=form | wrong)
            assert refused.status_code in (404, 422) and why in read_any(refused), wrong
        again = await staff.post(f"/insight/uptime/exclude?{DAY}&site=Hill", data=form | {"note": "too short"})
        assert 'value="too short"' in again.text and "Ports were up 80.00 %" in read_any(again)
        done = await staff.post(f"/insight/uptime/exclude?{DAY}&site=Hill", data=form)
        assert done.status_code == 303 and done.headers["location"] == "/insight/uptime?site=Hill#outages"
        page = await staff.get(f"{PAGE}&site=Hill")
        assert "Ports were up 100.00 % of the time By NEVI’s equation; 80.00 % with nothing excluded." in read(page)
        assert f"not counted: Grid outage {NOTE}" in read(page)
        (identifier,) = re.findall(r'name="id" value="([0-9a-f]{12})"', page.text)
        assert (await staff.post(f"/insight/uptime/count?{DAY}", data={"id": identifier})).status_code == 303
        assert "Ports were up 80.00 %" in read(await staff.get(f"{PAGE}&site=Hill"))
        assert (await staff.post("/insight/uptime/count", data={"id": identifier})).status_code == 404


def read_any(page: httpx.Response) -> str:
    """What a page says, whatever its status."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page.text)).split())


async def test_the_api_excludes_and_counts_again(database: str, tmp_path: Path) -> None:
    async with two_sites(database, tmp_path) as house:
        body = {"station": "CP3", "evse": 1, "since": minute(150).isoformat(), "reason": "vandalism", "note": NOTE}
        path = "/api/v1/statistics/uptime/exclusions"
        made = await house.api.post(path, json=body)
        assert made.status_code == 201 and made.json()["until"] == "2026-03-01T14:50:00Z", made.text
        assert (await house.api.post(path, json=body)).status_code == 409
        assert (await house.api.post(path, json=body | {"reason": "rain"})).status_code == 422
        told: Any = (await house.api.get(API)).json()
        assert told["ports"][2]["uptime"]["nevi"] == 1 and told["ports"][2]["uptime"]["excluded_s"] == 1200
        reader = await house.with_scopes(Scope.SESSIONS_READ, Scope.STATIONS_READ)
        assert (await reader.get(API)).status_code == 200
        assert (await reader.post(path, json=body)).status_code == 403
        assert (await reader.delete(f"{path}/{made.json()['id']}")).status_code == 403
        assert (await house.api.delete(f"{path}/{made.json()['id']}")).status_code == 204
        assert (await house.api.delete(f"{path}/{made.json()['id']}")).status_code == 404


async def test_a_host_sees_the_own_sites_alone_and_excludes_nothing(database: str, tmp_path: Path) -> None:
    async with two_sites(database, tmp_path) as house:
        form = {"station": "CP3", "evse": "1", "since": minute(150).isoformat(), "reason": "utility", "note": NOTE}
        await house.rooms.statistics.reliability.exclude(VIEWER, "CP3", 1, minute(150), Exclusion.UTILITY, NOTE)
        async with signed_in(house, "h@example.org", Role.SITE_HOST, ("Hill",)) as (_, host):
            page = await host.get(PAGE)
            assert "Ports were up 100.00 %" in read(page) and "not counted: Grid outage" in read(page)
            for word in ("Harbour", "CP1", "CP2", "exclude …", NOTE, "emergency"):
                assert word not in page.text, word
            for path in (f"{PAGE}&site=Harbour", f"{PAGE}&station=CP1"):
                assert (await host.get(path)).status_code == 404
            assert [one["station"] for one in sheet(await host.get(f"/insight/uptime/ports.csv?{DAY}"))] == ["CP3"]
            assert sheet(await host.get(f"/insight/uptime/starts.csv?{DAY}")) == []
            assert (await host.get(f"{API}&station=CP1")).status_code == 404
            told: Any = (await host.get(API)).json()
            assert [one["station"] for one in told["ports"]] == ["CP3"]
            assert (await host.post("/insight/uptime/exclude", data=form)).status_code == 403
        async with signed_in(house, "d@example.org", Role.DRIVER) as (_, driver):
            for path in (PAGE, API, f"/insight/uptime/ports.csv?{DAY}"):
                assert (await driver.get(path)).status_code == 403


async def test_whatever_is_asked_is_answered(database: str, tmp_path: Path) -> None:
    async with two_sites(database, tmp_path) as house, signed_in(house, "o@example.org", Role.OWNER) as (_, owner):
        for query in (*HOSTILE, "reason=%00", "reason=tap", f"reason=session:{'x' * 900}", "sort=-nevi&all=ports"):
            for path in ("/insight/uptime", "/insight/uptime/ports.csv", "/insight/uptime/outages.csv"):
                assert (await owner.get(f"{path}?{query}")).status_code in (200, 422), (path, query)
