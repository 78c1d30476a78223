"""`wattkeeper privacy correct`, `restrict`, `lift`: rights carried out in one step, for whoever asks by letter."""

from __future__ import annotations

from typing import Annotated

import typer

from wattkeeper.charging.privacy.rights import Use
from wattkeeper.commands.terminal import VIEWER, Database, out, rooms_of, run

Person = Annotated[str, typer.Argument(metavar="PERSON", help="Their e-mail address, sign-in name, or id.")]
Of = Annotated[Use, typer.Argument(metavar="USE", help="all, insight, marketing or profiling.")]


def add_to(app: typer.Typer) -> None:
    """Put these among the commands of `wattkeeper privacy`."""
    for deed in (correct, restrict, lift):
        app.command()(deed)


def correct(
    person: Person,
    what: Annotated[str, typer.Argument(metavar="WHAT", help="name, phone or address.")],
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What is right; '' takes it out.")],
    database: Database = None,
) -> None:
    """Put right what is kept of somebody (Art. 16); what it was stays for them to see."""

    async def work() -> None:
        async with rooms_of(database) as rooms:
            who = await rooms.rights.forgetting.found(VIEWER, person)
            await rooms.rights.rectifying.correct(VIEWER, who, what, text)

    run(work())
    out.print("Corrected.")


def restrict(
    person: Person,
    use: Of,
    why: Annotated[str, typer.Option(help="Why, sealed for them.")] = "",
    database: Database = None,
) -> None:
    """Keep somebody's data and use them for nothing else (all: Art. 18), or not for one use (Art. 21)."""

    async def work() -> None:
        async with rooms_of(database) as rooms:
            who = await rooms.rights.forgetting.found(VIEWER, person)
            await rooms.rights.restrictions.set(VIEWER, who, use, why)

    run(work())
    out.print(f"Not used from now on: {use.value}.")


def lift(person: Person, use: Of, database: Database = None) -> None:
    """Use somebody's data again, where they asked for that."""

    async def work() -> None:
        async with rooms_of(database) as rooms:
            who = await rooms.rights.forgetting.found(VIEWER, person)
            await rooms.rights.restrictions.lift(VIEWER, who, use)

    run(work())
    out.print(f"Used again: {use.value}.")
