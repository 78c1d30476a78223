"""`wattkeeper holds`: persons and sessions of whom nothing may be deleted yet; and what should be gone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.table import Table

from wattkeeper.commands.terminal import VIEWER, Database, err, out, rooms_of, run

app = typer.Typer(help="Legal holds: of whom nothing may be deleted yet.", no_args_is_help=True)
DAY = ["%Y-%m-%d"]


@app.callback()
def holds() -> None:
    """Legal holds: of whom nothing may be deleted yet."""


@app.command("set")
def set_hold(
    subject: Annotated[str, typer.Argument(metavar="WHOM", help="A person, as person:…, or a session by its id.")],
    reason: Annotated[str, typer.Option(help="Why: a court, an authority, a dispute.")],
    until: Annotated[datetime, typer.Option(formats=DAY, help="Until which day at most, such as 2027-03-01.")],
    database: Database = None,
) -> None:
    """Delete nothing of a person or a session until a day: neither by age nor because they ask."""

    async def work() -> str:
        async with rooms_of(database) as rooms:
            return str(await _holds(rooms).set(VIEWER.name, subject, reason, until.replace(tzinfo=UTC)))

    out.print(f"Hold {run(work())} stands until {until:%Y-%m-%d}.", markup=False)


@app.command("list")
def list_holds(
    ended: Annotated[bool, typer.Option("--all", help="Those that ended, too.")] = False, database: Database = None
) -> None:
    """List the holds that stand, the newest first."""

    async def work() -> list[Any]:
        async with rooms_of(database) as rooms:
            return list(await _holds(rooms).listed(ended_too=ended))

    found = run(work())
    table = Table("Hold", "Whom", "Why", "Since", "By", "Until", "Lifted", box=None)
    for one in found:
        lifted = f"{one.ended_at:%Y-%m-%d}" if one.ended_at else ""
        row = (one.id, one.subject, one.reason, f"{one.at:%Y-%m-%d}", one.by, f"{one.until:%Y-%m-%d}", lifted)
        table.add_row(*row)
    out.print(table if found else "No hold stands.")


@app.command()
def end(
    identifier: Annotated[str, typer.Argument(metavar="HOLD", help="Its id, as `wattkeeper holds list` shows it.")],
    database: Database = None,
) -> None:
    """Lift a hold: what it kept is deleted when its time is over."""

    async def work() -> None:
        async with rooms_of(database) as rooms:
            await _holds(rooms).end(VIEWER.name, identifier)

    run(work())
    out.print("It is lifted.")


@app.command()
def overdue(database: Database = None) -> None:
    """Say what should have been deleted by now and is still there; ends with 1 where no hold explains it."""

    async def work() -> list[Any]:
        from wattkeeper.operations.retention import overdue

        async with rooms_of(database) as rooms:
            return list(await overdue(rooms.store))

    found = run(work())
    for one in found:
        out.print(f"{one.table}: {one.rows:,} rows over their time, {one.held:,} of them held.", markup=False)
    if any(one.is_fault for one in found):
        err.print("They are deleted once a day while the installation runs. Does it run?")
        raise typer.Exit(1)
    if not found:
        out.print("Nothing is kept longer than it says.")


def _holds(rooms: Any) -> Any:
    from wattkeeper.operations.privacy.register.legal_hold import LegalHolds

    return LegalHolds(rooms.store, rooms.safe)
