"""The stations' door: lets in who proves to be a station, holds one conversation with each, and keeps the door tidy."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from wattkeeper.charging.facts import Alarmed, Fact
from wattkeeper.charging.phrase import phrase
from wattkeeper.charging.station import Version
from wattkeeper.gateway.conversation import Conversation, Room
from wattkeeper.gateway.crowd import Crowd
from wattkeeper.gateway.introduction import Accepted, Introduction, Refused, choose
from wattkeeper.gateway.notes import Notes, Seldom, log
from wattkeeper.gateway.pulse import feel
from wattkeeper.gateway.socket import BROKEN, POLICY, PROTOCOL_ERROR, Listener, Porch, Wire, listen
from wattkeeper.gateway.tls import Certificate
from wattkeeper.gateway.twins import Twins
from wattkeeper.operations.dispatch import Dispatch
from wattkeeper.operations.intake import Intake
from wattkeeper.operations.money.total import Totals
from wattkeeper.operations.people.security import Case
from wattkeeper.operations.proxies import Proxies
from wattkeeper.operations.stations.admission import Admission, Turned, Welcome
from wattkeeper.settings import Settings

TICK_S = 1.0
"""How often the door is tidied: pings, orders that waited too long, the waiting room, seconds."""
ROLL_CALL_TICKS = 30
"""After how many ticks removed stations are looked for that another process removed."""
REFUSALS = {401: "Unauthorized.\n", 403: "Forbidden.\n", 404: "Not found.\n", 429: "Too many tries; try again later.\n"}
LATER_S = 0.1
"""After how long a refusal is written down, seconds: it has been answered by then."""
UNAVAILABLE = Refused(503, "Try again later.\n")


class Gateway:
    """The door for stations; `start` opens it, `stop` closes it."""

    def __init__(
        self, settings: Settings, intake: Intake, dispatch: Dispatch, admission: Admission, totals: Totals
    ) -> None:
        self._settings = settings
        self._admission = admission
        self._notes = Notes()
        self._room = Room(settings, intake, dispatch, self._notes, totals)
        crowd = Crowd(settings.max_connections, settings.max_connections_per_address)
        self._certificate = Certificate(settings)
        self._porch = Porch(settings, crowd, self._notes, self._certificate.context, Proxies(settings))
        self._twins = Twins(settings.probation_s)
        self._alarmed = Seldom()
        self._listener: Listener | None = None
        self._tidying: asyncio.Task[None] | None = None
        self._errands: set[asyncio.Task[None]] = set()

    async def start(self) -> int:
        """Give up what was under way when we last stopped, then open the door; gives the TCP port."""
        await self._room.intake.open_empty()
        await self._room.dispatch.expire_old(at_start=True)
        self._admission.on_removal(self._dismiss)
        self._listener = await listen(self._porch, self._greet, self._talk)
        self._tidying = asyncio.create_task(self._tidy(), name="gateway")
        log.info("stations are welcome on port %d%s", self._listener.port, " (TLS)" if self._porch.tls else "")
        return self._listener.port

    async def stop(self) -> None:
        """Close the door: every station is told that we are going away (1001), and its end is written down."""
        if self._listener is None or self._tidying is None:
            return
        self._tidying.cancel()
        await self._listener.stop()
        await asyncio.gather(self._tidying, *self._errands, return_exceptions=True)
        self._listener = self._tidying = None

    def connected(self, station: str) -> bool:
        """Whether the station has a connection now."""
        return station in self._twins

    # --- coming in ------------------------------------------------------------------------------------

    async def _greet(self, said: Introduction, address: str) -> Accepted | Refused:
        """Decide on a newcomer before it is answered (A00.FR.204): who is not let in has no socket."""
        if said.station is None:
            return _refused(404)
        if said.from_page:
            self._notes.event(Case.PAGE_AS_STATION, address=address)
            self._notes.noise(f"origin {address}", "a web page at %s tried to connect as a station", address)
            return _refused(403)
        offered = ", ".join(said.offered)
        try:
            decided = await self._admission.enter(said.station, said.user, said.password, address, offered)
        except Exception as fault:
            self._notes.fault("a newcomer could not be looked up", said.station, fault)
            return UNAVAILABLE
        if isinstance(decided, Turned):
            return self._turn_away(said.station, address, decided)
        version, spelled = choose(said.offered, decided.version, self._settings.missing_subprotocol)
        return Accepted(decided, version, spelled, deflate=version is Version.V201)

    def _turn_away(self, station: str, address: str, turned: Turned) -> Refused:
        """Refuse, and record what is alarming about it."""
        text = "a connection from %s as %r was refused (%d)"
        known = station if turned.known else ""
        # later, for a station that we know has a line of its own, and the time that takes would tell that we know it
        asyncio.get_running_loop().call_later(LATER_S, self._notes.event, turned.case, known, address)
        self._notes.noise(f"refused {address}", text, address, station[:60], turned.status)
        if turned.alarm is not None:
            self._run(self._alarm(station, turned.alarm))
        return _refused(turned.status)

    async def _talk(self, wire: Wire) -> None:
        """Serve one accepted connection to its end."""
        assert wire.accepted is not None
        welcome, version = wire.accepted.welcome, wire.accepted.version
        if version is None:
            self._notes.noise(f"dialect {welcome.station}", "%r offers no dialect that is spoken here", welcome.station)
            self._notes.event(Case.DIALECT_UNKNOWN, welcome.station, wire.address)
            await wire.end(PROTOCOL_ERROR, "No such subprotocol here.")
            return
        alarms = _changed_version(welcome, version)
        if alarms:
            self._notes.event(Case.DIALECT_CHANGED, welcome.station, wire.address)
        conversation = Conversation(self._room, wire, welcome.station, version, welcome.booted, alarms)
        try:
            if await self._twins.claim(conversation):
                await conversation.run()
            else:
                await self._refuse_twin(wire, welcome.station)
        except Exception as fault:
            self._notes.fault("a conversation failed", welcome.station, fault)
            await wire.end(BROKEN, "Something went wrong here.")
        finally:
            conversation.forget()
            self._twins.release(conversation)

    async def _refuse_twin(self, wire: Wire, station: str) -> None:
        """Send away who claims an identity that is connected and lives; once a minute, say so in the record."""
        self._notes.event(Case.TWIN, station, wire.address)
        if self._alarmed.may(station):
            twin = phrase("A second connection with this identity and its key came from {address}; the first lives.")
            summary = twin.filled(address=wire.address)
            self._run(self._alarm(station, Alarmed(code="DuplicateIdentity", summary=summary)))
        await wire.end(POLICY, "This identity is connected already.")

    async def _alarm(self, station: str, alarm: Fact) -> None:
        """Record something alarming."""
        await self._room.intake.record(station, alarm)

    # --- keeping order --------------------------------------------------------------------------------

    async def _tidy(self) -> None:
        """Once a tick: feel pulses, give up old orders, write down who knocked; now and then call the roll."""
        ticks = 0
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(TICK_S)
            feel(self._porch.wires, self._settings, loop.time())
            self._certificate.look()
            await self._try("old orders could not be expired", self._room.dispatch.expire_old)
            await self._try("the waiting room could not be written", self._admission.write_knocks)
            ticks += 1
            if ticks % ROLL_CALL_TICKS == 0:
                await self._try("removed stations could not be looked for", self._call_roll)

    async def _try(self, what: str, deed: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do it; if it fails, say so and go on: the next tick tries again."""
        try:
            await deed()
        except Exception as fault:
            self._notes.fault(what, "", fault)

    async def _call_roll(self) -> None:
        """Send away stations that were removed."""
        for station in await self._admission.gone(list(self._twins.stations)):
            self._dismiss(station)

    def _dismiss(self, station: str) -> None:
        """Close the connection of a station that was removed."""
        conversation = self._twins.find(station)
        if conversation is not None:
            self._run(conversation.dismiss("This station was removed."))

    def _run(self, errand: Coroutine[Any, Any, None]) -> None:
        """Do something that nobody waits for."""
        task = asyncio.create_task(self._try("an errand failed", lambda: errand))
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)


def _refused(status: int) -> Refused:
    return Refused(status, REFUSALS[status])


def _changed_version(welcome: Welcome, version: Version) -> list[Alarmed]:
    """An alarm where a station speaks another dialect than last time.

    It is let in: firmware updates change the dialect, and refusing would lock the station out until a person comes.
    But nobody is downgraded silently: a station that offers its last dialect gets it, whatever else it offers.
    """
    if welcome.version is None or welcome.version is version:
        return []
    summary = phrase("The station speaks {version}; until now it spoke {before}.")
    spoken = summary.filled(version=version.value, before=welcome.version.value)
    return [Alarmed(code="VersionChanged", summary=spoken)]
