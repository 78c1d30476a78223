"""The buyers of invoices, sealed under the key of their year: what tax law asks to be kept, and no longer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import orjson
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.store.columns import from_micros, to_micros
from wattkeeper.store.tables import paper_buyer, payment_means, subject_key
from wattkeeper.store.unit import Unit

B, K = paper_buyer.c, subject_key.c
YEAR = "invoices:"
"""Before a year: the key under which the buyers of its invoices are sealed."""


class Seals(Protocol):
    """What seals under a key by its name (`operations.safe`)."""

    async def make_subject(self, unit: Unit, subject: str) -> None:
        """Make the key."""

    async def seal_for(self, unit: Unit, subject: str, table: str, column: str, plain: bytes) -> bytes:
        """Seal under it."""


@dataclass(frozen=True, slots=True)
class SealedBuyer:
    """A buyer as kept."""

    number: str
    subject: str
    sealed: bytes
    issued_at: datetime


async def seal_in(unit: Unit, seals: Seals, number: str, issued_at: datetime, told: Mapping[str, str]) -> None:
    """Keep the buyer of an invoice under the key of its year; the first one stays."""
    if await one(unit.connection, number) is not None:
        return
    subject = f"{YEAR}{issued_at.year}"
    if await unit.connection.scalar(select(K.subject).where(K.subject == subject)) is None:
        await seals.make_subject(unit, subject)
    sealed = await seals.seal_for(unit, subject, "paper_buyer", "sealed", orjson.dumps(told))
    unit.upsert(paper_buyer, (number,), (number, subject, sealed, to_micros(issued_at)))
    await unit.flush()


async def one(connection: AsyncConnection, number: str) -> SealedBuyer | None:
    """The buyer of an invoice, sealed."""
    row = (
        await connection.execute(select(B.number, B.subject, B.sealed, B.issued_at).where(B.number == number))
    ).first()
    return None if row is None else SealedBuyer(row.number, row.subject, bytes(row.sealed), row.issued_at)


async def drop_keys(unit: Unit, before: int) -> list[str]:
    """Destroy the keys of years before this one: nobody reads those buyers again, in any copy."""
    years = list(await unit.connection.scalars(select(K.subject).where(K.subject.like(f"{YEAR}%"))))
    over = [one for one in years if one.removeprefix(YEAR).isdigit() and int(one.removeprefix(YEAR)) < before]
    if over:
        await unit.connection.execute(delete(subject_key).where(K.subject.in_(over)))
    return over


# --- what is taken along when somebody goes -----------------------------------------------------------


async def unnamed(unit: Unit, persons: Sequence[str]) -> list[tuple[str, str, datetime, bytes, bytes]]:
    """Monthly invoices of these persons whose buyer is not kept: number, person, when; their sealed name, their key."""
    sql = (
        "SELECT m.number, m.person_id, m.issued_at, p.sealed, k.wrapped FROM monthly_invoice m"
        " JOIN person p ON p.id = m.person_id JOIN subject_key k ON k.subject = m.person_id"
        " LEFT JOIN paper_buyer b ON b.number = m.number"
        " WHERE m.person_id IN {values} AND b.number IS NULL AND p.sealed IS NOT NULL"
    )
    rows = await unit.select_in(sql, persons)
    return [(number, who, from_micros(int(at)), bytes(sealed), bytes(key)) for number, who, at, sealed, key in rows]


async def numbers(unit: Unit, persons: Sequence[str]) -> list[tuple[str, bytes, bytes]]:
    """The cards of these persons: whose, the sealed number, their wrapped key."""
    sql = (
        "SELECT c.person_id, c.sealed, k.wrapped FROM card c JOIN subject_key k ON k.subject = c.person_id"
        " WHERE c.kind <> 'app' AND c.person_id IN {values}"
    )
    rows = await unit.select_in(sql, persons) if persons else []
    return [(person, bytes(sealed), bytes(wrapped)) for person, sealed, wrapped in rows]


async def means(unit: Unit, persons: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What the payment provider keeps for these persons."""
    c = payment_means.c
    wanted = select(c.person_id, c.provider, c.customer, c.method, c.brand, c.last_four)
    rows = await unit.connection.execute(wanted.where(c.person_id.in_(persons)))
    return {
        row.person_id: {str(name): value for name, value in row._mapping.items() if name != "person_id"} for row in rows
    }
