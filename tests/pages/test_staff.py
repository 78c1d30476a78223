"""The pages of those who work here: what each role sees and may press, and how people come in, change and leave."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect
from sqlalchemy import update

from tests.doors import free_port, settings_for
from tests.pages.site import PASSWORD, Site
from tests.pages.test_passkeys import Phone
from wattkeeper.assembly import open_doors, open_rooms
from wattkeeper.charging.person import FRESH, Role
from wattkeeper.store.tables import login

ALL = {
    *("/", "/sessions", "/stations", "/cards", "/tariffs", "/findings", "/money", "/people", "/programs"),
    *("/security", "/persons", "/requests", "/insight", "/alerts"),
}
PRIVACY = {"/requests"}
GUARDED = {"/security", *PRIVACY}
SEES: dict[Role, set[str]] = {
    Role.OWNER: ALL,
    Role.OPERATOR: ALL - GUARDED - {"/persons"},
    Role.SUPPORT: ALL - GUARDED - {"/people", "/programs"},
    Role.BILLING: ALL - GUARDED - {"/people", "/programs", "/findings"},
    Role.PRIVACY_OFFICER: ALL - {"/money", "/tariffs"},
    Role.AUDITOR: ALL - PRIVACY - {"/persons"},
    Role.SITE_HOST: {"/", "/sessions", "/stations", "/insight", "/alerts"},
}
"""The places of each role."""
LOOKS_ONLY = (Role.AUDITOR, Role.SITE_HOST, Role.PRIVACY_OFFICER)
DEEDS = {
    "/stations/admit": {"station": "CP9"},
    "/stations/rekey": {"station": "CP1"},
    "/stations/remove": {"station": "CP1", "again": "CP1"},
    "/stations/dismiss": {"station": "CP9"},
    "/stations/order": {"station": "CP1", "kind": "reset-hard"},
    "/stations/meter-key": {"station": "CP1", "evse": "1", "serial": "M-1", "key": "00"},
    "/stations/meter-key/end": {"station": "CP1", "id": "0" * 16},
    "/stations/signatures": {"station": "CP1", "required": "no"},
    "/cards/import": {"text": "number\n04A2B97F1199"},
    "/people/invite": {"email": "x@example.org", "role": "owner"},
    "/tariffs/new": {"do": "save"},
    "/tariffs/preview": {},
    "/tariffs/import": {"text": "{}"},
    "/tariffs/assignments": {"rank": "everyone"},
    "/tariffs/assignments/end": {"n": "1"},
    "/programs/give": {"name": "x", "scopes": "sessions:read"},
    "/programs/revoke": {"token": "0" * 16},
    "/insight/terms": {"peak": "1"},
    "/insight/terms/carbon": {"hours": "at,g_per_kwh"},
    "/alerts/acknowledge": {"id": "al0"},
    "/alerts/rules/new": {"kind": "station_offline", "name": "x", "raise_at": "5", "clear_at": "0"},
    "/alerts/rules/ar0": {"kind": "station_offline", "name": "x", "raise_at": "5", "clear_at": "0"},
    "/alerts/rules/ar0/delete": {},
    "/alerts/webhooks": {"name": "x", "address": "https://example.org/"},
    "/alerts/webhooks/remove": {"id": "wh0"},
    "/security/audit/run": {},
    "/security/audit/accept": {"id": "0" * 16, "days": "30", "why": "there is a reason"},
    "/security/audit/reconsider": {"id": "0" * 16},
}
"""What a role that only looks must not be able to do."""

ASKS = {"/persons", "/requests", "/breaches", "/insight"}
"""Where to find a driver is a form, and where a privacy officer answers people: their own work."""


@asynccontextmanager
async def browsing(site: Site, role: Role, *sites: str, name: str = "") -> AsyncIterator[httpx.AsyncClient]:
    """A browser without script in which somebody of a role is signed in."""
    rooms = site.rooms
    async with rooms.store.unit() as unit:
        about = {"email": f"{name or role.value}@example.org", "name": name or role.value, "language": "en"}
        made = (unit, role, about, None)
        row = await rooms.people.accounts.make(*made, by="test", verified=True, sites=sites)
        cookie = await rooms.access.begin(unit, row, "passkey", "Firefox, Linux")
    origin = {"Origin": site.doors.http}
    async with httpx.AsyncClient(base_url=site.doors.http, headers=origin, timeout=30, trust_env=False) as client:
        client.cookies.set("wattkeeper", cookie)
        yield client


def without_choice(page: str) -> str:
    """A page but for its choice of language, which every page has and which names the page's own address."""
    return re.sub(r'<form[^>]*class="tongue">.*?</form>', "", page, flags=re.DOTALL)


def places(page: str) -> set[str]:
    """Where a page's head leads."""
    nav = page.partition("<nav")[2].partition("</nav>")[0]
    return set(re.findall(r'href="([^"]+)"', nav))


def forms(page: str) -> set[str]:
    """Where the forms of a page that change something lead, but for signing out."""
    tags = re.findall(r"<form[^>]*>", without_choice(page))
    led = {found[1] for tag in tags if 'method="post"' in tag and (found := re.search(r'action="([^"]+)"', tag))}
    return led - {"/logout"}


@pytest.mark.parametrize("role", SEES)
async def test_a_role_sees_its_places_and_is_told_so_at_others(site: Site, role: Role) -> None:
    await site.admit("CP1", site="North")
    async with browsing(site, role, *(["North"] if role is Role.SITE_HOST else [])) as client:
        for path in ALL:
            answer = await client.get(path)
            assert places(answer.text) == SEES[role], path
            if path in SEES[role]:
                assert answer.status_code == 200, path
            else:
                assert answer.status_code == 403, path
                assert "This is not for you" in answer.text
                assert "An owner can change that." in answer.text
        assert (await client.get("/account")).status_code == 200


@pytest.mark.parametrize("role", LOOKS_ONLY)
async def test_who_only_looks_finds_nothing_to_press_and_nothing_that_works(site: Site, role: Role) -> None:
    key = await site.admit("CP1", site="North")
    async with site.station("CP1", key) as station:
        await station.boot()
        await station.begin()
        async with browsing(site, role, *(["North"] if role is Role.SITE_HOST else [])) as client:
            sessions = (await client.get("/sessions")).text
            session = re.findall(r'href="(/sessions/[0-9A-Z]{9})"', sessions)[0]
            for path in (SEES[role] - ASKS) | {"/stations/CP1", session}:
                page = await client.get(path)
                assert page.status_code == 200
                assert forms(page.text) == set(), path
            for path, sent in {**DEEDS, f"{session}/stop": {}, f"{session}/close": {"reason": "x"}}.items():
                assert (await client.post(path, data=sent)).status_code == 403, path
            shown = (await client.get(session)).text + sessions + (await client.get("/stations/CP1")).text
            assert ("••80" in shown) is (role is not Role.SITE_HOST)


async def test_e3_a_site_host_cannot_tell_another_site_from_none(site: Site) -> None:
    await site.admit("CP1", site="North")
    await site.admit("CP2", site="South")
    async with browsing(site, Role.SITE_HOST, "North") as host:
        there, nowhere = await host.get("/stations/CP2"), await host.get("/stations/CP9")
        assert (there.status_code, nowhere.status_code) == (404, 404)
        alike = [re.sub(r'data-now="[^"]*"', "", answer.text) for answer in (there, nowhere)]
        assert alike[0].replace("CP2", "CP9") == alike[1]
        listed = await host.get("/stations")
        assert "CP1" in listed.text
        assert "CP2" not in listed.text
        assert "1 station" in listed.text
        stream = await host.get("/live/stations/CP2?after=0")
        assert "CP2" not in stream.text
        assert "event: bye" in stream.text


async def test_a_driver_is_sent_to_the_app(site: Site) -> None:
    async with browsing(site, Role.DRIVER) as driver:
        home = await driver.get("/")
        assert (home.status_code, home.headers["location"]) == (303, "/app/")
        for path in ("/people", "/stations", "/account", "/nothing", "/login"):
            answer = await driver.get(path)
            assert answer.status_code == 403
            assert "This is not for drivers" in answer.text
        assert (await driver.post("/stations/admit", data={"station": "CP9"})).status_code == 403


async def test_an_invitation_is_accepted_once_and_the_role_is_given(site: Site) -> None:
    async with browsing(site, Role.OWNER) as owner:
        sent = {"email": "bo@example.org", "role": "site_host", "sites": "North", "other": "South, West"}
        page = (await owner.post("/people/invite", data=sent)).text
        (link,) = set(re.findall(r'data-copy="(http[^"]+)"', page))
        listed = (await owner.get("/people")).text
        assert "Site host of North, South, West" in listed
        assert link not in listed, "a link is shown once"
        wrong = (await owner.post("/people/invite", data=sent | {"email": "bo", "role": "support"})).text
        assert "Nobody was invited." in wrong
        assert 'value="bo"' in wrong
    path = "/" + link.split("/", 3)[3]
    async with httpx.AsyncClient(base_url=site.doors.http, headers={"Origin": site.doors.http}, timeout=30) as bo:
        assert "You are invited" in (await bo.get(path)).text
        short = await bo.post(path, data={"name": "Bo", "password": "short"})
        assert short.status_code == 422
        assert 'value="Bo"' in short.text
        came = await bo.post(path, data={"name": "Bo", "password": PASSWORD})
        assert (came.status_code, came.headers["location"]) == (303, "/account?did=joined")
        assert "Site host of North, South, West" in (await bo.get("/account")).text
    async with httpx.AsyncClient(base_url=site.doors.http, headers={"Origin": site.doors.http}) as late:
        for answer in (await late.get(path), await late.post(path, data={"name": "Eve", "password": PASSWORD})):
            assert answer.status_code == 404
            assert "does not work any more" in answer.text


async def test_a_deed_that_lets_people_in_asks_once_more_who_it_is(site: Site) -> None:
    async with browsing(site, Role.OWNER) as owner:
        cookie = await site.rooms.access.sign_in("operator", PASSWORD, "127.0.0.1")
        owner.cookies.set("wattkeeper", cookie)
        async with site.rooms.store.unit() as unit:
            await unit.connection.execute(update(login).values(proved_at=unit.now - 2 * FRESH))
        site.rooms.access.forget()
        page = (await owner.get("/people")).text
        assert "show once more that it is you" in page
        assert forms(page) == set()
        asked = await owner.post("/people/invite", data={"email": "x@example.org", "role": "support"})
        assert (asked.status_code, asked.headers["location"]) == (303, "/account/proof?next=/people")
        proof = await owner.get("/account/proof?next=/people")
        assert 'name="way" value="password"' in proof.text
        given = {"way": "password", "next": "/people"}
        wrong = await owner.post("/account/proof", data=given | {"secret": "wrong"})
        assert wrong.status_code == 401
        right = await owner.post("/account/proof", data=given | {"secret": PASSWORD})
        assert (right.status_code, right.headers["location"]) == (303, "/people")
        assert "/people/invite" in forms((await owner.get("/people")).text)
        elsewhere = await owner.post("/account/proof", data={**given, "secret": PASSWORD, "next": "https://evil.test"})
        assert elsewhere.headers["location"] == "/"


async def test_the_last_owner_cannot_leave_by_a_form(site: Site) -> None:
    await site.rooms.access.remove_account("operator")
    async with browsing(site, Role.OWNER) as owner:
        (own,) = set(re.findall(r'href="(/people/a[0-9a-f]+)"', (await owner.get("/people")).text))
        for path, sent in ((f"{own}/do", {"deed": "let-out"}), (f"{own}/role", {"role": "auditor"})):
            answer = await owner.post(path, data=sent)
            assert answer.status_code == 409
            assert "only owner" in answer.text
        assert (await owner.get("/people")).status_code == 200
        async with browsing(site, Role.AUDITOR) as auditor:
            there = set(re.findall(r'href="(/people/a[0-9a-f]+)"', (await owner.get("/people")).text)) - {own}
            left = await owner.post(f"{there.pop()}/do", data={"deed": "let-out"})
            assert left.headers["location"] == "/people?did=let-out"
            assert (await auditor.get("/sessions")).status_code == 303, "out, within a second"


async def test_a_token_is_shown_once_and_can_be_revoked(site: Site) -> None:
    async with browsing(site, Role.OWNER) as owner:
        nothing = await owner.post("/programs/give", data={"name": "meter reader", "days": "30"})
        assert (nothing.status_code, 'value="meter reader"' in nothing.text) == (422, True)
        sent = {"name": "meter reader", "scopes": ["sessions:read", "stations:read"], "days": "30"}
        page = (await owner.post("/programs/give", data=sent)).text
        (token,) = set(re.findall(r"wk_[\w-]+", page))
        listed = (await owner.get("/programs")).text
        assert token not in listed
        assert "See charging sessions" in listed
        async with httpx.AsyncClient(base_url=site.doors.http, headers={"Authorization": f"Bearer {token}"}) as program:
            assert (await program.get("/api/v1/sessions")).status_code == 200
            (identifier,) = set(re.findall(r'name="token" value="([0-9a-f]+)"', listed))
            await owner.post("/programs/revoke", data={"token": identifier})
            assert (await program.get("/api/v1/sessions")).status_code == 401


@pytest_asyncio.fixture(loop_scope="session")
async def named(database: str, tmp_path: Path, browser: Browser, bundled: None) -> AsyncIterator[Site]:
    """A new installation at an address with a name, whose staff need a second factor; nobody has an account."""
    port = free_port()
    address = {"http_port": port, "public_url": f"http://localhost:{port}"}
    settings = settings_for(database, tmp_path, **address, staff_passkeys=True)
    async with open_rooms(settings) as rooms, open_doors(rooms) as doors:
        yield Site(rooms, doors, browser)


async def test_the_first_owner_comes_in_by_the_link_makes_a_passkey_and_comes_back_with_it(named: Site) -> None:
    code = await named.rooms.people.staff.make_owner_link()
    async with named.person() as person:
        page, phone = person.page, await Phone.of(person)
        await page.goto(f"/first-owner/{code}")
        await page.get_by_label("E-mail").fill("ada@example.org")
        await page.get_by_label("Your name").fill("Ada")
        await phone.press("Come in")
        await expect(page.get_by_text("Until there is one, you can look after your own account")).to_be_visible()
        await page.goto("/people")
        await expect(page.get_by_role("heading", name="This is not for you")).to_be_visible()
        await page.goto("/account")
        await page.get_by_label("Name of the new one").fill("Ada's phone")
        await phone.press("Add a passkey")
        await person.sees("Keep these recovery codes")
        await page.get_by_role("link", name="I have kept them").click()
        await expect(page.get_by_text("Ada's phone")).to_be_visible()
        await page.goto("/people")
        await expect(page.get_by_role("heading", name="1 person works here")).to_be_visible()
        await phone.press("Sign out")
        await page.wait_for_url("**/login")
        await page.wait_for_url(re.compile(r"localhost:\d+/$"))  # the field offers the passkey by itself
        assert (await phone.keys())[0]["signCount"] == 2
        await expect(page.get_by_role("heading", name="No car is charging")).to_be_visible()
