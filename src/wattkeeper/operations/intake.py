"""`record`: the only way in. Record first, judge second, answer after the commit.

One writer takes whatever has arrived and commits it together, so that durability is paid once for many stations.
A fact that cannot be stored is refused alone: its neighbours are written, its station is told to try again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import orjson
from msgspec.structs import replace

from wattkeeper.bus import Bus
from wattkeeper.charging.answer import Answer
from wattkeeper.charging.cards.token import Presented
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.facts import (
    Disconnected,
    EstimateCause,
    Fact,
    SessionEstimated,
    SessionOpened,
    StatusChanged,
)
from wattkeeper.charging.identifiers import shown
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.cards.book import Cards
from wattkeeper.operations.cards.enrolment import Taps
from wattkeeper.operations.deciding import Decision, decide
from wattkeeper.operations.desk import Desk
from wattkeeper.operations.folding import fold
from wattkeeper.operations.keys.kinds import HOUSE
from wattkeeper.operations.safe import Safe
from wattkeeper.operations.stations.standing import Standing, note_connector
from wattkeeper.settings import Settings
from wattkeeper.store import entry as journal
from wattkeeper.store.cards import card
from wattkeeper.store.cards.enrolment import EnrolmentRow
from wattkeeper.store.engines import Store
from wattkeeper.store.entry import Decided, Entry
from wattkeeper.store.stations import state
from wattkeeper.store.unit import Unit
from wattkeeper.vault.keys import KeyRefused

log = logging.getLogger("wattkeeper.intake")
BATCH = 256
NO_WORDS: Mapping[str, object] = {}
Sealed = tuple[bytes, str]
"""What was sealed, and whose key did."""


@dataclass(slots=True)
class Told:
    """A fact on its way in."""

    station: str
    fact: Fact
    words: Mapping[str, object]
    hidden: Mapping[str, object]
    answer: asyncio.Future[Answer]
    token: Presented | None = field(default=None, repr=False)
    """In the clear, for whoever waits for this tap; gone with the answer."""


class Intake:
    """Records facts in the order of their arrival; `start` before the first, `stop` after the last."""

    def __init__(self, store: Store, safe: Safe, bus: Bus, settings: Settings) -> None:
        self._store = store
        self._safe = safe
        self._bus = bus
        self._settings = settings
        self._queue: asyncio.Queue[Told] = asyncio.Queue()
        self._writer: asyncio.Task[None] | None = None
        self._standing = Standing({})
        self._taps = Taps(safe, Cards(store, safe, bus))
        self._enrolled: list[str] = []

    async def start(self) -> None:
        """Begin to write."""
        async with self._store.unit() as unit:
            self._standing = Standing(await state.all_stations(unit))
        self._writer = asyncio.create_task(self._write(), name="intake")

    async def open_empty(self) -> None:
        """Before the stations' door opens: whoever seems connected was cut off when an earlier life of ours ended."""
        gone = Disconnected(reason=phrase("Wattkeeper stopped while the station was connected."))
        await asyncio.gather(*(self.record(station, gone) for station in self._standing.online()))

    async def stop(self) -> None:
        """Write what has arrived, then end."""
        if self._writer is not None:
            await self._queue.join()
            self._writer.cancel()
            await asyncio.gather(self._writer, return_exceptions=True)
            self._writer = None

    async def record(
        self,
        station: str,
        fact: Fact,
        *,
        token: Presented | None = None,
        words: Mapping[str, object] = NO_WORDS,
        hidden: Mapping[str, object] = NO_WORDS,
    ) -> Answer:
        """Store a fact and answer when it is on disk; raises what the store raised if it cannot be stored."""
        told = Told(station, fact, words, hidden, asyncio.get_running_loop().create_future(), token)
        self._queue.put_nowait(told)
        return await told.answer

    async def close_session(self, session_id: str, reason: str, by: str) -> None:
        """End a session administratively at the last thing known of it; Refusal NOT_FOUND or CONFLICT."""
        async with self._store.unit() as unit:
            session = await Desk(unit).get(session_id)
        if session is None:
            raise Refusal(Code.NOT_FOUND, phrase("There is no such session."))
        if not session.is_live:
            raise Refusal(Code.CONFLICT, phrase("This session has ended already; it needs no closing."))
        estimate = SessionEstimated(
            at=session.last_at, session=session.id, cause=EstimateCause.OPERATOR, reason=reason, by=by
        )
        await self.record(session.station, estimate)

    # --- the writer -----------------------------------------------------------------------------------

    async def _write(self) -> None:
        """Take what has arrived, write it together, and again."""
        while True:
            batch = [await self._queue.get()]
            while len(batch) < BATCH and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            try:
                await self._write_batch(batch)
            finally:
                for _ in batch:
                    self._queue.task_done()

    async def _write_batch(self, batch: list[Told]) -> None:
        """Commit the batch and answer; if it cannot be written whole, each fact by itself."""
        try:
            answers, newest = await self._commit(batch)
        except Exception as problem:
            self._standing.undo()
            if len(batch) > 1:
                for told in batch:
                    await self._write_batch([told])
                return
            log.error(
                "a %s of %s was not stored: %s", type(batch[0].fact).__name__, batch[0].station, type(problem).__name__
            )
            if not batch[0].answer.done():
                batch[0].answer.set_exception(problem)
            return
        self._standing.committed()
        for told, answer in zip(batch, answers, strict=True):
            if not told.answer.done():
                told.answer.set_result(answer)
        self._bus.announce("journal", str(newest))
        if any(isinstance(t.fact, SessionOpened) and self._standing.displays(t.station) for t in batch):
            self._bus.announce("displays", str(newest))
        if self._enrolled:
            self._bus.announce("enrolments", self._enrolled[-1])
            self._bus.announce("cards")

    async def _commit(self, batch: list[Told]) -> tuple[list[Answer], int]:
        """One transaction: lay out, record each, save."""
        async with self._store.unit() as unit:
            desk = Desk(unit)
            await unit.open_journal()
            for told in batch:
                self._name(told)
            await desk.lay((told.station, told.fact) for told in batch)
            wishes = await self._taps.awaited(unit, ((told.station, told.fact) for told in batch))
            self._enrolled = []
            answers = [await self._record(desk, told, wishes) for told in batch]
            desk.clear()
            await self._note_connectors(unit, batch)
            return answers, unit.newest

    def _name(self, told: Told) -> None:
        """Put the token's name in the place of its number: within the transaction, for keys may just have changed."""
        if told.token is not None:
            told.fact = replace(told.fact, token=self._safe.ref(told.token.uid, told.token.kind))

    async def _record(self, desk: Desk, told: Told, wishes: dict[str, EnrolmentRow]) -> Answer:
        """Decide, append, fold; then what follows from it."""
        if told.station in wishes:
            await self._enrol(desk, told, wishes)
        decision = await decide(desk, told.station, told.fact, self._settings)
        sealed = await self._sealed(desk, told, decision) if told.hidden else None
        await self._enter(desk, told.station, decision.fact, decision.decided, orjson.dumps(told.words), sealed)
        for alarm in decision.alarms:
            log.warning("%s at %s", alarm.code, told.station)
            await self._enter(desk, told.station, alarm, Decided())
        return self._answer(desk.unit, decision)

    async def _sealed(self, desk: Desk, told: Told, decision: Decision) -> Sealed:
        """What was taken out of a message, under the key of whoever it is about: a meter signs the card's number."""
        plain, session = orjson.dumps(told.hidden), decision.decided.session
        token = getattr(decision.fact, "token", None)
        if token is None and session is not None:
            known = await desk.get(session)
            token = known.token if known is not None else None
        person = None if token is None else (await card.owners(desk.unit, [token])).get(token)
        if person:
            with suppress(KeyRefused):
                return await self._safe.seal_for(desk.unit, person, "journal", "sealed", plain), person
        return self._safe.seal("journal", "sealed", plain), HOUSE

    async def _enrol(self, desk: Desk, told: Told, wishes: dict[str, EnrolmentRow]) -> None:
        """Let a tap fulfil the wish that waits for it; whatever goes wrong with that, the fact is recorded."""
        wish = wishes[told.station]
        try:
            async with desk.unit.attempt():
                settled = await self._taps.take(desk, wish, told.fact, told.token)
        except Exception as problem:
            log.error("a card could not be added at %s: %s", told.station, type(problem).__name__)
            return
        if settled:
            del wishes[told.station]
            self._enrolled.append(wish.id)

    async def _enter(
        self, desk: Desk, station: str, fact: Fact, decided: Decided, words: bytes = b"{}", sealed: Sealed | None = None
    ) -> None:
        """Put one entry into the journal and into all that is derived from it."""
        unit = desk.unit
        entry = Entry(unit.number(), station, unit.now, fact, decided, words, *(sealed or (None, None)))
        journal.append(unit, entry)
        self._standing.note(unit, entry)
        estimate = await fold(desk, entry)
        if estimate is not None:
            await self._enter(desk, station, estimate, Decided(session=estimate.session))

    def _answer(self, unit: Unit, decision: Decision) -> Answer:
        """What the station is told."""
        decided = decision.decided
        return Answer(
            now=unit.now,
            interval_s=self._settings.heartbeat_s,
            verdict=decision.verdict,
            session=shown(decided.session) if decided.session else None,
            number=int(decided.ref) if decided.ref else None,
        )

    async def _note_connectors(self, unit: Unit, batch: list[Told]) -> None:
        """Keep what connectors do."""
        told = [t for t in batch if isinstance(t.fact, StatusChanged)]
        if not told:
            return
        known = await state.connectors_of(unit, {t.station for t in told})
        for t in told:
            note_connector(unit, known, Entry(0, t.station, unit.now, t.fact, Decided()))
