"""`wattkeeper audit`: check everything that is kept against what must hold of it."""

from __future__ import annotations

from typing import Any

import typer
from rich.progress import Progress

from wattkeeper.commands.terminal import Database, err, out, run
from wattkeeper.settings import load

app = typer.Typer(help="Check everything that is kept against what must hold of it.", no_args_is_help=True)


@app.callback()
def audit() -> None:
    """Check everything that is kept against what must hold of it."""


@app.command()
def ledger(database: Database = None) -> None:
    """Check every bill and every entry: numbers without gaps, sums, balances, revenue, contents as they were issued."""

    async def work() -> Any:
        from wattkeeper.operations.money.audit import audit_ledger
        from wattkeeper.store.engines import Store

        settings = load(database=database)
        store = Store(settings.database)
        with Progress(console=err, transient=True) as progress:
            bar = progress.add_task("Checking bills")
            try:
                told = lambda done, of: progress.update(bar, completed=done, total=of)  # noqa: E731
                return await audit_ledger(store, settings.zone, told)
            finally:
                await store.close()

    found = run(work())
    for fault in found.faults:
        err.print(fault, markup=False, soft_wrap=True)
    told = f"{found.bills:,} bills, {found.entries:,} entries with {found.lines:,} lines"
    if not found.is_clean:
        err.print(f"{told}: {len(found.faults)} faults.")
        raise typer.Exit(1)
    out.print(f"{told}: everything adds up.")
