"""`wattkeeper grid`: what the grid meters of sites showed, so that energy bought can be held against energy sold."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from wattkeeper.charging.phrase import Figure
from wattkeeper.commands.terminal import VIEWER, Database, fail, number_of, out, rooms_of, run, store_of
from wattkeeper.settings import load

app = typer.Typer(help="What the grid meters of sites showed.", no_args_is_help=True)


@app.command()
def read(
    site: Annotated[str, typer.Argument(help="The site, as its stations name it.")],
    register: Annotated[str, typer.Argument(metavar="KWH", help="What the meter shows, such as 12345.6.")],
    meter: Annotated[str, typer.Option(help="What the meter is called; a new meter has a new name.")] = "grid",
    at: Annotated[
        str | None, typer.Option(help="When it was read, such as 2026-03-01T00:00; now if absent.", show_default=False)
    ] = None,
    database: Database = None,
) -> None:
    """Note what a site's grid meter shows."""
    when = datetime.now(UTC) if at is None else _instant(at, load(database=database).zone)
    energy_wh = number_of(register).scaleb(3)

    async def work() -> Any:
        from wattkeeper.store.money.grid import GridReading

        async with rooms_of(database) as rooms:
            return await rooms.grid_meters.enter(VIEWER, [GridReading(site, meter, when, energy_wh)])

    run(work())
    out.print("Noted. `wattkeeper revenue` shows what was bought, sold and lost.", markup=False)


@app.command("import")
def import_readings(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV with a header: site,meter,at,kwh")],
    database: Database = None,
) -> None:
    """Take in readings from a CSV file, all or none."""
    zone = load(database=database).zone
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        fail(f"{file} is not UTF-8 text.")

    async def work() -> Any:
        async with rooms_of(database) as rooms:
            return await rooms.grid_meters.import_csv(VIEWER, text, zone)

    out.print(f"{run(work())} readings are kept.")


@app.command("list")
def list_readings(
    site: Annotated[str | None, typer.Option(help="Only of this site.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many, newest first.")] = 20,
    database: Database = None,
) -> None:
    """List what grid meters showed, newest first."""

    async def work() -> list[Any]:
        from wattkeeper.store.money.grid import find

        async with store_of(database) as store, store.read() as connection:
            return await find(connection, VIEWER, limit, site)

    found = run(work())
    if not found:
        out.print("No grid meter was read yet: wattkeeper grid read SITE KWH")
        return
    table = Table("Site", "Meter", "Read (UTC)", "Register", "By", box=None)
    for one in found:
        register = str(Figure(one.energy_wh.scaleb(-3), 3, "kWh"))
        table.add_row(escape(one.site), escape(one.meter), f"{one.at:%Y-%m-%d %H:%M}", register, escape(one.by))
    out.print(table)


def _instant(said: str, zone: Any) -> datetime:
    """An instant that was typed; without an offset by the installation's clock."""
    try:
        at = datetime.fromisoformat(said)
        return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        fail(f"{said!r} is no instant; one is such as 2026-03-01T00:00.")
