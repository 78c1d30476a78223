"""`wattkeeper witness`: be the second party that watches a log. It needs no database and no settings."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from wattkeeper.commands.privacy.given import given_keys
from wattkeeper.commands.terminal import fail, out, run

app = typer.Typer(help="Watch somebody's log: it must only ever grow.", no_args_is_help=True)
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The witness's folder: its key, and what it saw.")]


@app.callback()
def witness() -> None:
    """Watch somebody's log: it must only ever grow."""


@app.command()
def init(
    folder: Folder,
    name: Annotated[str, typer.Option(help="What it is called, such as witness.example/w1.")],
) -> None:
    """Make a witness, with a key of its own; print the key that others verify it by."""
    from wattkeeper.vault.note import NoteRefused
    from wattkeeper.witness.memory import begin

    try:
        made = begin(folder, name)
    except FileExistsError:
        fail(f"There is a witness in {folder} already.")
    except (NoteRefused, OSError) as problem:
        fail(str(problem))
    print(made.verifier)


@app.command()
def add(
    folder: Folder,
    key: Annotated[str, typer.Argument(metavar="KEY|FILE", help="The log's key: wattkeeper log key.")],
    address: Annotated[
        str, typer.Argument(metavar="[URL]", help="Where to follow it; without, it comes by itself.")
    ] = "",
) -> None:
    """Watch a log, or know another key of it."""
    from wattkeeper.witness import memory

    if address and not address.startswith(("http://", "https://")):
        fail(f"{address} is no address; one is such as https://charge.example.")
    if not (folder / memory.KEY).exists():
        fail(f"{folder} is no witness yet. Run: wattkeeper witness init {folder} --name NAME")
    for one in given_keys([key]):
        memory.add(folder, one, address)
        out.print(f"It watches {one.name}.", markup=False, soft_wrap=True)


@app.command()
def look(folder: Folder) -> None:
    """Look once at every log; exit 0 where all is well, 1 after an alarm, 2 where one was not reached."""
    from wattkeeper.vault.note import NoteRefused
    from wattkeeper.witness import running

    _log()
    try:
        with running.opened(folder) as made:
            outcome = run(running.look(made))
            _tell(made)
    except NoteRefused as refused:
        fail(str(refused))
    raise typer.Exit(1 if made.is_alarmed() else int(outcome))


@app.command("run")
def work(
    folder: Folder,
    every: Annotated[float, typer.Option(min=1, help="How often it looks, seconds.")] = 60,
    host: Annotated[str, typer.Option(help="The address its door listens on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 opens no door.")] = 8090,
) -> None:
    """Watch and cosign, until stopped; at its door logs send checkpoints, and anybody sees how it stands."""
    from wattkeeper.vault.note import NoteRefused
    from wattkeeper.witness import running

    _log()
    try:
        with running.opened(folder) as made:
            if port:
                out.print(f"Witness {made.signer.name} at http://{host}:{port}", markup=False, soft_wrap=True)
            run(running.run(made, every, host, port))
    except NoteRefused as refused:
        fail(str(refused))


def _log() -> None:
    """Alarms go to the standard error, each in a line."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")


def _tell(made: object) -> None:
    """How each log stands."""
    from wattkeeper.witness.judging import Witness

    assert isinstance(made, Witness)
    for origin, known in made.memory.logs.items():
        seen = known.seen.size if known.seen else 0
        out.print(f"{origin}: {seen:,} entries cosigned.", markup=False, soft_wrap=True)
        for alarm in known.alarms:
            out.print(f"  ALARM {alarm.kind}: {alarm.words}", markup=False, soft_wrap=True)
