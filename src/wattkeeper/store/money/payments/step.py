"""What the provider is to be asked: written down first, asked outside of any transaction, then settled.

A step's id is its idempotency key there, so that one asked again after a crash is done once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import and_, exists, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.money.payments.payment import StepState, Verb
from wattkeeper.store.tables import payment_step
from wattkeeper.store.unit import Unit

S = payment_step.c
COLUMNS = (
    *(S.id, S.payment_id, S.verb, S.amount_minor, S.ref, S.state, S.tries, S.due_at, S.theirs, S.fault),
    *(S.created_at, S.settled_at),
)


@dataclass(frozen=True, slots=True)
class StepRow:
    """One thing the provider is asked."""

    id: str
    payment: str
    verb: Verb
    amount_minor: int
    ref: str | None
    """The document or deed because of which."""
    state: StepState
    tries: int
    due_at: datetime
    theirs: str | None
    fault: str | None
    created_at: datetime
    settled_at: datetime | None


NAMES = tuple(field.name for field in fields(StepRow))


async def add(unit: Unit, payment: str, verb: Verb, amount_minor: int = 0, ref: str | None = None) -> str:
    """Write down that the provider is to be asked this, after all that it is to be asked of the payment already."""
    count = int(await unit.connection.scalar(select(func.count()).where(S.payment_id == payment)) or 0)
    identifier = f"{payment}-{count + 1:04}"
    told: dict[str, Any] = {"id": identifier, "payment_id": payment, "verb": verb.value, "amount_minor": amount_minor}
    told |= {"ref": ref, "state": StepState.OPEN.value, "tries": 0, "due_at": unit.now, "created_at": unit.now}
    await unit.connection.execute(insert(payment_step).values(told))
    return identifier


async def waiting(connection: AsyncConnection, now: datetime, limit: int, payment: str | None = None) -> list[StepRow]:
    """What is to be asked now: of each payment only the first that is open, for they build on each other."""
    earlier = payment_step.alias("earlier").c
    before = and_(earlier.payment_id == S.payment_id, earlier.state == StepState.OPEN.value, earlier.id < S.id)
    wanted = select(*COLUMNS).where(S.state == StepState.OPEN.value, S.due_at <= now, ~exists().where(before))
    if payment is not None:
        wanted = wanted.where(S.payment_id == payment)
    return [_row(row) for row in await connection.execute(wanted.order_by(S.due_at, S.id).limit(limit))]


async def by_id(connection: AsyncConnection, identifier: str) -> StepRow | None:
    """The step of this name."""
    row = (await connection.execute(select(*COLUMNS).where(S.id == identifier))).first()
    return None if row is None else _row(row)


async def of_payments(connection: AsyncConnection, payments: Sequence[str]) -> dict[str, list[StepRow]]:
    """The steps of each of these payments, in their order."""
    found: dict[str, list[StepRow]] = {one: [] for one in payments}
    wanted = select(*COLUMNS).where(S.payment_id.in_(payments)).order_by(S.id)
    for row in await connection.execute(wanted):
        found[row.payment_id].append(_row(row))
    return found


async def begin(unit: Unit, identifier: str, due_at: datetime) -> None:
    """It is asked now; where nothing more is heard of that, again from an instant on."""
    await _put_off(unit, identifier, tries=S.tries + 1, due_at=due_at)


async def put_off(unit: Unit, identifier: str, due_at: datetime, fault: str) -> None:
    """It could not be done: it is asked again from an instant on, unless it is settled before."""
    await _put_off(unit, identifier, due_at=due_at, fault=fault)


async def _put_off(unit: Unit, identifier: str, **values: Any) -> None:
    open_one = (S.id == identifier) & (S.state == StepState.OPEN.value)
    await unit.connection.execute(update(payment_step).where(open_one).values(values))


async def hurry(unit: Unit, payment: str) -> None:
    """Ask what is open of a payment now."""
    open_ones = (S.payment_id == payment) & (S.state == StepState.OPEN.value)
    await unit.connection.execute(update(payment_step).where(open_ones).values(due_at=unit.now))


async def settle(
    unit: Unit, identifier: str, state: StepState, theirs: str | None = None, fault: str | None = None
) -> None:
    """It was done, or failed for good."""
    values = {"state": state.value, "theirs": theirs, "fault": fault, "settled_at": unit.now}
    await unit.connection.execute(update(payment_step).where(S.id == identifier).values(values))


async def settle_open(unit: Unit, payment: str, verbs: Sequence[Verb], state: StepState, fault: str | None) -> None:
    """Settle what is open of these verbs of a payment: it came about another way, or never will."""
    which = (S.payment_id == payment) & (S.state == StepState.OPEN.value) & S.verb.in_([one.value for one in verbs])
    values = {"state": state.value, "fault": fault, "settled_at": unit.now}
    await unit.connection.execute(update(payment_step).where(which).values(values))


async def called(connection: AsyncConnection, theirs: Sequence[str]) -> dict[str, StepRow]:
    """What came of steps, by the provider's names for it: for comparing, never for showing."""
    wanted = select(*COLUMNS).where(S.theirs.in_(theirs), S.verb == Verb.REFUND.value)
    rows = [_row(row) for row in await connection.execute(wanted)]
    return {row.theirs: row for row in rows if row.theirs}


async def refunds_between(connection: AsyncConnection, since: datetime, until: datetime) -> list[StepRow]:
    """What was given back between two instants: for comparing, never for showing."""
    wanted = select(*COLUMNS).where(S.verb == Verb.REFUND.value, S.state == StepState.DONE.value)
    wanted = wanted.where(S.settled_at >= since, S.settled_at < until).order_by(S.id)
    return [_row(row) for row in await connection.execute(wanted)]


def _row(row: Sequence[Any]) -> StepRow:
    """A step of a row selected as COLUMNS."""
    values = dict(zip(NAMES, row, strict=True))
    values |= {"verb": Verb(values["verb"]), "state": StepState(values["state"])}
    return StepRow(**values)
