"""Staff are asked for what and why, in a browser; the driver sees the look, and what became of an emergency."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import expect

from tests.doors import PATIENCE_S
from tests.pages.driver.town import MAIL, Town
from tests.pages.site import Person
from wattkeeper.charging.person import Role
from wattkeeper.web.guards.origin import cookie_name

expect.set_options(timeout=PATIENCE_S * 1000)
WHY = "She asks on the phone where her receipt is."
NEED = "Her card was stolen and somebody charges with it now."


@asynccontextmanager
async def staff(town: Town, role: Role, size: tuple[int, int] = (1280, 900)) -> AsyncIterator[Person]:
    """Somebody of a role, signed in at a desk."""
    async with town.rooms.store.unit() as unit:
        about = {"email": f"{role.value}@example.org", "name": role.value, "language": "en"}
        row = await town.rooms.people.accounts.make(unit, role, about, None, by="test", verified=True)
        cookie = await town.rooms.access.begin(unit, row, "passkey", "Firefox, Linux")
    async with town.phone(size) as person:
        name = cookie_name(town.rooms.settings)
        await person.context.add_cookies([{"name": name, "value": cookie, "url": town.doors.http}])
        yield person


async def found(person: Person) -> None:
    """Find Dora by her address, which leads to the question."""
    await person.page.goto("/persons")
    await person.page.get_by_label("E-mail address").fill(MAIL)
    await person.page.get_by_role("button", name="Find").click()


async def test_staff_say_for_what_and_why_and_the_driver_reads_it(town: Town) -> None:
    me = await town.sign_up()
    async with staff(town, Role.BILLING) as clerk, town.driver(me) as dora:
        page = clerk.page
        await found(clerk)
        await expect(page.get_by_role("heading", level=1)).to_have_text("For what, and why?")
        await expect(page.locator("main")).not_to_contain_text("Dora")
        await page.get_by_label("For what").select_option("enquiry")
        await page.get_by_label("Why").fill(WHY)
        await page.get_by_role("button", name="Open").click()
        await expect(page.get_by_role("alert")).to_contain_text("Say which case it is")
        await expect(page.get_by_label("Why")).to_have_value(WHY)
        await page.get_by_label("Case").fill("T-4711")
        await page.get_by_role("button", name="Open").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Dora Driver")
        await page.get_by_role("link", name="Show cards").click()
        await expect(page.locator("main")).to_contain_text("They hold no card.")
        await dora.page.goto("/app/privacy")
        seen = dora.page.locator("section", has_text="Who looked at your data").locator("li")
        await expect(seen).to_contain_text("Billing")
        await expect(seen).to_contain_text(f"An enquiry of the driver, T-4711: “{WHY}”")
        await expect(seen).to_contain_text("They saw: name, e-mail address, cards.")
        await expect(seen).not_to_contain_text("billing@")


async def test_an_emergency_is_told_to_all_and_reviewed_by_another(town: Town) -> None:
    me = await town.sign_up()
    async with (
        staff(town, Role.SUPPORT) as helper,
        staff(town, Role.PRIVACY_OFFICER) as officer,
        town.driver(me) as dora,
    ):
        await found(helper)
        await expect(helper.page.get_by_role("heading", level=1)).to_have_text("Is this an emergency?")
        await helper.page.get_by_label("Why").fill(NEED)
        await helper.page.get_by_role("button", name="Break the glass").click()
        await expect(helper.page.get_by_role("heading", level=1)).to_have_text("Dora Driver")
        await dora.page.goto("/app/me")
        await expect(dora.page.locator("main")).to_contain_text("Your data was opened in an emergency")
        await officer.page.goto("/")
        await officer.page.get_by_role("link", name="Review it").click()
        await expect(officer.page.get_by_role("heading", level=1)).to_have_text("1 emergency waits for a review")
        await expect(officer.page.locator("main")).to_contain_text(NEED)
        await officer.page.get_by_role("button", name="It was right").click()
        await expect(officer.page.locator("main .word")).to_contain_text("Reviewed.")
        await dora.page.goto("/app/privacy")
        await expect(dora.page.locator("main")).to_contain_text("A second person found that it was right.")
