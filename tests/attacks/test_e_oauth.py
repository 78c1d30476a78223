"""Attacks on what apps hold: codes and refresh tokens that come twice, and tokens that outlive their reason."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx
import pytest

from tests.conftest import OpenDoor
from tests.web.conftest import ADDRESS, PASSWORD, House, house_of
from tests.web.partner import AUTHORIZE, TOKEN, App, agree, owner, person, query_of, register
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Role
from wattkeeper.store.people import account, oauth
from wattkeeper.store.people.account import AccountState
from wattkeeper.store.tables import app_grant

VERIFIER = "v" * 43


@pytest.fixture
async def house(open_door: OpenDoor) -> House:
    """Both doors, at an address that people type."""
    return await house_of(await open_door(public_url=ADDRESS))


async def code_of(app: App, someone: httpx.AsyncClient) -> str:
    """A code that the person agreed to, for VERIFIER."""
    async with app.client("sessions:read account:read") as client:
        address, _ = client.create_authorization_url(f"{ADDRESS}{AUTHORIZE}", code_verifier=VERIFIER)
    return query_of(await agree(someone, address))["code"]


async def exchange(app: App, code: str) -> httpx.Response:
    """Show a code."""
    return await app.ask(grant_type="authorization_code", code=code, code_verifier=VERIFIER)


async def letters(house: House, someone: httpx.AsyncClient) -> list[str]:
    """The titles of the person's notices."""
    told = (await someone.get("/api/v1/notices")).json()
    return [one["title"] for one in told["items"]]


TWICE = "The access of an app was ended"


async def test_e12_a_refresh_token_used_twice_ends_the_family_and_its_owner_is_told(house: House) -> None:
    app, anna = await register(house), await person(house)
    first = await app.let_in(anna)
    second = (await app.refresh(first["refresh_token"])).json()
    assert await app.status(second["access_token"]) == 200
    assert (await app.refresh(first["refresh_token"])).json()["error"] == "invalid_grant"
    assert await app.status(first["access_token"]) == 401
    assert await app.status(second["access_token"]) == 401
    assert (await app.refresh(second["refresh_token"])).json()["error"] == "invalid_grant"
    assert await letters(house, anna) == [TWICE]
    (grant,) = await house.door.rows(app_grant)
    assert grant.ended_why == "refresh_twice"


async def test_e12_refreshed_in_parallel_one_wins_and_then_nobody(house: House) -> None:
    app, anna = await register(house), await person(house)
    first = await app.let_in(anna)
    answers = await asyncio.gather(*(app.refresh(first["refresh_token"]) for _ in range(8)))
    won = [answer.json() for answer in answers if answer.status_code == 200]
    assert len(won) == 1
    assert {answer.json()["error"] for answer in answers if answer.status_code != 200} == {"invalid_grant"}
    assert await app.status(won[0]["access_token"]) == 401
    assert (await app.refresh(won[0]["refresh_token"])).json()["error"] == "invalid_grant"
    assert await letters(house, anna) == [TWICE], "the owner is told once"


async def test_e12_a_code_used_twice_or_in_parallel_ends_what_it_opened(house: House) -> None:
    app, anna = await register(house), await person(house)
    code = await code_of(app, anna)
    tokens = (await exchange(app, code)).json()
    assert await app.status(tokens["access_token"]) == 200
    assert (await exchange(app, code)).json()["error"] == "invalid_grant"
    assert await app.status(tokens["access_token"]) == 401
    code = await code_of(app, anna)
    answers = await asyncio.gather(*(exchange(app, code) for _ in range(8)))
    won = [answer.json() for answer in answers if answer.status_code == 200]
    assert len(won) == 1
    assert await app.status(won[0]["access_token"]) == 401
    assert await letters(house, anna) == [TWICE, TWICE]


async def test_e12_a_refresh_token_is_dead_after_a_change_of_password(house: House) -> None:
    app, anna = await register(house), await person(house)
    tokens, waiting = await app.let_in(anna), await code_of(app, anna)
    changed = await anna.patch("/api/v1/account", json={"password": "another horse, another battery"})
    assert changed.status_code < 300, changed.text
    assert await app.status(tokens["access_token"]) == 401
    assert (await app.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"
    assert (await exchange(app, waiting)).json()["error"] == "invalid_grant"


async def test_e12_an_operator_who_sets_a_password_ends_the_apps_too(house: House) -> None:
    app, anna = await register(house), await person(house)
    tokens = await app.let_in(anna)
    await house.rooms.access.make_account("anna@example.org", PASSWORD + "!", Role.DRIVER)
    assert await app.status(tokens["access_token"]) == 401
    assert (await app.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"


async def test_e12_a_disabled_account_is_closed_to_apps_within_a_second(house: House) -> None:
    app, anna = await register(house), await person(house)
    tokens, waiting = await app.let_in(anna), await code_of(app, anna)
    (grant,) = await house.door.rows(app_grant)
    assert await app.status(tokens["access_token"]) == 200
    async with house.rooms.store.unit() as unit:
        await account.change(unit, grant.account_id, state=AccountState.DISABLED.value)
    ends = time.monotonic() + 1 + PATIENCE_S
    while await app.status(tokens["access_token"]) != 401:
        assert time.monotonic() < ends, "a disabled account is still open"
        await asyncio.sleep(0.1)
    assert (await app.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"
    assert (await exchange(app, waiting)).json()["error"] == "invalid_grant"


PATIENCE_S = 30
"""For machines that are shared; what is remembered of a viewer lasts half a second."""


async def test_e12_staff_who_are_shown_out_take_their_apps_along(house: House) -> None:
    app, boss = await register(house), await owner(house)
    sam = await person(house, "sam", Role.OPERATOR)
    tokens = await app.let_in(sam, "stations:read")
    (grant,) = await house.door.rows(app_grant)
    change: dict[str, Any] = {"active": False}
    shown_out = await boss.patch(f"/api/v1/staff/{grant.account_id}", json=change)
    assert shown_out.status_code < 300, shown_out.text
    assert await app.status(tokens["access_token"], "stations") == 401
    back = await boss.patch(f"/api/v1/staff/{grant.account_id}", json={"active": True})
    assert back.status_code < 300, back.text
    assert await app.status(tokens["access_token"], "stations") == 401
    assert (await app.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"


async def test_e12_a_refresh_token_opens_nothing_by_itself_nor_in_a_query(house: House) -> None:
    app, anna = await register(house), await person(house)
    tokens = await app.let_in(anna)
    for token in (tokens["refresh_token"], tokens["access_token"].upper(), tokens["access_token"][:-1]):
        assert await app.status(token) == 401
    async with house.client() as client:
        assert (await client.get(f"/api/v1/me?access_token={tokens['access_token']}")).status_code == 401
        answer = await client.get(f"{TOKEN}?grant_type=refresh_token&refresh_token={tokens['refresh_token']}")
    assert answer.status_code == 405


async def test_e12_one_app_cannot_use_what_another_holds(house: House) -> None:
    app, other, anna = await register(house), await register(house, name="Other", secret=True), await person(house)
    tokens = await app.let_in(anna)
    assert (await other.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"
    assert (await app.refresh(tokens["refresh_token"])).status_code == 200, "a stranger's try ended the grant"


async def test_e12_the_ends_are_kept_with_their_reason(house: House) -> None:
    app, anna = await register(house), await person(house)
    await app.let_in(anna)
    (listed,) = (await anna.get("/api/v1/account/apps")).json()["items"]
    await anna.delete(f"/api/v1/account/apps/{listed['id']}")
    async with house.rooms.store.unit() as unit:
        grant = await oauth.grant(unit, listed["id"])
    assert grant is not None
    assert (grant.ended_why, grant.ended_at is not None) == (oauth.Ended.OWNER, True)


async def test_e12_a_sign_in_that_has_ended_lets_no_app_in(house: House) -> None:
    app, anna = await register(house), await person(house)
    viewer = await house.rooms.access.viewer_by_cookie(anna.headers["cookie"].partition("=")[2])
    assert viewer is not None, "as another process remembers it for half a second"
    async with app.client("sessions:read") as client:
        address, _ = client.create_authorization_url(f"{ADDRESS}{AUTHORIZE}", code_verifier=VERIFIER)
    client_row, redirect = await house.rooms.oauth.client_of(query_of(address))
    asked = house.rooms.oauth.asked(client_row, redirect, query_of(address))
    assert await house.rooms.oauth.allow(viewer, asked)
    assert (await anna.post("/api/v1/sign-out")).status_code == 204
    with pytest.raises(Refusal) as refusal:
        await house.rooms.oauth.allow(viewer, asked)
    assert refusal.value.code is Code.UNAUTHENTICATED


async def test_e20_a_form_of_thousands_of_fields_is_refused_in_the_words_of_apps(house: House) -> None:
    async with house.client() as client:
        for path in (TOKEN, "/oauth/revoke"):
            answer = await client.post(path, data={f"field{at}": "x" for at in range(3_000)})
            assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request"), path
