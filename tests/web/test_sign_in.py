"""Signing up and in over HTTP, and looking after one's account: cookies, refusals, and what other sites may."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pyotp
import pytest
from starlette.requests import Request

from tests.conftest import OpenDoor
from tests.operations.people import Authenticator
from tests.web.conftest import ADDRESS, House, house_of
from wattkeeper.web.device import device_of

PASSWORD = "kuh wiese berg tal regen"
ANNA = "anna@example.org"
HERE = {"Origin": ADDRESS}


@dataclass(slots=True)
class Street:
    """A house whose letters can be read, and somebody's browser in front of it."""

    house: House
    browser: httpx.AsyncClient

    async def post(self, path: str, status: int = 200, **body: object) -> httpx.Response:
        """Send JSON as our own pages do."""
        answer = await self.browser.post(f"/api/v1{path}", json=body)
        assert answer.status_code == status, answer.text
        return answer

    async def link(self, to: str = ANNA) -> str:
        """The code of the newest link in a mailbox."""
        people = self.house.rooms.people
        while await people.post.round():
            pass
        letters = [one.text for one in await people.mail.outbox() if one.to == to]
        return next(found.group(1) for text in letters if (found := re.search(r"/app/link/(\S+)", text)))

    async def sign_up(self, email: str = ANNA, password: str | None = PASSWORD) -> None:
        """Somebody with an account, signed in."""
        await self.post("/sign-up", 202, email=email, name="Anna", password=password)
        await self.post("/verify", code=await self.link(email))


@pytest.fixture
def engine() -> str:
    """Not about the store: one engine is enough."""
    return "sqlite"


@pytest.fixture
async def street(open_door: OpenDoor) -> AsyncIterator[Street]:
    """An installation at its public address, whose letters are shown."""
    house = await house_of(await open_door(outbox=True, public_url=ADDRESS))
    async with house.client(**HERE) as browser, house.api:
        yield Street(house, browser)


async def test_a_driver_signs_up_in_and_out(street: Street) -> None:
    await street.sign_up()
    told = (await street.browser.get("/api/v1/account")).json()
    assert (told["email"], told["name"], told["role"], told["has_password"]) == (ANNA, "Anna", "driver", True)
    before = street.browser.cookies["wattkeeper"]
    assert (await street.post("/sign-in", name=ANNA, password=PASSWORD)).json() == {"missing": []}
    assert street.browser.cookies["wattkeeper"] != before
    stale = street.house.client(Cookie=f"wattkeeper={before}")
    assert (await stale.get("/api/v1/account")).status_code == 401
    await street.post("/sign-out", 204)
    assert (await street.browser.get("/api/v1/account")).status_code == 401


async def test_a_code_app_and_recovery_codes_over_the_api(street: Street) -> None:
    await street.sign_up()
    setup = (await street.post("/account/totp", 201)).json()
    assert setup["uri"].startswith("otpauth://totp/Wattkeeper:")
    app = pyotp.TOTP(setup["secret"])
    codes = (await street.post("/account/totp/confirm", code=app.now())).json()["codes"]
    assert len(codes) == 10
    assert (await street.browser.get("/api/v1/account/proof")).json()["with"] == ["totp", "recovery_code"]
    half = await street.post("/sign-in", name=ANNA, password=PASSWORD)
    assert half.json() == {"missing": ["totp", "recovery_code"]}
    assert (await street.browser.get("/api/v1/account")).status_code == 401
    assert (await street.browser.get("/api/v1/sign-in")).json() == half.json()
    await street.post("/sign-in/totp", 401, code="000000")
    assert (await street.post("/sign-in/recovery-code", code=codes[0])).json() == {"missing": []}
    assert (await street.browser.get("/api/v1/account/recovery-codes")).json() == {"left": 9}
    assert len((await street.post("/account/recovery-codes", 201)).json()["codes"]) == 10
    assert (await street.browser.delete("/api/v1/account/totp")).status_code == 204
    assert (await street.browser.get("/api/v1/account")).json()["recovery_codes"] == 0


async def test_passkeys_over_the_api(street: Street) -> None:
    await street.sign_up(password=None)
    key = Authenticator(ADDRESS, ADDRESS.removeprefix("http://"))
    options = (await street.post("/account/passkeys/options")).json()
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["authenticatorSelection"]["residentKey"] == "required"
    made = await street.post("/account/passkeys", 201, credential=key.create(options), label="Phone")
    assert len(made.json()["codes"]) == 10
    await street.post("/sign-out", 204)
    options = (await street.post("/sign-in/passkey/options")).json()
    assert (options["userVerification"], options["allowCredentials"]) == ("required", [])
    await street.post("/sign-in/passkey", credential=key.get(options))
    kept = (await street.browser.get("/api/v1/account/passkeys")).json()["items"]
    assert [one["label"] for one in kept] == ["Phone"]
    place = f"/api/v1/account/passkeys/{kept[0]['id']}"
    assert (await street.browser.patch(place, json={"label": "Old phone"})).status_code == 204
    before = street.browser.cookies["wattkeeper"]
    options = (await street.post("/account/proof/passkey/options")).json()
    assert len(options["allowCredentials"]) == 1
    await street.post("/account/proof/passkey", 204, credential=key.get(options))
    assert street.browser.cookies["wattkeeper"] != before
    assert (await street.browser.delete(place)).status_code == 204
    assert (await street.browser.get("/api/v1/account/passkeys")).json() == {"items": []}


async def test_account_name_password_and_sign_ins_over_the_api(street: Street) -> None:
    await street.sign_up()
    changes = {"name": "Anna B", "password": "berg tal regen kuh wiese", "email": "b@example.org"}
    assert (await street.browser.patch("/api/v1/account", json=changes)).json()["name"] == "Anna B"
    logins = (await street.browser.get("/api/v1/account/logins")).json()["items"]
    assert [(one["current"], one["how"]) for one in logins] == [(True, "mail")]
    assert (await street.browser.delete("/api/v1/account/logins")).json() == {"ended": 0}
    await street.post("/verify", code=await street.link("b@example.org"))
    assert (await street.browser.get("/api/v1/account")).json()["email"] == "b@example.org"
    without = await street.browser.patch("/api/v1/account", json={"password": None})
    assert (without.status_code, without.json()["code"]) == (409, "conflict")


async def test_a_new_address_counts_where_its_owner_is_signed_in(street: Street) -> None:
    await street.sign_up()
    new = "anna@new.example"
    assert (await street.browser.patch("/api/v1/account", json={"email": new})).status_code == 200
    code = await street.link(new)
    async with street.house.client(**HERE) as stranger:
        assert (await stranger.post("/api/v1/verify", json={"code": code})).status_code == 401
        for door, path in (("/app/sign-in", "/app/link"), ("/login", "/login/link")):
            opened = await stranger.post(f"{path}/{code}")
            assert (opened.status_code, opened.headers["location"]) == (303, f"{door}?next={path}/{code}")
            assert "set-cookie" not in opened.headers
        signed_in = {"email": ANNA, "password": PASSWORD, "next": f"/app/link/{code}"}
        assert (await stranger.post("/app/sign-in", data=signed_in)).headers["location"] == f"/app/link/{code}"
        assert (await street.browser.get("/api/v1/account")).json()["email"] == ANNA
    opened = await street.browser.post(f"/app/link/{code}")
    assert opened.headers["location"].startswith("/app/welcome")
    assert (await street.browser.get("/api/v1/account")).json()["email"] == new


async def test_recovery_and_proof_by_password_over_the_api(street: Street) -> None:
    await street.sign_up()
    await street.post("/sign-out", 204)
    await street.post("/recover", 202, email=ANNA)
    await street.post("/recover/finish", code=await street.link())
    await street.post("/account/proof/password", 401, password="wrong")
    await street.post("/account/proof/password", 204, password=PASSWORD)


async def test_the_first_owner_and_an_invitation_over_the_api(street: Street) -> None:
    people = street.house.rooms.people
    code = await people.staff.make_owner_link()
    await street.post("/first-owner", 404, code="x" * 43, email="o@example.org")
    await street.post("/first-owner", code=code, email="o@example.org", name="Olga", password=PASSWORD)
    assert (await street.browser.get("/api/v1/me")).json()["role"] == "owner"
    await street.post("/first-owner", 404, code=code, email="p@example.org")
    await street.post("/invitation/accept", 404, code="x" * 43)


OPEN = ("sign-up", "verify", "sign-in", "recover", "recover/finish", "first-owner", "invitation/accept")
DOORS = (*OPEN, "sign-in/totp", "sign-in/recovery-code", "sign-in/passkey", "sign-in/passkey/options", "sign-out")


SITES = ({"Origin": "https://attacker.test"}, {"Origin": "null"}, {"Sec-Fetch-Site": "same-site"})
BODIES: tuple[dict[str, Any], ...] = ({"json": {}}, {"content": "{}", "headers": {"Content-Type": "text/plain"}})


async def test_e13_no_other_site_s_page_signs_anybody_in_or_out(street: Street) -> None:
    for headers in SITES:
        async with street.house.client(**headers) as foreign:
            for path in DOORS:
                for body in BODIES:
                    answer = await foreign.post(f"/api/v1/{path}", **body)
                    assert (answer.status_code, path) == (403, path)
                    assert "set-cookie" not in answer.headers


async def test_members_that_are_not_described_are_refused(street: Street) -> None:
    for path in OPEN:
        answer = await street.browser.post(f"/api/v1/{path}", json={"role": "owner", "isAdmin": True})
        assert answer.status_code == 422
        assert "There is no such member here." in answer.text


async def test_e11_the_cookie_is_bound_to_the_host_where_people_come_by_https(open_door: OpenDoor) -> None:
    house = await house_of(await open_door(outbox=True, public_url="https://wattkeeper.test"))
    street = Street(house, house.client(Origin="https://wattkeeper.test"))
    await street.post("/sign-up", 202, email=ANNA)
    answer = await street.post("/verify", code=await street.link())
    cookie = answer.headers["set-cookie"].lower()
    assert cookie.startswith("__host-wattkeeper=")
    assert all(flag in cookie for flag in ("; secure", "; httponly", "; samesite=lax", "; path=/"))
    assert "domain" not in cookie


async def test_e11_a_cookie_that_an_attacker_planted_is_never_signed_in(street: Street) -> None:
    street.browser.cookies.set("wattkeeper", "planted", domain="wattkeeper.test")
    await street.sign_up()
    planted = street.house.client(Cookie="wattkeeper=planted")
    assert (await planted.get("/api/v1/account")).status_code == 401


async def test_e5_the_same_answer_for_known_and_unknown(street: Street) -> None:
    await street.sign_up()
    await street.post("/sign-out", 204)
    asked: list[tuple[str, dict[str, str]]] = [
        ("/sign-in", {"password": "a wrong password"}),
        ("/recover", {}),
        ("/sign-up", {"password": PASSWORD}),
    ]
    for path, more in asked:
        member = "name" if path == "/sign-in" else "email"
        answers = [
            await street.browser.post(f"/api/v1{path}", json={member: name, **more})
            for name in (ANNA, "nobody@example.org")
        ]
        told = [(one.status_code, one.content, sorted(one.headers.items())) for one in answers]
        assert told[0] == told[1], path
    options = [(await street.post("/sign-in/passkey/options")).json() for _ in range(2)]
    assert len({one.pop("challenge") for one in options}) == 2
    assert options[0] == options[1]


async def test_a_stranger_s_half_open_door_tells_nothing(street: Street) -> None:
    assert (await street.browser.get("/api/v1/sign-in")).json() == {"missing": []}
    for path in ("/sign-in/totp", "/sign-in/recovery-code"):
        await street.post(path, 401, code="000000")
    for path in ("/account", "/account/passkeys", "/account/logins", "/account/proof"):
        assert (await street.browser.get(f"/api/v1{path}")).status_code == 401


async def test_a_program_s_token_has_no_account_to_look_after(street: Street) -> None:
    assert (await street.house.api.get("/api/v1/account")).status_code == 403
    assert (await street.house.api.post("/api/v1/account/totp")).status_code == 403


async def test_the_outbox_shows_letters_in_a_demonstration_and_nowhere_else(
    street: Street, open_door: OpenDoor
) -> None:
    await street.post("/sign-up", 202, email=ANNA, name="<img src=x onerror=alert(1)>")
    code = await street.link()
    page = await street.browser.get("/outbox")
    assert page.status_code == 200
    assert f'<a href="{ADDRESS}/app/link/{code}">' in page.text
    assert "<img src=x" not in page.text
    for given in ({"outbox": False}, {"outbox": True, "mail_host": "mail.example.org"}):
        house = await house_of(await open_door(**given))
        async with house.client() as browser:
            assert (await browser.get("/outbox")).status_code == 404


CHROME = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Mobile Safari/537.36"
EDGE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/120.0 Safari/537.36 Edg/120.0"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Version/17.0 Mobile Safari/604.1"


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (CHROME, "Chrome, Android"),
        (EDGE, "Edge, Windows"),
        (PHONE, "Safari, iPhone"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0", "Firefox, Linux"),
        ("curl/8", "a program"),
        ("<script>" * 100_000, "a program"),
    ],
    ids=["chrome", "edge", "safari", "firefox", "curl", "hostile"],
)
def test_a_device_in_words(told: str, words: str) -> None:
    scope = {"type": "http", "headers": [(b"user-agent", told.encode())]}
    assert device_of(Request(scope)) == words
