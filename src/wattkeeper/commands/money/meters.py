"""`wattkeeper stations meter-key` and its like: the public keys of meters, pinned with their paper in hand."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer
from rich.table import Table

from wattkeeper.commands.terminal import VIEWER, Database, fail, out, rooms_of, run

Station = Annotated[str, typer.Argument(metavar="STATION", help="The station's identity.")]
Evse = Annotated[int, typer.Option(min=1, max=255, help="At which of its EVSEs.")]


def meter_key(
    station: Station,
    serial: Annotated[str, typer.Option(help="The meter's serial number, as on its paper.")],
    key: Annotated[str, typer.Option(help="Its public key as printed: hexadecimal or base64; spaces do not matter.")],
    evse: Evse = 1,
    since: Annotated[
        str, typer.Option(metavar="WHEN", help="Since when it is there, such as 2026-11-01T00:00:00+01:00; else now.")
    ] = "",
    database: Database = None,
) -> None:
    """Pin the public key of the meter at an EVSE; the one before ends."""
    begins = _instant(since) if since else None

    async def work() -> Any:
        async with rooms_of(database) as rooms:
            return await rooms.meters.pin(VIEWER, station, evse, serial, key, begins)

    made = run(work())
    out.print(f"The key {made.mark} ({made.curve}) of meter {made.serial} is pinned at {station}, EVSE {evse},")
    out.print(f"for sessions that began from {made.since:%Y-%m-%d %H:%M:%S} UTC on.")


def meters(station: Station, database: Database = None) -> None:
    """List the keys of a station's meters, where signatures are required, and keys that its messages offered."""

    async def work() -> tuple[Any, Any, Any]:
        async with rooms_of(database) as rooms:
            asked = rooms.meters
            return (
                await asked.keys(VIEWER, station),
                await asked.rules(VIEWER, station),
                await asked.offered(VIEWER, station),
            )

    keys, rules, offered = run(work())
    table = Table("Id", "EVSE", "Meter", "Curve", "Fingerprint", "Since (UTC)", "Until (UTC)", box=None)
    for one in keys:
        until = f"{one.until:%Y-%m-%d %H:%M}" if one.until else "now"
        table.add_row(one.id, str(one.evse), one.serial, one.curve, one.mark, f"{one.since:%Y-%m-%d %H:%M}", until)
    out.print(table if keys else "No key of a meter is pinned here.")
    for evse in sorted({one.evse for one in rules}):
        newest = next(one for one in rules if one.evse == evse)
        place = f"EVSE {evse}" if evse else "every other EVSE"
        out.print(f"At {place} signed values are {'required' if newest.is_required else 'not required'}.")
    for one in offered:
        out.print(f"Offered at EVSE {one.evse}, {one.seen_at:%Y-%m-%d %H:%M} UTC; compare it with the meter's paper:")
        out.print(f"  {one.key}", markup=False)


def end_meter_key(
    station: Station,
    identifier: Annotated[str, typer.Argument(metavar="ID", help="As `stations meters` shows it.")],
    database: Database = None,
) -> None:
    """End a key of a meter from now on; it stays for the sessions before."""

    async def work() -> None:
        async with rooms_of(database) as rooms:
            await rooms.meters.end(VIEWER, station, identifier)

    run(work())
    out.print("It has ended.")


def require_signatures(
    station: Station,
    evse: Annotated[int, typer.Option(min=0, max=255, help="At which of its EVSEs; 0: at the whole station.")] = 0,
    required: Annotated[bool, typer.Option("--yes/--no", help="Whether values must be signed.")] = True,
    database: Database = None,
) -> None:
    """Rule that sessions without valid signed values wait for a person, or that they need not."""

    async def work() -> None:
        async with rooms_of(database) as rooms:
            await rooms.meters.require(VIEWER, station, evse, required)

    run(work())
    out.print(f"From now on signed values are {'required' if required else 'not required'} there.")


def _instant(text: str) -> datetime:
    """An instant with its offset."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        fail(f"{text!r} is no instant with an offset, such as 2026-11-01T00:00:00+01:00.")
    return at
