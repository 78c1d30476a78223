"""`wattkeeper privacy`: forgetting people, and proving it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from wattkeeper.charging.privacy.erasure import IN_WORDS, SERIOUS, Plan
from wattkeeper.charging.privacy.rights import Proof, Right
from wattkeeper.commands.privacy import breach, rights
from wattkeeper.commands.terminal import VIEWER, Database, err, fail, out, rooms_of, run

app = typer.Typer(help="The rights of people over their data.", no_args_is_help=True)
app.add_typer(breach.app, name="breach")
rights.add_to(app)
Person = Annotated[str, typer.Argument(metavar="PERSON", help="Their e-mail address, sign-in name, or id.")]
Request = Annotated[str, typer.Argument(metavar="REQUEST", help="Its id: see `requests`.")]
Despite = Annotated[bool, typer.Option("--despite", help="Pass over what is owed or still to be billed.")]


@app.command()
def plan(person: Person, database: Database = None) -> None:
    """Show what would be done to forget somebody, and do nothing."""

    async def work() -> Plan:
        async with rooms_of(database) as rooms:
            forgetting = rooms.rights.forgetting
            planned: Plan = await forgetting.plan(VIEWER, await forgetting.found(VIEWER, person))
            return planned

    _show(run(work()))


@app.command()
def erase(
    person: Annotated[str | None, typer.Argument(metavar="[PERSON]", help="As for plan.", show_default=False)] = None,
    many: Annotated[Path | None, typer.Option(help="A file of people's ids, one a line.", show_default=False)] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    despite: Despite = False,
    database: Database = None,
) -> None:
    """Forget somebody, or many. It cannot be undone: their key is destroyed."""
    if (person is None) == (many is None):
        fail("Say whom: a person, or --many FILE with one id a line.")
    if many is not None:
        _erase_many(many, yes=yes, despite=despite, database=database)
    elif person is not None:
        _erase_one(person, yes=yes, despite=despite, database=database)


def _erase_one(who: str, *, yes: bool, despite: bool, database: str | None) -> None:
    """Show the plan, ask, and do it."""

    async def look() -> Plan:
        async with rooms_of(database) as rooms:
            planned: Plan = await rooms.rights.forgetting.plan(VIEWER, await rooms.rights.forgetting.found(VIEWER, who))
            return planned

    async def work(person: str) -> str:
        async with rooms_of(database) as rooms:
            return str(await rooms.rights.forgetting.forget(VIEWER, person, despite=despite))

    planned = run(look())
    _show(planned)
    if planned.blocked_for(staff=despite):
        fail("Nothing was done." + (" What is marked * can be passed over: --despite" if not despite else ""))
    if not yes and not typer.confirm("Forget this person? Nobody can undo it."):
        fail("Nothing was done.")
    certificate = run(work(planned.person))
    out.print("Forgotten. The certificate, for whoever asked:")
    print(certificate)


def _erase_many(file: Path, *, yes: bool, despite: bool, database: str | None) -> None:
    """Forget everybody in a file, some hundreds in each transaction."""
    from wattkeeper.operations.privacy.erasure.forgetting import persons_in

    try:
        persons = [*persons_in(file.read_text(encoding="utf-8"))]
    except (OSError, UnicodeDecodeError) as problem:
        fail(f"{file} cannot be read: {problem}")
    if not persons:
        fail(f"{file} names nobody; it has one id a line.")
    if not yes and not typer.confirm(f"Forget {len(persons)} people? Nobody can undo it."):
        fail("Nothing was done.")

    async def work() -> Any:
        async with rooms_of(database) as rooms:
            said = {"at": 0}

            def progress(done: int, of: int) -> None:
                if done * 10 // of > said["at"]:
                    said["at"] = done * 10 // of
                    err.print(f"{done} of {of}")

            return await rooms.rights.forgetting.forget_many(VIEWER, persons, despite=despite, progress=progress)

    gone = run(work())
    out.print(f"{len(gone.certificates)} forgotten, {len(gone.refused)} not, {len(gone.unknown)} not known here.")
    for person, obstacles in gone.refused.items():
        out.print(f"  {person}: {' '.join(IN_WORDS[one] for one in obstacles)}", markup=False)
    if gone.refused:
        raise typer.Exit(1)


@app.command()
def export(
    person: Person,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where the ZIP goes; it must not be there yet.")],
    database: Database = None,
) -> None:
    """Write everything that is kept of somebody, to be handed to them (Art. 15, 20); they see that it was."""
    from wattkeeper.charging.privacy.looking import LookPurpose, Part
    from wattkeeper.operations.privacy.looking import Given

    async def work() -> None:
        async with rooms_of(database) as rooms:
            who = await rooms.rights.forgetting.found(VIEWER, person)
            pieces = await rooms.rights.archives.of(VIEWER, who)
            given = Given(LookPurpose.RIGHTS, "Handed out by a command, as this person asked.", "by command")
            await rooms.looking.open_once(VIEWER, who, given)
            await rooms.looking.need(VIEWER, who, Part.ARCHIVE)
            with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as kept:
                async for piece in pieces:
                    kept.write(piece)

    run(work())
    out.print(f"Written to {file}, readable by you alone. Delete it once it is handed over.", markup=False)


@app.command()
def requests(database: Database = None) -> None:
    """List what people asked about their data, overdue ones first."""

    async def work() -> list[Any]:
        async with rooms_of(database) as rooms:
            return list(await rooms.rights.requests.listed(VIEWER))

    rows = run(work())
    table = Table("Id", "What", "By", "Proved by", "Due (UTC)", "State", "Person", box=None)
    for one in rows:
        state = "OVERDUE" if one.is_late else one.row.state
        asked = (one.row.id, one.row.right.value, one.row.door, one.row.proof.value)
        table.add_row(*asked, f"{one.row.due_at:%Y-%m-%d}", state, one.row.person)
    out.print(table if rows else "Nobody asked anything.")


@app.command()
def take(
    right: Annotated[
        Right, typer.Argument(metavar="RIGHT", help="access, rectification, erasure, restriction, objection.")
    ],
    door: Annotated[str, typer.Option(help="letter, mail or in person.")] = "letter",
    words: Annotated[str, typer.Option(help="What they wrote.")] = "",
    person: Annotated[str, typer.Option(help="Who, where that is known.")] = "",
    database: Database = None,
) -> None:
    """Note what somebody asked by letter, by mail or in person."""

    async def work() -> str:
        async with rooms_of(database) as rooms:
            who = await rooms.rights.forgetting.found(VIEWER, person) if person else ""
            return str(await rooms.rights.requests.enter(VIEWER, who, right, door, words))

    out.print(f"Taken as {run(work())}; due in a month. Note how they prove who they are: privacy prove", markup=False)


@app.command()
def prove(
    request: Request,
    proof: Annotated[Proof, typer.Argument(metavar="HOW", help="document, known or account.")],
    person: Annotated[str, typer.Option(help="Who that is.")] = "",
    database: Database = None,
) -> None:
    """Note how somebody who asked proved who they are."""

    async def work() -> None:
        async with rooms_of(database) as rooms:
            who = await rooms.rights.forgetting.found(VIEWER, person) if person else ""
            await rooms.rights.requests.prove(VIEWER, request, proof, who)

    run(work())
    out.print("Noted.")


@app.command()
def answer(
    request: Request,
    words: Annotated[str, typer.Argument(metavar="WORDS", help="What was done, or why not; without names.")],
    refuse: Annotated[bool, typer.Option("--refuse", help="It is declined.")] = False,
    database: Database = None,
) -> None:
    """Say what was done about a request."""

    async def work() -> None:
        async with rooms_of(database) as rooms:
            await rooms.rights.requests.answer(VIEWER, request, words, refused=refuse)

    run(work())
    out.print("Noted.")


@app.command()
def told(person: Annotated[str, typer.Argument(metavar="PERSON", help="Their id.")], database: Database = None) -> None:
    """List who else had to forget somebody who was forgotten, and how far that is (Art. 19)."""

    async def work() -> list[Any]:
        async with rooms_of(database) as rooms:
            return list(await rooms.rights.forgetting.told(VIEWER, person))

    rows = run(work())
    table = Table("Who", "Name", "What", "State", "Said", "Since (UTC)", box=None)
    for one in rows:
        said = (one.kind.value, one.name, one.what.value, one.state, one.said or "")
        table.add_row(*said, f"{one.created_at:%Y-%m-%d %H:%M}")
    out.print(table if rows else "Nobody else had to forget them, or nobody of that id was forgotten.")


@app.command()
def certificate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A certificate of erasure, JSON.")],
    key: Annotated[str, typer.Option(help="The public key it must hold under, base64.")] = "",
) -> None:
    """Check a certificate of erasure; it needs nothing but the file."""
    from wattkeeper.operations.privacy.erasure.certificate import checked

    try:
        statement = checked(file.read_text(encoding="utf-8"), key)
    except (OSError, UnicodeDecodeError) as problem:
        fail(f"{file} cannot be read: {problem}")
    except ValueError as problem:
        fail(str(problem))
    out.print("The signature holds." + ("" if key else " Compare the key with the one that the house publishes."))
    print(json.dumps(statement, indent=1))


def _show(planned: Plan) -> None:
    """A plan for people."""
    out.print(f"Person {planned.person}", markup=False)
    rows = ", ".join(f"{count} {table}" for table, count in planned.destroyed.items()) or "nothing"
    out.print(f"  destroyed for good: their key, and {rows}", markup=False)
    energy = planned.energy_wh / 1000
    out.print(f"  stays without a person: {planned.sessions} sessions, {energy:f} kWh", markup=False)
    if planned.documents:
        money = ", ".join(f"{minor} {currency} minor" for currency, minor in planned.gross_minor.items())
        until = planned.keeps_until
        out.print(f"  tax law keeps: {planned.documents} documents ({money}) until the end of {until}", markup=False)
    for one in planned.told:
        out.print(f"  must forget too: {one.kind.value} {one.name}: {one.what.value}", markup=False)
    for obstacle in planned.obstacles:
        mark = (
            "*"
            if obstacle in planned.blocked_for(staff=False) and obstacle not in planned.blocked_for(staff=True)
            else "-"
        )
        weight = "stands in the way" if obstacle in SERIOUS else "to be known"
        out.print(f"  {mark} {weight}: {IN_WORDS[obstacle]}", markup=False)
