"""`wattkeeper tokens`: tokens for programs that use the API."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any

import typer
from rich.table import Table

from wattkeeper.charging.person import PROGRAMS, Scope
from wattkeeper.commands.terminal import Database, out, rooms_of, run

DAYS = re.compile(r"([0-9]{1,4})d")
app = typer.Typer(help="Tokens for programs that use the API.", no_args_is_help=True)


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="What the token is for.")],
    scope: Annotated[list[Scope] | None, typer.Option(help="What it may do; repeat for several. Default: all.")] = None,
    expires: Annotated[
        str | None,
        typer.Option(metavar="WHEN", help="Until when: 90d for days from now, or a date such as 2027-01-31."),
    ] = None,
    database: Database = None,
) -> None:
    """Make a token for the API and show it, once."""
    ends = _end(expires) if expires else None

    async def work() -> str:
        async with rooms_of(database) as rooms:
            given = frozenset(scope) if scope else PROGRAMS
            return str(await rooms.access.make_token(name, given, ends))

    out.print(run(work()), markup=False)


@app.command("list")
def list_tokens(database: Database = None) -> None:
    """List the tokens there are; the tokens themselves are never kept."""

    async def work() -> list[Any]:
        async with rooms_of(database) as rooms:
            return list(await rooms.access.tokens())

    table = Table("Id", "Name", "May", "Made (UTC)", "Until (UTC)", "Last used (UTC)", box=None)
    for token in run(work()):
        used = f"{token.last_used_at:%Y-%m-%d %H:%M}" if token.last_used_at else "never"
        until = f"{token.expires_at:%Y-%m-%d %H:%M}" if token.expires_at else "revoked"
        may = "everything" if token.scopes == PROGRAMS else " ".join(sorted(token.scopes))
        table.add_row(token.id, token.name, may, f"{token.created_at:%Y-%m-%d %H:%M}", until, used)
    out.print(table)


@app.command("revoke")
def revoke(
    identifier: Annotated[str, typer.Argument(metavar="ID", help="As `tokens list` shows it.")],
    database: Database = None,
) -> None:
    """End a token; it is refused within a second."""

    async def work() -> None:
        async with rooms_of(database) as rooms:
            await rooms.access.revoke_token(identifier)

    run(work())
    out.print(f"{identifier} is ended.", markup=False)


def _end(expires: str) -> datetime:
    """When a token ends; BadParameter in words where that cannot be read or is past."""
    days, now = DAYS.fullmatch(expires.strip()), datetime.now(UTC)
    try:
        end = now + timedelta(days=int(days[1])) if days else datetime.combine(date.fromisoformat(expires), time(), UTC)
    except ValueError:
        raise typer.BadParameter(f"{expires!r} is neither days such as 90d nor a date such as 2027-01-31.") from None
    if end <= now:
        raise typer.BadParameter(f"{expires!r} is not in the future.")
    return end
