"""Drivers who charge over years, by a clock that is set by hand, and are billed as they go."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select, update

from tests.doors import Door, settings_for
from tests.operations.people import Clock
from tests.web.conftest import rooms_of
from wattkeeper.charging.cards.token import CardKind, TokenRef
from wattkeeper.charging.facts import SessionEnded, SessionOpened
from wattkeeper.charging.money.tariffs.tariff import Component, Dimension, Element, Tariff
from wattkeeper.charging.person import EVERYTHING, Role, Viewer
from wattkeeper.charging.reading import Reading
from wattkeeper.operations.money.billing import Billing
from wattkeeper.store.people import account
from wattkeeper.store.tables import session, station
from wattkeeper.web.rooms import Rooms

OWNER = Viewer("tests", Role.OWNER, EVERYTHING)
VIENNA = ZoneInfo("Europe/Vienna")
VAT = Decimal(20)
FLAT = Tariff("EUR", (Element((Component(Dimension.ENERGY, Decimal("0.50"), VAT),)),), tax_included=True)
"""Half a euro for a kWh, tax included."""


def local(*parts: int, fold: int = 0) -> datetime:
    """An instant by the clocks of Vienna."""
    return datetime(*parts, tzinfo=VIENNA).replace(fold=fold).astimezone(UTC)  # type: ignore[arg-type,misc]


@dataclass(slots=True)
class Roads:
    """An installation in Vienna; its time goes on with what happens in it."""

    door: Door
    rooms: Rooms
    clock: Clock
    told: int = 0
    registers: dict[str, Decimal] = field(default_factory=dict)

    async def driver(self, name: str) -> Viewer:
        """Somebody with an account."""
        about = {"email": f"{name}@example.org", "name": name.title(), "language": "en"}
        async with self.rooms.store.unit() as unit:
            row = await self.rooms.people.accounts.make(unit, Role.DRIVER, about, None, by="test", verified=True)
        viewer = await self.rooms.access.viewer_by_cookie(await self._cookie(row.id))
        assert viewer is not None
        return viewer

    async def cookie(self, viewer: Viewer) -> str:
        """A sign-in of theirs, just now."""
        return await self._cookie(viewer.account)

    async def _cookie(self, identifier: str) -> str:
        async with self.rooms.store.unit() as unit:
            found = await account.by_id(unit.connection, identifier)
            assert found is not None
            return await self.rooms.access.begin(unit, found, "passkey", "Chrome on Android")

    async def card(self, viewer: Viewer, uid: str) -> TokenRef:
        """A card of theirs, from now on."""
        async with self.rooms.store.unit() as unit:
            return await self.rooms.cards.enroll_for(unit, viewer.person, uid, CardKind.CARD, "", {}, "test")

    async def price(self, tariff: Tariff = FLAT) -> None:
        """What holds from now on."""
        await self.rooms.prices.set(OWNER, tariff)

    async def begun(self, token: TokenRef, at: datetime, where: str = "CP1") -> dict[str, Any]:
        """A session that begins; time goes on until then."""
        self.told += 1
        self.clock.now = max(self.clock.now, at)
        base = self.registers.setdefault(where, Decimal(1000))
        about: dict[str, Any] = {"ref": f"T{self.told}", "evse": 1}
        await self.door.intake.record(where, SessionOpened(at=at, seq=0, token=token, register_wh=base, **about))
        return about

    async def charged(
        self,
        token: TokenRef,
        at: datetime,
        wh: int,
        *,
        minutes: int = 60,
        where: str = "CP1",
        bills: bool = True,
        doubtful: bool = False,
    ) -> str:
        """A session that ends after an hour and is billed; a doubtful one waits. Its id."""
        about, base = await self.begun(token, at, where), self.registers.setdefault(where, Decimal(1000))
        span, end = timedelta(minutes=minutes), at + timedelta(minutes=minutes)
        steps = [base + wh * part // 4 for part in (1, 2, 3)]
        if doubtful:
            steps[1] = base + wh + 100
        readings = tuple(Reading(at + span * place / 4, energy_wh=step) for place, step in enumerate(steps, 1))
        self.clock.now = max(self.clock.now, end)
        ended = SessionEnded(at=end, seq=1, register_wh=base + wh, readings=readings, **about)
        await self.door.intake.record(where, ended)
        self.registers[where] = base + wh
        if bills:
            await self.bill()
        async with self.rooms.store.read() as connection:
            wanted = select(session.c.id).where(session.c.ref == about["ref"], session.c.station_id == where)
            return str(await connection.scalar(wanted))

    async def bill(self) -> None:
        """Bill what has ended, ten minutes later."""
        self.clock.on(minutes=10)
        rooms = self.rooms
        await Billing(rooms.store, rooms.bus, rooms.settings).look()


@asynccontextmanager
async def roads(database: str, folder: Path, since: datetime, **given: Any) -> AsyncIterator[Roads]:
    """Such an installation, with two places, from an instant on."""
    door = await Door.make(settings_for(database, folder, time_zone="Europe/Vienna", billing_grace_s=60, **given))
    clock = Clock()
    clock.now = since
    door.store.clock = clock
    await door.open()
    try:
        for name, label in (("CP1", "Hauptplatz"), ("CP2", "Volksgarten")):
            await door.admit(name)
            async with door.store.unit() as unit:
                told = {"label": label, "address": f"{label} 1, Linz"}
                await unit.connection.execute(update(station).where(station.c.id == name).values(told))
        made = Roads(door, rooms_of(door), clock)
        await made.price()
        yield made
    finally:
        await door.close()
