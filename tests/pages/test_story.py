"""A session as an operator sees it: it appears, charges, is stopped, and tells its story."""

from __future__ import annotations

import pytest
from playwright.async_api import expect
from sqlalchemy import select, update

from tests.pages.site import NARROW, WIDE, Plugged, Site
from tests.stories.till import tariff
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.store.columns import EPOCH
from wattkeeper.store.tables import session as sessions
from wattkeeper.store.tables import tariff as tariff_table


async def charge(station: Plugged) -> None:
    """Ten readings: 6.6 kW at most, 4.2 kWh in all."""
    for minute in range(1, 11):
        await station.read(4 * minute, 1000 + 420 * minute, 6600 if minute == 5 else 6200)


async def test_a_session_appears_and_ends_while_it_is_watched(site: Site) -> None:
    key = await site.admit("CP1", label="Garage")
    async with site.operator() as person, site.station("CP1", key) as station:
        page = person.page
        await person.sees("No car is charging")
        await person.is_live()
        await station.boot()
        await station.begin()
        await station.read(4, 1420, 6200)
        row = page.locator("#charging tr.row")
        await row.get_by_text("Charging").wait_for()
        await row.get_by_text("0.42").wait_for()
        await person.sees("1 car is charging, 6.2 kW")
        await station.read(8, 1840, 6600)
        await row.get_by_text("0.84").wait_for()
        await person.sees("1 car is charging, 6.6 kW")
        await station.end(10, 1990)
        await person.sees("No car is charging")
        await row.wait_for(state="detached")


async def test_of_a_session_that_tells_begin_and_end_alone_no_curve_is_drawn(site: Site) -> None:
    key = await site.admit("CP1", label="Garage")
    async with site.operator() as person, site.station("CP1", key) as station:
        await station.boot()
        await station.begin()
        await station.end(30, 4500)
        await person.page.goto("/sessions")
        await person.page.locator("tr.row a.open").first.click()
        await person.page.get_by_role("heading", name="Only begin and end are known").wait_for()
        await person.sees("3.50 kWh, 7.0 kW on average")
        await expect(person.page.locator(".plot")).to_be_hidden()
        await expect(person.page.get_by_text("power, kW")).to_be_hidden()


async def test_its_page_tells_its_story_and_stays_true(site: Site) -> None:
    key = await site.admit("CP1", label="Garage")
    async with site.operator() as person, site.station("CP1", key) as station:
        page = person.page
        await station.boot()
        await station.begin()
        await page.goto("/sessions")
        await page.keyboard.press("j")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/sessions/*")
        await person.is_live()
        await charge(station)
        await person.sees("Peak: 6.6 kW")
        await page.locator(".plot canvas").wait_for()
        await page.locator("#figures-all").get_by_text("4.20").wait_for()
        for step in ("The card was accepted.", "The session began at connector 1.", "The meter was read 10 times."):
            await page.locator("#steps").get_by_text(step).wait_for()
        await station.end(45, 5500)
        await page.locator("#about").get_by_text("Ended").wait_for()
        await page.locator("#figures-all").get_by_text("4.50").wait_for()
        await page.locator("#steps").get_by_text("The session ended.").wait_for()
        await page.locator("#findings").get_by_text("Nothing wrong or unproven was found.").wait_for()
        await person.sees("It has ended, so there is nothing to stop.")


async def test_what_it_costs_rises_on_its_page_and_is_what_its_driver_is_told(site: Site) -> None:
    key = await site.admit("CP1", label="Garage")
    await site.rooms.prices.set(VIEWER, tariff("0.50"))
    async with site.rooms.store.unit() as unit:
        await unit.connection.execute(update(tariff_table).values(valid_from=EPOCH))
    async with site.operator() as person, site.station("CP1", key) as station:
        await station.boot()
        await station.begin()
        await person.page.goto("/sessions")
        await person.page.locator("#sessions a.open").click()
        await person.page.wait_for_url("**/sessions/*")
        await person.is_live()
        figures = person.page.locator("#figures-all")
        await station.read(4, 1420, 6200)
        await figures.get_by_text("€0.25").wait_for()
        await station.read(8, 1840, 6200)
        await figures.get_by_text("€0.50").wait_for()
        await figures.get_by_text("Cost so far").wait_for()
        await station.end(45, 5500)
        await figures.get_by_text("€2.70").wait_for()
        async with site.rooms.store.read() as connection:
            (session,) = (await connection.execute(select(sessions.c.id))).scalars()
        assert (await site.rooms.prices.receipt(VIEWER, session)).gross_minor == 270


async def test_the_curve_is_a_table_one_key_away(site: Site) -> None:
    key = await site.admit("CP1")
    async with site.operator() as person, site.station("CP1", key) as station:
        await station.begin()
        await charge(station)
        await station.end(45, 5500)
        await person.page.goto("/sessions")
        await person.page.locator("#sessions a.open").click()
        await person.page.wait_for_url("**/sessions/*")
        rows = person.page.locator("#readings tr")
        assert await rows.first.is_hidden()
        await person.page.keyboard.press("t")
        await rows.first.wait_for()
        texts = [(await row.locator("td").all_inner_texts())[1:3] for row in await rows.all()]
        assert texts[0] == ["–", "0.00"]
        assert ["6.6", "2.10"] in texts
        assert texts[-1] == ["–", "4.50"]
        await person.page.keyboard.press("t")
        await rows.first.wait_for(state="hidden")


async def test_the_stations_own_words_are_one_click_below_ours(site: Site) -> None:
    key = await site.admit("CP1")
    async with site.operator() as person, site.station("CP1", key) as station:
        await station.begin(register_wh=4711)
        await person.page.goto("/sessions?state=live")
        await person.page.locator("#sessions a.open").click()
        words = person.page.get_by_text('"meterStart": 4711')
        await words.wait_for(state="attached")
        assert await words.is_hidden()
        await person.page.get_by_text("The session began at connector 1.").click()
        await words.wait_for()


async def test_a_running_session_is_stopped_from_its_page(site: Site) -> None:
    key = await site.admit("CP1")
    async with site.operator() as person, site.station("CP1", key) as station:
        await station.begin()
        await person.page.goto("/sessions")
        await person.page.locator("#sessions a.open").click()
        await person.page.get_by_role("button", name="Stop charging").click()
        await person.sees("The station accepted it")
        assert station.asked == ["RemoteStopTransaction"]
        await station.end(5, 1500)
        await person.page.locator("#about").get_by_text("Ended").wait_for()


async def test_a_stale_session_is_closed_with_a_reason(site: Site) -> None:
    key = await site.admit("CP1", label="Garage")
    async with site.operator() as person:
        async with site.station("CP1", key) as station:
            await station.begin()
            await station.read(4, 1420, 6200)
        await person.sees("Garage is not connected")
        await person.page.locator("#charging").get_by_text("Out of contact").wait_for()
        await person.page.locator("#charging a.open").click()
        await person.page.get_by_text("close it as stale").click()
        await person.page.get_by_label("Reason").fill("The station was taken down.")
        await person.page.get_by_role("button", name="Close session").click()
        await person.sees("Closed by operator.")
        await person.sees("Ended, estimated")
        await person.page.locator("#findings").get_by_text("The station was taken down.").wait_for()


@pytest.mark.parametrize("size", [WIDE, NARROW, (320, 640)])
async def test_no_page_scrolls_sideways(site: Site, size: tuple[int, int]) -> None:
    key = await site.admit("CP1", label="A station with a rather long name, as people give them", site="North car park")
    async with site.operator(size) as person, site.station("CP1", key) as station:
        await station.boot(vendor="A" * 20, model="B" * 20)
        await station.begin()
        await charge(station)
        await person.page.goto("/sessions")
        session = await person.page.locator("#sessions a.open").get_attribute("href")
        pages = ("/", "/sessions", session, "/stations", "/stations/CP1", "/cards", "/nowhere")
        for place in pages:
            await person.page.goto(str(place))
            assert await person.sideways() <= 0, place
        for place in (str(session), "/stations/CP1", "/cards", "/stations"):
            await person.page.goto(place)
            await person.page.locator("details > summary").evaluate_all("all => all.forEach(one => one.click())")
            assert await person.sideways() <= 0, place
        await person.page.get_by_label("Identity").fill("A" * 48)
        await person.page.get_by_role("button", name="Add and show its key").click()
        await person.page.locator("button.key").wait_for()
        assert await person.sideways() <= 0
