"""A driver's whole evening on a phone: sign up, add a card by a tap, charge from the phone, find it, block the card."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright, expect

from tests.doors import PATIENCE_S, free_port, settings_for, until
from tests.pages.conftest import QUIET, WORKSHOP, chromium  # noqa: F401 - a fixture
from tests.pages.driver.town import MAIL, Town, furnish
from wattkeeper.assembly import open_doors, open_rooms
from wattkeeper.simulator.station import Station
from wattkeeper.simulator.visit import Driver, Outcome, arrive
from wattkeeper.web import bundle

expect.set_options(timeout=PATIENCE_S * 1000)
FOB = "04A2B97F11C3"
"""What the chip in the fob says, which nobody types and no page shows."""


@asynccontextmanager
async def a_town(database: str, folder: Path, browser: str) -> AsyncIterator[Town]:
    """An installation with two places to charge, and a browser."""
    bundle.build(WORKSHOP)
    port = free_port()
    given = {"public_url": f"http://localhost:{port}", "outbox": True}
    settings = settings_for(database, folder, http_port=port, time_zone="Europe/Vienna", **given)
    async with async_playwright() as playwright, open_rooms(settings) as rooms, open_doors(rooms) as doors:
        opened = await playwright.chromium.launch(executable_path=browser, args=QUIET)
        town = Town(rooms, doors, opened)
        await furnish(town)
        yield town
        await opened.close()


async def authenticator(page: Page) -> None:
    """What a phone has: a place for passkeys that opens by face or finger, and here never before it is asked to."""
    never = "if (window.PublicKeyCredential) PublicKeyCredential.isConditionalMediationAvailable = async () => false;"
    await page.context.add_init_script(never)
    wire = await page.context.new_cdp_session(page)
    await wire.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "automaticPresenceSimulation": True}
    verifies = {"hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True}
    await wire.send("WebAuthn.addVirtualAuthenticator", {"options": options | verifies})


async def sign_up(town: Town, page: Page) -> None:
    """Make an account, prove the address, make a passkey, keep the codes."""
    await page.goto("/app/")
    await page.get_by_role("link", name="Make an account").click()
    await page.get_by_label("Your name").fill("Dora Driver")
    await page.get_by_label("E-mail").fill(MAIL)
    await page.get_by_role("button", name="Go on").click()
    await expect(page.get_by_role("heading")).to_have_text("Look into your mail")
    await page.goto(await town.letter(MAIL))
    await page.get_by_role("button", name="Yes, go on").click()
    await page.get_by_role("button", name="Make a passkey").click()
    await expect(page.locator(".codes > *")).to_have_count(10)
    await page.get_by_role("link", name="I have kept them").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Charge")


async def sign_in_again(page: Page) -> None:
    """Out, and in again by nothing but the passkey."""
    await page.get_by_role("link", name="Me").click()
    await page.get_by_role("button", name="Sign out").click()
    await page.get_by_role("button", name="Use a passkey").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Charge")


async def add_by_tap(page: Page, station: Station) -> None:
    """Stand at a station, say so, tap; the page notices by itself."""
    await page.get_by_role("link", name="Cards").click()
    await page.get_by_role("link", name="Add a card").click()
    await page.get_by_label("Station").fill("Hauptplatz")
    await page.get_by_label("What shall we call it?").fill("Blue fob")
    await page.get_by_role("button", name="I am at the station").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Tap your card now")
    left = page.locator("[data-until]")
    await expect(left).to_have_text(re.compile(r"^[12]:\d\d$"))
    before = await left.inner_text()
    await expect(left).not_to_have_text(before)
    await station.authorize(FOB)
    await expect(page.get_by_role("status")).to_contain_text(["It is yours"])
    fob = page.locator(".rows > li", has_text="Blue fob")
    await expect(fob).to_contain_text("Active")
    await expect(fob).to_contain_text("••C3")


async def start_from_phone(page: Page) -> None:
    """Choose the other station, read the price, start; it is live within moments."""
    await page.get_by_role("link", name="Charge").click()
    await page.get_by_label("Street, town or station").fill("volksgarten")
    await page.get_by_role("button", name="Find").click()
    await page.get_by_role("link", name="Volksgarten").click()
    await expect(page.locator(".price .main")).to_have_text(re.compile(r"€0\.45\s+per kWh"))
    await page.get_by_role("button", name="Start charging").click()
    await expect(page.locator(".state-line")).to_have_text("Charging")


async def watch(page: Page) -> str:
    """See energy, cost and time move; the id to be said on the phone."""
    await expect(page.locator(".ring.on")).to_be_visible()
    await expect(page.locator(".ring .kw")).to_have_text(re.compile(r"^[1-9]\d*\.\d kW$"))
    await expect(page.locator(".ring .number")).not_to_have_text("0.00")
    await expect(page.locator(".two")).to_contain_text(re.compile(r"€0\.0[1-9]|€0\.[1-9]"))
    label = await page.locator(".ring svg").get_attribute("aria-label")
    assert label is not None
    assert "kW flow" in label
    return await page.locator(".aloud .text").inner_text()


async def stop(page: Page) -> None:
    """One tap, told at once that it was taken, and then that it is over."""
    await page.get_by_role("button", name="Stop charging").click()
    await expect(page.locator(".state-line")).to_have_text("Finished")


async def find_by_id(page: Page, spoken: str) -> None:
    """Type the id as it was said: without dashes, in small letters."""
    await page.get_by_role("link", name="Sessions").click()
    await expect(page.locator(".rows > li")).to_have_count(1)
    await page.get_by_label("Find by session id").fill(spoken.replace("-", " ").lower())
    await page.get_by_role("button", name="Find").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Volksgarten")
    await expect(page.locator(".bill tbody tr").first).to_contain_text("kWh at €0.45")
    await expect(page.locator(".aloud .text")).to_have_text(spoken)


async def block(page: Page) -> None:
    """Two taps."""
    await page.get_by_role("link", name="Cards").click()
    await page.locator("summary", has_text="Block").click()
    await page.get_by_role("button", name="Block it").click()
    await expect(page.locator(".rows > li")).to_contain_text("Blocked")


@pytest.mark.long
async def test_a_drivers_evening(database: str, tmp_path: Path, chromium: str) -> None:  # noqa: F811 - the fixture
    async with a_town(database, tmp_path, chromium) as town, town.phone() as person:
        page = person.page
        await authenticator(page)
        await sign_up(town, page)
        await sign_in_again(page)
        async with town.plugged("CP1", behind=town.early) as square, town.plugged("CP2", behind=town.early) as garden:
            await add_by_tap(page, square)
            assert await square.authorize(FOB)
            await start_from_phone(page)
            spoken = await watch(page)
            await stop(page)
            await until(lambda: all(one.ended_at for one in garden.charges()), "the end at the station")
            await find_by_id(page, spoken)
            await block(page)
            assert not await square.authorize(FOB)
            assert await arrive(square, Driver(FOB, 5_000, 600)) is Outcome.REFUSED
        seen = await page.content()
        assert FOB not in seen
