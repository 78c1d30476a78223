"""What was kept long enough is deleted, every day; how long that is stands in the tables."""

from __future__ import annotations

import asyncio
import logging

from wattkeeper.store import retention
from wattkeeper.store.engines import Store

log = logging.getLogger("wattkeeper.retention")
EVERY_S = 24 * 3600.0


async def forget_old(store: Store) -> dict[str, int]:
    """Delete every row whose time is over; gives how many of each table, of those that had any."""
    gone: dict[str, int] = {}
    now = store.clock()
    over = [(table, anchor, now - kept) for table, anchor, kept in retention.passing()]
    over += [(table, anchor, retention.tax_end(now)) for table, anchor in retention.taxed()]
    for table, anchor, before in over:
        while True:
            async with store.unit() as unit:
                some = await retention.forget(unit, table, anchor, before)
            if not some:
                break
            gone[table.name] = gone.get(table.name, 0) + some
            await asyncio.sleep(0)
    return gone


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
