"""One connection for each identity. Of two the older one is asked whether it lives; never two, never a lock-out.

Both are authenticated. The newcomer is on probation while the old one is pinged: if it answers, or says anything,
the newcomer goes; if not, the newcomer takes its place at once. An end is known by its conversation, never by the
station's id, so that a late end of the old one cannot remove the new one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from wattkeeper.gateway.conversation import Conversation

MOST_ON_PROBATION = 3
"""How many newcomers of one identity wait at once; more are refused without asking."""
HAND_OVER_S = 5.0
"""How long an old connection that is dead may take to write down its end, seconds."""


class Twins:
    """Who is connected."""

    def __init__(self, probation_s: float) -> None:
        self._probation_s = probation_s
        self._live: dict[str, Conversation] = {}
        self._on_probation: Counter[str] = Counter()

    def __contains__(self, station: object) -> bool:
        return station in self._live

    @property
    def stations(self) -> Collection[str]:
        """The ids of those who are connected."""
        return self._live.keys()

    def find(self, station: str) -> Conversation | None:
        """The conversation with a station."""
        return self._live.get(station)

    async def claim(self, newcomer: Conversation) -> bool:
        """Take the station's place; False where the one who has it lives."""
        station = newcomer.station
        if station in self._live and not await self._outlast(station):
            return False
        self._live[station] = newcomer
        return True

    async def _outlast(self, station: str) -> bool:
        """Wait on probation until the place is free; False where its holder lives."""
        if self._on_probation[station] >= MOST_ON_PROBATION:
            return False
        self._on_probation[station] += 1
        try:
            while (old := self._live.get(station)) is not None:
                if await old.lives(self._probation_s):
                    return False
                await old.yield_place("A new connection took its place.", HAND_OVER_S)
                self.release(old)
            return True
        finally:
            self._on_probation[station] -= 1
            if not self._on_probation[station]:
                del self._on_probation[station]

    def release(self, conversation: Conversation) -> None:
        """The conversation has ended; the place of another that may have followed it stays."""
        if self._live.get(conversation.station) is conversation:
            del self._live[conversation.station]
