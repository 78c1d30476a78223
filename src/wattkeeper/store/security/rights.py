"""Rights in use: which scopes an account used on which day, and what the security audit reads of accounts and apps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.person import Role, Scope
from wattkeeper.store.columns import to_micros
from wattkeeper.store.people import account as accounts
from wattkeeper.store.people.account import AccountState
from wattkeeper.store.tables import account, app_grant, identity, passkey, scope_use
from wattkeeper.store.unit import Unit

U = scope_use.c


@dataclass(frozen=True, slots=True)
class Known:
    """What the audit knows of somebody who works here: no name."""

    account: str
    role: Role
    is_active: bool
    created_at: datetime
    seen_at: datetime | None
    failures: int
    passkeys: int
    has_password: bool
    has_totp: bool
    has_company: bool
    """Whether they sign in through their company."""
    used: frozenset[Scope]
    days_used: int


@dataclass(frozen=True, slots=True)
class AppUse:
    """How many people let an app in, and how many of these grants nobody uses."""

    client: str
    all: int
    unused: int


async def keep_use(unit: Unit, day: datetime, used: Iterable[tuple[str, frozenset[Scope]]]) -> None:
    """Add what accounts used on a day to what is known of it."""
    wanted = dict(used)
    asked = select(U.account_id, U.scopes).where(U.at == day, U.account_id.in_(list(wanted)))
    before = {row.account_id: set(row.scopes.split()) for row in await unit.connection.execute(asked)}
    for who, scopes in wanted.items():
        words = " ".join(sorted({scope.value for scope in scopes} | before.get(who, set())))
        unit.upsert(scope_use, (who, to_micros(day)), (who, to_micros(day), words))
    await unit.flush()


async def staff(connection: AsyncConnection) -> list[Known]:
    """Everybody who works here, with how they sign in and what they used."""
    keys = await _counts(connection, passkey.c.account_id)
    elsewhere = await _counts(connection, identity.c.account_id)
    used = await _used(connection)
    return [
        Known(
            account=row.id,
            role=row.role,
            is_active=row.state is AccountState.ACTIVE,
            created_at=row.created_at,
            seen_at=row.seen_at,
            failures=row.failures,
            passkeys=keys.get(row.id, 0),
            has_password=row.password_hash is not None,
            has_totp=row.totp_confirmed,
            has_company=row.id in elsewhere,
            used=used.get(row.id, (frozenset(), 0))[0],
            days_used=used.get(row.id, (frozenset(), 0))[1],
        )
        for row in await accounts.staff(connection)
    ]


async def _counts(connection: AsyncConnection, column: object) -> dict[str, int]:
    """How many rows name each account in a column."""
    rows = await connection.execute(select(column, func.count()).group_by(column))  # type: ignore[call-overload]
    return {str(who): int(count) for who, count in rows}


async def _used(connection: AsyncConnection) -> dict[str, tuple[frozenset[Scope], int]]:
    """What each account used, and on how many days."""
    known = {scope.value: scope for scope in Scope}
    found: dict[str, tuple[frozenset[Scope], int]] = {}
    for who, words in await connection.execute(select(U.account_id, U.scopes)):
        before, days = found.get(who, (frozenset(), 0))
        found[who] = (before | {known[word] for word in words.split() if word in known}, days + 1)
    return found


async def drivers_failing(connection: AsyncConnection, most: int) -> int:
    """At how many drivers' accounts more than a password is asked for, because it was guessed at too often."""
    A = account.c  # noqa: N806 - as columns are called everywhere
    asked = select(func.count()).where(A.role == Role.DRIVER.value, A.failures > most, A.state != "disabled")
    return int(await connection.scalar(asked) or 0)


async def apps(connection: AsyncConnection, before: datetime) -> list[AppUse]:
    """By app how many grants are good, and how many of them were not used since an instant."""
    G = app_grant.c  # noqa: N806
    stale = and_(func.coalesce(G.used_at, G.created_at) < before)
    unused = func.sum(case((stale, 1), else_=0))
    asked = select(G.client_id, func.count(), unused).where(G.ended_at.is_(None)).group_by(G.client_id)
    return [AppUse(client, int(count), int(some)) for client, count, some in await connection.execute(asked)]
