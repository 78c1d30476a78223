"""A house in which sessions are told and billed, and people of each role who look at them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests.web.conftest import House
from tests.web.drivers import signed_in
from wattkeeper.charging.cards.token import CardKind
from wattkeeper.charging.facts import SessionEnded, SessionOpened
from wattkeeper.charging.money.tariffs.tariff import Component, Dimension, Element, Tariff
from wattkeeper.charging.person import EVERYTHING, Role, Viewer
from wattkeeper.charging.reading import Reading
from wattkeeper.operations.money.billing import Billing

API = "/api/v1"
OWNER = Viewer("tests", Role.OWNER, EVERYTHING)


@dataclass(slots=True)
class Shop:
    """A house with a price, 0.60 for a kWh with tax, in which sessions are told and billed."""

    house: House
    told: int = 0

    async def card(self, viewer: Viewer, uid: str = "04AABBCCDDEE01") -> str:
        """A card of a driver."""
        rooms = self.house.rooms
        async with rooms.store.unit() as unit:
            return str(await rooms.cards.enroll_for(unit, viewer.person, uid, CardKind.CARD, "", {}, viewer.name))

    async def session(self, card: str, wh: int = 10_000, *, doubtful: bool = False, station: str = "CP1") -> None:
        """A session that has ended; a doubtful one has a register that went back."""
        self.told += 1
        record, at = self.house.door.intake.record, self.house.rooms.store.clock()
        begun: dict[str, Any] = {"ref": f"T{self.told}", "evse": 1, "token": card, "register_wh": Decimal(0)}
        await record(station, SessionOpened(at=at, seq=0, **begun))
        end = at + timedelta(minutes=4)
        halfway = Reading(at + timedelta(minutes=2), energy_wh=Decimal(wh + 100 if doubtful else wh // 2))
        ended: dict[str, Any] = {"ref": f"T{self.told}", "evse": 1, "seq": 1, "register_wh": Decimal(wh)}
        await record(station, SessionEnded(at=end, readings=(halfway,), **ended))
        await self.bill()

    async def bill(self) -> None:
        """Bill what has ended."""
        rooms = self.house.rooms
        await Billing(rooms.store, rooms.bus, replace(rooms.settings, billing_grace_s=0)).look()


@pytest.fixture
async def shop(house: House) -> Shop:
    """The shop."""
    price = Component(Dimension.ENERGY, Decimal("0.50"), Decimal(20))
    await house.rooms.prices.set(OWNER, Tariff("EUR", (Element((price,)),)))
    return Shop(house)


@pytest.fixture
async def people(house: House) -> AsyncIterator[dict[str, tuple[Viewer, httpx.AsyncClient]]]:
    """Two drivers, two who bill, an auditor, support and an operator, signed in."""
    roles = {"anna": Role.DRIVER, "bert": Role.DRIVER, "clara": Role.BILLING, "dora": Role.BILLING}
    roles |= {"emil": Role.AUDITOR, "fritz": Role.SUPPORT, "gerd": Role.OPERATOR}
    async with AsyncExitStack() as stack:
        yield {
            name: await stack.enter_async_context(signed_in(house, f"{name}@example.org", role))
            for name, role in roles.items()
        }


People = dict[str, tuple[Viewer, httpx.AsyncClient]]


async def see(client: httpx.AsyncClient, path: str, **query: Any) -> Any:
    """What it answers, which must be well."""
    answer = await client.get(f"{API}/{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def post(client: httpx.AsyncClient, path: str, **body: Any) -> httpx.Response:
    """Ask for a deed."""
    return await client.post(f"{API}/{path}", json=body)
