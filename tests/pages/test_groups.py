"""Groups of cards: a page for those who may see cards, rules and passes for those who may make groups."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from playwright.async_api import expect

from tests.pages.site import CARD, NARROW, Site
from tests.pages.test_staff import browsing, forms, without_choice
from wattkeeper.charging.cards.limits import Limits
from wattkeeper.charging.cards.token import Group
from wattkeeper.charging.person import Role
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.operations.cards.listing import COLUMNS
from wattkeeper.store.cards import card as cards
from wattkeeper.store.cards import group as groups

HOSTILE = "night/crew <b>&amp; #1?"


async def kept(site: Site) -> dict[str, Group]:
    """Every group's rules."""
    async with site.rooms.store.read() as connection:
        return {row.group.name: row.group for row in await groups.find(connection, VIEWER, 100)}


async def test_a_group_is_made_changed_and_removed(site: Site) -> None:
    """From the list of cards and back, on a phone too; what is refused keeps what was typed."""
    async with site.operator(NARROW) as person:
        page = person.page
        await page.goto("/cards")
        await page.get_by_role("link", name="Groups of cards").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("No groups of cards")
        await page.get_by_text("Make a group", exact=True).click()
        for label, text in (("Name", HOSTILE), ("Parent id", "NIGHT 1"), ("Energy a month", "1234567,25")):
            await page.get_by_label(label).fill(text)
        await page.get_by_role("button", name="Make the group").click()
        await expect(page.get_by_role("alert")).to_contain_text("no space")
        await expect(page.get_by_label("Energy a month")).to_have_value("1234567,25")
        await page.get_by_label("Parent id").fill("NIGHT1")
        await page.get_by_role("button", name="Make the group").click()
        await expect(page.get_by_role("status").first).to_contain_text("The group is made.")
        await expect(page.get_by_role("row").nth(1)).to_contain_text("Up to 1\u202f234\u202f567.25 kWh a month")
        assert await person.sideways() == 0
        await page.get_by_role("link", name=HOSTILE).click()
        await page.get_by_text("Change its rules", exact=True).click()
        await expect(page.get_by_label("Energy a month")).to_have_value("1234567.25")
        await page.get_by_label("Hours").fill("mon-fri 8:00-18:00")
        await page.get_by_role("button", name="Change it").click()
        await expect(page.locator("dl.facts").first).to_contain_text("mon-fri 08:00-18:00")
        await expect(page.locator("ol.steps")).to_contain_text("Limits changed. By operator.")
        assert await person.sideways() == 0
        rules = (await kept(site))[HOSTILE]
        assert (rules.parent_id, rules.limits.energy_wh_month) == ("NIGHT1", Decimal(1_234_567_250))
        await page.get_by_text("Remove it", exact=True).click()
        await page.get_by_role("button", name="Remove this group").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("No groups of cards")
        assert await kept(site) == {}


async def test_a_pass_is_told_in_plain_words_and_a_group_with_cards_stays(site: Site) -> None:
    await site.rooms.groups.put(VIEWER, Group("crew"))
    ref = site.rooms.safe.ref(CARD)
    await site.rooms.cards.change(ref, {"group": "crew"}, VIEWER)
    async with site.operator() as person:
        page = person.page
        await page.goto(f"/cards/{ref}")
        await page.get_by_role("link", name="crew").click()
        await page.get_by_text("Change its rules", exact=True).click()
        await expect(page.locator("form .word")).to_contain_text("the 1 card of this group can end any session at once")
        await page.get_by_label("stops any session at the station").check()
        await page.get_by_role("button", name="Change it").click()
        await expect(page.locator("main")).to_contain_text("Its cards are master passes.")
        assert (await kept(site))["crew"].is_master_pass
        await page.get_by_text("Remove it", exact=True).click()
        await expect(page.get_by_role("button", name="Remove this group")).to_have_count(0)
        await page.get_by_role("link", name="1 card").click()
        await expect(page.locator("#cards tr.row")).to_have_count(1)
        await page.goto("/cards?group=other")
        await expect(page.locator("#cards")).to_contain_text("No card fits this")


async def test_making_never_changes_a_group_that_is_there(site: Site) -> None:
    made = Group("staff", "STAFF", limits=Limits(sites=frozenset({"Yard"})))
    await site.rooms.groups.put(VIEWER, made)
    async with browsing(site, Role.OPERATOR) as client:
        answer = await client.post("/cards/groups", data={"name": "staff", "is_master_pass": "on"})
        assert (answer.status_code, "already" in answer.text) == (409, True)
        other = await client.post("/cards/groups", data={"name": "guests", "parent_id": "STAFF"})
        assert (other.status_code, 'value="guests"' in other.text) == (409, True)
        assert (await client.post("/cards/groups", data={"name": " "})).status_code == 422
        assert (await client.post("/cards/group/remove", data={"name": "nobody"})).status_code == 404
        assert (await client.get("/cards/group", params={"name": "nobody"})).status_code == 404
        assert (await client.get("/cards/group")).headers["location"] == "/cards/groups"
    assert await kept(site) == {"staff": made}


async def test_a_group_in_use_is_not_removed_by_a_page_that_is_old(site: Site) -> None:
    await site.rooms.groups.put(VIEWER, Group("crew"))
    await site.rooms.cards.change(site.rooms.safe.ref(CARD), {"group": "crew"}, VIEWER)
    async with browsing(site, Role.OPERATOR) as client:
        answer = await client.post("/cards/group/remove", data={"name": "crew"})
    assert (answer.status_code, "Take them out of it first" in answer.text) == (409, True)
    assert set(await kept(site)) == {"crew"}


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.AUDITOR, Role.BILLING])
async def test_who_may_only_see_cards_sees_groups_and_no_form(site: Site, role: Role) -> None:
    await site.rooms.groups.put(VIEWER, Group("crew", is_master_pass=True))
    async with browsing(site, role) as client:
        pages = [(await client.get(path)).text for path in ("/cards/groups", "/cards/group?name=crew")]
        assert all("crew" in page and "stops any session" in page for page in pages)
        assert [forms(page) for page in pages] == [set(), set()]
        for path in ("/cards/groups", "/cards/group", "/cards/group/remove"):
            answer = await client.post(path, data={"name": "crew"})
            assert answer.status_code == 403, path
    assert (await kept(site))["crew"].is_master_pass


async def test_a_site_host_sees_no_group(site: Site) -> None:
    await site.rooms.groups.put(VIEWER, Group("crew"))
    async with browsing(site, Role.SITE_HOST, "Yard") as client:
        for path in ("/cards/groups", "/cards/group?name=crew"):
            answer = await client.get(path)
            assert (answer.status_code, "crew" in without_choice(answer.text)) == (403, False)


async def test_many_groups_are_turned_page_by_page(site: Site) -> None:
    async with site.rooms.store.unit() as unit:
        for number in range(101):
            await groups.keep(unit, Group(f"g{number:03}"), "test")
    async with browsing(site, Role.OPERATOR) as client:
        first = await client.get("/cards/groups")
        assert "More than 100 groups of cards" in first.text
        assert ("g099" in first.text, "g100" in first.text) == (True, False)
        rest = await client.get("/cards/groups", params={"after": "g099"})
        shown = without_choice(rest.text)
        assert ("g099" in shown, "g100" in shown) == (False, True)


async def test_the_import_form_tells_every_column_and_what_it_may_say_is_taken(site: Site) -> None:
    async with browsing(site, Role.OPERATOR) as client:
        page = (await client.get("/cards")).text
        told = dict(re.findall(r'<dt class="mono"[^>]*>(\w+)</dt><dd>(.*?)</dd>', page))
        assert {COLUMNS[name] for name in told} == set(COLUMNS.values())
        words = {name: re.findall(r"[a-z]+", said) for name, said in told.items()}
        for column, some in (
            ("state", ("active", "blocked")),
            ("kind", ("card", "fob")),
            ("strength", ("number", "secure")),
            ("offline", ("refuse", "accept")),
        ):
            assert set(some) <= set(words[column]), column
            lines = [f"04A2B97F12{number:02};{word}" for number, word in enumerate(some)]
            answer = await client.post("/cards/import", data={"text": "\n".join([f"number;{column}", *lines])})
            assert "0 not taken" in answer.text, column
        for day in ("2027-12-31", "31.12.2027", "2027-12-31T18:00:00Z"):
            assert day in told["expires"]
            answer = await client.post("/cards/import", data={"text": f"number\texpires\n{CARD}\t{day}"})
            assert "0 new, 1 updated, 0 not taken" in answer.text, day
    async with site.rooms.store.read() as connection:
        assert len(await cards.find(connection, VIEWER, 10)) == 3
