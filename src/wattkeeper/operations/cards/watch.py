"""The clone radar after the fact: tells holders what was found, and looks for guessing and for cards unlike themselves.

It reads the journal from where it was; what it finds is known by what it is about, so looking twice finds it once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.bus import Bus
from wattkeeper.charging.cards.radar import (
    ANSWER_WITHIN,
    HISTORY_MOST,
    ODD_WORDS,
    REMEMBERED,
    UNKNOWN_FLOOR,
    UNKNOWN_HISTORY,
    UNKNOWN_SPAN,
    Pattern,
    oddities,
    unusual_unknown,
)
from wattkeeper.charging.identifiers import shown
from wattkeeper.charging.phrase import joined, phrase
from wattkeeper.charging.privacy.rights import Use
from wattkeeper.operations.cards.findings import TOPIC
from wattkeeper.operations.people.letters.notices import Notices
from wattkeeper.operations.privacy.restriction import is_excluded
from wattkeeper.settings import Settings
from wattkeeper.store import journal
from wattkeeper.store.cards import finding as findings
from wattkeeper.store.engines import Store
from wattkeeper.store.people import notice, step_up
from wattkeeper.store.sessions import visit
from wattkeeper.store.sessions.visit import CardVisit
from wattkeeper.vault.keys import KeyRefused

log = logging.getLogger("wattkeeper.radar")

PAUSE_S = 2.0
"""How long it rests between two looks, seconds."""
LOOK_BACK = 5000
"""At how many of the newest journal entries it looks when it starts."""
GUESSING = phrase("{cards} different unknown cards were tapped at {station} within an hour, far above its usual.")
UNLIKE = phrase("Session {session} ran {how}, by its {sessions} sessions before.")
TOLD = (Pattern.FAR_APART, Pattern.IN_USE_TWICE, Pattern.UNLIKE_ITSELF)
"""What a card's holder is told of."""


class RadarWatch:
    """Looks at what was recorded since it last looked."""

    def __init__(self, store: Store, bus: Bus, settings: Settings, notices: Notices) -> None:
        self._zone, self._zone_name = settings.zone, settings.time_zone or "UTC"
        self._store = store
        self._bus = bus
        self._notices = notices
        self._n: int | None = None
        self._untellable: set[str] = set()

    async def run(self) -> None:
        """Look whenever something was recorded, for as long as the installation runs."""
        async with self._bus.listen("journal") as hints:
            await self._try()
            async for _ in hints:
                await self._try()
                await asyncio.sleep(PAUSE_S)

    async def _try(self) -> None:
        try:
            await self.look()
        except Exception:
            log.exception("the clone radar failed to look; trying again")

    async def look(self) -> None:
        """Look once; the first time a little back, for what an earlier life of ours left."""
        async with self._store.read() as connection:
            newest = await journal.newest(connection)
            if self._n is None:
                self._n = max(0, newest - LOOK_BACK)
            guessing = await self._guessing(connection, self._n, newest)
            unlike = await self._unlike(connection, self._n, newest)
        for where, words in guessing.items():
            await self._find(Pattern.MANY_UNKNOWN, None, where, words)
        for one, words in unlike:
            if await self._may_compare(one.token):
                await self._find(Pattern.UNLIKE_ITSELF, one.token, one.station, words)
        await self._tell()
        self._n = newest

    async def _may_compare(self, token: str) -> bool:
        """Whether sessions of a card may be compared with earlier ones: its holder may have objected (Art. 21)."""
        async with self._store.read() as connection:
            person = await findings.holder(connection, token)
            return not person or not await is_excluded(connection, person, Use.PROFILING)

    async def _find(self, kind: Pattern, token: str | None, station: str, words: str) -> None:
        """Keep a finding, unless it is known."""
        async with self._store.unit() as unit:
            if await findings.is_known(unit, kind, unit.now - REMEMBERED, token=token, where=station):
                return
            findings.keep(unit, kind, token, station, words)
        log.warning("%s at %s", kind.value, station)
        self._bus.announce(TOPIC)

    # --- guessing -------------------------------------------------------------------------------------

    async def _guessing(self, connection: AsyncConnection, after: int, upto: int) -> Mapping[str, str]:
        """Stations at which far more unknown cards were tapped within the hour than ever, and what to say of it."""
        since, found = self._store.clock() - UNKNOWN_SPAN, {}
        for where in await visit.met_strangers(connection, after, upto):
            count = await visit.strangers(connection, where, since)
            if count < UNKNOWN_FLOOR:
                continue
            busiest = await visit.busiest_hours(connection, where, since - UNKNOWN_HISTORY, since)
            if count >= unusual_unknown(busiest):
                found[where] = GUESSING.filled(cards=count, station=where)
        return found

    # --- unlike itself --------------------------------------------------------------------------------

    async def _unlike(self, connection: AsyncConnection, after: int, upto: int) -> list[tuple[CardVisit, str]]:
        """Sessions that ended and are unlike their card, and what to say of each."""
        found = list[tuple[CardVisit, str]]()
        for one in await visit.ended(connection, after, upto):
            past = await visit.before(connection, one, HISTORY_MOST)
            odd = oddities(one.visit, past)
            if odd:
                how = joined((ODD_WORDS[oddity] for oddity in odd), ", ")
                found.append((one, UNLIKE.filled(session=shown(one.session), how=how, sessions=len(past))))
        return found

    # --- telling --------------------------------------------------------------------------------------

    async def _tell(self) -> None:
        """Tell holders of findings about their cards, and that they are asked, each once."""
        now = self._store.clock()
        async with self._store.read() as connection:
            about = {f"finding:{row.id}": row for row in await findings.untold(connection, now - REMEMBERED, TOLD)}
            about |= {f"question:{row.id}": row for row in await step_up.untold(connection, now - ANSWER_WITHIN)}
            about = {key: row for key, row in about.items() if key not in self._untellable}
            told = await notice.known(connection, list(about)) if about else set()
            is_late = await step_up.overdue(connection, now - REMEMBERED, now)
        for key in about.keys() - told:
            await self._tell_one(key, about[key])
        if is_late:
            async with self._store.unit() as unit:
                await step_up.expire(unit, now - REMEMBERED)

    async def _tell_one(self, key: str, row: Any) -> None:
        words = {"card": f"••{row.last2}" if row.last2 else "", "station": row.label or row.station_id}
        words["when"] = f"{row.created_at.astimezone(self._zone):%Y-%m-%d %H:%M} ({self._zone_name})"
        try:
            async with self._store.unit() as unit:
                await self._notices.tell(unit, row.person_id, row.kind, words, key=key)
        except KeyRefused:
            self._untellable.add(key)
            log.info("the holder of a card was forgotten; nobody is told of %s", key)
        self._bus.announce(f"notices:{row.person_id}")
