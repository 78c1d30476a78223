"""Accounts of people and their sign-ins; names sealed, secrets only as hashes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import orjson
from sqlalchemy import Row, delete, insert, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.deed import DeedKind
from wattkeeper.charging.person import Role
from wattkeeper.store import deed
from wattkeeper.store.columns import EPOCH, from_micros
from wattkeeper.store.tables import account, login, subject_key
from wattkeeper.store.unit import Unit


class AccountState(StrEnum):
    """Where an account is in its life."""

    INVITED = "invited"
    """Somebody was asked to work here and has not answered."""
    UNVERIFIED = "unverified"
    """Signed up; the e-mail address is not proved yet."""
    ACTIVE = "active"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account as kept; its name is sealed under the person's key."""

    id: str
    person: str
    sealed: bytes
    role: Role
    sites: frozenset[str]
    state: AccountState
    password_hash: str | None
    totp: bytes | None
    totp_step: int
    totp_confirmed: bool
    failures: int
    created_at: datetime
    created_by: str
    verified_at: datetime | None
    seen_at: datetime | None
    password_short: bool
    """Whether the password is too short to stand alone."""


@dataclass(frozen=True, slots=True)
class LoginRow:
    """A sign-in as kept."""

    id: str
    account: str
    half: bool
    how: str
    device: bytes | None
    created_at: datetime
    proved_at: datetime
    seen_at: datetime
    expires_at: datetime


MOST_LOGINS = 100
"""Whole sign-ins of one account; the oldest ends when there are more."""
A, G = account.c, login.c
ACCOUNT = (
    *(A.id, A.person_id, A.sealed, A.role, A.sites, A.state, A.password_hash, A.totp, A.totp_step),
    *(A.totp_confirmed, A.failures, A.created_at, A.created_by, A.verified_at, A.seen_at),
    A.password_short,
)
LOGIN = (G.id, G.account_id, G.half, G.how, G.device, G.created_at, G.proved_at, G.seen_at, G.expires_at)

# --- accounts -----------------------------------------------------------------------------------------


async def by_name(connection: AsyncConnection, name_ref: str) -> AccountRow | None:
    """The account that signs in with the name of this pseudonym."""
    return account_of((await connection.execute(select(*ACCOUNT).where(A.name_ref == name_ref))).first())


async def by_id(connection: AsyncConnection, identifier: str) -> AccountRow | None:
    """The account with this id."""
    return account_of((await connection.execute(select(*ACCOUNT).where(A.id == identifier))).first())


async def of_person(connection: AsyncConnection, person: str) -> AccountRow | None:
    """The account of a person."""
    return account_of((await connection.execute(select(*ACCOUNT).where(A.person_id == person))).first())


async def staff(connection: AsyncConnection) -> list[AccountRow]:
    """Every account of those who work here, the oldest first."""
    wanted = select(*ACCOUNT).where(A.role != Role.DRIVER.value).order_by(A.created_at, A.id)
    return [one for row in await connection.execute(wanted) if (one := account_of(row))]


@dataclass(frozen=True, slots=True)
class SealedName:
    """An account's name, sealed, and its person's wrapped key; None where that was destroyed."""

    account: str
    person: str
    role: Role
    sealed: bytes
    wrapped: bytes | None


async def sealed_names(connection: AsyncConnection, ids: Collection[str]) -> list[SealedName]:
    """The names of these accounts, as kept."""
    both = account.outerjoin(subject_key, subject_key.c.subject == A.person_id)
    wanted = select(A.id, A.person_id, A.role, A.sealed, subject_key.c.wrapped).select_from(both)
    rows = await connection.execute(wanted.where(A.id.in_(ids)))
    return [
        SealedName(one, whose, Role(role), bytes(sealed), None if key is None else bytes(key))
        for one, whose, role, sealed, key in rows
    ]


async def any_owner(connection: AsyncConnection) -> bool:
    """Whether an owner exists who can sign in."""
    wanted = select(A.id).where(A.role == Role.OWNER.value, A.state == AccountState.ACTIVE.value).limit(1)
    return (await connection.execute(wanted)).first() is not None


async def make(
    unit: Unit,
    identifier: str,
    person: str,
    name_ref: str,
    sealed: bytes,
    role: Role,
    state: AccountState,
    by: str,
    *,
    sites: Sequence[str] = (),
    password_hash: str | None = None,
    password_short: bool = False,
    verified: bool = False,
) -> None:
    """Make an account; the database refuses a second one of the same name."""
    values: dict[str, Any] = {"id": identifier, "person_id": person, "name_ref": name_ref, "sealed": sealed}
    values |= {"role": role.value, "sites": orjson.dumps(sorted(sites)).decode(), "state": state.value}
    values |= {"password_hash": password_hash, "totp_step": 0, "totp_confirmed": False, "failures": 0}
    values |= {"created_at": unit.now, "created_by": by, "password_short": password_short}
    values |= {"verified_at": unit.now if verified else None}
    await unit.connection.execute(insert(account).values(values))
    told = {"what": ["made"], "role": role.value, "state": state.value, "sites": sorted(sites)}
    await deed.enter(unit, DeedKind.ACCOUNT, by, identifier, told | {"password": password_hash is not None})


PROVABLE = frozenset({"role", "sites", "state", "password_hash", "totp_confirmed", "name_ref"})
"""What of an account is written down as a deed when it changes: what it may do, and how one comes in."""
TOLD = frozenset({"role", "sites", "state", "totp_confirmed"})
"""What of that the deed says; of the rest only that it was changed."""


async def change(unit: Unit, identifier: str, *, by: str = "", **values: Any) -> bool:
    """Set columns of an account (as `wattkeeper.store.tables` names them); False where there is none.

    ``by``: who did it, where it was not the account's own owner.
    """
    changed = await unit.connection.execute(update(account).where(A.id == identifier).values(values))
    if changed.rowcount and PROVABLE & set(values):
        told = {name: values[name] for name in TOLD & set(values)}
        told["what"] = sorted(PROVABLE & set(values))
        await deed.enter(unit, DeedKind.ACCOUNT, by or identifier, identifier, told)
    return bool(changed.rowcount)


async def remove(unit: Unit, identifier: str, *, by: str = "") -> bool:
    """Remove an account and its sign-ins; False where there was none."""
    await end_logins(unit, identifier)
    gone = await unit.connection.execute(delete(account).where(A.id == identifier))
    if gone.rowcount:
        await deed.enter(unit, DeedKind.ACCOUNT, by or identifier, identifier, {"what": ["removed"]})
    return bool(gone.rowcount)


# --- sign-ins -----------------------------------------------------------------------------------------


async def keep_login(
    unit: Unit,
    token_hash: bytes,
    identifier: str,
    account_id: str,
    how: str,
    expires_at: datetime,
    *,
    half: bool = False,
    device: bytes | None = None,
    proved: bool = True,
) -> None:
    """Remember a sign-in, and forget those that have expired or are too many."""
    await unit.connection.execute(delete(login).where(G.expires_at <= unit.now))
    values = {"token_hash": token_hash, "id": identifier, "account_id": account_id, "half": half, "how": how}
    times = {"created_at": unit.now, "seen_at": unit.now, "expires_at": expires_at}
    times["proved_at"] = unit.now if proved else EPOCH
    others = select(G.token_hash).where(G.account_id == account_id, G.half.is_(False))
    oldest = others.order_by(G.created_at.desc(), G.id).offset(MOST_LOGINS - 1)
    if not half:
        await unit.connection.execute(delete(login).where(G.token_hash.in_(oldest)))
    await unit.connection.execute(insert(login).values({**values, **times, "device": device}))


async def signed_in(
    connection: AsyncConnection, token_hash: bytes, now: datetime
) -> tuple[LoginRow, AccountRow] | None:
    """The sign-in with this hash and its account, where it has not expired and the account is not disabled."""
    both = login.join(account, A.id == G.account_id)
    wanted = select(*LOGIN, *ACCOUNT).select_from(both).where(G.token_hash == token_hash, G.expires_at > now)
    row = (await connection.execute(wanted.where(A.state != AccountState.DISABLED.value))).first()
    if row is None:
        return None
    found = account_of(row[len(LOGIN) :])
    assert found is not None
    return LoginRow(*row[: len(LOGIN)]), found


async def logins(connection: AsyncConnection, account_id: str, now: datetime) -> list[LoginRow]:
    """The whole sign-ins of an account that are still good, the newest first."""
    good = (G.account_id == account_id) & (G.expires_at > now) & G.half.is_(False)
    rows = await connection.execute(select(*LOGIN).where(good).order_by(G.created_at.desc(), G.id))
    return [LoginRow(*row) for row in rows]


async def change_login(unit: Unit, token_hash: bytes, **values: Any) -> bool:
    """Set columns of a sign-in; False where there is none."""
    changed = await unit.connection.execute(update(login).where(G.token_hash == token_hash).values(values))
    return bool(changed.rowcount)


async def seen(unit: Unit, token_hash: bytes, account_id: str, unless_since: datetime) -> None:
    """Note that a sign-in is used now, unless that was noted since this instant."""
    stale = (G.token_hash == token_hash) & (G.seen_at < unless_since)
    await unit.connection.execute(update(login).where(stale).values(seen_at=unit.now))
    unseen = (A.id == account_id) & or_(A.seen_at.is_(None), A.seen_at < unless_since)
    await unit.connection.execute(update(account).where(unseen).values(seen_at=unit.now))


async def remove_login(unit: Unit, token_hash: bytes) -> None:
    """Forget a sign-in."""
    await unit.connection.execute(delete(login).where(G.token_hash == token_hash))


async def end_login(unit: Unit, account_id: str, identifier: str) -> bool:
    """End one sign-in of an account by its public id; False where there is none."""
    gone = await unit.connection.execute(delete(login).where(G.account_id == account_id, G.id == identifier))
    return bool(gone.rowcount)


async def end_logins(unit: Unit, account_id: str, but: str = "") -> int:
    """End the sign-ins of an account, but the one with this public id; gives how many."""
    gone = await unit.connection.execute(delete(login).where(G.account_id == account_id, G.id != but))
    return int(gone.rowcount)


async def end_every_login(unit: Unit) -> int:
    """End all sign-ins of everybody; gives how many."""
    return int((await unit.connection.execute(delete(login))).rowcount)


# --- from the first release -----------------------------------------------------------------------------


async def before(unit: Unit) -> list[tuple[str, str, datetime]]:
    """Name, password hash and age of the accounts of the first release, which kept names in clear; empty for most."""
    there = "SELECT name FROM sqlite_master WHERE name = 'account_before'"
    if not unit.is_sqlite:
        there = "SELECT tablename FROM pg_tables WHERE tablename = 'account_before' AND schemaname = current_schema()"
    if (await unit.connection.execute(text(there))).first() is None:
        return []
    rows = await unit.connection.execute(text("SELECT name, password_hash, created_at FROM account_before"))
    return [(name, kept, from_micros(at)) for name, kept, at in rows]


async def forget_before(unit: Unit) -> None:
    """Drop the accounts of the first release, once they are adopted."""
    await unit.connection.execute(text("DROP TABLE account_before"))


def account_of(row: Row[Any] | Sequence[Any] | None) -> AccountRow | None:
    """The account of a row selected as `ACCOUNT`; None for none."""
    if row is None:
        return None
    identifier, person, sealed, role, sites, state, *rest = row
    known = (Role(role), frozenset(orjson.loads(sites)), AccountState(state))
    return AccountRow(identifier, person, bytes(sealed), *known, *rest)
