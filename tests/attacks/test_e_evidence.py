"""O4 for group E: each attack leaves exactly one security event, which names the case and nobody."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.conftest import OpenDoor
from tests.operations.people import ELSEWHERE, HOME, PASSWORD, Town, refused
from tests.web.conftest import ADDRESS, House, house_of
from tests.web.partner import person, register
from wattkeeper.charging.errors import Code
from wattkeeper.operations.people.sign_in.attempts import Attempts
from wattkeeper.operations.people.sign_in.factors import Entered
from wattkeeper.store.people import account

ANNA = "anna@example.org"
CANARY = "a guess nobody may read"


@pytest.fixture
def engine() -> str:
    """Not about the store: one engine is enough."""
    return "sqlite"


@pytest.fixture
async def town(database: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> AsyncIterator[Town]:
    """An installation of Anna's, after a restart."""
    made = await Town.build(database, tmp_path)
    await made.sign_up()
    caplog.set_level(logging.DEBUG)
    caplog.clear()
    yield made.again()
    await made.store.close()


@pytest.fixture
async def house(open_door: OpenDoor) -> House:
    """Both doors, at an address that people type."""
    return await house_of(await open_door(public_url=ADDRESS))


async def anna_s(town: Town) -> str:
    """The id of Anna's account."""
    async with town.store.read() as connection:
        row = await account.by_name(connection, town.safe.name_ref(ANNA))
    assert row is not None
    return row.id


def events(caplog: pytest.LogCaptureFixture, *canaries: str) -> list[str]:
    """The security events; no secret and nobody's address is in them, nor in any other line."""
    for canary in (ANNA, PASSWORD, CANARY, HOME, ELSEWHERE, *canaries):
        assert canary not in caplog.text, f"{canary!r} is in the log"
    return [one.getMessage() for one in caplog.records if one.name == "wattkeeper.security"]


async def test_o4_wrong_passwords_are_one_event_once_the_waits_begin(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    ticks = [0.0]
    town.access.guessing._by_account = Attempts(free=10, longest_s=900, ticks=lambda: ticks[-1])
    for _ in range(9):
        assert await refused(town.enter(CANARY, at=ELSEWHERE)) is Code.UNAUTHENTICATED
    assert events(caplog) == []
    codes = [await refused(town.enter(CANARY, at=ELSEWHERE)) for _ in range(5)]
    assert codes == [Code.UNAUTHENTICATED, *[Code.BUSY] * 4]
    for at in range(3):  # and whoever waits each time is none the more
        ticks.append(ticks[-1] + 2.0 ** (at + 1))
        assert await refused(town.enter(CANARY, at=ELSEWHERE)) is Code.UNAUTHENTICATED
    assert events(caplog) == [f"security event passwords_guessed, account {await anna_s(town)}"]


async def test_o4_many_wrong_passwords_at_once_are_one_event(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    await asyncio.gather(*(refused(town.enter(CANARY, at=ELSEWHERE)) for _ in range(20)))
    assert events(caplog) == [f"security event passwords_guessed, account {await anna_s(town)}"]


async def test_o4_an_owner_whose_tenth_try_is_right_is_no_event(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(9):
        await refused(town.enter(CANARY))
    assert (await town.enter()).is_whole
    assert events(caplog) == []


async def test_o4_one_password_sprayed_over_names_is_one_event_of_nobody_s(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    for at in range(25):
        await refused(town.enter(CANARY, name=f"name{at}@example.org", at=ELSEWHERE))
    assert events(caplog, "@example.org") == ["security event passwords_guessed, account -"]


async def test_o4_guessed_codes_are_one_event_at_the_door_and_one_within(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    app, cookie, _ = await town.with_totp((await town.enter()).cookie)
    half: Entered = await town.enter()
    for _ in range(7):
        await refused(town.people.sign_in.totp(half.cookie, "abcdef", ELSEWHERE))
    told = f"security event codes_guessed, account {await anna_s(town)}"
    assert events(caplog, app.secret, half.cookie, "abcdef") == [told]
    viewer = await town.viewer(cookie)
    for _ in range(7):
        await refused(town.people.sign_in.prove_totp(viewer, "abcdef"))
    assert events(caplog, app.secret, cookie, "abcdef") == [told, told]


async def test_o4_a_passkey_whose_counter_went_down_is_one_event(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    key, _, _ = await town.with_passkey((await town.enter()).cookie)
    for _ in range(2):
        assert (await town.people.sign_in.passkey(key.get(await town.people.sign_in.passkey_options()), HOME)).is_whole
    copied = key.lying(count=0)
    credential = copied.get(await town.people.sign_in.passkey_options())
    for _ in range(2):  # the second time its challenge is used up
        assert await refused(town.people.sign_in.passkey(credential, ELSEWHERE)) is Code.UNAUTHENTICATED
    assert events(caplog) == [f"security event passkey_copied, account {await anna_s(town)}"]


async def test_o4_letters_to_one_address_are_one_event(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    for at in range(9):
        await town.people.accounts.recover(ANNA, f"203.0.113.{at}")
    await town.letters()
    assert events(caplog) == [f"security event letters_flood, account {await anna_s(town)}"]


async def test_o4_letters_asked_for_from_one_place_are_one_event(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    for at in range(20):
        await town.people.accounts.recover(f"name{at}@example.org", ELSEWHERE)
    for _ in range(3):
        assert await refused(town.people.accounts.recover(ANNA, ELSEWHERE)) is Code.BUSY
    await town.letters()
    assert events(caplog, "@example.org") == ["security event letters_flood, account -"]


async def test_o4_a_refresh_token_used_twice_is_one_event(house: House, caplog: pytest.LogCaptureFixture) -> None:
    app, anna = await register(house), await person(house)
    first = await app.let_in(anna)
    await app.refresh(first["refresh_token"])
    caplog.set_level(logging.INFO)
    caplog.clear()
    for _ in range(3):
        assert (await app.refresh(first["refresh_token"])).json()["error"] == "invalid_grant"
    whose = (await anna.get("/api/v1/account")).json()["id"]
    assert events(caplog, first["access_token"], first["refresh_token"]) == [
        f"security event refresh_twice, account {whose}"
    ]


@pytest.mark.parametrize("path", ["/login", "/app/cards/activate", "/api/v1/sign-in", "/api/v1/account"])
async def test_o4_forms_of_another_site_are_one_event(
    house: House, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    anna = await person(house)
    cookie = anna.headers["Cookie"]
    caplog.set_level(logging.INFO)
    caplog.clear()
    async with house.client(Cookie=cookie, Origin="https://evil.test") as forged:
        for _ in range(3):
            send = forged.patch if path.endswith("v1/account") else forged.post
            assert (await send(path, json={"name": CANARY})).status_code == 403
    assert events(caplog, cookie.partition("=")[2]) == ["security event foreign_form, account -"]
