"""`wattkeeper privacy breach`: a breach entered, who is affected, the report, the notices, the end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from rich.table import Table

from wattkeeper.commands.terminal import VIEWER, Database, fail, out, rooms_of, run

app = typer.Typer(help="Breaches of personal data (GDPR Art. 33, 34).", no_args_is_help=True)
Id = Annotated[str, typer.Argument(metavar="BREACH", help="Its id: see `list`.")]
When = Annotated[str | None, typer.Option(metavar="TIME", help="Such as 2026-03-01T12:00Z.", show_default=False)]
Some = Annotated[list[str] | None, typer.Option(show_default=False)]


def _at(said: str | None) -> datetime | None:
    if said is None:
        return None
    try:
        at = datetime.fromisoformat(said)
    except ValueError:
        fail(f"{said!r} is no time; one is such as 2026-03-01T12:00Z.")
    return at if at.tzinfo else at.replace(tzinfo=UTC)


@app.command("open")
def open_(
    what: Annotated[str, typer.Argument(metavar="WHAT", help="What happened, in words.")],
    table: Some = None,
    station: Some = None,
    since: When = None,
    until: When = None,
    known: When = None,
    risk: Annotated[bool, typer.Option("--risk", help="It is a high risk for people: they must be told.")] = False,
    database: Database = None,
) -> None:
    """Enter a breach; the 72 hours count from when it became known."""
    from wattkeeper.operations.privacy.breach.breach import Happened

    told = Happened(what, _at(known), _at(since), _at(until), tuple(table or ()), tuple(station or ()), risk)

    async def work() -> Any:
        async with rooms_of(database) as rooms:
            made = await rooms.rights.breaches.open(VIEWER, told)
            return await rooms.rights.breaches.one(VIEWER, made)

    _say(run(work()))


@app.command("list")
def list_(database: Database = None) -> None:
    """List all breaches, those that are open first."""

    async def work() -> list[Any]:
        async with rooms_of(database) as rooms:
            return list(await rooms.rights.breaches.listed(VIEWER))

    rows = run(work())
    table = Table("Id", "Known since (UTC)", "State", "Affected", "Told", "Left", box=None)
    for one in rows:
        state = (
            "closed" if one.row.closed_at else "reported" if one.row.reported_at else "LATE" if one.is_late else "open"
        )
        known = f"{one.row.known_at:%Y-%m-%d %H:%M}"
        table.add_row(one.row.id, known, state, str(one.affected), str(one.told), _left(one.left))
    out.print(table if rows else "There was none.")


@app.command()
def report(breach: Id, database: Database = None) -> None:
    """Print what the authority must be told (Art. 33(3))."""

    async def work() -> str:
        async with rooms_of(database) as rooms:
            return str(await rooms.rights.breaches.report(VIEWER, breach))

    print(run(work()), end="")


@app.command()
def reported(breach: Id, database: Database = None) -> None:
    """Note that the authority was told."""

    async def work() -> None:
        async with rooms_of(database) as rooms:
            await rooms.rights.breaches.reported(VIEWER, breach)

    run(work())
    out.print("Noted.")


@app.command()
def tell(
    breach: Id,
    title: Annotated[str, typer.Option(help="The title of the letter.")],
    words: Annotated[str, typer.Option(help="What happened, what it may mean, what we do, whom to ask.")],
    database: Database = None,
) -> None:
    """Tell everybody affected who was not told yet (Art. 34)."""

    async def work() -> int:
        async with rooms_of(database) as rooms:
            return int(await rooms.rights.breaches.tell(VIEWER, breach, title, words))

    count = run(work())
    out.print("1 person is told." if count == 1 else f"{count} people are told.")


@app.command()
def close(
    breach: Id, done: Annotated[str, typer.Argument(metavar="DONE", help="What was done.")], database: Database = None
) -> None:
    """It is over."""

    async def work() -> None:
        async with rooms_of(database) as rooms:
            await rooms.rights.breaches.close(VIEWER, breach, done)

    run(work())
    out.print("Closed.")


def _say(one: Any) -> None:
    """A breach in a few lines."""
    who = "1 person is" if one.affected == 1 else f"{one.affected} people are"
    out.print(f"Breach {one.row.id}: {who} affected.", markup=False)
    if one.unreached:
        out.print(f"Of them cannot be written to, for they have no account: {one.unreached}. Tell them publicly.")
    out.print(f"The authority must be told within {_left(one.left)}: wattkeeper privacy breach report {one.row.id}")


def _left(left: timedelta) -> str:
    hours = int(left.total_seconds() // 3600)
    return f"{hours} h" if hours >= 0 else f"{-hours} h too late"
