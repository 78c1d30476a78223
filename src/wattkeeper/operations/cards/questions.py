"""What a card's holder answers when asked "is this you?": yes lets the card charge there, no blocks it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from wattkeeper.bus import Bus
from wattkeeper.charging.cards.radar import SUSPECT, YES_LASTS, Pattern, Reply, Said, Settled
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.facts import Alarmed
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.cards.book import Cards
from wattkeeper.operations.cards.findings import TOPIC
from wattkeeper.operations.intake import Intake
from wattkeeper.operations.safe import Safe
from wattkeeper.store.cards import finding as findings
from wattkeeper.store.engines import Store
from wattkeeper.store.people import step_up
from wattkeeper.store.people.step_up import Question
from wattkeeper.store.unit import Unit

log = logging.getLogger(__name__)

MOST = 20
DENIED = "TapDenied"
UNKNOWN = phrase("There is no such question.")
TOO_LATE = phrase(
    "This question was answered already, or its two minutes are over: no energy flows. If the tap was yours, tap again;"
    " if it was not, block the card."
)
BY_HOLDER = phrase("A tap there was not its holder's, who said so when asked. The card is blocked.")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as the phone shows it."""

    id: str
    card: str
    """What the holder calls the card; empty where they gave it no name."""
    last2: str
    station: str
    """The station's name for people."""
    address: str
    reply: Reply
    created_at: datetime
    expires_at: datetime


class Questions:
    """Shows questions to those who are asked, and acts on their answers."""

    def __init__(self, store: Store, safe: Safe, bus: Bus, cards: Cards, intake: Intake) -> None:
        self._store = store
        self._safe = safe
        self._bus = bus
        self._cards = cards
        self._intake = intake

    async def waiting(self, viewer: Viewer) -> list[Asked]:
        """The viewer's own questions that still wait, the newest first."""
        person = viewer.need_own(Scope.CARDS_HOLD)
        async with self._store.read() as connection:
            rows = await step_up.newest(connection, person, MOST, self._store.clock())
        if not rows:
            return []
        async with self._store.unit() as unit:
            return [await self._shown(unit, row) for row in rows]

    async def answer(self, viewer: Viewer, identifier: str, *, is_them: bool) -> Asked:
        """Answer one of the viewer's own questions; Refusal NOT_FOUND, CONFLICT (too late, or answered already)."""
        asked = await self._open(viewer.need_own(Scope.CARDS_HOLD), identifier)
        if not is_them:
            await self._cards.block(viewer, asked.token)
        async with self._store.unit() as unit:
            await self._answered(unit, asked, viewer, is_them)
            shown = await self._shown(unit, await self._again(unit, asked))
        if not is_them:
            await self._intake.record(asked.station, Alarmed(code=DENIED, summary=BY_HOLDER))
        log.info("%s answered question %s", viewer.name, identifier)
        self._bus.announce(TOPIC)
        return shown

    async def _open(self, person: str, identifier: str) -> Question:
        """A question of this person that still waits."""
        async with self._store.read() as connection:
            found = await step_up.one(connection, identifier, person)
        if found is None:
            raise Refusal(Code.NOT_FOUND, UNKNOWN)
        if found.reply is not Reply.WAITING or found.expires_at <= self._store.clock():
            raise Refusal(Code.CONFLICT, TOO_LATE)
        return found

    async def _answered(self, unit: Unit, asked: Question, viewer: Viewer, is_them: bool) -> None:
        """Keep the answer, and what follows from it for the findings about the card."""
        reply, until = (Reply.YES, unit.now + YES_LASTS) if is_them else (Reply.NO, unit.now)
        if not await step_up.answer(unit, asked.id, asked.person, reply, until):
            raise Refusal(Code.CONFLICT, TOO_LATE)
        about = await findings.hear(unit, asked.token, Said.MINE if is_them else Said.NOT_MINE, SUSPECT)
        if is_them:
            return
        if not about:
            findings.keep(unit, Pattern.DENIED, asked.token, asked.station, BY_HOLDER)
            await unit.flush()
            await findings.hear(unit, asked.token, Said.NOT_MINE, (Pattern.DENIED,))
        await findings.settle_all(unit, asked.token, Settled.CONFIRMED, viewer.name, (*SUSPECT, Pattern.DENIED))

    async def _again(self, unit: Unit, asked: Question) -> Question:
        """The question as it now is."""
        found = await step_up.one(unit.connection, asked.id, asked.person)
        assert found is not None, "it was answered in this transaction"
        return found

    async def _shown(self, unit: Unit, asked: Question) -> Asked:
        """A question as its person sees it."""
        label = b""
        if asked.label is not None:
            label = await self._safe.unseal_for(unit, asked.person, "card", "label", asked.label)
        told = (asked.id, label.decode(), asked.last2, asked.name, asked.address)
        return Asked(*told, asked.reply, asked.created_at, asked.expires_at)
