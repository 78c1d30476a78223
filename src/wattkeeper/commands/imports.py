"""`wattkeeper import`: take over history from another system."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from wattkeeper.charging.errors import Refusal
from wattkeeper.charging.history.oddity import NAMES, Oddity
from wattkeeper.commands.privacy.given import bytes_of
from wattkeeper.commands.terminal import BY, Database, err, fail, going_on, out, rooms_of, run, store_of
from wattkeeper.settings import load

app = typer.Typer(help="Take over history from another system.", no_args_is_help=True)
MOST_TOLD = 50
"""How many rows are told one by one where nobody asked for them."""
File = Annotated[
    Path, typer.Argument(metavar="FILE", help="Sessions as CSV or XLSX, its first line naming the columns.")
]
Sheet = Annotated[str, typer.Option(help="Which sheet of an XLSX file; else the first.", show_default=False)]


@app.callback()
def imports() -> None:
    """Take over history from another system."""


@app.command("mapping")
def mapping(file: File, sheet: Sheet = "") -> None:
    """Propose a mapping for a file from what its columns are called. Save it, look at every line, then import."""
    from wattkeeper.operations.history.guess import propose
    from wattkeeper.operations.history.table import read_table

    with _sentences():
        out.print(propose(read_table(file, sheet)), markup=False, soft_wrap=True, end="")


@app.command("sessions")
def sessions(
    file: File,
    mapping: Annotated[Path, typer.Option(help="What its columns are, TOML; `import mapping FILE` proposes one.")],
    sheet: Sheet = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Import nothing where any row cannot be taken.")] = False,
    make_stations: Annotated[
        bool, typer.Option("--make-stations", help="Admit stations of the file that are not here.")
    ] = False,
    listed: Annotated[
        Oddity | None, typer.Option("--list", help="List the rows of one oddity.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, all rows told.")] = False,
    database: Database = None,
) -> None:
    """Import sessions: each once, however often it is told; marked as imported, never billed."""
    from wattkeeper.operations.history import importing
    from wattkeeper.operations.history.mapping import read_mapping
    from wattkeeper.operations.history.table import read_table

    with _sentences():
        read = read_mapping(bytes_of(mapping).decode("utf-8-sig", "replace"))
        table = read_table(file, sheet)
    found, done = run(_import(table, read, (dry_run, strict, make_stations), database))
    if as_json:
        print(json.dumps(_told(found, done), ensure_ascii=False, indent=1))
    else:
        _print(found, done, listed, make_stations)
    lacks = bool(found.unknown) and not make_stations
    if lacks and not dry_run and not (strict and found.bad):
        with _sentences():
            importing.need_stations(found.unknown)
    raise typer.Exit(1 if found.bad or lacks else 0)


async def _import(table: Any, mapping: Any, wishes: tuple[bool, bool, bool], database: str | None) -> tuple[Any, int]:
    """What the file comes to, and how many sessions were recorded."""
    from wattkeeper.operations.history import importing

    dry_run, strict, make_stations = wishes
    if dry_run:
        async with _to_look_in(database) as store:
            return await importing.plan(store, table, mapping), 0
    async with rooms_of(database) as rooms:
        found = await importing.plan(rooms.store, table, mapping)
        if (strict and found.bad) or (found.unknown and not make_stations):
            return found, 0
        await importing.make_stations(rooms.admission, found.unknown, mapping, BY)
        with Progress(console=err, transient=True) as progress:
            bar = progress.add_task("Recording sessions", total=len(found.fresh))
            told = lambda done: progress.update(bar, completed=done)  # noqa: E731
            left = f"{len(found.fresh):,} sessions that were not here are imported"
            with going_on(lambda: f"{progress.tasks[0].completed:,.0f} of {left}"):
                return found, await importing.record(rooms.intake, found.fresh, mapping, told)


@asynccontextmanager
async def _to_look_in(database: str | None) -> AsyncIterator[Any]:
    """The installation's database; where there is none yet, an empty one for a moment: to look makes nothing."""
    from wattkeeper.store.engines import async_url
    from wattkeeper.store.migrate import migrate

    url = async_url(load(database=database).database)
    if not url.drivername.startswith("sqlite") or Path(url.database or "").exists():
        async with store_of(database) as store:
            yield store
        return
    with tempfile.TemporaryDirectory(prefix="wattkeeper-") as folder:
        empty = f"sqlite:///{folder}/empty.db"
        await migrate(empty)
        async with store_of(empty) as store:
            yield store


@contextmanager
def _sentences() -> Iterator[None]:
    """What cannot be read is a sentence, not a traceback."""
    try:
        yield
    except Refusal as refusal:
        fail(str(refusal.why))
    except OSError as problem:
        fail(f"{problem.filename} cannot be read: {problem.strerror}. Is its name right?")


# --- what is told ------------------------------------------------------------------------------------------------


def _print(found: Any, done: int, listed: Oddity | None, make_stations: bool) -> None:
    """What is odd, what was refused, what was done."""
    rows = _rows(found, listed)
    for line, column, why in rows if listed else rows[:MOST_TOLD]:
        place = f"line {line}" + (f", column {column}" if column else "")
        (out if listed else err).print(f"{place}: {why}", markup=False, soft_wrap=True)
    if not listed and len(rows) > MOST_TOLD:
        err.print(f"{len(rows) - MOST_TOLD:,} more rows were not taken; --list KIND shows those of one kind.")
    if found.counts:
        table = Table("Odd", "Rows", "To list them", box=None)
        for kind, count in found.counts.items():
            table.add_row(escape(str(NAMES[kind])), f"{count:,}", f"--dry-run --list {kind.value}")
        out.print(table)
    out.print(_sum(found, done, make_stations), soft_wrap=True)
    if found.unknown:
        one = len(found.unknown) == 1
        made = "was made; nobody knows its key" if one else "were made; nobody knows their keys"
        lacks = f"{'is' if one else 'are'} not here: --make-stations admits {'it' if one else 'them'}"
        out.print(f"{len(found.unknown):,} station{'' if one else 's'} {made if done else lacks}.", soft_wrap=True)


def _rows(found: Any, listed: Oddity | None) -> list[tuple[int, str, str]]:
    """The rows that are told one by one: those of one oddity, else those that were not taken."""
    bad = [(one.line, one.column, str(one.why)) for one in found.bad if listed in (None, one.kind)]
    odd = [(one.line, "", str(one.why)) for one in found.odd if one.kind is listed]
    return sorted([*bad, *odd])


def _sum(found: Any, done: int, make_stations: bool) -> str:
    """Everything in one line."""
    if not found.rows:
        return "The file has no rows below its first line: there is nothing to import."
    what = f"{done:,} imported" if done or not found.fresh else f"{len(found.fresh):,} would be imported"
    if found.unknown and not make_stations:
        what = f"nothing imported as long as stations are missing, {len(found.fresh):,} sessions that can be"
    return f"{found.rows:,} rows: {what}, {found.already:,} here already, {len(found.bad):,} not taken."


def _told(found: Any, done: int) -> dict[str, Any]:
    """The same for programs."""
    bad = [{"line": one.line, "column": one.column, "kind": one.kind.value, "why": str(one.why)} for one in found.bad]
    odd = [{"line": one.line, "kind": one.kind.value, "why": str(one.why)} for one in found.odd]
    counts = Counter({kind.value: count for kind, count in found.counts.items()})
    told = {"rows": found.rows, "fresh": len(found.fresh), "imported": done, "already": found.already}
    return told | {"counts": dict(counts), "unknown_stations": list(found.unknown), "not_taken": bad, "odd": odd}
