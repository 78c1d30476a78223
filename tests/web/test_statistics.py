"""What the numbers say, on pages and by the API: as worked out by hand, within reach, whatever is asked."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from html import unescape
from pathlib import Path

import httpx
from sqlalchemy import insert

from tests.stories.test_totals import counting, told
from tests.stories.world import World
from tests.web.conftest import House, house_of
from tests.web.drivers import signed_in
from wattkeeper.bus.memory import MemoryBus
from wattkeeper.charging.person import Role
from wattkeeper.operations.statistics.counting import Counting
from wattkeeper.store.stations import station
from wattkeeper.store.tables import untallied

DAY = "from=2026-03-01&to=2026-03-01"
TWO = "from=2026-02-28&to=2026-03-01"


@asynccontextmanager
async def two_sites(database: str, folder: Path) -> AsyncIterator[House]:
    """CP1 in the harbour: 97 min, 6 kWh, one session of two without energy; CP2 on the hill: 1 kWh in an hour."""
    world = World(database, folder)
    await world.open()
    await told(world)
    await world.admit("CP2")
    async with world.v16("CP2") as post:
        tx = await post.start(180, 500)
        await post.stop(tx, 240, 1500)
        await post.status("Available", 240)
    house = await house_of(world.door)
    async with world.door.store.unit() as unit:
        for name, about in {"CP1": {"site": "Harbour", "label": "Quay"}, "CP2": {"site": "Hill"}}.items():
            await station.describe(unit, name, about)
    world.clock.skip(days=2)
    await counting(world).look()
    async with house.api:
        yield house
    await world.close()


def read(page: httpx.Response) -> str:
    """What a page shows, without marks and needless spaces."""
    assert page.status_code == 200, page.text
    text = re.sub(r'<span class="unseen">.*?</span>', "", page.text)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", text)).split())


def rows(page: str, table: str) -> list[list[str]]:
    """The cells of a table of the overview."""
    page = re.sub(r'<span class="unseen">.*?</span>', "", page)
    part = page.partition(f'<section id="{table}"')[2].partition("</section>")[0]
    lines = re.findall(r'<tr role="row" class="named">(.*?)</tr>', part, re.DOTALL)
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", line, re.DOTALL) for line in lines]
    return [[" ".join(unescape(re.sub(r"<[^>]*>", "", cell)).split()) for cell in line] for line in cells]


async def test_the_overview_says_what_was_worked_out_by_hand(database: str, tmp_path: Path) -> None:
    async with two_sites(database, tmp_path) as house, signed_in(house, "o@example.org", Role.OWNER) as (_, owner):
        page = await owner.get(f"/insight?{DAY}")
        # of a day of 1440 minutes: (97 + 60) / 2880 plugged in; of the 97 of which it is known 63 charging
        assert "7.00 kWh, 3 sessions" in read(page)
        assert (
            "Plugged in 5.5 % of the time, charging 3.5 %. For how long cars charged is not known of 1 of 3 sessions "
        )
        assert "(1.0 h of 2.6 h plugged in): their meters told nothing between begin and end." in read(page)
        assert "begin and end. €0.00 billed with tax. 1 Mar 2026, all sites." in read(page)
        quay = ["6.00", "2", "6.7 %", "4.4 %", "0.5 h", "48 min", "1", "€0.00"]
        hill = ["1.00", "1", "4.2 %", "–", "–", "1 h", "0", "€0.00"]
        assert rows(page.text, "sites") == [["Harbour", *quay], ["Hill", *hill]]
        assert rows(page.text, "stations") == [["Quay Harbour", *quay], ["CP2 Hill", *hill]]
        assert rows(page.text, "connectors") == [
            ["Quay, connector 1 Harbour", *quay],
            ["CP2, connector 1 Hill", *hill],
        ]
        upwards = await owner.get(f"/insight?{DAY}&sort=-energy")
        assert [row[0] for row in rows(upwards.text, "sites")] == ["Hill", "Harbour"]
        two = read(await owner.get(f"/insight?{TWO}&site=Hill"))
        assert "1.00 kWh, 1 session" in two
        assert "Plugged in 2.1 % of the time. For how long cars charged is not known of 1 of 1 sessions" in two
        assert "28 Feb – 1 Mar 2026, site Hill." in two
        assert "No car was plugged in" in read(await owner.get("/insight?from=2026-02-01&to=2026-02-28"))
        for path in ("/insight", "/insight/week", "/insight/load", "/insight/stays"):
            ahead = read(await owner.get(f"{path}?from=2026-12-05&to=2026-12-06"))
            assert "These days are still to come" in ahead and "No car" not in ahead, path


SPANNED = ("use", "days", "hours-of-week", "hours-of-day", "load", "peaks", "stays", "carbon")
"""Figures of a span of days."""


async def test_pages_and_the_api_say_until_when_they_count(database: str, tmp_path: Path) -> None:
    async with two_sites(database, tmp_path) as house, signed_in(house, "o@example.org", Role.OWNER) as (_, owner):
        now = house.rooms.store.clock()
        pages = ("/insight", "/insight/week", "/insight/load", "/insight/stays", "/insight/uptime", "/insight/forecast")
        whole = f"As of {now:%Y-%m-%d %H:%M:}"
        for page in pages[:4]:
            assert whole in read(await owner.get(page)), page
        assert "As of " not in read(await owner.get("/insight/terms"))
        async with house.rooms.store.unit() as unit:
            await unit.connection.execute(
                insert(untallied), [{"session_id": "S", "at": now, "since": now - timedelta(hours=1)}]
            )
        for page in (*pages[:4], pages[5]):
            assert whole not in read(await owner.get(page)), page
        told = (await house.api.get("/api/v1/statistics/use")).json()
        assert datetime.fromisoformat(told["as_of"]) == now - timedelta(hours=1)
        await house.rooms.statistics.counting.look()
        for path in (*SPANNED, "findings", "forecast"):
            told = (await house.api.get(f"/api/v1/statistics/{path}")).json()
            assert datetime.fromisoformat(told["as_of"]) >= now, path
        told = (await house.api.get("/api/v1/statistics/uptime")).json()
        assert datetime.fromisoformat(told["as_of"]) < now, "nothing was reckoned here"


async def test_a_station_that_was_removed_keeps_its_figures(database: str, tmp_path: Path) -> None:
    async with two_sites(database, tmp_path) as house, signed_in(house, "o@example.org", Role.OWNER) as (_, owner):
        await house.rooms.admission.remove("CP2", "tests")
        await Counting(house.rooms.store, MemoryBus(), house.rooms.settings).look()
        assert "7.00 kWh, 3 sessions" in read(await owner.get(f"/insight?{DAY}"))
        there = await owner.get(f"/insight?{DAY}&site=Hill")
        assert "1.00 kWh, 1 session" in read(there), "where it stood"
        assert rows(there.text, "connectors")[0][:2] == ["CP2, connector 1 Hill", "1.00"]
        listed = await owner.get("/sessions?since=2026-03-01&until=2026-03-01&site=Hill")
        assert len(set(re.findall(r'href="(/sessions/[0-9A-Z]{9})"', listed.text))) == 1


async def test_each_figure_leads_to_its_sessions(database: str, tmp_path: Path) -> None:
    async with two_sites(database, tmp_path) as house, signed_in(house, "o@example.org", Role.OWNER) as (_, owner):
        page = (await owner.get(f"/insight?{DAY}")).text
        found = {unescape(link) for link in re.findall(r'href="(/sessions\?[^"]+)"', page)}
        counts = {}
        for link in found:
            listed = (await owner.get(link)).text
            counts[link.partition("?")[2]] = len(set(re.findall(r'href="(/sessions/[0-9A-Z]{9})"', listed)))
        whole = "since=2026-03-01&until=2026-03-01"
        assert counts[whole] == counts[f"{whole}&within=ran"] == 3
        assert counts[f"{whole}&energy=none"] == counts[f"{whole}&site=Harbour&energy=none"] == 1
        assert counts[f"{whole}&site=Harbour"] == counts[f"{whole}&station=CP1"] == 2
        assert counts[f"{whole}&station=CP1&evse=1&connector=1&within=ran"] == 2
        assert counts[f"{whole}&station=CP2"] == counts[f"{whole}&site=Hill&within=ran"] == 1
        said = read(await owner.get(f"/sessions?{whole}&site=Harbour&energy=none"))
        assert "Site Harbour Began on 1 Mar 2026 Ended without energy" in said
        hour = await owner.get(f"/sessions?{whole}&within=ran&weekday=6&hour=13")
        assert "Plugged in on 1 Mar 2026, Sunday 13:00 to 14:00" in read(hour)
        assert len(set(re.findall(r'href="(/sessions/[0-9A-Z]{9})"', hour.text))) == 1, "the empty one ran at two"
        at = "since=2026-03-01T15:00&until=2026-03-01T15:15%2B00:00&within=ran"
        assert "CP2" in (await owner.get(f"/sessions?{at}")).text


async def test_a_host_sees_the_own_sites_and_nobody_elses_money(database: str, tmp_path: Path) -> None:
    async with two_sites(database, tmp_path) as house:
        async with signed_in(house, "h@example.org", Role.SITE_HOST, ("Hill",)) as (_, host):
            page = await host.get(f"/insight?{DAY}")
            assert "1.00 kWh, 1 session" in read(page)
            for word in ("Harbour", "Quay", "CP1", "Billed", "billed", "€"):
                assert word not in page.text, word
            missing = [await host.get(f"/insight?{DAY}&site={site}") for site in ("Harbour", "Nowhere", "-")]
            assert [one.status_code for one in missing] == [404] * 3
            assert (await host.get(f"/insight?{DAY}&station=CP1")).status_code == 404
            sessions = await host.get("/sessions?site=Harbour&since=2026-03-01&until=2026-03-01")
            assert re.findall(r'href="(/sessions/[0-9A-Z]{9})"', sessions.text) == []
        async with signed_in(house, "d@example.org", Role.DRIVER) as (_, driver):
            assert (await driver.get(f"/insight?{DAY}")).status_code == 403


HOSTILE = (
    *("from=2026-03-01", "to=2026-03-01", "from=2026-03-02&to=2026-03-01", "from=0000-00-00&to=9999-99-99"),
    *("from=0001-01-01&to=0001-01-02", "from=9998-01-01&to=9999-12-31", "from=2020-01-01&to=2026-01-01"),
    *("from=%00&to=%27", "span=never", f"from={'9' * 500}&to=x", "sort=x&all=x&span=%F0%9F%98%80"),
)


async def test_whatever_is_asked_there_is_a_page_and_a_reason(house: House) -> None:
    async with signed_in(house, "o@example.org", Role.OWNER) as (_, owner):
        for query in HOSTILE:
            page = await owner.get(f"/insight?{query}")
            dated = "from" in query or "to=" in query or "span" in query
            assert page.status_code == (422 if dated else 200), query
            assert ("These are the last 28 days instead." in page.text) is dated
            sessions = await owner.get("/sessions?" + query.replace("from", "since").replace("to=", "until="))
            assert sessions.status_code == 200, query
        assert "A span is one of 28d, month, last-month, year." in (await owner.get("/insight?span=foo")).text
        odd = "since=2026-03-29T02:30&until=9999-01-01T00:00&hour=77&weekday=x&evse=-1&connector=0x1&energy=some"
        assert (await owner.get(f"/sessions?{odd}&site=%00")).status_code == 200


async def test_pages_say_that_figures_are_being_counted(database: str, tmp_path: Path) -> None:
    async with two_sites(database, tmp_path) as house, signed_in(house, "o@example.org", Role.OWNER) as (_, owner):
        assert "being counted" not in read(await owner.get("/insight"))
        assert "partial" not in (await owner.get("/insight/week/week.csv")).headers["Content-Disposition"]
        async with house.rooms.store.unit() as unit:
            waiting = [{"session_id": f"S{n}", "at": house.rooms.store.clock()} for n in range(1_234)]
            await unit.connection.execute(insert(untallied), waiting)
        for path in ("/insight", "/insight/week", "/insight/load", "/insight/stays", "/insight/forecast"):
            said = read(await owner.get(path))
            assert "These figures are being counted 1" in said and "234 sessions are not in them yet" in said, path
        for path in ("/insight/uptime", "/insight/terms"):
            assert "being counted" not in read(await owner.get(path)), path
        for path in ("/insight/all/days.csv", "/insight/week/week.csv", "/insight/load/load.svg"):
            named = (await owner.get(path)).headers["Content-Disposition"]
            assert named.endswith(f'-partial.{path[-3:]}"'), named
        assert "partial" not in (await owner.get("/insight/uptime/ports.csv")).headers["Content-Disposition"]


async def test_many_rows_without_a_session_are_folded(database: str, tmp_path: Path) -> None:
    async with two_sites(database, tmp_path) as house, signed_in(house, "o@example.org", Role.OWNER) as (_, owner):
        few = (await owner.get(f"/insight?{DAY}")).text
        assert "without a session" not in few
        for number in range(12):
            await house.door.admit(f"X{number}", f"another-key-of-station-{number}")
        page = (await owner.get(f"/insight?{DAY}")).text
        assert len(rows(page, "stations")) == 2
        assert "12 without a session" in read(await owner.get(f"/insight?{DAY}"))
        whole = (await owner.get(f"/insight?{DAY}&all=stations")).text
        assert len(rows(whole, "stations")) == 14
