"""`wattkeeper simulate`: stations that behave as real ones do, and real sessions told by them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.phrase import phrase
from wattkeeper.commands.terminal import VIEWER, Database, err, fail, going_on, out, run
from wattkeeper.settings import load

REPLAY = "replay"
"""Who made the stations of a replay, in records."""


def simulate(
    fleet: Annotated[Path | None, typer.Argument(help="A fleet as JSON; - or nothing reads standard input.")] = None,
    replay: Annotated[
        bool,
        typer.Option(
            "--replay", help="Tell 3,395 real sessions, with their true times, to an installation of its own."
        ),
    ] = False,
    most: Annotated[int | None, typer.Option(min=1, help="With --replay: only the first so many.")] = None,
    database: Database = None,
) -> None:
    """Run simulated stations against an installation: url, speed, cards and stations from a JSON file.

    With --replay there is nothing to describe: stations, cards and door are made in the database that is named.
    """
    if replay:
        if fleet is not None:
            fail("A replay needs no fleet: leave the file out.")
        run(_replay(database, most))
        return
    if most is not None:
        fail("--most says how many sessions a replay tells: it goes with --replay.")
    if fleet is None and sys.stdin.isatty():
        fail("Name a fleet as JSON (- reads it from standard input), or give --replay, which needs none.")
    from wattkeeper.simulator import fleet as fleets

    text = _text_of(fleet)
    if not text.strip():
        fail("No fleet came in. Name its file, or let real sessions be told: wattkeeper simulate --replay")
    run(fleets.run_fleet(fleets.read_fleet(text), lambda line: out.print(line, markup=False)))


def _text_of(fleet: Path | None) -> str:
    """What stands in a fleet's file, or comes in; ends the command where it is no text."""
    try:
        return sys.stdin.read() if fleet is None or str(fleet) == "-" else fleet.read_text("utf-8")
    except UnicodeDecodeError:
        fail(f"{fleet or 'What came in'} is no text; a fleet is JSON.")
    except OSError as problem:
        fail(f"{fleet} cannot be read: {problem.strerror}. Is its name right?")


async def _replay(database: str | None, most: int | None) -> None:
    """Open the doors, let the stations of the data tell their sessions through them, count."""
    from wattkeeper.assembly import open_doors, open_rooms
    from wattkeeper.simulator.replay import load as sojourns_of
    from wattkeeper.simulator.retelling import Retelling

    sojourns = sojourns_of()[:most]
    settings = replace(load(database=database), ocpp_port=0, http_port=0)
    async with open_rooms(settings) as rooms:
        keys = await _keys(rooms, sojourns)
        await rooms.cards.import_csv("\n".join(["number", *sorted({one.user for one in sojourns})]), VIEWER)
        async with open_doors(rooms) as doors:
            retelling = Retelling(doors.ocpp, keys, lambda line: err.print(line, markup=False))
            with Progress(console=err, transient=True) as progress:
                bar = progress.add_task("Telling sessions", total=len(sojourns))
                with going_on(lambda: f"{progress.tasks[0].completed:,.0f} of {len(sojourns):,} sessions are told"):
                    heard = await retelling.run(sojourns, lambda told: progress.update(bar, completed=told))
            await rooms.statistics.counting.look()
    out.print(f"{heard:,} sessions were told by {len(keys):,} stations through OCPP 1.6.")
    if heard < len(sojourns):
        fail(f"{len(sojourns) - heard:,} sessions were not heard.")


async def _keys(rooms: Any, sojourns: Sequence[Any]) -> dict[str, str]:
    """Make these stations, or give those of a replay new keys; Refusal (CONFLICT) where there are others."""
    from wattkeeper.store.stations import station

    sites = {one.station: one.site for one in sojourns}
    async with rooms.store.read() as connection:
        there = await station.known(connection, sites.keys())
        if await station.has_others(connection, REPLAY):
            why = phrase(
                "This installation has stations or sessions of its own, which no replay made. Name another database to "
                "replay into: --database."
            )
            raise Refusal(Code.CONFLICT, why)
    return {
        name: await rooms.admission.rekey(name, REPLAY)
        if name in there
        else await rooms.admission.provision(name, REPLAY, site=site)
        for name, site in sorted(sites.items())
    }
