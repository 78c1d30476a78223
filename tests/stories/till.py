"""What a story was billed: prices, bills, what waits, and the books, which must add up after every story."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from tests.stories.world import NOON, World
from wattkeeper.charging.money.billing import say
from wattkeeper.charging.money.numbered import Explanation
from wattkeeper.charging.money.tariffs.tariff import Component, Dimension, Element, Tariff
from wattkeeper.charging.person import Role, Scope, Viewer
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.operations.metering.checking import Checking
from wattkeeper.operations.money.audit import audit_ledger
from wattkeeper.operations.money.billing import Billing
from wattkeeper.operations.money.bills import Bills, Done
from wattkeeper.operations.money.tariffs.prices import Prices
from wattkeeper.store.money import bill, hold, ledger
from wattkeeper.store.money.bill import BillRow, Sought
from wattkeeper.store.money.content import decode
from wattkeeper.store.money.hold import HoldRow
from wattkeeper.store.money.proposal import Deed, Wish
from wattkeeper.store.tables import pin

TWENTY = Decimal(20)
MAY = frozenset({Scope.BILLS_READ, Scope.BILLS_WRITE})
ANNA = Viewer("a" + "1" * 16, Role.BILLING, MAY, account="a" + "1" * 16)
BERT = Viewer("a" + "2" * 16, Role.BILLING, MAY, account="a" + "2" * 16)
"""Two people who say what is billed."""


def tariff(energy: str = "0.50", hour: str = "", **more: Any) -> Tariff:
    """So much for a kWh, and for an hour, with 20 % of tax on top."""
    prices = {Dimension.ENERGY: energy, Dimension.TIME: hour}
    components = tuple(Component(one, Decimal(price), TWENTY) for one, price in prices.items() if price)
    return Tariff("EUR", (Element(components),), **more)


@dataclass(slots=True)
class Till:
    """Bills what happens in a world."""

    world: World

    async def price(self, what: Tariff | None = None, identifier: str = "standard", *, now: bool = False) -> None:
        """Set a price: long before the story, or for what starts from now on."""
        store = self.world.door.store
        if not now:
            store.clock = lambda: NOON - timedelta(days=60)
        try:
            await Prices(store, self.world.door.settings).set(VIEWER, what or tariff(), identifier=identifier)
        finally:
            store.clock = self.world.clock

    async def look(self, **later: float) -> int:
        """Let time pass (two minutes, or as said), and let it bill."""
        door = self.world.door
        checking = Checking(door.store, door.safe, door.bus, door.intake)
        await checking.look()
        self.world.clock.skip(**(later or {"minutes": 2}))
        await checking.look()
        return await Billing(door.store, door.bus, door.settings).look()

    @property
    def deeds(self) -> Bills:
        """What people do."""
        door = self.world.door
        return Bills(door.store, door.bus, door.settings)

    async def do(self, deed: Deed, said: str = "As agreed.", viewer: Viewer = ANNA, **wanted: Any) -> Done:
        """Do it to the only session there is."""
        session = (await self.world.the_session()).id
        return await self.deeds.do(viewer, session, Wish(deed=deed, said=said, **wanted))

    async def bills(self, most: int = 500) -> list[BillRow]:
        """Every document, in the order of its issue."""
        async with self.world.door.store.read() as connection:
            return (await bill.find(connection, VIEWER, Sought(), most))[::-1]

    async def amounts(self) -> list[tuple[str, int]]:
        """Every document as its kind and what it adds, with tax."""
        return [(one.kind.value, one.gross_minor) for one in await self.bills()]

    async def why(self, number: str) -> Explanation:
        """The explanation of a document."""
        async with self.world.door.store.read() as connection:
            text = await bill.content(connection, VIEWER, number)
        assert text is not None
        return decode(text)

    async def holds(self, most: int = 500, *, all_of_them: bool = False) -> list[HoldRow]:
        """What waits now (or ever did), the newest first."""
        async with self.world.door.store.read() as connection:
            if all_of_them:
                return await hold.find(connection, VIEWER, most, state=None)
            return await hold.find(connection, VIEWER, most)

    async def waits(self) -> list[str]:
        """Why the only session that waits does, as codes; empty where none does."""
        found = await self.holds()
        assert len(found) <= 1, found
        return [reason.code for one in found for reason in one.reasons]

    async def words(self) -> list[str]:
        """The same in words."""
        return [str(say(reason)) for one in await self.holds() for reason in one.reasons]

    async def pins(self) -> list[tuple[str | None, int | None, str]]:
        """Tariff, version and rank of every pin, in the order of pinning."""
        async with self.world.door.store.read() as connection:
            rows = await connection.execute(select(pin).order_by(pin.c.created_at, pin.c.at))
            return [(row.tariff_id, row.version, row.rank) for row in rows]

    async def balance(self, account: str) -> int:
        """What an account holds."""
        async with self.world.door.store.read() as connection:
            found = await ledger.balances(connection, VIEWER)
        return sum(one.amount_minor for one in found if one.account.startswith(account))

    async def check(self) -> None:
        """Everything adds up."""
        found = await audit_ledger(self.world.door.store, self.world.door.settings.zone)
        assert found.faults == []
