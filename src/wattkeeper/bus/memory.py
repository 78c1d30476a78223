"""The bus of a single process."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class MemoryBus:
    """Hints by asyncio events: a slow listener misses none but may hear several as one."""

    def __init__(self) -> None:
        self._ears: defaultdict[str, set[asyncio.Queue[str]]] = defaultdict(set)

    def announce(self, topic: str, hint: str = "") -> None:
        """Wake whoever listens to the topic."""
        for ear in self._ears.get(topic, ()):
            if ear.full():
                ear.get_nowait()
            ear.put_nowait(hint)

    @asynccontextmanager
    async def listen(self, topic: str) -> AsyncIterator[AsyncIterator[str]]:
        """Hear the topic while the block runs."""
        ear: asyncio.Queue[str] = asyncio.Queue(maxsize=1)
        self._ears[topic].add(ear)
        try:
            yield _hear(ear)
        finally:
            self._ears[topic].discard(ear)
            if not self._ears[topic]:
                del self._ears[topic]


async def _hear(ear: asyncio.Queue[str]) -> AsyncIterator[str]:
    """Each hint as it comes."""
    while True:
        yield await ear.get()
