"""What the grid meters of sites showed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.money.grid import Register
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.store.tables import grid_reading
from wattkeeper.store.unit import Unit

G = grid_reading.c


@dataclass(frozen=True, slots=True)
class GridReading:
    """What a site's grid meter showed, and who entered it."""

    site: str
    meter: str
    at: datetime
    energy_wh: Decimal
    by: str = ""


async def keep(unit: Unit, readings: Collection[GridReading], by: str) -> None:
    """Keep readings; one of the same meter and instant takes the place of the one before."""
    dialect: Any = sqlite if unit.is_sqlite else postgresql
    rows = [
        {"site": one.site, "meter": one.meter, "at": one.at, "energy_wh": one.energy_wh}
        | {"created_at": unit.now, "created_by": by}
        for one in readings
    ]
    wanted = dialect.insert(grid_reading)
    changed = {name: wanted.excluded[name] for name in ("energy_wh", "created_at", "created_by")}
    keys = list(grid_reading.primary_key.columns)
    if rows:
        await unit.connection.execute(wanted.on_conflict_do_update(index_elements=keys, set_=changed), rows)


async def find(
    connection: AsyncConnection, viewer: Viewer, limit: int, site: str | None = None, before: datetime | None = None
) -> list[GridReading]:
    """The newest readings, of one site or of all (scope bills:read)."""
    viewer.need(Scope.BILLS_READ)
    wanted = select(G.site, G.meter, G.at, G.energy_wh, G.created_by)
    if site is not None:
        wanted = wanted.where(G.site == site)
    if before is not None:
        wanted = wanted.where(G.at < before)
    rows = await connection.execute(wanted.order_by(G.at.desc(), G.site, G.meter).limit(limit))
    return [GridReading(*row) for row in rows]


async def registers(connection: AsyncConnection, viewer: Viewer) -> dict[tuple[str, str], list[Register]]:
    """All that each meter showed, by site and meter, in the order of time (scope bills:read)."""
    viewer.need(Scope.BILLS_READ)
    found: dict[tuple[str, str], list[Register]] = {}
    rows = await connection.execute(select(G.site, G.meter, G.at, G.energy_wh).order_by(G.site, G.meter, G.at))
    for site, meter, at, energy_wh in rows:
        found.setdefault((site, meter), []).append(Register(at, energy_wh))
    return found


async def of_meter(unit: Unit, site: str, meter: str) -> list[Register]:
    """All that a meter showed, in the order of time: for judging what is entered."""
    wanted = select(G.at, G.energy_wh).where(G.site == site, G.meter == meter).order_by(G.at)
    return [Register(*row) for row in await unit.connection.execute(wanted)]
