"""The command line: ``wattkeeper --help``."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from wattkeeper import __version__
from wattkeeper.charging.errors import Refusal
from wattkeeper.charging.evidence import findings, kwh, say
from wattkeeper.charging.identifiers import parse, shown
from wattkeeper.charging.person import EVERYTHING, Role, Scope, Viewer
from wattkeeper.settings import Settings, load

app = typer.Typer(
    help="Wattkeeper: every charging session authenticated, metered, priced and kept private, and open to check.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
sessions_app = typer.Typer(help="Look at charging sessions.", no_args_is_help=True)
cards_app = typer.Typer(help="Enrol drivers' cards.", no_args_is_help=True)
stations_app = typer.Typer(help="Admit charging stations.", no_args_is_help=True)
accounts_app = typer.Typer(help="Who may sign in.", no_args_is_help=True)
tokens_app = typer.Typer(help="Tokens for programs that use the API.", no_args_is_help=True)
app.add_typer(sessions_app, name="sessions")
app.add_typer(cards_app, name="cards")
app.add_typer(stations_app, name="stations")
app.add_typer(accounts_app, name="accounts")
app.add_typer(tokens_app, name="tokens")

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)
T = TypeVar("T")
VIEWER = Viewer("command line", Role.OPERATOR, EVERYTHING)
"""Whoever may run commands on the machine may see what is kept there."""

Database = Annotated[
    str | None,
    typer.Option("--database", help="Such as sqlite:///wattkeeper.db or postgresql://host/name.", show_default=False),
]


@app.command()
def demo(
    speed: Annotated[float, typer.Option(min=1, max=3600, help="How many times faster than life.")] = 60,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON for scripts.")] = False,
    database: Database = None,
) -> None:
    """Run everything on one SQLite file, with simulated stations that replay real sessions."""
    from wattkeeper import demo as demonstration

    tell: Callable[[str], None] = (lambda line: None) if as_json else (lambda line: out.print(line, markup=False))
    _run(demonstration.run(speed, as_json, tell, database))


@app.command()
def serve(database: Database = None) -> None:
    """Run an installation: the stations' door and the people's, until stopped."""
    _run(_serve(load(database=database)))


async def _serve(settings: Settings) -> None:
    """Open the rooms and both doors until cancelled."""
    from wattkeeper.assembly import open_doors, open_rooms
    from wattkeeper.store import account as accounts

    async with open_rooms(settings) as rooms, open_doors(rooms) as doors:
        out.print(f"Stations   {doors.ocpp}/<station id>")
        out.print(f"People     {doors.http}")
        async with rooms.store.read() as connection:
            empty = not await accounts.any_account(connection)
        if empty:
            out.print("Nobody can sign in yet. Run: wattkeeper accounts add NAME")
        await asyncio.Event().wait()


@app.command()
def migrate(database: Database = None) -> None:
    """Bring the database to this version's schema; safe to run again."""
    from wattkeeper.store.migrate import migrate as upgrade

    settings = load(database=database)
    _run(upgrade(settings.database))
    out.print(f"{settings.database} is at the schema of version {__version__}.")


@app.command()
def rebuild(database: Database = None) -> None:
    """Drop everything derived and fold it again from the journal. Stop the installation first."""

    async def work() -> int:
        from wattkeeper.operations.rebuild import rebuild as fold_again
        from wattkeeper.store.engines import Store

        store = Store(load(database=database).database)
        with Progress(console=err, transient=True) as progress:
            bar = progress.add_task("Folding the journal")
            try:
                return await fold_again(store, lambda done, of: progress.update(bar, completed=done, total=of))
            finally:
                await store.close()

    out.print(f"{_run(work()):,} journal entries folded again.")


@app.command()
def simulate(
    fleet: Annotated[Path | None, typer.Argument(help="A fleet as JSON; - or nothing reads standard input.")] = None,
) -> None:
    """Run simulated stations against an installation: url, speed, cards and stations from a JSON file."""
    from wattkeeper.simulator import fleet as fleets

    try:
        text = sys.stdin.read() if fleet is None or str(fleet) == "-" else fleet.read_text()
    except OSError as problem:
        _fail(f"The fleet could not be read: {problem}")
    _run(fleets.run_fleet(fleets.read_fleet(text), lambda line: out.print(line, markup=False)))


@sessions_app.command("list")
def sessions_list(
    station: Annotated[str | None, typer.Option(help="Only of this station.")] = None,
    live: Annotated[bool, typer.Option("--live", help="Only those that run now.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, newest first.")] = 20,
    database: Database = None,
) -> None:
    """List sessions, newest first."""

    async def work() -> list[Any]:
        from wattkeeper.store.session import Sought, find

        async with _store(database) as store, store.read() as connection:
            return await find(connection, VIEWER, Sought(station=station, live=live or None), limit)

    found = _run(work())
    if not found:
        out.print("No sessions yet. They appear here when a station starts one.")
        return
    table = Table("Session", "Station", "Card", "Started (UTC)", "Energy", "State", "Evidence", box=None)
    for s in found:
        energy = "–" if s.energy_wh is None else kwh(str(s.energy_wh))
        card = f"••{s.last2}" if s.last2 else "unknown" if s.token else "–"
        place = s.station if s.evse is None else f"{s.station} · {s.evse}"
        table.add_row(shown(s.id), place, card, f"{s.started_at:%Y-%m-%d %H:%M}", energy, s.state.value, s.grade.value)
    out.print(table)


@sessions_app.command("show")
def sessions_show(
    identifier: Annotated[
        str, typer.Argument(metavar="ID", help="As it was said: K7QM-4XRD-T, case and dashes aside.")
    ],
    database: Database = None,
) -> None:
    """Show one session: energy, evidence and its line of time."""
    wanted = parse(identifier)
    if wanted is None:
        _fail(f"{identifier!r} is not a session id: it has nine symbols, the last a check. Was one misheard?")

    async def work() -> tuple[Any, list[Any]]:
        from wattkeeper.store.session import one
        from wattkeeper.web.timeline import line

        async with _store(database) as store, store.read() as connection:
            found = await one(connection, VIEWER, wanted or "")
            return found, list((await line(connection, VIEWER, found)).steps) if found else []

    session, steps = _run(work())
    if session is None:
        _fail(f"There is no session {shown(wanted or '')} here.")
    _print_session(session, steps)


def _print_session(session: Any, steps: list[Any]) -> None:
    """One session for the terminal."""
    energy = "unknown" if session.energy_wh is None else kwh(str(session.energy_wh))
    out.print(f"[bold]{shown(session.id)}[/bold]  {session.state.value}, {energy}, evidence {session.grade.value}")
    out.print(f"Station {session.station}, started {session.started_at:%Y-%m-%d %H:%M:%S} UTC")
    for finding in findings(session.whole):
        out.print(f"  ! {say(finding)}", markup=False)
    for step in steps:
        moment = step.at or step.received_at
        out.print(f"  {moment:%H:%M:%S}  {step.words}", markup=False)


@cards_app.command("import")
def cards_import(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="CSV with a header: number, name, group, …")
    ],
    database: Database = None,
) -> None:
    """Enrol cards from a CSV file; a card already known is updated."""

    async def work() -> Any:
        async with _rooms(database) as rooms:
            return await rooms.cards.import_csv(file.read_text(encoding="utf-8-sig"), by="command line")

    report = _run(work())
    out.print(f"{report.imported} enrolled, {report.updated} updated, {report.rejected_count} rejected.")
    for row in report.rejected:
        err.print(f"  line {row.line}: {row.why}", markup=False)
    if report.rejected:
        raise typer.Exit(1)


@stations_app.command("add")
def stations_add(
    station: Annotated[str, typer.Argument(metavar="ID", help="The identity in the station's connection URL.")],
    label: Annotated[str, typer.Option(help="Its name for people.")] = "",
    site: Annotated[str, typer.Option(help="Where it stands.")] = "",
    max_power_kw: Annotated[float | None, typer.Option(help="The most one of its EVSEs delivers.")] = None,
    database: Database = None,
) -> None:
    """Admit a station and show its key, once."""
    watts = None if max_power_kw is None else Decimal(str(max_power_kw)) * 1000

    async def work() -> str:
        async with _rooms(database) as rooms:
            by = "command line"
            return str(await rooms.admission.provision(station, by, label=label, site=site, max_power_w=watts))

    key = _run(work())
    out.print(f"{station} is admitted. Type this key into it; it is not shown again:")
    out.print(f"  {key}", markup=False)


@accounts_app.command("add")
def accounts_add(
    name: Annotated[str, typer.Argument(help="The name to sign in with.")],
    generate: Annotated[bool, typer.Option("--generate", help="Make a password instead of asking.")] = False,
    database: Database = None,
) -> None:
    """Let a person sign in, or give them a new password."""
    password = (
        secrets.token_urlsafe(15) if generate else typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    )

    async def work() -> None:
        async with _rooms(database) as rooms:
            await rooms.access.make_account(name, password)

    _run(work())
    out.print(f"{name} can sign in." + (f" Password: {password}" if generate else ""), markup=False)


@tokens_app.command("add")
def tokens_add(
    name: Annotated[str, typer.Argument(help="What the token is for.")],
    scope: Annotated[list[Scope] | None, typer.Option(help="What it may do; repeat for several. Default: all.")] = None,
    database: Database = None,
) -> None:
    """Make a token for the API and show it, once."""

    async def work() -> str:
        async with _rooms(database) as rooms:
            return str(await rooms.access.make_token(name, frozenset(scope) if scope else EVERYTHING))

    out.print(_run(work()), markup=False)


@accounts_app.command("remove")
def accounts_remove(
    name: Annotated[str, typer.Argument(help="Who may not sign in any more.")], database: Database = None
) -> None:
    """Remove an account; its sign-ins end within a second."""

    async def work() -> None:
        async with _rooms(database) as rooms:
            await rooms.access.remove_account(name)

    _run(work())
    out.print(f"{name} cannot sign in any more.", markup=False)


@tokens_app.command("list")
def tokens_list(database: Database = None) -> None:
    """List the tokens there are; the tokens themselves are never kept."""

    async def work() -> list[Any]:
        async with _rooms(database) as rooms:
            return list(await rooms.access.tokens())

    table = Table("Id", "Name", "May", "Made (UTC)", "Last used (UTC)", box=None)
    for token in _run(work()):
        used = f"{token.last_used_at:%Y-%m-%d %H:%M}" if token.last_used_at else "never"
        may = "everything" if token.scopes == EVERYTHING else " ".join(sorted(token.scopes))
        table.add_row(token.id, token.name, may, f"{token.created_at:%Y-%m-%d %H:%M}", used)
    out.print(table)


@tokens_app.command("revoke")
def tokens_revoke(
    identifier: Annotated[str, typer.Argument(metavar="ID", help="As `tokens list` shows it.")],
    database: Database = None,
) -> None:
    """End a token; it is refused within a second."""

    async def work() -> None:
        async with _rooms(database) as rooms:
            await rooms.access.revoke_token(identifier)

    _run(work())
    out.print(f"{identifier} is ended.", markup=False)


# --- what the commands share ----------------------------------------------------------------------------


@asynccontextmanager
async def _rooms(database: str | None) -> AsyncIterator[Any]:
    """The rooms of the installation, without its doors."""
    from wattkeeper.assembly import open_rooms

    async with open_rooms(load(database=database)) as rooms:
        yield rooms


@asynccontextmanager
async def _store(database: str | None) -> AsyncIterator[Any]:
    """The installation's database, to look."""
    from wattkeeper.store.engines import Store

    store = Store(load(database=database).database)
    try:
        yield store
    finally:
        await store.close()


def _fail(why: str) -> NoReturn:
    """Say what is wrong and end."""
    err.print(why, markup=False)
    raise typer.Exit(1)


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end, or until Ctrl-C or SIGTERM; a refusal is a sentence, not a traceback."""
    from sqlalchemy.exc import DBAPIError

    from wattkeeper.vault.keys import KeyRefused

    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            loop = runner.get_loop()
            task = loop.create_task(work)
            for name in (signal.SIGINT, signal.SIGTERM):
                with contextlib.suppress(NotImplementedError):
                    loop.add_signal_handler(name, task.cancel)
            return loop.run_until_complete(task)
    except asyncio.CancelledError:
        raise typer.Exit(0) from None
    except Refusal as refusal:
        err.print(refusal.why, markup=False)
    except (KeyRefused, ValueError, OSError) as problem:
        err.print(str(problem), markup=False)
    except DBAPIError as problem:
        err.print(f"The database could not be used: {problem.orig}", markup=False)
        err.print("If it is new or of an older version, run: wattkeeper migrate")
    raise typer.Exit(1)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where it exists."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def main() -> None:
    """Run the command line; a setting that is wrong is a sentence."""
    try:
        app()
    except ValueError as problem:
        err.print(str(problem), markup=False)
        sys.exit(2)


if __name__ == "__main__":
    main()
