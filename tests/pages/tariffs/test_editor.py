"""The tariff editor: prices as one types, with and without script; what is wrong, what is kept, and who was first."""

from __future__ import annotations

import json
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any

import httpx
import pytest
from playwright.async_api import Page, expect

from tests.pages.site import NARROW, Site
from tests.pages.test_staff import browsing
from tests.web.shop import OWNER
from wattkeeper.charging.money.bill import price
from wattkeeper.charging.money.tariffs.restriction import Restrictions
from wattkeeper.charging.money.tariffs.tariff import Component, Dimension, Element, Tariff
from wattkeeper.charging.money.usage import planned
from wattkeeper.charging.person import PROGRAMS, Role
from wattkeeper.store.money.tariffs.ocpi import to_ocpi

VAT = Decimal(20)
EXAMPLE = {"Day": "2026-12-01", "Begins": "21:00", "kWh": "20", "Hours charging": "2", "Then idle, min": "45"}


def tariff(night: str = "0.29", day: str = "0.49", idle: str = "6") -> Tariff:
    """A tariff with a price for the night, one for the day, and an idle fee after a quarter of an hour."""
    dark = Restrictions(start_time=time(22), end_time=time(6))
    return Tariff(
        "EUR",
        (
            Element((Component(Dimension.ENERGY, Decimal(night), VAT),), dark),
            Element((Component(Dimension.PARKING_TIME, Decimal(idle), VAT, 60),), Restrictions(min_idle_s=900)),
            Element((Component(Dimension.ENERGY, Decimal(day), VAT),)),
        ),
        tax_included=True,
    )


def total(one: Tariff) -> str:
    """What the example costs, worked out by the one money function."""
    at = datetime(2026, 12, 1, 21, tzinfo=UTC)
    return f"€{price(planned(at, Decimal(20_000), Decimal(7200), Decimal(2700)), one).gross:.2f}"


async def types(page: Page, number: int, what: str, **given: str) -> None:
    """Type a line of a block."""
    for name, text in given.items():
        words = {"price": "price", "vat": "tax in percent", "step": "step"}[name]
        await page.get_by_label(f"{what}, {words}, block {number}", exact=True).fill(text)


async def adds(page: Page, count: int) -> None:
    """One block more."""
    await page.get_by_role("button", name="Add a block").click()
    await expect(page.locator("fieldset.prices")).to_have_count(count)


async def makes(page: Page, name: str) -> None:
    """A tariff for day and night with an idle fee is typed, up to saving it; its first figure is still another."""
    await page.goto("/tariffs")
    await page.get_by_role("link", name="New tariff").click()
    await page.get_by_label("Name").fill(name)
    await types(page, 1, "Energy", price="0,39", vat="20")
    await page.locator("#b0 summary", has_text="Holds:").click()
    await page.locator("#b0-start_time").fill("22:00")
    await page.locator("#b0-end_time").fill("06:00")
    await adds(page, 2)
    await types(page, 2, "Idle time", price="6", vat="20", step="1")
    await page.locator("#b1 summary", has_text="Holds:").click()
    await page.locator("#b1-min_idle").fill("15")
    await adds(page, 3)
    await types(page, 3, "Energy", price="0.49", vat="20")
    for label, text in EXAMPLE.items():
        await page.get_by_label(label, exact=True).fill(text)


async def newest(site: Site, name: str) -> Tariff:
    """The newest version of a tariff, as kept."""
    return next(row.tariff for row in await site.rooms.prices.versions(OWNER) if row.id == name)


async def test_an_example_is_priced_as_one_types(site: Site) -> None:
    assert len({total(tariff(night)) for night in ("0.39", "0.3", "0.29")}) == 3
    async with site.operator() as person:
        page = person.page
        await makes(page, "night")
        await expect(page.locator("#total")).to_have_text(total(tariff("0.39")))
        field = page.get_by_label("Energy, price, block 1", exact=True)
        await field.fill("")
        await expect(page.locator("#meaning")).to_contain_text("Block 1: This block has no price yet.")
        await field.press_sequentially("0.2")
        await expect(page.locator("#total")).to_have_text(total(tariff("0.2")))
        await field.press("9")
        await expect(page.locator("#total")).to_have_text(total(tariff("0.29")))
        await expect(page.locator("#meaning svg svg text.full", has_text="€0.29")).to_have_count(2)
        await expect(page.locator("#meaning")).to_contain_text("10 kWh at €0.29 with tax")
        await page.get_by_label("Then idle, min").fill("0")
        idle_free = planned(datetime(2026, 12, 1, 21, tzinfo=UTC), Decimal(20_000), Decimal(7200))
        await expect(page.locator("#total")).to_have_text(f"€{price(idle_free, tariff()).gross:.2f}")
        await page.get_by_role("button", name="Save the tariff").click()
        await page.wait_for_url("/tariffs/named/night?*")
        await expect(page.locator("main > .word")).to_contain_text("The new version is saved.")
        await expect(page.get_by_role("heading", level=2).first).to_have_text("€0.29 to €0.49 for a kWh")
    assert await newest(site, "night") == tariff()


async def test_without_script_it_says_the_same(site: Site) -> None:
    async with site.operator(NARROW, java_script_enabled=False) as person:
        page = person.page
        await makes(page, "night")
        await types(page, 1, "Energy", price="0,29")
        await page.get_by_role("button", name="Show what it means").last.click()
        await expect(page.locator("#total")).to_have_text(total(tariff()))
        await page.locator("#b0-energy-price").focus()
        await expect(page.locator("#total")).to_be_in_viewport()
        assert await person.sideways() == 0
        await page.get_by_role("button", name="Save the tariff").click()
        await page.wait_for_url("/tariffs/named/night?*")
        assert await person.sideways() == 0
    assert await newest(site, "night") == tariff()


async def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(site: Site) -> None:
    async with site.operator() as person:
        page = person.page
        await makes(page, "a night")
        await types(page, 3, "Energy", price="cheap", vat="101")
        await page.locator("#b0 summary", has_text="Holds: from 22:00 to 06:00").click()
        await page.locator("#b0-end_time").fill("22:00")
        await page.get_by_role("button", name="Save the tariff").click()
        await expect(page.get_by_role("alert")).to_contain_text("Nothing was saved: 4 things are wrong.")
        for field, why in (
            ("name", "A name has 1 to 40 letters"),
            ("b2-energy-price", "This is no number."),
            ("b2-energy-vat", "A tax is 0 to 100 percent."),
            ("b0-end_time", "Choose two different times"),
        ):
            box = page.locator(f"#{field}")
            await expect(box).to_have_attribute("aria-invalid", "true")
            described = await box.get_attribute("aria-describedby")
            await expect(page.locator(f"#{described}")).to_contain_text(why)
        await expect(page.locator("#b2-energy-price")).to_have_value("cheap")
        await expect(page.locator("#b1-min_idle")).to_have_value("15")
        await expect(page.locator("#b0-end_time")).to_be_visible()  # unfolded, for something in it is wrong
    assert await site.rooms.prices.versions(OWNER) == []


async def test_rows_are_moved_and_taken_out_and_a_dated_tax_is_chosen(site: Site) -> None:
    await site.rooms.prices.set(OWNER, tariff(), None, "night")
    async with site.operator() as person:
        page = person.page
        await page.goto("/tariffs/named/night/edit")
        await page.get_by_role("button", name="Earlier Block 3").click()
        await expect(page.locator("#b1-energy-price")).to_have_value("0.49")
        await expect(page.locator("#b1-energy-price")).to_be_focused()
        await page.get_by_role("button", name="Take it out Block 1").click()
        await expect(page.locator("fieldset.prices")).to_have_count(2)
        await page.get_by_role("button", name="Add a rate").click()
        await expect(page.locator("#r0-name")).to_be_focused()
        for field, text in (("name", "AT"), ("percent", "20"), ("since", "2020-01-01"), ("until", "2027-01-01")):
            await page.locator(f"#r0-{field}").fill(text)
        await page.get_by_role("button", name="Add a rate").click()
        for field, text in (("name", "AT"), ("percent", "22"), ("since", "2027-01-01")):
            await page.locator(f"#r1-{field}").fill(text)
        await page.get_by_label("Energy, dated tax, block 1", exact=True).select_option("AT")
        await page.get_by_label("without tax", exact=True).last.fill("30")
        await page.get_by_role("button", name="Save as version 2").click()
        await page.wait_for_url("/tariffs/named/night?version=2*")
        await expect(page.locator("main")).to_contain_text("Rates of tax with dates")
    kept = await newest(site, "night")
    assert [one.dimension for one in kept.components] == [Dimension.ENERGY, Dimension.PARKING_TIME]
    assert next(kept.components).tax_rate == "AT"
    assert [rate.percent for rate in kept.rates] == [20, 22]
    assert kept.most is not None
    assert kept.most.net == 30


async def test_who_comes_second_is_told_and_overwrites_nothing(site: Site) -> None:
    await site.rooms.prices.set(OWNER, tariff(), None, "night")
    async with site.operator() as one, site.operator() as other:
        for person, figure in ((one, "0.31"), (other, "0.33")):
            await person.page.goto("/tariffs/named/night/edit")
            await types(person.page, 1, "Energy", price=figure)
        await one.page.get_by_role("button", name="Save as version 2").click()
        await one.page.wait_for_url("/tariffs/named/night?version=2*")
        page = other.page
        await page.get_by_role("button", name="Save as version 2").click()
        await expect(page.locator("main > .word")).to_contain_text("Somebody else has changed this tariff")
        await expect(page.locator("#b0-energy-price")).to_have_value("0.33")
        assert await newest(site, "night") == tariff("0.31")
        await page.get_by_role("button", name="Save as version 3").click()
        await page.wait_for_url("/tariffs/named/night?version=3*")
    rows = [row for row in await site.rooms.prices.versions(OWNER) if row.id == "night"]
    assert [row.tariff for row in rows] == [tariff("0.33"), tariff("0.31"), tariff()]


async def test_a_name_that_is_taken_is_not_given_twice(site: Site) -> None:
    await site.rooms.prices.set(OWNER, tariff(), None, "night")
    async with site.operator() as person:
        await makes(person.page, "night")
        for _ in range(2):
            await person.page.get_by_role("button", name="Save the tariff").click()
            await expect(person.page.locator("#why-name")).to_have_text("There is a tariff of this name already.")
    assert len(await site.rooms.prices.versions(OWNER)) == 1


async def test_what_shall_hold_later_waits_and_what_is_past_is_refused(site: Site) -> None:
    await site.rooms.prices.set(OWNER, tariff(), None, "night")
    async with site.operator() as person:
        page = person.page
        await page.goto("/tariffs/named/night/edit")
        await page.locator("#since_day").fill("2020-01-01")
        await page.get_by_role("button", name="Save as version 2").click()
        await expect(page.locator("#why-since_day")).to_contain_text("choose an instant to come")
        await page.locator("#since_day").fill("2199-01-01")
        await page.locator("#since_time").fill("06:30")
        await page.get_by_role("button", name="Save as version 2").click()
        await page.wait_for_url("/tariffs/named/night?version=2*")
        await page.goto("/tariffs")
        await expect(page.get_by_role("row").nth(1)).to_contain_text("version 2 from 1 Jan 2199 06:30")
    row = (await site.rooms.prices.versions(OWNER))[0]
    assert row.valid_from == datetime(2199, 1, 1, 6, 30, tzinfo=UTC)


async def test_the_file_is_what_the_api_gives(site: Site) -> None:
    await site.rooms.prices.set(OWNER, tariff(), None, "night")
    token = await site.rooms.access.make_token("tests", PROGRAMS)
    async with browsing(site, Role.AUDITOR) as client:
        answer = await client.get("/tariffs/named/night/ocpi")
        assert answer.headers["content-disposition"] == 'attachment; filename="night-1.json"'
        told = json.loads(answer.text, parse_float=Decimal, parse_int=Decimal)
        api = await client.get("/api/v1/tariffs", headers={"Authorization": f"Bearer {token}"})
    (listed,) = api.json()["items"]
    for name in ("id", "currency", "tax_included", "elements"):
        assert told[name] == exact(listed[name]), name
    assert exact(to_ocpi(tariff()))["elements"] == told["elements"]


def exact(told: Any) -> Any:
    """The same with every number as a decimal, however it is written."""
    if isinstance(told, dict):
        return {name: exact(value) for name, value in told.items()}
    if isinstance(told, list):
        return [exact(one) for one in told]
    if isinstance(told, int):
        return Decimal(told)
    try:
        return Decimal(told)
    except ArithmeticError:
        return told


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.AUDITOR, Role.BILLING, Role.PRIVACY_OFFICER])
async def test_who_may_only_read_prices_changes_none(site: Site, role: Role) -> None:
    await site.rooms.prices.set(OWNER, tariff(), None, "night")
    reads, writes = role is not Role.PRIVACY_OFFICER, role is Role.BILLING
    async with browsing(site, role) as client:
        for path in ("/tariffs", "/tariffs/named/night", "/tariffs/named/night/ocpi"):
            assert (await client.get(path)).status_code == (200 if reads else 403), path
        shown = (await client.get("/tariffs/named/night")).text
        assert ("/tariffs/named/night/edit" in shown) is writes
        for path in ("/tariffs/new", "/tariffs/named/night/edit"):
            assert (await client.get(path)).status_code == (200 if writes else 403), path
            assert (await client.post(path, data={"do": "save"})).status_code == (422 if writes else 403), path
        assert (await client.post("/tariffs/preview", data={})).status_code == (200 if writes else 403)
    assert len(await site.rooms.prices.versions(OWNER)) == 1


async def test_odd_forms_are_answered(site: Site) -> None:
    """Half, huge and hostile."""
    await site.rooms.prices.set(OWNER, tariff(), None, "night")
    odd: list[dict[str, str]] = [
        {},
        {"do": "remove-999999999999999"},
        {"do": "up-٣"},
        {"do": "save", "currency": "EUR", "zone": "../../etc/passwd", "seen": "9" * 5000},
        {f"b{one}-energy-price": "1e9999" for one in range(60)},
        {"b0-energy-price": "NaN", "b0-mon": "on", "x_hours": "Infinity", "r0-percent": "-1"},
        {"currency": "EUR", "zone": "UTC", "b0-energy-price": "1", "b0-mon": "on", "x_day": "9999-12-31"},
        {"b٣-energy-price": "1", "b0-\x00": "1", "b0-min_kwh": "1e-400"},
        {"x_day": "2026-12-01", "x_time": "24:00", "x_kwh": "1", "x_hours": "744.5"},
    ]
    async with browsing(site, Role.OPERATOR) as client:
        for form in odd:
            for path in ("/tariffs/new", "/tariffs/named/night/edit", "/tariffs/preview"):
                answer = await client.post(path, data=form)
                assert answer.status_code in (200, 422), (path, form, answer.status_code)
        async with httpx.AsyncClient(base_url=site.doors.http, headers=client.headers) as nobody:
            assert (await nobody.post("/tariffs/preview", data={})).status_code == 401
            assert (await nobody.post("/tariffs/new", data={})).headers["location"] == "/login"
        missing = await client.post("/tariffs/named/nowhere/edit", data={"do": "save"})
        assert missing.status_code == 404
        assert [await status(client, path) for path in ("?version=7", "?version=x", "?week=2026-W99")] == [
            404,
            404,
            200,
        ]


async def status(client: httpx.AsyncClient, query: str) -> int:
    """How a tariff's page is answered."""
    return (await client.get(f"/tariffs/named/night{query}")).status_code
