"""While a car charges: the page stays true, says so when it cannot, and a tap counts once."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, Route, expect
from sqlalchemy import func, select

from tests.doors import PATIENCE_S, until
from tests.pages.driver.test_hostile import running
from tests.pages.driver.town import Town
from tests.pages.site import WIDE, Person
from wattkeeper.store.tables import orders, phone_start

expect.set_options(timeout=PATIENCE_S * 1000)
NUMBER = re.compile(r"^\d+\.\d\d$")


async def moves(page: Page) -> None:
    """Energy rises on the page."""
    number = page.locator(".ring .number")
    await expect(number).to_have_text(NUMBER)
    before = await number.inner_text()
    await expect(number).not_to_have_text(before)
    assert float(await number.inner_text()) > float(before)


def forgive(person: Person, *texts: str) -> None:
    """Forget complaints that a test brought about itself."""
    person.complaints[:] = [one for one in person.complaints if not any(text in one for text in texts)]


async def test_figures_move_by_themselves_and_only_the_state_is_read_out(town: Town) -> None:
    me = await town.sign_up()
    async with town.plugged("CP1", behind=town.early, speed=120), town.driver(me) as person:
        start = await running(town, me)
        await person.page.goto(f"/app/charging/{start.id}")
        await person.page.wait_for_url(f"**/app/charging/{start.session}")
        await moves(person.page)
        await expect(person.page.locator("#aloud")).to_have_text("Charging.")
        assert sum("/app/live/" in one for one in person.requests) <= 3, "it is pushed, not asked for"


async def test_where_nothing_can_be_pushed_the_page_asks(town: Town) -> None:
    me = await town.sign_up()
    async with town.plugged("CP1", behind=town.early, speed=120), town.driver(me) as person:
        start = await running(town, me)

        async def refuse(route: Route) -> None:
            await route.abort()

        await person.page.route(re.compile(r"/app/live/[^/]+$"), refuse)
        await person.page.goto(f"/app/charging/{start.session}")
        await moves(person.page)
        forgive(person, "ERR_FAILED")


async def test_a_wait_counts_down_without_its_page_being_put_there_anew(town: Town) -> None:
    """Whoever reads it, or has it read, is not thrown back each time a second is told to have passed."""
    me = await town.sign_up()
    async with town.plugged("CP1", behind=town.early), town.driver(me) as person:
        wish = await town.rooms.enrolments.open(await town.viewer(me), "CP1")

        async def refuse(route: Route) -> None:
            await route.abort()

        await person.page.route("**/live", refuse)
        await person.page.goto(f"/app/cards/add/{wish.id}")
        heading, left = person.page.locator("h1"), person.page.get_by_role("timer")
        await heading.evaluate("(one) => { one.isStill = true; }")
        before = await left.inner_text()
        for _ in range(2):
            async with person.page.expect_response("**/now"):
                pass
        assert await left.inner_text() != before
        assert await heading.evaluate("(one) => one.isStill")
        await town.rooms.enrolments.withdraw(await town.viewer(me), wish.id)
        await expect(heading).not_to_have_text("Tap your card now")
        forgive(person, "ERR_FAILED")


async def test_a_lost_network_is_said_and_the_figures_stay(town: Town) -> None:
    me = await town.sign_up()
    async with town.plugged("CP1", behind=town.early, speed=120), town.driver(me) as person:
        start = await running(town, me)
        await person.page.goto(f"/app/charging/{start.session}")
        await moves(person.page)
        await person.context.set_offline(True)
        await expect(person.page.locator("#net")).to_be_visible()
        assert NUMBER.match(await person.page.locator(".ring .number").inner_text())
        await person.page.get_by_role("button", name="Stop charging").click()
        await expect(person.page.locator(".word.sent")).to_contain_text("cannot tell whether it stops")
        await expect(person.page.get_by_role("button", name="Stop charging")).to_be_enabled()
        await person.context.set_offline(False)
        await expect(person.page.locator("#net")).to_be_hidden()
        await moves(person.page)
        forgive(person, "ERR_INTERNET_DISCONNECTED", "Failed to load")


async def count(town: Town, table: str) -> int:
    """How many starts, or orders to stop, there are."""
    found = {"starts": select(func.count()).select_from(phone_start)}
    found["stops"] = select(func.count()).select_from(orders).where(orders.c.kind == "StopCharging")
    async with town.rooms.store.read() as connection:
        return int(await connection.scalar(found[table]) or 0)


async def test_double_taps_do_nothing_twice_and_a_tap_is_seen_at_once(town: Town) -> None:
    me = await town.sign_up()
    async with town.plugged("CP1", behind=town.early), town.driver(me) as person:
        page = person.page
        await page.goto("/app/?q=hauptplatz")
        await page.get_by_role("link", name="Hauptplatz").click()
        await expect(page.get_by_role("button", name="Start charging")).to_be_visible()
        seen = await page.evaluate(
            """() => {
              const button = document.querySelector("form.deed button");
              button.click(); button.click(); button.form.requestSubmit();
              return [button.textContent, button.disabled];
            }"""
        )
        assert seen == ["Asking the station …", True]
        await expect(page.locator(".state-line")).to_have_text("Charging")
        assert await count(town, "starts") == 1
        await page.locator("#stop").dblclick()
        await expect(page.locator(".state-line")).to_have_text("Finished")
        assert await count(town, "stops") == 1
        assert "asked=" in page.url


async def test_a_session_id_is_copied_by_one_tap(town: Town) -> None:
    me = await town.sign_up()
    rights = {"permissions": ["clipboard-read", "clipboard-write"]}
    async with town.plugged("CP1", behind=town.early), town.driver(me, **rights) as person:
        start = await running(town, me)
        await person.page.goto(f"/app/charging/{start.session}")
        shown = await person.page.locator(".aloud .text").inner_text()
        assert shown.replace("-", "") == start.session
        await person.page.locator(".aloud .copy").click()
        await person.sees("copied")
        assert await person.page.evaluate("navigator.clipboard.readText()") == shown


async def test_a_station_that_falls_silent_makes_the_figures_old_not_wrong(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    me = await town.sign_up()
    async with town.plugged("CP1", behind=town.early), town.driver(me, size=WIDE) as person:
        start = await running(town, me)
        clock = town.rooms.store.clock
        monkeypatch.setattr("wattkeeper.web.driver.charging.SILENT", -(clock() - clock()))
        await person.page.goto(f"/app/charging/{start.session}")
        await expect(person.page.locator(".heard")).to_contain_text("last heard of just now")


async def test_who_signs_out_elsewhere_sees_no_more(town: Town) -> None:
    me = await town.sign_up()
    async with town.plugged("CP1", behind=town.early), town.driver(me) as person:
        start = await running(town, me)
        await person.page.goto(f"/app/charging/{start.session}")
        await moves(person.page)
        viewer = await town.viewer(me)
        await town.rooms.people.accounts.end_other_logins(viewer)
        await person.page.wait_for_url(re.compile(r"/app/sign-in\?next="))


async def test_a_strip_leads_back_to_what_charges(town: Town) -> None:
    me = await town.sign_up()
    async with town.plugged("CP1", behind=town.early), town.driver(me) as person:
        start = await running(town, me)
        await person.page.goto("/app/")
        await person.page.locator(".strip").click()
        await person.page.wait_for_url(f"**/app/charging/{start.session}")

        async def stopped() -> bool:
            return await count(town, "stops") == 1

        await person.page.get_by_role("button", name="Stop charging").click()
        await until(stopped, "an order to stop")
