"""Group E, accounts: guessing, replaying, stepping around a second factor, racing. Named by the rows of the list."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pyotp
import pytest

from tests.operations.people import ELSEWHERE, HOME, PASSWORD, Authenticator, Town, refused
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Role, Viewer
from wattkeeper.operations.people.sign_in.attempts import Attempts
from wattkeeper.operations.people.sign_in.factors import MOST_FAILURES, Factor
from wattkeeper.store.people import account

ANNA, BERT = "anna@example.org", "bert@example.org"


@pytest.fixture
async def town(database: str, tmp_path: Path) -> AsyncIterator[Town]:
    """An installation without anybody."""
    made = await Town.build(database, tmp_path)
    yield made
    await made.store.close()


def patient(town: Town) -> None:
    """Let guesses be heard at once: what holds then holds without any waits."""
    for name in ("_by_address", "_by_account", "_at_home"):
        setattr(town.access.guessing, name, Attempts(free=10**9, longest_s=1))


async def failures(town: Town, name: str = ANNA) -> int:
    """Wrong passwords counted against an account."""
    async with town.store.read() as connection:
        row = await account.by_name(connection, town.safe.name_ref(name))
    assert row is not None
    return row.failures


# --- E6 -------------------------------------------------------------------------------------------------


async def test_e6_after_a_hundred_wrong_passwords_the_right_one_alone_opens_nothing(town: Town) -> None:
    await town.sign_up()
    guessed = town.again()
    patient(guessed)
    for at in range(MOST_FAILURES - 1):
        await refused(guessed.enter(f"guess number {at}", at=f"203.0.113.{at}"))
    assert (await guessed.enter(at="192.0.2.77")).is_whole  # a right one is no failure, and forgives none
    assert await failures(town) == MOST_FAILURES - 1
    await refused(guessed.enter("the hundredth", at=ELSEWHERE))
    assert await refused(guessed.enter("the hundred and first", at=ELSEWHERE)) is Code.UNAUTHENTICATED
    assert await refused(guessed.enter(at=ELSEWHERE)) is Code.UNAUTHENTICATED
    assert "guessed" in [letter.kind for letter in await town.letters(ANNA)]
    restarted = guessed.again()
    assert await refused(restarted.enter(at="198.51.100.250")) is Code.UNAUTHENTICATED


async def test_e6_the_owner_comes_in_at_home_with_a_step_more_and_from_elsewhere_by_mail(town: Town) -> None:
    await town.sign_up()
    guessed = town.again()
    patient(guessed)
    await guessed.enter(at=HOME)
    await asyncio.gather(
        *(refused(guessed.enter(f"guess number {at}", at=f"203.0.113.{at}")) for at in range(31)),
    )
    for at in range(31, MOST_FAILURES + 5):
        await refused(guessed.enter(f"guess number {at}", at=f"203.0.113.{at}"))
    half = await guessed.enter(at=HOME)
    assert half.missing == (Factor.MAIL,)
    assert await town.is_out(half.cookie)
    code = await guessed.link(ANNA, "step")
    link = guessed.people.sign_in.link
    assert await refused(link(code, ELSEWHERE)) is Code.FORBIDDEN, "a letter completes another's sign-in"
    other = await guessed.enter(at=HOME)
    assert await refused(link(code, HOME, "", other.cookie)) is Code.FORBIDDEN
    assert (await link(code, HOME, "", half.cookie)).is_whole
    assert await refused(link(code, HOME, "", half.cookie)) is Code.NOT_FOUND
    assert await failures(town) == 0
    assert (await guessed.enter(at=ELSEWHERE)).is_whole


async def test_e6_a_second_factor_or_a_passkey_starts_the_count_anew(town: Town) -> None:
    key, cookie, _ = await town.with_passkey(await town.sign_up())
    patient(town)
    for at in range(MOST_FAILURES + 1):
        await refused(town.enter(f"guess number {at}", at=ELSEWHERE))
    options = await town.people.sign_in.passkey_options()
    assert (await town.people.sign_in.passkey(key.get(options), "203.0.113.200")).is_whole
    assert await failures(town) == 0
    assert not await town.is_out(cookie)


async def test_e6_stuffed_credentials_from_rotating_addresses_wait(town: Town) -> None:
    await town.sign_up()
    fresh = town.again()
    codes = [await refused(fresh.enter(f"stuffed {at}", at=f"2001:db8:{at:x}::1")) for at in range(30)]
    assert codes.count(Code.UNAUTHENTICATED) <= 10
    assert codes[-1] is Code.BUSY
    assert await failures(town) <= 10


async def test_e6_one_password_sprayed_over_names_waits_though_the_sprayer_has_an_account(town: Town) -> None:
    await town.sign_up(BERT)
    fresh = town.again()
    heard = 0
    for at in range(60):
        code = await refused(fresh.enter("a password of many", name=f"name{at}@example.org", at="192.0.2.99"))
        heard += code is Code.UNAUTHENTICATED
        if at % 10 == 5:
            try:
                await fresh.enter(name=BERT, at="192.0.2.99")
            except Refusal:
                continue
    assert heard <= 20


async def test_e6_a_sprayer_with_a_passkey_of_their_own_waits_all_the_same(town: Town) -> None:
    key, _, _ = await town.with_passkey(await town.sign_up(BERT))
    fresh, heard = town.again(), 0
    for at in range(40):
        code = await refused(fresh.enter("a password of many", name=f"name{at}@example.org", at="192.0.2.99"))
        heard += code is Code.UNAUTHENTICATED
        assert await fresh.people.sign_in.passkey(key.get(await fresh.people.sign_in.passkey_options()), "192.0.2.99")
    assert heard <= 25, "the first twenty, and one for each wait that went by"


async def test_e6_other_spellings_of_a_name_are_no_fresh_tries(town: Town) -> None:
    await town.sign_up()
    fresh = town.again()
    spelled = [ANNA, ANNA.upper(), " " + ANNA, "Anna@Example.org", "\uff41nna@example.org"]
    codes = [await refused(fresh.enter(f"guess {n}", name=spelled[n % 5], at=f"203.0.113.{n}")) for n in range(12)]
    assert codes.count(Code.UNAUTHENTICATED) <= 10


# --- E7 -------------------------------------------------------------------------------------------------


async def halves(town: Town, many: int) -> list[str]:
    """Sign-ins that lack their second factor."""
    return [(await town.enter()).cookie for _ in range(many)]


async def test_e7_a_code_is_good_once(town: Town) -> None:
    app, cookie, _ = await town.with_totp(await town.sign_up())
    one, other = await halves(town, 2)
    code = app.at(town.clock.now)
    assert (await town.people.sign_in.totp(one, code, HOME)).is_whole
    assert await refused(town.people.sign_in.totp(other, code, HOME)) is Code.UNAUTHENTICATED
    assert await refused(town.people.sign_in.prove_totp(await town.viewer(cookie), code)) is Code.UNAUTHENTICATED
    earlier = app.at(town.clock.now, counter_offset=-1)
    assert await refused(town.people.sign_in.totp(other, earlier, HOME)) is Code.UNAUTHENTICATED


@pytest.mark.parametrize(("steps", "good"), [(-3, False), (-2, False), (-1, True), (0, True), (1, True), (2, False)])
async def test_e7_one_step_either_side(town: Town, steps: int, good: bool) -> None:
    app, _, _ = await town.with_totp(await town.sign_up())
    town.clock.on(minutes=5)
    (half,) = await halves(town, 1)
    code = app.at(town.clock.now, counter_offset=steps)
    if good:
        assert (await town.people.sign_in.totp(half, code, HOME)).is_whole
    else:
        assert await refused(town.people.sign_in.totp(half, code, HOME)) is Code.UNAUTHENTICATED


async def test_e7_five_tries_then_wait(town: Town) -> None:
    app, _, _ = await town.with_totp(await town.sign_up())
    (half,) = await halves(town, 1)
    wrong = [f"{(int(app.at(town.clock.now)) + 7 + at) % 10**6:06}" for at in range(6)]
    codes = [await refused(town.people.sign_in.totp(half, code, HOME)) for code in wrong]
    assert codes == [Code.UNAUTHENTICATED] * 5 + [Code.BUSY]
    assert await refused(town.people.sign_in.totp(half, app.at(town.clock.now), HOME)) is Code.BUSY


async def test_e7_who_knows_the_password_has_a_hundred_tries_at_codes_ever(town: Town) -> None:
    app, _, _ = await town.with_totp(await town.sign_up())
    guessed = town.again()
    patient(guessed)
    for factor in (guessed.people.totp, guessed.people.codes):
        factor._tries = Attempts(free=10**9, longest_s=1)  # as if the thief had all the time there is
    sign_in, wrong, tries = guessed.people.sign_in, f"{(int(app.at(town.clock.now)) + 7) % 10**6:06}", 0
    while tries < 3 * MOST_FAILURES:
        try:
            half = (await guessed.enter(at=ELSEWHERE)).cookie
        except Refusal:
            break
        for guess in (sign_in.totp, sign_in.recovery_code):
            assert await refused(guess(half, wrong, ELSEWHERE)) is Code.UNAUTHENTICATED
            tries += 1
    assert tries <= MOST_FAILURES + 2
    assert "guessed" in [letter.kind for letter in await guessed.letters(ANNA)]
    await guessed.people.accounts.recover(ANNA, ELSEWHERE)
    back = await sign_in.link(await guessed.link(ANNA, "recover"), HOME)
    assert (await sign_in.totp(back.cookie, app.at(town.clock.now), HOME)).is_whole, "its owner comes in by a letter"
    assert (await guessed.enter(at=HOME)).missing == (Factor.TOTP, Factor.RECOVERY_CODE)


async def test_e7_many_tries_at_once_are_many(town: Town) -> None:
    _, _, codes = await town.with_totp(await town.sign_up())
    (half,) = await halves(town, 1)
    for factor in (town.people.sign_in.totp, town.people.sign_in.recovery_code):
        tries = (refused(factor(half, f"{at:06}", HOME)) for at in range(50))
        answers = await asyncio.gather(*tries)
        assert answers.count(Code.UNAUTHENTICATED) <= 5
    assert codes


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "\u0661\u0662\u0663\u0664\u0665\u0666", "0" * 5000])
async def test_e7_what_is_no_code_is_a_wrong_one(town: Town, code: str) -> None:
    await town.with_totp(await town.sign_up())
    (half,) = await halves(town, 1)
    assert await refused(town.people.sign_in.totp(half, code, HOME)) is Code.UNAUTHENTICATED


async def test_e7_in_parallel_one_code_opens_one_door(town: Town) -> None:
    app, _, _ = await town.with_totp(await town.sign_up())
    waiting = await halves(town, 5)
    code = app.at(town.clock.now)
    tries = (town.people.sign_in.totp(half, code, HOME) for half in waiting)
    answers = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(not isinstance(one, BaseException) for one in answers) == 1


# --- E8 -------------------------------------------------------------------------------------------------


def deeds(town: Town, viewer: Viewer, key: str) -> dict[str, Any]:
    """What changes how an account is signed in to."""
    people = town.people
    return {
        "change e-mail": lambda: people.accounts.change_mail(viewer, BERT),
        "set password": lambda: people.accounts.set_password(viewer, "berg tal regen kuh wiese"),
        "remove password": lambda: people.accounts.remove_password(viewer),
        "add passkey": lambda: people.passkeys.options(viewer),
        "remove passkey": lambda: people.passkeys.remove(viewer, key),
        "remove authenticator app": lambda: people.totp.remove(viewer),
        "new recovery codes": lambda: people.codes.make(viewer),
    }


async def test_e8_session_and_password_change_nothing_where_there_is_a_second_factor(town: Town) -> None:
    stolen = await town.sign_up()
    _, cookie, _ = await town.with_totp((await town.enter()).cookie)
    _, cookie, _ = await town.with_passkey(cookie)
    key = (await town.people.passkeys.mine(await town.viewer(cookie)))[0].id
    viewer = await town.viewer(stolen)
    assert await refused(town.people.sign_in.prove_password(viewer, PASSWORD, HOME)) is Code.CONFLICT
    for name, deed in deeds(town, viewer, key).items():
        assert await refused(deed()) is Code.PROOF, name


async def test_e8_the_second_factor_proves_and_the_owner_is_told(town: Town) -> None:
    app, cookie, _ = await town.with_totp(await town.sign_up())
    town.clock.on(minutes=10)
    viewer = await town.viewer(cookie)
    assert await refused(town.people.accounts.change_mail(viewer, BERT)) is Code.PROOF
    fresh = await town.people.sign_in.prove_totp(viewer, app.at(town.clock.now))
    viewer = await town.viewer(fresh)
    await town.people.accounts.change_mail(viewer, BERT)
    _, fresh, _ = await town.with_passkey(fresh)
    await town.people.totp.remove(await town.viewer(fresh))
    told = [letter.kind for letter in await town.letters(ANNA)]
    assert {"mail_asked", "factor_removed"} <= set(told)
    assert told.count("factor_added") == 2


async def test_e8_another_s_second_factor_proves_nothing(town: Town) -> None:
    _, anna, _ = await town.with_passkey(await town.sign_up())
    theirs, _, _ = await town.with_passkey(await town.sign_up(BERT))
    viewer = await town.viewer(anna)
    options = await town.people.sign_in.prove_passkey_options(viewer)
    assert await refused(town.people.sign_in.prove_passkey(viewer, theirs.get(options))) is Code.UNAUTHENTICATED


async def test_e8_recovery_by_mail_does_not_step_around_a_second_factor(town: Town) -> None:
    await town.with_totp(await town.sign_up())
    await town.people.accounts.recover(ANNA, ELSEWHERE)
    half = await town.people.sign_in.link(await town.link(ANNA, "recover"), ELSEWHERE)
    assert half.missing
    assert await town.is_out(half.cookie)
    assert await refused(town.people.sign_in.totp(half.cookie, "000000", ELSEWHERE)) is Code.UNAUTHENTICATED


# --- E10 ------------------------------------------------------------------------------------------------


async def passkey_of(town: Town, email: str = ANNA) -> Authenticator:
    """Somebody's authenticator."""
    key, _, _ = await town.with_passkey(await town.sign_up(email))
    return key


@pytest.mark.parametrize(
    "lie",
    [
        {"origin": "https://charge.example.attacker.test"},
        {"origin": "http://charge.example"},
        {"origin": "https://charge.example:8443"},
        {"rp_id": "attacker.test"},
        {"verified": False},
        {"key": Authenticator().key},
        {"credential": b"a credential of no one"},
        {"user": "c29tZWJvZHkgZWxzZQ"},
    ],
    ids=["origin", "scheme", "port", "rp id", "not verified", "key", "credential", "user"],
)
async def test_e10_a_passkey_that_lies_is_refused(town: Town, lie: dict[str, Any]) -> None:
    key = await passkey_of(town)
    signed = key.lying(**lie).get(await town.people.sign_in.passkey_options())
    assert await refused(town.people.sign_in.passkey(signed, HOME)) is Code.UNAUTHENTICATED
    key.count += 1
    assert (await town.people.sign_in.passkey(key.get(await town.people.sign_in.passkey_options()), HOME)).is_whole


@pytest.mark.parametrize("lie", [{"origin": "https://attacker.test"}, {"rp_id": "attacker.test"}, {"verified": False}])
async def test_e10_a_new_passkey_that_lies_is_refused(town: Town, lie: dict[str, Any]) -> None:
    viewer = await town.viewer(await town.sign_up())
    made = Authenticator(**lie).create(await town.people.passkeys.options(viewer))
    assert await refused(town.people.passkeys.add(viewer, made, "")) is Code.INVALID
    assert await town.people.passkeys.mine(viewer) == []


async def test_e10_a_challenge_is_good_once_and_for_five_minutes(town: Town) -> None:
    key = await passkey_of(town)
    signed = key.get(await town.people.sign_in.passkey_options())
    assert (await town.people.sign_in.passkey(signed, HOME)).is_whole
    assert await refused(town.people.sign_in.passkey(signed, HOME)) is Code.UNAUTHENTICATED
    options = await town.people.sign_in.passkey_options()
    wrong = key.lying(verified=False).get(options)
    assert await refused(town.people.sign_in.passkey(wrong, HOME)) is Code.UNAUTHENTICATED
    assert await refused(town.people.sign_in.passkey(key.get(options), HOME)) is Code.UNAUTHENTICATED
    late = await town.people.sign_in.passkey_options()
    town.clock.on(minutes=5, seconds=1)
    assert await refused(town.people.sign_in.passkey(key.get(late), HOME)) is Code.UNAUTHENTICATED
    own = key.get({"challenge": "b3VyIG93biBjaGFsbGVuZ2UgdGhhdCB3ZSBtYWRl"})
    assert await refused(town.people.sign_in.passkey(own, HOME)) is Code.UNAUTHENTICATED


async def test_e10_a_challenge_for_one_deed_is_none_for_another(town: Town) -> None:
    key = await passkey_of(town)
    viewer = await town.viewer((await town.people.sign_in.passkey(
        key.get(await town.people.sign_in.passkey_options()), HOME)).cookie)  # fmt: skip
    proof = await town.people.sign_in.prove_passkey_options(viewer)
    assert await refused(town.people.sign_in.passkey(key.get(proof), HOME)) is Code.UNAUTHENTICATED
    entry = await town.people.sign_in.passkey_options()
    assert await refused(town.people.sign_in.prove_passkey(viewer, key.get(entry))) is Code.UNAUTHENTICATED
    stranger = await town.viewer(await town.sign_up(BERT))
    made = Authenticator().create(await town.people.passkeys.options(viewer))
    assert await refused(town.people.passkeys.add(stranger, made, "")) is Code.INVALID


async def test_e10_a_counter_that_goes_down_is_refused_and_told(town: Town) -> None:
    key = await passkey_of(town)
    key.count = 50
    assert (await town.people.sign_in.passkey(key.get(await town.people.sign_in.passkey_options()), HOME)).is_whole
    for count in (49, 20, -1):
        copy = key.lying(count=count)
        signed = copy.get(await town.people.sign_in.passkey_options())
        assert await refused(town.people.sign_in.passkey(signed, HOME)) is Code.UNAUTHENTICATED
    assert "copied" in [letter.kind for letter in await town.letters(ANNA)]


async def test_e10_a_passkey_without_a_counter_is_none_that_went_down(town: Town) -> None:
    key, _, _ = await town.with_passkey(await town.sign_up())
    key.counts = False
    for _ in range(2):
        options = await town.people.sign_in.passkey_options()
        assert (await town.people.sign_in.passkey(key.get(options), HOME)).is_whole


async def test_e10_the_credential_of_another_user_is_refused(town: Town) -> None:
    key = await passkey_of(town)
    viewer = await town.viewer(await town.sign_up(BERT))
    made = key.create(await town.people.passkeys.options(viewer))
    assert await refused(town.people.passkeys.add(viewer, made, "")) is Code.CONFLICT


@pytest.mark.parametrize(
    "damage",
    [
        lambda one: one | {"response": {}},
        lambda one: one | {"response": None},
        lambda one: one | {"rawId": None},
        lambda one: one | {"type": "password"},
        lambda one: one | {"response": one["response"] | {"clientDataJSON": "!!!"}},
        lambda one: one | {"response": one["response"] | {"clientDataJSON": "e30"}},
        lambda one: one | {"response": one["response"] | {"authenticatorData": "AAAA"}},
        lambda one: one | {"response": one["response"] | {"signature": ""}},
        lambda one: one | {"response": one["response"] | {"userHandle": "\u0000"}},
        lambda one: {},
    ],
)
async def test_e10_damaged_credentials_are_refused(town: Town, damage: Any) -> None:
    key = await passkey_of(town)
    signed = key.get(await town.people.sign_in.passkey_options())
    assert await refused(town.people.sign_in.passkey(damage(signed), HOME)) is Code.UNAUTHENTICATED


# --- E11 ------------------------------------------------------------------------------------------------


async def test_e11_a_sign_in_that_was_there_before_is_never_the_one_that_is_given(town: Town) -> None:
    app, cookie, _ = await town.with_totp(await town.sign_up())
    half = await town.enter()
    whole = await town.people.sign_in.totp(half.cookie, app.at(town.clock.now), HOME)
    town.clock.on(seconds=30)
    fresh = await town.people.sign_in.prove_totp(await town.viewer(whole.cookie), app.at(town.clock.now))
    assert len({cookie, half.cookie, whole.cookie, fresh}) == 4
    assert [await town.is_out(one) for one in (half.cookie, whole.cookie, fresh)] == [True, True, False]


async def test_e11_out_is_out(town: Town) -> None:
    cookie = await town.sign_up()
    await town.access.sign_out(cookie)
    assert await town.access.viewer_by_cookie(cookie) is None
    half = town.people.sign_in.totp(cookie, "000000", HOME)
    assert await refused(half) is Code.UNAUTHENTICATED


async def test_e11_who_is_disabled_is_out_within_a_second_in_every_process(town: Town) -> None:
    code = await town.people.staff.make_owner_link()
    assert code
    owner = (await town.people.staff.first_owner(code, "owner@example.org", "Owner", PASSWORD, HOME)).cookie
    _, owner, _ = await town.with_passkey(owner)
    await town.people.staff.invite(await town.viewer(owner), BERT, Role.SUPPORT)
    cookie = (await town.people.staff.accept(await town.link(BERT), "Bert", PASSWORD, HOME)).cookie
    elsewhere = town.again()
    member = await elsewhere.access.viewer_by_cookie(cookie)
    assert member is not None
    await town.people.staff.disable(await town.viewer(owner), member.account)
    await asyncio.sleep(0.6)
    assert await elsewhere.access.viewer_by_cookie(cookie) is None
    assert await refused(elsewhere.enter(name=BERT)) is Code.UNAUTHENTICATED
    await town.people.staff.enable(await town.viewer(owner), member.account)
    assert await elsewhere.access.viewer_by_cookie(cookie) is None
    assert (await town.again().enter(name=BERT)).is_whole


# --- E22 ------------------------------------------------------------------------------------------------


async def one_of(tries: list[Any]) -> int:
    """How many of these, done at once, succeeded."""
    answers = await asyncio.gather(*tries, return_exceptions=True)
    faults = [one for one in answers if isinstance(one, BaseException) and not isinstance(one, Refusal)]
    assert faults == []
    return sum(not isinstance(one, BaseException) for one in answers)


async def test_e22_of_fifty_who_use_one_recovery_code_one_is_in(town: Town) -> None:
    _, _, codes = await town.with_totp(await town.sign_up())
    waiting = await halves(town, 5)
    tries = [town.people.sign_in.recovery_code(waiting[at % 5], codes[0], HOME) for at in range(50)]
    assert await one_of(tries) == 1


async def test_e22_of_fifty_who_open_one_link_one_is_in(town: Town) -> None:
    await town.people.accounts.sign_up(ANNA, "", None, HOME)
    code = await town.link(ANNA)
    assert await one_of([town.people.accounts.verify(code, HOME) for _ in range(50)]) == 1
    await town.people.accounts.recover(ANNA, HOME)
    code = await town.link(ANNA, "recover")
    assert await one_of([town.people.sign_in.link(code, HOME) for _ in range(50)]) == 1


async def test_e22_of_fifty_first_owners_and_fifty_invited_one_each_is_made(town: Town) -> None:
    code = await town.people.staff.make_owner_link()
    assert code
    names = [f"owner{at}@example.org" for at in range(50)]
    assert await one_of([town.people.staff.first_owner(code, name, "", None, HOME) for name in names]) == 1
    assert await town.people.staff.make_owner_link() is None


async def test_e22_of_fifty_who_answer_one_challenge_one_is_in(town: Town) -> None:
    key = await passkey_of(town)
    signed = key.get(await town.people.sign_in.passkey_options())
    assert await one_of([town.people.sign_in.passkey(signed, HOME) for _ in range(50)]) == 1


def test_the_code_app_is_the_standard_s() -> None:
    """RFC 6238, appendix B: the secret of the test vectors, six of its eight digits."""
    app = pyotp.TOTP("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
    assert app.at(59) == "287082"
