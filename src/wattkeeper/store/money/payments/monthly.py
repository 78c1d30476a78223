"""Monthly invoices: numbered without gaps in their own series, never changed; what is paid follows from payments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.person import Reach, Scope, Viewer
from wattkeeper.store.tables import bill, monthly_invoice
from wattkeeper.store.unit import Unit

M, B = monthly_invoice.c, bill.c


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    """A monthly invoice; amounts in minor units."""

    number: str
    series: str
    place: int
    person: str
    month: str
    currency: str
    digits: int
    net_minor: int
    vat_minor: int
    gross_minor: int
    issued_at: datetime
    due_on: str
    content: str
    digest: str
    by: str


NAMES = tuple(field.name for field in fields(InvoiceRow))
COLUMNS = tuple(M[{"person": "person_id"}.get(name, name)] for name in NAMES)


def number_of(series: str, place: int) -> str:
    """A monthly invoice's number, such as M2026-000012."""
    return f"M{series}-{place:06}"


async def next_place(unit: Unit, series: str) -> int:
    """The next place in the series of a year; nobody else writes meanwhile."""
    return int(await unit.connection.scalar(select(func.max(M.place)).where(M.series == series)) or 0) + 1


async def keep(unit: Unit, row: InvoiceRow) -> None:
    """Issue a monthly invoice."""
    values = {column.name: getattr(row, name) for name, column in zip(NAMES, COLUMNS, strict=True)}
    await unit.connection.execute(insert(monthly_invoice).values(values))


@dataclass(frozen=True, slots=True)
class Item:
    """A document that stands on a monthly invoice."""

    number: str
    session: str
    station: str
    site: str
    started_at: datetime
    net_minor: int
    vat_minor: int
    gross_minor: int


async def items(connection: AsyncConnection, numbers: Sequence[str]) -> list[Item]:
    """The documents of these numbers, in the order of their issue."""
    columns = (B.number, B.session_id, B.station_id, B.site, B.started_at, B.net_minor, B.vat_minor, B.gross_minor)
    rows = await connection.execute(select(*columns).where(B.number.in_(numbers)).order_by(B.series, B.place))
    return [Item(*row) for row in rows]


async def by_number(connection: AsyncConnection, number: str) -> InvoiceRow | None:
    """The monthly invoice of this number: for deeds, never for showing."""
    row = (await connection.execute(select(*COLUMNS).where(M.number == number))).first()
    return None if row is None else InvoiceRow(*row)


async def one(connection: AsyncConnection, viewer: Viewer, number: str) -> InvoiceRow | None:
    """The monthly invoice of this number, where the viewer may see it."""
    row = (await connection.execute(select(*COLUMNS).where(M.number == number, _reach(viewer)))).first()
    return None if row is None else InvoiceRow(*row)


async def find(
    connection: AsyncConnection,
    viewer: Viewer,
    limit: int,
    *,
    person: str | None = None,
    month: str | None = None,
    before: tuple[datetime, int] | None = None,
) -> list[InvoiceRow]:
    """Monthly invoices, the newest first (scope bills:read; one's own for drivers)."""
    wanted = select(*COLUMNS).where(_reach(viewer))
    given = ((M.person_id, person), (M.month, month))
    wanted = wanted.where(*(column == value for column, value in given if value is not None))
    if before is not None:
        wanted = wanted.where(tuple_(M.issued_at, M.place) < before)
    rows = await connection.execute(wanted.order_by(M.issued_at.desc(), M.place.desc()).limit(limit))
    return [InvoiceRow(*row) for row in rows]


def _reach(viewer: Viewer) -> Any:
    """Everything for staff, one's own for drivers; Refusal FORBIDDEN for anyone else."""
    if viewer.reach(Scope.BILLS_READ) is Reach.ANYWHERE:
        return M.number == M.number
    return M.person_id == viewer.need_own(Scope.BILLS_READ)
