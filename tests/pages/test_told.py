"""Every page there is, with something on it, in a language that marks what it says: nothing is said without a mark."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import httpx
import pyotp
import pytest

from tests.pages.alarmed import alarmed
from tests.pages.driver.town import Town
from tests.pages.everybody.test_axe import RICH, consent, furnished, links
from tests.pages.everybody.visit import pages_of, unseen
from tests.pages.guarded import attacked, audited, released
from tests.pages.money.till import Stock, stocked
from tests.pages.paid import NUMBER, WORDS, paid
from tests.pages.pseudo import Walk
from tests.pages.site import CARD, Site
from tests.pages.test_staff import browsing
from tests.web.busy import busy
from wattkeeper.charging.alerts.rule import Kind
from wattkeeper.charging.person import Role
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.store.cards import card as cards
from wattkeeper.web.operator import routes as operator
from wattkeeper.web.operator.paper import Paper

DATA = (
    *("CP1", "CP2", "CP3", "CP5", "CP9", "Hauptplatz", "Volksgarten", "Inn", "Linz", "Volt", "One"),
    *("owner@example.org", "sam@example.org", "ida@example.org", "new@example.org", "OCPP 1.6", "CP7"),
    *("TriggerMessage", "UnlockFailed", "wattkeeper", "guests", "standard", "As on the display."),
    "NotImplemented: Request Action is recognized but not supported by the receiver",
    *WORDS,
    *("night", "standard", "AT", "Europe/Vienna", "UTC"),
    *("A letter.", "A laptop was lost on a train."),
    *("watch", "pager", "old pager", "pager.example", "old.example", "HTTP", "gaierror", "EUR", "command line"),
    *("crew", "CREW", "meter reader", "operator", "owner", "test", "Firefox, Linux", "hot", "HighTemperature"),
)
"""What the people and stations of this test call themselves and each other."""


@asynccontextmanager
async def reading(client: httpx.AsyncClient) -> AsyncIterator[Walk]:
    """Read in the marked language; at the end nothing may have been found."""
    one = Walk(client, DATA)
    yield one
    assert one.faults == [], "\n".join(one.faults)


@pytest.mark.long
async def test_the_operators_pages_say_nothing_that_is_not_in_the_catalogue(town: Town, told: None) -> None:
    site = Site(town.rooms, town.doors, town.browser)
    async with town.plain() as client, reading(client) as one:
        await one.to("/login", "/login/recover", *await links(town))
        await one.send("/login", name="nobody", password="wrong")
        outside = one.been
    stock = await stocked(site, "CP2")
    async with furnished(site, town) as session, browsing(site, Role.OWNER) as client:
        for path in ("/", session, "/stations/CP1"):
            assert "⟦" not in (await client.get(path)).text
        await walked(town, client, session, stock, outside)


async def walked(town: Town, client: httpx.AsyncClient, session: str, stock: Stock, outside: list[str]) -> None:
    """Read every page of those who work here, after they were printed in English."""
    async with reading(client) as one:
        ref = town.rooms.safe.ref(CARD)
        await one.to("/", "/sessions", session, "/stations", "/stations/CP1", "/stations/CP1/codes", "/findings")
        await one.to("/cards", f"/cards/{ref}", "/cards/groups", "/cards/group?name=crew", "/programs", "/people")
        await one.to(re.findall(r'href="(/people/[^"]+)"', (await client.get("/people")).text)[0])
        await one.to("/money", "/money?month=2001-01", "/money/lost", "/money/lost?month=2001-01")
        await one.to("/money/bills", "/money/bills?q=nothing", f"/money/bills/{stock.number}", "/money/waiting")
        await one.to(f"/money/waiting/{stock.held}", f"/money/waiting/{stock.proposed}", "/money/waiting?site=Linz")
        made = await paid(town.rooms, await holder(town, ref))
        await one.to("/money/payments", "/money/payments?state=declined", "/money/reconciliation")
        await one.to("/money/reconciliation?month=2026-01")
        await one.send("/money/payments", number=NUMBER, amount="x", reference="RF18 0002")
        await one.send("/money/payments", number=NUMBER, amount="5,00", reference="RF18 0001")
        await one.send("/money/payments", number=NUMBER, amount="5,00", reference="RF18 0002")
        await one.send(f"/money/differences/{made.difference}/settle", reason="")
        await one.send(f"/money/differences/{made.difference}/settle", reason="hot")
        await one.send(f"/money/deeds/{made.proposed}/agree")
        await one.send(f"/money/deeds/{made.proposed}/reject")
        await one.send(f"/money/payments/{made.waits}/again")
        await one.to("/money/payments?did=asked")
        await moved(one, await holder(town, ref))
        await one.to("/requests", "/breaches")
        for right in ("access", "erasure", "everything"):
            await one.send("/requests", right=right, door="letter", words="A letter.")
        await one.send("/requests", right="access", door="pigeon", day="soon")
        await one.send("/breaches", what="A laptop was lost on a train.", since="2026-01-01T10:00", risk="yes")
        await one.send("/breaches", what="short", until="soon")
        rights = town.rooms.rights
        await one.to(*(f"/requests/{asked.row.id}" for asked in await rights.requests.listed(VIEWER)))
        await one.to(*(f"/breaches/{breach.row.id}" for breach in await rights.breaches.listed(VIEWER)))
        await one.to("/requests", "/breaches")
        await one.to("/security", "/security/audit", "/security/audit?did=ran")
        (stands, *_) = await audited(town.rooms)
        await one.to("/security/audit", "/security/audit?did=accepted", "/security/audit?did=reconsidered")
        for why in ("", "hot", "hot " * 9):
            await one.send("/security/audit/accept", id=stands, days="30", why=why)
        await one.send("/security/audit/reconsider", id="0")
        await one.to("/insight/week", "/insight/week?show=arrivals&span=month", "/insight/load?span=month")
        await one.to("/insight/load?span=last-month", "/insight/stays?span=month", "/insight/stays?span=year")
        await one.to("/insight", "/insight?span=year", "/insight?station=CP1&sort=-name")
        await town.rooms.statistics.reckoning.look()
        await one.to("/insight/uptime", "/insight/uptime?span=28d&sort=-name", "/insight/uptime?reason=tap:unknown")
        await one.send("/insight/uptime/exclude", station="CP1", evse="1", since="x", reason="odd", note="x")
        await one.send("/insight/uptime/count", id="0")
        await foreseen(one, town)
        there = await alarmed(town.rooms)
        await one.to("/alerts", "/alerts?did=acknowledged", "/")
        for did in ("made", "changed", "pause", "resume", "delete", "removed"):
            await one.to(f"/alerts/rules?did={did}")
        for did in ("changed", "pause", "resume", "tried", "nobody"):
            await one.to(f"/alerts/rules/{there.rules[0]}?did={did}")
        for rule in there.rules[1:]:
            await one.to(f"/alerts/rules/{rule}")
        for kind in Kind:
            await one.to(f"/alerts/rules/new?kind={kind}")
        await one.send("/alerts/rules/new", kind="peak_near_limit", name="hot", raise_at="hot", clear_at="0")
        await one.send("/alerts/rules/new", kind="station_offline", name="", raise_at="5", clear_at="9", apart="hot")
        await one.send("/alerts/webhooks", name="hot", address="ftp://hot")
        await one.send("/alerts/webhooks", name="hot", address="https://hot.example/")
        await one.to("/insight/releases")
        (public, *others) = await released(town.rooms)
        await one.to(
            "/insight/releases",
            f"/insight/releases/{public}",
            *(f"/insight/releases/{name}" for name in others),
            f"/release/{public}",
        )
        await one.send("/insight/releases", kind="odd", first="2025-01", last="2025-02")
        await one.send("/insight/releases", kind="stays", first="x", last="2025-02", epsilon="x")
        await attacked(town.rooms)
        await one.to("/security", "/security?days=90&case=key_wrong&subject=CP1&origin=ab")
        await one.to("/account", "/account/proof", "/outbox", await consent(town))
        await one.to("/tariffs", "/tariffs/named/night", "/tariffs/named/night/edit", "/tariffs/new")
        await one.to("/tariffs/assignments?change=1", f"/tariffs/which?station=CP1&evse=1&card={ref}")
        await one.to("/tariffs/which?station=CP1", "/tariffs/which", "/tariffs/assignments", "/tariffs/import")
        await one.to("/tariffs/which?station=nowhere&time=9:00", status=422)
        await one.to("/sessions?q=yesterday+around+six&state=live", "/stations?q=nothing", "/cards?q=zz")
        await one.to("/nowhere", "/stations/nowhere", "/sessions/0000", status=404)
        assert "⟦" in await streamed(client, "/live/now?after=0")
        await sent(one, str(ref), session)
        await billed(one, stock)
        left = await missed(one, operator.paper_of(town.rooms), (*outside, *one.been))
        files = {
            "/tariffs/named/{tariff}/ocpi",
            "/breaches/{identifier}/report",
            "/money/revenue.{kind}",
            "/insight/uptime/{sheet}.{kind}",
            *(f"/insight/{one}/{{picture}}.{{kind}}" for one in ("all", "week", "load", "stays", "carbon")),
            *(f"/insight/{one}/{{picture}}.{{kind}}" for one in ("hours", "forecast")),
            "/money/books/{book}.csv",
            "/bills/{number}/paper",
            "/release/{release}.{kind}",
        }
        assert left == files, "JSON, CSV and Parquet; and a PDF, which tests/operations/test_papers.py reads in German"


async def foreseen(one: Walk, town: Town) -> None:
    """Read what next week will bring, what could be saved, and what of it was entered rightly and wrongly."""
    await one.to("/insight/forecast", "/insight/terms?site=-")
    await town.rooms.admission.provision("CP5", "test", site="Linz")
    await busy(town.rooms, town.rooms.intake, "CP5", town.rooms.store.clock())
    for wrong in ({"peak": "x"}, {"from1": "20:00"}, {"limit": "0"}, {"carbon": "1 2"}, {"since": "soon"}):
        await one.send("/insight/terms?site=Linz", **wrong)
    times = {"from1": "22:00", "to1": "06:00", "at1": "0,18", "carbon": " ".join(map(str, range(24)))}
    await one.send("/insight/terms?site=Linz", peak="90", energy="0,30", limit="10", **times)
    await one.send("/insight/terms/carbon?site=Linz", hours="")
    await one.send("/insight/terms/carbon?site=Linz", hours="at,g_per_kwh\n2026-03-01T00:00Z,312.5")
    for path in ("/insight", "/insight/forecast", "/insight/terms", "/insight/carbon", "/insight/carbon?show=grid"):
        await one.to(path, f"{path}{'&' if '?' in path else '?'}site=Linz")
    await one.to("/insight/carbon?span=year&show=energy", "/insight/carbon?site=-")
    await one.to("/insight/hours", "/insight/hours?show=bought", "/insight/hours?show=billed&site=-&span=month")


async def opened(one: Walk, person: str) -> None:
    """Open a driver for a purpose and a reason, after saying too little; look at all of them, and at who looked."""
    at = f"/persons/{person.removeprefix('person:')}"
    await one.to("/persons", f"{at}/look")
    await one.send("/persons", email="nobody@example.org")
    for purpose, reason in (("", "As on the display."), ("enquiry", "As on the display."), ("billing", "short")):
        await one.send(f"{at}/look", purpose=purpose, reason=reason)
    await one.send(f"{at}/look", purpose="billing", reason="As on the display.")
    await one.to(at, f"{at}?part=cards", f"{at}?part=sessions", "/persons?did=reviewed")
    await one.send("/persons/looks/0000/review", right="perhaps")
    await one.send("/persons/looks/0000/review", right="yes")


async def moved(one: Walk, person: str) -> None:
    """Open the account of somebody, and send its forms, rightly and wrongly."""
    at = f"/money/accounts/{person.removeprefix('person:')}"
    await opened(one, person)
    await one.to("/money/accounts", at, f"{at}?did=entered", f"{at}/way?did=chosen", f"{at}?did=done")
    await one.to(f"{at}?did=proposed")
    await one.to("/money/accounts/nobody", "/money/invoices/M2001-000001", status=404)
    await one.to("/money/invoices", f"/money/invoices/{NUMBER}?did=entered")
    await one.to("/money/hosts?did=agreed", "/money/hosts/statement?site=Linz&did=paid", "/money/grid?did=entered")
    for kind in ("percent", "per_kwh"):
        await one.send("/money/hosts", site="Linz", host="Inn", kind=kind, value="12,5")
        await one.send("/money/hosts", site="Linz", host="Inn", kind=kind, value="x")
    await one.send("/money/hosts/statement", site="Linz", currency="EUR", reference="RF18 0001", total="1")
    await one.send("/money/grid", site="Linz", meter="One", kwh="x")
    await one.send("/money/grid", site="Linz", meter="One", kwh="100")
    await one.to("/money/hosts", "/money/grid?site=Linz")
    for amount in ("x", "1"):
        await one.send(f"/money/invoices/{NUMBER}", amount=amount, reference="RF18 0001")
    await one.send("/money/accounts", number="nobody")
    for what in ("transfer", "way", "write-off", "refund", "delete"):
        await one.send(f"{at}/{what}", amount="1,005", way="odd", reason="hot", reference="RF18 0001")


async def holder(town: Town, ref: str) -> str:
    """Whose a card is."""
    async with town.rooms.store.unit() as unit:
        return (await cards.owners(unit, [ref]))[ref]


async def streamed(client: httpx.AsyncClient, path: str) -> str:
    """The first part of a page that its stream sends."""
    async with client.stream("GET", path) as answer:
        return await anext(line async for line in answer.aiter_lines() if line.startswith("data: <"))


async def sent(one: Walk, ref: str, session: str) -> None:
    """Send the forms, rightly and wrongly, and read what comes back."""
    for kind, about in (("unlock", {"evse": "1"}), ("reset-soft", {}), ("trigger", {"message": "Heartbeat"})):
        await one.send("/stations/order", station="CP1", kind=kind, **about)
    (finding,) = set(re.findall(r'name="finding" value="([^"]+)"', (await one.client.get("/findings")).text))
    await one.send("/findings/confirm", finding=finding)
    rule = {
        "group": "crew",
        "kwh": "5",
        "money": "7,5",
        "sites": "Linz",
        "hours": "mon-fri 08:00-18:00",
        "plugs": "none",
    }
    await one.send(f"/cards/{ref}/rule", max_sessions="2", offline="accept", strength="secure", **rule)
    await one.send("/cards/group", name="crew", is_master_pass="on", **rule | {"sites": "none", "hours": "never"})
    await one.send("/cards/groups", name="guests", **rule | {"plugs": "IEC_62196_T2"})
    await one.send(f"{session}/close", reason="")
    await one.send(f"{session}/close", reason="hot")
    await one.to("/", "/stations", "/stations/CP1", "/findings", f"/cards/{ref}", "/cards/group?name=crew", session)
    await one.send("/stations/admit", station="CP7", kw="x")
    await one.send("/stations/admit", station="CP7")
    await one.send("/cards/import", text="number;state\n04A2B97F1182;odd")
    await one.send("/cards/import", text="")
    await one.send("/cards/groups", name="crew", parent_id="a b", kwh="x")
    await one.send(f"/cards/{ref}/rule", hours="mon-fri", max_sessions="1")
    await one.send("/people/invite", email="wrong")
    await one.send("/people/invite", email="new@example.org", role="support")
    await one.send("/programs/give", name="billing", scopes="sessions:read", days="7")
    await one.send("/programs/give", name="meter reader", scopes="sessions:read", days="30")
    await one.send("/account/password", password="short")
    await one.send("/stations/order", station="CP1", kind="odd")
    page = (await one.send("/account/code-app")).text
    found = re.search(r'data-copy="([A-Z2-7]+)"', page)
    assert found
    await one.send("/account/code-app/confirm", code="000000")
    await one.send("/account/code-app/confirm", code=pyotp.TOTP(found[1]).now())
    for path, did in (("/account", "password"), ("/people", "invited"), ("/cards/groups", "made")):
        await one.to(f"{path}?did={did}")
    await priced(one)


async def priced(one: Walk) -> None:
    """Send the forms of tariffs, rightly and wrongly, and read what comes back."""
    wrong = {"b0-energy-price": "x", "b0-end_time": "x", "b0-max_kwh": "x", "b1-time-step": "x", "r0-percent": "x"}
    right = {"currency": "EUR", "zone": "UTC", "b0-mon": "on", "b0-energy-price": "1", "seen": "0"}
    example = {"x_day": "2026-12-01", "x_time": "18:00", "x_hours": "1", "x_kwh": "7", "x_idle": "20"}
    for path in ("/tariffs/new", "/tariffs/preview"):
        await one.send(path, do="save", **wrong)
        await one.send(path, do="look", **right, **example)
        await one.send(path, do="add-rate", **right)
    await one.send("/tariffs/new", do="save", name="night", **right)
    await one.send("/tariffs/named/night/edit", do="save", **right)
    await one.send("/tariffs/named/night/edit", do="save", **right | {"since_day": "2000-01-01", "seen": "1"})
    await one.send("/tariffs/named/night/edit", do="save", **right | {"since_day": "2199-01-01", "seen": "1"})
    for form in ({"rank": "driver", "subject": CARD}, {"n": "1"}, {"rank": "site", "subject": "nowhere"}, {"day": "x"}):
        await one.send("/tariffs/assignments", tariff="night", **form)
    for form in ({"rank": "everyone", "day": "2000-01-01"}, {"rank": "everyone", "tariff": "none"}, {"rank": "x"}):
        await one.send("/tariffs/assignments", **form)
    await one.send("/tariffs/assignments/end", n="1")
    rich, wrong_file = json.dumps(RICH | {"end_date_time": "2030-01-01", "energy_mix": {}}), json.dumps({"elements": 7})
    files = ("{", "[7]", '[{"id": "one"}, {}]', wrong_file, rich, rich.replace("x_time_zone", "party_id"))
    one.data = (*one.data, *files, "currency", "elements")
    for text in files:
        await one.send("/tariffs/import", text=text)
    for name, seen in (("night", ""), ("a night", ""), ("night", "2")):
        await one.send("/tariffs/import", text=rich, do="save", name=name, seen=seen, looked=name)
    await one.send("/tariffs/assignments/end", n="x")
    await one.send("/tariffs/which", station="CP1", number=CARD)
    await one.send("/tariffs/which", station="CP1", number="nobody", evse="x")
    await one.to("/tariffs", "/tariffs/named/night?version=2&week=2026-W01", "/tariffs/named/standard")


async def billed(one: Walk, stock: Stock) -> None:
    """Send the forms about money, rightly and wrongly."""
    for number in (stock.number, "2026-999999"):
        await one.send(f"/money/bills/{number}/correct", kwh="1", amount="1", reason="hot")
        await one.send(f"/money/bills/{number}/invoice", name="Inn", country="Austria")
    await one.send(f"/money/bills/{stock.number}/correct", amount="x", reason="hot")
    for deed in ("accept", "correct", "waive", "delete"):
        await one.send(f"/money/waiting/{stock.held}/{deed}", reason="hot")
    page = (await one.client.get(f"/money/waiting/{stock.proposed}")).text
    found = re.search(r"/money/proposals/[0-9a-f]+", page)
    assert found
    for deed in ("agree", "agree", "reject"):
        await one.send(f"{found[0]}/{deed}")
    await one.to(f"/money/waiting/{stock.proposed}")
    held = f"/money/waiting/{stock.held}"
    seen = re.findall(r'name="seen" value="([^"]+)"', (await one.client.get(held)).text)[0]
    await one.send(f"{held}/waive", reason="hot", seen=seen)
    await one.to("/", "/money/waiting", held)


async def missed(one: Walk, paper: Paper, been: Iterable[str]) -> set[str]:
    """Which pages were not read; an address that leads on is none."""
    left = unseen(pages_of(operator.NOUNS, paper), been)
    answers = {path: await one.client.get(path) for path in left if "{" not in path}
    return left - {path for path, answer in answers.items() if answer.status_code == 303}
