"""`wattkeeper books`: the books of a month as files for accountants."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from wattkeeper.commands.terminal import VIEWER, Database, fail, out, run, store_of
from wattkeeper.settings import load

ENDS = (".csv", ".parquet")


def books(
    book: Annotated[
        str, typer.Argument(help="bills: a row for each document and rate of tax; entries: the lines of the ledger.")
    ],
    file: Annotated[Path, typer.Argument(dir_okay=False, help="Where to: a name that ends in .csv or .parquet.")],
    month: Annotated[
        str | None, typer.Option(help="Which month, such as 2026-03; the running one if absent.", show_default=False)
    ] = None,
    database: Database = None,
) -> None:
    """Write the books of a month to a file, as CSV or Parquet; who owes stands in them by the id alone."""
    zone = load(database=database).zone
    if file.suffix not in ENDS:
        fail(f"{file} is neither .csv nor .parquet: its ending says how it is written.")

    async def work() -> Any:
        from wattkeeper.operations.money import revenue
        from wattkeeper.operations.money.papers.books import Book, Books

        if book not in set(Book):
            fail(f"There are two books: {' and '.join(Book)}. {book!r} is neither.")
        async with store_of(database) as store:
            since, until = revenue.month(month or revenue.running_month(store.clock(), zone))
            return await Books(store, zone, since, until).write(VIEWER, Book(book), file)

    try:
        rows = run(work())
    except OSError as problem:
        fail(f"{file} cannot be written: {problem.strerror}.")
    out.print(f"{rows} rows are written to {file}.", markup=False)
