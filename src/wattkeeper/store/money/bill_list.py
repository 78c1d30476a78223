"""Bills as a page lists them: by number, place and day, and sorted by what a column says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.person import Viewer
from wattkeeper.store import reach
from wattkeeper.store.money.bill import COLUMNS, SOUGHT, BillRow, C, Sought, row_of


class SortedBy(StrEnum):
    """What a list of bills can be sorted by."""

    ISSUED = "issued"
    STATION = "station"
    ENERGY = "energy"
    AMOUNT = "amount"


SORTING: dict[SortedBy, ColumnElement[Any]] = {
    SortedBy.ISSUED: C.issued_at,
    SortedBy.STATION: C.station_id,
    SortedBy.ENERGY: C.energy_wh,
    SortedBy.AMOUNT: C.gross_minor,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed(Sought):
    """Which documents a page lists, and in which order."""

    number: str | None = None
    place: int | None = None
    """With this place among the numbers of any year."""
    stations: tuple[str, ...] | None = None
    """At any of these."""
    by: SortedBy = SortedBy.ISSUED
    upwards: bool = False


async def listed(
    connection: AsyncConnection, viewer: Viewer, wanted: Listed, limit: int, skip: int = 0
) -> list[BillRow]:
    """``limit`` documents as a page lists them, from the ``skip``-th on (scope bills:read)."""
    query = select(*COLUMNS).where(reach.bills(viewer), *_conditions(wanted)).order_by(*_order(wanted))
    return [row_of(row) for row in await connection.execute(query.limit(limit).offset(skip))]


def _order(wanted: Listed) -> list[ColumnElement[Any]]:
    """What comes first: by the column, then the newest; by when they were issued as the index has it."""
    column = SORTING[wanted.by]
    if wanted.by is SortedBy.ISSUED:
        return [column.asc(), C.place.asc()] if wanted.upwards else [column.desc(), C.place.desc()]
    return [column.asc() if wanted.upwards else column.desc(), C.issued_at.desc(), C.place.desc()]


def _conditions(wanted: Listed) -> list[ColumnElement[bool]]:
    """What the database is asked for."""
    exactly = {SOUGHT[name]: getattr(wanted, name) for name in SOUGHT}
    exactly |= {C.number: wanted.number, C.place: wanted.place}
    conditions = [column == value for column, value in exactly.items() if value is not None]
    if wanted.stations is not None:
        conditions.append(C.station_id.in_(wanted.stations))
    if wanted.since is not None:
        conditions.append(C.issued_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(C.issued_at < wanted.until)
    return conditions
