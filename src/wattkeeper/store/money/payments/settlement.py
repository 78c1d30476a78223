"""How each document is paid: noted once, when the books charged it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.money.ledger import EntryKind
from wattkeeper.charging.money.payments.paying import Way
from wattkeeper.store.tables import bill, ledger_entry, settlement
from wattkeeper.store.unit import Unit

B, E, S = bill.c, ledger_entry.c, settlement.c


@dataclass(frozen=True, slots=True)
class Charged:
    """A document as the books charged it; amounts are what it adds, minor units."""

    entry: int
    number: str
    session: str
    person: str
    group: str
    site: str
    currency: str
    digits: int
    net_minor: int
    gross_minor: int
    energy_wh: Decimal
    issued_at: datetime


CHARGED = (
    *(E.n, B.number, B.session_id, B.person_id, B.grouping, B.site, B.currency, B.digits),
    *(B.net_minor, B.gross_minor, B.energy_wh, B.issued_at),
)


async def charged(connection: AsyncConnection, after: int, limit: int) -> tuple[list[Charged], int]:
    """The documents among the ``limit`` entries of the ledger after a number, and the number of the last of those."""
    upto = await connection.scalar(select(func.max(E.n)).where(E.n > after, E.n <= after + limit)) or after
    kinds = (EntryKind.CHARGE.value, EntryKind.CREDIT.value)
    wanted = select(*CHARGED).join(bill, B.number == E.ref)
    wanted = wanted.where(E.n > after, E.n <= upto, E.kind.in_(kinds)).order_by(E.n)
    return [_charged(row) for row in await connection.execute(wanted)], int(upto)


async def credited(connection: AsyncConnection, after: int, person: str, currency: str) -> int:
    """What credit notes after an entry of the ledger add to what somebody owes: nothing, or less; minor units."""
    wanted = select(func.sum(B.gross_minor)).join(ledger_entry, E.ref == B.number)
    wanted = wanted.where(E.n > after, E.kind == EntryKind.CREDIT.value)
    return int(await connection.scalar(wanted.where(B.person_id == person, B.currency == currency)) or 0)


@dataclass(frozen=True, slots=True)
class Settlement:
    """A document, and how it is paid."""

    number: str
    session: str
    person: str
    way: Way
    currency: str
    digits: int
    gross_minor: int
    month: str
    created_at: datetime
    invoice: str | None


async def keep(unit: Unit, one: Charged, way: Way, month: str) -> None:
    """Note how a document is paid."""
    told = {"number": one.number, "entry": one.entry, "session_id": one.session, "person_id": one.person}
    told |= {"way": way.value, "currency": one.currency, "digits": one.digits, "gross_minor": one.gross_minor}
    await unit.connection.execute(insert(settlement).values(told | {"month": month, "created_at": one.issued_at}))


COLUMNS = (
    *(S.number, S.session_id, S.person_id, S.way, S.currency, S.digits, S.gross_minor, S.month, S.created_at),
    S.invoice,
)


async def by_card(connection: AsyncConnection, session: str) -> list[Settlement]:
    """The documents of a session that are paid by card, in the order of their issue."""
    wanted = select(*COLUMNS).where(S.session_id == session, S.way == Way.CARD.value).order_by(S.entry)
    return [_row(row) for row in await connection.execute(wanted)]


async def is_settled(connection: AsyncConnection, session: str) -> bool:
    """Whether it is noted how a session is paid."""
    return await connection.scalar(select(S.number).where(S.session_id == session).limit(1)) is not None


async def to_invoice(connection: AsyncConnection, before: str, limit: int) -> list[tuple[str, str, str]]:
    """Who has documents for a monthly invoice of a month before this one: person, month, currency."""
    wanted = select(S.person_id, S.month, S.currency).where(_uninvoiced(), S.month < before).distinct()
    rows = await connection.execute(wanted.order_by(S.month, S.person_id, S.currency).limit(limit))
    return [(person, month, currency) for person, month, currency in rows]


async def of_month(connection: AsyncConnection, person: str, month: str, currency: str) -> list[Settlement]:
    """What a monthly invoice for somebody consists of."""
    wanted = select(*COLUMNS).where(_uninvoiced(), S.person_id == person, S.month == month, S.currency == currency)
    return [_row(row) for row in await connection.execute(wanted.order_by(S.entry))]


async def put_on(unit: Unit, numbers: Sequence[str], invoice: str) -> None:
    """These documents stand on a monthly invoice."""
    await unit.connection.execute(update(settlement).where(S.number.in_(numbers)).values(invoice=invoice))


async def is_any_invoiced(connection: AsyncConnection) -> bool:
    """Whether anything was ever left to be paid by invoice: for deeds, never for showing whose."""
    return await connection.scalar(select(S.number).where(S.way == Way.INVOICE.value).limit(1)) is not None


async def ways(connection: AsyncConnection, numbers: Sequence[str]) -> dict[str, tuple[Way, str | None]]:
    """How each of these documents is paid, and on which monthly invoice it stands."""
    rows = await connection.execute(select(S.number, S.way, S.invoice).where(S.number.in_(numbers)))
    return {number: (Way(way), invoice) for number, way, invoice in rows}


def _uninvoiced() -> Any:
    return (S.way == Way.INVOICE.value) & S.invoice.is_(None)


def _charged(row: Sequence[Any]) -> Charged:
    return Charged(*row)


def _row(row: Sequence[Any]) -> Settlement:
    """How a document is paid, of a row selected as COLUMNS."""
    number, session, person, way, *rest = row
    return Settlement(number, session, person, Way(way), *rest)
