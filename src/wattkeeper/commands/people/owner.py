"""`wattkeeper owner`: how the first owner of an installation gets in."""

from __future__ import annotations

import secrets
from typing import Annotated

import typer

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.phrase import phrase
from wattkeeper.commands.terminal import Database, out, rooms_of, run

app = typer.Typer(help="Who owns the installation.", no_args_is_help=True)


@app.callback()
def owner() -> None:
    """Who owns the installation."""


@app.command()
def create(
    name: Annotated[str | None, typer.Option(help="Sign in with this name, and a password that is asked for.")] = None,
    generate: Annotated[bool, typer.Option("--generate", help="Make that password instead of asking.")] = False,
    database: Database = None,
) -> None:
    """Make an owner: by a link that is good once, or with --name by a password."""
    if name is None and not generate:
        run(_link(database))
        return
    if name is None:
        raise typer.BadParameter("--generate makes a password: say for which --name.")
    password = (
        secrets.token_urlsafe(15) if generate else typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    )
    run(_account(database, name, password))
    out.print(f"{name} can sign in." + (f" Password: {password}" if generate else ""), markup=False)


async def _link(database: str | None) -> None:
    """Print a link that makes the first owner."""
    async with rooms_of(database) as rooms:
        code = await rooms.people.staff.make_owner_link()
        if code is None:
            why = phrase("There is an owner already. Owners invite others: wattkeeper staff invite E-MAIL --role owner")
            raise Refusal(Code.CONFLICT, why)
        out.print("Whoever opens this link owns the installation; it is good once, for a day:")
        out.print(f"  {rooms.settings.address}/first-owner/{code}", markup=False, soft_wrap=True)


async def _account(database: str | None, name: str, password: str) -> None:
    """Make an owner with a password."""
    async with rooms_of(database) as rooms:
        await rooms.access.make_account(name, password, only_new=True)
