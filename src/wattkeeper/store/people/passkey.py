"""Passkeys: public keys and counters; what their owners call them is sealed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.deed import DeedKind
from wattkeeper.store import deed
from wattkeeper.store.tables import passkey
from wattkeeper.store.unit import Unit


@dataclass(frozen=True, slots=True)
class PasskeyRow:
    """A passkey as kept."""

    credential: bytes
    id: str
    account: str
    public_key: bytes
    sign_count: int
    transports: tuple[str, ...]
    backed_up: bool
    label: bytes | None
    created_at: datetime
    used_at: datetime | None


P = passkey.c
PASSKEY = (
    *(P.credential_id, P.id, P.account_id, P.public_key, P.sign_count),
    *(P.transports, P.backed_up, P.label, P.created_at, P.used_at),
)


async def keep(unit: Unit, row: PasskeyRow) -> bool:
    """Remember a passkey; False where this credential is somebody's already."""
    if await one(unit.connection, row.credential) is not None:
        return False
    values: dict[str, Any] = {
        "credential_id": row.credential,
        "id": row.id,
        "account_id": row.account,
        "public_key": row.public_key,
    }
    values |= {"sign_count": row.sign_count, "transports": orjson.dumps(row.transports).decode()}
    values |= {"backed_up": row.backed_up, "label": row.label, "created_at": row.created_at, "used_at": row.used_at}
    await unit.connection.execute(insert(passkey).values(values))
    await deed.enter(unit, DeedKind.PROOF, row.account, row.account, {"added": "passkey", "id": row.id})
    return True


async def one(connection: AsyncConnection, credential: bytes) -> PasskeyRow | None:
    """The passkey of this credential id."""
    row = (await connection.execute(select(*PASSKEY).where(P.credential_id == credential))).first()
    return None if row is None else _passkey([*row])


async def of_account(connection: AsyncConnection, account: str) -> list[PasskeyRow]:
    """The passkeys of an account, the oldest first."""
    wanted = select(*PASSKEY).where(P.account_id == account).order_by(P.created_at, P.id)
    return [_passkey([*row]) for row in await connection.execute(wanted)]


async def holders(connection: AsyncConnection, accounts: Iterable[str]) -> set[str]:
    """Those of the accounts that have a passkey."""
    wanted = select(P.account_id).where(P.account_id.in_([*accounts])).distinct()
    return {str(account) for (account,) in await connection.execute(wanted)}


async def used(unit: Unit, credential: bytes, count: int, backed_up: bool) -> bool:
    """Note a use; False where the counter did not go up since (0 is no counter): a copy, or a replay."""
    rose = P.sign_count < count if count else P.sign_count == 0
    values = {"sign_count": count, "backed_up": backed_up, "used_at": unit.now}
    changed = await unit.connection.execute(update(passkey).where(P.credential_id == credential, rose).values(values))
    return bool(changed.rowcount)


async def name(unit: Unit, account: str, identifier: str, label: bytes) -> bool:
    """Call a passkey something else; False where the account has none of this id."""
    which = (P.account_id == account) & (P.id == identifier)
    return bool((await unit.connection.execute(update(passkey).where(which).values(label=label))).rowcount)


async def remove(unit: Unit, account: str, identifier: str) -> bool:
    """Remove a passkey; False where the account has none of this id."""
    which = (P.account_id == account) & (P.id == identifier)
    gone = bool((await unit.connection.execute(delete(passkey).where(which))).rowcount)
    if gone:
        await deed.enter(unit, DeedKind.PROOF, account, account, {"removed": "passkey", "id": identifier})
    return gone


async def remove_all(unit: Unit, account: str, *, by: str = "") -> None:
    """Remove every passkey of an account."""
    gone = await unit.connection.execute(delete(passkey).where(P.account_id == account))
    if gone.rowcount:
        told = {"removed": "passkey", "count": int(gone.rowcount)}
        await deed.enter(unit, DeedKind.PROOF, by or account, account, told)


def _passkey(row: Sequence[Any]) -> PasskeyRow:
    credential, identifier, account, public_key, count, transports, backed_up, label, *times = row
    ways, called = tuple(orjson.loads(transports)), None if label is None else bytes(label)
    keys = (bytes(credential), identifier, account, bytes(public_key))
    return PasskeyRow(*keys, count, ways, bool(backed_up), called, *times)
