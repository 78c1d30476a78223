"""An app asks to be let in, in a real browser: signed in first, asked in words, sent back where the app listens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from playwright.async_api import expect

from tests.pages.site import NARROW, PASSWORD, Site
from wattkeeper.charging.person import IN_WORDS, Role, Scope, Viewer
from wattkeeper.operations.policy import grants

OWNER = Viewer("tests", Role.OWNER, grants(Role.OWNER).anywhere)
ANNA = "anna@example.org"


@asynccontextmanager
async def listener() -> AsyncIterator[tuple[str, asyncio.Queue[str]]]:
    """A program on this computer that waits to be called back (RFC 8252 7.3): its address, and what it is asked."""
    heard: asyncio.Queue[str] = asyncio.Queue()

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = (await reader.readline()).decode()
        while (await reader.readline()).strip():
            pass
        if line.startswith("GET /back"):
            heard.put_nowait(line.split(" ")[1])
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<title>Back</title>Back.")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(hear, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/back", heard


@pytest.mark.parametrize("script", [True, False])
async def test_a_driver_lets_an_app_in(site: Site, script: bool) -> None:
    made = await site.rooms.apps.register(OWNER, "Volt", ["http://127.0.0.1/back"], secret=False)
    await site.rooms.access.make_account(ANNA, PASSWORD, Role.DRIVER)
    asked = {
        "response_type": "code",
        "client_id": made.client.id,
        "scope": "sessions:read charging:start",
        "state": "s",
    }
    asked |= {"code_challenge": "c" * 43, "code_challenge_method": "S256"}
    async with listener() as (address, heard), site.person(NARROW, java_script_enabled=script) as person:
        page = person.page
        await page.goto(f"/oauth/authorize?{urlencode(asked | {'redirect_uri': address})}")
        await page.get_by_label("E-mail").fill(ANNA)
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Sign in with password").click()
        await expect(page.get_by_role("heading")).to_contain_text("Let Volt into your account?")
        for scope in (Scope.SESSIONS_READ, Scope.CHARGING_START):
            await expect(page.get_by_text(IN_WORDS[scope])).to_be_visible()
        await expect(page.get_by_text("a program on this computer")).to_be_visible()
        await page.get_by_role("button", name="Let Volt in").click()
        answer = dict(parse_qsl(urlsplit(await asyncio.wait_for(heard.get(), 30)).query))
        assert answer["code"].startswith("wkc_")
        assert (answer["state"], answer["iss"]) == ("s", site.rooms.settings.address)
        await expect(page).to_have_title("Back")
        await page.go_back()
        await page.get_by_role("button", name="No").click()
        answer = dict(parse_qsl(urlsplit(await asyncio.wait_for(heard.get(), 30)).query))
        assert answer["error"] == "access_denied"
