"""Insight in a browser: figures lead to sessions, tables fold and sort, pictures fit any screen and are tables too."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from playwright.async_api import expect

from tests.pages.money.till import Till
from tests.pages.site import NARROW, WIDE, Site
from wattkeeper.charging.person import Role
from wattkeeper.charging.statistics.terms import Terms
from wattkeeper.commands.terminal import VIEWER


async def furnished(site: Site) -> tuple[Till, str]:
    """Three sessions at two sites, counted: 20 kWh at Linz, 5 at Rosenheim; and their days, as an address has them."""
    till = Till(site)
    async with till.earlier():
        await till.open(label="Garage", site="Linz")
        await site.admit("CP2", label="Hotel", site="Rosenheim")
        await till.session(8000)
        await till.session(12_000)
        await till.session(5000, station="CP2")
    await site.rooms.statistics.counting.look()
    today = site.rooms.store.clock().astimezone(site.rooms.settings.zone).date()
    return till, f"from={today - timedelta(days=1)}&to={today}"


async def test_the_overview_folds_sorts_and_leads_to_its_sessions(site: Site) -> None:
    till, days = await furnished(site)
    async with till.person(Role.OWNER, "boss") as person:
        page = person.page
        await page.goto(f"/insight?{days}")
        await expect(page.get_by_role("heading", level=1)).to_have_text("25.00 kWh, 3 sessions")
        rows = page.locator("#sites tbody tr")
        await expect(rows.first).to_contain_text("Linz")
        await page.locator("#sites").get_by_role("link", name=re.compile("^kWh")).click()
        await expect(rows.first).to_contain_text("Rosenheim")
        await page.locator("#sites summary").click()
        await expect(rows.first).to_be_hidden()
        await page.locator("#stations tbody tr").filter(has_text="Garage").get_by_role("link", name="20.00").click()
        await expect(page.locator("#sessions tr.row")).to_have_count(2)
        await expect(page.locator(".understood")).to_contain_text("Station Garage")
        await page.goto(f"/insight?{days}")
        await page.get_by_label("Site", exact=True).select_option("Rosenheim")
        await page.get_by_role("button", name="Show").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("5.00 kWh, 1 session")
        assert days in page.url


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_pictures_are_there_on_any_screen_and_as_tables_by_a_key(site: Site, size: tuple[int, int]) -> None:
    till, days = await furnished(site)
    async with till.person(Role.AUDITOR, "emil", size) as person:
        page = person.page
        for path, pictures in (
            ("/insight", 1),
            ("/insight/week", 1),
            ("/insight/hours", 1),
            ("/insight/load", 1),
            ("/insight/stays", 2),
        ):
            await page.goto(f"{path}?{days}")
            seen = [await one.is_visible() for one in await page.locator("svg.drawn").all()]
            assert seen.count(True) == pictures, path
            notes = [await one.is_visible() for one in await page.locator("figcaption > p").all()]
            assert notes.count(True) == await page.locator("figcaption").count(), (path, "one of each")
            assert await person.sideways() == 0
            table = page.locator("details[data-key=t] table").last
            await expect(table).to_be_hidden()
            await page.keyboard.press("t")
            await expect(table).to_be_visible()
            assert await person.sideways() == 0, path
            await page.keyboard.press("t")
            await expect(table).to_be_hidden()


async def test_the_hour_with_the_most_carbon_leads_to_its_sessions(site: Site) -> None:
    till, days = await furnished(site)
    terms = Terms(carbon_g_per_kwh=(Decimal(400),))
    await site.rooms.statistics.terms.enter(VIEWER, "Linz", terms)
    for size, scheme in ((WIDE, "light"), (NARROW, "dark")):
        async with till.person(Role.OWNER, f"boss{scheme}", size, color_scheme=scheme) as person:
            page = person.page
            await page.goto(f"/insight/carbon?{days}")
            await expect(page.get_by_role("heading", level=1)).to_contain_text("Most carbon between")
            assert [await one.is_visible() for one in await page.locator("svg.drawn").all()].count(True) == 2
            assert await person.sideways() == 0
            await expect(page.locator("main")).to_contain_text("Of 5.00 kWh out of 25.00 kWh")
            await page.get_by_role("link", name="Enter it under Terms").click()
            await expect(page.get_by_role("heading", level=1)).to_have_text("Terms of Rosenheim")
            await page.goto(f"/insight/carbon?{days}&site=Linz")
            await page.keyboard.press("t")
            await expect(page.locator("details[data-key=t] table").last).to_be_visible()
            assert await person.sideways() == 0
            await page.locator("#days-head").scroll_into_view_if_needed()
            await page.locator("details[data-key=t] table").last.get_by_role("link", name=re.compile("kg")).last.click()
            await expect(page.locator("#sessions tr.row")).to_have_count(2)
            await expect(page.locator(".understood")).to_contain_text("Linz")


async def test_what_energy_cost_stands_beside_what_was_billed(site: Site) -> None:
    till, days = await furnished(site)
    terms = Terms(energy_minor_per_kwh=Decimal(20))
    await site.rooms.statistics.terms.enter(VIEWER, "Linz", terms)
    async with till.person(Role.OWNER, "chief", NARROW) as person:
        await person.page.goto(f"/insight/hours?{days}")
        await person.page.keyboard.press("t")
        await expect(person.page.locator("details[data-key=t] table")).to_contain_text("kWh not told")
        assert await person.sideways() == 0
    await site.rooms.statistics.terms.enter(VIEWER, "Rosenheim", terms)
    for size in (WIDE, NARROW):
        async with till.person(Role.OWNER, f"boss{size[0]}", size) as person:
            page = person.page
            await page.goto(f"/insight/hours?{days}&show=bought")
            await expect(page.get_by_role("heading", level=1)).to_contain_text("paid for energy from")
            await expect(page.locator("main")).to_contain_text("Bought for €5.00, billed")
            await expect(page.locator("main")).to_contain_text("A kWh leaves €")
            await page.keyboard.press("t")
            row = page.locator("details[data-key=t] tbody tr").filter(has_text="€").first
            await expect(row).to_be_visible()
            assert await person.sideways() == 0
            await page.get_by_role("link", name="Billed", exact=True).click()
            await expect(page.get_by_role("heading", level=1)).to_contain_text("billed for")


async def test_an_hour_of_the_map_leads_to_its_sessions(site: Site) -> None:
    till, days = await furnished(site)
    async with till.person(Role.OPERATOR, "otto") as person:
        page = person.page
        await page.goto(f"/insight/week?{days}&show=arrivals")
        await page.locator("svg.wide .top").click()
        await expect(page.locator(".understood")).to_contain_text("Began")
        assert await page.locator("#sessions tr.row").count() > 0
