"""The books of a period as tables for accountants."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.responses import StreamingResponse

from wattkeeper.operations.money import revenue
from wattkeeper.operations.money.papers.books import Book, Books
from wattkeeper.web.api.money.revenue import CSV, Period
from wattkeeper.web.api.shapes import BillsStaff, Here

router = APIRouter(tags=["bills"])
TABLE: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {CSV: {"schema": {"type": "string"}}},
        "description": "UTF-8 with a byte order mark, money in major units, energy in kWh.",
    }
}
WHICH = "`bills`: a row for each document and rate of tax; `entries`: a row for each line of the ledger."


@router.get("/books/{book}", responses=TABLE, response_class=StreamingResponse, response_model=None)
async def read_book(
    rooms: Here, viewer: BillsStaff, book: Annotated[Book, Path(description=WHICH)], wanted: Annotated[Period, Query()]
) -> StreamingResponse:
    """A book of a month, or of some days by the installation's clock, as CSV; who owes stands in it by the id alone."""
    zone = rooms.settings.zone
    since, until = wanted.period(revenue.running_month(rooms.store.clock(), zone))
    lines = Books(rooms.store, zone, since, until).csv(viewer, book)
    headers = {"Content-Disposition": f'attachment; filename="{book.value}-{since}.csv"', "Cache-Control": "no-store"}
    return StreamingResponse(lines, media_type=CSV, headers=headers)
