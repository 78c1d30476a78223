"""E5, E10, E11, E13: what comes through the wrong door: a token as a cookie, an app where a person is asked."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.conftest import OpenDoor
from tests.web.conftest import ADDRESS, PASSWORD, House, house_of
from tests.web.partner import AUTHORIZE, agree, owner, person, query_of, register
from wattkeeper.store.people import proof
from wattkeeper.store.tables import app_grant, secret_link

ANNA = "anna@example.org"
VERIFIER = "v" * 43


@pytest.fixture
def engine() -> str:
    """Not about the store: one engine is enough."""
    return "sqlite"


@pytest.fixture
async def house(open_door: OpenDoor) -> House:
    """Both doors, at an address that people type; letters are shown."""
    return await house_of(await open_door(public_url=ADDRESS, outbox=True))


async def test_e11_an_apps_token_is_no_cookie_however_soon_after_its_use(house: House) -> None:
    """Else an app lets itself in once more, and stays when its person ends it."""
    app, anna = await register(house), await person(house)
    token = (await app.let_in(anna))["access_token"]
    async with app.client("account:read") as client:
        address, _ = client.create_authorization_url(f"{ADDRESS}{AUTHORIZE}", code_verifier=VERIFIER)
    async with house.client(Cookie=f"wattkeeper={token}", Origin=ADDRESS) as forged:
        assert await app.status(token) == 200
        assert (await forged.get("/api/v1/me")).status_code == 401
        assert await app.status(token) == 200
        assert (await forged.get(address)).headers["location"].startswith("/app/sign-in")
    assert len(await house.door.rows(app_grant)) == 1


async def test_e13_a_cookie_is_no_token_however_soon_after_its_use(house: House) -> None:
    anna = await person(house)
    cookie = anna.headers["Cookie"].partition("=")[2]
    assert (await anna.get("/api/v1/me")).status_code == 200
    async with house.client(Authorization=f"Bearer {cookie}") as forged:
        assert (await forged.get("/api/v1/me")).status_code == 401


async def test_e8_an_app_proves_nothing_for_its_person_and_tries_nothing_out(house: House) -> None:
    app, anna = await register(house), await person(house)
    async with app.client("account:read account:write") as client:
        address, _ = client.create_authorization_url(f"{ADDRESS}{AUTHORIZE}", code_verifier=VERIFIER)
    code = query_of(await agree(anna, address))["code"]
    tokens = (await app.ask(grant_type="authorization_code", code=code, code_verifier=VERIFIER)).json()
    before = len(await house.door.rows(secret_link))
    async with house.client(Authorization=f"Bearer {tokens['access_token']}") as it:
        for path, body in (
            ("password", {"password": PASSWORD}),
            ("password", {"password": "wrong"}),
            ("totp", {"code": "000000"}),
            ("recovery-code", {"code": "00000-00000"}),
            ("passkey/options", None),
        ):
            answer = await it.post(f"/api/v1/account/proof/{path}", json=body)
            assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), path
    assert len(await house.door.rows(secret_link)) == before


async def test_e8_an_app_is_registered_with_a_fresh_proof_alone(house: House) -> None:
    boss = await owner(house)
    new = {"name": "Volt", "redirects": ["https://volt.example/back"]}
    assert (await boss.post("/api/v1/app-clients", json=new)).status_code == 201
    async with house.rooms.store.unit() as unit:
        await proof.make_stale(unit, (await boss.get("/api/v1/me")).json()["account"], "")
    house.rooms.access.forget()
    late = await boss.post("/api/v1/app-clients", json=new)
    assert (late.status_code, late.json()["code"]) == (403, "proof_needed")


async def link_of(house: House) -> str:
    """The code of the newest link to Anna."""
    people = house.rooms.people
    while await people.post.round():
        pass
    texts = [one.text for one in await people.mail.outbox() if one.to == ANNA]
    return next(found.group(1) for text in texts if (found := re.search(r"/app/link/(\S+)", text)))


async def signs_in(house: House, password: str) -> int:
    """What a password opens."""
    async with house.client(Origin=ADDRESS) as browser:
        answer = await browser.post("/api/v1/sign-in", json={"name": ANNA, "password": password})
        return answer.status_code


@pytest.mark.parametrize("form", [True, False], ids=["pages", "api"])
async def test_e5_a_sign_up_in_my_name_does_not_set_my_password(house: House, form: bool) -> None:
    async with house.client(Origin=ADDRESS) as thief, house.client(Origin=ADDRESS) as anna:
        about = {"email": ANNA, "name": "Anna", "password": PASSWORD}
        for browser in (thief, anna):
            if form:
                await browser.post("/app/sign-up", data=about | {"password": PASSWORD if browser is thief else ""})
            else:
                await browser.post("/api/v1/sign-up", json=about | {"password": PASSWORD if browser is thief else None})
            if browser is thief:
                link = await link_of(house)
        opened = await (anna.post(f"/app/link/{link}") if form else anna.post("/api/v1/verify", json={"code": link}))
        assert opened.status_code in (200, 303)
        assert (await anna.get("/api/v1/account")).json()["has_password"] is False
    assert await signs_in(house, PASSWORD) == 401


@pytest.mark.parametrize("form", [True, False], ids=["pages", "api"])
async def test_who_signs_up_and_opens_the_link_in_one_browser_has_the_password(house: House, form: bool) -> None:
    async with house.client(Origin=ADDRESS) as anna:
        about = {"email": ANNA, "name": "Anna", "password": PASSWORD}
        await (anna.post("/app/sign-up", data=about) if form else anna.post("/api/v1/sign-up", json=about))
        link = await link_of(house)
        await (anna.post(f"/app/link/{link}") if form else anna.post("/api/v1/verify", json={"code": link}))
    assert await signs_in(house, PASSWORD) == 200


# --- every form -----------------------------------------------------------------------------------------

FORGED: dict[str, dict[str, str]] = {
    "cross-site": {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.test"},
    "sub-domain": {"Sec-Fetch-Site": "same-site", "Origin": "http://evil.wattkeeper.test"},
    "no metadata": {"Origin": "https://evil.test"},
    "sandboxed": {"Origin": "null"},
    "sandboxed, no host": {"Origin": "null", "Host": ""},
    "nothing": {},
    "our name within": {"Origin": "http://wattkeeper.test.evil.test"},
    "userinfo": {"Origin": "http://wattkeeper.test@evil.test"},
    "lying origin": {"Sec-Fetch-Site": "cross-site", "Origin": ADDRESS},
}


def routes(router: Any) -> Iterator[Any]:
    """Every route, those of routers within included."""
    for route in router.routes:
        within = getattr(route, "original_router", None)
        yield from routes(within) if within is not None else [route]


def forms(house: House) -> list[str]:
    """Every address of a page that takes a form."""
    taking = (one for one in routes(house.app) if "POST" in (getattr(one, "methods", None) or ()))
    found = [one.path for one in taking if not one.include_in_schema]
    pages = {re.sub(r"\{[^}]*\}", "x", path) for path in found}
    return sorted(pages - {"/oauth/token", "/oauth/revoke"})


async def test_e13_no_form_of_another_site_does_anything(house: House) -> None:
    boss, anna = await owner(house), await person(house)
    paths = forms(house)
    assert len(paths) > 40
    for someone, way in itertools.product((boss, anna), FORGED):
        async with house.client(Cookie=someone.headers["Cookie"], **FORGED[way]) as forged:
            for path in paths:
                answer = await forged.post(path, data={"next": "/"})
                known = (403,) if "/x" not in path else (403, 404)  # some are only for ids that look like one
                assert answer.status_code in known, (way, path, answer.status_code)
                assert "set-cookie" not in answer.headers, (way, path)
    assert (await boss.get("/api/v1/me")).status_code == (await anna.get("/api/v1/me")).status_code == 200


@pytest.mark.parametrize(
    "next",
    [
        *("//evil.test", "/\\evil.test", "/\t/evil.test", "\\\\evil.test", "https://evil.test", "javascript:alert(1)"),
        *("/%2f%2fevil.test\r\nSet-Cookie: a=b", " //evil.test", "/\u2028/evil.test", "http:evil.test", "///evil.test"),
        *("/app//evil.test", "/app/\\evil.test", "/oauth/..//evil.test"),
    ],
)
async def test_e13_signing_in_leads_nowhere_else(house: House, next: str) -> None:
    anna, boss = await person(house), await owner(house)
    for someone, door in ((boss, "/login"), (anna, "/app/sign-in")):
        answer = await someone.get(door, params={"next": next})
        where = httpx.URL(ADDRESS).join(answer.headers["location"])
        assert (where.host, where.scheme) == ("wattkeeper.test", "http"), next
        assert not answer.headers["location"].startswith(("//", "/\\")), next


@pytest.mark.parametrize(
    "redirect",
    [
        *("https://volt.example./back", "https://volt.example@evil.test/back", "https://volt.example\\@evil.test/back"),
        *(
            "https://volt.example/back/",
            "https://volt.example/back/..",
            "https://volt.example/back%2f",
            "https://evil.test",
        ),
        *(
            "https://volt.example/back?x=1",
            "https://volt.example/back#x",
            "HTTPS://volt.example/back",
            "//volt.example/back",
        ),
        *("http://127.0.0.1@evil.test/back", "http://127.0.0.1.evil.test/back", "http://localhost/back", ""),
        *("https://volt.example:443/back", "https://\uff56olt.example/back", " https://volt.example/back"),
    ],
)
async def test_e13_no_consent_leads_where_an_app_is_not_registered(house: House, redirect: str) -> None:
    app, anna = await register(house, "https://volt.example/back"), await person(house)
    given = {
        "response_type": "code",
        "client_id": app.id,
        "redirect_uri": redirect,
        "scope": "account:read",
        "code_challenge": "a" * 43,
        "code_challenge_method": "S256",
    }
    shown = await anna.get(AUTHORIZE, params=given)
    assert (shown.status_code, "location" in shown.headers) == (422, False)
    for answer in ("allow", "deny"):
        sent = await anna.post(AUTHORIZE, data=given | {"answer": answer})
        assert (sent.status_code, "location" in sent.headers) == (422, False)


async def test_e13_no_link_does_anything_by_being_looked_at(house: House) -> None:
    """Programs that look through mail open every link."""
    async with house.client(Origin=ADDRESS) as anna:
        await anna.post("/api/v1/sign-up", json={"email": ANNA, "name": "Anna", "password": PASSWORD})
        link = await link_of(house)
        for _ in range(2):
            for path in (f"/app/link/{link}", f"/login/link/{link}", f"/invitation/{link}", f"/first-owner/{link}"):
                looked = await anna.get(path)
                assert "set-cookie" not in looked.headers
                assert (await anna.head(path)).status_code in (200, 404, 405)
        assert (await anna.post("/api/v1/verify", json={"code": link})).status_code == 200
