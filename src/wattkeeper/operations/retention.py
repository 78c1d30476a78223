"""What was kept long enough is deleted, every day, and the log proves it; how long that is stands in the tables."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, Table

from wattkeeper.charging.deed import DeedKind
from wattkeeper.store import deed, retention
from wattkeeper.store.engines import Store
from wattkeeper.store.privacy import buyer
from wattkeeper.store.unit import Unit

log = logging.getLogger("wattkeeper.retention")
EVERY_S = 24 * 3600.0
LATE = timedelta(days=2)
"""By how much something may be over its time before it counts as overdue: it is deleted once a day."""
BY = "retention"


@dataclass(frozen=True, slots=True)
class Overdue:
    """What of a table should be gone and is not."""

    table: str
    rows: int
    """How many rows are over their time by more than `LATE`."""
    held: int
    """How many of them a legal hold keeps: those are no fault."""

    @property
    def is_fault(self) -> bool:
        """Whether something is there that nothing allows to be."""
        return self.rows > self.held


async def forget_old(store: Store) -> dict[str, int]:
    """Delete every row whose time is over; gives how many of each table, of those that had any.

    Each transaction that deletes writes down a deed of it: the table, how many, older than when, and once none are
    left to delete how old the oldest is that stays.
    """
    gone: dict[str, int] = await forget_keys(store)
    for table, anchor, before in retention.due(store.clock()):
        while some := await _forget_some(store, table, anchor, before):
            gone[table.name] = gone.get(table.name, 0) + some
            await asyncio.sleep(0)
    return gone


async def forget_keys(store: Store) -> dict[str, int]:
    """Destroy the keys of invoices that tax law asks for no longer: their buyers are read in no copy again."""
    async with store.unit() as unit:
        gone = await buyer.drop_keys(unit, retention.tax_end(unit.now).year)
        if gone:
            body = {"table": "subject_key", "deleted": len(gone), "keys": gone}
            await deed.enter(unit, DeedKind.DELETED, BY, "", body)
    return {"subject_key": len(gone)} if gone else {}


async def _forget_some(store: Store, table: Table, anchor: Column[Any], before: datetime) -> int:
    """Delete some rows and write that down, in one transaction; how many."""
    async with store.unit() as unit:
        some = await retention.forget(unit, table, anchor, before)
        if some:
            await _prove(unit, table, anchor, before, some)
    return some


async def _prove(unit: Unit, table: Table, anchor: Column[Any], before: datetime, some: int) -> None:
    body: dict[str, Any] = {"table": table.name, "deleted": some, "before": before.isoformat()}
    if some < retention.TOGETHER:
        first = await retention.oldest(unit.connection, anchor)
        body["oldest_left"] = first.isoformat() if first else None
    await deed.enter(unit, DeedKind.DELETED, BY, "", body)


async def overdue(store: Store) -> list[Overdue]:
    """What should have been deleted by now and is still there, by table; empty where all is as it should be."""
    found, now = [], store.clock()
    async with store.read() as connection:
        for table, anchor, before in retention.due(now):
            rows, held = await retention.left(connection, table, anchor, before - LATE, now)
            if rows:
                found.append(Overdue(table.name, rows, held))
    return found


async def watch(store: Store) -> None:
    """Forget what is old, once a day for as long as the installation runs, the first time soon after its start."""
    await asyncio.sleep(60)
    while True:
        try:
            gone = await forget_old(store)
            if gone:
                log.info("deleted what was kept long enough: %s", gone)
        except Exception:
            log.exception("deleting what was kept long enough failed; trying again tomorrow")
        await asyncio.sleep(EVERY_S)
