"""Security events, kept: heard in memory, written once a second, one row for each attack while it goes on.

What is heard costs no query and never waits: nobody signs in slower, and nobody can fill the database by trying. An
attack is one row until it was quiet for a minute, and an hour at most; its count says how often it was tried.
"""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import replace
from datetime import timedelta

from wattkeeper.bus import Bus
from wattkeeper.operations.people.security import Case, heard_by
from wattkeeper.operations.people.sign_in.attempts import neighbourhood
from wattkeeper.operations.safe import Safe
from wattkeeper.operations.watching import now_and_then
from wattkeeper.store.engines import Store
from wattkeeper.store.security import event
from wattkeeper.store.security.event import SEVERAL, EventRow

log = logging.getLogger("wattkeeper.security.events")
TOPIC = "security"
EVERY_S = 1.0
QUIET = timedelta(minutes=1)
"""After how long without another try an attack is over."""
LONGEST = timedelta(hours=1)
"""After how long an attack that goes on is a new row."""
MOST_OPEN = 1_000
"""How many attacks are told apart at once; what comes beyond is counted by case alone."""
Key = tuple[str, str]


class SecurityEvents:
    """Hears of security events and keeps them; `heard` is its ear, `write` puts down what was heard."""

    def __init__(self, store: Store, safe: Safe, bus: Bus) -> None:
        self._store = store
        self._safe = safe
        self._bus = bus
        self._open: dict[Key, EventRow] = {}
        self._fresh: set[Key] = set()
        """Those of them that are not written as they stand."""
        self._left: deque[EventRow] = deque(maxlen=MOST_OPEN)
        """What was over before it could be written."""

    def heard(self, case: Case, subject: str, place: str) -> None:
        """Count one event; ``place`` becomes a keyed tag at once."""
        now, key = self._store.clock(), (case.value, subject)
        if key not in self._open and len(self._open) >= MOST_OPEN:
            key = (case.value, "")
        seen, origin = self._open.get(key), self._origin(place)
        if seen is None or now - seen.last_at > QUIET or now - seen.at > LONGEST:
            if seen is not None and key in self._fresh:
                self._left.append(seen)
            self._open[key] = EventRow(*key, now, now, 1, origin)
        else:
            is_same = not origin or not seen.origin or origin == seen.origin
            place = (seen.origin or origin) if is_same else SEVERAL
            self._open[key] = replace(seen, last_at=now, count=seen.count + 1, origin=place)
        self._fresh.add(key)

    def _origin(self, place: str) -> str:
        """A keyed tag of an address, or of its neighbourhood: only this installation can make it again."""
        return self._safe.tag("origin", neighbourhood(place).encode(), 6).hex() if place else ""

    async def write(self) -> None:
        """Put down what was heard since the last time, and forget what is over."""
        keys, left = set(self._fresh), list(self._left)
        rows = [*left, *(self._open[key] for key in keys)]
        if rows:
            self._fresh -= keys
            self._left.clear()
            try:
                async with self._store.unit() as unit:
                    event.keep(unit, rows)
            except BaseException:
                self._fresh |= keys
                self._left.extend(left)
                raise
            self._bus.announce(TOPIC)
        now = self._store.clock()
        over = [key for key, row in self._open.items() if key not in self._fresh and now - row.last_at > QUIET]
        for key in over:
            del self._open[key]

    async def run(self, pause_s: float = EVERY_S) -> None:
        """Hear and write for as long as the installation runs; what was heard last is written at its end."""
        with heard_by(self.heard):
            await now_and_then(self.write, log, pause_s)
