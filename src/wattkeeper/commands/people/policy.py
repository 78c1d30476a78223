"""`wattkeeper policy`: read who may do what."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from wattkeeper.charging.person import IN_WORDS, Role, Scope
from wattkeeper.commands.terminal import out

app = typer.Typer(help="Who may do what.", no_args_is_help=True)


@app.callback()
def policy() -> None:
    """Who may do what."""


@app.command()
def show(
    role: Annotated[Role | None, typer.Option(help="Only what this role may do, in words.")] = None,
    text: Annotated[bool, typer.Option("--text", help="The policy itself, as it is asked.")] = False,
) -> None:
    """Print the policy: every sentence of it, what one role may do, or the text."""
    from wattkeeper.operations.policy import TEXT, sentences

    if text:
        out.print(TEXT, markup=False)
    elif role is not None:
        _print_role(role)
    else:
        for said, _ in sentences():
            out.print(f"- {said}.", markup=False)


def _print_role(role: Role) -> None:
    """What a role may do, and how far."""
    from wattkeeper.operations.policy import grants

    given = grants(role)
    table = Table("Scope", "In words", "Where", box=None)
    for scope in Scope:
        where = ("everywhere" if scope in given.anywhere else "at the own sites") if scope in given.at_sites else ""
        where = where or ("for what is their own" if scope in given.own else "")
        if where:
            table.add_row(scope.value, IN_WORDS[scope], where)
    out.print(table)
    refused = ", ".join(scope.value for scope in Scope if scope not in given.anywhere | given.at_sites | given.own)
    out.print(f"Refused: {refused or 'nothing'}.", markup=False)
