"""`wattkeeper staff`: who works here, as what, and who is let in no more."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Role
from wattkeeper.charging.phrase import phrase
from wattkeeper.commands.terminal import VIEWER, Database, out, rooms_of, run

app = typer.Typer(help="Who works here.", no_args_is_help=True)
Who = Annotated[str, typer.Argument(metavar="WHO", help="Their e-mail address, sign-in name or id.")]
Sites = Annotated[list[str] | None, typer.Option("--site", help="A site of a site host; repeat for several.")]


@app.command()
def invite(
    email: Annotated[str, typer.Argument(metavar="E-MAIL", help="Where the invitation goes.")],
    role: Annotated[Role, typer.Option(help="What they may do: see `wattkeeper policy show --role`.")],
    site: Sites = None,
    database: Database = None,
) -> None:
    """Ask somebody to work here, by a letter with a link that is good for a week."""

    async def work() -> tuple[str, bool]:
        async with rooms_of(database) as rooms:
            link = await rooms.people.staff.invite(VIEWER, email, role, site or ())
            return str(link), bool(rooms.settings.mail_host)

    link, is_mailed = run(work())
    if is_mailed:
        out.print(f"The invitation to {email} is on its way once the installation runs.", markup=False)
        return
    out.print(f"No mail server is set, so hand this link to {email} yourself:", markup=False)
    out.print(f"  {link}", markup=False, soft_wrap=True)


@app.command("list")
def list_staff(database: Database = None) -> None:
    """List who works here, and who is invited."""

    async def work() -> tuple[list[Any], list[Any]]:
        async with rooms_of(database) as rooms:
            staff = rooms.people.staff
            return list(await staff.members(VIEWER)), list(await staff.invitations(VIEWER))

    members, invitations = run(work())
    table = Table("Id", "Who", "Role", "Sites", "State", "Last here (UTC)", box=None)
    for one in members:
        seen = f"{one.seen_at:%Y-%m-%d %H:%M}" if one.seen_at else "never"
        table.add_row(one.id, one.email, one.role.value, ", ".join(sorted(one.sites)), one.state.value, seen)
    for one in invitations:
        table.add_row("", one.email, one.role.value, ", ".join(sorted(one.sites)), "invited", "–")
    out.print(table if members or invitations else "Nobody works here yet. Begin with: wattkeeper owner create")


@app.command()
def role(
    who: Who,
    role: Annotated[Role, typer.Argument(metavar="ROLE", help="What they may do from now on.")],
    site: Sites = None,
    database: Database = None,
) -> None:
    """Give somebody another role, which signs them out everywhere."""

    async def work() -> None:
        async with rooms_of(database) as rooms:
            await rooms.people.staff.change(VIEWER, await _id_of(rooms, who), role, site or ())

    run(work())
    out.print(f"{who} is {role.value.replace('_', ' ')} now.", markup=False)


@app.command()
def disable(who: Who, database: Database = None) -> None:
    """Let somebody in no more; what they have open ends within a second."""

    async def work() -> None:
        async with rooms_of(database) as rooms:
            await rooms.people.staff.disable(VIEWER, await _id_of(rooms, who))

    run(work())
    out.print(f"{who} is let in no more.", markup=False)


@app.command()
def enable(who: Who, database: Database = None) -> None:
    """Let somebody in again."""

    async def work() -> None:
        async with rooms_of(database) as rooms:
            await rooms.people.staff.enable(VIEWER, await _id_of(rooms, who))

    run(work())
    out.print(f"{who} is let in again.", markup=False)


async def _id_of(rooms: Any, who: str) -> str:
    """The account that somebody means; Refusal NOT_FOUND."""
    for one in await rooms.people.staff.members(VIEWER):
        if who.strip().casefold() in (one.id, one.email.casefold()):
            return str(one.id)
    raise Refusal(Code.NOT_FOUND, phrase("Nobody called {who} works here. See: wattkeeper staff list", who=who[:100]))
