"""Money that people move by hand: given up, given back, paid out, entered; above a limit a second person must agree."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import func, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.store.tables import money_deed
from wattkeeper.store.unit import Unit

D = money_deed.c


class MoneyDeed(StrEnum):
    """What is done."""

    WRITE_OFF = "write_off"
    """What a person owes is given up."""
    REFUND = "refund"
    """What came in without need goes back."""
    PAYOUT = "payout"
    """The host of a site is paid."""
    ENTER = "enter"
    """Money that is said to have come to the bank is entered; kept here where it takes a second person."""


class DeedState(StrEnum):
    """What became of it."""

    OPEN = "open"
    """It waits for a second person."""
    DONE = "done"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeedRow:
    """Money moved by hand; minor units."""

    id: str
    deed: MoneyDeed
    person: str | None = None
    site: str | None = None
    payment: str | None = None
    currency: str
    digits: int
    amount_minor: int
    after_entry: int | None = None
    until_entry: int | None = None
    said: str
    state: DeedState
    created_at: datetime
    created_by: str
    settled_at: datetime | None = None
    settled_by: str | None = None


NAMES = tuple(field.name for field in fields(DeedRow))
COLUMNS = tuple(D[{"person": "person_id", "payment": "payment_id"}.get(name, name)] for name in NAMES)


async def keep(unit: Unit, deed: MoneyDeed, money: tuple[int, str, int], said: str, by: str, **more: Any) -> DeedRow:
    """Keep what somebody wants to be done (minor units, currency, digits); it is open."""
    amount, currency, digits = money
    row = DeedRow(
        id=secrets.token_hex(8),
        deed=deed,
        currency=currency,
        digits=digits,
        amount_minor=amount,
        said=said,
        state=DeedState.OPEN,
        created_at=unit.now,
        created_by=by,
        **more,
    )
    values = {column.name: getattr(row, name) for name, column in zip(NAMES, COLUMNS, strict=True)}
    await unit.connection.execute(insert(money_deed).values(values | {"deed": deed.value, "state": row.state.value}))
    return row


async def settle(unit: Unit, row: DeedRow, state: DeedState, by: str) -> DeedRow:
    """It was done, or turned down."""
    told = {"state": state.value, "settled_at": unit.now, "settled_by": by}
    await unit.connection.execute(update(money_deed).where(D.id == row.id).values(told))
    return replace(row, state=state, settled_at=unit.now, settled_by=by)


async def one(connection: AsyncConnection, viewer: Viewer, identifier: str) -> DeedRow | None:
    """The deed with this id (scope bills:read)."""
    viewer.need(Scope.BILLS_READ)
    row = (await connection.execute(select(*COLUMNS).where(D.id == identifier))).first()
    return None if row is None else _row(row)


async def find(
    connection: AsyncConnection,
    viewer: Viewer,
    limit: int,
    *,
    deed: MoneyDeed | None = None,
    state: DeedState | None = None,
    site: str | None = None,
    person: str | None = None,
    before: tuple[datetime, str] | None = None,
) -> list[DeedRow]:
    """Deeds, the newest first; None does not restrict (scope bills:read)."""
    viewer.need(Scope.BILLS_READ)
    wanted = select(*COLUMNS)
    given = ((D.deed, deed and deed.value), (D.state, state and state.value), (D.site, site), (D.person_id, person))
    wanted = wanted.where(*(column == value for column, value in given if value is not None))
    if before is not None:
        wanted = wanted.where(tuple_(D.created_at, D.id) < before)
    rows = await connection.execute(wanted.order_by(D.created_at.desc(), D.id.desc()).limit(limit))
    return [_row(row) for row in rows]


async def paid_until(connection: AsyncConnection, site: str, currency: str) -> int:
    """Up to which entry of the ledger the host of a site was paid; 0 where never."""
    wanted = select(func.max(D.until_entry)).where(D.deed == MoneyDeed.PAYOUT.value, D.state == DeedState.DONE.value)
    return int(await connection.scalar(wanted.where(D.site == site, D.currency == currency)) or 0)


async def alone(connection: AsyncConnection, by: str, person: str, currency: str, since: datetime) -> int:
    """What somebody gave up and gave back for a person since an instant without a second person, minor units."""
    wanted = select(func.sum(D.amount_minor)).where(D.created_by == by, D.settled_by == by, D.created_at > since)
    wanted = wanted.where(D.state == DeedState.DONE.value, D.person_id == person, D.currency == currency)
    return int(await connection.scalar(wanted) or 0)


async def is_open(connection: AsyncConnection, **of: Any) -> bool:
    """Whether such a deed waits for a second person already."""
    wanted = select(D.id).where(D.state == DeedState.OPEN.value, *(D[name] == value for name, value in of.items()))
    return await connection.scalar(wanted.limit(1)) is not None


def _row(row: Sequence[Any]) -> DeedRow:
    """A deed of a row selected as COLUMNS."""
    values = dict(zip(NAMES, row, strict=True))
    return DeedRow(**values | {"deed": MoneyDeed(values["deed"]), "state": DeedState(values["state"])})
