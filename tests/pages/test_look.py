"""How pages weigh, where they fetch from, what can be read on them, and what their keys do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.pages.site import Person, Site
from wattkeeper.web import bundle

MOST = 150 * 1024
TOKENS = (bundle.SOURCES / "tokens.css").read_text()


def linked(requests: list[str]) -> set[str]:
    """The names of the script and style that a page asked for."""
    return {Path(url).name for url in requests if url.endswith((".js", ".css"))}


async def test_no_page_is_heavier_than_150_kib_and_all_of_it_is_ours(site: Site) -> None:
    key = await site.admit("CP1")
    async with site.operator() as person, site.station("CP1", key) as station:
        await station.begin()
        await station.read(4, 1420, 6200)
        await station.read(8, 1840, 6200)
        await person.page.goto("/sessions")
        session = await person.page.locator("#sessions a.open").get_attribute("href")
        for place in (
            "/login",
            "/",
            "/sessions",
            str(session),
            "/stations",
            "/stations/CP1",
            "/cards",
            "/tariffs/new",
            "/insight",
        ):
            person.requests.clear()
            await person.page.goto(place)
            names = linked(person.requests)
            assert names, place
            assert sum((bundle.STATIC / name).stat().st_size for name in names) <= MOST, place
            assert all(url.startswith(site.doors.http) for url in person.requests), person.requests


async def test_the_content_policy_is_kept_and_would_be_heard_of(site: Site) -> None:
    async with site.operator() as person:
        await person.is_live()
        assert person.complaints == []
        await person.page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p style=\"color:red\">x</p>')")
        assert len(person.complaints) == 1
        assert "Content Security Policy" in person.complaints.pop()


def luminance(colour: str) -> float:
    """WCAG 2.2 relative luminance of ``#rrggbb``."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG 2.2 contrast ratio."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_every_colour_of_text_can_be_read_on_every_ground(scheme: int) -> None:
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", TOKENS.split("@media")[scheme]))
    for text in ("ink", "ink-2", "flow", "look", "harm"):
        for ground in ("paper", "raised"):
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    for wash in ("look-wash", "harm-wash"):
        assert contrast(colours["ink"], colours[wash]) >= 4.5


async def focused(person: Person) -> str:
    """The address of the focused row."""
    return str(await person.page.evaluate("document.activeElement.getAttribute('href')"))


async def test_lists_are_walked_by_keyboard(site: Site) -> None:
    for name in ("CP1", "CP2", "CP3"):
        await site.admit(name)
    async with site.operator() as person:
        page = person.page
        await page.keyboard.press("g")
        await page.keyboard.press("t")
        await page.wait_for_url("**/stations")
        await person.is_live()
        await page.keyboard.press("j")
        assert await focused(person) == "/stations/CP1"
        await page.keyboard.press("j")
        await page.keyboard.press("ArrowDown")
        await page.keyboard.press("j")
        assert await focused(person) == "/stations/CP3"
        await page.keyboard.press("k")
        assert await focused(person) == "/stations/CP2"
        await page.keyboard.press("/")
        await page.keyboard.type("CP3")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/stations?q=CP3*")
        await expect(page.locator("#stations tr")).to_have_count(1)
        await page.keyboard.press("?")
        await expect(page.get_by_role("dialog")).to_be_visible()


async def test_a_focused_row_keeps_its_focus_when_it_changes(site: Site) -> None:
    key = await site.admit("CP1")
    async with site.operator() as person:
        await person.page.goto("/stations")
        await person.is_live()
        await person.page.keyboard.press("j")
        async with site.station("CP1", key):
            await expect(person.page.locator("#stations")).to_contain_text("Connected")
            assert await focused(person) == "/stations/CP1"


async def test_an_id_is_copied_by_one_tap(site: Site) -> None:
    key = await site.admit("CP1")
    async with site.operator(permissions=["clipboard-read", "clipboard-write"]) as person:
        async with site.station("CP1", key) as station:
            await station.begin()
        await person.page.goto("/sessions")
        await person.page.locator("#sessions a.open").click()
        shown = await person.page.locator("h1 .text").inner_text()
        await person.page.locator("h1 button").click()
        await person.sees("copied")
        assert await person.page.evaluate("navigator.clipboard.readText()") == shown


async def test_who_wants_no_motion_sees_none(site: Site) -> None:
    key = await site.admit("CP1")
    async with site.station("CP1", key) as station:
        await station.begin()
        await station.read(4, 1420, 6200)
        for wish, moving in (("no-preference", 1), ("reduce", 0)):
            async with site.operator(reduced_motion=wish) as person:
                await person.page.locator("#charging .breathes").wait_for()
                count = "document.getAnimations().filter(one => one.animationName === 'breathe').length"
                assert await person.page.evaluate(count) == moving, wish
