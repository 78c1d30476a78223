"""The work-list: sessions that wait for a person before they are billed, or after; and what became of each."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import orjson
from sqlalchemy import insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.money.billing import Reason
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.store.tables import hold
from wattkeeper.store.unit import Unit


class HoldState(StrEnum):
    """What became of something that waits."""

    OPEN = "open"
    ACCEPTED = "accepted"
    """Billed as the station told it."""
    CORRECTED = "corrected"
    WAIVED = "waived"
    """Not billed; or what was billed stands."""
    CLEARED = "cleared"
    """Nothing speaks against it any more: later news settled it."""


@dataclass(frozen=True, slots=True)
class HoldRow:
    """Something that waits, or waited."""

    id: str
    session: str
    """Without dashes."""
    station: str
    site: str
    since: datetime
    reasons: tuple[Reason, ...]
    currency: str
    digits: int
    gross_minor: int
    """What it comes to as the station told it."""
    energy_wh: Decimal
    billed_minor: int | None
    """What was billed so far; None: nothing yet."""
    state: HoldState
    settled_at: datetime | None
    settled_by: str | None
    said: str | None
    """Why, in the words of who settled it."""
    number: str | None
    """The document that came of it."""


H = hold.c
COLUMNS = (
    *(H.id, H.session_id, H.station_id, H.site, H.since, H.reasons, H.currency, H.digits, H.gross_minor),
    *(H.energy_wh, H.billed_minor, H.state, H.settled_at, H.settled_by, H.said, H.number),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What is kept of a session that begins to wait."""

    session: str
    station: str
    site: str
    reasons: tuple[Reason, ...]
    currency: str
    digits: int
    gross_minor: int
    energy_wh: Decimal
    billed_minor: int | None


# --- keeping --------------------------------------------------------------------------------------------------


async def keep(unit: Unit, waiting: Waiting, known: HoldRow | None) -> bool:
    """Let a session wait, or renew why it does; whether anything changed."""
    told: dict[str, Any] = {
        "reasons": _written(waiting.reasons),
        "currency": waiting.currency,
        "digits": waiting.digits,
    }
    told |= {name: getattr(waiting, name) for name in ("gross_minor", "energy_wh", "billed_minor")}
    if known is not None:
        as_known = {name: getattr(known, name) for name in told} | {"reasons": _written(known.reasons)}
        if as_known == told:
            return False
        await unit.connection.execute(update(hold).where(H.id == known.id).values(told))
        return True
    told |= {"id": secrets.token_hex(8), "session_id": waiting.session, "station_id": waiting.station}
    told |= {"site": waiting.site, "since": unit.now, "state": HoldState.OPEN.value}
    await unit.connection.execute(insert(hold).values(told))
    return True


async def settle(
    unit: Unit, identifier: str, state: HoldState, by: str, said: str | None = None, number: str | None = None
) -> bool:
    """Settle what waits; False where it does not wait any more."""
    told = {"state": state.value, "settled_at": unit.now, "settled_by": by, "said": said, "number": number}
    waits = (H.id == identifier) & (H.state == HoldState.OPEN.value)
    return bool((await unit.connection.execute(update(hold).where(waits).values(told))).rowcount)


# --- looking --------------------------------------------------------------------------------------------------


async def of_sessions(connection: AsyncConnection, sessions: Sequence[str]) -> dict[str, list[HoldRow]]:
    """What waits or waited of each of these sessions, the newest last: for deeds, never for showing."""
    rows = await connection.execute(select(*COLUMNS).where(H.session_id.in_(sessions)).order_by(H.since, H.settled_at))
    found: dict[str, list[HoldRow]] = {}
    for row in rows:
        found.setdefault(row.session_id, []).append(hold_of(row))
    return found


async def waived(connection: AsyncConnection, sessions: Sequence[str]) -> set[str]:
    """Those of these sessions that a person waived, and that do not wait again."""
    if not sessions:
        return set()
    states = {HoldState.WAIVED.value, HoldState.OPEN.value}
    rows = await connection.execute(
        select(H.session_id, H.state).where(H.session_id.in_(sessions), H.state.in_(states))
    )
    found = list(rows)
    return {one for one, state in found if state == "waived"} - {one for one, state in found if state == "open"}


async def waiting(connection: AsyncConnection, sessions: Sequence[str]) -> dict[str, tuple[Reason, ...]]:
    """Why those of these sessions wait that do: for whoever may see the session."""
    waits = (H.session_id.in_(sessions), H.state == HoldState.OPEN.value)
    rows = await connection.execute(select(H.session_id, H.reasons).where(*waits)) if sessions else ()
    return {session: tuple(map(_reason, orjson.loads(reasons))) for session, reasons in rows}


async def find(
    connection: AsyncConnection,
    viewer: Viewer,
    limit: int,
    *,
    state: HoldState | None = HoldState.OPEN,
    session: str | None = None,
    station: str | None = None,
    site: str | None = None,
    before: tuple[datetime, str] | None = None,
) -> list[HoldRow]:
    """What waits, the newest first; None does not restrict (scope bills:read)."""
    viewer.need(Scope.BILLS_READ)
    exactly = ((H.state, state), (H.session_id, session), (H.station_id, station), (H.site, site))
    wanted = select(*COLUMNS).where(*(column == value for column, value in exactly if value is not None))
    if before is not None:
        wanted = wanted.where(tuple_(H.since, H.id) < before)
    rows = await connection.execute(wanted.order_by(H.since.desc(), H.id.desc()).limit(limit))
    return [hold_of(row) for row in rows]


def _written(reasons: Sequence[Reason]) -> str:
    """Reasons as their column has them."""
    told = [
        {"code": one.code, "evidence": {**one.evidence}} | ({"at": one.at.isoformat()} if one.at else {})
        for one in reasons
    ]
    return orjson.dumps(told, option=orjson.OPT_SORT_KEYS).decode()


def _reason(told: dict[str, Any]) -> Reason:
    at = told.get("at")
    return Reason(told["code"], None if at is None else datetime.fromisoformat(at), told["evidence"])


def hold_of(row: Any) -> HoldRow:
    """Something that waits, of a row selected as COLUMNS."""
    values = list(row)
    values[5] = tuple(map(_reason, orjson.loads(row.reasons)))
    values[11] = HoldState(row.state)
    return HoldRow(*values)
