"""Findings: what the clone radar saw, told in words, and settled by one action; on a wide screen and a narrow one."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path

import pytest
from ocpp.v16 import call
from playwright.async_api import expect

from tests.pages.site import CARD, NARROW, WIDE, Site
from wattkeeper.store.stations import station as stations

SHOTS = os.environ.get("SCREENSHOTS")
"""A folder for pictures of the pages, where somebody wants to look at them."""


async def apart(site: Site) -> dict[str, str]:
    """Two stations 300 km apart; their keys."""
    keys = {name: await site.admit(name, label=f"Garage {name}") for name in ("CP1", "CP2")}
    for name, longitude in (("CP1", "16.3738"), ("CP2", "12.3238")):
        async with site.rooms.store.unit() as unit:
            await stations.describe(unit, name, {"latitude": Decimal("48.2"), "longitude": Decimal(longitude)})
    return keys


async def copied(site: Site) -> None:
    """The card is tapped at both at once; at one of them many that nobody knows are tried as well."""
    keys = await apart(site)
    async with site.station("CP1", keys["CP1"]) as one, site.station("CP2", keys["CP2"]) as other:
        assert (await one.call(call.Authorize(id_tag=CARD))).id_tag_info["status"] == "Accepted"
        assert (await other.call(call.Authorize(id_tag=CARD))).id_tag_info["status"] == "Blocked"
        for number in range(12):
            await other.call(call.Authorize(id_tag=f"04BADBAD{number:06X}"))


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
async def test_a_copied_card_is_seen_and_blocked(site: Site, size: tuple[int, int]) -> None:
    await copied(site)
    async with site.operator(size) as person:
        page = person.page
        need = page.locator("#needs li", has_text="Card ••80 was at two places too far apart")
        await need.wait_for()
        await expect(page.locator("#needs li", has_text="Alarm at Garage CP2")).to_have_count(0)
        assert await person.sideways() <= 0
        await page.goto("/findings")
        await page.locator("#open li", has_text="Somebody may be guessing cards at Garage CP2").wait_for()
        await page.get_by_role("heading", name="2 findings need a person").wait_for()
        assert await person.sideways() <= 0
        if SHOTS:
            await page.screenshot(path=Path(SHOTS) / f"findings-{size[0]}.png", full_page=True)
        assert CARD not in await page.content()
        first = page.locator("#open li", has_text="too far apart")
        await first.get_by_role("button", name="Block the card").click()
        settled = page.locator("#settled tr", has_text="too far apart")
        await expect(settled).to_contain_text("Confirmed")
        await expect(settled).to_contain_text("you")
        guessing = page.locator("#open li", has_text="guessing")
        await guessing.get_by_role("button", name="It was innocent").click()
        await page.get_by_role("heading", name="Nothing is suspicious").wait_for()
        assert await person.sideways() <= 0
        if SHOTS:
            await page.screenshot(path=Path(SHOTS) / f"settled-{size[0]}.png", full_page=True)
        await page.goto("/cards?state=blocked")
        await expect(page.locator("#cards tr", has_text="••80")).to_have_count(1)


async def test_a_finding_appears_while_the_page_is_open_and_is_settled_on_now(site: Site) -> None:
    async with site.operator() as person:
        await person.page.goto("/findings")
        await person.is_live()
        await person.sees("Nothing is suspicious")
        await copied(site)
        await person.page.locator("#open li", has_text="••80 was at two places").wait_for()
        await person.page.goto("/")
        need = person.page.locator("#needs li", has_text="too far apart")
        await need.get_by_role("button", name="It was its holder").click()
        await person.page.wait_for_url("/")
        await expect(need).to_have_count(0)
