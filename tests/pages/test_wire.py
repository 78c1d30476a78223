"""The line between an open page and the server: it breaks, rests, and comes back, and the page says so."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, expect

from tests.doors import settings_for
from tests.pages.site import PASSWORD, Site
from wattkeeper.assembly import open_doors, open_rooms

HIDE = """hidden => {
  Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


async def test_a_page_outlives_a_restart_of_the_server(
    database: str, tmp_path: Path, browser: Browser, bundled: None, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = settings_for(database, tmp_path, http_port=0)
    async with open_rooms(settings) as rooms, AsyncExitStack() as windows:
        await rooms.access.make_account("operator", PASSWORD)
        async with open_doors(rooms) as doors:
            site = Site(rooms, doors, browser)
            person = await windows.enter_async_context(site.operator())
            await person.page.goto("/stations")
            await person.is_live()
        await person.sees("Connection lost, trying again")
        await site.admit("CP1")
        same = replace(settings, http_port=urlsplit(doors.http).port or 0)
        async with open_doors(replace(rooms, settings=same)):
            await expect(person.page.locator("#stations")).to_contain_text("CP1", timeout=30_000)
            await person.is_live()
            await person.page.goto("about:blank")
        assert "ERROR" not in capfd.readouterr().err
        lost = ("ERR_", "sseError", "[object Event]")
        person.complaints = [one for one in person.complaints if not any(word in one for word in lost)]


async def test_a_page_nobody_looks_at_rests_and_then_catches_up(site: Site) -> None:
    async with site.operator() as person:
        await person.page.goto("/stations")
        await person.is_live()
        await person.page.evaluate(HIDE, True)
        await site.admit("CP1")
        await person.page.evaluate(HIDE, False)
        await expect(person.page.locator("#stations")).to_contain_text("CP1", timeout=30_000)
        await expect(person.page.locator("#wire")).to_have_text("live")
