"""What of another system's sessions is here already."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.identifiers import imported_key
from wattkeeper.charging.session import SessionState
from wattkeeper.store.tables import session

S = session.c


@dataclass(frozen=True, slots=True)
class Known:
    """A session that was imported before."""

    began_at: datetime
    ended_at: datetime | None
    energy_wh: Decimal | None
    is_whole: bool
    """Whether its end was imported too."""


async def known(connection: AsyncConnection, names: Collection[tuple[str, str]]) -> dict[tuple[str, str], Known]:
    """Those of these sessions, by station and name in their records, that are here."""
    keys = {imported_key(name): name for _, name in names}
    wanted = select(S.station_id, S.key, S.started_at, S.ended_at, S.energy_wh, S.state).where(S.key.in_(keys))
    return {
        (row.station_id, keys[row.key]): Known(
            row.started_at, row.ended_at, row.energy_wh, row.state == SessionState.ENDED.value
        )
        for row in await connection.execute(wanted)
    }
