"""What proving oneself changes: failures counted, codes used up, sign-ins renewed; each safe in a race."""

from __future__ import annotations

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.store.columns import EPOCH
from wattkeeper.store.people.account import ACCOUNT, LOGIN, A, AccountRow, AccountState, G, LoginRow, account_of
from wattkeeper.store.tables import account, login
from wattkeeper.store.unit import Unit


async def count_failure(unit: Unit, name_ref: str, stand_in: str) -> AccountRow | None:
    """Count one more wrong password for the account of this name, before it is judged; the account, counted.

    Where there is none, it is counted against the account named ``stand_in``: the same statement, for the same row
    count. None where that is not there either.
    """
    named = select(A.id).where(A.name_ref.in_([name_ref, stand_in])).order_by(A.name_ref == stand_in).limit(1)
    which = A.id == named.correlate(None).scalar_subquery()
    counted = update(account).where(which).values(failures=A.failures + 1).returning(*ACCOUNT)
    return account_of((await unit.connection.execute(counted)).first())


async def count_failure_of(unit: Unit, account_id: str) -> AccountRow | None:
    """Count one more failure of an account, before it is judged; the account, counted."""
    counted = update(account).where(A.id == account_id).values(failures=A.failures + 1).returning(*ACCOUNT)
    return account_of((await unit.connection.execute(counted)).first())


async def still_fits(unit: Unit, account_id: str, password_hash: str) -> bool:
    """Whether this is the account's password still, and the account is active; it stays so until the unit ends."""
    which = (A.id == account_id) & (A.password_hash == password_hash) & (A.state == AccountState.ACTIVE.value)
    held = await unit.connection.execute(update(account).where(which).values(failures=A.failures))
    return bool(held.rowcount)


async def take_back_failure(unit: Unit, account_id: str) -> None:
    """It was right after all."""
    which = (A.id == account_id) & (A.failures > 0)
    await unit.connection.execute(update(account).where(which).values(failures=A.failures - 1))


async def forgive(unit: Unit, account_id: str) -> None:
    """The person proved themselves in a stronger way than by password: failures count anew."""
    await unit.connection.execute(update(account).where(A.id == account_id, A.failures > 0).values(failures=0))


async def use_step(unit: Unit, account_id: str, step: int) -> bool:
    """Use up a step of the code app and all before it; False where it was used already."""
    which = (A.id == account_id) & (A.totp_step < step)
    return bool((await unit.connection.execute(update(account).where(which).values(totp_step=step))).rowcount)


async def login_named(connection: AsyncConnection, account_id: str, identifier: str) -> LoginRow | None:
    """The whole sign-in of an account with this public id."""
    which = (G.account_id == account_id) & (G.id == identifier) & G.half.is_(False)
    row = (await connection.execute(select(*LOGIN).where(which))).first()
    return None if row is None else LoginRow(*row)


async def complete(unit: Unit, half_hash: bytes) -> bool:
    """Use up a half sign-in, to make it whole; False where somebody was faster."""
    gone = await unit.connection.execute(delete(login).where(G.token_hash == half_hash, G.half.is_(True)))
    return bool(gone.rowcount)


async def renew(unit: Unit, account_id: str, identifier: str, token_hash: bytes, *, proved: bool) -> bool:
    """Give a sign-in another secret, and where ``proved`` a fresh proof; False where it has ended."""
    which = (G.account_id == account_id) & (G.id == identifier) & G.half.is_(False)
    values = {"token_hash": token_hash} | ({"proved_at": unit.now} if proved else {})
    return bool((await unit.connection.execute(update(login).where(which).values(values))).rowcount)


async def make_stale(unit: Unit, account_id: str, but: str) -> None:
    """The proofs of the account's other sign-ins count no more: there is another way to prove oneself now."""
    which = (G.account_id == account_id) & (G.id != but)
    await unit.connection.execute(update(login).where(which).values(proved_at=EPOCH))
