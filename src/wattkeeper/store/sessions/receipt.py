"""Sessions with all that a receipt says: where, when, how much, and since when their price stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.evidence import Grade
from wattkeeper.charging.person import Viewer
from wattkeeper.charging.session import Session, SessionState
from wattkeeper.store import reach
from wattkeeper.store.fold import decode
from wattkeeper.store.stations import placement
from wattkeeper.store.tables import phone_start, session, station

S = session.c


@dataclass(frozen=True, slots=True)
class ReceiptRow:
    """A session as its receipt tells it."""

    id: str
    station: str
    label: str | None
    address: str | None
    evse: int | None
    state: SessionState
    live: bool
    grade: Grade
    started_at: datetime
    ended_at: datetime | None
    power_w: Decimal | None
    known_at: datetime
    heard_at: datetime
    asked_at: datetime | None
    """When it was asked for on a phone, by our clock."""
    last_n: int
    """The newest journal entry folded into it."""
    whole: Session


NAMES = tuple(field.name for field in fields(ReceiptRow))
WHOLE = select(
    *(
        S.id,
        S.station_id,
        station.c.label,
        placement.session_found("address"),
        S.evse,
        S.state,
        S.live,
        S.grade,
        S.started_at,
    ),
    *(S.ended_at, S.power_w, S.known_at, S.heard_at, phone_start.c.created_at, S.last_n, S.fold),
).select_from(
    session.outerjoin(station, station.c.id == S.station_id).outerjoin(phone_start, phone_start.c.ref == S.token)
)


async def one(connection: AsyncConnection, viewer: Viewer, identifier: str) -> ReceiptRow | None:
    """The session with this id (without dashes), where the viewer may see it."""
    row = (await connection.execute(WHOLE.where(S.id == identifier, reach.sessions(viewer)))).first()
    return None if row is None else _row(row)


async def own(
    connection: AsyncConnection,
    person: str,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 10_000,
) -> list[ReceiptRow]:
    """The newest sessions that ran on a token while this person held it, begun in a span of time."""
    wanted = WHOLE.where(reach.held(person))
    if since is not None:
        wanted = wanted.where(S.started_at >= since)
    if until is not None:
        wanted = wanted.where(S.started_at < until)
    rows = await connection.execute(wanted.order_by(S.started_at.desc(), S.id.desc()).limit(limit))
    return [_row(row) for row in rows]


def _row(row: Sequence[Any]) -> ReceiptRow:
    """A session of its row."""
    values = dict(zip(NAMES, row, strict=True))
    values |= {"state": SessionState(values["state"]), "grade": Grade(values["grade"])}
    return ReceiptRow(**values | {"whole": decode(values["whole"])})
