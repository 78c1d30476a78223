"""`wattkeeper release`: aggregates that leave the house, measured before they do, and what they spent."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Column, Table

from wattkeeper.charging.insight.question import FORMS, USUAL, YEARLY, Kind, period
from wattkeeper.commands.terminal import VIEWER, Database, fail, number_of, out, rooms_of, run

Out = Annotated[
    Path | None,
    typer.Option("--out", help="Where to write it: FILE.json, FILE.csv, or FILE for both.", show_default=False),
]
app = typer.Typer(help="Anonymous aggregates that leave the house, and their budget.", no_args_is_help=True)
RECORDS = {"session", "sessions", "record", "records", "driver", "drivers", "journal"}
NEVER = (
    "Single sessions are never anonymous, whatever is left out of them: place and hour of two of somebody's sessions "
    "single out nearly everybody. What leaves as anonymous is one of: {kinds}. Whoever must have single sessions "
    "gets personal data, on a basis of its own, by `wattkeeper sessions`."
)

Name = Annotated[str, typer.Argument(help="Which release, as `wattkeeper release list` names it.")]


@app.command()
def make(
    kind: Annotated[str, typer.Argument(help="What to count: " + ", ".join(Kind) + ".")],
    since: Annotated[str, typer.Option("--from", help="The first month, such as 2026-01.")],
    until: Annotated[str, typer.Option("--to", help="The last month, included, such as 2026-06.")],
    site: Annotated[
        list[str] | None, typer.Option(help="Only this site; may be said again. All if absent.", show_default=False)
    ] = None,
    epsilon: Annotated[
        str | None,
        typer.Option(help="What to spend of the year's budget of 1; 0.5 for site-load, else 0.2.", show_default=False),
    ] = None,
    out_file: Out = None,
    database: Database = None,
) -> None:
    """Draw, measure and let out an aggregate; the same question again gives the same bytes and spends nothing."""
    chosen = _kind(kind)
    spends = USUAL[chosen] if epsilon is None else number_of(epsilon)
    _need_place(out_file)

    async def work() -> Any:
        async with rooms_of(database) as rooms:
            asked = await rooms.releases.asked(VIEWER, chosen, period(since, until), site or [], spends)
            entry = await rooms.releases.make(VIEWER, asked)
            return entry, await rooms.releases.left(VIEWER, entry.year)

    entry, left = run(work())
    _print(entry)
    out.print(f"Of the budget of {entry.year}, {left:f} of {YEARLY:f} is left.", markup=False)
    if not entry.has_left:
        fail(_refused(entry))
    if out_file:
        _write(entry, out_file)


@app.command("list")
def list_releases(database: Database = None) -> None:
    """List what left, what was refused, and what is left of each year's budget."""

    async def work() -> Any:
        async with rooms_of(database) as rooms:
            ledger = await rooms.releases.ledger(VIEWER)
            return ledger, {one.year: await rooms.releases.left(VIEWER, one.year) for one in ledger}

    ledger, left = run(work())
    if not ledger:
        out.print("Nothing left the house yet: wattkeeper release make --help", markup=False)
        return
    name = Column("Release", no_wrap=True, min_width=20)  # it is typed again, so all of it is there
    table = Table(name, "What", "From", "Until before", "Spent", "Left the house", "Made (UTC)", "By", box=None)
    for one in ledger:
        cells = (one.id, one.kind, one.first, one.until, f"{one.epsilon:f}", "yes" if one.has_left else "no, refused")
        table.add_row(*cells, f"{one.made_at:%Y-%m-%d %H:%M}", escape(one.made_by))
    out.print(table)
    for year, there in sorted(left.items()):
        out.print(f"Of the budget of {year}, {there:f} of {YEARLY:f} is left.")


@app.command()
def show(
    name: Name,
    out_file: Out = None,
    database: Database = None,
) -> None:
    """Show a release with what was measured before it left."""
    _need_place(out_file)

    async def work() -> Any:
        async with rooms_of(database) as rooms:
            return await rooms.releases.get(VIEWER, name)

    entry = run(work())
    _print(entry)
    if not entry.has_left:
        fail(_refused(entry))
    if out_file:
        _write(entry, out_file)
    else:
        typer.echo(entry.sheet, nl=False)


@app.command()
def check(
    name: Name,
    file: Annotated[
        Path | None,
        typer.Argument(exists=True, dir_okay=False, help="A copy of it, JSON or CSV.", show_default=False),
    ] = None,
    database: Database = None,
) -> None:
    """Hold a release against the log and, for your eyes only, against the sessions themselves."""

    async def work() -> Any:
        async with rooms_of(database) as rooms:
            entry = await rooms.releases.get(VIEWER, name)
            return entry, await rooms.releases.check(VIEWER, name)

    entry, found = run(work())
    if file and hashlib.sha256(file.read_bytes()).digest() not in {
        hashlib.sha256(text.encode()).digest() for text in (entry.content, entry.sheet)
    }:
        fail(f"{file} is not what left as {name}.")
    if not (found.is_whole and found.is_logged):
        fail("This is not what the log says has left: the ledger was changed.")
    out.print(f"It is what left, as the log has it: SHA-256 {entry.digest}", markup=False)
    out.print("For your eyes only, for no noise covers it:")
    out.print(f"  {found.shown} of {found.cells} cells are shown; behind each stand at least {found.fewest} drivers.")
    if found.error is not None:
        out.print(f"  Against the sessions, cells of 50 sessions or more are off by {found.error:.1%} on average.")


def _kind(said: str) -> Kind:
    """What is to be counted."""
    if said in set(Kind):
        return Kind(said)
    kinds = ", ".join(Kind)
    fail(NEVER.format(kinds=kinds) if said.lower() in RECORDS else f"{said!r} is none of: {kinds}.")


def _need_place(path: Path | None) -> None:
    """End where a file could not be written: better before anything is spent."""
    if path is not None and (path.is_dir() or not path.absolute().parent.is_dir()):
        fail(f"{path} cannot be written: name a file in a folder that is there. Nothing was spent.")


def _write(entry: Any, path: Path) -> None:
    """The files that were asked for."""
    wanted = (
        [path] if path.suffix in (".json", ".csv") else [path.with_name(path.name + end) for end in (".json", ".csv")]
    )
    for one in wanted:
        one.write_bytes((entry.sheet if one.suffix == ".csv" else entry.content).encode())
        out.print(f"Written: {one}", markup=False)


def _print(entry: Any) -> None:
    """What a release is, and what was measured."""
    title = FORMS[Kind(entry.kind)].title
    out.print(f"{entry.id}: {title}, {entry.first} until before {entry.until}", markup=False)
    out.print(f"It spent {entry.epsilon:f} of the budget of {entry.year}.", markup=False)
    if not entry.figures:
        return
    table = Table("Measured before it left", "Figure", "At most", "", box=None)
    for one in entry.figures:
        table.add_row(
            one["words"], _percent(one["value"]), _percent(one["at_most"]), "met" if one["met"] else "not met"
        )
    out.print(table)


def _percent(share: str) -> str:
    """A share of one in percent."""
    return f"{Decimal(share) * 100:.1f} %"


def _refused(entry: Any) -> str:
    """Why nothing left, and what to do."""
    if not entry.figures:
        why = (
            "The first look shows that these sites are too small: no cell would have enough drivers behind it for sure."
        )
    elif all(one["met"] for one in entry.figures):
        why = "No cell has enough drivers behind it for sure."
    else:
        why = "It does not meet the bar: " + "; ".join(one["words"] for one in entry.figures if not one["met"]) + "."
    return (
        f"Nothing leaves. {why} Ask for fewer and wider cells (site-months has the widest), for more sites or more "
        "people together; where telling who is in it was too easy, for less epsilon. What was drawn stays spent."
    )
