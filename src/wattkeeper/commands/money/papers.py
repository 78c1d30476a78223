"""`wattkeeper bills paper`: a bill as PDF, and as an invoice where it is made out to somebody."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from wattkeeper.commands.terminal import VIEWER, Database, out, rooms_of, run

Number = Annotated[str, typer.Argument(metavar="BILL", help="Such as 2026-000123.")]


def paper(
    number: Number,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="The file; by default BILL.pdf.")] = None,
    language: Annotated[str, typer.Option(help="en or de.")] = "en",
    buyer: Annotated[str, typer.Option(help="Make it an invoice for this name.")] = "",
    street: Annotated[str, typer.Option(help="The buyer's street and number.")] = "",
    postcode: Annotated[str, typer.Option(help="The buyer's postcode.")] = "",
    city: Annotated[str, typer.Option(help="The buyer's town.")] = "",
    country: Annotated[str, typer.Option(help="The buyer's country, two letters.")] = "",
    vat_id: Annotated[str, typer.Option(help="The buyer's VAT number.")] = "",
    audit: Annotated[str, typer.Option(help="For a tax audit: its case. Prints the buyer it was made out to.")] = "",
    database: Database = None,
) -> None:
    """Print a bill as PDF; with --buyer as an invoice that holds EN 16931 for machines."""

    async def work() -> Any:
        from wattkeeper.operations.money.papers.paper import Party

        async with rooms_of(database) as rooms:
            if audit:
                from wattkeeper.operations.money.papers.auditing import TaxAudit

                return await TaxAudit(rooms.store, rooms.safe, rooms.papers).invoice(VIEWER, number, audit, language)
            if not buyer:
                return await rooms.papers.receipt(VIEWER, number, language)
            party = Party(buyer, street, postcode, city, country, vat_id)
            return await rooms.papers.invoice(VIEWER, number, party, language)

    printed = run(work())
    path = output or Path(printed.name)
    path.write_bytes(printed.pdf)
    out.print(f"Written to {path}.", markup=False)
