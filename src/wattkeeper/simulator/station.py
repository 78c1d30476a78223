"""A charging station without its dialect: power, network, registration, and the messages that wait to be
told.

The station lives in three layers that fail apart from one another, as real ones do. *Power*: without it
nothing happens, and afterwards it boots. *Network*: without it charging goes on and messages wait.
*Registration*: until the central system has accepted the boot, nobody can charge and nothing but the boot
is told.
"""

from __future__ import annotations

import asyncio
import random
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from websockets.asyncio.client import ClientConnection

from wattkeeper.simulator.charge import Charge, Connector, Context, Ending, Reading, Status, read
from wattkeeper.simulator.clock import Clock
from wattkeeper.simulator.line import Line, together
from wattkeeper.simulator.outbox import Note, Outbox
from wattkeeper.simulator.wire import OfflineError, UnansweredError

MOST_ATTEMPTS = 3
UNASKED_INTERVAL_S = 30.0
"""Used where the central system names no interval (0: the station chooses)."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Listed:
    """What the local list says of a card."""

    accepted: bool
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Manners:
    """How a station behaves on the line; `reading_every_s` in simulated seconds, all others in real ones."""

    reading_every_s: float = 60.0
    retry_from_s: float = 1.0
    retry_up_to_s: float = 30.0
    answer_within_s: float = 30.0
    strict: bool = False
    """Check every message and every answer against the official schemas: thorough and slow."""


@dataclass(frozen=True, slots=True)
class Registration:
    """The central system's answer to a boot: accepted or not, and the interval in seconds."""

    accepted: bool
    interval_s: float


class Station(ABC):
    """One station with one or two connectors, speaking to one central system at `url` (its name is appended)."""

    subprotocol: ClassVar[str]
    compression: ClassVar[str | None] = None
    resumes: bool
    """Whether a charge goes on after the power was lost, or ends with it."""
    keeps_list: bool = True
    """Whether it keeps a local list of cards."""
    shows_costs: bool = True
    """Whether its display shows what a charge costs."""

    def __init__(
        self,
        name: str,
        key: str | None,
        url: str,
        clock: Clock,
        *,
        connectors: int = 1,
        chance: random.Random | None = None,
        say: Say = lambda text: None,
        manners: Manners | None = None,
    ) -> None:
        self.name, self.key, self.url, self.clock = name, key, url.rstrip("/"), clock
        self.chance = chance or random.Random(name)
        self.say = say
        self.manners = manners or Manners()
        self.reading_every_s = self.manners.reading_every_s
        self.heartbeat_s = UNASKED_INTERVAL_S
        self.connectors = [Connector(n, self.chance.randint(10_000, 9_000_000)) for n in range(1, connectors + 1)]
        self.outbox = Outbox()
        self.past: deque[Charge] = deque(maxlen=100)
        self.cards: dict[str, bool] = {}
        self.listed: dict[str, Listed] = {}
        self.local_list_version = 0
        self.mishap: Callable[[Station, Charge], Coroutine[Any, Any, None]] | None = None
        self.powered, self.networked, self.boot_asked = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.powered.set()
        self.networked.set()
        self.booted = self._told_waiting = False
        self.boot_reason = "PowerUp"
        self.line = Line(self, self._attend)
        self._life: asyncio.TaskGroup | None = None

    # -- what each version says in its own words -----------------------------------------------------------

    @abstractmethod
    def make_wire(self, socket: ClientConnection) -> Any:
        """The library's charge point over that socket."""

    @abstractmethod
    async def boot(self) -> Registration:
        """Tell that the station has started."""

    @abstractmethod
    async def beat(self) -> None:
        """Send one heartbeat."""

    @abstractmethod
    async def authorize(self, card: str) -> bool:
        """Ask whether the card may charge."""

    @abstractmethod
    def tell_status(self, connector: Connector) -> None:
        """Tell how a connector is doing."""

    @abstractmethod
    def tell_card(self, charge: Charge) -> None:
        """Tell that a card was accepted for this charge."""

    @abstractmethod
    def tell_plug(self, charge: Charge) -> None:
        """Tell that the car is plugged in."""

    @abstractmethod
    def tell_flow(self, charge: Charge) -> None:
        """Tell that card and car are there and charging begins."""

    @abstractmethod
    def tell_suspended(self, charge: Charge, at: datetime) -> None:
        """Tell that the car draws no more."""

    @abstractmethod
    def tell_reading(self, charge: Charge, reading: Reading) -> None:
        """Tell what the meter shows in mid-session."""

    @abstractmethod
    def tell_triggered(self, connector: Connector) -> None:
        """Tell what a connector's meter shows because the central system asked."""

    @abstractmethod
    def tell_back(self, charge: Charge, cut: Reading, back: Reading) -> None:
        """Tell that the charge goes on after the power was lost."""

    @abstractmethod
    def tell_end(self, charge: Charge, ending: Ending, reading: Reading) -> None:
        """Tell that the charge is over."""

    # -- its life ------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Live until cancelled."""
        try:
            async with asyncio.TaskGroup() as life:
                self._life = life
                await self.line.keep()
        finally:
            self._life = None

    def spawn(self, deed: Coroutine[Any, Any, object]) -> None:
        """Do something beside everything else, for as long as the station lives."""
        if self._life is None:
            deed.close()
            return
        self._life.create_task(self._attempt(deed))

    async def _attempt(self, deed: Coroutine[Any, Any, object]) -> None:
        try:
            await deed
        except (OfflineError, UnansweredError) as error:
            self.tell_human(f"could not tell something ({error or 'the line is gone'})")

    def after_answer(self, deed: Callable[[], object]) -> None:
        """Do something once the call that is being answered has been answered."""
        self.line.wire.afterwards.append(deed)

    @property
    def local_list(self) -> dict[str, bool]:
        """The cards on the local list, and whether it accepts them now."""
        now = self.clock.now()
        return {card: one.accepted and (one.until is None or now < one.until) for card, one in self.listed.items()}

    @local_list.setter
    def local_list(self, cards: dict[str, bool]) -> None:
        """Put these cards on the list, for good."""
        self.listed = {card: Listed(accepted) for card, accepted in cards.items()}

    @property
    def online(self) -> bool:
        """Whether what is told now can be heard now."""
        return self.line.wire is not None and self.booted

    def put(self, build: Callable[[bool], Any], **how: Any) -> None:
        """Queue a message; it leaves at once when the station is online and nothing is before it."""
        self.outbox.put(Note(build, **how), online=self.online)

    async def send(self, payload: Any) -> Any:
        """Send one call and return its answer; raises `OfflineError` or `UnansweredError`."""
        if self.line.wire is None:
            raise OfflineError
        return await self.line.wire.ask(payload, strict=self.manners.strict)

    def tell_human(self, text: str, connector: Connector | None = None) -> None:
        """One line for people; never with a card number in it."""
        which = f"/{connector.number}" if connector and len(self.connectors) > 1 else ""
        self.say(f"{self.name}{which} · {text}, {self.clock.now():%H:%M}")

    def show(self, connector: Connector, status: Status) -> None:
        """Set the status of a connector and tell it."""
        connector.status = status
        self.tell_status(connector)

    def sample(self, charge: Charge, at: datetime, context: Context) -> Reading:
        """What the charge's meter shows at that instant."""
        return read(charge, at, context, self.chance)

    def billed(self, is_it: Callable[[Charge], bool]) -> Charge | None:
        """The newest charge that is meant, be it over."""
        return next((charge for charge in (*self.charges(), *reversed(self.past)) if is_it(charge)), None)

    def charges(self) -> list[Charge]:
        """The charges at the connectors."""
        return [connector.charge for connector in self.connectors if connector.charge is not None]

    # -- power, network, reset -----------------------------------------------------------------------------

    def lose_power(self, *, silently: bool = True) -> None:
        """Go dark: charges stop where they are; silently, the old socket stays half open and never answers again."""
        at = self.clock.now()
        self.powered.clear()
        self.booted = False
        for charge in self.charges():
            charge.cut(at)
            charge.nudge.set()
        if silently:
            self.line.go_dark()
        else:
            self.line.drop()

    def restore_power(self, reason: str = "PowerUp") -> None:
        """Come back: the station connects at once and boots."""
        self.boot_reason = reason
        self.line.cheer()
        self.powered.set()

    def lose_network(self) -> None:
        """Lose the connection; charging goes on and messages wait."""
        self.networked.clear()
        self.line.drop()

    def restore_network(self) -> None:
        """Connect again at once."""
        self.line.cheer()
        self.networked.set()

    async def reset(self, ending: Ending, reason: str) -> None:
        """End every charge, tell it, and boot again."""
        for charge in self.charges():
            charge.want(ending)
        await _either(self._told_everything(), self.manners.answer_within_s)
        self.tell_human("resets")
        self.booted = False
        self.boot_reason = reason
        await self.line.close()

    async def reset_when_idle(self, reason: str) -> None:
        """Boot again once the last car has left."""
        while any(connector.taken for connector in self.connectors):
            await self.clock.sleep(5)
        await self.reset(Ending.SOFT_RESET, reason)

    def boot_again(self) -> None:
        """Tell the boot once more: at once if it was accepted, else instead of waiting any longer."""
        if self.booted:
            self.spawn(self.boot())
        self.boot_asked.set()

    async def change_key(self, key: str) -> None:
        """Take a new key and connect again with it."""
        self.key = key
        await self.line.close()

    async def _told_everything(self) -> None:
        for charge in self.charges():
            if charge.begun:
                await charge.over.wait()
        await self.outbox.emptied()

    # -- while the line holds ------------------------------------------------------------------------------

    async def _attend(self) -> None:
        """Register if need be, tell how things stand, then keep telling."""
        while not self.booted:
            await self._register()
        self.line.cheer()
        for connector in self.connectors:
            self.tell_status(connector)
        if len(self.outbox) > 2 * len(self.connectors):
            self.tell_human(f"back on line with {len(self.outbox)} messages to tell")
        await together(self.outbox.drain(self._deliver), self._keep_beating())

    async def _register(self) -> None:
        self.boot_asked.clear()
        try:
            registration = await self.boot()
        except UnansweredError as error:
            self.tell_human(f"boot answered with {error}")
            registration = Registration(False, 0)
        if registration.accepted:
            self.booted, self._told_waiting = True, False
            self.heartbeat_s = registration.interval_s or UNASKED_INTERVAL_S
            self.tell_human("booted and accepted")
            return
        if not self._told_waiting:
            self.tell_human("booted, waits to be accepted")
        self._told_waiting = True
        await _either(self.boot_asked.wait(), registration.interval_s or UNASKED_INTERVAL_S)

    async def _keep_beating(self) -> None:
        while True:
            await asyncio.sleep(self.heartbeat_s)
            try:
                await self.beat()
            except UnansweredError as error:
                self.tell_human(f"heartbeat answered with {error}")

    async def _deliver(self, note: Note) -> bool:
        """Send a note; true when it is done with, be it heard or given up."""
        note.attempts += 1
        try:
            answer = await self.send(note.build(note.offline))
        except UnansweredError as error:
            return await self._after_failure(note, str(error))
        if note.heard is not None:
            note.heard(answer)
        return True

    async def _after_failure(self, note: Note, why: str) -> bool:
        if note.lasting and note.attempts < MOST_ATTEMPTS:
            await asyncio.sleep(self.manners.retry_from_s * note.attempts)
            return False
        self.tell_human(f"a message was answered with {why} and is given up")
        return True


async def _either(event: Awaitable[object], seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event
