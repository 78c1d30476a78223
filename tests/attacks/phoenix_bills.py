"""Billing that rises again after each death: ``python -m tests.attacks.phoenix_bills DATABASE``.

Everything is imported once, each life is a fork. It prints the process id of each life, and ``done`` when nothing is
left to bill.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys

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


def main() -> None:
    """Live again until the whole group of processes is ended."""
    while True:
        life = os.fork()
        if life == 0:
            os.dup2(2, 1)
            asyncio.run(bill(sys.argv[1]))
            os._exit(0)
        print(life, flush=True)
        _, status = os.waitpid(life, 0)
        if not os.WIFSIGNALED(status):
            print("done" if os.WEXITSTATUS(status) == 0 else "failed", flush=True)
            return
        assert os.WTERMSIG(status) == signal.SIGKILL


if __name__ == "__main__":
    main()
