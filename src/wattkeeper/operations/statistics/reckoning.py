"""Reliability follows what is recorded: what is said of ports, what was tried at them, and what both come to.

What is said is kept in the transaction that follows the journal; a station is reckoned in one of its own, from the
earliest instant on for which something was said. So it may die at any moment, and what comes late is as if it had
been there.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from functools import partial

from wattkeeper.bus import Bus
from wattkeeper.charging.statistics.attempt import attempt_by, attempt_of
from wattkeeper.charging.statistics.uptime import Word, word_of
from wattkeeper.operations.watching import catch_up, watch
from wattkeeper.settings import Settings
from wattkeeper.store import journal
from wattkeeper.store.engines import Store
from wattkeeper.store.money import due
from wattkeeper.store.statistics import attempt, port, zone
from wattkeeper.store.statistics.port import Stretch
from wattkeeper.store.unit import Unit

log = logging.getLogger("wattkeeper.reliability")

NAME = TOPIC = "reliability"
"""Under which name the journal is followed, and what is announced when something was reckoned."""
ENTRIES, TOGETHER = 2_000, 100
"""How many journal entries are followed in one transaction, and how many stations are looked up at once."""
PAUSE_S, REST_S = 5, 60
USUAL = 10_000
"""More entries than that are behind only while much is reckoned anew."""


class Reckoning:
    """Reckons reliability, for as long as the installation runs."""

    def __init__(self, store: Store, bus: Bus, settings: Settings) -> None:
        self._store = store
        self._bus = bus
        self._zone = settings.zone
        self._zone_name = settings.time_zone
        self._is_begun = False

    async def run(self) -> None:
        """Look whenever something was recorded."""
        await watch(self._bus, ["journal"], self.look, log, pause_s=PAUSE_S, rest_s=REST_S)

    async def look(self, progress: Callable[[int], None] = lambda done: None) -> int:
        """Follow what was recorded, then reckon the stations it was about; gives how many."""
        await self._begin()
        await catch_up(self._store, partial(self.follow, progress))
        return await self._reckon_all()

    async def _begin(self) -> None:
        """Reckon all of it anew where days and months were counted by another clock."""
        if self._is_begun:
            return
        async with self._store.unit() as unit:
            if await zone.is_another(unit, NAME, self._zone_name):
                log.warning("reliability is reckoned anew, by the clock of %s", self._zone_name)
                await port.begin_again(unit, NAME)
        self._is_begun = True

    async def as_of(self) -> datetime:
        """Until when all that was recorded is reckoned."""
        async with self._store.read() as connection:
            seen = await due.followed(connection, NAME)
            return await port.as_of(connection, seen.n, self._store.clock())

    async def behind(self) -> int:
        """How many journal entries are not followed yet, where that is more than usually; else 0."""
        async with self._store.read() as connection:
            waiting = await journal.newest(connection) - (await due.followed(connection, NAME)).n
        return waiting if waiting > USUAL else 0

    async def stations_behind(self) -> int:
        """How many stations are not reckoned by all that was followed, where that is more than usually; else 0."""
        async with self._store.read() as connection:
            waiting = await port.behind(connection)
        return waiting if waiting > TOGETHER else 0

    async def rebuild(self, progress: Callable[[int], None] = lambda done: None) -> int:
        """Drop all that was reckoned and follow the journal anew; gives how many stations. Nothing must change."""
        async with self._store.unit() as unit:
            await port.begin_again(unit, NAME)
        return await self.look(progress)

    async def follow(self, progress: Callable[[int], None] = lambda n: None) -> int:
        """Keep what the next stretch of the journal says; the number of its last entry, or 0."""
        async with self._store.read() as connection:
            before = await due.followed(connection, NAME)
            told = await port.stretch(connection, before.n, ENTRIES)
        if told.n == before.n:
            return 0
        async with self._store.unit() as unit:
            if not await zone.is_ours(unit.connection, NAME, self._zone_name):
                return 0
            if await due.advance(unit, NAME, before, told.n):
                await self._keep(unit, told)
        progress(told.n)
        return told.n

    async def _keep(self, unit: Unit, told: Stretch) -> None:
        said: dict[str, list[Word]] = defaultdict(list)
        for entry in told.entries:
            word = word_of(entry.n, entry.received_at, entry.fact)
            if word is not None:
                said[entry.station].append(word)
            tried = attempt_of(entry.n, entry.received_at, entry.fact, entry.decided.verdict)
            if tried is not None:
                attempt.note(unit, entry.station, tried, self._zone)
        await port.hear(unit, said)
        found = [(session.station, attempt_by(session, heard)) for session, heard in told.sessions]
        await attempt.note_sessions(unit, found, self._zone)

    async def _reckon_all(self) -> int:
        """Reckon every station that waits; one that makes trouble waits for the next look, and no other with it."""
        done, last = 0, ""
        while True:
            async with self._store.read() as connection:
                stations = await port.waiting(connection, TOGETHER, last)
            if not stations:
                break
            for last in stations:
                done += await self._tried(last)
        if done:
            self._bus.announce(TOPIC)
        return done

    async def _tried(self, station: str) -> int:
        try:
            async with self._store.unit() as unit:
                await self._reckon(unit, station)
        except Exception:
            log.exception("a station could not be reckoned; trying again")
            return 0
        return 1

    async def _reckon(self, unit: Unit, station: str) -> None:
        """Reckon one station from the earliest instant on for which something was said, where that is by our clock."""
        if not await zone.is_ours(unit.connection, NAME, self._zone_name):
            return
        since = await port.taken_on(unit, station)
        if since is None:
            return
        outlets = await port.connectors(unit, station)
        await port.reckon_outages(unit, station, since, outlets)
        evses = {evse for evse, _ in outlets if evse > 0} | set(
            await attempt.evses(unit, station, since, port.MOST_CONNECTORS)
        )
        await attempt.reckon_plug_ins(unit, station, since, sorted(evses), self._zone)
