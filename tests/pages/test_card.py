"""One card's page: what was decided and why, its life, its rule; and what an operator does with it."""

from __future__ import annotations

from playwright.async_api import Page, expect

from tests.pages.site import CARD, Site
from wattkeeper.charging.cards.limits import DAYS, Limits, Span
from wattkeeper.charging.cards.token import Group
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.store.cards import card as cards

NEW = "04A2B97F1191"


async def opened(site: Site, page: Page) -> None:
    """The page of the one card, by way of the list."""
    await page.goto("/cards")
    await page.get_by_role("link", name="••80").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Card ••80")


async def test_a_cards_page_tells_its_story_as_it_happens(site: Site) -> None:
    key = await site.admit("CP1", label="Garage", site="Yard")
    async with site.operator() as person, site.station("CP1", key) as station:
        page = person.page
        await opened(site, page)
        await expect(page.locator("#decisions")).to_contain_text("not presented yet")
        await person.is_live()
        await station.begin()
        row = page.locator("#decisions tr").first
        await expect(row).to_contain_text("Accepted")
        await expect(row).to_contain_text("This card is active.")
        await expect(row).to_contain_text("Garage")
        await expect(page.locator("#sessions tr.row")).to_have_count(1)
        await expect(page.locator("#changes")).to_contain_text("Enrolled. By command line.")


async def test_what_can_be_done_with_a_card(site: Site) -> None:
    """Each asks once more; what is done shows at once, in the card's state and in its life."""
    async with site.operator() as person:
        page = person.page
        await opened(site, page)
        for title, button, word in (
            ("Block it", "Block this card", "Blocked"),
            ("Report it lost", "Report this card lost", "Lost"),
            ("Make it active again", "Make this card active", "Active"),
        ):
            await page.get_by_text(title, exact=True).click()
            await page.get_by_role("button", name=button).click()
            await expect(page.locator("#about")).to_contain_text(word)
        await expect(page.locator("#changes li.minor")).to_have_count(4)
        await page.get_by_text("Replace it", exact=True).click()
        await page.get_by_label("Number of the new card").fill("not a number!")
        await page.get_by_role("button", name="Replace this card").click()
        await expect(page.get_by_role("alert")).to_contain_text("characters that no card has")
        await page.get_by_text("Replace it", exact=True).click()
        await page.get_by_label("Number of the new card").fill(NEW)
        await page.get_by_role("button", name="Replace this card").click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text("••91")
        await opened(site, page)
        await expect(page.locator("#about")).to_contain_text("Replaced")
        await expect(page.get_by_role("link", name="replaced by ••91")).to_be_visible()
        assert NEW not in await page.content()


async def test_a_cards_rule_is_changed_by_a_form(site: Site) -> None:
    await site.rooms.groups.put(VIEWER, Group("crew", "CREW1", limits=Limits(sites=frozenset({"Yard"}))))
    async with site.operator() as person:
        page = person.page
        await opened(site, page)
        await page.get_by_text("Change this", exact=True).click()
        for label, text in (
            ("Good until", "31.12.2030"),
            ("Group", "crew"),
            ("Energy a month", "250,5"),
            ("Hours", "mon-fri 8:00-18:00, sat 22:00-24:00"),
            ("Kinds of plug", "IEC_62196_T2"),
        ):
            await page.get_by_label(label).fill(text)
        await page.get_by_label("While a station cannot ask").select_option("accept")
        await page.get_by_role("button", name="Change it").click()
        rule = page.locator("#rule")
        await expect(rule).to_contain_text("250.50 kWh")
        for words in ("mon-fri 08:00-18:00, sat 22:00-24:00", "it accepts this card", "CREW1", "Yard"):
            await expect(rule).to_contain_text(words)
        await page.get_by_text("Change this", exact=True).click()
        await page.get_by_label("Hours").fill("whenever")
        await page.get_by_role("button", name="Change it").click()
        await expect(page.get_by_role("alert")).to_contain_text("mon-fri 08:00-18:00, sat 09:00-12:00")
    async with site.rooms.store.read() as connection:
        (row,) = await cards.find(connection, VIEWER, 5)
    assert row.limits.energy_wh_month == 250_500
    assert row.limits.hours is not None
    assert [span.days for span in row.limits.hours] == [
        frozenset(day for name, day in DAYS.items() if name not in ("sat", "sun")),
        frozenset({DAYS["sat"]}),
    ]
    assert isinstance(row.limits.hours[0], Span)
    assert site.rooms.safe.ref(CARD) == row.ref
