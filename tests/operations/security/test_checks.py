"""What each check judges, from what it read alone."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from wattkeeper.charging.person import PROGRAMS, Role, Scope
from wattkeeper.operations.keys.kinds import KeyKind
from wattkeeper.operations.keys.telling import KeyAge
from wattkeeper.operations.policy import grants
from wattkeeper.operations.security import fitness
from wattkeeper.operations.security.checks import backups, doors, keys, people, privacy, programs, proof, stations
from wattkeeper.operations.security.checks.doors import Certificate, Handshake
from wattkeeper.operations.security.finding import Finding, FindingCode, Severity
from wattkeeper.operations.security.told import CHECKS, TOLD, what_of
from wattkeeper.store.people.api_token import TokenRow
from wattkeeper.store.security.finding import FindingRow
from wattkeeper.store.security.ground import KeyAge as StationKey
from wattkeeper.store.security.rights import AppUse, Known

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def days(count: float) -> datetime:
    """So many days ago."""
    return NOW - timedelta(days=count)


def told(found: Iterable[Finding]) -> set[tuple[str, str, str]]:
    """Code, subject and severity of what was found."""
    return {(one.code.value, one.subject, one.severity.value) for one in found}


# --- doors ----------------------------------------------------------------------------------------------


def seen_doors(**given: Any) -> doors.Seen:
    good = Certificate(NOW + timedelta(days=60), 2048, False, b"good")
    usual: dict[str, Any] = {"stations_plain": False, "people_plain": False, "file": "c.pem", "certificate": good}
    return doors.Seen(**(usual | {"key_mode": 0o100600} | given))


def certificate(left: float, **given: Any) -> Certificate:
    usual: dict[str, Any] = {"expires_at": days(-left), "bits": 2048, "is_weak": False, "der": b"good"}
    return Certificate(**(usual | given))


DOORS: list[tuple[dict[str, Any], set[tuple[str, str, str]]]] = [
    ({}, set()),
    ({"stations_plain": True}, {("doors.plain", "stations", "high")}),
    ({"people_plain": True}, {("doors.plain", "people", "high")}),
    ({"certificate": None}, {("doors.certificate_unreadable", "c.pem", "high")}),
    ({"file": "", "certificate": None, "key_mode": None}, set()),
    ({"certificate": certificate(30.5)}, set()),
    ({"certificate": certificate(29)}, {("doors.certificate_expires", "c.pem", "medium")}),
    ({"certificate": certificate(6)}, {("doors.certificate_expires", "c.pem", "high")}),
    ({"certificate": certificate(0)}, {("doors.certificate_expired", "c.pem", "high")}),
    ({"certificate": certificate(60, is_weak=True, bits=1024)}, {("doors.certificate_weak", "c.pem", "high")}),
    ({"key_mode": 0o100640}, {("doors.key_readable", "c.pem", "high")}),
    ({"key_mode": 0o100400}, set()),
    ({"handshakes": (Handshake("stations", b"good", False),)}, set()),
    ({"handshakes": (Handshake("stations", b"old", False),)}, {("doors.certificate_stale", "stations", "medium")}),
    ({"handshakes": (Handshake("people", b"good", True),)}, {("doors.protocol_old", "people", "high")}),
]


@pytest.mark.parametrize(("given", "expected"), DOORS)
def test_doors_are_judged(given: dict[str, Any], expected: set[tuple[str, str, str]]) -> None:
    assert told(doors.judge(seen_doors(**given), NOW)) == expected


# --- people ---------------------------------------------------------------------------------------------


def known(account: str = "a1", role: Role = Role.OPERATOR, **given: Any) -> Known:
    """Somebody who works here, by a passkey, and was here yesterday."""
    usual: dict[str, Any] = {"is_active": True, "created_at": days(400), "seen_at": days(1), "failures": 0}
    usual |= {"passkeys": 1, "has_password": False, "has_totp": False, "has_company": False}
    return Known(account, role, **(usual | {"used": frozenset(), "days_used": 0} | given))


OWNERS = (known("o1", Role.OWNER), known("o2", Role.OWNER))


def judged(*staff: Known, **given: Any) -> set[tuple[str, str, str]]:
    """What is found of these and two owners who are as they should be."""
    seen = people.Seen((*OWNERS, *staff), given.pop("stepped_up", 0), given.pop("guessed", {}))
    return told(people.judge(seen, NOW))


PEOPLE: list[tuple[Known, set[tuple[str, str]]]] = [
    (known(), set()),
    (known(seen_at=days(91)), {("people.dormant", "medium")}),
    (known(seen_at=days(89)), set()),
    (known(seen_at=None, created_at=days(91)), {("people.dormant", "medium")}),
    (known(seen_at=days(91), is_active=False), set()),
    (known(passkeys=0, has_password=True), {("people.no_second_factor", "high")}),
    (known(passkeys=0, has_password=True, has_totp=True), {("people.no_passkey", "low")}),
    (known(passkeys=0, has_company=True), set()),
    (known(failures=101), {("people.stepped_up", "medium")}),
    (known(failures=100), set()),
    (known(used=frozenset({Scope.CARDS_READ, Scope.CARDS_WRITE}), days_used=10), {("people.role_wide", "low")}),
    (known(used=frozenset({Scope.CARDS_READ}), days_used=9), set()),
    (known(used=frozenset({Scope.ORDERS_WRITE, Scope.GROUPS_WRITE}), days_used=50), set()),
]


@pytest.mark.parametrize(("one", "expected"), PEOPLE)
def test_accounts_are_judged(one: Known, expected: set[tuple[str, str]]) -> None:
    assert judged(one) == {(code, "a1", severity) for code, severity in expected}


def test_owners_are_neither_too_few_nor_too_many() -> None:
    def owners(count: int) -> set[str]:
        staff = [known(f"o{n}", Role.OWNER) for n in range(count)]
        return {one.code.value for one in people.judge(people.Seen(staff, 0), NOW)}

    assert [owners(n) for n in range(5)] == [
        {"people.owner_missing"},
        {"people.owner_alone"},
        set(),
        set(),
        {"people.owners_many"},
    ]
    disabled = people.Seen([known("o", Role.OWNER, is_active=False)], 0)
    assert {one.code for one in people.judge(disabled, NOW)} == {FindingCode.OWNER_MISSING}


def test_guesses_at_staff_name_the_account_and_those_at_drivers_name_nobody() -> None:
    guessed = {("passwords_guessed", "a1"): 3, ("codes_guessed", "d1"): 2, ("passwords_guessed", ""): 5}
    assert judged(known(), guessed=guessed) == {
        ("people.guessed", "a1", "medium"),
        ("people.drivers_guessed", "", "low"),
    }
    both = {("passwords_guessed", "a1"): 3, ("codes_guessed", "a1"): 1}
    assert judged(known(), guessed=both) == {("people.guessed", "a1", "high")}, "once, at its gravest"


def test_the_narrower_role_has_all_that_was_used_and_less_than_one_has() -> None:
    assert people.narrower(Role.SUPPORT, grants(Role.SUPPORT).anywhere) is None
    assert people.narrower(Role.OWNER, frozenset({Scope.STAFF_WRITE})) is None
    enough = people.narrower(Role.OWNER, frozenset({Scope.PERSONS_READ, Scope.BILLS_WRITE}))
    assert enough is Role.BILLING
    assert people.narrower(Role.AUDITOR, frozenset({Scope.STATIONS_READ})) is None, "no role reads less of everything"
    for role in (Role.OWNER, Role.OPERATOR):
        less = people.narrower(role, frozenset({Scope.STATIONS_READ}))
        assert less is not None and grants(less).anywhere - {Scope.PERSONS_EMERGENCY} < grants(role).anywhere


# --- programs, stations, keys, privacy ------------------------------------------------------------------


def token(**given: Any) -> TokenRow:
    usual: dict[str, Any] = {"scopes": frozenset({Scope.SESSIONS_READ}), "created_at": days(100)}
    usual |= {"expires_at": NOW + timedelta(days=9), "last_used_at": days(1)}
    return TokenRow("t1", "meter reader", **(usual | given))


WRITES = frozenset({Scope.ORDERS_WRITE})
TOKENS: list[tuple[TokenRow, set[tuple[str, str]]]] = [
    (token(), set()),
    (token(last_used_at=days(91)), {("programs.dormant", "low")}),
    (token(last_used_at=None, scopes=WRITES), {("programs.dormant", "medium")}),
    (token(last_used_at=None, created_at=days(89)), set()),
    (token(expires_at=None), {("programs.endless", "low")}),
    (token(expires_at=None, scopes=WRITES), {("programs.endless", "medium")}),
    (token(expires_at=days(1), last_used_at=days(200), scopes=PROGRAMS), set()),
    (token(scopes=PROGRAMS), {("programs.wide", "medium")}),
]


@pytest.mark.parametrize(("one", "expected"), TOKENS)
def test_tokens_are_judged(one: TokenRow, expected: set[tuple[str, str]]) -> None:
    found = programs.judge(programs.Seen([one], []), NOW)
    assert told(found) == {(code, "t1", severity) for code, severity in expected}


def test_apps_that_people_forgot_are_counted() -> None:
    (one,) = programs.judge(programs.Seen([], [AppUse("volt", 9, 4), AppUse("amp", 9, 0)]), NOW)
    assert (one.subject, one.figures) == ("volt", {"count": 4, "all": 9})


def test_stations_are_judged_by_their_keys_and_by_what_was_tried() -> None:
    ages = [StationKey("CP1", days(10)), StationKey("CP2", days(3 * 365 + 1))]
    tried = {("duplicate_identity", "CP1"): 1, ("key_wrong", "CP1"): 19, ("key_wrong", "CP2"): 20}
    found = stations.judge(stations.Seen(ages, tried | {("duplicate_identity", "gone"): 1}), NOW)
    assert told(found) == {
        ("stations.key_shared", "CP1", "high"),
        ("stations.key_old", "CP2", "low"),
        ("stations.guessed", "CP2", "medium"),
    }


def test_keys_are_judged_by_age_and_the_root_key_by_who_may_read_it() -> None:
    ages = {KeyKind.HOUSE: 364, KeyKind.CARDS: 366, KeyKind.INSTALLATION: 731}
    some = [KeyAge(kind, 1, days(age), is_overdue=age > 365) for kind, age in ages.items()]
    assert told(keys.judge(keys.Seen(some, "w.key", 0o100600), NOW)) == {
        ("keys.overdue", "cards", "low"),
        ("keys.overdue", "installation", "medium"),
    }
    for mode, expected in ((0o100644, "keys.root_readable"), (None, "keys.root_missing")):
        assert told(keys.judge(keys.Seen([], "w.key", mode), NOW)) == {(expected, "w.key", "high")}
    assert keys.judge(keys.Seen([], "", None), NOW) == []


def test_privacy_is_judged_by_what_is_late() -> None:
    due = [("r1", days(1)), ("r2", days(-6)), ("r3", days(-8))]
    seen = privacy.Seen(due, [("l1", days(2)), ("l2", days(8))], [("mail", 7, 3)], ["person.shoe_size"])
    assert told(privacy.judge(seen, NOW)) == {
        ("privacy.request_overdue", "r1", "high"),
        ("privacy.request_waits", "r2", "medium"),
        ("privacy.glass_unreviewed", "l1", "medium"),
        ("privacy.glass_unreviewed", "l2", "high"),
        ("privacy.retention_overdue", "mail", "high"),
        ("privacy.column_unexplained", "person.shoe_size", "medium"),
    }


BACKUPS: list[tuple[tuple[float, float | None, float | None], set[tuple[str, str]]]] = [
    ((0.5, None, None), set()),
    ((2, None, None), {("backups.missing", "medium")}),
    ((8, None, None), {("backups.missing", "high")}),
    ((100, 1, 30), set()),
    ((100, 3, 30), {("backups.old", "medium")}),
    ((100, 8, 91), {("backups.old", "high"), ("backups.untested", "medium")}),
    ((100, 1, None), {("backups.untested", "medium")}),
]


@pytest.mark.parametrize(("ages", "expected"), BACKUPS)
def test_backups_are_judged(ages: tuple[float, float | None, float | None], expected: set[tuple[str, str]]) -> None:
    begun, made, tested = (None if age is None else days(age) for age in ages)
    found = backups.judge(backups.Seen(begun or NOW, made, tested), NOW)
    assert told(found) == {(code, "", severity) for code, severity in expected}


def test_the_log_is_judged_by_its_signatures_its_witnesses_and_its_rows() -> None:
    minute = 1 / 1440
    assert told(proof.judge(proof.Seen(heard={"w": NOW}), NOW)) == set()
    assert told(proof.judge(proof.Seen(), NOW)) == {("log.unwitnessed", "", "low")}
    seen = proof.Seen(
        unsigned_since=days(11 * minute),
        heard={"a": days(50 * minute), "b": days(70 * minute), "c": None},
        refused=2,
        faults=["bill 2026-000001", "deed 7"],
        begun_at=days(2),
    )
    assert told(proof.judge(seen, NOW)) == {
        ("log.checkpoint_old", "", "medium"),
        ("log.witness_silent", "b", "medium"),
        ("log.witness_silent", "c", "high"),
        ("log.witness_disagrees", "", "high"),
        ("log.broken", "", "high"),
    }


def test_what_keeps_it_from_production_is_graver_where_others_reach_it() -> None:
    assert fitness.judge(0, is_here=False) == []
    assert told(fitness.judge(3, is_here=True)) == {("profile.complaint", "", "low")}
    assert told(fitness.judge(3, is_here=False)) == {("profile.complaint", "", "medium")}


# --- words ----------------------------------------------------------------------------------------------

FIGURES: dict[str, Any] = {"days": 3, "count": 2, "mode": "644", "bits": 1024, "accounts": 1, "all": 9, "rows": 4}
FIGURES |= {
    "role": "owner",
    "enough": "support",
    "minutes": 5,
    "version": "1.0",
    "first": "bill 1",
    "advisories": "GHSA-1",
    "fixed": "2",
}


@pytest.mark.parametrize("code", FindingCode)
def test_every_code_is_told_in_words_that_its_figures_fill(code: FindingCode) -> None:
    assert code.check in CHECKS
    row = FindingRow("id", code.value, "CP1", Severity.LOW.value, FIGURES, NOW, NOW, None, None, None, None, None)
    words = str(what_of(row, "Hauptplatz")) + str(TOLD[code].do.filled(subject="x", **FIGURES))
    assert "{" not in words
    assert "owner" not in words.split() or code not in (FindingCode.ROLE_WIDE,), "roles are told in words"


MANY_ALWAYS = {FindingCode.ACCOUNT_STEPPED_UP}
"""What is found only where its count is far above one."""


@pytest.mark.parametrize("code", [one for one in FindingCode if one not in MANY_ALWAYS])
def test_no_code_says_one_days_or_one_times(code: FindingCode) -> None:
    alone = FIGURES | {"count": 1, "rows": 1}
    row = FindingRow("id", code.value, "CP1", Severity.LOW.value, alone, NOW, NOW, None, None, None, None, None)
    assert not re.search(r"\b1 [a-z]+s\b", str(what_of(row, "Hauptplatz")))


def test_what_is_due_in_hours_is_told_as_a_day() -> None:
    soon = NOW + timedelta(hours=5)
    found = privacy.judge(privacy.Seen([("r1", soon), ("r2", NOW - timedelta(hours=5))], (), (), ()), NOW)
    assert [one.figures for one in found] == [{"count": 1}, {"count": 1}]
