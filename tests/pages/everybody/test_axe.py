"""Every page there is, with something on it, before the rules of axe-core: nothing is found."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pyotp
import pytest
from ocpp.v16 import call
from playwright.async_api import expect

from tests.doors import until
from tests.pages.alarmed import alarmed
from tests.pages.driver.billed import billed
from tests.pages.driver.test_hostile import running
from tests.pages.driver.town import MAIL, OWNER, Town
from tests.pages.everybody import axe
from tests.pages.everybody.visit import Visit, missed, pages_of
from tests.pages.guarded import attacked, audited, released
from tests.pages.money.till import stocked
from tests.pages.paid import NUMBER, paid
from tests.pages.site import CARD, PASSWORD, Person, Site
from tests.pages.test_deeds import knock
from tests.web.busy import busy
from wattkeeper.charging.cards.limits import Limits
from wattkeeper.charging.cards.token import Group
from wattkeeper.charging.money.tariffs.assignment import Rank
from wattkeeper.charging.person import Role, Scope
from wattkeeper.charging.statistics.terms import Terms
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.store.cards import card as cards
from wattkeeper.store.money.tariffs.ocpi import of_ocpi
from wattkeeper.store.people import step_up
from wattkeeper.store.sessions import session as sessions
from wattkeeper.store.sessions.session import Sought
from wattkeeper.web.driver import routes as driver
from wattkeeper.web.operator import routes as operator

STILL: dict[str, Any] = {"reduced_motion": "reduce"}
BLOCKED = "04A2B97F1181"
HOST, SUPPORT = "ida@example.org", "sam@example.org"
RICH: dict[str, Any] = {
    "currency": "EUR",
    "tax_included": "YES",
    "x_time_zone": "Europe/Vienna",
    "x_bills_blocking": True,
    "x_tax_rates": [{"name": "AT", "percent": 20, "since": "2020-01-01", "until": "2199-01-01"}],
    "max_price": {"before_taxes": 40},
    "elements": [
        {
            "price_components": [{"type": "ENERGY", "price": "0.29", "vat": 20, "x_tax_rate": "AT"}],
            "restrictions": {"start_time": "22:00", "end_time": "06:00", "day_of_week": ["MONDAY", "FRIDAY"]},
        },
        {
            "price_components": [{"type": "TIME", "price": "2", "vat": 20, "step_size": 60}],
            "restrictions": {"min_kwh": 30, "start_time": "06:30", "start_date": "2020-01-01"},
        },
        {
            "price_components": [{"type": "PARKING_TIME", "price": "6", "vat": 20, "step_size": 90}],
            "restrictions": {"x_min_idle": 900},
        },
        {"price_components": [{"type": "ENERGY", "price": "0.45", "vat": 20}, {"type": "FLAT", "price": 1, "vat": 20}]},
    ],
}
"""A tariff of which every part of its pages has something to say."""
LETTER: dict[str, Any] = {"right": "access", "door": "letter", "words": "A letter.", "day": "2026-01-01"}
BREACH: dict[str, Any] = {"what": "A laptop was lost on a train.", "since": "2026-01-01T10:00", "risk": "yes"}
PARTS = {
    "/app/manifest.webmanifest",
    "/app/worker.js",
    "/app/questions",
    "/app/cards/add/{id}/now",
    "/app/bills/{number}/paper",
    "/app/sessions/{id}/signed",
    "/app/statements/{month}",
    "/app/consumption/sheets/{name}",
    "/app/consumption/years/{year}/paper",
    "/app/consumption/years/{year}/sheet",
    "/app/me/pay/invoices/{number}/paper",
}
"""What pages of the app are made of, a PDF, and files; none of them is a page."""


@pytest.fixture(scope="module")
def script() -> str:
    """The script of axe-core."""
    return axe.install()


@pytest.mark.long
async def test_nothing_is_found_on_the_operators_pages(town: Town, script: str) -> None:
    site, visit = Site(town.rooms, town.doors, town.browser), Visit(script)
    async with site.person(**STILL) as person:
        await person.page.goto("/api/v1/docs")
        await person.page.evaluate(script)
        visit.faults += await axe.faults(person.page, [])
        await visit.to(person, "/login", "/login/recover", *await links(town))
    await town.rooms.access.make_account("operator", PASSWORD)
    stock = await stocked(site, "CP2")
    async with furnished(site, town) as session, site.operator(**STILL) as person:
        ref = town.rooms.safe.ref(CARD)
        await visit.to(person, "/", "/sessions", session, "/stations", "/stations/CP1", "/stations/CP1/codes")
        await visit.to(person, "/cards", f"/cards/{ref}", "/cards/groups", "/cards/group?name=crew", "/findings")
        await visit.to(
            person, "/money", "/money/lost", "/money/bills", f"/money/bills/{stock.number}", "/money/waiting"
        )
        await visit.to(person, f"/money/waiting/{stock.held}", f"/money/waiting/{stock.proposed}")
        await visit.to(person, "/tariffs", "/tariffs/named/night", "/tariffs/named/night/edit", "/tariffs/new")
        await visit.to(person, "/tariffs/assignments?change=1", f"/tariffs/which?station=CP1&evse=1&card={ref}")
        await visit.to(person, "/tariffs/import")
        await visit.sends(person.page, "or paste it", json.dumps(RICH), "Show what it means")
        await visit.to(person, "/tariffs/new")
        await visit.sends(person.page, "Energy, price, block 1", "x", "Save the tariff")
        async with town.rooms.store.unit() as unit:
            holder = (await cards.owners(unit, [ref]))[ref]
        await paid(town.rooms, holder)
        await visit.to(person, "/money/payments", "/money/reconciliation")
        key = holder.removeprefix("person:")
        await visit.to(person, "/money/accounts", "/persons", f"/persons/{key}/look?next=/money/accounts/{key}")
        await person.page.get_by_label("For what").select_option("billing")
        await visit.sends(person.page, "Why In a sentence. The driver reads it.", "They ask about their bill.", "Open")
        await visit.to(person, f"/money/accounts/{key}", f"/persons/{key}", f"/persons/{key}?part=cards", "/persons")
        await visit.to(person, f"/persons/{key}?part=sessions")
        await visit.to(person, "/money/invoices", f"/money/invoices/{NUMBER}")
        await visit.to(person, "/money/hosts", "/money/hosts/statement?site=Linz", "/money/grid")
        await attacked(town.rooms)
        await audited(town.rooms)
        there = await alarmed(town.rooms)
        await visit.to(person, "/", "/alerts", "/alerts/rules", *(f"/alerts/rules/{one}" for one in there.rules[:2]))
        await visit.to(person, "/alerts/rules/new?kind=price_of_hour", "/alerts/rules/new?kind=peak_near_limit")
        (public, *_, refused) = await released(town.rooms)
        await town.rooms.statistics.reckoning.look()
        await town.rooms.admission.provision("CP5", "test", site="Linz")
        await busy(town.rooms, town.rooms.intake, "CP5", town.rooms.store.clock())
        terms = Terms(
            peak_minor_per_kw=Decimal(900),
            limit_w=Decimal(10_000),
            carbon_g_per_kwh=(Decimal(350),),
            energy_minor_per_kwh=Decimal(25),
        )
        await town.rooms.statistics.terms.enter(VIEWER, "Linz", terms)
        await visit.to(
            person,
            "/insight/forecast?site=Linz",
            "/insight/terms?site=Linz",
            *("/insight/carbon", "/insight/carbon?span=year", "/insight/carbon?site=-"),
            *("/insight/hours", "/insight/hours?show=bought&site=Linz", "/insight/hours?show=billed&span=month"),
            "/insight/uptime",
            "/insight/uptime?reason=tap:unknown",
            *("/insight", "/insight?span=month", "/insight/week?span=month"),
            *("/insight/load?span=month", "/insight/stays?span=month"),
            "/insight/releases",
            f"/insight/releases/{public}",
            f"/insight/releases/{refused}",
            f"/release/{public}",
        )
        for path, form in (("/requests", LETTER), ("/breaches", BREACH)):
            headers = {"Origin": town.doors.http}
            made = await person.context.request.post(path, form=form, headers=headers, max_redirects=0)
            await visit.to(person, made.headers["location"])
        await visit.to(person, "/programs", "/requests", "/breaches", "/security", "/security/audit", "/people")
        await visit.to(person, await page_of(person, "operator"))
        await visit.to(person, "/account", "/account/proof", "/outbox", await consent(town))
        await shown(visit, person)
        left = await missed(person, pages_of(operator.NOUNS, operator.paper_of(town.rooms)), visit.been)
        files = {
            "/tariffs/named/{tariff}/ocpi",
            "/money/revenue.{kind}",
            "/insight/uptime/{sheet}.{kind}",
            *(f"/insight/{one}/{{picture}}.{{kind}}" for one in ("all", "week", "load", "stays", "carbon")),
            *(f"/insight/{one}/{{picture}}.{{kind}}" for one in ("hours", "forecast")),
            "/money/books/{book}.csv",
            "/bills/{number}/paper",
            "/release/{release}.{kind}",
            "/breaches/{identifier}/report",
        }
        assert left == files, "files; of the PDF tests/operations/test_papers.py says that it is tagged"
    async with site.person(**STILL) as person:
        await half_in(visit, person, "/login", "Name", "operator")
    assert visit.faults == []


@pytest.mark.long
async def test_nothing_is_found_on_the_drivers_pages(town: Town, script: str) -> None:
    visit, me = Visit(script), await town.sign_up()
    viewer = await town.viewer(me)
    await town.rooms.people.accounts.recover(MAIL, "127.0.0.1")
    async with town.phone(**STILL) as person:
        await visit.to(person, "/app/sign-in", "/app/sign-up", "/app/recover", "/app/offline", await town.letter(MAIL))
        await visit.to(person, "/privacy")
    async with town.plugged("CP1", behind=timedelta(minutes=10)), town.driver(me, **STILL) as person:
        ref = await town.fob(me, "Blue")
        start = await running(town, me)
        wish = await town.rooms.enrolments.open(viewer, "CP1")
        code = (await town.rooms.places.find(viewer, "hauptplatz"))[0].outlets[0].code
        await visit.to(person, "/app/", f"/app/at/{code}", "/app/stations/CP1", f"/app/charging/{start.session}")
        await visit.to(person, "/app/sessions", f"/app/sessions/{start.session}", "/app/cards", "/app/cards/add")
        await visit.to(person, f"/app/cards/add/{wish.id}", "/app/me", "/app/me/known", "/app/me/access")
        await person.page.goto("/app/privacy")
        await person.page.get_by_role("switch").first.click()
        await visit.to(person, "/app/privacy", "/app/privacy/forget")
        made = await billed(town, me)
        number = (await town.rooms.papers.of_session(viewer, made["billed"]))[0].number
        await visit.to(person, *(f"/app/sessions/{made[one]}" for one in ("billed", "raised", "waived", "held")))
        await visit.to(person, f"/app/bills/{number}/invoice", "/app/consumption", "/app/consumption/sessions")
        await visit.to(person, f"/app/consumption/years/{town.rooms.store.clock():%Y}")
        async with town.rooms.store.unit() as unit:
            step_up.keep(unit, viewer.person, ref, "CP2", unit.now + timedelta(minutes=2))
        things = await paid(town.rooms, viewer.person)
        await visit.to(person, "/app/me/pay", f"/app/me/pay/{things.waits}", f"/app/me/pay/invoices/{NUMBER}")
        await visit.to(person, f"/app/me/pay/invoices/{NUMBER}/invoice")
        await visit.to(person, "/app/me/logins", "/app/me/passkeys", "/app/me/password", "/app/me/code-app")
        await visit.to(person, "/app/me/recovery-codes", "/app/me/proof", "/app/welcome")
        await visit.sees(person.page, "/app/nowhere", "/sessions")
        await code_app(visit, person, "/app/me/code-app", "Set it up")
        left = await missed(person, pages_of(driver.NOUNS, driver.paper_of(town.rooms)), visit.been)
        assert left - PARTS == set()
    async with town.phone(**STILL) as person:
        await half_in(visit, person, "/app/sign-in", "E-mail", MAIL)
    assert visit.faults == []


async def links(town: Town) -> list[str]:
    """What links in letters to those who work here lead to."""
    staff, accounts = town.rooms.people.staff, town.rooms.people.accounts
    owner = await staff.make_owner_link()
    invited = await staff.invite(OWNER, HOST, Role.SITE_HOST, ["Linz"])
    await town.rooms.access.make_account(SUPPORT, PASSWORD, Role.SUPPORT)
    await accounts.recover(SUPPORT, "127.0.0.1")

    async def look() -> str | None:
        letters = [one.text for one in await town.rooms.people.mail.outbox() if one.to == SUPPORT]
        return next(iter(re.findall(r"/login/link/\S+", "".join(letters))), None)

    back = await until(look, "a letter")
    return [f"/first-owner/{owner}", invited.removeprefix(town.doors.http), str(back)]


@asynccontextmanager
async def furnished(site: Site, town: Town) -> AsyncIterator[str]:
    """A town with much in it: a session that runs, findings, who knocks, cards, a group, a program; the session."""
    rooms = site.rooms
    await rooms.groups.put(OWNER, Group("crew", "CREW", limits=Limits(energy_wh_month=Decimal(90_000))))
    await rooms.cards.import_csv(f"number;state;group\n{CARD};active;crew\n{BLOCKED};blocked;\n", OWNER)
    await rooms.access.make_token("meter reader", frozenset(list(Scope)[:4]))
    await rooms.prices.set(OWNER, of_ocpi(RICH), None, "night")
    await rooms.assignments.assign(OWNER, Rank.GROUP, "crew", "night")
    await rooms.assignments.assign(OWNER, Rank.STATION, "CP1", "night", rooms.store.clock() + timedelta(days=9))
    await town.place("CP3", "Inn", "Innlände 1, Rosenheim", ("47.85", "12.12"))
    await knock(site, "CP9")
    async with site.station("CP1", town.keys["CP1"]) as one, site.station("CP3", town.keys["CP3"]) as other:
        await one.boot()
        await one.begin()
        for minutes, register_wh in ((10, 2000), (20, 1900), (30, 5200)):
            await one.read(minutes, register_wh, 6200)
        await other.call(call.Authorize(id_tag=CARD))
        await other.status("Faulted", info="hot", error="HighTemperature")
        async with rooms.store.read() as connection:
            (found,) = await sessions.find(connection, OWNER, Sought(live=True), 2)
        yield f"/sessions/{found.id}"


async def page_of(person: Person, name: str) -> str:
    """Where the page of a colleague is, from the list of people."""
    return await person.page.locator("tr.row").get_by_role("link", name=name).get_attribute("href") or ""


async def consent(town: Town) -> str:
    """The page on which an app asks to be let in."""
    made = await town.rooms.apps.register(OWNER, "Volt", ["http://127.0.0.1/back"], secret=False)
    asked = {"response_type": "code", "client_id": made.client.id, "scope": "sessions:read", "state": "s"}
    asked |= {"code_challenge": "c" * 43, "code_challenge_method": "S256", "redirect_uri": "http://127.0.0.1/back"}
    return f"/oauth/authorize?{urlencode(asked)}"


async def shown(visit: Visit, person: Person) -> None:
    """What pages show once asked: the list of keys; and after a form was sent: keys, codes, and what was wrong."""
    page = person.page
    await page.keyboard.press("?")
    await visit.look(page, "the list of keys")
    await visit.sees(page, "/nowhere", "/cards/group/remove?name=nobody")
    for path, fold, typed, button in (
        ("/stations", "Add a station", {"Identity": "CP7"}, "Add and show its key"),
        ("/cards", "Import cards", {"or paste it": "number;state\n04A2B97F1182;odd"}, "Import"),
        ("/cards/groups", "Make a group", {"Name": "crew", "Parent id": "a b"}, "Make the group"),
        ("/people", "Invite somebody", {"E-mail": "wrong"}, "Send the invitation"),
        ("/programs", "Give a program access", {"What it is for": "billing"}, "Make a token"),
        ("/alerts/rules", "Add a webhook", {"What it is for": "x", "Its address": "http://x.example"}, "Add it"),
        ("/alerts/rules", "Add a webhook", {"What it is for": "x", "Its address": "https://x.example"}, "Add it"),
    ):
        await page.goto(path)
        await page.get_by_text(fold, exact=True).click()
        for label, text in typed.items():
            await page.get_by_label(label).first.fill(text)
        await page.evaluate("for (const one of document.forms) one.noValidate = true")
        async with page.expect_navigation():
            await page.get_by_role("button", name=button).click()
        await visit.look(page, f"{path}, {button}")
    await code_app(visit, person, "/account", "Set it up")


async def code_app(visit: Visit, person: Person, path: str, button: str) -> None:
    """Set up a code app: its key, then the recovery codes."""
    page = person.page
    await page.goto(path)
    await page.get_by_role("button", name=button).click()
    secret = await page.locator("[data-copy]").first.get_attribute("data-copy") or ""
    await visit.look(page, f"{path}, its key")
    await page.get_by_label("The six digits").fill(pyotp.TOTP(secret.replace(" ", "")).now())
    await page.get_by_role("button", name="Switch it on").click()
    await expect(page.locator(".codes > *")).to_have_count(10)
    await visit.look(page, f"{path}, the codes")


async def half_in(visit: Visit, person: Person, path: str, label: str, name: str) -> None:
    """A wrong password, then the right one: what is asked for next."""
    page = person.page
    for password in ("a wrong one altogether", PASSWORD):
        await page.goto(path)
        await page.get_by_label(label).fill(name)
        await page.get_by_label("Password").fill(password)
        await page.keyboard.press("Enter")
        await (page.get_by_role("alert") if password != PASSWORD else page.get_by_label("Code")).first.wait_for()
        await visit.look(page, f"{path}, {password}")
