"""What an operator does: let a station in, ask it for things, take in cards."""

from __future__ import annotations

import pytest
from playwright.async_api import FilePayload, expect
from websockets.exceptions import InvalidStatus

from tests.doors import until
from tests.pages.site import Site


async def knock(site: Site, station: str) -> None:
    """Come without a key, as a station does that nobody knows."""
    with pytest.raises(InvalidStatus):
        async with site.station(station, "0" * 40):
            pass


async def test_a_station_that_knocks_is_admitted_and_comes_in_with_its_key(site: Site) -> None:
    async with site.operator() as person:
        await person.is_live()
        await knock(site, "CP9")
        await person.sees("CP9 waits to be let in")
        await person.page.get_by_role("button", name="Admit").click()
        key = await person.page.locator("button.key .text").inner_text()
        async with site.station("CP9", key) as station:
            await station.boot()
            await person.page.get_by_role("link", name="open the station’s page").click()
            await expect(person.page.locator("#about")).to_contain_text("Connected")
            assert key not in await person.page.content()
        await expect(person.page.locator("#about")).to_contain_text("Not connected")


async def test_a_station_that_knocks_is_turned_away(site: Site) -> None:
    await knock(site, "CP9")
    async with site.operator() as person:
        await person.page.get_by_role("button", name="Turn away").click()
        await person.sees("Nothing needs a person.")


async def test_a_station_is_asked_and_its_answer_told_as_it_is(site: Site) -> None:
    key = await site.admit("CP1")
    async with site.operator() as person, site.station("CP1", key) as station:
        await station.boot()
        await station.status("Available")
        await person.page.goto("/stations/CP1")
        await person.page.get_by_role("button", name="Unlock").click()
        await expect(person.page.locator("#orders")).to_contain_text("Unlock the connector The station declined")
        await until(lambda: station.asked == ["UnlockConnector"])
    async with site.operator() as person:
        await person.page.goto("/stations/CP1")
        await person.page.get_by_role("button", name="Restart at once").click()
        await expect(person.page.locator("#orders")).to_contain_text("Restart Waiting for the station to connect")


async def test_a_station_is_added_renewed_and_removed(site: Site) -> None:
    async with site.operator() as person:
        page = person.page
        await page.goto("/stations")
        await expect(page.locator("#stations")).to_contain_text("No station yet.")
        await page.get_by_text("Add a station").click()
        await page.get_by_label("Identity").fill("CP 1/b")
        await page.get_by_label("Name What people call it").fill("Garage")
        await page.get_by_label("Most power").fill("much")
        await page.get_by_role("button", name="Add and show its key").click()
        await expect(page.get_by_role("alert")).to_contain_text("The most power is a number of kW")
        await expect(page.get_by_label("Name What people call it")).to_have_value("Garage")
        await page.get_by_label("Most power").fill("22")
        await page.get_by_role("button", name="Add and show its key").click()
        first = await page.locator("button.key .text").inner_text()
        await page.get_by_role("link", name="open the station’s page").click()
        await expect(page.locator("h1")).to_have_text("Garage")
        await expect(page.locator("#facts")).to_contain_text("22.0 kW")
        await page.get_by_text("Give it a new key").click()
        await page.get_by_role("button", name="Make a new key and show it").click()
        assert await page.locator("button.key .text").inner_text() != first
        await page.get_by_role("link", name="open the station’s page").click()
        await page.get_by_text("Remove it").click()
        await page.get_by_label("Type its id").fill("CP 1/b")
        await page.get_by_role("button", name="Remove this station").click()
        await expect(page.locator("#stations")).to_contain_text("No station yet.")


async def test_cards_are_taken_in_and_every_bad_line_is_told_without_its_number(site: Site) -> None:
    async with site.operator() as person:
        page = person.page
        await page.goto("/cards")
        await page.get_by_text("Import cards").click()
        bad = "04DEADBEEF0042"
        await page.get_by_label("or paste it").fill(f"number,state\n04A1B2C3D47F,active\n{bad},lost\n")
        await page.get_by_role("button", name="Import").click()
        await expect(page.get_by_role("status").nth(1)).to_contain_text("1 new, 0 updated, 1 not taken.")
        await person.sees("Line 3: The state must be active or blocked.")
        content = await page.content()
        assert bad not in content
        assert "04A1B2C3D47F" not in content
        row = page.locator("#cards tr", has_text="••7F")
        await row.get_by_role("button", name="Block").click()
        await row.get_by_text("Blocked").wait_for()
        await page.goto("/cards?state=blocked")
        await expect(page.locator("#cards tr")).to_have_count(1)
        await row.get_by_role("button", name="Unblock").click()
        await row.get_by_text("Active").wait_for()


async def test_cards_come_as_a_file_too(site: Site) -> None:
    async with site.operator() as person:
        await person.page.goto("/cards")
        await person.page.get_by_text("Import cards").click()
        table = b"number;group\r\n04A1B2C3D47F;fleet\r\n"
        file = FilePayload(name="cards.csv", mimeType="text/csv", buffer=table)
        await person.page.get_by_label("CSV file").set_input_files(file)
        await person.page.get_by_role("button", name="Import").click()
        await person.sees("1 new, 0 updated, 0 not taken.")
        await expect(person.page.locator("#cards tr", has_text="••7F")).to_contain_text("fleet")
