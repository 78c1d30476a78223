"""A page at N, then everything after N: what a stream sends, and where it goes on after a break."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from tests.doors import PATIENCE_S
from tests.pages.site import PASSWORD, Site
from wattkeeper.store import journal


@dataclass(slots=True)
class Ear:
    """Hears a stream, event by event."""

    lines: AsyncIterator[str]

    async def event(self) -> tuple[str, int]:
        """The data and number of the next event."""
        data, number = [], 0
        while True:
            line = await asyncio.wait_for(anext(self.lines), PATIENCE_S)
            if line.startswith("id: "):
                number = int(line[4:])
            elif line.startswith("data: "):
                data.append(line[6:])
            elif not line and data:
                return "\n".join(data), number

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


async def newest(site: Site) -> int:
    """Where the journal is."""
    async with site.rooms.store.read() as connection:
        return await journal.newest(connection)


async def test_what_came_between_page_and_stream_is_sent_at_once(site: Site) -> None:
    key = await site.admit("CP1")
    before = await newest(site)
    async with site.station("CP1", key) as station:
        await station.begin()
        async with listening(site, f"/live/sessions?after={before}") as ear:
            data, n = await ear.event()
            assert data.startswith('<tbody hx-swap-oob="innerHTML:#sessions">')
            assert n == await newest(site)


async def test_a_page_that_is_true_hears_nothing_until_something_changes(site: Site) -> None:
    key = await site.admit("CP1")
    async with site.station("CP1", key) as station:
        await station.begin()
        async with listening(site, f"/live/sessions?after={await newest(site)}") as ear:
            await ear.pause()
            await station.read(4, 1420, 6200)
            data, n = await ear.event()
            assert re.match(r'<tr id="s-\w+" hx-swap-oob="true"', data)
            assert "0.42" in data
            assert n == await newest(site)


async def test_a_broken_stream_goes_on_where_it_was(site: Site) -> None:
    key = await site.admit("CP1")
    async with site.station("CP1", key) as station:
        rendered = await newest(site)
        await station.begin()
        seen = await newest(site)
        headers = {"Last-Event-ID": str(seen)}
        async with listening(site, f"/live/sessions?after={rendered}", **headers) as ear:
            await ear.pause()
        await station.end(30, 2000)
        async with listening(site, f"/live/sessions?after={rendered}", **headers) as ear:
            data, _ = await ear.event()
            assert "Ended" in data


async def test_a_sessions_page_hears_of_its_own_station_alone(site: Site) -> None:
    first, second = await site.admit("CP1"), await site.admit("CP2")
    async with site.station("CP1", first) as one, site.station("CP2", second) as other:
        await one.begin()
        async with site.operator() as person:
            await person.page.goto("/sessions")
            session = await person.page.locator("#sessions a.open").get_attribute("href")
        async with listening(site, f"/live{session}?after={await newest(site)}&at=CP1") as ear:
            await ear.pause()
            await other.begin()
            await ear.pause()
            await one.read(4, 1420, 6200)
            data, _ = await ear.event()
            assert "figures-all" in data or "r-" in data
