"""Who signs in through their company: which subject there is which account here."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.deed import DeedKind
from wattkeeper.store import deed
from wattkeeper.store.tables import identity
from wattkeeper.store.unit import Unit

D = identity.c


async def account_of(connection: AsyncConnection, issuer: str, subject_refs: Collection[str]) -> str | None:
    """The id of the account of a subject, by any of its pseudonyms; None where it has none."""
    wanted = select(D.account_id).where(D.issuer == issuer, D.subject_ref.in_([*subject_refs]))
    found = (await connection.execute(wanted)).scalar()
    return None if found is None else str(found)


async def issuers(connection: AsyncConnection, account_id: str) -> list[str]:
    """Through which companies an account is signed in to."""
    wanted = select(D.issuer).where(D.account_id == account_id).order_by(D.issuer)
    return [str(one) for one in (await connection.execute(wanted)).scalars()]


async def keep(unit: Unit, issuer: str, subject_ref: str, account_id: str) -> None:
    """Connect a subject with an account; the database refuses a subject that has one."""
    values = {"issuer": issuer, "subject_ref": subject_ref, "account_id": account_id, "created_at": unit.now}
    await unit.connection.execute(insert(identity).values(values))
    await deed.enter(unit, DeedKind.PROOF, account_id, account_id, {"added": "company sign-in"})


async def rename(unit: Unit, issuer: str, older: Collection[str], subject_ref: str) -> None:
    """Know a subject by its newest pseudonym from now on."""
    mine = (D.issuer == issuer) & D.subject_ref.in_([*older])
    await unit.connection.execute(update(identity).where(mine).values(subject_ref=subject_ref))


async def remove(unit: Unit, account_id: str, issuer: str) -> bool:
    """Disconnect an account from a company's sign-in; False where it was not connected."""
    mine = (D.account_id == account_id) & (D.issuer == issuer)
    gone = bool((await unit.connection.execute(delete(identity).where(mine))).rowcount)
    if gone:
        await deed.enter(unit, DeedKind.PROOF, account_id, account_id, {"removed": "company sign-in"})
    return gone
