"""What a driver sees of their bills: documents and why, what a person looks at, and an invoice for their company."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

from playwright.async_api import expect

from tests.pages.driver.billed import MISREAD, bill, billed
from tests.pages.driver.test_look import fits
from tests.pages.driver.town import Town
from wattkeeper.charging.facts import SessionEnded
from wattkeeper.charging.meter import FindingCode
from wattkeeper.charging.money.billing import Reason, ReasonCode
from wattkeeper.web.driver.money.bills import CHECKED, SOMETHING, because


async def test_every_reason_to_look_twice_has_words_for_drivers() -> None:
    assert set(CHECKED) == {*FindingCode, *ReasonCode}
    assert because([Reason("clock_ahead"), Reason("clock_reversed")]) == [CHECKED["clock_ahead"]]
    assert because([Reason("of_a_later_version")]) == [SOMETHING]


async def test_a_session_shows_what_was_billed_and_why(town: Town) -> None:
    me = await town.sign_up()
    made = await billed(town, me)
    async with town.driver(me) as person:
        page = person.page
        await page.goto(f"/app/sessions/{made['billed']}")
        await expect(page.locator(".papers > li")).to_have_count(1)
        total = await page.locator(".bill tfoot td").first.inner_text()
        assert await page.locator(".papers .fig").inner_text() == total
        await page.get_by_text("Why this price?").click()
        why = page.locator(".explained")
        await expect(why).to_contain_text("18.02 kWh at CP1 · 1")
        await expect(why).to_contain_text("By the tariff standard, version 1.")
        await expect(why).to_contain_text("measured")
        await page.goto(f"/app/sessions/{made['corrected']}")
        await expect(page.locator(".papers > li")).to_have_count(2)
        await expect(page.locator(".papers > li").nth(1)).to_contain_text("Credit note: less to pay")
        await expect(page.locator(".papers > li").nth(1)).to_contain_text(MISREAD)
        await page.goto(f"/app/sessions/{made['raised']}")
        await expect(page.locator(".papers > li").nth(1)).to_contain_text("Correction: more to pay")
        await expect(page.locator(".sums dd").nth(1)).to_contain_text("12.00")
        await expect(page.locator(".bill tfoot td").first).to_contain_text("12.00")
        await page.goto(f"/app/charging/{made['raised']}")
        await expect(page.locator("main")).to_contain_text("12.00")
        await page.goto(f"/app/sessions/{made['waived']}")
        await expect(page.locator(".word")).to_contain_text("Waived. Nothing is to be paid")
        await expect(page.locator(".sums dd").nth(1)).to_contain_text("0.00")
        await page.goto(f"/app/sessions/{made['held']}")
        await expect(page.locator(".word")).to_contain_text("You pay nothing for it until")
        await expect(page.locator(".word")).to_contain_text("The meter seems to have gone back.")


async def test_months_and_sessions_count_what_was_billed(town: Town) -> None:
    me = await town.sign_up()
    made = await billed(town, me)
    viewer = await town.viewer(me)
    receipts = {one.session: one for one in await town.rooms.prices.history(viewer)}
    assert receipts[made["raised"]].gross_minor == 1_200
    assert receipts[made["waived"]].gross_minor == 0
    async with town.driver(me) as person:
        await person.page.goto("/app/sessions")
        rows = person.page.locator(".rows > li")
        await expect(rows).to_have_count(5)
        shown = [await rows.nth(place).locator(".fig2").inner_text() for place in range(5)]
        cents = [int(re.sub(r"[^0-9]", "", text)) for text in shown]
        month = int(re.sub(r"[^0-9]", "", await person.page.locator(".sums dd").nth(1).inner_text()))
        assert sum(cents) == month == sum(one.gross_minor or 0 for one in receipts.values())
        assert cents[2] == 1_200 and cents[1] == 0


async def test_news_about_what_was_billed_is_told_without_blame(town: Town) -> None:
    me = await town.sign_up()
    made = await billed(town, me)
    now = town.rooms.store.clock()
    ended = SessionEnded(at=now - timedelta(hours=8), ref="T-billed", evse=1, seq=2, register_wh=Decimal(1_019_000))
    await town.rooms.intake.record("CP1", ended)
    await bill(town)
    async with town.driver(me) as person:
        await person.page.goto(f"/app/sessions/{made['billed']}")
        told_ = person.page.locator(".word")
        await expect(told_).to_contain_text("What was billed stands until then.")


async def test_an_invoice_is_made_out_to_a_company(town: Town) -> None:
    me = await town.sign_up()
    made = await billed(town, me)
    async with town.driver(me) as person:
        page = person.page
        await page.goto(f"/app/sessions/{made['billed']}")
        await page.get_by_role("link", name="Invoice for a company").click()
        await expect(page.get_by_label("Country")).to_have_value("AT")
        await page.get_by_label("Company").fill("Rad & Tat OG")
        await page.get_by_label("Town").fill("Wels")
        form = page.locator("form[action$=invoice]")
        action, fields = await form.get_attribute("action"), await form.evaluate("one => [...new FormData(one)]")
        answer = await page.request.post(
            str(action), form=dict(fields), headers={"Sec-Fetch-Site": "same-origin", "Origin": town.doors.http}
        )
        pdf = await answer.body()
        assert answer.headers["content-type"] == "application/pdf" and pdf.startswith(b"%PDF")
        assert answer.headers["cache-control"] == "no-store"
    async with town.plain(me) as client:
        address = str(action)
        odd = await client.post(address, data={"name": "  ", "country": "AT", "street": "<b>Gasse</b> 1"})
        assert odd.status_code == 422
        assert "An invoice is made out to somebody" in odd.text and "&lt;b&gt;Gasse&lt;/b&gt; 1" in odd.text
        assert (await client.post(address, data={"name": "A", "country": "Austria"})).status_code == 422
        assert (await client.post(address, data={"name": "A\u202e", "country": "AT"})).status_code == 422
        assert (await client.get("/app/bills/2026-999999/invoice")).status_code == 404
        foreign = await client.post(
            address, data={"name": "A", "country": "AT"}, headers={"Sec-Fetch-Site": "cross-site"}
        )
        assert foreign.status_code == 403


async def test_bills_fit_the_screen_and_the_thumb(town: Town) -> None:
    me = await town.sign_up()
    made = await billed(town, me)
    number = (await town.rooms.papers.of_session(await town.viewer(me), made["billed"]))[0].number
    paths = [*(f"/app/sessions/{one}" for one in made.values()), "/app/sessions", f"/app/bills/{number}/invoice"]
    for width, language in ((360, "de"), (390, "en"), (1280, "de")):
        async with town.driver(me, size=(width, 800), locale=language) as person:
            for path in paths:
                await fits(person, path, language)
                for closed in await person.page.locator("details.why > summary").all():
                    await closed.click()
                assert await person.sideways() <= 0, path
