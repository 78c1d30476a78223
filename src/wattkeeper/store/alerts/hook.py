"""Webhooks that are told of alerts: where each leads stands sealed, with its secret."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.store.tables import alert_hook
from wattkeeper.store.unit import Unit

H = alert_hook.c


@dataclass(frozen=True, slots=True)
class HookRow:
    """A webhook as kept; address and secret are sealed under the house's key."""

    id: str
    name: str
    host: str
    sealed: bytes
    ended_at: datetime | None
    ended_why: str
    created_at: datetime
    created_by: str


async def find(connection: AsyncConnection, viewer: Viewer) -> list[HookRow]:
    """Every webhook, by name (scope stations:read, anywhere)."""
    viewer.need(Scope.STATIONS_READ)
    return [_row(row) for row in await connection.execute(select(alert_hook).order_by(H.name, H.id))]


async def these(connection: AsyncConnection, ids: Collection[str]) -> dict[str, HookRow]:
    """These webhooks, by id: for telling them."""
    return {row.id: _row(row) for row in await connection.execute(select(alert_hook).where(H.id.in_(ids)))}


async def enter(unit: Unit, row: HookRow) -> None:
    """Keep a new webhook."""
    values: dict[str, Any] = {"id": row.id, "name": row.name, "host": row.host, "sealed": row.sealed}
    values |= {"ended_why": row.ended_why, "created_at": row.created_at, "created_by": row.created_by}
    await unit.connection.execute(insert(alert_hook).values(values))


async def end(unit: Unit, identifier: str, why: str) -> bool:
    """Send nothing there any more; False where that is so already."""
    which = (H.id == identifier) & H.ended_at.is_(None)
    changed = await unit.connection.execute(update(alert_hook).where(which).values(ended_at=unit.now, ended_why=why))
    return bool(changed.rowcount)


async def remove(unit: Unit, identifier: str) -> bool:
    """Forget a webhook and its secret; False where there is none."""
    return bool((await unit.connection.execute(delete(alert_hook).where(H.id == identifier))).rowcount)


def _row(row: Any) -> HookRow:
    named = (row.id, row.name, row.host, bytes(row.sealed))
    return HookRow(*named, row.ended_at, row.ended_why, row.created_at, row.created_by)
