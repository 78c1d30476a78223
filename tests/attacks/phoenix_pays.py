"""Payments that rise again after each death: ``python -m tests.attacks.phoenix_pays DATABASE PROVIDER``.

As `phoenix_bills`: each life is a fork, its process id is printed, and ``done`` when nothing is left to settle or ask.
"""

from __future__ import annotations

import sys
from datetime import timedelta

from sqlalchemy import func, select

from tests.attacks.nest import rise
from tests.pay.local import KEY, SECRET
from wattkeeper.bus.memory import MemoryBus
from wattkeeper.charging.money.payments.paying import Way
from wattkeeper.operations.money.payments import asking, settling
from wattkeeper.operations.money.payments.stripe import Stripe
from wattkeeper.operations.money.payments.watch import Watch
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store, utc_now
from wattkeeper.store.tables import payment_step


async def pay(database: str, address: str) -> None:
    """Settle and ask what is left, a little at a time; what was begun in an earlier life is asked again at once."""
    ahead = timedelta()
    store = Store(database, lambda: utc_now() + ahead)
    settling.TOGETHER, asking.TOGETHER = 3, 3
    provider = Stripe(KEY, SECRET, address)
    watch = Watch(
        store,
        MemoryBus(),
        Settings(database=database, pay_by=Way.CARD, authorise_minor=0, stripe_key_file="key"),
        provider,
    )
    assert watch.asking is not None
    while True:
        await watch.settling.look()
        await watch.asking.ask()
        async with store.read() as connection:
            steps = select(func.count()).where(payment_step.c.state == "open")
            if not await connection.scalar(steps):
                break
        ahead += timedelta(minutes=2)
    await provider.close()
    await store.close()


if __name__ == "__main__":
    rise(lambda: pay(sys.argv[1], sys.argv[2]))
