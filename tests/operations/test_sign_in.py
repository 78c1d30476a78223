"""Signing up, in, and in again: every way, what it opens, and what is told to whom."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.operations.people import HOME, PASSWORD, SHORT, Town, refused
from wattkeeper.charging.errors import Code
from wattkeeper.charging.person import Role, Scope
from wattkeeper.operations.people.sign_in.factors import Factor
from wattkeeper.store.people.secret_link import Purpose
from wattkeeper.store.tables import account, login, mail, passkey, person, recovery_code, secret_link

ANNA, BERT = "anna@example.org", "bert@example.org"


@pytest.fixture
async def town(database: str, tmp_path: Path) -> AsyncIterator[Town]:
    """An installation without anybody."""
    made = await Town.build(database, tmp_path)
    yield made
    await made.store.close()


async def test_whoever_signs_up_proves_the_address_and_is_in(town: Town) -> None:
    await town.people.accounts.sign_up(" Anna@Example.ORG ", " Anna  A ", PASSWORD, HOME)
    code = await town.link("Anna@example.org")
    assert await town.people.accounts.look(code) is Purpose.VERIFY
    entered = await town.people.accounts.verify(code, HOME, "Firefox, Linux")
    assert entered.is_whole
    viewer = await town.viewer(entered.cookie)
    assert viewer.role is Role.DRIVER
    assert Scope.CHARGING_START in viewer.own
    mine = await town.people.accounts.mine(viewer)
    assert (mine.email, mine.name, mine.factors.password, mine.must_add_factor) == (
        "Anna@example.org",
        "Anna A",
        True,
        False,
    )
    assert (await town.enter()).is_whole
    assert await refused(town.people.accounts.verify(code, HOME)) is Code.NOT_FOUND
    assert await town.people.accounts.look(code) is None


async def test_a_link_is_good_for_a_day_and_for_what_it_was_made(town: Town) -> None:
    await town.people.accounts.sign_up(ANNA, "", None, HOME)
    code = await town.link(ANNA)
    assert await refused(town.people.sign_in.link(code, HOME)) is Code.NOT_FOUND
    assert await refused(town.people.staff.accept(code, "", None, HOME)) is Code.NOT_FOUND
    town.clock.on(hours=25)
    assert await refused(town.people.accounts.verify(code, HOME)) is Code.NOT_FOUND


async def test_a_known_address_that_signs_up_again_is_told_by_letter_and_unchanged(town: Town) -> None:
    await town.sign_up()
    await town.people.accounts.sign_up(ANNA.upper(), "Mallory", "another password altogether", HOME)
    assert [letter.kind for letter in await town.letters(ANNA)] == ["already", "verify"]
    assert (await town.enter()).is_whole
    assert await refused(town.enter("another password altogether")) is Code.UNAUTHENTICATED


async def test_two_links_for_one_address_make_one_account(town: Town) -> None:
    await town.people.accounts.sign_up(ANNA, "", None, HOME)
    first = await town.link(ANNA)
    await town.people.accounts.sign_up(ANNA, "", None, HOME)
    second = await town.link(ANNA)
    assert first != second
    await town.people.accounts.verify(first, HOME)
    assert await refused(town.people.accounts.verify(second, HOME)) is Code.CONFLICT


NO_ADDRESSES = ("anna", "@example.org", "anna@", "a b@example.org", "anna@example..org", "anna@-example.org")
BREAKING = ("anna@example.org\nBcc: all@example.org", "anna@exa mple.org", '"x"@example.org', "anna\x00@example.org")
ODD = ("a" * 65 + "@example.org", "anna@" + "x." * 200 + "org", "ann\u00e4@example.org", "\ud800@example.org")


@pytest.mark.parametrize("email", [*NO_ADDRESSES, *BREAKING, *ODD])
async def test_what_is_no_address_is_said_to_be_none(town: Town, email: str) -> None:
    assert await refused(town.people.accounts.sign_up(email, "", None, HOME)) is Code.INVALID
    assert await town.letters() == []


@pytest.mark.parametrize(
    "password",
    [
        "fourteen chars",
        "password12345678",
        "Passwort2026!!!!",
        "anna example org 1",
        "a" * 30,
        "!@#$%^&*()_+!@#$%^&*()_+",
        "!!!!!!!!!!!!!!!!????????",
    ],
)
async def test_short_common_and_own_words_are_no_password(town: Town, password: str) -> None:
    assert await refused(town.people.accounts.sign_up(ANNA, "Anna", password, HOME)) is Code.INVALID
    viewer = await town.viewer(await town.sign_up())
    assert await refused(town.people.accounts.set_password(viewer, password)) is Code.INVALID


async def test_a_short_password_needs_a_second_factor_and_keeps_it(town: Town) -> None:
    viewer = await town.viewer(await town.sign_up())
    assert await refused(town.people.accounts.set_password(viewer, SHORT)) is Code.INVALID
    _, cookie, _ = await town.with_totp((await town.enter()).cookie)
    viewer = await town.viewer(cookie)
    cookie = await town.people.accounts.set_password(viewer, SHORT)
    assert (await town.enter(SHORT)).missing == (Factor.TOTP, Factor.RECOVERY_CODE)
    viewer = await town.viewer(cookie)
    assert await refused(town.people.totp.remove(viewer)) is Code.CONFLICT
    viewer = await town.viewer(await town.people.accounts.set_password(viewer, PASSWORD))
    viewer = await town.viewer((await town.people.totp.remove(viewer)).cookie)
    assert (await town.enter()).is_whole
    assert await town.people.codes.left(viewer) == 0


async def test_a_second_factor_makes_a_password_half_a_sign_in(town: Town) -> None:
    app, _, codes = await town.with_totp(await town.sign_up())
    assert len(set(codes)) == 10
    half = await town.enter()
    assert half.missing == (Factor.TOTP, Factor.RECOVERY_CODE)
    assert await town.is_out(half.cookie)
    assert await town.people.sign_in.missing(half.cookie) == half.missing
    assert await refused(town.people.sign_in.totp(half.cookie, "000000", HOME)) is Code.UNAUTHENTICATED
    whole = await town.people.sign_in.totp(half.cookie, app.at(town.clock.now), HOME)
    assert whole.is_whole
    assert whole.cookie != half.cookie
    assert not await town.is_out(whole.cookie)
    assert await town.people.sign_in.missing(half.cookie) == ()
    assert await refused(town.people.sign_in.recovery_code(half.cookie, codes[0], HOME)) is Code.UNAUTHENTICATED


async def test_a_half_sign_in_lapses(town: Town) -> None:
    app, _, _ = await town.with_totp(await town.sign_up())
    half = await town.enter()
    town.clock.on(minutes=11)
    assert await refused(town.people.sign_in.totp(half.cookie, app.at(town.clock.now), HOME)) is Code.UNAUTHENTICATED


async def test_a_recovery_code_is_good_once_however_it_is_typed(town: Town) -> None:
    _, _, codes = await town.with_totp(await town.sign_up())
    half = await town.enter()
    typed = codes[0].lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert (await town.people.sign_in.recovery_code(half.cookie, typed, HOME)).is_whole
    again = await town.enter()
    assert await refused(town.people.sign_in.recovery_code(again.cookie, codes[0], HOME)) is Code.UNAUTHENTICATED
    told = (await town.letters(ANNA))[0]
    assert told.kind == "code_used"
    assert "9 are left" in told.text


async def test_a_passkey_is_a_whole_sign_in(town: Town) -> None:
    key, cookie, codes = await town.with_passkey(await town.sign_up(password=None))
    assert len(codes) == 10
    entered = await town.people.sign_in.passkey(key.get(await town.people.sign_in.passkey_options()), HOME, "Firefox")
    assert entered.is_whole
    viewer = await town.viewer(entered.cookie)
    kept = (await town.people.passkeys.mine(viewer))[0]
    assert (kept.label, kept.used_at) == ("Passkey", town.clock.now)
    assert {one.how for one in await town.people.accounts.logins(viewer)} == {"passkey", "mail"}
    await town.people.passkeys.rename(viewer, kept.id, "Phone")
    assert (await town.people.passkeys.mine(viewer))[0].label == "Phone"
    await town.people.passkeys.remove(viewer, kept.id)
    assert (
        await refused(town.people.sign_in.passkey(key.get(await town.people.sign_in.passkey_options()), HOME))
        is Code.UNAUTHENTICATED
    )
    assert not await town.is_out(cookie)


async def test_who_lost_everything_comes_back_by_mail_and_a_recovery_code(town: Town) -> None:
    _, cookie, codes = await town.with_passkey(await town.sign_up())
    await town.people.accounts.recover(ANNA, "203.0.113.5")
    half = await town.people.sign_in.link(await town.link(ANNA, "recover"), "203.0.113.5")
    assert half.missing == (Factor.PASSKEY, Factor.RECOVERY_CODE)
    assert await town.is_out(half.cookie)
    entered = await town.people.sign_in.recovery_code(half.cookie, codes[3], "203.0.113.5")
    fresh = await town.people.accounts.set_password(await town.viewer(entered.cookie), "berg tal regen kuh wiese")
    assert await town.is_out(cookie)
    assert not await town.is_out(fresh)
    assert "password_changed" in [letter.kind for letter in await town.letters(ANNA)]


async def test_who_has_no_second_factor_comes_back_by_mail_alone(town: Town) -> None:
    await town.sign_up()
    await town.people.accounts.recover(ANNA, HOME)
    code = await town.link(ANNA, "recover")
    assert (await town.people.sign_in.link(code, HOME)).is_whole
    assert await refused(town.people.sign_in.link(code, HOME)) is Code.NOT_FOUND


async def test_recovery_of_nobody_writes_to_nobody(town: Town) -> None:
    await town.people.accounts.recover("nobody@example.org", HOME)
    assert await town.letters() == []
    async with town.store.read() as connection:
        assert (await connection.execute(select(mail))).all() == []


async def test_a_mailbox_is_not_flooded_through_us(town: Town) -> None:
    await town.sign_up()
    for at in range(15):
        await town.people.accounts.recover(ANNA, f"203.0.113.{at}")
    assert len(await town.letters(ANNA)) <= 5


async def test_another_address_counts_once_it_is_proved_and_the_old_one_is_told(town: Town) -> None:
    cookie = await town.sign_up()
    await town.people.accounts.change_mail(await town.viewer(cookie), BERT)
    assert (await town.enter()).is_whole
    code = await town.link(BERT, "change_mail")
    assert "mail_asked" in [letter.kind for letter in await town.letters(ANNA)]
    other = (await town.enter()).cookie
    entered = await town.people.accounts.verify(code, HOME, viewer=await town.viewer(cookie))
    assert await town.is_out(cookie), "the sign-in has another secret"
    assert await town.is_out(other)
    assert (await town.people.accounts.mine(await town.viewer(entered.cookie))).email == BERT
    assert "mail_changed" in [letter.kind for letter in await town.letters(ANNA)]
    assert await refused(town.enter()) is Code.UNAUTHENTICATED
    assert (await town.enter(name=BERT)).is_whole


async def test_an_address_that_has_an_account_is_told_and_not_taken(town: Town) -> None:
    cookie = await town.sign_up()
    await town.sign_up(BERT)
    await town.people.accounts.change_mail(await town.viewer(cookie), BERT)
    assert (await town.letters(BERT))[0].kind == "mail_taken"


async def test_sign_ins_are_listed_and_ended(town: Town) -> None:
    await town.sign_up()
    cookies = [(await town.enter()).cookie for _ in range(3)]
    viewer = await town.viewer(cookies[0])
    found = await town.people.accounts.logins(viewer)
    assert [one.current for one in found].count(True) == 1
    assert {one.device for one in found} == {"Firefox, Linux", ""}
    other = await town.viewer(cookies[1])
    await town.people.accounts.end_login(viewer, other.login)
    assert [await town.is_out(cookie) for cookie in cookies] == [False, True, False]
    assert await town.people.accounts.end_other_logins(viewer) == 2
    assert [await town.is_out(cookie) for cookie in cookies] == [False, True, True]
    assert await refused(town.people.accounts.end_login(viewer, other.login)) is Code.NOT_FOUND


async def test_ending_sign_ins_needs_a_fresh_proof(town: Town) -> None:
    """Whoever stole a cookie does not shut its owner out."""
    await town.sign_up()
    owner, stolen = [(await town.enter()).cookie for _ in range(2)]
    town.clock.on(minutes=6)
    thief, theirs = await town.viewer(stolen), await town.viewer(owner)
    assert await refused(town.people.accounts.end_login(thief, theirs.login)) is Code.PROOF
    assert await refused(town.people.accounts.end_other_logins(thief)) is Code.PROOF
    assert not await town.is_out(owner)
    proved = await town.people.sign_in.prove_password(theirs, PASSWORD, HOME)
    await town.people.accounts.end_login(await town.viewer(proved), thief.login)
    assert await town.is_out(stolen)


async def test_nobody_ends_another_s_sign_in_or_touches_another_s_passkey(town: Town) -> None:
    _, anna, _ = await town.with_passkey(await town.sign_up())
    bert = await town.sign_up(BERT)
    mine, theirs = await town.viewer(bert), await town.viewer(anna)
    key = (await town.people.passkeys.mine(theirs))[0]
    assert await refused(town.people.accounts.end_login(mine, theirs.login)) is Code.NOT_FOUND
    assert await refused(town.people.passkeys.remove(mine, key.id)) is Code.NOT_FOUND
    assert await refused(town.people.passkeys.rename(mine, key.id, "mine")) is Code.NOT_FOUND
    assert not await town.is_out(anna)


async def test_proofs_grow_old_and_each_renewal_changes_the_cookie(town: Town) -> None:
    await town.sign_up()
    cookie = (await town.enter()).cookie
    town.clock.on(minutes=6)
    viewer = await town.viewer(cookie)
    assert await refused(town.people.totp.begin(viewer)) is Code.PROOF
    assert await town.people.sign_in.proofs(viewer) == (Factor.PASSWORD,)
    assert await refused(town.people.sign_in.prove_password(viewer, "wrong", HOME)) is Code.UNAUTHENTICATED
    fresh = await town.people.sign_in.prove_password(viewer, PASSWORD, HOME)
    assert await town.is_out(cookie)
    assert await town.people.totp.begin(await town.viewer(fresh))


async def test_what_is_kept_names_nobody_and_opens_nothing(town: Town) -> None:
    app, cookie, codes = await town.with_totp(await town.sign_up())
    _, cookie, _ = await town.with_passkey(cookie)
    half = await town.enter()
    await town.people.accounts.recover(ANNA, HOME)
    await town.letters()
    options = await town.people.sign_in.passkey_options()
    async with town.store.read() as connection:
        tables = (account, login, mail, passkey, person, recovery_code, secret_link)
        kept = str([(await connection.execute(select(table))).all() for table in tables])
    secrets = (ANNA, "Anna", "Firefox", PASSWORD, app.secret, cookie, half.cookie, *codes, options["challenge"])
    assert [secret for secret in secrets if secret in kept] == []


async def test_a_driver_without_a_fresh_proof_changes_nothing(town: Town) -> None:
    _, cookie, _ = await town.with_passkey(await town.sign_up())
    viewer = await town.viewer(cookie)
    key = (await town.people.passkeys.mine(viewer))[0]
    town.clock.on(minutes=6)
    people = town.people
    for deed in (
        people.accounts.change_mail(viewer, BERT),
        people.accounts.set_password(viewer, PASSWORD),
        people.accounts.remove_password(viewer),
        people.totp.begin(viewer),
        people.passkeys.options(viewer),
        people.passkeys.remove(viewer, key.id),
        people.codes.make(viewer),
    ):
        assert await refused(deed) is Code.PROOF


async def test_passkeys_need_a_name_in_the_address(database: str, tmp_path: Path) -> None:
    for address, works in (("http://127.0.0.1:8080", False), ("https://[::1]", False), ("http://localhost:8080", True)):
        town = await Town.build(database, tmp_path, public_url=address)
        assert town.people.passkeys.works is works
        if not works:
            assert await refused(town.people.sign_in.passkey_options()) is Code.CONFLICT
        await town.store.close()
