"""E11, E13, E15: what browsers are told of every answer, of every cookie, of every field for a password."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from http.cookies import SimpleCookie
from pathlib import Path

import httpx
import pytest

from tests.conftest import OpenDoor
from tests.web.conftest import House, house_of
from wattkeeper.web import bundle

SECURE = "https://wattkeeper.test"
WEB = Path(bundle.__file__).parent
PASSWORD = "kuh wiese berg tal regen"
ANSWERS = (
    *("/api/v1/health", "/api/v1/me", "/api/v1/nothing", "/api/v1/openapi.json", "/api/v1/docs", "/static/nothing"),
    *(
        "/",
        "/login",
        "/nothing",
        "/app/",
        "/app/sign-in",
        "/app/nothing",
        "/app/worker.js",
        "/app/manifest.webmanifest",
    ),
    *("/oauth/authorize", "/.well-known/oauth-authorization-server", "/login/company", "/outbox"),
)


@pytest.fixture
def engine() -> str:
    """What browsers are told is not about the store."""
    return "sqlite"


@pytest.fixture
async def secure(open_door: OpenDoor) -> AsyncIterator[House]:
    """An installation that people reach by https, whose letters can be read."""
    house = await house_of(await open_door(outbox=True, public_url=SECURE))
    async with house.api:
        yield house


def browser(house: House, **headers: str) -> httpx.AsyncClient:
    """A browser on our own pages."""
    transport = httpx.ASGITransport(app=house.app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=SECURE, headers={"Origin": SECURE} | headers)


async def link(house: House) -> str:
    """The code of the newest letter."""
    people = house.rooms.people
    while await people.post.round():
        pass
    found = re.search(r"/app/link/(\S+)", (await people.mail.outbox())[0].text)
    assert found is not None
    return found[1]


async def test_e11_every_cookie_is_bound_to_the_host_and_out_of_reach_of_scripts(secure: House) -> None:
    set_cookies: list[str] = []

    async def note(answer: httpx.Response) -> None:
        set_cookies.extend(answer.headers.get_list("set-cookie"))

    async with browser(secure) as one:
        one.event_hooks["response"] = [note]
        typed = {"email": "anna@example.org", "name": "Anna", "password": PASSWORD}
        assert (await one.post("/app/sign-up", data=typed)).status_code == 200
        assert (await one.post(f"/app/link/{await link(secure)}")).status_code == 303
        assert (await one.post("/app/sign-out")).status_code == 303
        for path, name in (("/app/sign-in", "email"), ("/login", "name")):
            given = {name: "anna@example.org", "password": PASSWORD}
            assert (await one.post(path, data=given)).status_code == 303
        given = {"name": "anna@example.org", "password": PASSWORD}
        assert (await one.post("/api/v1/sign-in", json=given)).status_code == 200
        assert (await one.post("/api/v1/sign-up", json={"email": "bert@example.org"})).status_code == 202
        assert (await one.post("/language", data={"language": "de"})).status_code == 303
        assert (await one.get("/login")).headers["content-language"] == "de"
        assert (await one.post("/logout")).status_code == 303
    assert len(set_cookies) >= 8
    for told in set_cookies:
        ((name, morsel),) = SimpleCookie(told).items()
        assert name.startswith("__Host-wattkeeper"), told
        assert (morsel["secure"], morsel["httponly"], morsel["path"]) == (True, True, "/"), told
        assert morsel["samesite"].lower() == "lax", told
        assert morsel["domain"] == "", told


async def test_e11_signing_in_ends_what_this_browser_was_signed_in_with(secure: House) -> None:
    await secure.rooms.access.make_account("anna@example.org", PASSWORD)
    for path, name in (("/app/sign-in", "email"), ("/login", "name")):
        async with browser(secure) as one:
            given = {name: "anna@example.org", "password": PASSWORD}
            await one.post(path, data=given)
            before = one.cookies["__Host-wattkeeper"]
            await one.post(path, data=given)
            assert one.cookies["__Host-wattkeeper"] != before
        async with browser(secure, Cookie=f"__Host-wattkeeper={before}") as stale:
            assert (await stale.get("/api/v1/me")).status_code == 401, path


async def test_e15_every_answer_says_what_a_browser_may_do_with_it(secure: House) -> None:
    async with browser(secure) as one:
        for path in ANSWERS:
            for headers in ({}, {"Authorization": f"Bearer {secure.token}"}):
                told = (await one.get(path, headers=headers)).headers
                policy = dict(part.strip().partition(" ")[::2] for part in told["content-security-policy"].split(";"))
                for name in ("default-src", "object-src", "base-uri", "frame-ancestors"):
                    assert policy[name] == "'none'", (path, name)
                assert policy["script-src"] == "'self'", path
                assert told["x-content-type-options"] == "nosniff", path
                assert told["referrer-policy"] == "same-origin", path
                assert told["cross-origin-opener-policy"] == "same-origin", path
                assert told["cross-origin-resource-policy"] == "same-origin", path
                assert told["strict-transport-security"] == "max-age=31536000; includeSubDomains", path


async def test_e15_names_below_ours_are_left_alone_where_that_is_set(open_door: OpenDoor) -> None:
    alone = await house_of(await open_door(public_url=SECURE, https_below=False))
    async with browser(alone) as one:
        assert (await one.get("/login")).headers["strict-transport-security"] == "max-age=31536000"
    plain = await house_of(await open_door())
    assert "strict-transport-security" not in (await plain.api.get("/login")).headers


async def test_e13_no_other_site_reads_what_we_answer(secure: House) -> None:
    asked = {"Origin": "https://evil.test", "Access-Control-Request-Method": "PATCH"}
    async with browser(secure) as one:
        for path in ANSWERS:
            for method in ("GET", "OPTIONS"):
                told = await one.request(method, path, headers=asked)
                assert not [name for name in told.headers if name.startswith("access-control-")], (method, path)
                assert method == "GET" or told.status_code >= 400, path


def sources(*kinds: str) -> dict[str, str]:
    """What our pages are made of, by name."""
    return {path.name: path.read_text() for kind in kinds for path in WEB.rglob(kind) if "static" not in path.parts}


def test_e15_no_script_takes_words_for_code_or_listens_to_other_windows() -> None:
    told = sources("*.js", "*.html")
    assert len(told) > 80
    for name, text in told.items():
        for sign in ("eval(", "new Function", "document.write", "insertAdjacentHTML", "outerHTML", "postMessage"):
            assert sign not in text, (name, sign)
        assert not re.search(r"\bon[a-z]+=[\"']", text), f"{name}: a script in an attribute"
        assert not re.search(r"addEventListener\(\s*[\"']message[\"']", text), name
        assert "|safe" not in text.replace(" ", ""), f"{name}: words that are not escaped"
    ours = {name for name, text in told.items() if "innerHTML" in text}
    assert ours == {"live.js", "asks.js", "forms.js"}, "these put in what the server printed, and nothing else does"


def test_e15_passwords_are_hidden_and_password_managers_help() -> None:
    fields = [
        (name, field)
        for name, text in sources("*.html").items()
        for field in re.findall(r"<input[^>]*?>", text)
        if 'name="password"' in field or 'type="password"' in field
    ]
    assert len(fields) >= 6
    for name, field in fields:
        assert 'type="password"' in field, name
        assert re.search(r'autocomplete="(current|new)-password"', field), name
        assert "maxlength" not in field.partition('type="password"')[2].partition("{%")[0], name
    assert all("paste" not in text for text in sources("*.js").values())
