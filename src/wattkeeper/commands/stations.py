"""`wattkeeper stations`: admit charging stations."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

import typer

from wattkeeper.commands.money import meters
from wattkeeper.commands.terminal import BY, Database, out, rooms_of, run

app = typer.Typer(help="Admit charging stations.", no_args_is_help=True)


@app.callback()
def stations() -> None:
    """Admit charging stations."""


@app.command("add")
def add(
    station: Annotated[str, typer.Argument(metavar="ID", help="The identity in the station's connection URL.")],
    label: Annotated[str, typer.Option(help="Its name for people.")] = "",
    site: Annotated[str, typer.Option(help="Where it stands.")] = "",
    max_power_kw: Annotated[float | None, typer.Option(help="The most one of its EVSEs delivers.")] = None,
    database: Database = None,
) -> None:
    """Admit a station and show its key, once."""
    watts = None if max_power_kw is None else Decimal(str(max_power_kw)) * 1000

    async def work() -> str:
        async with rooms_of(database) as rooms:
            return str(await rooms.admission.provision(station, BY, label=label, site=site, max_power_w=watts))

    key = run(work())
    out.print(f"{station} is admitted. Type this key into it; it is not shown again:")
    out.print(f"  {key}", markup=False)


app.command("meter-key")(meters.meter_key)
app.command("meters")(meters.meters)
app.command("end-meter-key")(meters.end_meter_key)
app.command("require-signatures")(meters.require_signatures)
