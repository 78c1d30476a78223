"""How old the newest backup is, and the newest that was seen to come back: for audits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.deed import DeedKind
from wattkeeper.store import deed


@dataclass(frozen=True, slots=True)
class Standing:
    """When each was done last; None: never."""

    made_at: datetime | None
    tested_at: datetime | None


async def standing(connection: AsyncConnection) -> Standing:
    """When a backup was made last, and when one was restored elsewhere and was whole."""
    found = [await deed.about(connection, "", [kind], most=1) for kind in (DeedKind.BACKED_UP, DeedKind.RESTORE_TESTED)]
    return Standing(*(rows[0].at if rows else None for rows in found))
