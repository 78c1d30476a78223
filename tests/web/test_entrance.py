"""Who gets in at the API: tokens, scopes, cookies, forged requests, and what every answer carries."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from itertools import product

import httpx
import pytest

from tests.conftest import OpenDoor
from tests.web.conftest import ADDRESS, PASSWORD, House, house_of
from wattkeeper.charging.person import PROGRAMS, Scope

EVERY_GET = ("me", "stations", "stations/CP1", "waiting-room", "sessions", "cards", "orders", "events", "nothing")


@pytest.fixture
def engine() -> str:
    """Who gets in is decided above the store."""
    return "sqlite"


async def test_nobody_gets_in_unknown(house: House) -> None:
    wrong = ("Bearer wk_" + "A" * 43, "Bearer ", "Bearer \x7f", "Bearer wk_ä")
    given = (None, *wrong, f"Basic {house.token}", house.token)
    for path, authorization in product(EVERY_GET, given):
        headers = {} if authorization is None else {b"Authorization": authorization.encode()}
        async with house.client() as stranger:
            answer = await stranger.get(f"/api/v1/{path}", headers=headers)
        assert answer.status_code == 401, authorization
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.json()["code"] == "unauthenticated"


async def test_who_it_is_comes_before_what_it_sends(house: House) -> None:
    async with house.client() as stranger:
        for body in (b"{", b"[" * 100_000, b"\xff" * 2_000_000):
            answer = await stranger.post("/api/v1/cards", content=body, headers={"Content-Type": "application/json"})
            assert answer.status_code == 401


async def test_health_and_the_description_are_for_anyone(house: House) -> None:
    async with house.client() as stranger:
        assert (await stranger.get("/api/v1/health")).json() == {"status": "ok"}
        described = (await stranger.get("/api/v1/openapi.json")).json()
        assert described["openapi"].startswith("3.1")
        page = await stranger.get("/api/v1/docs")
    assert "/api/v1/sessions/{session}/timeline" in described["paths"]
    assert page.headers["content-type"].startswith("text/html")
    assert "/api/v1/sessions/{session}/timeline" in page.text
    assert "<script" not in page.text


async def test_the_description_can_be_kept_back(open_door: OpenDoor) -> None:
    closed = await house_of(await open_door(docs=False))
    for path in ("openapi.json", "docs"):
        assert (await closed.api.get(f"/api/v1/{path}")).status_code == 404


async def test_each_scope_opens_its_own_and_nothing_else(house: House) -> None:
    needs = {
        "stations": Scope.STATIONS_READ,
        "waiting-room": Scope.STATIONS_READ,
        "sessions": Scope.SESSIONS_READ,
        "cards": Scope.CARDS_READ,
        "orders": Scope.ORDERS_READ,
    }
    for scope in PROGRAMS:
        async with await house.with_scopes(scope) as client:
            for path, needed in needs.items():
                answer = await client.get(f"/api/v1/{path}")
                assert answer.status_code == (200 if scope is needed else 403), (scope, path)
            assert (await client.get("/api/v1/me")).json()["scopes"] == [scope.value]


async def test_what_changes_needs_its_scope(house: House) -> None:
    readers = [scope for scope in PROGRAMS if scope.value.endswith(":read")]
    deeds = {
        "stations": {"id": "CP9"},
        "stations/CP1/key": {},
        "cards": {"number": "04A2B97F"},
        "stations/CP1/orders": {"order": "reset"},
        "stations/CP1/ocpp/ClearCache": {},
        "sessions/0000-0000-0/close": {"reason": "x"},
        "waiting-room/CP9/admit": {},
        "waiting-room/CP9/dismiss": {},
    }
    async with await house.with_scopes(*readers) as client:
        for path, body in deeds.items():
            assert (await client.post(f"/api/v1/{path}", json=body)).status_code == 403, path
        assert (await client.delete("/api/v1/stations/CP1")).status_code == 403
        assert (await client.patch("/api/v1/stations/CP1", json={"label": "x"})).status_code == 403


async def test_a_revoked_token_is_dead_within_a_second(house: House) -> None:
    assert (await house.api.get("/api/v1/me")).status_code == 200
    (token,) = await house.rooms.access.tokens()
    await house.rooms.access.revoke_token(token.id)
    assert (await house.api.get("/api/v1/me")).status_code == 401


async def test_an_expired_token_is_dead(house: House) -> None:
    expires_at = house.rooms.store.clock() + timedelta(milliseconds=300)
    token = await house.rooms.access.make_token("short", PROGRAMS, expires_at)
    async with house.client(Authorization=f"Bearer {token}") as client:
        assert (await client.get("/api/v1/me")).status_code == 200
        ends = time.monotonic() + 30
        while (await client.get("/api/v1/me")).status_code != 401:
            assert time.monotonic() < ends, "an expired token still opens"
            await asyncio.sleep(0.1)


async def signed_in(house: House) -> httpx.AsyncClient:
    """A browser that is signed in."""
    await house.rooms.access.make_account("anna", PASSWORD)
    cookie = await house.rooms.access.sign_in("anna", PASSWORD, "192.0.2.1")
    return house.client(Cookie=f"wattkeeper={cookie}")


async def test_a_cookie_opens_for_reading(house: House) -> None:
    async with await signed_in(house) as browser:
        me = (await browser.get("/api/v1/me")).json()
        assert (me["name"], me["role"]) == ("anna", "owner")
        assert (await browser.get("/api/v1/sessions")).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.test"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": ADDRESS},
        {"Sec-Fetch-Site": "cross-site", "Origin": ADDRESS},
    ],
)
async def test_a_cookie_changes_nothing_from_elsewhere(house: House, headers: dict[str, str]) -> None:
    async with await signed_in(house) as browser:
        for kind in ("application/json", "text/plain", "application/x-www-form-urlencoded"):
            sent = headers | {"Content-Type": kind}
            answer = await browser.post("/api/v1/stations", content=b'{"id": "CP9"}', headers=sent)
            assert answer.status_code == 403, kind
    assert (await house.api.get("/api/v1/stations/CP9")).status_code == 404


@pytest.mark.parametrize("headers", [{"Origin": ADDRESS}, {"Sec-Fetch-Site": "same-origin", "Origin": ADDRESS}])
async def test_a_cookie_changes_from_our_own_pages(house: House, headers: dict[str, str]) -> None:
    async with await signed_in(house) as browser:
        answer = await browser.post("/api/v1/stations", json={"id": "CP9"}, headers=headers)
    assert answer.status_code == 201


async def test_a_token_beside_a_cookie_decides(house: House) -> None:
    async with await signed_in(house) as browser:
        answer = await browser.get("/api/v1/me", headers={"Authorization": "Bearer wk_wrong"})
    assert answer.status_code == 401


async def test_every_answer_says_what_a_browser_may_do_with_it(house: House) -> None:
    for path in ("/api/v1/me", "/api/v1/nothing", "/api/v1/openapi.json", "/static/nothing", "/login", "/nothing"):
        headers = (await house.api.get(path)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy, path
        assert "unsafe" not in policy, path
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["referrer-policy"] == "same-origin", path


async def test_unknown_methods_are_told_which_are_known(house: House) -> None:
    answer = await house.api.put("/api/v1/stations/CP1")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "DELETE, GET, PATCH"
    assert answer.json()["code"] == "method_not_allowed"


async def test_no_address_leads_elsewhere(house: House) -> None:
    for path in ("/api/v1/stations/", "/api/v1//stations", "/api/v1/"):
        answer = await house.api.get(path, headers={"Host": "evil.test"})
        assert answer.status_code == 404, path
