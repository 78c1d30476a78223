"""An installation that bills: prices, sessions told to it, and people of each role who look at what came of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.pages.site import WIDE, Person, Site
from wattkeeper.charging.facts import SessionEnded, SessionOpened
from wattkeeper.charging.money.tariffs.tariff import Component, Dimension, Element, Tariff
from wattkeeper.charging.person import EVERYTHING, Role, Scope, Viewer
from wattkeeper.charging.reading import Reading
from wattkeeper.operations.money.billing import Billing
from wattkeeper.store.money import bill, hold
from wattkeeper.store.money.bill import BillRow, Sought
from wattkeeper.store.money.hold import HoldRow
from wattkeeper.store.money.proposal import Deed, Wish
from wattkeeper.web.guards.origin import cookie_name

OWNER = Viewer("tests", Role.OWNER, EVERYTHING)
PAYS = "04A2B97F33AA"
"""The card whose sessions are billed."""
MAY = frozenset({Scope.BILLS_READ, Scope.BILLS_WRITE})
CLARA = Viewer("a" + "1" * 16, Role.BILLING, MAY, account="a" + "1" * 16)
"""Somebody who says what is billed."""
REGISTER = 1000
"""Where every session's register begins, Wh."""
PRICE = Component(Dimension.ENERGY, Decimal("0.50"), Decimal(20))


@dataclass(slots=True)
class Till:
    """A site with a price, 0.60 for a kWh with tax, in which sessions are told and billed."""

    site: Site
    told: int = 0

    @asynccontextmanager
    async def earlier(self, hours: int = 12) -> AsyncIterator[None]:
        """Do it as of some hours ago, each session later than the one before."""
        store = self.site.rooms.store
        now = store.clock
        store.clock = lambda: now() - timedelta(hours=hours)
        try:
            yield
        finally:
            store.clock = now

    async def open(self, *parts: Component, station: str = "CP1", **about: Any) -> None:
        """Set the price, make a station, take in a card."""
        await self.site.rooms.prices.set(OWNER, Tariff("EUR", (Element(parts or (PRICE,)),)))
        await self.site.admit(station, **about)
        await self.enrol()

    async def enrol(self) -> None:
        """Take in the card whose sessions are billed."""
        await self.site.rooms.cards.import_csv(f"number\n{PAYS}\n", OWNER)

    async def session(
        self, wh: int = 10_000, *, doubtful: bool = False, station: str = "CP1", minutes: int = 10, bills: bool = True
    ) -> str:
        """A session that has ended, whose register went back where it is doubtful; its id, without dashes."""
        self.told += 1
        rooms = self.site.rooms
        self.skip(minutes=minutes + 2)
        began = rooms.store.clock() - timedelta(minutes=minutes + 1)
        about: dict[str, Any] = {"ref": f"T{self.told}", "evse": 1}
        begun = SessionOpened(at=began, seq=0, token=rooms.safe.ref(PAYS), register_wh=Decimal(REGISTER), **about)
        answer = await rooms.intake.record(station, begun)
        readings = tuple(_readings(began, minutes, wh, doubtful))
        end, last = began + timedelta(minutes=minutes), Decimal(REGISTER + wh)
        await rooms.intake.record(station, SessionEnded(at=end, seq=1, readings=readings, register_wh=last, **about))
        if bills:
            await self.bill()
        return str(answer.session).replace("-", "")

    def skip(self, **later: float) -> None:
        """Let time pass."""
        store, before = self.site.rooms.store, self.site.rooms.store.clock
        store.clock = lambda: before() + timedelta(**later)

    async def bill(self) -> None:
        """Bill what has ended."""
        rooms = self.site.rooms
        await Billing(rooms.store, rooms.bus, replace(rooms.settings, billing_grace_s=0)).look()

    async def bills(self) -> list[BillRow]:
        """Every document, in the order of its issue."""
        async with self.site.rooms.store.read() as connection:
            return (await bill.find(connection, OWNER, Sought(), 500))[::-1]

    async def holds(self) -> list[HoldRow]:
        """What waits, the newest first."""
        async with self.site.rooms.store.read() as connection:
            return await hold.find(connection, OWNER, 500)

    @asynccontextmanager
    async def person(
        self, role: Role, name: str = "", size: tuple[int, int] = WIDE, **options: Any
    ) -> AsyncIterator[Person]:
        """Somebody of a role who is signed in, in a browser."""
        rooms = self.site.rooms
        async with rooms.store.unit() as unit:
            called = f"{name or role.value}@example.org"
            about = {"email": called, "name": name or role.value, "language": "en"}
            row = await rooms.people.accounts.make(unit, role, about, None, by="test", verified=True)
            cookie = await rooms.access.begin(unit, row, "passkey", "Firefox, Linux")
        async with self.site.person(size, **options) as person:
            url = self.site.doors.http
            await person.context.add_cookies([{"name": cookie_name(rooms.settings), "value": cookie, "url": url}])
            yield person


@dataclass(frozen=True, slots=True)
class Stock:
    """Something of each kind: the number of a bill, a session that waits, and one for which something is proposed."""

    number: str
    held: str
    proposed: str


async def stocked(site: Site, station: str) -> Stock:
    """Bills, what waits, and what takes a second person, at a station that is there."""
    till = Till(site)
    async with till.earlier():
        await site.rooms.prices.set(OWNER, Tariff("EUR", (Element((PRICE,)),)))
        await till.enrol()
        await till.session(12_340, station=station)
        corrected = await till.session(station=station)
        held = await till.session(9000, doubtful=True, station=station)
        proposed = await till.session(150_000, doubtful=True, station=station, minutes=600)
        for session, wanted in ((corrected, {"gross_minor": 100}), (proposed, {"energy_wh": Decimal(24_000)})):
            wish: dict[str, Any] = {"deed": Deed.CORRECT, "said": "As on the display.", **wanted}
            await site.rooms.bills.do(CLARA, session, Wish(**wish))
    return Stock((await till.bills())[-1].number, held, proposed)


def _readings(began: datetime, minutes: int, wh: int, doubtful: bool) -> Iterator[Reading]:
    """The register a few times; of a doubtful session it stands too high just before the end."""
    steps = min(minutes // 2, 10)
    for step in range(1, steps):
        register = Decimal(REGISTER + wh * step // steps)
        if doubtful and step == steps - 1:
            register = Decimal(REGISTER + wh + 100)
        yield Reading(began + timedelta(minutes=minutes) * step / steps, energy_wh=register)
