"""Accounts: who has not come for long, who signs in weakly, who may more than they do, who is guessed at."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from wattkeeper.charging.person import Role, Scope
from wattkeeper.operations.people.security import Case
from wattkeeper.operations.people.sign_in.factors import MOST_FAILURES
from wattkeeper.operations.policy import grants
from wattkeeper.operations.security.finding import Finding, FindingCode, Outcome, Severity
from wattkeeper.store.engines import Store
from wattkeeper.store.security import event, rights
from wattkeeper.store.security.rights import Known

DORMANT = timedelta(days=90)
LATELY = timedelta(days=7)
OBSERVED_DAYS = 10
"""On how many days somebody must have worked before what they use says something about what they need."""
MOST_OWNERS = 3
IN_NEED = frozenset({Scope.PERSONS_EMERGENCY})
"""What a role may have beyond a wider one: it is for emergencies, and each is reviewed."""
GUESSED = (Case.PASSWORDS_GUESSED.value, Case.CODES_GUESSED.value, Case.PASSKEY_COPIED.value)


@dataclass(frozen=True, slots=True)
class Seen:
    """What was read of the accounts."""

    staff: Sequence[Known]
    drivers_stepped_up: int
    guessed: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """How often lately, by case and account."""


def judge(seen: Seen, now: datetime) -> list[Finding]:
    """What is wrong with the accounts of those who work here."""
    found = _owners([one for one in seen.staff if one.is_active and one.role is Role.OWNER])
    for one in seen.staff:
        if one.is_active:
            found += _of_account(one, now)
    ids = {one.account for one in seen.staff}
    for (case, account), count in seen.guessed.items():
        if account in ids and count:
            grave = case != Case.PASSWORDS_GUESSED.value
            severity = Severity.HIGH if grave else Severity.MEDIUM
            found.append(Finding(FindingCode.ACCOUNT_GUESSED, account, severity, {"count": count}))
    strangers = sum(count for (_, account), count in seen.guessed.items() if account not in ids)
    if strangers or seen.drivers_stepped_up:
        told = {"count": strangers, "accounts": seen.drivers_stepped_up}
        found.append(Finding(FindingCode.DRIVERS_GUESSED, "", Severity.LOW, told))
    return _worst(found)


def _worst(found: Collection[Finding]) -> list[Finding]:
    """Of findings of one code and subject the gravest."""
    kept: dict[tuple[str, str], Finding] = {}
    for one in sorted(found, key=lambda one: one.severity.rank):
        kept.setdefault(one.key, one)
    return list(kept.values())


def _owners(owners: Sequence[Known]) -> list[Finding]:
    """Too few owners, or too many."""
    if not owners:
        return [Finding(FindingCode.OWNER_MISSING, "", Severity.HIGH)]
    if len(owners) == 1:
        return [Finding(FindingCode.OWNER_ALONE, "", Severity.MEDIUM)]
    if len(owners) > MOST_OWNERS:
        return [Finding(FindingCode.OWNERS_MANY, "", Severity.LOW, {"count": len(owners)})]
    return []


def _of_account(one: Known, now: datetime) -> list[Finding]:
    """What is wrong with one account."""
    found = []
    away = now - (one.seen_at or one.created_at)
    if away > DORMANT:
        found.append(Finding(FindingCode.ACCOUNT_DORMANT, one.account, Severity.MEDIUM, {"days": away.days}))
    if one.has_password and not one.has_totp and not one.passkeys:
        found.append(Finding(FindingCode.NO_SECOND_FACTOR, one.account, Severity.HIGH))
    elif not one.passkeys and not one.has_company and one.has_password:
        severity = Severity.MEDIUM if one.role is Role.OWNER else Severity.LOW
        found.append(Finding(FindingCode.NO_PASSKEY, one.account, severity))
    if one.failures > MOST_FAILURES:
        figures = {"count": one.failures}
        found.append(Finding(FindingCode.ACCOUNT_STEPPED_UP, one.account, Severity.MEDIUM, figures))
    enough = narrower(one.role, one.used) if one.days_used >= OBSERVED_DAYS else None
    if enough is not None:
        severity = Severity.MEDIUM if one.role is Role.OWNER else Severity.LOW
        told = {"role": one.role.value, "enough": enough.value, "days": one.days_used}
        found.append(Finding(FindingCode.ROLE_WIDE, one.account, severity, told))
    return found


def narrower(role: Role, used: frozenset[Scope]) -> Role | None:
    """The role with the fewest rights that has all that were used, of those that have less than this one."""
    most = grants(role).anywhere | IN_NEED
    less = [one for one in Role if one.is_staff and used <= grants(one).anywhere < most]
    less = [one for one in less if len(grants(one).anywhere) < len(grants(role).anywhere)]
    return min(less, key=lambda one: len(grants(one).anywhere), default=None) if used else None


async def check(store: Store, now: datetime) -> Outcome:
    """Read the accounts, judge."""
    async with store.read() as connection:
        staff = await rights.staff(connection)
        stepped_up = await rights.drivers_failing(connection, MOST_FAILURES)
        guessed = await event.counts(connection, now - LATELY, GUESSED)
    seen = Seen(staff, stepped_up, {(case, subject): count for case, subject, count in guessed})
    return Outcome(len(staff), tuple(judge(seen, now)))
