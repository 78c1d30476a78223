"""Passwords, sign-ins and tokens: who gets in, who no longer does, and what a flood of guesses costs."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.conftest import COST
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import EVERYTHING, PROGRAMS, Role, Scope
from wattkeeper.operations.access import Access
from wattkeeper.operations.people.sign_in.attempts import Attempts, neighbourhood
from wattkeeper.operations.people.sign_in.password import Passwords
from wattkeeper.operations.safe import Safe, open_safe
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store
from wattkeeper.store.people import account as accounts
from wattkeeper.store.people.account import AccountState
from wattkeeper.store.tables import account, api_token, login

RIGHT = "correct horse battery staple"
HOME, ELSEWHERE = "192.0.2.1", "198.51.100.7"


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The store's clock."""
    return Clock()


@pytest.fixture
async def store(database: str, clock: Clock) -> AsyncIterator[Store]:
    """A store whose clock is set by hand."""
    made = Store(database, clock)
    yield made
    await made.close()


@pytest.fixture
async def safe(store: Store, tmp_path: Path) -> Safe:
    """The vault of that store."""
    return await open_safe(store, tmp_path / "root.key")


@pytest.fixture
async def access(store: Store, safe: Safe) -> Access:
    """The way in, with one account: anna."""
    made = Access(store, safe, Settings(login_hours=12, staff_passkeys=False))
    await made.make_account("anna", RIGHT)
    return made


async def refusal(access: Access, name: str, password: str, address: str = ELSEWHERE) -> Code:
    """Why a sign-in was refused."""
    with pytest.raises(Refusal) as refused:
        await access.sign_in(name, password, address)
    assert not password or password not in refused.value.why
    return refused.value.code


async def test_the_right_password_opens_and_others_do_not(access: Access) -> None:
    viewer = await access.viewer_by_cookie(await access.sign_in("anna", RIGHT, HOME))
    assert viewer is not None
    assert (viewer.role, viewer.scopes) == (Role.OWNER, EVERYTHING)
    assert viewer.own - viewer.scopes == {Scope.ACCOUNT_READ, Scope.ACCOUNT_WRITE}
    assert viewer.name == viewer.account
    assert "anna" not in repr(viewer)
    assert await access.sign_in(" ANNA", RIGHT, HOME)
    for name, password in (("anna", RIGHT + " "), ("anna", ""), ("bert", RIGHT), ("", RIGHT)):
        assert await refusal(access, name, password) is Code.UNAUTHENTICATED


@pytest.mark.parametrize("name", ["a\x00", "\ud800", "x" * 5000, "anna\n"])
async def test_names_that_nobody_can_have_are_wrong_names(access: Access, name: str) -> None:
    assert await refusal(access, name, RIGHT) is Code.UNAUTHENTICATED


@pytest.mark.parametrize("password", ["\x00" * 20, "\ud800" * 20, "x" * 5000])
async def test_odd_passwords_are_wrong_passwords(access: Access, password: str) -> None:
    assert await refusal(access, "anna", password) is Code.UNAUTHENTICATED


async def test_one_password_however_the_keyboard_types_it(access: Access) -> None:
    await access.make_account("bert", "Ünïversität Zürich 5")
    composed, decomposed = "Ünïversität Zürich 5", "U\u0308ni\u0308versita\u0308t Zu\u0308rich 5"
    for typed in (composed, decomposed):
        assert await access.sign_in("bert", typed, HOME)


@pytest.mark.parametrize(
    "password",
    [
        "830274659102847",
        "lampen ohne fenster",
        "ЯжеНеПомнюНичего",
        "🦊🪵🧦🪐🫖🧭🪡🦉🪁🧯🪜🦦🪴🧃🪗",
        "?}<-~;|+:[,\\/>=^{'*",
        "    kurz    nur    ",
    ],
)
async def test_any_characters_make_a_password(access: Access, password: str) -> None:
    await access.make_account("bert", password)
    assert await access.sign_in("bert", password, HOME)


async def test_every_character_of_a_long_password_counts(access: Access) -> None:
    long = " " + "Wolken über Lampen, quer durch 7 Gärten. " * 6
    await access.make_account("bert", long)
    assert await access.sign_in("bert", long, HOME)
    for other in (long[:-1], long.lower(), long.strip(), long[:64], long[:72], long + " "):
        assert await refusal(access, "bert", other) is Code.UNAUTHENTICATED, len(other)


async def test_a_password_grows_no_older(access: Access, clock: Clock) -> None:
    clock.now += timedelta(days=3650)
    assert await access.sign_in("anna", RIGHT, HOME)


async def test_an_account_made_anew_is_another(access: Access) -> None:
    ids = []
    for _ in range(2):
        await access.make_account("bert", RIGHT)
        viewer = await access.viewer_by_cookie(await access.sign_in("bert", RIGHT, HOME))
        assert viewer is not None
        ids += [viewer.account, viewer.person]
        await access.remove_account("bert")
    assert len(set(ids)) == 4


async def test_short_and_endless_passwords_are_not_taken(access: Access) -> None:
    for password in ("", "fourteen chars", "x" * 513):
        with pytest.raises(Refusal) as refused:
            await access.make_account("bert", password)
        assert refused.value.code is Code.INVALID
    assert await refusal(access, "bert", "fourteen chars") is Code.UNAUTHENTICATED


async def test_a_sign_in_is_new_each_time_and_ends_when_it_is_over(access: Access, clock: Clock) -> None:
    one, other = [await access.sign_in("anna", RIGHT, HOME) for _ in range(2)]
    assert one != other
    await access.sign_out(one)
    assert await access.viewer_by_cookie(one) is None
    assert await access.viewer_by_cookie(other) is not None
    clock.now += timedelta(hours=12)
    fresh = Access(access._store, access._safe, Settings())  # another process, which has seen nobody yet
    assert await fresh.viewer_by_cookie(other) is None


async def test_another_password_and_removal_end_every_sign_in(access: Access) -> None:
    cookie = await access.sign_in("anna", RIGHT, HOME)
    await access.make_account("anna", RIGHT + "!")
    assert await access.viewer_by_cookie(cookie) is None
    cookie = await access.sign_in("anna", RIGHT + "!", HOME)
    await access.remove_account("anna")
    assert await access.viewer_by_cookie(cookie) is None
    assert await refusal(access, "anna", RIGHT + "!") is Code.UNAUTHENTICATED
    with pytest.raises(Refusal) as refused:
        await access.remove_account("anna")
    assert refused.value.code is Code.NOT_FOUND


async def test_what_another_process_ends_is_over_within_a_second(access: Access, store: Store, safe: Safe) -> None:
    cookie, token = await access.sign_in("anna", RIGHT, HOME), await access.make_token("t", PROGRAMS)
    other = Access(store, safe, Settings())
    assert await other.viewer_by_cookie(cookie)
    assert await other.viewer_by_bearer(token)
    await access.remove_account("anna")
    await access.revoke_token((await access.tokens())[0].id)
    await asyncio.sleep(0.6)
    assert await other.viewer_by_cookie(cookie) is None
    assert await other.viewer_by_bearer(token) is None


async def test_nothing_that_opens_is_kept_as_it_is(access: Access, store: Store) -> None:
    cookie, token = await access.sign_in("anna", RIGHT, HOME), await access.make_token("t", PROGRAMS)
    async with store.read() as connection:
        kept = [str((await connection.execute(select(table))).all()) for table in (account, login, api_token)]
    assert "$argon2id$" in kept[0]
    for secret in (RIGHT, cookie, token, token[3:]):
        assert not any(secret in text for text in kept)


async def test_a_token_opens_what_it_is_for_until_it_expires(access: Access, clock: Clock) -> None:
    ends = clock.now + timedelta(days=1)
    token = await access.make_token("meter reader", frozenset({Scope.SESSIONS_READ}), ends)
    viewer = await access.viewer_by_bearer(token)
    assert viewer is not None
    assert (viewer.name, viewer.role) == ("meter reader", Role.SERVICE)
    assert viewer.scopes == {Scope.SESSIONS_READ}
    for wrong in (token[:-1], token + "x", token[3:], "", "wk_", "wk_\ud800"):
        assert await access.viewer_by_bearer(wrong) is None
    clock.now = ends
    await asyncio.sleep(0.6)
    assert await access.viewer_by_bearer(token) is None


async def test_the_use_of_a_token_is_noted_once_a_minute(
    access: Access, store: Store, safe: Safe, clock: Clock
) -> None:
    token = await access.make_token("t", PROGRAMS)

    async def noted() -> datetime | None:
        await Access(store, safe, Settings()).viewer_by_bearer(token)
        return (await access.tokens())[0].last_used_at

    first = await noted()
    assert first == clock.now
    clock.now += timedelta(seconds=59)
    assert await noted() == first
    clock.now += timedelta(seconds=2)
    assert await noted() == clock.now


# --- guessing -------------------------------------------------------------------------------------------


async def test_guessers_wait_and_the_owner_does_not(access: Access) -> None:
    await access.sign_in("anna", RIGHT, HOME)
    codes = [await refusal(access, "anna", f"guess {n}") for n in range(14)]
    assert codes[:10] == [Code.UNAUTHENTICATED] * 10
    assert codes[10:] == [Code.BUSY] * 4
    assert await refusal(access, "anna", RIGHT, "203.0.113.9") is Code.BUSY
    assert await access.sign_in("anna", RIGHT, HOME)


async def test_many_guesses_at_once_are_many(access: Access) -> None:
    tries = (access.sign_in("anna", f"guess {n}", ELSEWHERE) for n in range(30))
    refused = [one for one in await asyncio.gather(*tries, return_exceptions=True) if isinstance(one, Refusal)]
    assert len(refused) == 30
    assert [one.code for one in refused].count(Code.UNAUTHENTICATED) <= 10


async def test_a_name_that_does_not_exist_waits_alike(access: Access) -> None:
    known, unknown = [
        [await refusal(access, name, f"guess {n}", address) for n in range(12)]
        for name, address in (("anna", "192.0.2.50"), ("bert", "192.0.2.51"))
    ]
    assert known == unknown


async def test_one_address_that_tries_many_names_waits(access: Access) -> None:
    codes = [await refusal(access, f"name {n}", "a password that many use") for n in range(22)]
    assert codes[:20] == [Code.UNAUTHENTICATED] * 20
    assert codes[-1] is Code.BUSY


async def test_a_guess_at_a_stolen_hash_costs_three_rounds_of_32_mib() -> None:
    assert (await Passwords(COST).hash(RIGHT)).startswith("$argon2id$v=19$m=32768,t=3,p=1$")


async def test_a_flood_is_turned_away_before_it_costs_and_leaves_room_for_the_owner(store: Store, safe: Safe) -> None:
    access = Access(store, safe, Settings(), Passwords(COST))
    await access.make_account("anna", RIGHT)
    await access.sign_in("anna", RIGHT, HOME)
    flood = (access.sign_in(f"name {n}", "a password that many use", f"2001:db8:{n:x}::1") for n in range(200))
    guesses = asyncio.gather(*flood, return_exceptions=True)
    signed_in = asyncio.create_task(access.sign_in("anna", RIGHT, HOME))
    codes = [one.code for one in await guesses if isinstance(one, Refusal)]
    assert len(codes) == 200
    assert codes.count(Code.BUSY) > 100
    assert await signed_in


def test_waits_double_and_are_forgotten() -> None:
    now = 0.0
    attempts = Attempts(free=2, longest_s=60, ticks=lambda: now)
    waits = []
    for _ in range(10):
        now += attempts.wait_s("x")
        attempts.count("x")
        waits.append(attempts.wait_s("x"))
    assert waits == [0, 1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert attempts.wait_s("y") == 0
    now += 200
    attempts.count("x")
    assert attempts.wait_s("x") == 0
    for _ in range(5):
        attempts.count("x")
    attempts.forgive("x")
    assert attempts.wait_s("x") == 0


def test_one_address_is_what_one_person_has() -> None:
    assert neighbourhood("192.0.2.1") == "192.0.2.1"
    assert neighbourhood("2001:db8:1:2:3:4:5:6") == neighbourhood("2001:db8:1:2::1")
    assert neighbourhood("2001:db8:1:2::1") != neighbourhood("2001:db8:1:3::1")
    assert neighbourhood("::ffff:192.0.2.1") == "192.0.2.1"
    assert neighbourhood("") == ""


async def test_a_driver_stays_signed_in_for_months_and_staff_for_hours(access: Access, clock: Clock) -> None:
    await access.make_account("dora@example.org", RIGHT, Role.DRIVER)
    driver = await access.sign_in("dora@example.org", RIGHT, HOME)
    staff = await access.sign_in("anna", RIGHT, HOME)
    for hour in range(1, 14):
        clock.now += timedelta(hours=1)
        access.forget()
        assert (await access.viewer_by_cookie(staff) is not None) is (hour < 12), "12 hours, however much it is used"
    for day in range(29, 94, 29):
        clock.now += timedelta(days=29)
        access.forget()
        assert (await access.viewer_by_cookie(driver) is not None) is (day < 90)
    clock.now += timedelta(days=3)
    access.forget()
    assert await access.viewer_by_cookie(driver) is None


async def test_sign_ins_of_a_driver_or_of_everybody_are_ended(access: Access) -> None:
    await access.make_account("dora@example.org", RIGHT, Role.DRIVER)
    driver, staff = await access.sign_in("dora@example.org", RIGHT, HOME), await access.sign_in("anna", RIGHT, HOME)
    assert await access.end_sign_ins("Dora@example.org") == 1
    assert await access.viewer_by_cookie(driver) is None
    assert await access.viewer_by_cookie(staff) is not None
    await access.sign_in("dora@example.org", RIGHT, HOME)
    assert await access.end_sign_ins(None) == 2
    assert await access.viewer_by_cookie(staff) is None


async def test_a_password_that_was_stolen_elsewhere_is_not_taken(access: Access, tmp_path: Path) -> None:
    stolen = ["volt dragon seven lamps", "seventeen wet umbrellas", "ein Tisch für unendlich viele"]
    listed = tmp_path / "leaked.txt"
    hashed = hashlib.sha1(stolen[1].encode()).hexdigest().upper()
    listed.write_text(f"{stolen[0]}\r\n{hashed}:17\n\n{stolen[2]}")
    strict = Access(access._store, access._safe, Settings(password_list=str(listed)))
    for password in stolen:
        await access.make_account("bert", password)
        with pytest.raises(Refusal) as refused:
            await strict.make_account("bert", password)
        assert (refused.value.code, "was stolen" in refused.value.why) == (Code.INVALID, True)
    await strict.make_account("bert", stolen[0] + "!")


async def test_e3_another_password_makes_nobody_an_owner_and_lets_nobody_back_in(access: Access) -> None:
    await access.make_account("sam", RIGHT, Role.SITE_HOST, ["North"])
    row = await access.make_account("Sam", RIGHT + "!")
    assert (row.role, row.sites) == (Role.SITE_HOST, frozenset({"North"}))
    viewer = await access.viewer_by_cookie(await access.sign_in("sam", RIGHT + "!", HOME))
    assert viewer is not None
    assert (viewer.role, viewer.sites) == (Role.SITE_HOST, frozenset({"North"}))
    async with access._store.unit() as unit:
        await accounts.change(unit, row.id, state=AccountState.DISABLED.value)
    assert (await access.make_account("sam", RIGHT)).state is AccountState.DISABLED
    assert await refusal(access, "sam", RIGHT) is Code.UNAUTHENTICATED
    with pytest.raises(Refusal) as refused:
        await access.make_account("sam", RIGHT, only_new=True)
    assert refused.value.code is Code.CONFLICT


async def test_a_sign_in_that_nobody_uses_ends_by_itself(access: Access, clock: Clock) -> None:
    await access.make_account("dora@example.org", RIGHT, Role.DRIVER)
    driver = await access.sign_in("dora@example.org", RIGHT, HOME)
    left, used = [await access.sign_in("anna", RIGHT, HOME) for _ in range(2)]
    for _ in range(2):
        clock.now += timedelta(minutes=61)
        access.forget()
        assert await access.viewer_by_cookie(used) is not None
    assert await access.viewer_by_cookie(left) is None
    clock.now += timedelta(days=30)
    access.forget()
    assert await access.viewer_by_cookie(driver) is None
