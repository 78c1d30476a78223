"""A page at N, then everything after N: what a stream sends, and where it goes on after a break."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import unescape

import httpx
import pytest

from tests.doors import PATIENCE_S
from tests.pages.site import PASSWORD, Site
from wattkeeper.charging.facts import HeartBeaten
from wattkeeper.charging.person import EVERYTHING, Role, Viewer
from wattkeeper.store import journal
from wattkeeper.web.operator import stream


@pytest.fixture(autouse=True)
def hints_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is looked at without a hint, so that a hint that is missed is noticed."""
    monkeypatch.setattr(stream, "ANYWAY_S", 3600.0)


@dataclass(slots=True)
class Ear:
    """Hears a stream, event by event."""

    lines: AsyncIterator[str]

    async def event(self) -> tuple[str, str]:
        """The data and position of the next event."""
        data, position = [], ""
        while True:
            line = await asyncio.wait_for(anext(self.lines), PATIENCE_S)
            if line.startswith("id: "):
                position = line[4:]
            elif line.startswith("data: "):
                data.append(line[6:])
            elif not line and data:
                return "\n".join(data), position

    async def saying(self, text: str) -> str:
        """The next event that says this."""
        while text not in (data := (await self.event())[0]):
            pass
        return data

    async def pause(self) -> None:
        """Wait for the sign that everything there is was sent."""
        while True:
            line = await asyncio.wait_for(anext(self.lines), PATIENCE_S)
            assert not line.startswith("data: "), line
            if line.startswith(":"):
                return


@asynccontextmanager
async def listening(site: Site, place: str, **headers: str) -> AsyncIterator[Ear]:
    """A browser's connection to a stream."""
    cookie = await site.rooms.access.sign_in("operator", PASSWORD, "127.0.0.1")
    async with (
        httpx.AsyncClient(base_url=site.doors.http, cookies={"wattkeeper": cookie}, timeout=PATIENCE_S) as client,
        client.stream("GET", place, headers=headers) as answer,
    ):
        yield Ear(answer.aiter_lines())


async def rendered(site: Site, place: str) -> str:
    """Where the page's stream begins, as the page was rendered now."""
    cookie = await site.rooms.access.sign_in("operator", PASSWORD, "127.0.0.1")
    async with httpx.AsyncClient(base_url=site.doors.http, cookies={"wattkeeper": cookie}) as client:
        found = re.search(r'sse-connect="([^"]+)"', (await client.get(place)).text)
    assert found
    return unescape(found[1])


async def test_what_came_between_page_and_stream_is_sent_at_once(site: Site) -> None:
    key = await site.admit("CP1")
    before = await rendered(site, "/sessions")
    async with site.station("CP1", key) as station:
        await station.begin()
        async with listening(site, before) as ear:
            data, position = await ear.event()
            assert data.startswith('<tbody hx-swap-oob="innerHTML:#sessions">')
            assert f"after={position}" in await rendered(site, "/sessions")


async def test_so_is_what_no_station_told(site: Site) -> None:
    before = await rendered(site, "/stations")
    await site.admit("CP1")
    async with listening(site, before) as ear:
        await ear.event()
        data, position = await ear.event()
        assert "CP1" in data
        assert f"after={position}" in await rendered(site, "/stations")


async def test_a_page_that_is_true_hears_nothing_until_something_changes(site: Site) -> None:
    key = await site.admit("CP1")
    async with site.station("CP1", key) as station:
        await station.begin()
        await station.end(30, 2000)
        async with listening(site, await rendered(site, "/sessions")) as ear:
            await ear.pause()
            await station.begin(register_wh=2000)
            data, _ = await ear.event()
            assert re.match(r'<tbody hx-swap-oob="after(begin|end):#[\w-]+"><tr id="s-', data)


async def test_a_row_that_changed_is_sent_alone(site: Site) -> None:
    key = await site.admit("CP1")
    async with site.station("CP1", key) as station:
        await station.begin()
        async with listening(site, await rendered(site, "/sessions")) as ear:
            await station.read(4, 1420, 6200)
            data = await ear.saying("0.42")
            assert re.match(r'<tr id="s-\w+" hx-swap-oob="true"', data) or "innerHTML:#sessions" in data
            await station.read(8, 1840, 6200)
            assert re.match(r'<tr id="s-\w+" hx-swap-oob="true"', await ear.saying("0.84"))


async def test_a_broken_stream_goes_on_where_it_was(site: Site) -> None:
    key = await site.admit("CP1")
    async with site.station("CP1", key) as station:
        place = await rendered(site, "/sessions")
        await station.begin()
        await station.end(30, 2000)
        async with listening(site, place) as ear:
            _, position = await ear.event()
        headers = {"Last-Event-ID": position}
        async with listening(site, place, **headers) as ear:
            await ear.pause()
        await station.begin(register_wh=2000)
        async with listening(site, place, **headers) as ear:
            assert (await ear.event())[0].startswith('<tbody hx-swap-oob="innerHTML:#sessions">')


async def test_a_sessions_page_hears_of_its_own_station(site: Site) -> None:
    key = await site.admit("CP1")
    async with site.station("CP1", key) as station, site.operator() as person:
        await station.begin()
        await person.page.goto("/sessions")
        session = await person.page.locator("#sessions a.open").get_attribute("href")
        async with listening(site, await rendered(site, str(session))) as ear:
            await station.read(4, 1420, 6200)
            assert "figures" in await ear.saying("0.42")


async def test_only_a_stations_own_words_count_as_news_of_it(site: Site) -> None:
    viewer = Viewer("operator", Role.OPERATOR, EVERYTHING)

    async def newest() -> int:
        async with site.rooms.store.read() as connection:
            return await journal.newest(connection)

    async def is_news(n: int) -> bool:
        async with site.rooms.store.read() as connection:
            return await journal.told_after(connection, viewer, n, "CP1")

    n = await newest()
    await site.rooms.intake.record("CP2", HeartBeaten())
    assert not await is_news(n)
    await site.rooms.intake.record("CP1", HeartBeaten())
    assert await is_news(n)
    assert not await is_news(await newest())
