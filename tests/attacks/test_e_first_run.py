"""E24: nothing to come in by stands open to strangers: no default account, no debug page, no second first link."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from sqlalchemy import func, select

from tests.conftest import OpenDoor
from tests.web.conftest import ADDRESS, PASSWORD, House, house_of
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Role
from wattkeeper.store.tables import account, api_token

ABSENT = (
    *("/metrics", "/debug", "/debug/pprof", "/_debug", "/admin", "/admin/", "/status", "/env", "/actuator", "/trace"),
    *("/.git/config", "/.git/HEAD", "/.env", "/wp-login.php", "/phpinfo.php", "/server-status", "/console"),
    *("/docs", "/redoc", "/openapi.json", "/api", "/api/v1/metrics", "/api/v1/debug", "/api/v1/admin"),
    *("/static/../settings.py", "/static/%2e%2e/app.py", "/static/manifest.json.bak", "/api/v1/docs/oauth2-redirect"),
)
DEFAULTS = ("admin", "root", "operator", "owner", "wattkeeper", "test", "demo", "user", "guest", "")
JSON = {"Origin": ADDRESS}


@pytest.fixture
def engine() -> str:
    """What stands open does not hang on the store."""
    return "sqlite"


async def test_e24_what_helps_attackers_is_not_there(house: House) -> None:
    async with house.client() as stranger:
        for path in ABSENT:
            answer = await stranger.get(path)
            assert answer.status_code in (401, 404), (path, answer.text[:200])
            assert "Traceback" not in answer.text


async def test_e24_the_api_describes_itself_only_where_that_is_wanted(open_door: OpenDoor) -> None:
    closed = await house_of(await open_door(docs=False))
    async with closed.api as api, closed.client() as stranger:
        for client in (api, stranger):
            for path in ("/api/v1/openapi.json", "/api/v1/docs"):
                assert (await client.get(path)).status_code == 404


async def test_e24_a_new_installation_has_no_account_and_no_password_that_anybody_knows(open_door: OpenDoor) -> None:
    rooms = (fresh := await house_of(await open_door())).rooms
    async with fresh.api, rooms.store.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(account)) == 0
    for name in DEFAULTS[:3]:  # the others would only take longer
        with pytest.raises(Refusal) as refused:
            await rooms.access.sign_in(name, name, "192.0.2.9")
        assert refused.value.code is Code.UNAUTHENTICATED
    async with rooms.store.read() as connection:
        names = set(await connection.scalars(select(api_token.c.name)))
    assert names == {"tests"}, "a token that nobody asked for"


async def test_e24_the_first_link_makes_one_owner_and_then_is_dead(open_door: OpenDoor) -> None:
    fresh = await house_of(await open_door())
    staff = fresh.rooms.people.staff
    older, code = await staff.make_owner_link(), await staff.make_owner_link()
    assert code and older and len(code) >= 43, "256 bits"
    sent = {"email": "ada@example.org", "name": "Ada", "password": PASSWORD}
    async with fresh.api, fresh.client(**JSON) as stranger:
        for dead in (older, "", code[:-1], code + "x", "first-owner"):
            assert (await stranger.post("/api/v1/first-owner", json=sent | {"code": dead})).status_code == 404, dead
        made = await stranger.post("/api/v1/first-owner", json=sent | {"code": code})
        assert made.status_code == 200
        second = sent | {"code": code, "email": "eve@example.org"}
        stranger.cookies.clear()
        assert (await stranger.post("/api/v1/first-owner", json=second)).status_code == 404
    assert await staff.make_owner_link() is None
    async with fresh.rooms.store.read() as connection:
        roles = list(await connection.scalars(select(account.c.role)))
    assert roles == [Role.OWNER.value]


async def test_e24_two_first_links_at_once_make_one_owner(open_door: OpenDoor) -> None:
    fresh = await house_of(await open_door())
    code = await fresh.rooms.people.staff.make_owner_link()

    async def become(name: str) -> int:
        sent = {"email": f"{name}@example.org", "name": name, "code": code}
        async with fresh.client(**JSON) as stranger:
            return (await stranger.post("/api/v1/first-owner", json=sent | {"password": None})).status_code

    statuses = await asyncio.gather(*(become(f"n{number}") for number in range(8)))
    assert sorted(statuses)[:1] == [200]
    assert statuses.count(200) == 1
    await fresh.api.aclose()


async def test_e3_who_knocks_is_no_affair_of_a_site_host(house: House) -> None:
    async with house.rooms.store.unit() as unit:
        about = {"email": "host@example.org", "name": "Host", "language": "en"}
        made = (unit, Role.SITE_HOST, about, None)
        row = await house.rooms.people.accounts.make(*made, by="test", verified=True, sites=("North",))
        cookie = await house.rooms.access.begin(unit, row, "passkey")
    async with house.client(Cookie=f"wattkeeper={cookie}") as host:
        answer: httpx.Response = await host.get("/api/v1/waiting-room")
        assert answer.status_code == 403
