"""Two sites with a station each, a session at each, and people of every role who look at them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

import httpx
from sqlalchemy import select, update

from tests.web.conftest import ADDRESS, House
from tests.web.told import CARD, Teller, now
from wattkeeper.charging.identifiers import parse
from wattkeeper.charging.person import EVERYTHING, Role, Viewer
from wattkeeper.store.people import account as accounts
from wattkeeper.store.people.account import AccountRow
from wattkeeper.store.tables import account, card, holding
from wattkeeper.store.unit import Unit

OTHER_CARD = "04A2B97F1191"
"""The number of the card that was charged with in the south; its last two characters are 91."""
VIEWER = Viewer("test", Role.OWNER, EVERYTHING)


@dataclass(slots=True)
class Town:
    """CP1 in the north, where a session ended on Dora's card, and CP2 in the south, where one runs on another's."""

    house: House
    north: str
    south: str
    """The spoken ids of the sessions."""
    cookies: dict[str, str] = field(default_factory=dict)

    async def who(self, role: Role, *sites: str, name: str = "") -> httpx.AsyncClient:
        """A browser in which somebody of a role is signed in; a driver is Dora unless named."""
        name = name or ("dora" if role is Role.DRIVER else role.value)
        access, safe = self.house.rooms.access, self.house.rooms.safe
        async with self.house.rooms.store.unit() as unit:
            row = await accounts.by_name(unit.connection, safe.name_ref(f"{name}@example.org"))
            if row is None:
                row = await self.make(unit, name, role, sites)
            cookie = await access.begin(unit, row, "passkey")
        self.cookies[name] = cookie
        return self.house.client(Cookie=f"wattkeeper={cookie}", Origin=ADDRESS)

    async def make(self, unit: Unit, name: str, role: Role, sites: tuple[str, ...] = ()) -> AccountRow:
        """An account that signs in as NAME@example.org."""
        return await make_account(self.house, unit, name, role, sites)


async def make_account(house: House, unit: Unit, name: str, role: Role, sites: tuple[str, ...] = ()) -> AccountRow:
    """An account that signs in as NAME@example.org, without a password: nobody hashes for a test that needs none."""
    about = {"email": f"{name}@example.org", "name": name.title(), "language": "en"}
    return await house.rooms.people.accounts.make(unit, role, about, None, by="test", verified=True, sites=sites)


async def build(house: House) -> Town:
    """The town, with Dora who holds the first card."""
    rooms = house.rooms
    await rooms.admission.describe("CP1", "test", {"site": "North"})
    key = await rooms.admission.provision("CP2", "test", site="South")
    await rooms.cards.import_csv(f"number\n{CARD}\n{OTHER_CARD}\n", VIEWER)
    async with rooms.store.unit() as unit:
        await make_account(house, unit, "dora", Role.DRIVER)
    await hold(house, "dora", "80")
    at = now() - timedelta(hours=3)
    async with house.door.plugged() as station:
        await station.boot()
        north = Teller(station, at)
        await north.status("Preparing")
        await north.say("Authorize", idTag=CARD)
        await north.start(CARD)
        await north.read(10, 2000)
        await north.stop(60, 6000)
    async with house.door.plugged("CP2", key) as station:
        await station.boot()
        south = Teller(station, at + timedelta(minutes=30))
        await south.say("Authorize", idTag=OTHER_CARD)
        await south.start(OTHER_CARD)
        await south.read(10, 3000)
    ids = [one["id"] for one in (await house.api.get("/api/v1/sessions")).json()["items"]]
    assert len(ids) == 2
    return Town(house, north=ids[1], south=ids[0])


async def hold(house: House, name: str, last2: str) -> None:
    """Give a card to a person, from a day ago on."""
    store, safe = house.rooms.store, house.rooms.safe
    async with store.unit() as unit:
        which = select(account.c.person_id).where(account.c.name_ref == safe.name_ref(f"{name}@example.org"))
        person = await unit.connection.scalar(which)
        ref = await unit.connection.scalar(select(card.c.ref).where(card.c.last2 == last2))
        await unit.connection.execute(update(card).where(card.c.ref == ref).values(person_id=person))
        since = unit.now - timedelta(days=1)
        spans = update(holding).where(holding.c.ref == ref).values(person_id=person, since=since)
        await unit.connection.execute(spans)


def plain(spoken: Iterable[str]) -> list[str]:
    """Session ids as addresses have them."""
    return [parse(one) or "" for one in spoken]
