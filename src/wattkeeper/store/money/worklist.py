"""The work-list at a glance: how much waits, what waits longest, and what takes a second person."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.store.money import hold as holds
from wattkeeper.store.money.hold import H, HoldRow, HoldState
from wattkeeper.store.money.proposal import P, ProposalRow, ProposalState, proposal_of
from wattkeeper.store.tables import hold, proposal


class SortedBy(StrEnum):
    """What a list of what waits can be sorted by."""

    SINCE = "since"
    STATION = "station"
    ENERGY = "energy"
    AMOUNT = "amount"


SORTING: dict[SortedBy, ColumnElement[Any]] = {
    SortedBy.SINCE: H.since,
    SortedBy.STATION: H.station_id,
    SortedBy.ENERGY: H.energy_wh,
    SortedBy.AMOUNT: H.gross_minor,
}
PROPOSED = P.state == ProposalState.OPEN.value
OPEN = (H.state == HoldState.OPEN.value) & ~exists(select(P.id).where(P.session_id == H.session_id, PROPOSED))
"""What nobody has said anything about yet: what is proposed waits for a second person instead."""


@dataclass(frozen=True, slots=True)
class Held:
    """How much waits in one currency: how many sessions, and what they come to as told, minor units."""

    currency: str
    digits: int
    count: int
    gross_minor: int


async def count(connection: AsyncConnection) -> int:
    """How many bills wait that nobody has said anything about: for the watch, which tells no more of them."""
    return int(await connection.scalar(select(func.count()).where(OPEN)) or 0)


async def held(connection: AsyncConnection, viewer: Viewer) -> list[Held]:
    """How much waits for a person, by currency (scope bills:read)."""
    viewer.need(Scope.BILLS_READ)
    sums = (H.currency, H.digits, func.count(), func.sum(H.gross_minor))
    query = select(*sums).where(OPEN).group_by(H.currency, H.digits).order_by(H.currency)
    return [
        Held(currency, digits, count, int(gross)) for currency, digits, count, gross in await connection.execute(query)
    ]


async def waiting(
    connection: AsyncConnection,
    viewer: Viewer,
    limit: int,
    skip: int = 0,
    *,
    by: SortedBy = SortedBy.SINCE,
    upwards: bool = True,
    site: str | None = None,
) -> list[HoldRow]:
    """What waits for a person, what waits longest first unless said otherwise (scope bills:read)."""
    viewer.need(Scope.BILLS_READ)
    column = SORTING[by]
    query = select(*holds.COLUMNS).where(OPEN)
    if site is not None:
        query = query.where(H.site == site)
    order = column.asc() if upwards else column.desc()
    rows = await connection.execute(query.order_by(order, H.since, H.id).limit(limit).offset(skip))
    return [holds.hold_of(row) for row in rows]


async def sites(connection: AsyncConnection, viewer: Viewer) -> list[str]:
    """At which sites something waits, by name (scope bills:read)."""
    viewer.need(Scope.BILLS_READ)
    query = select(H.site).where(OPEN, H.site != "").distinct().order_by(H.site)
    return list((await connection.execute(query)).scalars())


async def proposed(connection: AsyncConnection, viewer: Viewer, limit: int) -> list[ProposalRow]:
    """What takes a second person, the oldest first (scope bills:read)."""
    viewer.need(Scope.BILLS_READ)
    rows = await connection.execute(select(proposal).where(PROPOSED).order_by(P.created_at, P.id).limit(limit))
    return [proposal_of(row) for row in rows]


async def proposed_count(connection: AsyncConnection, viewer: Viewer) -> int:
    """How much takes a second person (scope bills:read)."""
    viewer.need(Scope.BILLS_READ)
    return int(await connection.scalar(select(func.count()).select_from(proposal).where(PROPOSED)) or 0)


async def proposed_for(connection: AsyncConnection, viewer: Viewer, session: str) -> ProposalRow | None:
    """What is proposed for a session and takes a second person (scope bills:read)."""
    viewer.need(Scope.BILLS_READ)
    row = (await connection.execute(select(proposal).where(P.session_id == session, PROPOSED))).first()
    return None if row is None else proposal_of(row)


async def looked_at(connection: AsyncConnection, viewer: Viewer, sessions: Collection[str]) -> set[str]:
    """Those of these sessions that wait, or that somebody has decided (scope bills:read)."""
    viewer.need(Scope.BILLS_READ)
    query = select(H.session_id).where(H.session_id.in_(sessions), H.state != HoldState.CLEARED.value)
    return set((await connection.execute(query.select_from(hold).distinct())).scalars())
