"""E5: the clock does not tell known from unknown people; passwords cost little here, so that they hide nothing."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from httpx import Response

from tests.attacks.test_e_sign_in import patient
from tests.attacks.timing import ALLOWED, SAMPLES, Deed, area, best_of, told_apart
from tests.conftest import OpenDoor
from tests.operations.people import PASSWORD, Town, refused
from tests.web.conftest import ADDRESS, House, house_of
from tests.web.town import make_account
from wattkeeper.charging.person import EVERYTHING, Role, Viewer
from wattkeeper.operations.people.sign_in.attempts import Attempts
from wattkeeper.operations.people.sign_in.factors import MOST_FAILURES
from wattkeeper.store.people import passkey
from wattkeeper.store.people.passkey import PasskeyRow

pytestmark = pytest.mark.alone
MANY = 45
"""Accounts: each is guessed at fewer than a hundred times."""


@pytest.fixture
async def town(database: str, tmp_path: Path) -> AsyncIterator[Town]:
    """An installation with some drivers, which lets everybody try as often as they like."""
    made = await Town.build(database, tmp_path)
    kept = await made.access.passwords.hash(PASSWORD)
    async with made.store.unit() as unit:
        for at in range(MANY):
            about = {"email": known(at), "name": "", "language": "en"}
            await made.people.accounts.make(unit, Role.DRIVER, about, kept, by="tests", verified=True)
    patient(made)
    made.people.accounts._asking = Attempts(free=10**9, longest_s=1)
    yield made
    await made.store.close()


def known(at: int) -> str:
    """An address that has an account."""
    return f"driver{at % MANY:02}@example.org"


def unknown(at: int) -> str:
    """An address that has none."""
    return f"nobody{at % MANY:02}@example.org"


async def test_e5_sign_in(town: Town) -> None:
    assert 3 * (SAMPLES // MANY + 1) < MOST_FAILURES

    def trying(name: Callable[[int], str]) -> Callable[[int], Deed]:
        return lambda at: lambda: refused(town.enter("a wrong password", name=name(at)))

    assert await best_of(lambda: told_apart(trying(known), trying(unknown))) <= ALLOWED


async def test_e5_sign_up(town: Town) -> None:
    def asking(name: Callable[[int], str]) -> Callable[[int], Deed]:
        return lambda at: lambda: town.people.accounts.sign_up(name(at), "", PASSWORD, "192.0.2.9")

    assert await best_of(lambda: told_apart(asking(known), asking(unknown))) <= ALLOWED


async def test_e5_recover(town: Town) -> None:
    def asking(name: Callable[[int], str]) -> Callable[[int], Deed]:
        return lambda at: lambda: town.people.accounts.recover(name(at), "192.0.2.9")

    assert await best_of(lambda: told_apart(asking(known), asking(unknown))) <= ALLOWED


async def test_e5_invite(town: Town) -> None:
    owner = Viewer("tests", Role.OWNER, EVERYTHING)

    def asking(name: Callable[[int], str]) -> Callable[[int], Deed]:
        return lambda at: lambda: town.people.staff.invite(owner, name(at), Role.SUPPORT)

    assert await best_of(lambda: told_apart(asking(known), asking(unknown))) <= ALLOWED


@pytest.fixture
async def staffed(open_door: OpenDoor) -> AsyncIterator[House]:
    """A whole installation whose accounts all have a passkey, and which lets everybody ask as often as they like."""
    house = await house_of(await open_door(public_url=ADDRESS))
    house.rooms.people.sign_in._asking = Attempts(free=10**9, longest_s=1)
    async with house.rooms.store.unit() as unit:
        for at in range(MANY):
            row = await make_account(house, unit, known(at).partition("@")[0], Role.DRIVER)
            key = (secrets.token_bytes(16), secrets.token_hex(8), row.id, b"key", 0, (), False, None, unit.now, None)
            assert await passkey.keep(unit, PasskeyRow(*key))
    async with house.api:
        yield house


@pytest.mark.parametrize("engine", ["sqlite"])
async def test_e5_passkey_options(staffed: House) -> None:
    """Nobody is asked for a name, and whoever gives one all the same learns nothing by it."""
    async with staffed.client(Origin=ADDRESS) as browser:

        def asking(name: Callable[[int], str]) -> Callable[[int], Deed]:
            def named(at: int) -> Deed:
                given = {"name": name(at), "email": name(at), "username": name(at)}
                return lambda: browser.post("/api/v1/sign-in/passkey/options", params=given, json=given)

            return named

        for name in (known, unknown):
            answer = await asking(name)(0)()
            assert isinstance(answer, Response)
            assert (answer.status_code, answer.json()["allowCredentials"]) == (200, [])
        assert await best_of(lambda: told_apart(asking(known), asking(unknown))) <= ALLOWED


async def test_the_clock_tells_what_differs() -> None:
    """The measure itself: a third of a millisecond more is seen."""

    def sleeping(s: float) -> Callable[[int], Deed]:
        return lambda at: lambda: asyncio.sleep(s)

    assert await told_apart(sleeping(0.001), sleeping(0.0014), 200) > ALLOWED
    assert area([1, 2, 3], [4, 5, 6]) == 0
    assert area([4, 5, 6], [1, 2, 3]) == 1
