"""What people entered about sites' energy: terms, kept one after the other, and the carbon of grids by hour."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import func, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.deed import DeedKind
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.statistics.terms import Terms, Window
from wattkeeper.store import deed, reach
from wattkeeper.store.tables import grid_carbon, placement, site_terms
from wattkeeper.store.unit import Unit

T, G = site_terms.c, grid_carbon.c


@dataclass(frozen=True, slots=True)
class Entered:
    """Terms, and who entered them when."""

    n: int
    site: str
    terms: Terms
    created_at: datetime
    created_by: str


async def enter(unit: Unit, site: str, terms: Terms, by: str) -> Entered:
    """Keep other terms of a site; those before stand in its history."""
    n = int(await unit.connection.scalar(select(func.max(T.n))) or 0) + 1
    told = {
        "since": None if terms.since is None else terms.since.isoformat(),
        "currency": terms.currency,
        "peak_minor_per_kw": terms.peak_minor_per_kw,
        "energy_minor_per_kwh": terms.energy_minor_per_kwh,
        "windows": msgspec.json.encode(terms.windows).decode(),
        "limit_w": terms.limit_w,
        "carbon": msgspec.json.encode(terms.carbon_g_per_kwh).decode(),
    }
    own = {"n": n, "site": site, "created_at": unit.now, "created_by": by}
    await unit.connection.execute(insert(site_terms).values(told | own))
    await deed.enter(unit, DeedKind.SITE_TERMS, by, f"site:{site}", {"n": n, **msgspec.to_builtins(terms)})
    return Entered(n, site, terms, unit.now, by)


async def enter_carbon(unit: Unit, site: str, by_hour: Mapping[datetime, Decimal], digest: str, by: str) -> None:
    """Keep the carbon of a site's grid by hour, g/kWh; an hour told before is told anew. ``digest``: of the file."""
    dialect: Any = sqlite if unit.is_sqlite else postgresql
    wanted = dialect.insert(grid_carbon)
    keys = list(grid_carbon.primary_key.columns)
    anew = wanted.on_conflict_do_update(index_elements=keys, set_={"g_per_kwh": wanted.excluded.g_per_kwh})
    rows = [{"site": site, "at": at, "g_per_kwh": grams} for at, grams in by_hour.items()]
    await unit.connection.execute(anew, rows)
    body = {"hours": len(rows), "file_sha256": digest}
    await deed.enter(unit, DeedKind.SITE_TERMS, by, f"site:{site}", body)


async def history(connection: AsyncConnection, viewer: Viewer, site: str, most: int = 100) -> list[Entered]:
    """The terms of a site as they were entered, the newest first (scopes sessions:read and bills:read)."""
    viewer.need(Scope.BILLS_READ)
    wanted = select(site_terms).where(T.site == site, reach.site_totals(viewer, T.site))
    return [_entered(row) for row in await connection.execute(wanted.order_by(T.n.desc()).limit(most))]


async def newest(unit: Unit, site: str) -> Entered | None:
    """What was entered of a site last: for judging what is entered."""
    wanted = select(site_terms).where(T.site == site).order_by(T.n.desc()).limit(1)
    row = (await unit.connection.execute(wanted)).first()
    return None if row is None else _entered(row)


async def of_sites(connection: AsyncConnection, sites: Collection[str] | None = None) -> dict[str, tuple[Terms, ...]]:
    """All terms of sites, the newest last: to work with; whoever shows prices of it asks for bills:read first."""
    wanted = select(site_terms).order_by(T.n)
    found: dict[str, tuple[Terms, ...]] = {}
    for row in await connection.execute(wanted if sites is None else wanted.where(T.site.in_(sites))):
        found[row.site] = (*found.get(row.site, ()), _entered(row).terms)
    return found


async def held(connection: AsyncConnection, viewer: Viewer, sites: Collection[str]) -> dict[str, tuple[Terms, ...]]:
    """All terms of sites, the newest last, to show (scopes sessions:read and bills:read)."""
    viewer.need(Scope.BILLS_READ)
    return await of_sites(connection, sites)


async def carbon_sites(connection: AsyncConnection) -> set[str]:
    """The sites of stations whose grids' carbon files told."""
    there = placement.c.site
    told = select(G.site).where(G.site == there).exists()
    return set((await connection.execute(select(there).where(told).distinct())).scalars())


async def carbon_by_hour(
    connection: AsyncConnection, sites: Collection[str], since: datetime, until: datetime
) -> dict[str, dict[datetime, Decimal]]:
    """What the grids of sites carry by the beginning of the hour, g/kWh, as far as files told."""
    found: dict[str, dict[datetime, Decimal]] = {}
    wanted = select(G.site, G.at, G.g_per_kwh).where(G.site.in_(sites), G.at >= since, G.at < until)
    for site, at, grams in await connection.execute(wanted):
        found.setdefault(site, {})[at] = grams
    return found


async def carbon_told(connection: AsyncConnection, viewer: Viewer, site: str) -> tuple[int, datetime, datetime] | None:
    """How many hours files told of a site's grid, the first and the last (scope sessions:read); None: none."""
    told = select(func.count(), func.min(G.at), func.max(G.at)).where(G.site == site, reach.site_totals(viewer, G.site))
    count, first, last = (await connection.execute(told)).one()
    return (count, first, last) if count else None


def _entered(row: Any) -> Entered:
    """Terms of their row."""
    windows: Sequence[Window] = msgspec.json.decode(row.windows, type=tuple[Window, ...])
    terms = Terms(
        since=None if row.since is None else date.fromisoformat(row.since),
        currency=row.currency,
        peak_minor_per_kw=row.peak_minor_per_kw,
        energy_minor_per_kwh=row.energy_minor_per_kwh,
        windows=tuple(windows),
        limit_w=row.limit_w,
        carbon_g_per_kwh=msgspec.json.decode(row.carbon, type=tuple[Decimal, ...]),
    )
    return Entered(row.n, row.site, terms, row.created_at, row.created_by)
