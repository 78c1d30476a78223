"""What was billed by day, site, station, tariff and group: summed up when it is billed, so that a report is quick."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Select, delete, func, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.money.numbered import DocumentKind, Draft
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.store.columns import from_millionths, to_millionths
from wattkeeper.store.retention import tax_end
from wattkeeper.store.tables import bill, revenue
from wattkeeper.store.unit import Unit

R = revenue.c
SUMMED = ("sessions", "corrections", "energy_wh", "net_minor", "vat_minor", "gross_minor")
BATCH = 20_000


class Facet(StrEnum):
    """By what revenue is told apart."""

    DAY = "day"
    MONTH = "month"
    SITE = "site"
    STATION = "station"
    TARIFF = "tariff"
    GROUP = "group"


COLUMNS: dict[Facet, Any] = {
    Facet.DAY: R.day,
    Facet.MONTH: func.substr(R.day, 1, 7),
    Facet.SITE: R.site,
    Facet.STATION: R.station_id,
    Facet.TARIFF: R.tariff_id,
    Facet.GROUP: R.grouping,
}


@dataclass(frozen=True, slots=True)
class Revenue:
    """What was billed of one kind, in one currency."""

    of: tuple[str, ...]
    """The value of each facet that was asked for."""
    currency: str
    digits: int
    sessions: int
    corrections: int
    energy_wh: Decimal
    net_minor: int
    vat_minor: int
    gross_minor: int


def note(unit: Unit, draft: Draft, at: datetime, zone: tzinfo) -> None:
    """Add a document to the day on which it is issued, at the unit's next flush."""
    why = draft.why
    where = (draft.site, why.station, why.tariff_id, draft.group, why.bill.currency, why.bill.digits)
    sums = (to_millionths(why.adds_wh), draft.net_minor, draft.vat_minor, draft.gross_minor)
    _add(unit, at, zone, draft.kind, where, sums)


def _add(unit: Unit, at: datetime, zone: tzinfo, kind: str, where: tuple[Any, ...], sums: tuple[int, ...]) -> None:
    """Add to the sums of a day and of what is told apart in it."""
    day, is_bill = f"{at.astimezone(zone):%Y-%m-%d}", kind == DocumentKind.BILL
    unit.add(revenue, SUMMED, (day, *where, int(is_bill), int(not is_bill), *sums))


async def report(
    connection: AsyncConnection, viewer: Viewer, since: date, until: date, by: Iterable[Facet] = ()
) -> list[Revenue]:
    """What was billed from one day until before another, told apart by these facets (scope bills:read)."""
    viewer.need(Scope.BILLS_READ)
    facets = [COLUMNS[one] for one in by]
    energy = type_coerce(R.energy_wh, BigInteger)
    sums = [func.sum(column) for column in (R.sessions, R.corrections, energy, R.net_minor, R.vat_minor, R.gross_minor)]
    keys = (*facets, R.currency, R.digits)
    query: Select[Any] = select(*keys, *sums).where(R.day >= since.isoformat(), R.day < until.isoformat())
    rows = await connection.execute(query.group_by(*keys).order_by(*keys))
    return [_revenue(len(facets), row) for row in rows]


async def first_day(connection: AsyncConnection, viewer: Viewer) -> date | None:
    """The first day on which anything was billed; None where nothing was yet (scope bills:read)."""
    viewer.need(Scope.BILLS_READ)
    found = await connection.scalar(select(func.min(R.day)))
    return None if found is None else date.fromisoformat(found)


def _revenue(count: int, row: Any) -> Revenue:
    """Revenue of a row that begins with so many facets."""
    currency, digits, sessions, corrections, energy, *sums = row[count:]
    net, vat, gross = map(int, sums)
    energy_wh = from_millionths(int(energy))
    return Revenue(tuple(row[:count]), currency, digits, int(sessions), int(corrections), energy_wh, net, vat, gross)


async def sum_up(unit: Unit, zone: tzinfo) -> None:
    """Work out every sum anew from the bills; those of years whose bills may be gone stay as they are."""
    since = f"{tax_end(unit.now):%Y}"
    await unit.connection.execute(delete(revenue).where(R.day >= since))
    c, after = bill.c, (since, 0)
    wanted = select(
        *(c.series, c.place, c.issued_at, c.kind, c.site, c.station_id, c.tariff_id, c.grouping, c.currency, c.digits),
        *(c.energy_wh, c.net_minor, c.vat_minor, c.gross_minor),
    ).order_by(c.series, c.place)
    while True:
        beyond = (c.series > after[0]) | ((c.series == after[0]) & (c.place > after[1]))
        rows = (await unit.connection.execute(wanted.where(beyond).limit(BATCH))).all()
        for _, _, at, kind, *row in rows:
            _add(unit, at, zone, kind, tuple(row[:6]), (to_millionths(row[6]), *row[7:]))
        await unit.flush()
        if len(rows) < BATCH:
            return
        after = rows[-1].series, rows[-1].place
