"""What was billed in other money than the installation's, which alone totals count."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.person import Viewer
from wattkeeper.store import reach
from wattkeeper.store.statistics.total import Part
from wattkeeper.store.tables import bill, revenue, session

B, R, S = bill.c, revenue.c, session.c


@dataclass(frozen=True, slots=True)
class Sum:
    """What was billed in a currency, with tax, minor units."""

    currency: str
    digits: int
    gross_minor: int


async def billed(
    connection: AsyncConnection, viewer: Viewer, currency: str, began: tuple[datetime, datetime], part: Part
) -> list[Sum]:
    """For sessions that began in a span, in other currencies than this one (scope bills:read).

    Most have one currency: then sums by day answer it. No bill is older than its session; a day has many zones.
    """
    first = (began[0] - timedelta(days=1)).date().isoformat()
    others = select(R.day).where(R.day >= first, R.currency != currency).limit(1)
    if await connection.scalar(others) is None:
        return []
    its = [reach.bills(viewer), B.currency != currency, S.started_at >= began[0], S.started_at < began[1]]
    its += [B.site == part.site] if part.site is not None else []
    its += [B.station_id == part.station] if part.station is not None else []
    keys = (B.currency, B.digits)
    summed = select(*keys, func.sum(B.gross_minor)).join(session, S.id == B.session_id).where(*its)
    rows = await connection.execute(summed.group_by(*keys).order_by(*keys))
    return [Sum(of, digits, int(gross)) for of, digits, gross in rows]
