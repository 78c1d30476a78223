"""Bills as pages: found by anything that stands on them, and one that answers why it costs what it costs."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from playwright.async_api import expect

from tests.pages.money.till import CLARA, Till
from tests.pages.site import NARROW, Site
from tests.pages.test_staff import browsing, forms
from wattkeeper.charging.identifiers import shown
from wattkeeper.charging.money.tariffs.tariff import Component, Dimension
from wattkeeper.charging.person import Role
from wattkeeper.store.money.proposal import Deed, Wish

FLAT = Component(Dimension.FLAT, Decimal(1), Decimal(20))
ENERGY = Component(Dimension.ENERGY, Decimal("0.49"), Decimal(20))


def listed(page: str) -> list[str]:
    """The numbers of the bills in a list."""
    return re.findall(r'class="open"[^>]*href="/money/bills/([^"]+)"', page)


async def furnished(site: Site) -> tuple[Till, list[str]]:
    """Two bills at Linz and one at Rosenheim, whose sessions are told."""
    till = Till(site)
    async with till.earlier():
        await till.open(FLAT, ENERGY, label="Garage", site="Linz")
        await site.admit("CP2", label="Hotel", site="Rosenheim")
        told = [await till.session(27_340), await till.session(4000), await till.session(12_000, station="CP2")]
    return till, told


async def test_bills_are_found_by_what_is_said_on_the_phone(site: Site) -> None:
    till, told = await furnished(site)
    one, two, three = [row.number for row in await till.bills()]
    day = f"{(await till.bills())[0].issued_at:%Y-%m-%d}"
    async with browsing(site, Role.SUPPORT) as client:

        async def found(**query: str) -> list[str]:
            return listed((await client.get("/money/bills", params=query)).text)

        assert await found() == [three, two, one], "the newest first"
        assert await found(q="Hotel") == [three]
        assert await found(q="linz") == [two, one]
        assert await found(site="Rosenheim") == [three]
        assert await found(station="CP1") == [two, one]
        assert await found(tariff="standard", kind="bill") == [three, two, one]
        assert await found(kind="credit_note") == []
        assert await found(since=day, until="2999-01-01") == [three, two, one]
        assert await found(until="2001-01-01") == []
        assert await found(sort="amount") == [one, three, two]
        assert await found(sort="-energy") == [two, three, one]
        for said in (
            one,
            one.removeprefix("2026-"),
            str(int(one.removeprefix("2026-"))),
            shown(told[0]),
            told[0].lower(),
        ):
            answer = await client.get("/money/bills", params={"q": said})
            assert answer.headers["location"] == f"/money/bills/{one}", said
        for said in ("2026-999999", "K7QM-4XRD-T", "Nowhere", "<script>"):
            answer = await client.get("/money/bills", params={"q": said})
            assert (answer.status_code, listed(answer.text), "Nothing found." in answer.text) == (200, [], True), said


async def test_what_makes_no_sense_in_the_address_bar_is_not_asked_for(site: Site) -> None:
    await furnished(site)
    odd = {"since": "31.12.", "until": "9999-99-99", "page": "-1", "sort": "'; drop", "kind": "x", "q": "0" * 5000}
    async with browsing(site, Role.AUDITOR) as client:
        for name, value in odd.items():
            answer = await client.get("/money/bills", params={name: value})
            assert answer.status_code == 200, name
        assert (
            await client.get("/money/bills", params={"since": "0001-01-01", "until": "9999-12-31"})
        ).status_code == 200
        assert listed((await client.get("/money/bills", params={"page": "99999"})).text) == []


async def test_a_bill_answers_why(site: Site) -> None:
    till, (session, *_) = await furnished(site)
    number = (await till.bills())[0].number
    async with till.person(Role.BILLING, "clara") as person:
        page = person.page
        await page.goto("/money/bills")
        await page.keyboard.press("k")
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"**/{number}")
        await expect(page.get_by_role("heading", level=1)).to_have_text("€17.28")
        await expect(page.get_by_role("heading", name="Why €17.28?")).to_be_visible()
        rows = page.locator("table.priced tbody tr")
        await expect(rows.nth(0)).to_contain_text("For the session")
        for text in ("Energy measured", "27.34 kWh", "€0.49", "20 %", "€13.40", "€2.68", "€16.08"):
            await expect(rows.nth(1)).to_contain_text(text)
        await expect(rows.nth(1)).to_contain_text("register 1.000 (measured) to 28.340 kWh (measured)")
        await expect(rows.nth(2)).to_have_text(re.compile(r"Total\s*€14.40\s*€2.88\s*€17.28"))
        for text in ("standard, version 1", "Owed: ••", "Sales: Linz", "Tax: 20 %", "Measured", "each rounded once"):
            await person.sees(text)
        content = await page.request.get(await page.get_by_role("link", name="work it out").get_attribute("href") or "")
        assert content.ok
        paper = await page.request.get(
            await page.get_by_role("link", name="Receipt as PDF").get_attribute("href") or ""
        )
        assert paper.headers["content-type"] == "application/pdf"
        await page.get_by_role("link", name=shown(session)).click()
        await page.wait_for_url(f"**/sessions/{session}")
        await page.get_by_role("link", name=number, exact=True).click()
        await page.wait_for_url(f"**/{number}")


async def test_a_bill_is_corrected_from_its_page_and_says_so(site: Site) -> None:
    till, _ = await furnished(site)
    number = (await till.bills())[0].number
    async with till.person(Role.BILLING, "clara", NARROW) as person:
        page = person.page
        await page.goto(f"/money/bills/{number}")
        await page.get_by_text("Correct it", exact=True).first.click()
        await page.get_by_label("Energy, kWh").fill("20")
        await page.get_by_label("or amount with tax, EUR").fill("1,5")
        await page.get_by_label("Reason").fill("The cable was faulty.")
        await page.get_by_role("button", name="Correct it").click()
        await expect(page.get_by_role("alert")).to_contain_text("Say either the energy or the amount")
        await expect(page.get_by_label("or amount with tax, EUR")).to_have_value("1,5")
        await expect(page.get_by_label("Reason")).to_have_value("The cable was faulty.")
        await page.get_by_label("Energy, kWh").fill("")
        await page.get_by_label("or amount with tax, EUR").fill("1.234.567")
        await page.get_by_role("button", name="Correct it").click()
        await expect(page.get_by_role("alert")).to_contain_text("must be a number such as 12.50")
        await page.get_by_label("or amount with tax, EUR").fill("12,28")
        await page.get_by_role("button", name="Correct it").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("-€5.00")
        await expect(page.get_by_role("status").first).to_contain_text("It is corrected.")
        await person.sees("The cable was faulty.")
        await expect(page.locator("section", has_text="Issued for this session").last).to_contain_text("€12.28 in all")
        assert await person.sideways() == 0
    kinds = [(row.kind, row.gross_minor, row.corrects) for row in await till.bills()]
    assert kinds[-1] == ("credit_note", -500, number)


async def test_a_page_that_is_old_corrects_nothing(site: Site) -> None:
    """Somebody else corrected it meanwhile: whoever did not see that is asked to look again."""
    till, (session, *_) = await furnished(site)
    number = (await till.bills())[0].number
    async with browsing(site, Role.BILLING) as client:
        page = (await client.get(f"/money/bills/{number}")).text
        seen = re.findall(r'name="seen" value="([^"]+)"', page)[0]
        assert seen == "1728:1728"
        await site.rooms.bills.do(CLARA, session, Wish(deed=Deed.CORRECT, said="As agreed.", gross_minor=1000))
        for old in (seen, "", "x", "9" * 5000):
            form = {"amount": "9", "reason": "As agreed.", "seen": old}
            answer = await client.post(f"/money/bills/{number}/correct", data=form)
            assert (answer.status_code, "It has changed since you opened this page" in answer.text) == (409, True), old
            assert 'value="As agreed."' in answer.text
    assert len(await till.bills()) == 4


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.AUDITOR, Role.OPERATOR])
async def test_who_may_only_read_bills_sees_no_deed_and_nobodys_id(site: Site, role: Role) -> None:
    till, _ = await furnished(site)
    row = (await till.bills())[0]
    async with browsing(site, role) as client:
        page = (await client.get(f"/money/bills/{row.number}")).text
        assert forms(page) == set()
        buyer = {"name": "Firma A GmbH", "country": "AT"}
        assert (await client.post(f"/money/bills/{row.number}/invoice", data=buyer)).status_code == 403
        assert "Owed: a driver" in page
        assert row.person[-4:] not in re.sub(r"[0-9a-f]{64}", "", page.partition("<main")[2])
        answer = await client.post(f"/money/bills/{row.number}/correct", data={"amount": "1", "reason": "x"})
        assert answer.status_code == 403
    assert len(await till.bills()) == 3


@pytest.mark.parametrize("role", [Role.SITE_HOST, Role.PRIVACY_OFFICER])
async def test_whose_business_money_is_not_sees_none(site: Site, role: Role) -> None:
    """A site host neither, also of the own site: the policy says no."""
    till, (session, *_) = await furnished(site)
    number = (await till.bills())[0].number
    async with browsing(site, role, "Linz") as client:
        for path in ("/money/bills", f"/money/bills/{number}"):
            answer = await client.get(path)
            assert (answer.status_code, "17.28" in answer.text) == (403, False), path
        for path in ("/", f"/sessions/{session}"):
            answer = await client.get(path)
            assert (answer.status_code, number in answer.text, "17.28" in answer.text) == (200, False, False), path


async def test_an_invoice_is_made_out_or_it_is_said_why_not(site: Site) -> None:
    till, _ = await furnished(site)
    number = (await till.bills())[0].number
    async with browsing(site, Role.BILLING) as client:
        path = f"/money/bills/{number}/invoice"
        answer = await client.post(path, data={"name": "Inn GmbH", "country": "at", "street": "Innlände 1"})
        assert (answer.status_code, "Whoever runs this has to set" in answer.text) == (409, True)
        assert 'value="Inn GmbH"' in answer.text
        answer = await client.post(path, data={"name": "x" * 300, "country": "AT"})
        assert (answer.status_code, "at most 200 characters" in answer.text) == (422, True)
        assert (await client.post("/money/bills/2026-999999/invoice", data={})).status_code == 404
        assert (await client.get("/money/bills/2026-999999")).status_code == 404
