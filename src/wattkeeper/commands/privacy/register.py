"""`wattkeeper register`: what is kept of whom, why, how long, and who gets it."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.table import Table

from wattkeeper.commands.terminal import fail, out


def register(
    as_csv: Annotated[bool, typer.Option("--csv", help="Every column, as CSV.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Every column, as JSON.")] = False,
    as_records: Annotated[
        bool, typer.Option("--records", help="The records of processing (GDPR Article 30), as Markdown.")
    ] = False,
) -> None:
    """Print what is kept of whom, why, on what basis, how long, and who gets it: read off the tables."""
    from wattkeeper.operations.privacy.register import records

    if as_csv + as_json + as_records > 1:
        fail("Choose one of --csv, --json and --records.")
    if as_csv or as_json or as_records:
        made = records.as_csv if as_csv else records.as_json if as_json else records.records
        sys.stdout.write(made())
        return
    _print()


def _print() -> None:
    """The activities, in short."""
    from wattkeeper.operations.privacy.register.register import activities
    from wattkeeper.store.tables import metadata

    table = Table("Area", "Basis", "Kept", "Who gets it", show_lines=True)
    for one in activities(metadata):
        told = [
            ", ".join(each.partition(": ")[0] for each in some) for some in (one.bases, one.retentions, one.recipients)
        ]
        table.add_row(one.area.value, *told)
    out.print(table)
    out.print("Every column: wattkeeper register --csv. For an authority: wattkeeper register --records.", markup=False)
