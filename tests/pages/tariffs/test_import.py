"""Tariffs from files: what they mean before they are kept, which field is wrong and why, and the way there and back."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from playwright.async_api import expect

from tests.laws.test_money import ANY
from tests.pages.everybody.test_axe import RICH
from tests.pages.site import NARROW, Site
from tests.pages.tariffs.test_editor import newest, tariff
from tests.pages.test_staff import browsing
from tests.web.shop import OWNER
from wattkeeper.charging.errors import Refusal
from wattkeeper.charging.money.tariffs.tariff import Tariff, check
from wattkeeper.charging.person import Role
from wattkeeper.store.money.tariffs.ocpi import exported, of_ocpi
from wattkeeper.web.operator.tariffs.reading import read
from wattkeeper.web.operator.tariffs.taken import taken
from wattkeeper.web.operator.tariffs.typed import of_tariff

AT = datetime(2026, 11, 30, 12, tzinfo=UTC)
OLD: dict[str, Any] = {
    "country_code": "DE",
    "party_id": "ALL",
    "id": "12",
    "currency": "EUR",
    "type": "REGULAR",
    "min_price": {"excl_vat": 0.5, "incl_vat": 0.6},
    "elements": [
        {
            "price_components": [{"type": "ENERGY", "price": 0.25, "vat": 20.0, "step_size": 1}],
            "restrictions": {"start_time": "09:00", "end_time": "24:00", "day_of_week": ["MONDAY"]},
        }
    ],
    "end_date_time": "2030-06-30T23:59:59Z",
    "tariff_alt_url": "https://example.org/12",
    "last_updated": "2019-01-24T17:00:00Z",
}
"""One of 2.2.1, but for its end of the day."""


def file(**more: Any) -> str:
    """A file like `OLD`."""
    told = json.loads(json.dumps(OLD | more))
    told["elements"][0].get("restrictions", {}).pop("end_time", None) if "elements" not in more else None
    return json.dumps(told)


@pytest.mark.parametrize("scripted", [True, False], ids=["script", "plain"])
async def test_a_file_that_went_out_comes_in_as_the_same_tariff(site: Site, tmp_path: Path, scripted: bool) -> None:
    for name, one in (("night", tariff()), ("rich", of_ocpi(RICH))):
        await site.rooms.prices.set(OWNER, one, None, name)
    async with site.operator(NARROW, java_script_enabled=scripted, accept_downloads=True) as person:
        page = person.page
        for name in ("night", "rich"):
            await page.goto(f"/tariffs/named/{name}")
            async with page.expect_download() as waiting:
                await page.get_by_role("link", name="Download as OCPI JSON").click()
            path = tmp_path / (await waiting.value).suggested_filename
            await (await waiting.value).save_as(path)
            await page.goto("/tariffs")
            await page.get_by_role("link", name="Import a file").click()
            await page.get_by_label("A file").set_input_files(path)
            await page.get_by_role("button", name="Show what it means").click()
            await expect(page.get_by_role("heading", level=1)).to_have_text("This is what it means")
            await expect(page.locator(".lines")).to_contain_text("€0.29 for each kWh")
            assert await person.sideways() == 0
            await expect(page.get_by_label("Name")).to_have_value(name)
            await page.get_by_label("Name").fill(f"{name}-too")
            await page.get_by_role("button", name="Import it").click()
            await page.wait_for_url(f"/tariffs/named/{name}-too?*")
            await expect(page.locator("main > .word")).to_contain_text("The tariff is imported.")
    assert await newest(site, "night-too") == tariff()
    assert await newest(site, "rich-too") == of_ocpi(RICH)


async def test_what_it_means_is_shown_before_anything_is_kept(site: Site) -> None:
    async with site.operator() as person:
        page = person.page
        await page.goto("/tariffs/import")
        await page.get_by_label("or paste it").fill(file(start_date_time="2199-01-01T00:00:00"))
        await page.get_by_role("button", name="Show what it means").click()
        await expect(page.locator(".week-of h2")).to_have_text("€0.30 for a kWh")
        notes = page.locator(".word.look")
        await expect(notes).to_contain_text("It does not say whose clock it means: it is taken for the one in UTC.")
        await expect(notes).to_contain_text("It says that it ends at 2030-06-30T23:59:59Z.")
        await expect(notes).to_contain_text("Not kept, for no price depends on it: tariff_alt_url, type.")
        await expect(page.get_by_label("day", exact=True)).to_have_value("2199-01-01")
        assert await site.rooms.prices.versions(OWNER) == []
        await page.get_by_role("button", name="Import it").click()
        await page.wait_for_url("/tariffs/named/12?*")
    (row,) = await site.rooms.prices.versions(OWNER)
    assert row.valid_from == datetime(2199, 1, 1, tzinfo=UTC)
    assert row.tariff.least is not None
    assert (row.tariff.least.net, row.tariff.least.gross) == (Decimal("0.5"), Decimal("0.6"))


async def test_which_field_is_wrong_is_said_and_what_was_pasted_is_kept(site: Site) -> None:
    wrong = json.loads(file())
    wrong["elements"][0]["price_components"][0] |= {"price": "cheap", "type": "KWH", "step_size": -1}
    wrong["elements"][0]["restrictions"] |= {"start_time": "9:00", "weather": "sunny"}
    del wrong["currency"]
    text = json.dumps(wrong, indent=2)
    async with site.operator() as person:
        page = person.page
        await page.goto("/tariffs/import")
        await page.get_by_label("or paste it").fill(text)
        await page.get_by_role("button", name="Show what it means").click()
        await expect(page.get_by_role("alert")).to_contain_text("Nothing was read: 6 things are wrong.")
        rows = page.locator(".faults tbody tr")
        for where, why in (
            ("currency", "It is missing."),
            ("elements[0].price_components[0].type", "It is none of FLAT, ENERGY, TIME, PARKING_TIME."),
            ("elements[0].price_components[0].price", "This is no number."),
            ("elements[0].price_components[0].step_size", "It must be 0 or more."),
            ("elements[0].restrictions.start_time", "This is no time of day."),
            ("elements[0].restrictions.weather", "This is not known here, so nobody could be billed by it."),
        ):
            await expect(rows.filter(has_text=where)).to_contain_text(why)
        await expect(page.get_by_label("or paste it")).to_have_value(text)
    assert await site.rooms.prices.versions(OWNER) == []


async def test_a_name_that_is_known_gets_its_next_version_unless_another_came_first(site: Site) -> None:
    for name in ("night", "other"):
        await site.rooms.prices.set(OWNER, tariff(), None, name)
    async with site.operator() as person:
        page = person.page
        await page.goto("/tariffs/import")
        await page.get_by_label("or paste it").fill(file(id="night"))
        await page.get_by_role("button", name="Show what it means").click()
        await expect(page.locator("main")).to_contain_text("this becomes its version 2")
        await site.rooms.prices.set(OWNER, tariff("0.31"), None, "night")
        await page.get_by_role("button", name="Import it").click()
        await expect(page.locator("main > .word")).to_contain_text("Another version was set meanwhile.")
        await expect(page.locator("main")).to_contain_text("this becomes its version 3")
        await page.get_by_role("button", name="Import it").click()
        await page.wait_for_url("/tariffs/named/night?version=3*")
        await page.goto("/tariffs/import")
        await page.get_by_label("or paste it").fill(file(id="another"))
        await page.get_by_role("button", name="Show what it means").click()
        await page.get_by_label("Name").fill("other")
        await page.get_by_role("button", name="Import it").click()
        await expect(page.locator("#why-name")).to_have_text("There is a tariff of this name already.")
        await expect(page.locator("main")).to_contain_text("this becomes its version 2")
        assert await newest(site, "other") == tariff()


@pytest.mark.parametrize(
    ("text", "where", "why"),
    [
        ("{", "", "This is no JSON: it cannot be read from line 1, column 2 on."),
        ("[" * 100_000, "", "This is no JSON"),
        ("9" * 5000, "", "This is no JSON that a tariff can be read from."),
        ('{"currency": NaN}', "", "This is no JSON that a tariff can be read from."),
        ("[]", "", "There is no tariff in it."),
        ("7", "", "A tariff is one JSON object"),
        ('{"data": [{"id": "a"}, {"id": "b"}], "status_code": 1000}', "", "There are 2 tariffs in it"),
        ("{}", "currency", "It is missing."),
        (file(currency="eur"), "currency", "A currency is three capital letters"),
        (file(elements=[{"price_components": []}]), "elements[0].price_components", "There must be at least one."),
        (file(elements="x"), "elements", "This is not what stands here in OCPI."),
        (file(x_time_zone="Mars/Olympus"), "x_time_zone", "There is no time zone Mars/Olympus"),
        (file(start_date_time="soon"), "start_date_time", "This is no day."),
        (file(max_price={"before_taxes": 0.1}), "max_price", "The most is below the least."),
        (file(tax_included="MAYBE"), "tax_included", "It is none of YES, NO, N/A."),
    ],
)
def test_a_file_that_is_none_says_where_and_why(text: str, where: str, why: str) -> None:
    found = taken(text, UTC)
    assert found.tariff is None
    assert any(one.where == where and why in one.why for one in found.faults), found.faults


def test_conditions_that_can_never_be_met_are_named() -> None:
    element = json.loads(file())["elements"][0] | {"restrictions": {"min_kwh": 5, "max_kwh": 4}}
    (one,) = taken(file(elements=[element]), UTC).faults
    assert (one.where, str(one.why)) == ("elements[0]", "The upper bound must be above the lower one.")


def test_it_comes_as_a_server_answers_it() -> None:
    answer = {"data": [json.loads(file())], "status_code": 1000, "timestamp": "2026-11-30T12:00:00Z"}
    assert taken(json.dumps(answer), UTC).tariff == taken(file(), UTC).tariff is not None


def can_be_billed_by(one: Tariff) -> bool:
    """Whether it can be set at all."""
    try:
        return check(one) is one
    except Refusal:
        return False


@settings(max_examples=60)
@given(ANY.filter(can_be_billed_by))
def test_every_tariff_goes_out_and_comes_in_and_is_typed_as_it_is(one: Tariff) -> None:
    assert taken(exported(one, "x", AT).decode(), UTC).tariff == one
    again = read(of_tariff(one)).tariff
    assert again is not None
    assert [each.restrictions for each in again.elements] == [each.restrictions for each in one.elements]


async def test_who_may_only_read_imports_nothing_and_odd_forms_are_answered(site: Site) -> None:
    async with browsing(site, Role.AUDITOR) as client:
        assert (await client.get("/tariffs/import")).status_code == 403
        assert (await client.post("/tariffs/import", data={"text": file(), "do": "save"})).status_code == 403
    async with browsing(site, Role.BILLING) as client:
        for form, status in (
            ({}, 422),
            ({"do": "save"}, 422),
            ({"do": "save", "text": file(), "name": "../x"}, 422),
            ({"do": "save", "text": file(), "name": "x", "seen": "9" * 50, "day": "x"}, 422),
            ({"do": "save", "text": file(), "name": "x", "day": "2000-01-01"}, 422),
            ({"do": "odd", "text": file(id="../../x")}, 200),
        ):
            assert (await client.post("/tariffs/import", data=form)).status_code == status, form
        hostile = await client.post("/tariffs/import", files={"file": ("x.json", b"\xff\xfe\x00<script>", "text/html")})
        assert (hostile.status_code, "<script>" in hostile.text.partition("<main")[2]) == (422, False)
    assert await site.rooms.prices.versions(OWNER) == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"currency":"EUR","currency":"CHF","elements":[]}', "named twice"),
        ('{"currency":"EUR","elements":[],"\\ud800":1}', "no JSON"),
        ('{"currency":"EUR","elements":[],"end_date_time":"\\ud800"}', "no JSON"),
    ],
)
def test_what_can_be_read_in_two_ways_or_in_none_is_not_taken(text: str, why: str) -> None:
    found = taken(text, UTC)
    assert (found.tariff, [why in str(one.why) for one in found.faults]) == (None, [True])


def test_a_day_that_does_not_exist_is_said_to_be_none() -> None:
    price = {"type": "ENERGY", "price": 1, "step_size": 1}
    element = {"price_components": [price], "restrictions": {"start_date": "2026-02-31"}}
    (fault,) = taken(json.dumps({"currency": "EUR", "elements": [element]}), UTC).faults
    assert "2026-02-31" in str(fault.why)
    assert "ValueError" not in str(fault.why)
