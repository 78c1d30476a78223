"""An installation for drivers: a price, stations that can be found, people with phones."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
from playwright.async_api import Browser, ViewportSize
from sqlalchemy import update

from tests.doors import until
from tests.pages.site import NARROW, PASSWORD, Person
from wattkeeper.assembly import Doors
from wattkeeper.charging.cards.token import CardKind, TokenRef
from wattkeeper.charging.money.tariffs.tariff import Component, Dimension, Element, Tariff
from wattkeeper.charging.person import EVERYTHING, Role, Viewer
from wattkeeper.simulator.clock import Clock, real_now
from wattkeeper.simulator.station import Manners, Station
from wattkeeper.simulator.v16.telling import Station16
from wattkeeper.store.people import account
from wattkeeper.store.tables import station
from wattkeeper.web.guards.origin import cookie_name
from wattkeeper.web.rooms import Rooms

OWNER = Viewer("test", Role.OWNER, EVERYTHING)
VAT = Decimal(20)
TARIFF = Tariff(
    "EUR",
    (
        Element(
            (
                Component(Dimension.ENERGY, Decimal("0.45"), VAT),
                Component(Dimension.PARKING_TIME, Decimal(6), VAT, 60),
            )
        ),
    ),
    tax_included=True,
)
NUMBER = "04A2B97F11C3"
"""What the chip in a fob says; its last two characters are C3."""
MAIL = "dora@example.org"
LINK = re.compile(r"https?://\S+(/app/link/\S+)")


@dataclass(slots=True)
class Town:
    """The installation that runs, and a browser for its drivers."""

    rooms: Rooms
    doors: Doors
    browser: Browser
    keys: dict[str, str] = field(default_factory=dict)
    early: timedelta = timedelta(hours=2)
    """By how much a station's clock may be behind at first: its hours pass in minutes until it shows the true time."""

    async def place(self, name: str, label: str, address: str, where: tuple[str, str], **about: Any) -> None:
        """A station that drivers find."""
        self.keys[name] = await self.rooms.admission.provision(name, "test", label=label)
        listed = {"address": address, "latitude": Decimal(where[0]), "longitude": Decimal(where[1]), "is_listed": True}
        async with self.rooms.store.unit() as unit:
            await unit.connection.execute(update(station).where(station.c.id == name).values(listed | about))

    @asynccontextmanager
    async def plugged(
        self, name: str, *, connectors: int = 1, behind: timedelta = timedelta(seconds=2), speed: float = 60
    ) -> AsyncIterator[Station]:
        """A simulated station that lives while the block runs, and reads its meter every second.

        Its clock is behind at first, and hurries until it shows the true time: ``speed`` simulated seconds a second.
        """
        clock = Clock(real_now() - behind, speed)
        manners = Manners(reading_every_s=max(1.0, speed / 2), retry_from_s=0.05, retry_up_to_s=0.2, answer_within_s=20)
        made = Station16(
            name,
            self.keys[name],
            self.doors.ocpp,
            clock,
            connectors=connectors,
            chance=random.Random(7),
            manners=manners,
        )
        living = asyncio.create_task(made.run())
        try:
            await until(lambda: made.online and not len(made.outbox), "a station that is online")
            yield made
        finally:
            living.cancel()
            await asyncio.gather(living, return_exceptions=True)

    async def sign_up(self, email: str = MAIL, name: str = "Dora Driver", password: str | None = PASSWORD) -> str:
        """An account that is there already; its id."""
        kept = await self.rooms.access.passwords.hash(password) if password else None
        about = {"email": email, "name": name, "language": "en"}
        async with self.rooms.store.unit() as unit:
            row = await self.rooms.people.accounts.make(unit, Role.DRIVER, about, kept, by="test", verified=True)
        return row.id

    async def cookie(self, identifier: str) -> str:
        """A sign-in of this account."""
        async with self.rooms.store.unit() as unit:
            row = await account.by_id(unit.connection, identifier)
            assert row is not None
            return await self.rooms.access.begin(unit, row, "password", "Chrome on Android")

    async def viewer(self, identifier: str) -> Viewer:
        """Who that account is to the operations."""
        found = await self.rooms.access.viewer_by_cookie(await self.cookie(identifier))
        assert found is not None
        return found

    async def fob(self, identifier: str, label: str = "", number: str = NUMBER) -> TokenRef:
        """A key fob that this account's person holds."""
        viewer = await self.viewer(identifier)
        async with self.rooms.store.unit() as unit:
            return await self.rooms.cards.enroll_for(unit, viewer.person, number, CardKind.FOB, label, {}, "test")

    @asynccontextmanager
    async def phone(self, size: tuple[int, int] = NARROW, **options: Any) -> AsyncIterator[Person]:
        """Somebody with a phone, not signed in yet; at the end nothing may have gone wrong in their browser."""
        viewport = ViewportSize(width=size[0], height=size[1])
        context = await self.browser.new_context(base_url=self.doors.http, viewport=viewport, **options)
        context.set_default_timeout(30_000)
        person = Person(context, await context.new_page())
        person.listen()
        try:
            yield person
        finally:
            with contextlib.suppress(Exception):
                await context.close()
        if person.complaints:
            raise AssertionError(person.complaints)

    @asynccontextmanager
    async def driver(self, identifier: str, **options: Any) -> AsyncIterator[Person]:
        """A driver who is signed in, on a phone."""
        async with self.phone(**options) as person:
            name, value = cookie_name(self.rooms.settings), await self.cookie(identifier)
            await person.context.add_cookies([{"name": name, "value": value, "url": self.doors.http}])
            yield person

    @asynccontextmanager
    async def plain(self, identifier: str = "") -> AsyncIterator[httpx.AsyncClient]:
        """A browser without script, signed in where an account is named."""
        named = cookie_name(self.rooms.settings)
        cookies = {named: await self.cookie(identifier)} if identifier else {}
        headers = {"Sec-Fetch-Site": "same-origin"}
        async with httpx.AsyncClient(base_url=self.doors.http, cookies=cookies, headers=headers) as client:
            yield client

    async def letter(self, to: str) -> str:
        """The path of the link in the newest letter to somebody, once there is one."""

        async def look() -> str | None:
            letters = [one for one in await self.rooms.people.mail.outbox() if one.to == to]
            found = LINK.search(letters[0].text) if letters else None
            return found[1] if found else None

        return str(await until(look, f"a letter to {to}"))


async def furnish(town: Town) -> None:
    """A price, and two places."""
    await town.rooms.prices.set(OWNER, TARIFF)
    await town.place("CP1", "Hauptplatz", "Hauptplatz 1, Linz", ("48.3059", "14.2866"), max_power_w=Decimal(22_000))
    await town.place("CP2", "Volksgarten", "Volksgartenstraße 40, Linz", ("48.2982", "14.2922"))
