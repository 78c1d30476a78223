"""Bills as papers: a receipt for everybody who may see the bill, an invoice made out to whom they name."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field, StringConstraints

from wattkeeper.operations.money.papers.paper import Party
from wattkeeper.operations.money.papers.papers import Printed
from wattkeeper.web.api.shapes import Asked, BillsReader, Here, Line, Nothing

router = APIRouter(tags=["bills"])
Number = Annotated[str, Path(max_length=32, description="Such as 2026-000123.")]
MEDIA_TYPE = "application/pdf"
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
PDF: dict[str, Any] = {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}}
RECEIPT: dict[int | str, dict[str, Any]] = {
    200: {"description": "PDF/A-3a and PDF/UA-1, in the language of whoever asks.", "content": PDF}
}
INVOICE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "PDF/A-3a and PDF/UA-1, with the invoice by EN 16931 (CII) attached as factur-x.xml.",
        "content": PDF,
    },
}


STATEMENT: dict[int | str, dict[str, Any]] = {
    200: {"description": "PDF/A-3a and PDF/UA-1, in the language of whoever asks.", "content": PDF},
}
Month = Annotated[str, Path(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$", description="Such as 2026-03.")]


class Buyer(Asked):
    """To whom an invoice is made out."""

    name: Annotated[Line, StringConstraints(min_length=1)]
    street: Line = ""
    postcode: Line = ""
    city: Line = ""
    country: Country = Field(description="Two letters (ISO 3166).", examples=["AT"])
    vat_id: Line = ""


@router.get("/bills/{number}/paper", responses=RECEIPT, response_class=Response, response_model=None)
async def print_bill(rooms: Here, viewer: BillsReader, number: Number) -> Response:
    """A bill as PDF; a driver's own."""
    return sent(await rooms.papers.receipt(viewer, number))


@router.post("/bills/{number}/invoice", responses=INVOICE, response_class=Response, response_model=None)
async def print_invoice(rooms: Here, viewer: BillsReader, number: Number, buyer: Buyer) -> Response:
    """A bill as an invoice made out to a buyer, one only, who is named nowhere but in the file (scope bills:write).

    One's own bill needs no more than bills:read.
    """
    return sent(await rooms.papers.invoice(viewer, number, Party(**buyer.model_dump())))


InvoiceId = Annotated[str, Path(pattern=r"^M[0-9]{4}-[0-9]{6}$", description="Such as M2026-000012.")]


@router.get("/monthly-invoices/{invoice}/paper", responses=RECEIPT, response_class=Response, response_model=None)
async def print_monthly_invoice(rooms: Here, viewer: BillsReader, invoice: InvoiceId) -> Response:
    """A monthly invoice as PDF; a driver's own."""
    return sent(await rooms.papers.monthly(viewer, invoice))


@router.post("/monthly-invoices/{invoice}/invoice", responses=INVOICE, response_class=Response, response_model=None)
async def print_monthly_invoice_for(rooms: Here, viewer: BillsReader, invoice: InvoiceId, buyer: Buyer) -> Response:
    """A monthly invoice made out to one buyer, named nowhere but in the file (bills:write, or one's own)."""
    return sent(await rooms.papers.monthly(viewer, invoice, Party(**buyer.model_dump())))


class StatementFilter(Asked):
    """Which of one's cards; all of them where nothing is said."""

    card: Line | Nothing = Field(None, description="The pseudonym of a card (`ref`).")


@router.get("/statements/{month}", responses=STATEMENT, response_class=Response, response_model=None)
async def print_statement(
    rooms: Here, viewer: BillsReader, month: Month, wanted: Annotated[StatementFilter, Query()]
) -> Response:
    """What one was billed in a month, as one PDF: for whoever reimburses the driver of a company car. One's own."""
    return sent(await rooms.statements.printed(viewer, month, wanted.card))


def sent(printed: Printed) -> Response:
    """A paper as an answer that nobody on the way keeps."""
    headers = {"Content-Disposition": f'inline; filename="{printed.name}"', "Cache-Control": "no-store"}
    return Response(printed.pdf, media_type=MEDIA_TYPE, headers=headers)
