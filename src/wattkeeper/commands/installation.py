"""Commands for the whole installation: run it, show it, migrate and rebuild what it keeps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated
from urllib.parse import urlsplit

import typer
from rich.progress import Progress

from wattkeeper import __version__
from wattkeeper.commands.terminal import Database, err, out, run
from wattkeeper.settings import Settings, load

app = typer.Typer()


@app.command()
def demo(
    speed: Annotated[float, typer.Option(min=1, max=3600, help="How many times faster than life.")] = 60,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON for scripts.")] = False,
    database: Database = None,
) -> None:
    """Run everything on one SQLite file, with simulated stations that replay real sessions."""
    from wattkeeper.demo import demo as demonstration

    tell: Callable[[str], None] = (lambda line: None) if as_json else (lambda line: out.print(line, markup=False))
    run(demonstration.run(speed, as_json, tell, database))


@app.command()
def serve(database: Database = None) -> None:
    """Run an installation: the stations' door and the people's, until stopped."""
    run(_serve(_fit(load(database=database))))


@app.command()
def check(database: Database = None) -> None:
    """Say what would keep it from starting as production: what would go in clear, and what is left open."""
    from wattkeeper.operations.profile import faults, in_words

    found = faults(load(database=database))
    for line in in_words(found):
        out.print(line, markup=False, soft_wrap=True)
    if found:
        raise typer.Exit(1)
    out.print("Nothing would go in clear, and nothing is left open. Set WATTKEEPER_PROFILE=production to keep it so.")


def _fit(settings: Settings) -> Settings:
    """The settings; ValueError where they are not those of their profile."""
    from wattkeeper.operations.profile import need_fit

    need_fit(settings)
    return settings


async def _serve(settings: Settings) -> None:
    """Open the rooms and both doors until cancelled."""
    from wattkeeper.assembly import open_doors, open_rooms

    async with open_rooms(settings) as rooms, open_doors(rooms) as doors:
        out.print(f"Stations   {doors.ocpp}/<station id>")
        people = settings.address_at(urlsplit(doors.http).port or settings.http_port)
        out.print(f"People     {people}")
        code = await rooms.people.staff.make_owner_link()
        if code:
            out.print("Nobody owns this installation yet. Whoever opens this link does; it is good once, for a day:")
            out.print(f"  {people}/first-owner/{code}", markup=False, soft_wrap=True)
        await asyncio.Event().wait()


@app.command()
def migrate(database: Database = None) -> None:
    """Bring the database to this version's schema; safe to run again."""
    from wattkeeper.store.migrate import migrate as upgrade

    settings = load(database=database)
    run(upgrade(settings.database))
    out.print(f"{settings.database} is at the schema of version {__version__}.")


@app.command()
def rebuild(database: Database = None) -> None:
    """Drop everything derived and make it again, from the journal, the bills and the ledger. Stop serving first."""

    async def work() -> int:
        from wattkeeper.operations.money.audit import sum_up
        from wattkeeper.operations.rebuild import rebuild as fold_again
        from wattkeeper.store.engines import Store

        settings = load(database=database)
        store = Store(settings.database)
        with Progress(console=err, transient=True) as progress:
            bar = progress.add_task("Folding the journal")
            try:
                folded = await fold_again(store, lambda done, of: progress.update(bar, completed=done, total=of))
                await sum_up(store, settings.zone)
                return folded
            finally:
                await store.close()

    out.print(f"{run(work()):,} journal entries folded again.")
