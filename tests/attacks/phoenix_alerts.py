"""What watches alerts and tells of them, and rises again: ``python -m tests.attacks.phoenix_alerts DATABASE KEY``.

Its clock runs sixty times as fast as ours, through all its lives, so that waits of a minute are a second.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from tests.attacks.nest import rise
from wattkeeper.bus.memory import MemoryBus
from wattkeeper.operations.alerts.alerts import Alerts, alerts_of
from wattkeeper.operations.people.letters.mail import Mail
from wattkeeper.operations.safe import open_safe
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store

SPEED = 60
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def fast() -> datetime:
    """The time, sixty times as fast."""
    return BEGAN + (datetime.now(UTC) - BEGAN) * SPEED


@asynccontextmanager
async def watching(database: str, key: Path) -> AsyncIterator[Alerts]:
    """Alerts on a database, looked at by hand, on the fast clock."""
    store = Store(database, fast)
    settings = Settings(database=database, root_key=key, alert_inside=True, outbox=True)
    safe, bus = await open_safe(store, key), MemoryBus()
    try:
        yield alerts_of(store, safe, bus, settings, Mail(store, safe, settings))
    finally:
        await store.close()


async def live(database: str, key: str) -> None:
    """Watch and tell without end: somebody kills it."""
    async with watching(database, Path(key)) as alerts:
        while True:
            await alerts.watch.look()
            await alerts.telling.look()
            await asyncio.sleep(0.01)


if __name__ == "__main__":
    rise(lambda: live(*sys.argv[1:]))
