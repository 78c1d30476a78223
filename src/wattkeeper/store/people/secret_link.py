"""Codes that are good once and not for long: links in mails, challenges of passkeys; only their hashes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.store.tables import secret_link
from wattkeeper.store.unit import Unit


class Purpose(StrEnum):
    """What a code is good for."""

    INVITE = "invite"
    FIRST_OWNER = "first_owner"
    VERIFY = "verify"
    """Proves the address of somebody who signs up."""
    CHANGE_MAIL = "change_mail"
    RECOVER = "recover"
    STEP = "step"
    """A sign-in for which the password alone is not enough any more."""
    PASSKEY = "passkey"
    """A passkey's challenge."""
    ARCHIVE = "archive"
    """Fetches the archive of one's own data, once."""


@dataclass(frozen=True, slots=True)
class LinkRow:
    """A code as kept."""

    code_hash: bytes
    purpose: Purpose
    account: str | None
    sealed: bytes | None
    created_at: datetime
    expires_at: datetime


S = secret_link.c
LINK = (S.code_hash, S.purpose, S.account_id, S.sealed, S.created_at, S.expires_at)


async def keep(
    unit: Unit,
    code_hash: bytes,
    purpose: Purpose,
    expires_at: datetime,
    account: str | None = None,
    sealed: bytes | None = None,
) -> None:
    """Remember a code, and forget those that have expired."""
    await unit.connection.execute(delete(secret_link).where(S.expires_at <= unit.now))
    values = {"code_hash": code_hash, "purpose": purpose.value, "account_id": account, "sealed": sealed}
    times = {"created_at": unit.now, "expires_at": expires_at}
    await unit.connection.execute(insert(secret_link).values(values | times))


async def look(connection: AsyncConnection, code_hash: bytes, now: datetime) -> LinkRow | None:
    """The code with this hash, where it is still good."""
    wanted = select(*LINK).where(S.code_hash == code_hash, S.expires_at > now)
    row = (await connection.execute(wanted)).first()
    return None if row is None else _link([*row])


async def spend(unit: Unit, code_hash: bytes, purposes: Iterable[Purpose]) -> LinkRow | None:
    """Use a code up that is good for one of these: of many who try at once, one gets it."""
    good = (S.expires_at > unit.now) & S.purpose.in_([purpose.value for purpose in purposes])
    gone = delete(secret_link).where(S.code_hash == code_hash, good).returning(*LINK)
    row = (await unit.connection.execute(gone)).first()
    return None if row is None else _link([*row])


async def open_ones(connection: AsyncConnection, purpose: Purpose, now: datetime) -> list[LinkRow]:
    """The codes of a purpose that are still good, the newest first."""
    wanted = select(*LINK).where(S.purpose == purpose.value, S.expires_at > now)
    rows = await connection.execute(wanted.order_by(S.created_at.desc(), S.code_hash))
    return [_link([*row]) for row in rows]


async def remove(unit: Unit, code_hash: bytes) -> None:
    """Forget one code."""
    await unit.connection.execute(delete(secret_link).where(S.code_hash == code_hash))


async def forget(unit: Unit, purpose: Purpose) -> None:
    """Forget every code of a purpose."""
    await unit.connection.execute(delete(secret_link).where(S.purpose == purpose.value))


async def forget_account(unit: Unit, account: str) -> None:
    """Forget every code that was made for an account."""
    await unit.connection.execute(delete(secret_link).where(S.account_id == account))


async def forget_ways_in(unit: Unit) -> None:
    """Forget every code that an account was made for: links that sign in, challenges."""
    await unit.connection.execute(delete(secret_link).where(S.account_id.is_not(None)))


def _link(row: Sequence[Any]) -> LinkRow:
    code_hash, purpose, account, sealed, *times = row
    return LinkRow(bytes(code_hash), Purpose(purpose), account, None if sealed is None else bytes(sealed), *times)
