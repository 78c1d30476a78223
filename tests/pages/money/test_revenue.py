"""What a month came to: its answer first, then what it is made of, what is open, and what does not fit."""

from __future__ import annotations

import io
import re
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import polars
import pytest
from playwright.async_api import expect

from tests.pages.money.till import CLARA, OWNER, Till
from tests.pages.site import NARROW, Site
from tests.pages.test_staff import browsing
from wattkeeper.charging.money.ledger import AccountKind, EntryKind
from wattkeeper.charging.money.tariffs.assignment import Rank
from wattkeeper.charging.money.tariffs.tariff import Component, Dimension, Element, Tariff
from wattkeeper.charging.person import Role
from wattkeeper.store.money.proposal import Deed, Wish
from wattkeeper.store.money.revenue import Revenue
from wattkeeper.web.operator.money import months
from wattkeeper.web.operator.money.bill import ENTRIES
from wattkeeper.web.operator.money.desks import ACCOUNTS
from wattkeeper.web.operator.money.months import Month
from wattkeeper.web.operator.money.picture import drawn
from wattkeeper.web.operator.money.revenue import average


async def furnished(site: Site) -> Till:
    """Three sessions at two sites: 12 euros at Linz, 3 at Rosenheim, of which 1 was given back."""
    till = Till(site)
    async with till.earlier():
        await till.open(label="Garage", site="Linz")
        await site.admit("CP2", label="Hotel", site="Rosenheim")
        await till.session(8000)
        await till.session(12_000)
        session = await till.session(5000, station="CP2")
        await site.rooms.bills.do(CLARA, session, Wish(deed=Deed.CORRECT, said="As agreed.", gross_minor=200))
    return till


async def month_of(till: Till) -> str:
    """The month in which it was billed."""
    return f"{(await till.bills())[0].issued_at.astimezone(till.site.rooms.settings.zone):%Y-%m}"


def today(site: Site) -> date:
    """The day that it is there."""
    return site.rooms.store.clock().astimezone(site.rooms.settings.zone).date()


async def test_a_month_opens_with_its_answer(site: Site) -> None:
    till = await furnished(site)
    month = await month_of(till)
    async with till.person(Role.OWNER, "boss") as person:
        page = person.page
        await page.goto("/")
        await page.get_by_role("link", name="Money").click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text(f" in {today(site):%B %Y}")
        await page.goto(f"/money?month={month}")
        await expect(page.get_by_role("heading", level=1)).to_contain_text("€14.00 in ")
        await expect(page.locator(".lead")).to_have_text("25.00 kWh in 3 sessions, €0.560 for each kWh")
        figures = page.locator("dl.figures")
        for text in ("With tax€14.00", "Without tax€11.67", "Sessions billed3", "Corrections1"):
            await expect(figures).to_contain_text(text)
        await page.keyboard.press("t")
        await expect(page.locator(".day-figure tbody tr").first).to_be_visible()
        rows = page.locator("section", has=page.get_by_role("heading", name="By site")).locator("tbody tr")
        await expect(rows.nth(0)).to_contain_text("Linz")
        await expect(rows.nth(0)).to_contain_text("€12.00")
        await expect(rows.nth(1)).to_have_text(re.compile(r"Rosenheim\s*1\s*5.00\s*€0.400\s*€2.00"))
        await person.sees("1 driver owes €14.00")
        await rows.nth(1).get_by_role("link", name="Rosenheim").click()
        await expect(page.locator("#bills tr.row")).to_have_count(2)
        await page.goto(f"/money?month={month}")
        await page.get_by_role("link", name="Garage").click()
        await expect(page.locator("#bills tr.row")).to_have_count(2)


async def test_what_does_not_fit_leads_to_its_sessions(site: Site) -> None:
    """Each session's register begins where it began before: energy that was counted twice."""
    till = await furnished(site)
    async with till.person(Role.AUDITOR, "emil", NARROW) as person:
        page = person.page
        await page.goto(f"/money?month={await month_of(till)}")
        await page.get_by_role("link", name="Energy counted twice").click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text("1 thing does not fit in")
        await expect(page.locator("tbody").last).to_contain_text("8.00 kWh of it were counted in session")
        assert await person.sideways() == 0
        link = page.locator("tbody").last.get_by_role("link").first
        session = await link.get_attribute("href")
        await link.click()
        await page.wait_for_url(f"**{session}")


async def test_the_month_is_taken_along(site: Site, tmp_path: Path) -> None:
    till = await furnished(site)
    month = await month_of(till)
    async with browsing(site, Role.BILLING) as client:
        csv = await client.get(f"/money/revenue.csv?month={month}")
        lines = csv.text.removeprefix("\ufeff").splitlines()
        assert lines[0].startswith("day,site,station,tariff,group,currency,sessions")
        assert sum(Decimal(line.rsplit(",", 1)[1]) for line in lines[1:]) == 14
        assert csv.headers["content-disposition"] == f'attachment; filename="revenue-{month}.csv"'
        parquet = await client.get(f"/money/revenue.parquet?month={month}")
        frame = polars.read_parquet(io.BytesIO(parquet.content))
        assert frame["gross"].sum() == 14
        assert (await client.get("/money/revenue.xlsx")).status_code == 404
        assert len((await client.get("/money/revenue.csv?month=2001-01")).text.splitlines()) == 1


async def test_each_currency_stands_for_itself(site: Site) -> None:
    """Also one without a minor unit."""
    till = Till(site)
    rooms = site.rooms
    yen = Tariff("JPY", (Element((Component(Dimension.ENERGY, Decimal(50), Decimal(10)),)),))
    async with till.earlier():
        await till.open(label="Garage", site="Linz")
        await site.admit("CP2", label="Hotel", site="Tokyo")
        await rooms.prices.set(OWNER, yen, identifier="yen")
        await rooms.assignments.assign(OWNER, Rank.SITE, "Tokyo", "yen", None)
        await till.session(10_000)
        await till.session(10_000)
        await till.session(10_000, station="CP2")
        await till.session(10_000, station="CP2", doubtful=True)
    async with till.person(Role.BILLING, "clara") as person:
        page = person.page
        await page.goto(f"/money?month={await month_of(till)}")
        await expect(page.get_by_role("heading", level=1)).to_contain_text("€12.00 in ")
        await person.sees("1 driver owes JPY\u00a0550")
        await page.get_by_role("link", name="and JPY\u00a0550").click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text("JPY\u00a0550 in ")
        await expect(page.locator(".lead")).to_contain_text("JPY\u00a055.0 for each kWh")
        await page.get_by_role("link", name="Tokyo").click()
        await page.locator("#bills a.open").click()
        await expect(page.get_by_role("heading", name="Why JPY\u00a0550?")).to_be_visible()
        await person.sees("each rounded once to JPY\u00a01")
        await page.goto("/money/waiting")
        await page.locator("#waiting a.open").click()
        await page.locator("#correct-amount").fill("300.5")
        await page.locator("#correct-reason").fill("As agreed.")
        await page.get_by_role("button", name="Correct and bill").click()
        await expect(page.get_by_role("alert")).to_contain_text("a fraction of the smallest coin")
        await page.locator("#correct-amount").fill("300")
        await page.get_by_role("button", name="Correct and bill").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("JPY\u00a0300")


async def test_an_empty_month_and_an_odd_one(site: Site) -> None:
    async with browsing(site, Role.OPERATOR) as client:
        for month in ("", "2001-02", "2026-13", "0000-00", "9999-12", "x" * 500, "2026-1"):
            for path in ("/money", "/money/lost", "/money/revenue.csv"):
                answer = await client.get(path, params={"month": month, "currency": "<b>", "kind": "x"})
                assert answer.status_code == 200, (path, month)
        assert "Nothing was billed in February 2001" in (await client.get("/money?month=2001-02")).text
        assert "Nothing to look at in February 2001" in (await client.get("/money/lost?month=2001-02")).text


async def test_who_owes_is_told_apart_only_by_who_may_tell_persons_apart(site: Site) -> None:
    till = await furnished(site)
    tail = (await till.bills())[0].person[-4:]
    for role, knows in ((Role.BILLING, True), (Role.OWNER, True), (Role.AUDITOR, False), (Role.SUPPORT, False)):
        async with browsing(site, role) as client:
            page = (await client.get("/money")).text
            assert (f"••{tail}" in page, "Who owes most" in page) == (knows, knows), role
            assert (await till.bills())[0].person not in page


@pytest.mark.parametrize("role", [Role.SITE_HOST, Role.PRIVACY_OFFICER])
async def test_whose_business_money_is_not_sees_no_revenue(site: Site, role: Role) -> None:
    await furnished(site)
    async with browsing(site, role, "Linz") as client:
        for path in ("/money", "/money/lost", "/money/revenue.csv", "/money/revenue.parquet"):
            answer = await client.get(path)
            assert (answer.status_code, "12.00" in answer.text) == (403, False), path


def revenue(gross: int, wh: int = 1000, digits: int = 2) -> Revenue:
    """What was billed on some day."""
    return Revenue((), "EUR", digits, 1, 0, Decimal(wh), gross, 0, gross)


def test_the_picture_shows_what_was_given_back_below_its_line() -> None:
    month = Month(date(2026, 2, 1))
    days = {month.first: revenue(300), month.first + timedelta(days=27): revenue(-100)}
    picture = drawn(month, days, "EUR", 2)
    assert picture.title == "Most: €3.00, Sunday 1 February 2026"
    assert (picture.base, picture.width, len(picture.bars)) == (750, 2800, 2)
    first, last = picture.bars
    assert (first.y, first.height, first.is_less) == (0, 750, False)
    assert (last.y, last.height, last.is_less) == (750, 250, True)
    assert last.x + 84 <= picture.width
    assert drawn(month, {}, "EUR", 2).bars == []


def test_what_a_kwh_came_to() -> None:
    assert average(revenue(1234, 23_000)) == "€0.537"
    assert average(revenue(5, 3000, digits=0)) == "€1.7"
    assert average(revenue(100, 0)) is None
    assert average(revenue(-100, -50)) is None


def test_months_are_chosen_from_the_first_until_now() -> None:
    now = Month(date(2026, 3, 1))
    found = months.choices(date(2025, 12, 24), now, now)
    assert [one.key for one in found] == ["2026-03", "2026-02", "2026-01", "2025-12"]
    assert [one.key for one in months.choices(None, now, Month(date(2020, 1, 1)))] == ["2026-03", "2020-01"]
    assert [months.asked(text, now).key for text in ("2024-02", "", "2024-2", "1000-01")] == ["2024-02"] + [
        "2026-03"
    ] * 3
    assert (now.before.key, now.after.key, now.last.isoformat()) == ("2026-02", "2026-04", "2026-03-31")


def test_every_kind_of_entry_and_account_has_a_word() -> None:
    assert set(ENTRIES) == set(EntryKind)
    assert set(ACCOUNTS) == set(AccountKind)
