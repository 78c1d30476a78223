"""All that one station says and is told over one connection: a message, its record, its answer; then the next."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from uuid import uuid4

from wattkeeper.charging.errors import Refusal
from wattkeeper.charging.facts import Alarmed, Booted, Connected, Disconnected, Fact, Garbled, SessionEnded
from wattkeeper.charging.orders import Order, Outcome, Settlement, Trigger
from wattkeeper.charging.phrase import phrase
from wattkeeper.charging.station import Version
from wattkeeper.gateway.notes import Notes
from wattkeeper.gateway.socket import POLICY, Gone, Wire
from wattkeeper.ocpp.dialect import ErrorCode
from wattkeeper.ocpp.dialects import DIALECTS
from wattkeeper.ocpp.frame import NO_ID, error_frame, excerpt
from wattkeeper.ocpp.link import Asked, Bad, Link, Settled, Stray
from wattkeeper.operations.dispatch import Dispatch
from wattkeeper.operations.intake import Intake
from wattkeeper.operations.money.total import Totals
from wattkeeper.operations.people.security import Case
from wattkeeper.settings import Settings

BOOT_PATIENCE_S = 5.0
"""After how long a silence a station that never booted here is asked for its BootNotification (Q33), seconds."""
TOTAL_WITHIN_S = 0.25
"""How long an answer may take longer because it tells what a session cost, seconds."""
MOST_AHEAD = 1_000
"""How many calls a station may send without waiting for answers (OCPP-J 4.1.1 allows one) before it is closed."""
MOST_GARBLED = 60
"""How many unreadable frames of one connection are recorded within GARBLED_S; the others are answered alone."""
GARBLED_S = 60.0
CALL_ID = re.compile(rb'\s{0,9}\[\s{0,9}2\s{0,9},\s{0,9}"([\x20!#-\x5b\x5d-\x7e]{1,36})"')
LOST = phrase("The connection was lost before the station answered.")


@dataclass(frozen=True, slots=True)
class Room:
    """What every conversation needs."""

    settings: Settings
    intake: Intake
    dispatch: Dispatch
    notes: Notes
    totals: Totals


class Conversation:
    """One station's connection. Messages are taken one at a time, so a station is never ahead of the disk."""

    __slots__ = (
        *("station", "version", "_again", "_ahead", "_alarms", "_arrived", "_boot_timer", "_deadline", "_ended"),
        *("_called_at", "_errands", "_garbled", "_garbled_since", "_in_flight", "_link", "_room", "_sender", "_wire"),
    )

    def __init__(
        self, room: Room, wire: Wire, station: str, version: Version, booted: bool, alarms: Sequence[Alarmed]
    ) -> None:
        self.station = station
        self.version = version
        self._room = room
        self._wire = wire
        self._alarms = alarms
        self._link = Link(DIALECTS[version], _new_id, room.settings.order_timeout_s)
        self._arrived = self._again = False
        self._ahead = self._garbled = 0
        self._garbled_since = self._called_at = 0.0
        self._in_flight: str | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._sender: asyncio.Task[None] | None = None
        self._errands: set[asyncio.Task[Any]] = set()
        self._ended: asyncio.Event | None = None
        self._boot_timer = None if booted else wire.loop.call_later(BOOT_PATIENCE_S, self._run, self._ask_for_boot)

    # --- its life -------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Talk until the connection ends."""
        why = "The connection failed."
        try:
            await self._arrive()
            while True:
                await self._hear(await self._wire.receive())
        except Gone as gone:
            why = str(gone)
        finally:
            await self._leave(why)

    async def lives(self, within_s: float) -> bool:
        """Whether the station is still there, asked now."""
        return self._wire.is_open and await self._wire.lives(within_s)

    async def yield_place(self, why: str, within_s: float) -> None:
        """End at once, and wait (not for ever) until that is written down."""
        self._ended = self._ended or asyncio.Event()
        self._wire.drop(why)
        try:
            async with asyncio.timeout(within_s):
                await self._ended.wait()
        except TimeoutError:
            text = "an old connection of %r has not ended yet"
            self._room.notes.noise(f"slow end {self.station}", text, self.station)

    def forget(self) -> None:
        """It is over: nothing more is to happen by itself."""
        for timer in (self._boot_timer, self._deadline):
            if timer is not None:
                timer.cancel()

    async def dismiss(self, why: str) -> None:
        """Close the connection, because the station may not be here any more."""
        await self._wire.end(POLICY, why)

    async def _arrive(self) -> None:
        """Tell that the station is here; if that cannot be stored now, it is told with its next message."""
        try:
            await self._record(Connected(version=self.version, address=self._wire.address))
            for alarm in self._alarms:
                await self._record(alarm)
        except Exception as fault:
            self._room.notes.fault("a connection could not be recorded", self.station, fault)
            return
        self._arrived, self._alarms = True, ()
        self._room.dispatch.connect(self.station, self)
        self.wake()

    async def _leave(self, why: str) -> None:
        """Tell that the station is gone, and settle what it was asked and did not answer."""
        self._room.dispatch.disconnect(self.station, self)
        self.forget()
        try:
            if self._sender is not None:
                await asyncio.wait({self._sender})
            if self._in_flight is not None:
                await self._room.dispatch.settled(self._in_flight, Settlement(Outcome.TIMEOUT, {}, LOST))
            if self._arrived:
                await self._record(Disconnected(reason=why))
        except Exception as fault:
            self._room.notes.fault("the end of a connection could not be recorded", self.station, fault)
        if self._ended is not None:
            self._ended.set()

    async def _record(self, fact: Fact) -> None:
        """Record what we noticed ourselves."""
        await self._room.intake.record(self.station, fact)

    # --- what the station says ------------------------------------------------------------------------

    async def _hear(self, frame: bytes) -> None:
        """Understand a frame, record it, and only then answer."""
        heard = self._understand(frame)
        reply: str | None = None
        if isinstance(heard, Asked):
            reply = await self._hear_call(heard)
        elif isinstance(heard, Settled):
            await self._hear_settled(heard)
        elif isinstance(heard, Bad):
            reply = await self._hear_garbled(heard)
        else:
            reply = await self._hear_stray(heard)
        if reply is not None:
            await self._wire.tell(reply)

    def _understand(self, frame: bytes) -> Asked | Settled | Bad | Stray:
        """What a frame says. A fault of ours in reading it is no reason to lose the frame or the station."""
        try:
            return self._link.receive(frame)
        except Exception as fault:
            self._room.notes.fault("a frame could not be read", self.station, fault)
            problem = phrase("A fault of ours kept this frame from being read.")
            reply = error_frame(self.version, call_id_in(frame), ErrorCode.INTERNAL, problem)
            return Bad(Garbled(problem=str(problem)), {"frame": excerpt(frame)}, reply)

    async def _hear_call(self, asked: Asked) -> str:
        """A call: recorded, then answered. What cannot be stored now is refused, so that the station repeats it."""
        self._ahead = self._ahead + 1 if self._wire.waiting else 0
        if self._ahead > MOST_AHEAD:
            return await self._stop_flood(asked)
        if not self._arrived:
            await self._arrive()
        self._called_at = self._wire.loop.time()
        heard = asked.heard
        try:
            answer = await self._room.intake.record(
                self.station, heard.fact, token=heard.token, words=heard.words, hidden=heard.hidden
            )
            if isinstance(heard.fact, SessionEnded) and self.version is not Version.V16:  # which has no word for it
                answer = replace(answer, total=await self._total(answer.session))
            reply = self._link.answer(asked, answer)
        except Exception as fault:
            self._room.notes.fault(f"a {asked.action[:40]!r} could not be recorded", self.station, fault)
            return self._link.refuse(asked, ErrorCode.INTERNAL, "This could not be recorded now; send it again.")
        if isinstance(heard.fact, Booted) and self._boot_timer is not None:
            self._boot_timer.cancel()
        return reply

    async def _total(self, session: str | None) -> Decimal | None:
        """What a session that has just ended cost; None where that is not known, or not soon enough."""
        asked = self._wire.loop.create_task(self._room.totals.of(self.station, session))
        self._errands.add(asked)
        asked.add_done_callback(self._errands.discard)
        done, _ = await asyncio.wait({asked}, timeout=TOTAL_WITHIN_S)
        total = asked.result() if done else None
        if total is not None:
            self._room.totals.note(session, total)
        return total

    async def _stop_flood(self, asked: Asked) -> str:
        """Refuse a call of a station that has sent far too many without waiting, and close."""
        self._ahead = 0
        refusal = self._link.refuse(asked, ErrorCode.SECURITY, "Wait for an answer before you call again.")
        await self._wire.tell(refusal)
        summary = phrase("The station sent more than {calls} calls without waiting for an answer and was disconnected.")
        self._room.notes.event(Case.CALLS_FLOOD, self.station, self._wire.address)
        await self._record(Alarmed(code="CallFlood", summary=summary.filled(calls=MOST_AHEAD)))
        await self._wire.end(POLICY, "Too many calls at once.")
        raise Gone("The station sent too many calls without waiting for answers.")

    async def _hear_settled(self, settled: Settled) -> None:
        """The station answered an order."""
        self._in_flight = None
        if self._deadline is not None:
            self._deadline.cancel()
        try:
            await self._room.dispatch.settled(settled.key, settled.settlement)
        except Exception as fault:
            self._room.notes.fault("an answer to an order could not be recorded", self.station, fault)
        self.wake()

    async def _hear_garbled(self, bad: Bad) -> str | None:
        """A frame that cannot be read: kept (within bounds) and answered; the connection stays."""
        self._room.notes.event(Case.UNREADABLE, self.station, self._wire.address)
        now = self._wire.loop.time()
        if now - self._garbled_since > GARBLED_S:
            self._garbled_since, self._garbled = now, 0
        self._garbled += 1
        if self._garbled > MOST_GARBLED:
            self._room.notes.noise(f"garbled {self.station}", "%r sends frames that cannot be read", self.station)
            await asyncio.sleep(0)
            return bad.reply
        try:
            await self._room.intake.record(self.station, bad.fact, hidden=bad.hidden)
        except Exception as fault:
            self._room.notes.fault("an unreadable frame could not be recorded", self.station, fault)
        return bad.reply

    async def _hear_stray(self, stray: Stray) -> str | None:
        """An answer to nothing we asked."""
        self._room.notes.noise(f"stray {self.station}", "%r: %s", self.station, stray.problem)
        self._room.notes.event(Case.STRAY_ANSWERS, self.station, self._wire.address)
        await asyncio.sleep(0)  # nothing is stored for it: let the others have their turn
        return stray.reply

    # --- what the station is told ---------------------------------------------------------------------

    def wake(self) -> None:
        """An order may be waiting: send it, unless one is still unanswered (OCPP-J 4.1.1)."""
        if self._in_flight is not None or not self._wire.is_open:
            return
        if self._sender is not None and not self._sender.done():
            self._again = True
            return
        self._sender = self._wire.loop.create_task(self._send_due())

    def check(self, order: Order) -> None:
        """Raise Refusal (INVALID) where the station's version cannot say the order."""
        DIALECTS[self.version].write(order)

    async def _send_due(self) -> None:
        """Send what is due, one at a time; the next goes out when this one is settled."""
        try:
            self._again = True
            while self._again and self._in_flight is None:
                self._again = False
                for key, order in await self._room.dispatch.due(self.station):
                    if await self._send(key, order):
                        break
        except Gone:
            return
        except Exception as fault:
            self._room.notes.fault("an order could not be sent", self.station, fault)

    async def _send(self, key: str, order: Order) -> bool:
        """Send one order; False where it is not to be sent, and the next may be."""
        try:
            action, _ = DIALECTS[self.version].write(order)
        except Refusal as refused:
            await self._room.dispatch.settled(key, Settlement(Outcome.REJECTED, {}, refused.why))
            return False
        if not await self._room.dispatch.sent(key, action, self._link.redacted(order)):
            return False
        self._in_flight = key
        self._link.ask(key, order)
        frame = self._link.outgoing(self._wire.loop.time())
        assert frame is not None, "an order was in flight already"
        self._watch_deadline()
        await self._wire.tell(frame)
        return True

    def _watch_deadline(self) -> None:
        """Look again when the order in flight should have been answered."""
        if self._link.deadline is not None:
            self._deadline = self._wire.loop.call_at(self._link.deadline, self._run, self._expire)

    async def _expire(self) -> None:
        """Settle what was not answered in time."""
        for settled in self._link.expired(self._wire.loop.time()):
            await self._hear_settled(settled)
        if self._in_flight is not None:
            self._watch_deadline()

    # --- errands --------------------------------------------------------------------------------------

    async def _ask_for_boot(self) -> None:
        """The station has not told what it is: ask it to, once, when it is quiet; by an order, so that it shows."""
        quiet_s = self._wire.loop.time() - self._called_at
        if quiet_s < BOOT_PATIENCE_S:
            self._boot_timer = self._wire.loop.call_later(BOOT_PATIENCE_S - quiet_s, self._run, self._ask_for_boot)
        elif self._arrived:
            await self._room.dispatch.order(self.station, Trigger(message="BootNotification"), "wattkeeper")

    def _run(self, errand: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do something beside the conversation, now that its time has come."""
        task = self._wire.loop.create_task(self._do(errand))
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    async def _do(self, errand: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await errand()
        except Exception as fault:
            self._room.notes.fault("an errand failed", self.station, fault)


def _new_id() -> str:
    """A message id that was never used before."""
    return str(uuid4())


def call_id_in(frame: bytes) -> str:
    """The message id of a frame that was not understood, or the one that stands for none."""
    found = CALL_ID.match(frame)
    return found[1].decode() if found else NO_ID
