"""E5 to E12: taking an account over by what was left lying about: old links, old invitations, another's sign-up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Iterable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table

from tests.operations.people import ELSEWHERE, HOME, PASSWORD, Town, refused
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Role
from wattkeeper.operations.people.sign_in.factors import Factor
from wattkeeper.operations.people.sign_in.guessed import is_guessed
from wattkeeper.operations.people.sign_in.password import Passwords
from wattkeeper.store.people.account import MOST_LOGINS
from wattkeeper.store.tables import login, secret_link

ANNA, MALLORY, NEW = "anna@example.org", "mallory@example.org", "anna@new.example"
OTHER = "see fels moos nebel tanne"
"""A password of the attacker's, or a second one of the owner's."""


@pytest.fixture
async def town(database: str, tmp_path: Path) -> AsyncIterator[Town]:
    """An installation's people."""
    made = await Town.build(database, tmp_path)
    yield made
    await made.store.close()


async def owner(town: Town) -> str:
    """The first owner, with a passkey; the cookie."""
    code = await town.people.staff.make_owner_link()
    assert code
    entered = await town.people.staff.first_owner(code, "olga@example.org", "Olga", PASSWORD, HOME)
    return (await town.with_passkey(entered.cookie))[1]


async def rows(town: Town, table: Table) -> int:
    """How many rows a table has."""
    async with town.store.read() as connection:
        return len((await connection.execute(table.select())).all())


async def in_turn(deeds: Iterable[Awaitable[Any]]) -> None:
    """One after the other, until one is refused."""
    for deed in deeds:
        await deed


# --- passwords ----------------------------------------------------------------------------------------------


async def test_e11_no_sign_in_by_an_old_password_outlives_it(town: Town) -> None:
    viewer = await town.viewer(await town.sign_up())
    entering = [asyncio.create_task(town.enter(at=ELSEWHERE)) for _ in range(8)]
    await town.people.accounts.set_password(viewer, OTHER)
    entered = await asyncio.gather(*entering, return_exceptions=True)
    thefts = [one for one in entered if not isinstance(one, BaseException)]
    assert all([await town.is_out(one.cookie) for one in thefts])
    assert (await town.enter(OTHER)).is_whole


# --- links ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", ["password", "sign-ins", "passkey"])
async def test_e8_an_address_that_a_thief_asked_for_is_dead_once_the_owner_acts(town: Town, answer: str) -> None:
    cookie = await town.sign_up()
    thief = (await town.enter(at=ELSEWHERE)).cookie
    await town.people.accounts.change_mail(await town.viewer(thief), MALLORY)
    link = await town.link(MALLORY, "change_mail")
    viewer = await town.viewer(cookie)
    if answer == "password":
        await town.people.accounts.set_password(viewer, OTHER)
    elif answer == "sign-ins":
        await town.people.accounts.end_other_logins(viewer)
    else:
        await town.with_passkey(cookie)
    assert await refused(town.people.accounts.verify(link, ELSEWHERE)) is Code.NOT_FOUND


async def test_e8_a_letter_that_goes_astray_gives_nobody_the_account(town: Town) -> None:
    """A mistyped address is somebody's: its letter moves the account for its owner alone, and signs nobody in."""
    cookie = await town.sign_up()
    stranger = await town.viewer(await town.sign_up(MALLORY))
    await town.people.accounts.change_mail(await town.viewer(cookie), NEW)
    link, verify = await town.link(NEW, "change_mail"), town.people.accounts.verify
    assert await refused(verify(link, ELSEWHERE)) is Code.UNAUTHENTICATED
    assert await refused(verify(link, ELSEWHERE, viewer=stranger)) is Code.FORBIDDEN
    owner = await town.viewer(cookie)
    assert (await town.people.accounts.mine(owner)).email == ANNA
    elsewhere = (await town.enter()).cookie
    town.clock.on(minutes=6)
    assert await refused(verify(link, HOME, viewer=await town.viewer(elsewhere))) is Code.PROOF
    proved = await town.people.sign_in.prove_password(await town.viewer(elsewhere), PASSWORD, HOME)
    entered = await verify(link, HOME, viewer=await town.viewer(proved))
    moved = await town.viewer(entered.cookie)
    assert (await town.people.accounts.mine(moved)).email == NEW
    assert moved.account == owner.account
    assert await refused(verify(link, HOME, viewer=moved)) is Code.NOT_FOUND
    assert await town.is_out(cookie)


async def test_e8_a_link_in_the_old_mailbox_opens_nothing_after_the_address_changed(town: Town) -> None:
    cookie = await town.sign_up()
    await town.people.accounts.recover(ANNA, ELSEWHERE)
    old = await town.link(ANNA, "recover")
    await town.people.accounts.change_mail(await town.viewer(cookie), NEW)
    link = await town.link(NEW, "change_mail")
    await town.people.accounts.verify(link, HOME, viewer=await town.viewer(cookie))
    assert await refused(town.people.sign_in.link(old, ELSEWHERE)) is Code.NOT_FOUND


async def test_e8_a_password_set_at_the_command_line_ends_the_links_that_wait(town: Town) -> None:
    await town.sign_up()
    await town.people.accounts.recover(ANNA, ELSEWHERE)
    link = await town.link(ANNA, "recover")
    await town.access.make_account(ANNA, OTHER, Role.DRIVER)
    assert await refused(town.people.sign_in.link(link, ELSEWHERE)) is Code.NOT_FOUND


# --- another's sign-up ----------------------------------------------------------------------------------


async def test_e5_who_signed_up_in_my_name_before_me_does_not_know_my_password(town: Town) -> None:
    await town.people.accounts.sign_up(ANNA, "Anna", OTHER, ELSEWHERE, browser="the thief's")
    link = await town.link(ANNA, "verify")
    entered = await town.people.accounts.verify(link, HOME, browser="anna's")
    assert await refused(town.enter(OTHER, at=ELSEWHERE)) is Code.UNAUTHENTICATED
    assert not (await town.people.accounts.mine(await town.viewer(entered.cookie))).factors.password
    await town.people.accounts.set_password(await town.viewer(entered.cookie), PASSWORD)
    assert (await town.enter()).is_whole


async def test_e5_a_password_counts_where_link_and_sign_up_are_one_browsers(town: Town) -> None:
    await town.people.accounts.sign_up(ANNA, "Anna", PASSWORD, HOME, browser="anna's")
    await town.people.accounts.verify(await town.link(ANNA, "verify"), HOME, browser="anna's")
    assert (await town.enter()).is_whole


# --- staff ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["disabled", "demoted"])
async def test_e11_an_invitation_dies_with_the_right_to_invite(town: Town, end: str) -> None:
    boss, staff = await owner(town), town.people.staff
    await staff.invite(await town.viewer(boss), MALLORY, Role.OWNER)
    rogue = (await staff.accept(await town.link(MALLORY), "Mallory", PASSWORD, ELSEWHERE)).cookie
    rogue = (await town.with_passkey(rogue))[1]
    viewer = await town.viewer(rogue)
    await staff.invite(viewer, "again@example.org", Role.OWNER)
    back = await town.link("again@example.org")
    if end == "disabled":
        await staff.disable(await town.viewer(boss), viewer.account)
    else:
        await staff.change(await town.viewer(boss), viewer.account, Role.SUPPORT)
    assert await refused(staff.accept(back, "Mallory", PASSWORD, ELSEWHERE)) is Code.NOT_FOUND
    assert len(await staff.members(await town.viewer(boss))) == 2


async def test_e8_letting_somebody_in_again_needs_a_fresh_proof(town: Town) -> None:
    boss, staff = await owner(town), town.people.staff
    await staff.invite(await town.viewer(boss), MALLORY, Role.OPERATOR)
    member = await town.viewer((await staff.accept(await town.link(MALLORY), "", PASSWORD, HOME)).cookie)
    await staff.disable(await town.viewer(boss), member.account)
    town.clock.on(minutes=6)
    assert await refused(staff.enable(await town.viewer(boss), member.account)) is Code.PROOF


# --- floods ---------------------------------------------------------------------------------------------


async def test_e6_a_code_that_is_none_costs_no_hash(town: Town) -> None:
    """Else anybody could keep the passwords' pool full, without a single account or link."""
    began = 0

    async def never(*_: object, **__: object) -> str:
        nonlocal began
        began += 1
        return ""

    town.access.passwords.hash = never  # type: ignore[method-assign]
    staff = town.people.staff
    assert await refused(staff.accept("no such code", "", PASSWORD, ELSEWHERE)) is Code.NOT_FOUND
    assert await refused(staff.first_owner("no such code", MALLORY, "", PASSWORD, ELSEWHERE)) is Code.NOT_FOUND
    assert began == 0


async def test_e6_a_flood_of_sign_ups_leaves_room_for_who_is_at_home() -> None:
    passwords = Passwords((2, 1024))
    flood = [asyncio.ensure_future(passwords.hash(OTHER, familiar=False)) for _ in range(200)]
    await asyncio.sleep(0)
    assert not await passwords.fits(None, PASSWORD, familiar=True), "it was judged, and not sent away"
    outcomes = await asyncio.gather(*flood, return_exceptions=True)
    assert any(isinstance(one, Refusal) and one.code is Code.BUSY for one in outcomes)


def test_b20_no_password_holds_the_loop_up() -> None:
    began = time.process_time()
    for text in ("\ufdfa" * 512, "\ufdfa" * 500 + "x9", "qz" * 256):
        is_guessed(text, ("a" * 100, "b" * 60 + "@example.org"))
    assert time.process_time() - began < 0.3


async def test_e6_sign_ins_of_one_account_do_not_pile_up(town: Town) -> None:
    cookie = await town.sign_up()
    for _ in range(MOST_LOGINS + 5):
        town.clock.on(seconds=1)
        cookie = (await town.enter()).cookie
    assert await rows(town, login) == MOST_LOGINS
    assert not await town.is_out(cookie)


async def test_e6_nobody_writes_to_strangers_through_a_change_of_address(town: Town) -> None:
    viewer = await town.viewer(await town.sign_up())
    change, strangers = town.people.accounts.change_mail, (f"stranger{number}@example.com" for number in range(50))
    assert await refused(in_turn(change(viewer, stranger) for stranger in strangers)) is Code.BUSY


async def test_e10_challenges_of_one_place_are_bounded(town: Town) -> None:
    options = (town.people.sign_in.passkey_options(ELSEWHERE) for _ in range(500))
    assert await refused(in_turn(options)) is Code.BUSY
    assert await rows(town, secret_link) <= 60


# --- the second factor ----------------------------------------------------------------------------------


async def test_e7_who_knows_the_password_does_not_keep_the_signed_in_owner_from_proving(town: Town) -> None:
    app, cookie, _ = await town.with_totp(await town.sign_up())
    thief = await town.enter(at=ELSEWHERE)
    assert Factor.TOTP in thief.missing
    for _ in range(5):
        assert await refused(town.people.sign_in.totp(thief.cookie, "000000", ELSEWHERE)) is Code.UNAUTHENTICATED
    assert await refused(town.people.sign_in.totp(thief.cookie, "000000", ELSEWHERE)) is Code.BUSY
    fresh = await town.people.sign_in.prove_totp(await town.viewer(cookie), app.at(town.clock.now))
    await town.people.accounts.set_password(await town.viewer(fresh), OTHER)
