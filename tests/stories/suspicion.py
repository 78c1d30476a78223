"""Stations far apart, cards with holders who have accounts, and what the clone radar makes of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
from sqlalchemy import update

from tests.stories.world import CARD, Voice, Voice16, Voice201, World
from tests.web.conftest import ADDRESS, House, house_of
from tests.web.conftest import PASSWORD as PASSWORD
from wattkeeper.charging.cards.radar import StepUp
from wattkeeper.charging.person import Role
from wattkeeper.operations.cards.watch import RadarWatch
from wattkeeper.store.people import account
from wattkeeper.store.stations import station as stations
from wattkeeper.store.tables import card, finding, holding

VIENNA, MUNICH_WAY = "16.3738", "12.3238"
"""Degrees east at one latitude: 300 km apart."""
NOT_NOW = {"ocpp1.6": "Blocked", "ocpp2.0.1": "NotAtThisTime"}
"""What a station is told where the radar says: not now."""
FAR = "far_apart"


@dataclass(slots=True)
class Scene:
    """A world in which CP1 and CP2 are 300 km apart, CP3 is in the street of CP1 and nobody knows where CP4 is."""

    world: World
    house: House
    watch: RadarWatch
    transactions: list[str] = field(default_factory=list)

    async def findings(self) -> list[Any]:
        """Every finding there is."""
        return await self.world.door.rows(finding)

    async def kinds(self) -> list[tuple[str, str, str]]:
        """Kind, state and the holder's answer of every finding."""
        return sorted((row.kind, row.state, row.answer) for row in await self.findings())

    async def driver(self, name: str = "dora", number: str = CARD) -> httpx.AsyncClient:
        """The phone of somebody who has held this card since the day before."""
        access, store, safe = self.house.rooms.access, self.world.door.store, self.world.door.safe
        address, ref = f"{name}@example.org", safe.ref(number)
        await access.make_account(address, PASSWORD, Role.DRIVER)
        async with store.unit() as unit:
            row = await account.by_name(unit.connection, safe.name_ref(address))
            assert row is not None
            await unit.connection.execute(update(card).where(card.c.ref == ref).values(person_id=row.person))
            span = {"person_id": row.person, "since": unit.now - timedelta(days=1)}
            await unit.connection.execute(update(holding).where(holding.c.ref == ref).values(span))
        cookie = await access.sign_in(address, PASSWORD, "192.0.2.1")
        return self.house.client(Cookie=f"wattkeeper={cookie}", Origin=ADDRESS)

    async def start(self, voice: Voice, at: float, **more: Any) -> str:
        """Begin a session; what the station is told of the card."""
        if isinstance(voice, Voice16):
            return str((await voice.begin(at, 1000, CARD, **more))["idTagInfo"]["status"])
        assert isinstance(voice, Voice201)
        self.transactions.append(f"T{len(self.transactions)}")
        answer = await voice.event("Started", self.transactions[-1], 0, at, card=CARD, more=more)
        return str(answer["idTokenInfo"]["status"])


@asynccontextmanager
async def scene(world: World, step_up: StepUp = StepUp.NEVER, **rule: Any) -> AsyncIterator[Scene]:
    """The scene, with the card enrolled; ``rule`` is what the card may."""
    if step_up is not world.door.settings.radar_step_up:
        world.settings["radar_step_up"] = step_up
        await world.restart()
    await world.admit("CP3", "CP4")
    for name, longitude in (("CP1", VIENNA), ("CP2", MUNICH_WAY), ("CP3", "16.3800")):
        async with world.door.store.unit() as unit:
            place = {"latitude": Decimal("48.2082"), "longitude": Decimal(longitude), "label": f"Garage {name}"}
            assert await stations.describe(unit, name, place)
    await world.enroll(**rule)
    house = await house_of(world.door)
    door = world.door
    async with house.api:
        yield Scene(world, house, RadarWatch(door.store, door.bus, door.settings, house.rooms.notices))


def voice(world: World, dialect: str, station: str) -> Any:
    """A station that speaks this version, connected while the block runs."""
    return world.v16(station) if dialect == "ocpp1.6" else world.v201(station)
