"""Apps that people let into their accounts: the apps, their codes, grants and tokens; secrets only as hashes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import orjson
from sqlalchemy import delete, exists, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.deed import DeedKind
from wattkeeper.charging.person import Scope
from wattkeeper.store import deed
from wattkeeper.store.people import account as accounts
from wattkeeper.store.people.account import AccountRow, AccountState
from wattkeeper.store.tables import app_client, app_code, app_grant, app_token
from wattkeeper.store.unit import Unit

CODES_KEPT = timedelta(days=30)
"""How long a code is remembered: one that is shown twice ends what it opened."""
LIVING = frozenset({AccountState.UNVERIFIED, AccountState.ACTIVE})
"""Accounts that an app can be in."""


class TokenUse(StrEnum):
    """What an app's token is for."""

    ACCESS = "access"
    REFRESH = "refresh"


class Ended(StrEnum):
    """Why an app's access ended."""

    OWNER = "owner"
    """Its owner ended it."""
    APP = "app"
    """The app gave it back (RFC 7009)."""
    CODE_TWICE = "code_twice"
    REFRESH_TWICE = "refresh_twice"
    SECRET_CHANGED = "secret_changed"
    """The owner's password changed."""
    DISABLED = "disabled"
    """The account was disabled."""
    CLIENT = "client"
    """The app itself was removed."""


@dataclass(frozen=True, slots=True)
class ClientRow:
    """An app that may ask people to be let in."""

    id: str
    name: str
    redirects: tuple[str, ...]
    secret_hash: bytes | None
    """None where the app can keep no secret (a public client, RFC 6749 2.1)."""
    created_at: datetime
    created_by: str


@dataclass(frozen=True, slots=True)
class CodeRow:
    """An authorization code as kept."""

    client: str
    account: str
    grant: str | None
    redirect: str
    challenge: str
    scopes: frozenset[Scope]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class GrantRow:
    """One app let into one account."""

    id: str
    client: str
    account: str
    scopes: frozenset[Scope]
    created_at: datetime
    used_at: datetime | None
    ended_at: datetime | None
    ended_why: Ended | None


@dataclass(frozen=True, slots=True)
class AppTokenRow:
    """An app's token as kept, and the grant it belongs to."""

    use: TokenUse
    expires_at: datetime
    used_at: datetime | None
    grant: GrantRow


L, C, G, T = app_client.c, app_code.c, app_grant.c, app_token.c
CLIENT = (L.id, L.name, L.redirects, L.secret_hash, L.created_at, L.created_by)
CODE = (C.client_id, C.account_id, C.grant_id, C.redirect, C.challenge, C.scopes, C.expires_at)
GRANT = (G.id, G.client_id, G.account_id, G.scopes, G.created_at, G.used_at, G.ended_at, G.ended_why)

# --- apps ---------------------------------------------------------------------------------------------


async def keep_client(
    unit: Unit, identifier: str, name: str, redirects: Sequence[str], secret_hash: bytes | None, by: str
) -> None:
    """Register an app."""
    values: dict[str, Any] = {"id": identifier, "name": name, "redirects": orjson.dumps(list(redirects)).decode()}
    values |= {"secret_hash": secret_hash, "created_at": unit.now, "created_by": by}
    await unit.connection.execute(insert(app_client).values(values))
    await deed.enter(
        unit, DeedKind.APP, by, identifier, {"what": "registered", "confidential": secret_hash is not None}
    )


async def client(connection: AsyncConnection, identifier: str) -> ClientRow | None:
    """The app with this id."""
    row = (await connection.execute(select(*CLIENT).where(L.id == identifier))).first()
    return None if row is None else _client(row)


async def clients(connection: AsyncConnection) -> list[ClientRow]:
    """Every app, the oldest first."""
    return [_client(row) for row in await connection.execute(select(*CLIENT).order_by(L.created_at, L.id))]


async def remove_client(unit: Unit, identifier: str, by: str = "") -> bool:
    """Forget an app and end what it was let into; False where there was none."""
    await _end(unit, G.client_id == identifier, Ended.CLIENT)
    await unit.connection.execute(delete(app_code).where(C.client_id == identifier))
    gone = bool((await unit.connection.execute(delete(app_client).where(L.id == identifier))).rowcount)
    if gone:
        await deed.enter(unit, DeedKind.APP, by, identifier, {"what": "removed"})
    return gone


# --- codes --------------------------------------------------------------------------------------------


async def keep_code(unit: Unit, code_hash: bytes, code: CodeRow) -> None:
    """Remember a code, and forget the ones of a month ago."""
    await unit.connection.execute(delete(app_code).where(C.expires_at <= unit.now - CODES_KEPT))
    values = {"code_hash": code_hash, "client_id": code.client, "account_id": code.account, "grant_id": code.grant}
    values |= {"redirect": code.redirect, "challenge": code.challenge, "scopes": _said(code.scopes)}
    await unit.connection.execute(insert(app_code).values({**values, "expires_at": code.expires_at}))


async def code(unit: Unit, code_hash: bytes) -> CodeRow | None:
    """The code with this hash, used or not."""
    row = (await unit.connection.execute(select(*CODE).where(C.code_hash == code_hash))).first()
    if row is None:
        return None
    owner, account_id, grant, redirect, challenge, scopes, expires_at = row
    return CodeRow(owner, account_id, grant, redirect, challenge, _scopes(scopes), expires_at)


async def use_code(unit: Unit, code_hash: bytes, grant: str) -> bool:
    """Note what a code became; False where it has been used already, by whoever was first."""
    unused = (C.code_hash == code_hash) & C.grant_id.is_(None)
    return bool((await unit.connection.execute(update(app_code).where(unused).values(grant_id=grant))).rowcount)


async def drop_code(unit: Unit, code_hash: bytes) -> None:
    """Forget a code."""
    await unit.connection.execute(delete(app_code).where(C.code_hash == code_hash))


# --- grants -------------------------------------------------------------------------------------------


async def keep_grant(unit: Unit, identifier: str, code: CodeRow) -> None:
    """An app is let in, as the code says."""
    values = {"id": identifier, "client_id": code.client, "account_id": code.account, "scopes": _said(code.scopes)}
    await unit.connection.execute(insert(app_grant).values({**values, "created_at": unit.now}))
    told = {"what": "let in", "grant": identifier, "app": code.client, "scopes": _said(code.scopes)}
    await deed.enter(unit, DeedKind.APP, code.account, code.account, told)


async def grant(unit: Unit, identifier: str) -> GrantRow | None:
    """The grant with this id, ended or not."""
    row = (await unit.connection.execute(select(*GRANT).where(G.id == identifier))).first()
    return None if row is None else _grant(row)


async def let_in(connection: AsyncConnection, account_id: str, now: datetime) -> list[tuple[GrantRow, str]]:
    """What has access to an account now, each with the app's name, the newest first."""
    unused = (T.grant_id == G.id) & (T.kind == TokenUse.REFRESH.value) & T.used_at.is_(None) & (T.expires_at > now)
    live = (G.account_id == account_id) & G.ended_at.is_(None) & exists(select(T.token_hash).where(unused))
    both = app_grant.join(app_client, L.id == G.client_id)
    wanted = select(*GRANT, L.name).select_from(both).where(live).order_by(G.created_at.desc(), G.id)
    return [(_grant(row[:-1]), str(row[-1])) for row in await connection.execute(wanted)]


async def end_grant(unit: Unit, identifier: str, why: Ended, account_id: str | None = None) -> bool:
    """End a grant (of this account); False where there is none that has not ended."""
    mine = G.id == identifier if account_id is None else (G.id == identifier) & (G.account_id == account_id)
    return await _end(unit, mine, why) > 0


async def end_grants(unit: Unit, account_id: str, why: Ended) -> int:
    """End everything that was let into an account, codes that wait to be used included; gives how many grants."""
    await unit.connection.execute(delete(app_code).where(C.account_id == account_id, C.grant_id.is_(None)))
    return await _end(unit, G.account_id == account_id, why)


async def grant_used(unit: Unit, identifier: str, unless_since: datetime) -> None:
    """Note that a grant is used now, unless that was noted since this instant."""
    stale = (G.id == identifier) & or_(G.used_at.is_(None), G.used_at < unless_since)
    await unit.connection.execute(update(app_grant).where(stale).values(used_at=unit.now))


# --- tokens -------------------------------------------------------------------------------------------


async def keep_token(unit: Unit, token_hash: bytes, grant_id: str, use: TokenUse, expires_at: datetime) -> None:
    """Remember a token of a grant, and forget all that have expired."""
    await unit.connection.execute(delete(app_token).where(T.expires_at <= unit.now))
    values = {"token_hash": token_hash, "grant_id": grant_id, "kind": use.value, "created_at": unit.now}
    await unit.connection.execute(insert(app_token).values({**values, "expires_at": expires_at}))


async def token(unit: Unit, token_hash: bytes) -> AppTokenRow | None:
    """The token with this hash, used, expired, ended or not."""
    both = app_token.join(app_grant, G.id == T.grant_id)
    wanted = select(T.kind, T.expires_at, T.used_at, *GRANT).select_from(both).where(T.token_hash == token_hash)
    row = (await unit.connection.execute(wanted)).first()
    return None if row is None else AppTokenRow(TokenUse(row[0]), row[1], row[2], _grant(row[3:]))


async def use_refresh(unit: Unit, token_hash: bytes) -> bool:
    """Note that a refresh token was used; False where it has been used already, by whoever was first."""
    unused = (T.token_hash == token_hash) & T.used_at.is_(None)
    return bool((await unit.connection.execute(update(app_token).where(unused).values(used_at=unit.now))).rowcount)


async def drop_token(unit: Unit, token_hash: bytes) -> None:
    """Forget a token."""
    await unit.connection.execute(delete(app_token).where(T.token_hash == token_hash))


async def bearer(connection: AsyncConnection, token_hash: bytes, now: datetime) -> tuple[GrantRow, AccountRow] | None:
    """Whose access token this is and what was granted; None where it is none, expired, or its grant has ended."""
    both = app_token.join(app_grant, G.id == T.grant_id)
    good = (T.token_hash == token_hash) & (T.kind == TokenUse.ACCESS.value) & (T.expires_at > now)
    wanted = select(*GRANT).select_from(both).where(good, G.ended_at.is_(None))
    row = (await connection.execute(wanted)).first()
    if row is None:
        return None
    found = _grant(row)
    owner = await accounts.by_id(connection, found.account)
    return None if owner is None or owner.state not in LIVING else (found, owner)


# --- within -------------------------------------------------------------------------------------------


async def _end(unit: Unit, which: Any, why: Ended) -> int:
    """End the grants of a condition that have not ended yet; gives how many."""
    ending = update(app_grant).where(which, G.ended_at.is_(None)).values(ended_at=unit.now, ended_why=why.value)
    count = int((await unit.connection.execute(ending)).rowcount)
    if count:
        ended = (await unit.connection.execute(select(G.id, G.account_id).where(which, G.ended_at == unit.now))).all()
        bodies = {one.account_id: {"what": "put out", "why": why.value} for one in ended}
        await deed.enter_all(unit, DeedKind.APP, "", bodies)
    return count


def _said(scopes: Collection[Scope]) -> str:
    return " ".join(sorted(scopes))


def _scopes(text: str) -> frozenset[Scope]:
    """The scopes of a text; one that exists no more is left out."""
    known = {scope.value for scope in Scope}
    return frozenset(Scope(word) for word in text.split() if word in known)


def _client(row: Sequence[Any]) -> ClientRow:
    identifier, name, redirects, secret_hash, created_at, by = row
    kept = None if secret_hash is None else bytes(secret_hash)
    return ClientRow(identifier, name, tuple(orjson.loads(redirects)), kept, created_at, by)


def _grant(row: Sequence[Any]) -> GrantRow:
    identifier, owner, account_id, scopes, created_at, used_at, ended_at, why = row
    ended = None if why is None else Ended(why)
    return GrantRow(identifier, owner, account_id, _scopes(scopes), created_at, used_at, ended_at, ended)
