"""A station's display in a story: what it is told that charging costs, and what it says to that."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tests.doors import Door
from tests.stories.till import Till
from tests.stories.world import CARD, Voice, Voice16, Voice201, World, minute
from wattkeeper.charging.cards.token import CardKind
from wattkeeper.charging.person import Role
from wattkeeper.operations.access import Access
from wattkeeper.operations.cards.book import Cards
from wattkeeper.operations.money.displays import Displays
from wattkeeper.operations.people.house import people_of
from wattkeeper.operations.people.letters.mail import Mail

VENDOR = "org.openchargealliance.costmsg"
ENABLED = "CustomDisplayCostAndPrice"
Answer = dict[str, Any] | str | None
"""An answer, the code of an error, or silence."""


def able(action: str, payload: Any) -> Answer:
    """A station that can show everything."""
    if action == "GetConfiguration":
        known = [{"key": key, "readonly": True, "value": "true"} for key in payload["key"] if key == ENABLED]
        return {"configurationKey": known, "unknownKey": [key for key in payload["key"] if key != ENABLED]}
    if action == "GetVariables":
        return {"getVariableResult": [_variable(one) for one in payload["getVariableData"]]}
    return {} if action == "CostUpdated" else {"status": "Accepted"}


def _variable(asked: Any) -> Any:
    value = "EUR" if asked["variable"]["name"] == "Currency" else "true"
    return asked | {"attributeStatus": "Accepted", "attributeValue": value}


@dataclass(slots=True)
class Screen:
    """A station of either version that can show what charging costs, and tells of a session."""

    world: World
    voice: Voice
    answer: Callable[[str, Any], Answer] = able
    heard: list[tuple[str, Any]] = field(default_factory=list)
    """What it was asked, in order."""
    ref: Any = None
    seq: int = 0
    replied: Any = None
    """The answer to its newest message."""

    async def told(self, displays: Displays) -> list[tuple[str, Any]]:
        """Let the displays be looked after; what this station is asked meanwhile."""
        before = len(self.heard)
        looking = asyncio.create_task(_look(displays))
        while not looking.done():
            hearing = asyncio.create_task(self.voice.station.socket.recv())
            await asyncio.wait({looking, hearing}, return_when=asyncio.FIRST_COMPLETED)
            if not hearing.done():
                hearing.cancel()
                await asyncio.gather(hearing, return_exceptions=True)
            else:
                await self._hear(str(hearing.result()))
        looking.result()
        return self.heard[before:]

    async def _hear(self, frame: str) -> None:
        """Answer what is asked; numbers are kept as they are written."""
        _, call_id, action, payload = json.loads(frame, parse_float=Decimal)
        self.heard.append((action, payload))
        answer = self.answer(action, payload)
        if isinstance(answer, str):
            await self.voice.station.send(json.dumps([4, call_id, answer, "", {}]))
        elif answer is not None:
            await self.voice.station.send(json.dumps([3, call_id, answer]))

    async def start(self, at: float = 0, card: str = CARD, meter: int = 1000) -> None:
        """A session begins."""
        if isinstance(self.voice, Voice16):
            self.ref = await self.voice.start(at, meter, card)
        elif isinstance(self.voice, Voice201):
            self.ref, self.seq = f"TX-{at}", 0
            await self.voice.event("Started", self.ref, 0, at, card=card, trigger="Authorized", wh=meter)

    async def read(self, at: float, wh: int, state: str = "Charging") -> None:
        """The meter is told."""
        self.seq += 1
        if isinstance(self.voice, Voice16):
            await self.voice.read(self.ref, at, wh=wh)
        elif isinstance(self.voice, Voice201):
            self.replied = await self.voice.event("Updated", self.ref, self.seq, at, state=state, wh=wh)

    async def stop(self, at: float, wh: int) -> None:
        """It ends."""
        self.seq += 1
        if isinstance(self.voice, Voice16):
            self.replied = await self.voice.stop(self.ref, at, wh)
        elif isinstance(self.voice, Voice201):
            ended: dict[str, Any] = {"trigger": "StopAuthorized", "info": {"stoppedReason": "Local"}}
            self.replied = await self.voice.event("Ended", self.ref, self.seq, at, wh=wh, **ended)

    # --- what it shows ----------------------------------------------------------------------------------

    @property
    def money(self) -> list[tuple[str, Any]]:
        """What it was told of money: the message's name, and what it says."""
        found = []
        for action, payload in self.heard:
            if action == "DataTransfer":
                assert payload["vendorId"] == VENDOR
                found.append((payload["messageId"], json.loads(payload["data"], parse_float=Decimal)))
            elif action in ("CostUpdated", "SetDisplayMessage"):
                found.append((action, payload))
        return found

    @property
    def costs(self) -> list[str]:
        """The costs it was told, as they were written."""
        figures = (one.get("cost", one.get("totalCost")) for _, one in self.money)
        return [str(figure) for figure in figures if figure is not None]

    @property
    def shows(self) -> Decimal:
        """The amount on the display in the end."""
        total = (self.replied or {}).get("totalCost")
        return Decimal(self.costs[-1]) if total is None else Decimal(str(total))


async def _look(displays: Displays) -> None:
    await displays.look()
    await displays.settle()


def mail_of(door: Door) -> Mail:
    """What knows the language of people."""
    return Mail(door.store, door.safe, door.settings)


async def displays_of(world: World) -> Displays:
    """What looks after the displays of a world, from now on."""
    door = world.door
    made = Displays(door.store, door.safe, door.bus, door.settings, door.dispatch, mail_of(door), door.totals)
    await made.look()
    return made


async def driver(till: Till, language: str = "de", number: str = CARD) -> None:
    """A driver with an account in a language, and a card."""
    door = till.world.door
    people = people_of(door.store, door.safe, door.settings, Access(door.store, door.safe, door.settings))
    about = {"email": f"{number}@example.org", "name": "Dora", "language": language}
    async with door.store.unit() as unit:
        row = await people.accounts.make(unit, Role.DRIVER, about, None, by="test", verified=True)
        cards = Cards(door.store, door.safe, door.bus)
        await cards.enroll_for(unit, row.person, number, CardKind.CARD, "", {}, "test", since=minute(-60))
