"""`wattkeeper log`: the log as files, its state, and its keys."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress

from wattkeeper.commands.terminal import Database, err, out, rooms_of, run

app = typer.Typer(help="The log that proves what was done: as files, its state, its keys.", no_args_is_help=True)
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="A folder for it; one that holds it already goes on.")]


@app.callback()
def log() -> None:
    """The log that proves what was done: as files, its state, its keys."""


@app.command()
def export(folder: Folder, database: Database = None) -> None:
    """Write the log as plain files that anybody can check: wattkeeper verify log DIR --key DIR/key."""

    async def work() -> int:
        from wattkeeper.operations.log.export import export

        async with rooms_of(database) as rooms:
            with Progress(console=err, transient=True) as progress:
                bar = progress.add_task("Writing entries")
                await rooms.keeper.finish()
                return await export(rooms.log, folder, lambda done, of: progress.update(bar, completed=done, total=of))

    size = run(work())
    out.print(f"{size:,} entries are in {folder}.", soft_wrap=True)


@app.command()
def key(database: Database = None) -> None:
    """Print the keys that the log is verified with, the newest first: give them to whoever shall check."""

    async def work() -> Any:
        async with rooms_of(database) as rooms:
            return await rooms.log.keys()

    for one in run(work()):
        print(one)


@app.command()
def checkpoint(database: Database = None) -> None:
    """Print the newest checkpoint, a signed note: kept elsewhere, it shows later whether anything was changed."""

    async def work() -> str:
        async with rooms_of(database) as rooms:
            return str(await rooms.log.checkpoint())

    print(run(work()), end="")
