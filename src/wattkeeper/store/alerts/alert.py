"""Episodes: what was raised, when, who was told and who saw to it, and when it was over."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import orjson
from sqlalchemy import func, insert, select, tuple_, type_coerce, update
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.alerts.rule import Kind
from wattkeeper.charging.alerts.standing import State
from wattkeeper.charging.person import Viewer
from wattkeeper.store import reach
from wattkeeper.store.tables import alert
from wattkeeper.store.unit import Unit

A = alert.c


class Ended(StrEnum):
    """Why an episode is over."""

    NOT = ""
    """It is not."""
    FELL = "fell"
    """What was measured is well again."""
    PAUSED = "paused"
    CHANGED = "changed"
    DELETED = "deleted"
    """The rule was."""
    GONE = "gone"
    """What it was about is not there any more."""


@dataclass(frozen=True, slots=True)
class AlertRow:
    """One episode."""

    id: str
    rule: str
    kind: Kind
    subject: str
    station: str
    site: str
    value: Decimal
    """What was measured when it was raised, in the unit of its kind."""
    raise_at: Decimal
    figures: Mapping[str, str]
    is_harm: bool
    raised_at: datetime
    held_until: datetime | None = None
    told_at: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    cleared_at: datetime | None = None
    ended: Ended = Ended.NOT

    @property
    def state(self) -> State:
        """Where it is."""
        if self.cleared_at is not None:
            return State.CLEARED
        return State.RAISED if self.acknowledged_at is None else State.ACKNOWLEDGED


async def enter(unit: Unit, row: AlertRow) -> None:
    """Keep an episode that begins; IntegrityError where one of its rule and subject is open."""
    values = {
        "id": row.id,
        "rule_id": row.rule,
        "kind": row.kind.value,
        "subject": row.subject,
        "station_id": row.station,
        "site": row.site,
        "value": row.value,
        "raise_at": row.raise_at,
        "figures": orjson.dumps(dict(row.figures)).decode(),
        "is_harm": row.is_harm,
        "raised_at": row.raised_at,
        "held_until": row.held_until,
        "ended": row.ended.value,
    }
    await unit.connection.execute(insert(alert).values(values))


async def find(
    connection: AsyncConnection,
    viewer: Viewer,
    limit: int,
    *,
    is_open: bool | None = None,
    is_unseen: bool = False,
    before: tuple[datetime, str] | None = None,
) -> list[AlertRow]:
    """The newest episodes that the viewer may know, of all, of those that are on or over, or that nobody has seen."""
    wanted = select(alert).where(reach.alerts(viewer))
    if is_open is not None:
        wanted = wanted.where(A.cleared_at.is_(None) if is_open else A.cleared_at.is_not(None))
    if is_unseen:
        wanted = wanted.where(A.cleared_at.is_(None), A.acknowledged_at.is_(None))
    if before is not None:
        wanted = wanted.where(tuple_(A.raised_at, A.id) < before)
    rows = await connection.execute(wanted.order_by(A.raised_at.desc(), A.id.desc()).limit(limit))
    return [_row(row) for row in rows]


async def get(connection: AsyncConnection, viewer: Viewer, identifier: str) -> AlertRow | None:
    """One episode, where the viewer may know it."""
    row = (await connection.execute(select(alert).where(reach.alerts(viewer), A.id == identifier))).first()
    return None if row is None else _row(row)


async def these(connection: AsyncConnection, ids: Collection[str]) -> dict[str, AlertRow]:
    """These episodes, by id: for telling of them."""
    return {row.id: _row(row) for row in await connection.execute(select(alert).where(A.id.in_(ids)))}


async def open_of(connection: AsyncConnection, rule: str) -> list[AlertRow]:
    """The episodes of a rule that are on."""
    return [
        _row(row) for row in await connection.execute(select(alert).where(A.rule_id == rule, A.cleared_at.is_(None)))
    ]


async def last_raised(
    connection: AsyncConnection, rules: Collection[str], subjects: Collection[str]
) -> dict[tuple[str, str], datetime]:
    """When an alert of each of these rules about each of these things was last raised; those never raised left out."""
    wanted = select(A.rule_id, A.subject, type_coerce(func.max(A.raised_at), A.raised_at.type))
    wanted = wanted.where(A.rule_id.in_(rules), A.subject.in_(subjects)).group_by(A.rule_id, A.subject)
    return {(rule, subject): at for rule, subject, at in await connection.execute(wanted)}


async def acknowledge(unit: Unit, identifier: str, by: str) -> bool:
    """Note who saw to it; False where somebody has already, or it is over."""
    which = (A.id == identifier) & A.acknowledged_at.is_(None) & A.cleared_at.is_(None)
    values = {"acknowledged_at": unit.now, "acknowledged_by": by}
    return bool((await unit.connection.execute(update(alert).where(which).values(values))).rowcount)


async def clear(unit: Unit, rule: str, subject: str, ended: Ended) -> str | None:
    """End the episode that is on; its id, None where there is none."""
    which = (A.rule_id == rule) & (A.subject == subject) & A.cleared_at.is_(None)
    identifier: str | None = await unit.connection.scalar(select(A.id).where(which))
    await unit.connection.execute(update(alert).where(which).values(cleared_at=unit.now, ended=ended.value))
    return identifier


async def told(unit: Unit, identifier: str) -> None:
    """Note that somebody was told, the first time."""
    which = (A.id == identifier) & A.told_at.is_(None)
    await unit.connection.execute(update(alert).where(which).values(told_at=unit.now))


def _row(row: Any) -> AlertRow:
    named = (row.id, row.rule_id, Kind(row.kind), row.subject, row.station_id, row.site)
    measured = (row.value, row.raise_at, orjson.loads(row.figures), bool(row.is_harm))
    times = (row.raised_at, row.held_until, row.told_at, row.acknowledged_at, row.acknowledged_by, row.cleared_at)
    return AlertRow(*named, *measured, *times, Ended(row.ended))
