"""`wattkeeper sessions`: look at charging sessions."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table

from wattkeeper.charging.evidence import findings, kwh, say
from wattkeeper.charging.identifiers import parse, shown
from wattkeeper.commands.terminal import VIEWER, Database, fail, out, run, store_of

app = typer.Typer(help="Look at charging sessions.", no_args_is_help=True)


@app.command("list")
def list_sessions(
    station: Annotated[str | None, typer.Option(help="Only of this station.")] = None,
    live: Annotated[bool, typer.Option("--live", help="Only those that run now.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, newest first.")] = 20,
    database: Database = None,
) -> None:
    """List sessions, newest first."""

    async def work() -> list[Any]:
        from wattkeeper.store.sessions.session import Sought, find

        async with store_of(database) as store, store.read() as connection:
            return await find(connection, VIEWER, Sought(station=station, live=live or None), limit)

    found = run(work())
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


@app.command("show")
def show(
    identifier: Annotated[
        str, typer.Argument(metavar="ID", help="As it was said: K7QM-4XRD-T, case and dashes aside.")
    ],
    database: Database = None,
) -> None:
    """Show one session: energy, evidence and its line of time."""
    wanted = parse(identifier)
    if wanted is None:
        fail(f"{identifier!r} is not a session id: it has nine symbols, the last a check. Was one misheard?")

    async def work() -> tuple[Any, list[Any]]:
        from wattkeeper.store.sessions.session import one
        from wattkeeper.web.timeline import line

        async with store_of(database) as store, store.read() as connection:
            found = await one(connection, VIEWER, wanted or "")
            return found, list((await line(connection, VIEWER, found)).steps) if found else []

    session, steps = run(work())
    if session is None:
        fail(f"There is no session {shown(wanted or '')} here.")
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
