"""The work-list: what is doubtful waits with its reason; a person decides, and two where it is much."""

from __future__ import annotations

import re
from decimal import Decimal

import httpx
import pytest
from playwright.async_api import expect

from tests.pages.everybody.keys import to, walk
from tests.pages.money.till import CLARA, OWNER, Till
from tests.pages.site import NARROW, Site
from tests.pages.test_look import MOST, linked
from tests.pages.test_staff import browsing, forms
from wattkeeper.charging.identifiers import shown
from wattkeeper.charging.person import Role
from wattkeeper.store.money import hold
from wattkeeper.store.money.proposal import Deed, Wish
from wattkeeper.web import bundle


async def opened(site: Site, *energies: int, minutes: int = 10) -> tuple[Till, list[str]]:
    """Doubtful sessions, which wait; the oldest first."""
    till = Till(site)
    async with till.earlier():
        await till.open(label="Garage", site="Linz")
        return till, [await till.session(wh, doubtful=True, minutes=minutes) for wh in energies]


async def states(till: Till, session: str) -> list[str]:
    """What became of what waited of a session."""
    async with till.site.rooms.store.read() as connection:
        return [row.state for row in await hold.find(connection, OWNER, 10, state=None, session=session)]


def seen_in(page: str) -> str:
    """What a page says that was seen on it."""
    return str(re.findall(r'name="seen" value="([^"]+)"', page)[0])


async def test_a_held_bill_is_found_on_now_corrected_by_one_and_agreed_to_by_another(site: Site) -> None:
    till, (session,) = await opened(site, 100_000, minutes=100)
    async with till.person(Role.BILLING, "clara") as clara, till.person(Role.BILLING, "dora") as dora:
        page = clara.page
        await page.goto("/")
        await clara.is_live()
        await expect(page.locator("#answer")).to_contain_text("1 thing needs a person.")
        held = page.locator("#held li", has_text=f"€60.06 for {shown(session)} at Garage")
        await expect(held).to_contain_text("The energy register went back from 101.10 kWh to 101.00 kWh")
        await held.get_by_role("link", name="Look and decide").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("€60.06 waits")
        await expect(page.locator("#findings li")).to_contain_text("The energy register went back")
        await expect(page.locator(".plot canvas")).to_be_visible()
        await page.locator("#correct-kwh").fill("10,5")
        await page.locator("#correct-reason").fill("The display showed 10.5 kWh.")
        await page.get_by_role("button", name="Correct and bill").click()
        await clara.sees("It changes much, so a second person must agree.")
        await clara.sees("You proposed it, so somebody else must agree.")
        await expect(page.get_by_role("button", name="Agree")).to_have_count(0)
        assert await till.bills() == []

        await dora.page.goto("/")
        wish = dora.page.locator("#held li", has_text=f"Bill {shown(session)} for 10.50 kWh")
        await expect(wish).to_contain_text("That is €53.76 less. Reason: The display showed 10.5 kWh.")
        await wish.get_by_role("link", name="Look at it").click()
        await expect(dora.page.get_by_role("heading", level=1)).to_have_text("€60.06 waits")
        await dora.page.get_by_role("button", name="Agree").click()
        (bill,) = await till.bills()
        await dora.page.wait_for_url(f"**/money/bills/{bill.number}*")
        await expect(dora.page.get_by_role("heading", level=1)).to_have_text("€6.30")
        await expect(dora.page.locator("h1 + p")).to_contain_text(bill.number)
        await dora.sees("You agreed, and it is done.")
        await dora.sees("The energy register went back")
        await dora.page.goto("/")
        await expect(dora.page.locator("#held")).to_contain_text("No bill waits for anybody.")
        await page.goto(f"/sessions/{session}")
        await page.get_by_role("link", name=bill.number, exact=True).click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("€6.30")


async def test_it_is_decided_by_keyboard_alone_on_a_page_of_little_weight(site: Site) -> None:
    till, (session, other) = await opened(site, 10_000, 20_000)
    async with till.person(Role.BILLING, "clara", (1440, 480)) as person:
        page = person.page
        await page.goto("/money/waiting")
        await page.keyboard.press("j")
        await page.keyboard.press("j")
        person.requests.clear()
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"**/{other}")
        await page.locator(".plot canvas").wait_for()
        assert sum((bundle.STATIC / name).stat().st_size for name in linked(person.requests)) <= MOST
        await walk(page, f"/money/waiting/{other}")
        await to(page, "Bill €12.06")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/money/bills/2026-000001*")
        await walk(page, "/money/bills/2026-000001")
    assert await states(till, session) == ["open"]


async def test_now_follows_what_waits(site: Site) -> None:
    till, _ = await opened(site)
    async with till.person(Role.BILLING, "clara") as person:
        await person.page.goto("/")
        await person.is_live()
        await expect(person.page.locator("#held")).to_contain_text("No bill waits for anybody.")
        async with till.earlier(6):
            session = await till.session(doubtful=True)
        await expect(person.page.locator("#held")).to_contain_text(f"€6.06 for {shown(session)} at Garage")
        await site.rooms.bills.do(CLARA, session, Wish(deed=Deed.ACCEPT, said=""))
        await expect(person.page.locator("#held")).to_contain_text("No bill waits for anybody.")


async def test_it_is_billed_as_told_or_waived_on_a_phone(site: Site) -> None:
    till, (first, second) = await opened(site, 10_000, 20_000)
    async with till.person(Role.BILLING, "clara", NARROW) as person:
        page = person.page
        await page.goto("/money/waiting")
        await expect(page.get_by_role("heading", level=1)).to_have_text("2 bills wait")
        await expect(page.locator("#answer")).to_contain_text("€18.12")
        await expect(page.locator("#waiting tr").first).to_contain_text(shown(first))
        await page.get_by_role("link", name=shown(first)).click()
        assert await person.sideways() == 0
        await page.get_by_role("button", name="Bill €6.06").click()
        await person.sees("It is billed, and waits no more.")
        await page.goto(f"/money/waiting/{second}")
        await page.evaluate("for (const one of document.forms) one.noValidate = true")
        await page.get_by_role("button", name="Waive it").click()
        await expect(page.get_by_role("alert")).to_contain_text("Say why")
        await page.locator("#waive-reason").fill("Goodwill <b>.")
        await page.get_by_role("button", name="Waive it").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("It was waived")
        await person.sees("Goodwill <b>.")
        assert await person.sideways() == 0
    assert [(row.session, row.gross_minor) for row in await till.bills()] == [(first, 606)]
    assert [await states(till, one) for one in (first, second)] == [["accepted"], ["waived"]]


async def test_what_was_typed_is_kept_where_it_belongs(site: Site) -> None:
    _, (session,) = await opened(site, 10_000)
    path = f"/money/waiting/{session}"
    async with browsing(site, Role.BILLING) as client:
        seen = seen_in((await client.get(path)).text)
        for typed, why in (
            ({"kwh": "1.000,5", "reason": "x"}, "must be a number"),
            ({"amount": "1,005", "reason": "x"}, "a fraction of the smallest coin"),
            ({"kwh": "1", "amount": "1", "reason": "x"}, "either the energy or the amount"),
            ({"reason": "x"}, "name either its energy"),
            ({"amount": "99999999999", "reason": "x"}, "more than any session"),
            ({"kwh": "999999999999.999999", "reason": "x"}, "more than any session"),
            ({"amount": "5"}, "Say why"),
            ({"amount": "5", "reason": "x" * 501}, "at most 500 characters"),
            ({"amount": "NaN", "reason": "x"}, "must be a number"),
            ({"amount": "-5", "reason": "x"}, "must be a number"),
            ({"amount": "٥", "reason": "x"}, "must be a number"),
        ):
            answer = await client.post(f"{path}/correct", data={"seen": seen, **typed})
            assert (answer.status_code, why in answer.text) == (422, True), (typed, answer.text[-3000:])
            for name, text in typed.items():
                assert f'id="correct-{name}" name="{name}"' in answer.text
                assert f'value="{text}"' in answer.text
            assert answer.text.count('value="x"') <= 1, "only in the form that was sent"
    assert await states(Till(site), session) == ["open"]


async def test_twice_late_and_wrong_deeds_change_nothing(site: Site) -> None:
    till, (session, other) = await opened(site, 10_000, 20_000)
    path = f"/money/waiting/{session}"
    async with browsing(site, Role.BILLING) as client:
        seen = seen_in((await client.get(path)).text)
        old = await client.post(f"{path}/accept", data={"seen": "605:"})
        assert (old.status_code, "It has changed since you opened this page" in old.text) == (409, True)
        done = await client.post(f"{path}/accept", data={"seen": seen})
        assert done.headers["location"] == "/money/bills/2026-000001?did=billed"
        again = await client.post(f"{path}/accept", data={"seen": seen})
        assert (again.status_code, "It was billed as told" in again.text) == (409, True)
        for wrong in ("/money/waiting/K7QM4XRDT/accept", f"/money/waiting/{other}/delete", "/money/waiting/x/accept"):
            assert (await client.post(wrong, data={"seen": seen})).status_code == 404, wrong
        assert (await client.get("/money/waiting/K7QM4XRDT")).status_code == 404
        assert (await client.get(f"/money/waiting/{shown(other)}")).status_code == 200
        foreign = await client.post(
            f"/money/waiting/{other}/accept", data={"seen": seen}, headers={"Origin": "https://evil.example"}
        )
        assert foreign.status_code == 403
    assert [(row.session, row.gross_minor) for row in await till.bills()] == [(session, 606)]


async def test_who_proposed_takes_it_back_and_does_not_agree(site: Site) -> None:
    till, (session,) = await opened(site, 100_000, minutes=100)
    path = f"/money/waiting/{session}"
    async with browsing(site, Role.BILLING, name="clara") as clara, browsing(site, Role.BILLING, name="dora") as dora:
        form = {"seen": seen_in((await clara.get(path)).text), "amount": "5", "reason": "As agreed."}
        assert (await clara.post(f"{path}/correct", data=form)).headers["location"] == f"{path}?did=proposed"
        identifier = await proposed(clara, path)
        own = await clara.post(f"/money/proposals/{identifier}/agree")
        assert (own.status_code, "This takes a second person" in own.text) == (403, True)
        twice = await dora.post(f"{path}/accept", data={"seen": form["seen"]})
        assert (twice.status_code, "Somebody proposed something for it" in twice.text) == (409, True)
        gone = await clara.post(f"/money/proposals/{identifier}/reject")
        assert gone.headers["location"] == f"{path}?did=rejected"
        for deed in ("agree", "reject"):
            late = await dora.post(f"/money/proposals/{identifier}/{deed}")
            assert (late.status_code, "This was settled already" in late.text) == (409, True), deed
            assert (await dora.post(f"/money/proposals/{'0' * 16}/{deed}")).status_code == 404
        assert "€60.06 waits" in (await dora.get(path)).text
    assert (await till.bills(), await states(till, session)) == ([], ["open"])


async def proposed(client: httpx.AsyncClient, path: str) -> str:
    """What waits for a second person on a page."""
    return str(re.findall(r"/money/proposals/([0-9a-f]{16})/", (await client.get(path)).text)[0])


async def test_nobody_agrees_to_what_has_changed_meanwhile(site: Site) -> None:
    till, (session,) = await opened(site, 100_000, minutes=100)
    await site.rooms.bills.do(CLARA, session, Wish(deed=Deed.CORRECT, said="As agreed.", energy_wh=Decimal(100)))
    async with browsing(site, Role.BILLING) as client:
        identifier = await proposed(client, "/money/waiting")
        await site.rooms.bills.reject(CLARA, identifier)
        await site.rooms.bills.do(CLARA, session, Wish(deed=Deed.ACCEPT, said=""))
        late = await client.post(f"/money/proposals/{identifier}/agree")
        assert (late.status_code, "This was settled already" in late.text) == (409, True)
    assert [row.gross_minor for row in await till.bills()] == [6006]


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.AUDITOR, Role.OPERATOR])
async def test_who_may_only_look_sees_why_and_no_deed(site: Site, role: Role) -> None:
    till, (session, much) = await opened(site, 10_000, 120_000, minutes=120)
    await site.rooms.bills.do(CLARA, much, Wish(deed=Deed.WAIVE, said="Goodwill."))
    async with browsing(site, role) as client:
        for path in ("/", "/money/waiting", f"/money/waiting/{session}", f"/money/waiting/{much}"):
            page = (await client.get(path)).text
            assert "went back" in page or "Waive" in page, path
            assert {one for one in forms(page) if one.startswith("/money")} == set(), path
        for path in (f"/money/waiting/{session}/accept", f"/money/proposals/{'0' * 16}/agree"):
            assert (await client.post(path, data={"reason": "x"})).status_code == 403, path
    assert (await till.bills(), await states(till, session)) == ([], ["open"])


@pytest.mark.parametrize("role", [Role.SITE_HOST, Role.PRIVACY_OFFICER])
async def test_whose_business_money_is_not_sees_nothing_that_waits(site: Site, role: Role) -> None:
    _, (session,) = await opened(site, 10_000)
    async with browsing(site, role, "Linz") as client:
        for path in ("/money/waiting", f"/money/waiting/{session}"):
            assert (await client.get(path)).status_code == 403, path
        for path in ("/", f"/sessions/{session}"):
            page = (await client.get(path)).text
            assert ("Bills that wait" in page, "6.06" in page, "/money" in page) == (False, False, False), path


async def test_a_person_is_asked_once_about_a_disputed_session(site: Site) -> None:
    """Who sees what is held is not told of it a second time; who does not is told as before."""
    _, (session,) = await opened(site, 10_000)
    async with browsing(site, Role.BILLING) as clara, browsing(site, Role.SITE_HOST, "Linz") as host:
        assert "is disputed" not in (await clara.get("/")).text
        assert f"{shown(session)} at Garage is disputed" in (await host.get("/")).text
