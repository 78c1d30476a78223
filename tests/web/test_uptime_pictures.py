"""Pictures of reliability: outages are drawn where the port stood then, and what is left out of them is said."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from html import unescape
from pathlib import Path

import httpx
import pytest

from tests.stories.test_reliability import fault, reckoning
from tests.stories.world import World, minute
from tests.web.conftest import House, house_of
from tests.web.drivers import signed_in
from tests.web.test_statistics import read
from tests.web.test_uptime import DAY, NOTE, PAGE, sheet
from wattkeeper.charging.person import Role
from wattkeeper.charging.statistics.uptime import Exclusion
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.web.operator.insight import uptime as desk
from wattkeeper.web.operator.insight.pictures import uptime as pictures
from wattkeeper.web.operator.insight.pictures.drawing import NARROW_PX, WIDE_PX, Lane, lanes

WHEN = f"/insight/uptime/when.csv?{DAY}"


@asynccontextmanager
async def opened(world: World) -> AsyncIterator[House]:
    """The pages of a world, its outages reckoned."""
    house = await house_of(world.door)
    await reckoning(world).look()
    async with house.api:
        yield house


@asynccontextmanager
async def moved(database: str, folder: Path) -> AsyncIterator[House]:
    """CP1 at Linz is broken from 12:10 to 14:10 and from 14:20 on; at 14:30 it moves to Graz, and works at 14:35.

    There it is out of service from 14:40 to 14:50; it is looked at at 15:00.
    """
    world = World(database, folder)
    await world.open()
    await world.admit("CP1")
    await world.door.admission.describe("CP1", "ann", {"site": "Linz"})
    async with world.v16() as post:
        await post.status("Available", 0)
        await fault(post, "Faulted", 10)
        await post.status("Available", 130)
        await fault(post, "Faulted", 140)
        world.clock.now = minute(150)
        await world.door.admission.describe("CP1", "ann", {"site": "Graz"})
        await post.status("Available", 155)
        await post.status("Unavailable", 160)
        await post.status("Available", 170)
        world.clock.reach(180)
        async with opened(world) as house:
            yield house
    await world.close()


@asynccontextmanager
async def flapping(database: str, folder: Path) -> AsyncIterator[House]:
    """CP1 is broken from 12:10 to 15:20; after that CP2 is out of service four times, from a minute to four."""
    world = World(database, folder)
    await world.open()
    await world.admit("CP1", "CP2")
    async with world.v16() as long, world.v16("CP2") as short:
        await long.status("Available", 0)
        await short.status("Available", 0)
        await fault(long, "Faulted", 10)
        await long.status("Available", 200)
        for lasts in range(1, 5):
            await short.status("Unavailable", 200 + 10 * lasts)
            await short.status("Available", 200 + 10 * lasts + lasts)
        world.clock.reach(250)
        async with opened(world) as house:
            yield house
    await world.close()


def table(page: httpx.Response, picture: str) -> list[list[str]]:
    """The cells of the table beside a picture."""
    text = re.sub(r'<span class="unseen">.*?</span>', "", page.text)
    part = text.partition(f'aria-labelledby="{picture}-head"')[2].partition("<tbody>")[2].partition("</tbody>")[0]
    lines = re.findall(r"<tr>(.*?)</tr>", part, re.DOTALL)
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", line, re.DOTALL) for line in lines]
    return [[" ".join(unescape(re.sub(r"<[^>]*>", "", cell)).split()) for cell in line] for line in cells]


def names_of(drawn: httpx.Response) -> list[str]:
    """The names of the lanes of a drawing."""
    return re.findall(r'<text x="0" y="\d+" class="said">([^<]*)</text>', drawn.text)


async def test_outages_of_a_port_that_moved_are_drawn_and_added_where_it_stood(database: str, tmp_path: Path) -> None:
    async with moved(database, tmp_path) as house:
        async with signed_in(house, "o@example.org", Role.OWNER) as (_, owner):
            await moved_is_told(owner)
            page = await owner.get(PAGE)
            links = {unescape(one) for one in re.findall(r'href="([^"#]+&amp;port=1)#outages"', page.text)}
            for site, outages in (("Linz", 2), ("Graz", 2)):
                (link,) = {one for one in links if f"site={site}" in one and "outages=" not in one}
                listed = (await owner.get(link)).text.partition('<section id="outages"')[2].partition("</section>")[0]
                assert listed.count('<tr role="row" class="outage">') == outages, site
            graz = await owner.get(f"{PAGE}&site=Graz")
            assert "Longest out: CP1, port 1, 15 min" in read(graz), "of one site, which needs no name"
            assert table(graz, "when") == [["CP1, port 1", "15 min", "5 min", "10 min", "–"]]
        async with signed_in(house, "h@example.org", Role.SITE_HOST, ("Linz", "Graz")) as (_, host):
            await moved_is_told(host)
        async with signed_in(house, "g@example.org", Role.SITE_HOST, ("Graz",)) as (_, host):
            assert [one["site"] for one in sheet(await host.get(WHEN))] == ["Graz", "Graz"]


async def moved_is_told(viewer: httpx.AsyncClient) -> None:
    """Whoever sees both sites is told of each what was out there, and no more."""
    page = await viewer.get(PAGE)
    assert "Longest out: CP1, port 1, Linz, 2 h 10 min" in read(page)
    assert table(page, "when") == [
        ["CP1, port 1, Linz", "2 h 10 min", "2 h 10 min", "–", "–"],
        ["CP1, port 1, Graz", "15 min", "5 min", "10 min", "–"],
    ]
    assert [row[0] for row in table(page, "least-up")] == ["CP1, port 1, Linz", "CP1, port 1, Graz"]
    drawn = await viewer.get(f"/insight/uptime/when.svg?{DAY}")
    assert names_of(drawn) == ["CP1, port 1, Linz", "CP1, port 1, Graz"]
    assert len(re.findall(r'class="bar d\d"', drawn.text)) == 4, "two at Linz, two at Graz"
    told = [
        (one["site"], one["station"], one["since"][11:16], one["until"][11:16]) for one in sheet(await viewer.get(WHEN))
    ]
    assert told == [
        ("Graz", "CP1", "14:40", "14:50"),
        ("Graz", "CP1", "14:30", "14:35"),
        ("Linz", "CP1", "14:20", "14:30"),
        ("Linz", "CP1", "12:10", "14:10"),
    ]
    ports = sheet(await viewer.get(f"/insight/uptime/least-up.csv?{DAY}"))
    assert [(one["site"], one["station"], one["port"], round(Decimal(one["outage_s"]) / 60)) for one in ports] == [
        ("Linz", "CP1", "1", 130),
        ("Graz", "CP1", "1", 15),
    ]
    assert {">CP1 1 Linz<", ">CP1 1 Graz<"} <= set(
        re.findall(r">[^<>]+<", (await viewer.get(f"/insight/uptime/least-up.svg?{DAY}")).text)
    )


async def test_an_exclusion_is_of_the_site_where_it_was(database: str, tmp_path: Path) -> None:
    async with moved(database, tmp_path) as house, signed_in(house, "o@example.org", Role.OWNER) as (_, owner):
        reliability = house.rooms.statistics.reliability
        await reliability.exclude(VIEWER, "CP1", 1, minute(160), Exclusion.MAINTENANCE, NOTE)
        await reliability.exclude(VIEWER, "CP1", 1, minute(10), Exclusion.UTILITY, NOTE)
        rows = sheet(await owner.get(WHEN))
        assert [one["excluded"] for one in rows] == ["maintenance", "", "", "utility"]


async def test_the_outages_that_are_drawn_are_those_of_the_ports_that_are(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often another port goes out afterwards."""
    monkeypatch.setattr(pictures, "MOST_DRAWN", 3)
    monkeypatch.setattr(pictures, "MOST_LANES", 1)
    async with flapping(database, tmp_path) as house, signed_in(house, "o@example.org", Role.OWNER) as (_, owner):
        page = await owner.get(PAGE)
        assert "Longest out: CP1, port 1, 3 h 10 min" in read(page)
        assert table(page, "when") == [["CP1, port 1", "3 h 10 min", "3 h 10 min", "–", "–"]]
        assert "The 1 that were out longest, of 2." in read(page) and "Drawn are" not in read(page)
        drawn = await owner.get(f"/insight/uptime/when.svg?{DAY}")
        assert len(re.findall(r'class="bar d3"', drawn.text)) == 1
        told = await owner.get(WHEN)
        assert [one["station"] for one in sheet(told)] == ["CP1"]
        assert '"when-2026-03-01-2026-03-01-1-of-2-ports.csv"' in told.headers["content-disposition"]


async def test_outages_that_are_too_many_are_said_to_be_the_longest(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The figures beside the picture are by all of them; a file of outages says how many of the newest it has."""
    monkeypatch.setattr(pictures, "MOST_DRAWN", 3)
    async with flapping(database, tmp_path) as house, signed_in(house, "o@example.org", Role.OWNER) as (_, owner):
        page = await owner.get(PAGE)
        assert "a third: not connected. Drawn are the 3 outages that lasted longest." in read(page)
        assert table(page, "when") == [
            ["CP1, port 1", "3 h 10 min", "3 h 10 min", "–", "–"],
            ["CP2, port 1", "10 min", "–", "10 min", "–"],
        ]
        drawn = await owner.get(f"/insight/uptime/when.svg?{DAY}")
        assert len(re.findall(r'class="bar d\d"', drawn.text)) == 3
        told = await owner.get(WHEN)
        assert [(one["station"], one["since"][11:16]) for one in sheet(told)] == [
            ("CP2", "16:00"),
            ("CP2", "15:50"),
            ("CP1", "12:10"),
        ]
        assert '"when-2026-03-01-2026-03-01-longest-3.csv"' in told.headers["content-disposition"]
        named = f"/insight/uptime/outages.csv?{DAY}"
        assert '"outages-2026-03-01-2026-03-01.csv"' in (await owner.get(named)).headers["content-disposition"]
        monkeypatch.setattr(pictures, "MOST_DRAWN", 5)
        assert "Drawn are" not in read(await owner.get(PAGE))
        monkeypatch.setattr(desk, "MOST_IN_FILE", 4)
        told = await owner.get(named)
        assert [one["station"] for one in sheet(told)] == ["CP2"] * 4
        assert '"outages-2026-03-01-2026-03-01-newest-4.csv"' in told.headers["content-disposition"]


async def test_ports_were_up_all_of_the_time_only_where_none_was_out(database: str, tmp_path: Path) -> None:
    """What does not count was out all the same; and a port that was never up is the least up of all."""
    world = World(database, tmp_path)
    await world.open()
    await world.admit("CP1", "CP2")
    over = f"/insight/uptime/over.svg?{DAY}"
    async with world.v16() as post:
        await post.status("Available", 0)
        world.clock.reach(60)
        async with opened(world) as house:
            async with signed_in(house, "o@example.org", Role.OWNER) as (_, owner):
                assert ">All ports were up all of the time</title>" in (await owner.get(over)).text
            await fault(post, "Faulted", 60)
            await post.status("Available", 180)
            await reckoning(world).look()
            await house.rooms.statistics.reliability.exclude(VIEWER, "CP1", 1, minute(60), Exclusion.UTILITY, NOTE)
            async with signed_in(house, "p@example.org", Role.OWNER) as (_, owner):
                drawn = (await owner.get(over)).text
                assert ">Apart from what does not count, all ports were up all of the time</title>" in drawn
            async with world.v16("CP2") as other:
                await fault(other, "Faulted", 190)
                world.clock.reach(240)
                await reckoning(world).look()
                async with signed_in(house, "q@example.org", Role.OWNER) as (_, owner):
                    ports = sheet(await owner.get(f"/insight/uptime/least-up.csv?{DAY}"))
                    assert [one["station"] for one in ports] == ["CP2", "CP1"]
                    assert "Least up: 0.00 %, 1 Mar 2026" in read(await owner.get(f"{PAGE}&station=CP2"))
    await world.close()


def test_a_name_never_runs_into_what_its_lane_comes_to() -> None:
    name = "CP1, port 1, The old brewery behind the river port, lower deck"
    row = Lane(name, "2 h 10 min", [])
    assert f">{name}<" in lanes([row], [], WIDE_PX).marks
    (cut,) = re.findall(r">([^<]*)…<", lanes([row], [], NARROW_PX).marks)
    assert name.startswith(cut) and 7 * len(f"{cut}…2 h 10 min") < NARROW_PX
