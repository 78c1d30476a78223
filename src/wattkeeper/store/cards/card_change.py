"""What was changed on cards and groups, by whom: one line each, without a number."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.person import Reach, Scope, Viewer
from wattkeeper.store import reach
from wattkeeper.store.columns import to_micros
from wattkeeper.store.tables import card, card_change, holding
from wattkeeper.store.unit import Unit

HOLDER = "holder"
"""Who did it, where a card's holder did: records tell staff no account of a driver."""
BLOCKED = "Blocked."
C = card_change.c


@dataclass(frozen=True, slots=True)
class Change:
    """One change."""

    id: str
    at: datetime
    by: str
    """An account, a token's name, or `HOLDER`."""
    what: str


def keep(unit: Unit, subject: str, by: str, what: str) -> None:
    """Note a change of a card, by its pseudonym, or of a group, as ``group:name``, at the unit's next flush."""
    unit.insert(card_change, (secrets.token_hex(12), subject, to_micros(unit.now), by, what))


async def find(
    connection: AsyncConnection,
    viewer: Viewer,
    subject: str,
    limit: int,
    before: tuple[datetime, str] | None = None,
) -> list[Change]:
    """The newest ``limit`` changes of a card or group before this place.

    A holder is told those since they hold the card, and never who of the staff did it.
    """
    wanted = select(C.id, C.at, C.by, C.what).where(C.ref == subject)
    own = viewer.reach(Scope.CARDS_READ) is not Reach.ANYWHERE
    if own:
        held = (holding.c.ref == subject, holding.c.person_id == viewer.person, holding.c.until.is_(None))
        since = select(holding.c.since).where(*held).scalar_subquery()
        theirs = select(card.c.ref).where(card.c.ref == subject, reach.cards(viewer))
        wanted = wanted.where(C.at >= since, theirs.exists())
    if before is not None:
        wanted = wanted.where(tuple_(C.at, C.id) < before)
    rows = await connection.execute(wanted.order_by(C.at.desc(), C.id.desc()).limit(limit))
    return [Change(row.id, row.at, _by(row.by, own), row.what) for row in rows]


def _by(by: str, own: bool) -> str:
    return by if not own or by == HOLDER else "support"


async def blockers(unit: Unit, refs: Collection[str]) -> dict[str, str]:
    """Who blocked each of these cards last."""
    wanted = select(C.ref, C.by).where(C.ref.in_(refs), C.what == BLOCKED).order_by(C.at, C.id)
    return {row.ref: row.by for row in await unit.connection.execute(wanted)}
