"""E15: whatever a station says of itself is text, on every page, as it was loaded and as it changes."""

from __future__ import annotations

import pytest
from ocpp.v16 import call
from playwright.async_api import expect

from tests.pages.site import Person, Site

IMAGE = "<img src=x onerror=document.title=1>"
SCRIPT = "<script>alert(1)</script>"
QUOTED = "\"'><svg onload=alert(2)>"


async def inert(person: Person) -> None:
    """No word of a station became an element."""
    assert await person.page.locator("img[src=x], svg[onload], main script").count() == 0
    assert await person.page.title() != "1"


@pytest.mark.parametrize("java_script_enabled", [True, False])
async def test_words_of_stations_stay_words(site: Site, java_script_enabled: bool) -> None:
    key = await site.admit("CP1", label=SCRIPT, site=IMAGE)
    async with site.station("CP1", key) as station:
        await station.boot(vendor=SCRIPT[:20], model=QUOTED[:20], firmware=IMAGE)
        await station.call(call.DataTransfer(vendor_id=IMAGE, message_id=SCRIPT, data=QUOTED))
        await station.call(call.SecurityEventNotification(type=IMAGE, timestamp=station.time(), tech_info=QUOTED))
        await station.begin(card=SCRIPT[:20])
        await station.status("Faulted", info=IMAGE, error="OtherError")
        async with site.person(java_script_enabled=java_script_enabled) as person:
            await person.sign_in()
            await inert(person)
            await person.page.goto("/sessions")
            await inert(person)
            await person.page.locator("#sessions a.open").click()
            await inert(person)
            await person.page.goto("/stations")
            await expect(person.page.locator("#stations")).to_contain_text(SCRIPT)
            await inert(person)
            await person.page.goto("/stations/CP1")
            await expect(person.page.locator("#connectors")).to_contain_text(IMAGE)
            await expect(person.page.locator("#facts")).to_contain_text(IMAGE)
            await inert(person)


async def test_words_that_arrive_while_a_page_is_open_stay_words(site: Site) -> None:
    key = await site.admit("CP1")
    async with site.operator() as person, site.station("CP1", key) as station:
        await person.page.goto("/stations/CP1")
        await person.is_live()
        await station.boot(vendor=SCRIPT[:20], model=QUOTED[:20], firmware=IMAGE)
        await station.status("Faulted", info=IMAGE, error="OtherError")
        await expect(person.page.locator("#connectors")).to_contain_text(IMAGE)
        await expect(person.page.locator("#facts")).to_contain_text(IMAGE)
        await inert(person)


async def test_who_knocks_by_a_hostile_name_is_text_too(site: Site) -> None:
    await site.rooms.admission.enter(IMAGE, None, None, "10.0.0.9", SCRIPT)
    await site.rooms.admission.write_knocks()
    async with site.operator() as person:
        await expect(person.page.locator("#needs")).to_contain_text(f"{IMAGE} waits to be let in")
        await inert(person)
        await person.page.get_by_role("button", name="Admit").click()
        await expect(person.page.locator("h1")).to_contain_text(IMAGE)
        await inert(person)


async def test_what_is_typed_comes_back_as_text(site: Site) -> None:
    async with site.operator() as person:
        for place in ("/sessions?q=", "/stations?q=", "/cards?q=", "/stations/", "/sessions/", "/sessions?state="):
            await person.page.goto(place + "%22%3E" + "%3Cimg%20src=x%20onerror=document.title=1%3E")
            await inert(person)
