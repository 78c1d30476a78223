"""`wattkeeper cards`: enrol drivers' cards."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from wattkeeper.commands.terminal import VIEWER, Database, err, out, rooms_of, run

app = typer.Typer(help="Enrol drivers' cards.", no_args_is_help=True)


@app.callback()
def cards() -> None:
    """Enrol drivers' cards."""


@app.command("import")
def import_cards(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="CSV with a header: number, name, group, …")
    ],
    database: Database = None,
) -> None:
    """Enrol cards from a CSV file; a card already known is updated."""

    async def work() -> Any:
        async with rooms_of(database) as rooms:
            return await rooms.cards.import_csv(file.read_text(encoding="utf-8-sig"), VIEWER)

    report = run(work())
    out.print(f"{report.imported} enrolled, {report.updated} updated, {report.rejected_count} rejected.")
    for row in report.rejected:
        err.print(f"  line {row.line}: {row.why}", markup=False)
    if report.rejected:
        raise typer.Exit(1)
