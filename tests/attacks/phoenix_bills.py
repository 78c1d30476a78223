"""Billing that rises again after each death: ``python -m tests.attacks.phoenix_bills DATABASE``.

Everything is imported once, each life is a fork. It prints the process id of each life, and ``done`` when nothing is
left to bill.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence

from tests.attacks.nest import rise
from wattkeeper.bus.memory import MemoryBus
from wattkeeper.operations.money import billing
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store

SLOW_S = 0.015
"""How long it waits before each transaction: or a fast machine is done before it died often enough."""


class Slow(billing.Billing):
    """Bills slowly."""

    async def _settle(self, sessions: Sequence[str]) -> int:
        await asyncio.sleep(SLOW_S)
        return await super()._settle(sessions)


async def bill(database: str) -> None:
    """Bill what is left, a few sessions in each transaction and slowly, so that there are many moments to die at."""
    store = Store(database)
    billing.TOGETHER, billing.ENTRIES = 2, 100
    await Slow(store, MemoryBus(), Settings(database=database, billing_grace_s=0)).look()
    await store.close()


if __name__ == "__main__":
    rise(lambda: bill(sys.argv[1]))
