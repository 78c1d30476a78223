"""`wattkeeper accounts`: who may sign in, with a password."""

from __future__ import annotations

import secrets
from typing import Annotated

import typer

from wattkeeper.commands.terminal import VIEWER, Database, fail, out, rooms_of, run

app = typer.Typer(help="Who may sign in.", no_args_is_help=True)


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="The name to sign in with.")],
    generate: Annotated[bool, typer.Option("--generate", help="Make a password instead of asking.")] = False,
    database: Database = None,
) -> None:
    """Let a person sign in as an owner, by a password; whoever has an account gets another password, nothing more."""
    password = (
        secrets.token_urlsafe(15) if generate else typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    )

    async def work() -> tuple[str, bool]:
        async with rooms_of(database) as rooms:
            row = await rooms.access.make_account(name, password)
            return row.role.value.replace("_", " "), row.state.value == "active"

    role, is_active = run(work())
    can = "can sign in" if is_active else "is not let in; once they are (wattkeeper staff enable) they can sign in"
    out.print(f"{name} {can}, as {role}." + (f" Password: {password}" if generate else ""), markup=False)


@app.command("sign-out")
def sign_out(
    name: Annotated[str, typer.Argument(help="Whose sign-ins end.")] = "",
    everybody: Annotated[bool, typer.Option("--everybody", help="Of every account.")] = False,
    database: Database = None,
) -> None:
    """End the sign-ins of an account, of a driver's too, or everybody's, within a second; apps keep their access."""
    if bool(name) is everybody:
        fail("Say whose sign-ins end: a name, or --everybody.")

    async def work() -> int:
        async with rooms_of(database) as rooms:
            return int(await rooms.access.end_sign_ins(None if everybody else name))

    out.print(f"{run(work())} sign-ins ended.", markup=False)


@app.command("erase-factors")
def erase_factors(
    name: Annotated[str, typer.Argument(help="Who lost passkeys, authenticator app and codes.")],
    database: Database = None,
) -> None:
    """Take these from whoever lost them all, a driver too; be sure who asks. They are told, and come in by a link."""

    async def work() -> None:
        async with rooms_of(database) as rooms:
            await rooms.people.staff.erase_factors_of(VIEWER, name)

    run(work())
    out.print(f"{name} comes in by password or a link by e-mail, and sets up new ones.", markup=False)


@app.command("remove")
def remove(
    name: Annotated[str, typer.Argument(help="Who may not sign in any more.")], database: Database = None
) -> None:
    """Remove an account; its sign-ins end within a second."""

    async def work() -> None:
        async with rooms_of(database) as rooms:
            await rooms.access.remove_account(name)

    run(work())
    out.print(f"{name} cannot sign in any more.", markup=False)
