"""Signing in through one's company: a real provider, its own pages, and who gets in here by its word."""

from __future__ import annotations

import httpx
import pytest

from tests.conftest import OpenDoor
from tests.oidc.conftest import BY_FORM, KEYS, PEOPLE, Browser, OpenCompany, Visit
from tests.oidc.provider import sign_in_there
from tests.web.conftest import ADDRESS, PASSWORD, House, house_of
from tests.web.partner import fields_of
from tests.web.partner import person as somebody
from wattkeeper.charging.person import Role
from wattkeeper.store.people import account
from wattkeeper.store.people.account import AccountState
from wattkeeper.store.tables import account as accounts
from wattkeeper.store.tables import identity, login, mail, person

MAPPED = {"oidc_role_claim": "groups", "oidc_roles": "charge-admins=operator, helpdesk=support"}


@pytest.mark.parametrize("client", [*KEYS, BY_FORM])
async def test_whom_the_company_makes_staff_comes_in(
    open_company: OpenCompany, issuer: str, visit: Visit, client: str
) -> None:
    house = await open_company(issuer, oidc_client_id=client, **MAPPED)
    browser = visit(house)
    answer = await browser.come("olga")
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"] == "/stations"
    me = await browser.me()
    assert (me["role"], me["name"]) == ("operator", "olga@volt.example")
    assert "stations:write" in me["scopes"], "who proved themselves to their company needs no second factor here"
    (signed_in,) = await house.door.rows(login)
    assert signed_in.how == "oidc"


async def test_the_same_person_comes_back_to_the_same_account(
    open_company: OpenCompany, issuer: str, visit: Visit
) -> None:
    house = await open_company(issuer, **MAPPED)
    first, second, other = (visit(house) for _ in range(3))
    for browser, name in ((first, "sam"), (second, "sam"), (other, "Sam")):
        assert (await browser.come(name)).status_code == 303
    ids = [(await one.me())["account"] for one in (first, second, other)]
    assert ids[0] == ids[1] != ids[2], "subjects that differ in case alone are two people"
    assert len(await house.door.rows(identity)) == 2


async def test_nobody_comes_in_by_default(open_company: OpenCompany, issuer: str, visit: Visit) -> None:
    for given in ({}, MAPPED):
        house = await open_company(issuer, **given)
        browser = visit(house)
        answer = await browser.come("nora")
        assert answer.status_code == 403
        assert "nobody has let you in here" in answer.text
        assert await browser.me() is None
        assert await house.door.rows(accounts) == []


async def test_a_default_role_lets_anyone_of_the_company_in(
    open_company: OpenCompany, issuer: str, visit: Visit
) -> None:
    house = await open_company(issuer, oidc_default_role="auditor", **MAPPED)
    nora, olga = visit(house), visit(house)
    assert (await nora.come("nora")).status_code == (await olga.come("olga")).status_code == 303
    assert [(await one.me())["role"] for one in (nora, olga)] == ["auditor", "operator"]


async def test_an_address_that_is_known_here_links_nothing(
    open_company: OpenCompany, issuer: str, visit: Visit
) -> None:
    house = await open_company(issuer, **MAPPED)
    await house.rooms.access.make_account("olga@volt.example", "correct horse battery staple", Role.OWNER)
    browser = visit(house)
    await browser.come("olga")
    assert (await browser.me())["role"] == "operator", "the owner's account was entered by an e-mail address alone"
    assert len(await house.door.rows(accounts)) == 2


async def connected(house: House, visit: Visit) -> tuple[Browser, httpx.Response]:
    """A browser signed in to an account that was made here, and the page that asks to connect it with nora."""
    anna = await somebody(house, "nora@here.example", Role.SUPPORT)
    browser = visit(house)
    name, _, value = anna.headers["Cookie"].partition("=")
    browser.client.cookies.set(name, value, domain="wattkeeper.test")
    return browser, await browser.come("nora", "/login/company?connect=true&next=/me")


async def test_an_invited_person_connects_and_comes_in_from_then_on(
    open_company: OpenCompany, issuer: str, visit: Visit
) -> None:
    house = await open_company(issuer)
    browser, page = await connected(house, visit)
    assert page.status_code == 200
    assert "nora@volt.example" in page.text
    assert await house.door.rows(identity) == [], "connected before it was confirmed"
    form = fields_of(page.text)
    forged = await browser.client.post("/login/company/connect", data=form, headers={"Origin": "https://evil.test"})
    assert forged.status_code == 403
    other = await somebody(house, "other@here.example", Role.OWNER)
    assert (await other.post("/login/company/connect", data=form)).status_code == 403
    assert (await browser.client.post("/login/company/connect", data=form)).headers["location"] == "/me"
    assert await letters(house) == ["factor_added"], "a way in was added, and its owner was not told"
    later = visit(house)
    assert (await later.come("nora")).status_code == 303
    assert (await later.me())["role"] == "support"
    assert "stations:read" in (await later.me())["scopes"]
    asked = await later.client.post("/login/company/disconnect", data={"next": "/me"})
    assert asked.headers["location"].startswith("/account/proof"), "the company may only have remembered her"
    proof = {"way": "password", "secret": PASSWORD, "next": "/account"}
    assert (await later.client.post("/account/proof", data=proof)).headers["location"] == "/account"
    done = await later.client.post("/login/company/disconnect", data={"next": "/me"})
    assert (done.status_code, done.headers["location"]) == (303, "/me")
    assert (await visit(house).come("nora")).status_code == 403


async def test_what_opens_one_account_is_not_connected_with_another(
    open_company: OpenCompany, issuer: str, visit: Visit
) -> None:
    house = await open_company(issuer, oidc_default_role="auditor")
    assert (await visit(house).come("nora")).status_code == 303
    browser, page = await connected(house, visit)
    answer = await browser.client.post("/login/company/connect", data=fields_of(page.text))
    assert answer.status_code == 409


async def test_a_role_follows_the_companys_word(open_company: OpenCompany, issuer: str, visit: Visit) -> None:
    house = await open_company(issuer, **MAPPED)
    before = visit(house)
    await before.come("sam")
    identifier = (await before.me())["account"]
    async with house.rooms.store.unit() as unit:
        await account.change(unit, identifier, role=Role.OWNER.value)
    assert (await visit(house).come("sam")).status_code == 303
    assert await before.me() is None, "a sign-in outlived the role it was made for"
    again = visit(house)
    await again.come("sam")
    assert (await again.me())["role"] == "support"


async def test_e8_a_company_s_account_gets_no_way_in_that_would_outlive_the_company_s_word(
    open_company: OpenCompany, issuer: str, visit: Visit
) -> None:
    house = await open_company(issuer, **MAPPED)
    browser = visit(house)
    await browser.come("olga")
    assert (await browser.me())["role"] == "operator"
    for deed in (
        browser.client.post("/api/v1/account/passkeys/options"),
        browser.client.post("/api/v1/account/totp"),
        browser.client.patch("/api/v1/account", json={"password": "correct horse battery staple"}),
        browser.client.patch("/api/v1/account", json={"email": "olga@home.example"}),
        browser.client.post("/login/company/disconnect"),
    ):
        assert (await deed).status_code == 403
    assert (await visit(house).come("olga")).status_code == 303


async def letters(house: House) -> list[str]:
    """The kinds of letters that wait."""
    return [row.kind for row in await house.door.rows(mail)]


async def test_a_disabled_account_stays_shut(open_company: OpenCompany, issuer: str, visit: Visit) -> None:
    house = await open_company(issuer, **MAPPED)
    browser = visit(house)
    await browser.come("sam")
    identifier = (await browser.me())["account"]
    async with house.rooms.store.unit() as unit:
        await account.change(unit, identifier, state=AccountState.DISABLED.value)
    assert (await visit(house).come("sam")).status_code == 403


async def test_only_the_browser_that_left_comes_back_and_once(
    open_company: OpenCompany, issuer: str, visit: Visit
) -> None:
    house = await open_company(issuer, **MAPPED)
    victim, attacker = visit(house), visit(house)
    back = await sign_in_there(attacker.client, await attacker.leave(), "olga")
    assert (await victim.client.get(back)).status_code == 403, "signed in to somebody else's account"
    await victim.leave()
    assert (await victim.client.get(back)).status_code == 403
    assert await victim.me() is None
    assert (await attacker.client.get(back)).status_code == 303
    assert (await attacker.client.get(back)).status_code == 403


async def test_e13_no_page_of_another_site_signs_anybody_in_through_the_company(
    open_company: OpenCompany, issuer: str, visit: Visit
) -> None:
    house = await open_company(issuer, **MAPPED)
    browser = visit(house)
    for site in ("cross-site", "same-site"):
        asked = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate"}
        answer = await browser.client.get("/login/company?next=/stations", headers=asked)
        assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=%2Fstations"), site
        assert "set-cookie" not in answer.headers
    pressed = await browser.client.get("/login/company", headers={"Sec-Fetch-Site": "same-origin"})
    assert pressed.headers["location"].startswith(issuer)


async def test_a_company_s_sign_in_takes_the_place_of_the_one_before_and_its_cookies_are_bound(
    open_company: OpenCompany, issuer: str, visit: Visit
) -> None:
    house = await open_company(issuer, **MAPPED)
    browser = visit(house)
    await browser.come("olga")
    before = browser.client.cookies["wattkeeper"]
    await browser.come("olga")
    assert len(await house.door.rows(login)) == 1
    async with house.client(Cookie=f"wattkeeper={before}") as stale:
        assert (await stale.get("/api/v1/me")).status_code == 401
    told = (await browser.client.get("/login/company")).headers["set-cookie"].lower()
    assert all(flag in told for flag in ("; httponly", "; samesite=lax", "; path=/"))


async def test_e8_what_the_company_remembers_from_this_morning_is_no_fresh_proof(
    open_company: OpenCompany, issuer: str, visit: Visit
) -> None:
    """Whoever finds a browser open is let in by the company without a word; what matters asks it to ask again."""
    house = await open_company(issuer, oidc_role_claim="groups", oidc_roles="charge-admins=owner")
    browser = visit(house)
    await browser.come("olga")
    new = {"email": "x@example.org", "role": "support"}
    refused = await browser.client.post("/api/v1/staff/invitations", json=new)
    assert (refused.status_code, refused.json()["code"]) == (403, "proof_needed")
    page = await browser.client.get("/account/proof?next=/people")
    assert '<a class="button" href="/login/company?again=true&amp;next=/people">Sign in with Volt</a>' in page.text
    asked = await browser.leave("/login/company?again=true&next=/people")
    assert "prompt=login" in asked
    assert "max_age=0" in asked
    answer = await browser.client.get(await sign_in_there(browser.client, asked, "olga"))
    assert answer.headers["location"] == "/people"
    assert (await browser.client.post("/api/v1/staff/invitations", json=new)).status_code == 202


async def test_no_is_no_and_no_other_site_is_gone_to(open_company: OpenCompany, issuer: str, visit: Visit) -> None:
    house = await open_company(issuer, **MAPPED)
    browser = visit(house)
    leads = httpx.URL(await browser.leave("/login/company?next=//evil.example"))
    refused = await browser.client.get(f"/login/company/callback?error=access_denied&state={leads.params['state']}")
    assert refused.status_code == 403
    answer = await browser.come("olga", "/login/company?next=//evil.example")
    assert answer.headers["location"] == "/"


async def test_without_a_company_there_is_no_such_door(open_door: OpenDoor) -> None:
    house = await house_of(await open_door())
    async with house.client(Origin=ADDRESS) as client:
        for path in ("/login/company", "/login/company/callback?code=x&state=y"):
            assert (await client.get(path)).status_code == 404, path


async def test_names_are_sealed_and_subjects_pseudonyms(open_company: OpenCompany, issuer: str, visit: Visit) -> None:
    house = await open_company(issuer, **MAPPED)
    await visit(house).come("olga")
    kept = str([await house.door.rows(table) for table in (accounts, identity, login, person)]).lower()
    assert all(word not in kept for word in ("olga", PEOPLE["olga"]["email"]))


@pytest.mark.parametrize("given", [{"oidc_roles": "a=king"}, {"oidc_roles": "owner"}, {"oidc_default_role": "service"}])
async def test_roles_that_do_not_exist_are_named_at_the_start(
    open_company: OpenCompany, issuer: str, given: dict[str, str]
) -> None:
    with pytest.raises(ValueError, match="OIDC_ROLES"):
        await open_company(issuer, **given)


async def test_the_company_must_be_reached_securely(open_company: OpenCompany) -> None:
    with pytest.raises(ValueError, match="https"):
        await open_company("http://volt.example")
