"""Recovery codes: only their keyed hashes, each good once."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.deed import DeedKind
from wattkeeper.store import deed
from wattkeeper.store.tables import recovery_code
from wattkeeper.store.unit import Unit

R = recovery_code.c


async def replace(unit: Unit, account: str, hashes: Iterable[bytes]) -> None:
    """Give an account these codes instead of those it has; none takes them away."""
    await unit.connection.execute(delete(recovery_code).where(R.account_id == account))
    rows = [{"code_hash": one, "account_id": account, "created_at": unit.now} for one in hashes]
    if rows:
        await unit.connection.execute(insert(recovery_code), rows)
        await deed.enter(unit, DeedKind.PROOF, account, account, {"added": "recovery codes", "count": len(rows)})


async def left(connection: AsyncConnection, account: str) -> int:
    """How many codes an account has left."""
    wanted = select(func.count()).select_from(recovery_code).where(R.account_id == account)
    return int(await connection.scalar(wanted) or 0)


async def spend(unit: Unit, account: str, code_hashes: Collection[bytes]) -> bool:
    """Use a code up that is kept in one of these ways; False where the account has none such."""
    which = (R.account_id == account) & R.code_hash.in_([*code_hashes])
    return bool((await unit.connection.execute(delete(recovery_code).where(which))).rowcount)
