"""Whoever looks and is cut off, as a page that is left is, leaves nothing behind that waits for ever."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

from sqlalchemy import text

from wattkeeper.store.engines import Store

LONG = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000) SELECT max(i) FROM n"


async def test_a_query_that_is_cut_off_again_and_again_ends(database: str) -> None:
    store, loop, complaints = Store(database), asyncio.get_running_loop(), list[dict[str, Any]]()
    loop.set_exception_handler(lambda loop, context: complaints.append(context))

    async def look() -> Any:
        async with store.read() as connection:
            return await connection.scalar(text(LONG))

    cut = 0
    for place in range(20):
        looking = asyncio.ensure_future(look())
        await asyncio.sleep(0.005 + place * 0.002)
        cut += not looking.done()
        while not looking.done():  # as scopes of tasks do it: until it has ended
            looking.cancel()
            await asyncio.sleep(0)
        looking.cancelled()
    del looking
    assert cut > 5
    await asyncio.sleep(0.3)
    gc.collect()
    assert complaints == []
    assert await look() == 200_000
    await store.close()
