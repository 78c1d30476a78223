"""Who gets which tariff: assigned, changed, ended, asked for; drivers stand there by their cards alone."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from playwright.async_api import Page, expect

from tests.pages.site import CARD, NARROW, Site
from tests.pages.test_staff import browsing, forms
from tests.web.shop import OWNER
from wattkeeper.charging.cards.token import Group
from wattkeeper.charging.money.tariffs.assignment import Rank
from wattkeeper.charging.money.tariffs.tariff import Component, Dimension, Element, Tariff
from wattkeeper.charging.person import Role
from wattkeeper.store.cards import card as cards


async def furnish(site: Site) -> str:
    """Two sites, a card in a group, three tariffs; the id of who holds the card."""
    await site.admit("CP1", site="Linz")
    await site.admit("CP2", site="Wels")
    for name, price in (("standard", "0.40"), ("night", "0.30"), ("crew", "0.20")):
        element = Element((Component(Dimension.ENERGY, Decimal(price)),))
        await site.rooms.prices.set(OWNER, Tariff("EUR", (element,)), None, name)
    await site.rooms.groups.put(OWNER, Group("drivers"))
    await site.rooms.cards.change(site.rooms.safe.ref(CARD), {"group": "drivers"}, OWNER)
    async with site.rooms.store.read() as connection:
        row = await cards.one(connection, OWNER, site.rooms.safe.ref(CARD))
    assert row is not None
    return row.person


async def assigns(page: Page, rank: str, subject: str, tariff: str) -> None:
    """By the form."""
    await page.get_by_label("For whom or where").select_option(label=rank)
    await page.get_by_label("Which one").fill(subject)
    await page.get_by_label("Tariff", exact=True).select_option(tariff)
    await page.get_by_role("button", name="Assign it").click()


async def asks(page: Page, station: str, number: str = "") -> None:
    """By the form."""
    await page.goto("/tariffs/which")
    await page.get_by_label("Station").fill(station)
    await page.get_by_label("Card number").fill(number)
    await page.get_by_role("button", name="Tell me").click()


@pytest.mark.parametrize("scripted", [True, False], ids=["script", "plain"])
async def test_a_tariff_is_assigned_to_a_site_and_the_question_says_why(site: Site, scripted: bool) -> None:
    await furnish(site)
    async with site.operator(NARROW, java_script_enabled=scripted) as person:
        page, steps = person.page, person.page.locator(".weighed > li")
        await asks(page, "CP1")
        await expect(page.get_by_role("heading", level=1)).to_have_text("They would get standard")
        await expect(steps.nth(6)).to_contain_text("It holds: nothing nearer to the driver does.")
        await page.get_by_role("link", name="Who gets which").click()
        await assigns(page, "A site", "Linz", "night")
        await expect(page.locator("main > .word")).to_contain_text("It is assigned.")
        await expect(page.locator(".ladder > li").nth(4)).to_contain_text("Linz night since")
        await asks(page, "CP1")
        await expect(page.get_by_role("heading", level=1)).to_have_text("They would get night")
        await expect(page.get_by_role("heading", level=2).nth(1)).to_have_text("It is assigned to the site Linz.")
        await expect(page.locator(".lines")).to_have_text("€0.30 for each kWh")
        await expect(steps.nth(4)).to_contain_text("It holds: nothing nearer to the driver does.")
        await expect(steps.nth(6)).to_contain_text("It would hold, but this comes first: A site.")
        await asks(page, "CP2")
        await expect(page.get_by_role("heading", level=1)).to_have_text("They would get standard")
        assert await person.sideways() == 0


async def test_a_driver_comes_before_their_group_and_is_never_named(site: Site) -> None:
    who = await furnish(site)
    await site.rooms.assignments.assign(OWNER, Rank.GROUP, "drivers", "night")
    async with site.operator() as person:
        page = person.page
        await page.goto("/tariffs/assignments")
        await assigns(page, "A driver", "04ffffff", "crew")
        await expect(page.locator("#why-subject")).to_have_text("There is no card with this number.")
        await expect(page.get_by_label("Which one")).to_have_value("04ffffff")
        await assigns(page, "A driver", CARD.lower(), "crew")
        await expect(page.locator(".ladder > li").first).to_contain_text("the driver with ••80 crew since")
        assert who not in await page.content()
        await asks(page, "CP1", CARD)
        assert CARD not in page.url
        await expect(page.get_by_role("heading", level=1)).to_have_text("They would get crew")
        await expect(page.locator(".weighed > li").nth(1)).to_contain_text(
            "It would hold, but this comes first: A driver."
        )
        await expect(page.get_by_label("with the card ••80")).to_be_checked()
        await page.get_by_label("with the card ••80").uncheck()
        await page.get_by_label("Or any card of the group").fill("drivers")
        await page.get_by_role("button", name="Tell me").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("They would get night")
        assert not [url for url in person.requests if CARD in url or who in url]


async def test_it_is_changed_from_a_day_on_and_ended(site: Site) -> None:
    await furnish(site)
    await site.rooms.assignments.assign(OWNER, Rank.SITE, "Linz", "night")
    async with site.operator() as person:
        page = person.page
        await page.goto("/tariffs/assignments")
        await page.get_by_role("link", name="Change it Linz").click()
        await page.get_by_label("Tariff", exact=True).select_option("crew")
        await page.get_by_label("day", exact=True).fill("2020-01-01")
        await page.get_by_role("button", name="Assign it").click()
        await expect(page.locator("#why-day")).to_contain_text("choose an instant to come")
        await page.get_by_label("day", exact=True).fill("2199-01-01")
        await page.get_by_role("button", name="Assign it").click()
        row = page.locator(".ladder > li").nth(4)
        await expect(row).to_contain_text("night since")
        await expect(row).to_contain_text("from 1 Jan 2199 00:00: crew")
        await row.get_by_role("button", name="End it Linz").click()
        await expect(page.locator("main > .word")).to_contain_text("That has ended.")
        await expect(row).not_to_contain_text("night")
        await expect(row).to_contain_text("crew")
        history = page.locator("tbody tr")
        await expect(history).to_have_count(3)
        await expect(history.first).to_contain_text("none any more")
        await page.goto("/tariffs/which?station=CP1&day=2199-01-02")
        await expect(page.get_by_role("heading", level=1)).to_have_text("They would get crew")


async def test_one_that_has_no_price_by_then_is_passed_over_and_said(site: Site) -> None:
    await furnish(site)
    later = site.rooms.store.clock() + timedelta(days=30)
    element = Element((Component(Dimension.ENERGY, Decimal(1)),))
    await site.rooms.prices.set(OWNER, Tariff("EUR", (element,)), later, "later")
    await site.rooms.assignments.assign(OWNER, Rank.SITE, "Linz", "night")
    async with browsing(site, Role.OPERATOR) as client:
        sent = {"rank": "station", "subject": "CP1", "tariff": "later"}
        answer = await client.post("/tariffs/assignments", data=sent)
        assert (answer.status_code, "no tariff of this name whose prices hold by then" in answer.text) == (422, True)
        sent |= {"day": f"{later + timedelta(days=1):%Y-%m-%d}"}
        assert (await client.post("/tariffs/assignments", data=sent)).status_code == 303
        assert "They would get night" in (await client.get("/tariffs/which?station=CP1")).text


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.AUDITOR])
async def test_who_may_only_read_sees_the_order_and_changes_nothing(site: Site, role: Role) -> None:
    who = await furnish(site)
    await site.rooms.assignments.assign(OWNER, Rank.DRIVER, who, "crew")
    async with browsing(site, role) as client:
        page = (await client.get("/tariffs/assignments")).text
        assert "the driver with ••80" in page
        assert who not in page
        assert forms(page) == set()
        for path, sent in (("", {"rank": "everyone", "tariff": "night"}), ("/end", {"n": "1"})):
            assert (await client.post(f"/tariffs/assignments{path}", data=sent)).status_code == 403
        asked = await client.post("/tariffs/which", data={"station": "CP1", "number": CARD})
        assert asked.headers["location"].endswith(f"card={site.rooms.safe.ref(CARD).replace(':', '%3A')}")
    assert len(await site.rooms.assignments.find(OWNER)) == 1


async def test_odd_questions_are_answered(site: Site) -> None:
    await furnish(site)
    async with browsing(site, Role.OPERATOR) as client:
        for query, status in (
            ({"station": "CP7"}, 422),
            ({"station": "CP1", "evse": "0"}, 422),
            ({"station": "CP1", "evse": "9" * 90}, 422),
            ({"station": "CP1", "evse": "٣"}, 422),
            ({"station": "CP1", "day": "2026-13-01"}, 422),
            ({"station": "CP1", "day": "9989-12-31", "time": "24:00"}, 200),
            ({"station": "CP1", "time": "12:00"}, 422),
            ({"station": "CP1", "card": "x" * 500}, 422),
            ({"station": "CP1", "group": "no such"}, 200),
            ({}, 200),
        ):
            assert (await client.get("/tariffs/which", params=query)).status_code == status, query
        for number in ("\x00", "é", "1" * 5000, "<b>"):
            answer = await client.post("/tariffs/which", data={"station": "CP1", "number": number})
            assert answer.status_code == 422, number
        gone = await client.post("/tariffs/assignments/end", data={"n": "77"})
        assert gone.status_code == 404
