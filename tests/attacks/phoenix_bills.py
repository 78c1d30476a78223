"""Billing that rises again after each death: ``python -m tests.attacks.phoenix_bills DATABASE``.

Everything is imported once, each life is a fork. It prints the process id of each life, and ``done`` when nothing is
left to bill.
"""

from __future__ import annotations

import sys

from tests.attacks.nest import rise
from wattkeeper.bus.memory import MemoryBus
from wattkeeper.operations.money import billing
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store


async def bill(database: str) -> None:
    """Bill what is left, a few sessions in each transaction, so that there are many moments to die at."""
    store = Store(database)
    billing.TOGETHER, billing.ENTRIES = 3, 100
    await billing.Billing(store, MemoryBus(), Settings(database=database, billing_grace_s=0)).look()
    await store.close()


if __name__ == "__main__":
    rise(lambda: bill(sys.argv[1]))
