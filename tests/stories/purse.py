"""What a story was paid: the watch over money, payments, and the books, which must add up after every story."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from tests.databases import Databases
from tests.pay.local import KEY, SECRET, LocalStripe
from tests.pay.shapes import Shapes
from tests.stories.conftest import a_world
from tests.stories.till import Till
from tests.stories.world import World
from wattkeeper.assembly import provider_of
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.operations.money.payments.provider import Provider
from wattkeeper.operations.money.payments.watch import Watch
from wattkeeper.store.money.payments import payment, told
from wattkeeper.store.money.payments.payment import PaymentRow
from wattkeeper.store.money.payments.told import DifferenceRow
from wattkeeper.store.tables import card, payment_means


def connected(folder: Path, address: str, **more: Any) -> dict[str, Any]:
    """Settings with a provider at this address."""
    (folder / "stripe.key").write_text(KEY)
    (folder / "stripe.secret").write_text(SECRET)
    files = {"stripe_key_file": str(folder / "stripe.key"), "stripe_secret_file": str(folder / "stripe.secret")}
    return {**files, "stripe_address": address, "pay_by": "card", **more}


@dataclass(slots=True)
class Purse:
    """Sees to money in a world."""

    till: Till
    provider: Provider | None = None
    """Whom the settings name, once it was asked for."""

    @property
    def world(self) -> World:
        """Where."""
        return self.till.world

    async def look(self, **later: float) -> None:
        """Let time pass, if said, bill, settle and ask the provider."""
        if later:
            self.world.clock.skip(**later)
        await self.till.look(seconds=1)
        door = self.world.door
        self.provider = self.provider or provider_of(door.settings)
        watch = Watch(door.store, door.bus, door.settings, self.provider)
        for _ in range(3):
            await watch.settling.look()
            if watch.asking is not None:
                await watch.asking.ask()
            await watch.monthly.look()

    async def close(self) -> None:
        """Hang up."""
        if self.provider is not None:
            await self.provider.close()

    async def person(self) -> str:
        """Whose the only lasting card is."""
        async with self.world.door.store.read() as connection:
            rows = await connection.execute(select(card.c.person_id).where(card.c.kind != "app"))
            return str(rows.scalars().one())

    async def keep_card(self, customer: str, method: str, last_four: str = "4242") -> None:
        """The provider keeps a card for that person; how it comes there is told in test_wallet."""
        async with self.world.door.store.unit() as unit:
            row = (await self.person(), "stripe", customer, method, "visa", last_four, 0)
            unit.upsert(payment_means, row[:1], row)

    async def payments(self) -> list[PaymentRow]:
        """Every payment, the oldest first."""
        async with self.world.door.store.read() as connection:
            return (await payment.find(connection, VIEWER, 10_000))[::-1]

    async def states(self) -> list[tuple[str, int, int, int]]:
        """Every payment as its state, what was asked, taken and given back."""
        rows = await self.payments()
        return [(one.state.value, one.asked_minor, one.captured_minor, one.refunded_minor) for one in rows]

    async def differences(self) -> list[DifferenceRow]:
        """Where the provider and we do not agree."""
        async with self.world.door.store.read() as connection:
            return await told.differences(connection, VIEWER, 100)


@asynccontextmanager
async def paying(
    databases: Databases, engine: str, folder: Path, provider: LocalStripe | Shapes, **settings: Any
) -> AsyncIterator[Purse]:
    """A world with a price, a card and a provider; its books must add up when it is over."""
    database = await databases.fresh(engine)
    async with a_world(database, folder) as world:
        await world.close()
        world.settings = connected(folder, provider.address, **settings)
        if isinstance(provider, Shapes):
            provider.clock = lambda: world.clock.now.timestamp()
        await world.open()
        made = Purse(Till(world))
        await made.till.price()
        await world.enroll(max_sessions=10)
        yield made
        await made.close()
        await made.till.check()
    await databases.drop(database)
