"""The queue of who answers for people's data: a letter taken in, proved, done, answered; a breach seen through."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.pages.site import NARROW, WIDE, Site
from wattkeeper.charging.person import Role
from wattkeeper.store.people import person as persons

SHOTS = os.environ.get("SCREENSHOTS")
"""A folder for pictures of the pages, where somebody wants to look at them."""


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
async def test_a_letter_is_taken_in_proved_done_and_answered(site: Site, size: tuple[int, int]) -> None:
    driver = await site.rooms.access.make_account("vera@example.org", "a driver's long password", Role.DRIVER)
    async with site.operator(size) as person:
        page = person.page
        await page.goto("/requests")
        await page.get_by_role("heading", name="Nobody waits for an answer").wait_for()
        await page.locator("#right").select_option("erasure")
        await page.locator("#day").fill("2026-01-15")
        await page.locator("#who").fill("vera@example.org")
        await page.locator("#words").fill("Please forget me.")
        await page.get_by_role("button", name="Take it in").click()
        await page.get_by_role("heading", name="To be forgotten").wait_for()
        await expect(page.get_by_text("Please forget me.")).to_be_visible()
        await expect(page.get_by_text("Overdue")).to_be_visible()
        await picture(page, f"request-{size[0]}")
        assert await person.sideways() <= 0
        await page.locator("#proof").select_option("document")
        await page.get_by_role("button", name="Note it").click()
        await page.get_by_role("button", name="Forget them for good").click()
        await page.locator("#words").fill("Everything was deleted; tax papers stay.")
        await page.get_by_role("button", name="It is done").click()
        await expect(page.get_by_text("Everything was deleted")).to_be_visible()
        await page.goto("/requests")
        await page.get_by_role("heading", name="Nobody waits for an answer").wait_for()
        await picture(page, f"requests-{size[0]}")
        assert await person.sideways() <= 0
        await page.goto("/breaches")
        await page.locator("#what").fill("A laptop with a list of sessions was lost.")
        await page.get_by_role("button", name="Enter it").click()
        await page.get_by_role("heading", name="0 people are affected").wait_for()
        await picture(page, f"breach-{size[0]}")
        assert await person.sideways() <= 0
        await page.get_by_role("button", name="The authority was told").click()
        await page.locator("#done").fill("It was found again, and its disk is encrypted.")
        await page.get_by_role("button", name="It is over").click()
        await page.goto("/breaches")
        await picture(page, f"breaches-{size[0]}")
        assert await person.sideways() <= 0
    async with site.rooms.store.read() as connection:
        assert not await persons.is_kept(connection, driver.person)


async def picture(page: Page, name: str) -> None:
    """A picture, where somebody wants one."""
    if SHOTS:
        await page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)
