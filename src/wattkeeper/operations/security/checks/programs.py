"""Programs and apps: tokens that nobody uses or that never end, apps that people let in and forgot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from wattkeeper.charging.person import PROGRAMS
from wattkeeper.operations.security.finding import Finding, FindingCode, Outcome, Severity
from wattkeeper.store.engines import Store
from wattkeeper.store.people import api_token
from wattkeeper.store.people.api_token import TokenRow
from wattkeeper.store.security import rights
from wattkeeper.store.security.rights import AppUse

DORMANT = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Seen:
    """What was read of programs and apps."""

    tokens: Sequence[TokenRow]
    apps: Sequence[AppUse]


def judge(seen: Seen, now: datetime) -> list[Finding]:
    """What is wrong with them."""
    good = [one for one in seen.tokens if one.expires_at is None or one.expires_at > now]
    found = [finding for one in good for finding in _of_token(one, now)]
    for app in seen.apps:
        if app.unused:
            told = {"count": app.unused, "all": app.all}
            found.append(Finding(FindingCode.APP_UNUSED, app.client, Severity.LOW, told))
    return found


def _of_token(one: TokenRow, now: datetime) -> list[Finding]:
    """What is wrong with one token."""
    found = []
    away = now - (one.last_used_at or one.created_at)
    writes = any(scope.value.endswith(":write") for scope in one.scopes)
    if away > DORMANT:
        severity = Severity.MEDIUM if writes else Severity.LOW
        found.append(Finding(FindingCode.TOKEN_DORMANT, one.id, severity, {"days": away.days}))
    if one.expires_at is None:
        found.append(Finding(FindingCode.TOKEN_ENDLESS, one.id, Severity.MEDIUM if writes else Severity.LOW))
    if one.scopes >= PROGRAMS:
        found.append(Finding(FindingCode.TOKEN_WIDE, one.id, Severity.MEDIUM))
    return found


async def check(store: Store, now: datetime) -> Outcome:
    """Read the tokens and the apps, judge."""
    async with store.read() as connection:
        tokens = await api_token.tokens(connection)
        apps = await rights.apps(connection, now - DORMANT)
    return Outcome(len(tokens) + len(apps), tuple(judge(Seen(tokens, apps), now)))
