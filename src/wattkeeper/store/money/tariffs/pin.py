"""The tariff that a session was pinned to when it began: whatever changes later, it is billed by this one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.money.tariffs.assignment import Rank
from wattkeeper.store.tables import pin
from wattkeeper.store.unit import Unit

P = pin.c


@dataclass(frozen=True, slots=True)
class PinRow:
    """Which tariff a session is billed by, and why."""

    session: str
    tariff: str | None
    """None: no price was set when it began."""
    version: int | None
    rank: Rank
    subject: str
    at: datetime
    """The instant whose prices hold."""


async def of(connection: AsyncConnection, sessions: Sequence[str]) -> dict[str, PinRow]:
    """The pins of these sessions, those left out that have none."""
    columns = (P.session_id, P.tariff_id, P.version, P.rank, P.subject, P.at)
    rows = await connection.execute(select(*columns).where(P.session_id.in_(sessions)))
    return {row.session_id: _pin(row) for row in rows}


async def keep(unit: Unit, pins: Iterable[PinRow]) -> None:
    """Pin sessions; one that is pinned already stays as it is."""
    rows = [
        {"session_id": one.session, "tariff_id": one.tariff, "version": one.version, "rank": one.rank.value}
        | {"subject": one.subject, "at": one.at, "created_at": unit.now}
        for one in pins
    ]
    if rows:
        dialect: Any = sqlite if unit.is_sqlite else postgresql
        await unit.connection.execute(dialect.insert(pin).on_conflict_do_nothing(), rows)


def _pin(row: Any) -> PinRow:
    """A pin of a row."""
    session, tariff, version, rank, subject, at = row
    return PinRow(session, tariff, version, Rank(rank), subject, at)
