"""What owners want to know of those who work here: how each signs in, how often, and which sites there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.person import Role, Scope, Viewer
from wattkeeper.store.people import account as accounts
from wattkeeper.store.people.account import AccountState
from wattkeeper.store.tables import account, identity, login, passkey, placement
from wattkeeper.store.unit import Unit


@dataclass(frozen=True, slots=True)
class Ways:
    """How somebody signs in, and how many sign-ins are good now."""

    passkeys: int
    password: bool
    totp: bool
    company: bool
    """Whether through their company's own sign-in."""
    logins: int


async def ways(connection: AsyncConnection, viewer: Viewer, now: datetime, rests: timedelta) -> dict[str, Ways]:
    """How everyone who works here signs in, by account; a sign-in ends where it ``rests`` that long."""
    viewer.need(Scope.STAFF_READ)
    rows = await accounts.staff(connection)
    ids = [row.id for row in rows]
    keys = await _counts(connection, passkey.c.account_id, ids)
    elsewhere = await _counts(connection, identity.c.account_id, ids)
    good = (login.c.expires_at > now, login.c.seen_at >= now - rests, login.c.half.is_(False))
    logins = await _counts(connection, login.c.account_id, ids, *good)
    return {
        row.id: Ways(
            keys.get(row.id, 0),
            row.password_hash is not None,
            row.totp_confirmed,
            row.id in elsewhere,
            logins.get(row.id, 0),
        )
        for row in rows
    }


async def _counts(
    connection: AsyncConnection, column: ColumnElement[str], ids: Sequence[str], *where: ColumnElement[bool]
) -> dict[str, int]:
    """How many rows name each of these accounts in a column."""
    wanted = select(column, func.count()).where(column.in_(ids), *where).group_by(column)
    return {str(one): int(count) for one, count in await connection.execute(wanted)}


async def other_owner(unit: Unit, but: str) -> bool:
    """Whether an owner other than this account can sign in; holds the owners until the unit ends."""
    active = (account.c.role == Role.OWNER.value, account.c.state == AccountState.ACTIVE.value)
    rows = await unit.connection.execute(select(account.c.id).where(*active).order_by(account.c.id).with_for_update())
    return any(identifier != but for (identifier,) in rows)


async def sites(connection: AsyncConnection, viewer: Viewer) -> list[str]:
    """The places that stations stand or stood at, by name."""
    viewer.need(Scope.STAFF_READ)
    wanted = select(placement.c.site).where(placement.c.site != "").distinct().order_by(placement.c.site)
    return [str(site) for (site,) in await connection.execute(wanted)]
