"""What a provider told us, each event once; and where it and we do not agree, until a person has settled it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.money.payments.payment import Differs
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.store.tables import payment_difference, payment_event
from wattkeeper.store.unit import Unit

E, D = payment_event.c, payment_difference.c
OPEN, SETTLED = "open", "settled"


async def is_heard(connection: AsyncConnection, identifier: str) -> bool:
    """Whether an event was heard before."""
    return await connection.scalar(select(E.id).where(E.id == identifier)) is not None


async def hear(unit: Unit, identifier: str, kind: str, payment: str | None, outcome: str, at: datetime) -> None:
    """Note an event, and what came of it."""
    told = {"id": identifier, "kind": kind, "payment_id": payment, "outcome": outcome, "at": at}
    await unit.connection.execute(insert(payment_event).values(told | {"created_at": unit.now}))


@dataclass(frozen=True, slots=True)
class DifferenceRow:
    """Where a provider and we do not agree; amounts in minor units."""

    id: str
    kind: Differs
    theirs: str
    payment: str | None
    ours_minor: int | None
    ours_currency: str | None
    theirs_minor: int | None
    theirs_currency: str | None
    created_at: datetime
    state: str
    settled_at: datetime | None
    settled_by: str | None
    said: str | None


NAMES = tuple(field.name for field in fields(DifferenceRow))
COLUMNS = tuple(D[{"payment": "payment_id"}.get(name, name)] for name in NAMES)


async def differ(
    unit: Unit,
    kind: Differs,
    theirs: str,
    payment: str | None = None,
    ours: tuple[int | None, str | None] = (None, None),
    told: tuple[int | None, str | None] = (None, None),
) -> None:
    """Note a difference, once for each thing and kind; each side's minor units and currency."""
    values: dict[str, Any] = {"id": secrets.token_hex(8), "kind": kind.value, "theirs": theirs}
    values |= {"payment_id": payment, "state": OPEN}
    values |= {"ours_minor": ours[0], "ours_currency": ours[1], "created_at": unit.now}
    values |= {"theirs_minor": told[0], "theirs_currency": told[1]}
    dialect: Any = sqlite if unit.is_sqlite else postgresql
    await unit.connection.execute(dialect.insert(payment_difference).values(values).on_conflict_do_nothing())


async def difference(connection: AsyncConnection, viewer: Viewer, identifier: str) -> DifferenceRow | None:
    """The difference with this id (scope bills:read)."""
    viewer.need(Scope.BILLS_READ)
    row = (await connection.execute(select(*COLUMNS).where(D.id == identifier))).first()
    return None if row is None else _row(row)


async def differences(
    connection: AsyncConnection,
    viewer: Viewer,
    limit: int,
    *,
    state: str | None = OPEN,
    before: tuple[datetime, str] | None = None,
) -> list[DifferenceRow]:
    """Differences, the newest first; None does not restrict (scope bills:read)."""
    viewer.need(Scope.BILLS_READ)
    wanted = select(*COLUMNS) if state is None else select(*COLUMNS).where(D.state == state)
    if before is not None:
        wanted = wanted.where(tuple_(D.created_at, D.id) < before)
    rows = await connection.execute(wanted.order_by(D.created_at.desc(), D.id.desc()).limit(limit))
    return [_row(row) for row in rows]


async def settle(unit: Unit, identifier: str, by: str, said: str) -> None:
    """A person settled a difference, and says how."""
    told = {"state": SETTLED, "settled_at": unit.now, "settled_by": by, "said": said}
    await unit.connection.execute(update(payment_difference).where(D.id == identifier).values(told))


def _row(row: Sequence[Any]) -> DifferenceRow:
    """A difference of a row selected as COLUMNS."""
    values = dict(zip(NAMES, row, strict=True))
    return DifferenceRow(**values | {"kind": Differs(values["kind"])})
