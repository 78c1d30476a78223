"""API tokens of programs: only their hashes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.deed import DeedKind
from wattkeeper.charging.person import Scope
from wattkeeper.store import deed
from wattkeeper.store.columns import to_micros
from wattkeeper.store.tables import api_token
from wattkeeper.store.unit import Unit


@dataclass(frozen=True, slots=True)
class TokenRow:
    """An API token as kept: never the token itself."""

    id: str
    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    """To the minute."""


TOKEN = (
    *(api_token.c.id, api_token.c.name, api_token.c.scopes),
    *(api_token.c.created_at, api_token.c.expires_at, api_token.c.last_used_at),
)


async def keep_token(
    unit: Unit,
    identifier: str,
    token_hash: bytes,
    name: str,
    scopes: Iterable[Scope],
    expires_at: datetime | None,
    by: str = "",
) -> None:
    """Remember an API token."""
    words = " ".join(sorted(scope.value for scope in scopes))
    values = {"id": identifier, "token_hash": token_hash, "name": name, "scopes": words}
    times = {"created_at": unit.now, "expires_at": expires_at, "last_used_at": None}
    await unit.connection.execute(insert(api_token).values(values | times))
    told = {"what": "made", "scopes": words, "until": None if expires_at is None else to_micros(expires_at)}
    await deed.enter(unit, DeedKind.TOKEN, by, identifier, told)


async def token(connection: AsyncConnection, token_hash: bytes, now: datetime) -> TokenRow | None:
    """The API token with this hash, where it has not expired."""
    good = or_(api_token.c.expires_at.is_(None), api_token.c.expires_at > now)
    row = (await connection.execute(select(*TOKEN).where(api_token.c.token_hash == token_hash, good))).first()
    return None if row is None else _token(*row)


async def tokens(connection: AsyncConnection) -> list[TokenRow]:
    """Every API token, the newest first."""
    rows = await connection.execute(select(*TOKEN).order_by(api_token.c.created_at.desc(), api_token.c.id))
    return [_token(*row) for row in rows]


async def used(unit: Unit, identifier: str, unless_since: datetime) -> None:
    """Note that a token is used now, unless that was noted since this instant."""
    stale = or_(api_token.c.last_used_at.is_(None), api_token.c.last_used_at < unless_since)
    which = (api_token.c.id == identifier) & stale
    await unit.connection.execute(update(api_token).where(which).values(last_used_at=unit.now))


async def remove_token(unit: Unit, identifier: str, by: str = "") -> bool:
    """Remove an API token; False where there was none."""
    gone = await unit.connection.execute(delete(api_token).where(api_token.c.id == identifier))
    if gone.rowcount:
        await deed.enter(unit, DeedKind.TOKEN, by, identifier, {"what": "ended"})
    return bool(gone.rowcount)


def _token(identifier: str, name: str, scopes: str, *times: datetime | None) -> TokenRow:
    """A token of its row; a scope that this version does not know is nobody's."""
    known = frozenset(scope for scope in Scope if scope.value in scopes.split())
    created_at, expires_at, last_used_at = times
    assert created_at is not None
    return TokenRow(identifier, name, known, created_at, expires_at, last_used_at)
