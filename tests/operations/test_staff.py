"""Those who work here: the first owner, invitations, what opens only with a second factor, and being sent away."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.operations.people import HOME, PASSWORD, Town, refused
from wattkeeper.charging.errors import Code
from wattkeeper.charging.person import EVERYTHING, Role, Scope
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.store.people.account import AccountState

OLGA, BERT = "olga@example.org", "bert@example.org"


@pytest.fixture
async def town(database: str, tmp_path: Path) -> AsyncIterator[Town]:
    """An installation without anybody."""
    made = await Town.build(database, tmp_path)
    yield made
    await made.store.close()


async def owner(town: Town) -> str:
    """The first owner, with a passkey; the cookie."""
    code = await town.people.staff.make_owner_link()
    assert code
    entered = await town.people.staff.first_owner(code, OLGA, "Olga", PASSWORD, HOME)
    return (await town.with_passkey(entered.cookie))[1]


async def join(town: Town, boss: str, email: str, role: Role, *sites: str) -> str:
    """Somebody who was invited and came, without a second factor; the cookie."""
    await town.people.staff.invite(await town.viewer(boss), email, role, sites)
    return (await town.people.staff.accept(await town.link(email), "Bert", PASSWORD, HOME)).cookie


async def test_the_first_owner_comes_by_the_newest_link_within_a_day_and_once(town: Town) -> None:
    staff = town.people.staff
    older, code = await staff.make_owner_link(), await staff.make_owner_link()
    assert older
    assert code
    assert await refused(staff.first_owner(older, OLGA, "", None, HOME)) is Code.NOT_FOUND
    assert await refused(staff.first_owner(code, OLGA, "", "too short", HOME)) is Code.INVALID
    entered = await staff.first_owner(code, OLGA, "Olga", None, HOME)
    assert (await town.viewer(entered.cookie)).role is Role.OWNER
    assert await refused(staff.first_owner(code, BERT, "", None, HOME)) is Code.NOT_FOUND
    assert await staff.make_owner_link() is None


async def test_a_link_for_the_first_owner_lapses(town: Town) -> None:
    code = await town.people.staff.make_owner_link()
    assert code
    town.clock.on(hours=24, seconds=1)
    assert await refused(town.people.staff.first_owner(code, OLGA, "", None, HOME)) is Code.NOT_FOUND


async def test_staff_look_after_themselves_only_until_there_is_a_second_factor(town: Town) -> None:
    boss = await owner(town)
    cookie = await join(town, boss, BERT, Role.OPERATOR)
    viewer = await town.viewer(cookie)
    assert (viewer.scopes, viewer.at_sites) == (frozenset(), frozenset())
    assert viewer.own == {Scope.ACCOUNT_READ, Scope.ACCOUNT_WRITE}
    assert (await town.people.accounts.mine(viewer)).must_add_factor
    _, cookie, _ = await town.with_totp(cookie)
    assert Scope.STATIONS_WRITE in (await town.viewer(cookie)).scopes
    assert (await town.viewer(boss)).scopes == EVERYTHING
    free = replace(town, settings=replace(town.settings, staff_passkeys=False)).again()
    other = await join(town, boss, "carl@example.org", Role.OPERATOR)
    assert Scope.STATIONS_WRITE in (await free.viewer(other)).scopes


async def test_an_account_of_the_command_line_is_led_to_a_second_factor_too(town: Town) -> None:
    await town.access.make_account("operator", PASSWORD)
    entered = await town.enter(name="operator")
    viewer = await town.viewer(entered.cookie)
    assert viewer.scopes == frozenset()
    _, cookie, _ = await town.with_passkey(entered.cookie)
    assert (await town.viewer(cookie)).scopes == EVERYTHING
    assert await town.letters() == []


async def test_invitations_are_listed_withdrawn_and_answered_once(town: Town) -> None:
    boss = await owner(town)
    viewer, staff = await town.viewer(boss), town.people.staff
    await staff.invite(viewer, BERT, Role.SITE_HOST, ["North", " South "], "de")
    (waiting,) = await staff.invitations(viewer)
    assert (waiting.email, waiting.role, waiting.sites) == (BERT, Role.SITE_HOST, frozenset({"North", "South"}))
    assert "eingeladen" in (await town.letters(BERT))[0].subject
    code = await town.link(BERT)
    entered = await staff.accept(code, "Bert", None, HOME)
    assert (await town.viewer(entered.cookie)).sites == {"North", "South"}
    assert await refused(staff.accept(code, "Bert", None, HOME)) is Code.NOT_FOUND
    assert await staff.invitations(viewer) == []
    await staff.invite(viewer, "carl@example.org", Role.SUPPORT)
    code = await town.link("carl@example.org")
    await staff.withdraw(viewer, (await staff.invitations(viewer))[0].id)
    assert await refused(staff.accept(code, "Carl", None, HOME)) is Code.NOT_FOUND
    assert await refused(staff.withdraw(viewer, "0" * 16)) is Code.NOT_FOUND


async def test_e5_inviting_a_known_address_looks_like_inviting_any_other(town: Town) -> None:
    await town.sign_up(BERT)
    boss = await town.viewer(await owner(town))
    for email in (BERT, "nobody@example.org"):
        await town.people.staff.invite(boss, email, Role.SUPPORT)
        assert (await town.letters(email))[0].kind == "invite"
    code = await town.link(BERT, "invite")
    assert await refused(town.people.staff.accept(code, "", None, HOME)) is Code.CONFLICT
    assert (await town.viewer((await town.enter(name=BERT)).cookie)).role is Role.DRIVER


async def test_only_owners_who_have_just_proved_themselves_invite_and_change(town: Town) -> None:
    boss = await owner(town)
    _, cookie, _ = await town.with_totp(await join(town, boss, BERT, Role.OPERATOR))
    staff, member = town.people.staff, await town.viewer(cookie)
    driver = await town.viewer(await town.sign_up())
    for viewer in (member, driver):
        for deed in (
            staff.invite(viewer, "carl@example.org", Role.OWNER),
            staff.change(viewer, member.account, Role.OWNER),
            staff.disable(viewer, member.account),
            staff.enable(viewer, member.account),
            staff.end_logins(viewer, member.account),
            staff.erase_factors(viewer, member.account),
        ):
            assert await refused(deed) is Code.FORBIDDEN
    assert await refused(staff.members(driver)) is Code.FORBIDDEN
    town.clock.on(minutes=6)
    late = await town.viewer(boss)
    assert await refused(staff.invite(late, "carl@example.org", Role.OWNER)) is Code.PROOF
    assert await refused(staff.change(late, member.account, Role.OWNER)) is Code.PROOF
    assert await refused(staff.erase_factors(late, member.account)) is Code.PROOF
    assert await refused(staff.disable(late, member.account)) is Code.PROOF
    assert await refused(staff.end_logins(late, member.account)) is Code.PROOF
    assert not await town.is_out(cookie)


async def test_another_role_ends_what_was_open(town: Town) -> None:
    boss = await owner(town)
    _, cookie, _ = await town.with_totp(await join(town, boss, BERT, Role.OPERATOR))
    viewer, member = await town.viewer(boss), await town.viewer(cookie)
    await town.people.staff.change(viewer, member.account, Role.SITE_HOST, ["North"])
    assert await town.is_out(cookie)
    found = {one.email: one for one in await town.people.staff.members(viewer)}
    assert (found[BERT].role, found[BERT].sites, found[BERT].second_factor) == (
        Role.SITE_HOST,
        frozenset({"North"}),
        True,
    )
    assert found[OLGA].name == "Olga"


async def test_somebody_always_owns_the_installation(town: Town) -> None:
    boss = await owner(town)
    viewer, staff = await town.viewer(boss), town.people.staff
    assert await refused(staff.disable(viewer, viewer.account)) is Code.CONFLICT
    assert await refused(staff.change(viewer, viewer.account, Role.AUDITOR)) is Code.CONFLICT
    cookie = await join(town, boss, BERT, Role.OWNER)
    other = await town.viewer(cookie)
    await staff.disable(viewer, other.account)
    assert await refused(staff.disable(viewer, viewer.account)) is Code.CONFLICT
    await staff.enable(viewer, other.account)
    await staff.disable(viewer, viewer.account)
    assert await town.is_out(boss)
    assert {one.state for one in await staff.members(viewer)} == {AccountState.ACTIVE, AccountState.DISABLED}


async def test_who_lost_every_factor_is_helped_by_an_owner_and_told(town: Town) -> None:
    boss = await owner(town)
    _, cookie, _ = await town.with_totp(await join(town, boss, BERT, Role.OPERATOR))
    member = await town.viewer(cookie)
    await town.people.staff.erase_factors(await town.viewer(boss), member.account)
    assert await town.is_out(cookie)
    assert "factors_erased" in [letter.kind for letter in await town.letters(BERT)]
    again = await town.enter(name=BERT)
    assert again.is_whole
    assert (await town.viewer(again.cookie)).scopes == frozenset()


async def test_a_driver_who_lost_everything_is_helped_at_the_command_line_and_told(town: Town) -> None:
    """Else who has only a passkey and loses it is locked out for ever: a link alone is half a sign-in."""
    _, cookie, _ = await town.with_passkey(await town.sign_up(BERT, password=None))
    await town.people.accounts.recover(BERT, HOME)
    assert not (await town.people.sign_in.link(await town.link(BERT, "recover"), HOME)).is_whole
    await town.people.staff.erase_factors_of(VIEWER, "Bert@example.org")
    assert await town.is_out(cookie)
    assert "factors_erased" in [letter.kind for letter in await town.letters(BERT)]
    await town.people.accounts.recover(BERT, HOME)
    assert (await town.people.sign_in.link(await town.link(BERT, "recover"), HOME)).is_whole
    assert await refused(town.people.staff.erase_factors_of(VIEWER, "nobody")) is Code.NOT_FOUND


@pytest.mark.parametrize(
    ("role", "sites"),
    [(Role.DRIVER, []), (Role.SERVICE, []), (Role.SITE_HOST, []), (Role.SITE_HOST, [" "]), (Role.OPERATOR, ["North"])],
)
async def test_roles_and_sites_that_make_no_sense(town: Town, role: Role, sites: list[str]) -> None:
    boss = await town.viewer(await owner(town))
    assert await refused(town.people.staff.invite(boss, BERT, role, sites)) is Code.INVALID


async def test_drivers_are_no_members(town: Town) -> None:
    boss = await town.viewer(await owner(town))
    driver = await town.viewer(await town.sign_up())
    staff = town.people.staff
    assert [one.email for one in await staff.members(boss)] == [OLGA]
    for deed in (staff.disable(boss, driver.account), staff.change(boss, driver.account, Role.OWNER)):
        assert await refused(deed) is Code.NOT_FOUND
