"""What the gateway writes into its log: never a payload, a key or an exception's words, and never the same all day."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable

from wattkeeper.operations.people import security
from wattkeeper.operations.people.security import Case

log = logging.getLogger("wattkeeper.gateway")
PERIOD_S = 60.0
MOST_TOPICS = 10_000


class Seldom:
    """Says yes to each topic at most once in a period."""

    def __init__(self, period_s: float = PERIOD_S, ticks: Callable[[], float] = time.monotonic) -> None:
        self._period_s = period_s
        self._ticks = ticks
        self._last: dict[str, float] = {}
        self._missed: dict[str, int] = {}

    def may(self, topic: str) -> bool:
        """Whether it is time for this topic again."""
        now = self._ticks()
        last = self._last.get(topic)
        if last is not None and now - last < self._period_s:
            self._missed[topic] = self._missed.get(topic, 0) + 1
            return False
        self._last.pop(topic, None)
        self._last[topic] = now
        if len(self._last) > MOST_TOPICS:
            oldest = next(iter(self._last))
            del self._last[oldest]
            self._missed.pop(oldest, None)
        return True

    def missed(self, topic: str) -> int:
        """How often the topic came since it was last let through; counts anew."""
        return self._missed.pop(topic, 0)


class Notes:
    """The gateway's log, with noise held down: a topic is written once a minute, with how often it came since."""

    def __init__(self) -> None:
        self._seldom = Seldom()

    def noise(self, topic: str, text: str, *values: object) -> None:
        """Warn of something that anyone outside can cause again and again."""
        if self._seldom.may(topic):
            missed = self._seldom.missed(topic)
            log.warning(text + (f" ({missed} more since the last such line)" if missed else ""), *values)

    def event(self, case: Case, station: str = "", address: str = "") -> None:
        """A security event; ``station`` is one that we know. The log names it once a minute, each time is counted."""
        tell = security.note if self._seldom.may(f"{case} {station}") else security.again
        tell(case, station, address)

    def fault(self, what: str, station: str, fault: BaseException) -> None:
        """Write down a fault of ours: where it happened, not what it says, for that may hold a card number."""
        if self._seldom.may(f"{what} {type(fault).__name__}"):
            where = "".join(traceback.format_tb(fault.__traceback__)[-6:])
            log.error("%s for %r: %s\n%s", what, station, type(fault).__name__, where)
