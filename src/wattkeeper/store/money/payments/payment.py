"""Payments: one row each, its state moved only by the table of its steps."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import exists, func, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.money.payments.payment import PaymentKind, PaymentState, may_become
from wattkeeper.charging.person import Reach, Scope, Viewer
from wattkeeper.store.tables import money_deed, payment
from wattkeeper.store.unit import Unit

P = payment.c
BANK = "bank"
"""The provider of what people enter by hand."""
ENTERED = "enter"
"""The deed by which money is entered that takes a second person (`store.money.deed`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRow:
    """A payment; amounts in minor units."""

    id: str
    person: str
    """Who pays, by the id."""
    kind: PaymentKind
    provider: str
    session: str | None
    """Without dashes."""
    number: str | None
    """The monthly invoice that it pays."""
    currency: str
    digits: int
    asked_minor: int
    captured_minor: int
    refunded_minor: int
    state: PaymentState
    theirs: str | None
    page: str | None
    url: str | None
    fault: str | None
    created_at: datetime
    created_by: str
    changed_at: datetime

    @property
    def kept_minor(self) -> int:
        """What was taken and not given back."""
        return self.captured_minor - self.refunded_minor


NAMES = tuple(field.name for field in fields(PaymentRow))
COLUMNS = tuple(P[{"person": "person_id", "session": "session_id"}.get(name, name)] for name in NAMES)


# --- keeping ------------------------------------------------------------------------------------------------


async def make(
    unit: Unit, person: str, kind: PaymentKind, provider: str, money: tuple[int, str, int], by: str, **more: Any
) -> PaymentRow:
    """Keep a payment that is asked for; ``money``: minor units, currency, digits."""
    told: dict[str, Any] = dict.fromkeys(("session", "number", "theirs", "page", "url", "fault"))
    told |= {"state": PaymentState.ASKED, "captured_minor": 0, "refunded_minor": 0, **more}
    asked, currency, digits = money
    row = PaymentRow(
        id=secrets.token_hex(8),
        person=person,
        kind=kind,
        provider=provider,
        currency=currency,
        digits=digits,
        asked_minor=asked,
        created_at=unit.now,
        created_by=by,
        changed_at=unit.now,
        **told,
    )
    values = {column.name: getattr(row, name) for name, column in zip(NAMES, COLUMNS, strict=True)}
    await unit.connection.execute(insert(payment).values(values | {"kind": kind.value, "state": row.state.value}))
    return row


async def move(unit: Unit, row: PaymentRow, state: PaymentState, **more: Any) -> PaymentRow:
    """Let a payment take a step of its life, and keep what is told with it; ValueError where there is no such step."""
    if not may_become(row.state, state):
        raise ValueError(f"A payment that is {row.state} cannot become {state}.")
    return await change(unit, row, state=state, changed_at=unit.now, **more)


async def change(unit: Unit, row: PaymentRow, **more: Any) -> PaymentRow:
    """Keep something else of a payment."""
    values = {name: getattr(value, "value", value) for name, value in more.items()}
    await unit.connection.execute(update(payment).where(P.id == row.id).values(values))
    return replace(row, **more)


# --- looking, for deeds ---------------------------------------------------------------------------------------


async def by_id(connection: AsyncConnection, identifier: str) -> PaymentRow | None:
    """The payment of this name: for deeds, never for showing."""
    return await _first(connection, P.id == identifier)


async def by_theirs(connection: AsyncConnection, provider: str, theirs: str) -> PaymentRow | None:
    """The payment that a provider calls so: for deeds, never for showing."""
    return await _first(connection, (P.provider == provider) & (P.theirs == theirs))


async def by_page(connection: AsyncConnection, page: str) -> PaymentRow | None:
    """The payment of a page of the provider's: for deeds, never for showing."""
    return await _first(connection, P.page == page)


async def of_session(connection: AsyncConnection, session: str) -> list[PaymentRow]:
    """The payments for a session, the oldest first: for deeds, never for showing."""
    wanted = select(*COLUMNS).where(P.session_id == session, P.kind == PaymentKind.CHARGE.value)
    return [_row(row) for row in await connection.execute(wanted.order_by(P.created_at, P.id))]


async def with_payments(connection: AsyncConnection, sessions: Sequence[str]) -> set[str]:
    """Those of these sessions for which a payment was ever asked."""
    return set((await connection.execute(select(P.session_id).where(P.session_id.in_(sessions)).distinct())).scalars())


async def in_state(connection: AsyncConnection, *states: PaymentState) -> list[PaymentRow]:
    """All payments in one of these states, the oldest first: for deeds, never for showing."""
    wanted = select(*COLUMNS).where(P.state.in_([one.value for one in states]))
    return [_row(row) for row in await connection.execute(wanted.order_by(P.created_at, P.id))]


async def changed_since(connection: AsyncConnection, state: PaymentState, since: datetime) -> list[PaymentRow]:
    """The payments that came into a state since an instant: for deeds, never for showing."""
    wanted = select(*COLUMNS).where(P.state == state.value, P.changed_at >= since)
    return [_row(row) for row in await connection.execute(wanted.order_by(P.changed_at, P.id))]


async def pages_of(connection: AsyncConnection, person: str, since: datetime) -> int:
    """How many pages of the provider's somebody asked for since an instant."""
    kinds = (PaymentKind.TOP_UP.value, PaymentKind.SETUP.value)
    wanted = select(func.count()).where(P.person_id == person, P.kind.in_(kinds), P.created_at >= since)
    return int(await connection.scalar(wanted.where(P.provider != BANK)) or 0)


async def entered_alone(connection: AsyncConnection, by: str, person: str, currency: str, since: datetime) -> int:
    """What somebody entered for a person since an instant without a second person, minor units."""
    agreed = exists().where(money_deed.c.payment_id == P.id, money_deed.c.deed == ENTERED)
    wanted = select(func.sum(P.captured_minor)).where(P.provider == BANK, P.created_by == by, P.created_at > since)
    return int(await connection.scalar(wanted.where(P.person_id == person, P.currency == currency, ~agreed)) or 0)


async def last_charge(connection: AsyncConnection, person: str) -> PaymentRow | None:
    """The newest payment from somebody's card that was taken or declined: for deeds, never for showing."""
    over = (PaymentState.CAPTURED.value, PaymentState.DECLINED.value)
    wanted = select(*COLUMNS).where(P.person_id == person, P.kind == PaymentKind.CHARGE.value, P.state.in_(over))
    row = (await connection.execute(wanted.order_by(P.changed_at.desc()).limit(1))).first()
    return None if row is None else _row(row)


async def paid_of(connection: AsyncConnection, numbers: Sequence[str]) -> dict[str, int]:
    """What was paid of each of these monthly invoices, minor units."""
    kept = func.sum(P.captured_minor - P.refunded_minor)
    wanted = select(P.number, kept).where(P.number.in_(numbers)).group_by(P.number)
    return {number: int(amount) for number, amount in await connection.execute(wanted)}


async def by_ids(connection: AsyncConnection, identifiers: Sequence[str]) -> dict[str, PaymentRow]:
    """The payments of these names: for deeds and comparing, never for showing."""
    wanted = select(*COLUMNS).where(P.id.in_(identifiers))
    return {row.id: row for row in map(_row, await connection.execute(wanted))}


async def called(connection: AsyncConnection, provider: str, theirs: Sequence[str]) -> dict[str, PaymentRow]:
    """The payments that a provider calls so: for comparing, never for showing."""
    wanted = select(*COLUMNS).where(P.provider == provider, P.theirs.in_(theirs))
    rows = [_row(row) for row in await connection.execute(wanted)]
    return {row.theirs: row for row in rows if row.theirs}


async def between(connection: AsyncConnection, provider: str, since: datetime, until: datetime) -> list[PaymentRow]:
    """What a provider took between two instants by our books: for comparing, never for showing."""
    wanted = select(*COLUMNS).where(P.provider == provider, P.captured_minor > 0)
    wanted = wanted.where(P.changed_at >= since, P.changed_at < until)
    return [_row(row) for row in await connection.execute(wanted.order_by(P.changed_at, P.id))]


# --- looking, for people ----------------------------------------------------------------------------------------


async def one(connection: AsyncConnection, viewer: Viewer, identifier: str) -> PaymentRow | None:
    """The payment of this name, where the viewer may see it (scope bills:read; one's own for drivers)."""
    return await _first(connection, (P.id == identifier) & _reach(viewer))


async def find(
    connection: AsyncConnection,
    viewer: Viewer,
    limit: int,
    *,
    state: PaymentState | None = None,
    person: str | None = None,
    session: str | None = None,
    before: tuple[datetime, str] | None = None,
) -> list[PaymentRow]:
    """Payments, the newest first; None does not restrict (scope bills:read; one's own for drivers)."""
    wanted = select(*COLUMNS).where(_reach(viewer))
    given = ((P.state, state and state.value), (P.person_id, person), (P.session_id, session))
    wanted = wanted.where(*(column == value for column, value in given if value is not None))
    if before is not None:
        wanted = wanted.where(tuple_(P.created_at, P.id) < before)
    rows = await connection.execute(wanted.order_by(P.created_at.desc(), P.id.desc()).limit(limit))
    return [_row(row) for row in rows]


def _reach(viewer: Viewer) -> Any:
    """Everything for staff, one's own for drivers; Refusal FORBIDDEN for anyone else."""
    if viewer.reach(Scope.BILLS_READ) is Reach.ANYWHERE:
        return P.id == P.id
    return P.person_id == viewer.need_own(Scope.BILLS_READ)


async def _first(connection: AsyncConnection, condition: Any) -> PaymentRow | None:
    row = (await connection.execute(select(*COLUMNS).where(condition))).first()
    return None if row is None else _row(row)


def _row(row: Sequence[Any]) -> PaymentRow:
    """A payment of a row selected as COLUMNS."""
    values = dict(zip(NAMES, row, strict=True))
    values |= {"kind": PaymentKind(values["kind"]), "state": PaymentState(values["state"])}
    return PaymentRow(**values)
