"""What a person does about a finding: confirm it, which blocks the card, or dismiss it."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from wattkeeper.bus import Bus
from wattkeeper.charging.cards.radar import Settled
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import Phrase, phrase
from wattkeeper.operations.cards.book import Cards
from wattkeeper.store.cards import finding as findings
from wattkeeper.store.cards.finding import FindingRow
from wattkeeper.store.engines import Store

log = logging.getLogger(__name__)

ALREADY: Mapping[Settled, Phrase] = {
    Settled.CONFIRMED: phrase("This finding was confirmed already; nothing was changed."),
    Settled.DISMISSED: phrase("This finding was dismissed already; nothing was changed."),
}
TOPIC = "findings"
"""What is announced when a finding was made or settled."""


class Findings:
    """The deeds on findings of the clone radar."""

    def __init__(self, store: Store, bus: Bus, cards: Cards) -> None:
        self._store = store
        self._bus = bus
        self._cards = cards

    async def confirm(self, viewer: Viewer, identifier: str) -> None:
        """It was a copy: the card is blocked, then the finding settled. Refusal NOT_FOUND, CONFLICT, FORBIDDEN."""
        found = await self._open(viewer, identifier)
        if found.token is not None:
            await self._cards.block(viewer, found.token)
        await self._settle(viewer, identifier, Settled.CONFIRMED)

    async def dismiss(self, viewer: Viewer, identifier: str) -> None:
        """There is an innocent reason: the card is as good as before. Refusal NOT_FOUND, CONFLICT, FORBIDDEN."""
        await self._open(viewer, identifier)
        await self._settle(viewer, identifier, Settled.DISMISSED)

    async def _open(self, viewer: Viewer, identifier: str) -> FindingRow:
        """The finding, which must be open."""
        viewer.need(Scope.FINDINGS_WRITE)
        async with self._store.read() as connection:
            found = await findings.one(connection, viewer, identifier)
        if found is None:
            raise Refusal(Code.NOT_FOUND, phrase("There is no such finding."))
        if found.state is not Settled.OPEN:
            raise Refusal(Code.CONFLICT, ALREADY[found.state])
        return found

    async def _settle(self, viewer: Viewer, identifier: str, state: Settled) -> None:
        async with self._store.unit() as unit:
            if not await findings.settle(unit, identifier, state, viewer.name):
                raise Refusal(Code.CONFLICT, phrase("Somebody else settled this finding just now; look again."))
        log.info("%s %s finding %s", viewer.name, state.value, identifier)
        self._bus.announce(TOPIC, identifier)
