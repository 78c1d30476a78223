"""What was used on cards since an instant: energy as it is listed, whole sessions where money is to be worked out."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from wattkeeper.charging.cards.limits import BACKLOG
from wattkeeper.charging.identifiers import IMPORTED
from wattkeeper.charging.session import Session
from wattkeeper.store.columns import from_micros, from_millionths, to_micros
from wattkeeper.store.fold import decode
from wattkeeper.store.unit import Unit

_BACKLOG = BACKLOG // timedelta(microseconds=1)
COUNTED = f"CASE WHEN started_at BETWEEN known_at - {_BACKLOG} AND known_at THEN started_at ELSE known_at END"
"""The instant that a session counts for: `charging.limits.counted_at` in SQL."""
TOLD_HERE = f"substr({{}}key, 1, {len(IMPORTED)}) <> '{IMPORTED}'"
"""That a session was told by a station of ours: what was imported uses up nothing."""


async def energy_since(unit: Unit, tokens: Collection[str], begun: datetime) -> dict[str, Decimal]:
    """The energy of the sessions on each of these tokens that began since an instant, and of those that run, Wh."""
    which = f"""
    SELECT token, SUM(energy_wh) AS wh FROM session
    WHERE token IN {{values}} AND (live OR {COUNTED} >= {to_micros(begun)}) AND {TOLD_HERE.format("")}
    AND energy_wh > 0 GROUP BY token
    """
    return {row.token: from_millionths(int(row.wh)) for row in await unit.select_in(which, [*tokens])}


BY_PHONE = """
    FROM card c JOIN card a ON a.person_id = c.person_id AND a.kind = 'app' AND a.created_at >= {made}
    JOIN session s ON s.token = a.ref WHERE c.ref IN {{values}} AND (s.live OR {counted} >= {begun})
"""
"""The sessions that the holders of cards started from their phones: they count for each card of theirs."""
LONGEST = timedelta(days=31)
"""How long before a month a session that still runs may have been started from a phone."""


def _by_phone(begun: datetime) -> str:
    return BY_PHONE.format(made=to_micros(begun - LONGEST), counted=COUNTED, begun=to_micros(begun))


async def energy_by_phone(unit: Unit, refs: Collection[str], begun: datetime) -> dict[str, Decimal]:
    """The energy that the holders of these cards charged from their phones since an instant, Wh, by card."""
    which = f"SELECT c.ref AS token, SUM(s.energy_wh) AS wh {_by_phone(begun)} AND s.energy_wh > 0 GROUP BY c.ref"
    return {row.token: from_millionths(int(row.wh)) for row in await unit.select_in(which, [*refs])}


@dataclass(frozen=True, slots=True)
class Used:
    """A session on a token, and when it was first heard of."""

    token: str
    known_at: datetime
    last_n: int
    """The newest journal entry folded into it."""
    whole: Session


async def sessions_since(unit: Unit, tokens: Collection[str], begun: datetime) -> list[Used]:
    """The sessions on these tokens that began since an instant, and those that run; by phone too, for cards."""
    which = f"""
    SELECT token, known_at, last_n, fold FROM session
    WHERE token IN {{values}} AND (live OR {COUNTED} >= {to_micros(begun)}) AND {TOLD_HERE.format("")}
    """
    by_phone = f"SELECT c.ref AS token, s.known_at, s.last_n, s.fold {_by_phone(begun)}"
    rows = [*await unit.select_in(which, [*tokens]), *await unit.select_in(by_phone, [*tokens])]
    return [Used(row.token, from_micros(row.known_at), row.last_n, decode(row.fold)) for row in rows]
