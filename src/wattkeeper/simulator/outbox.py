"""What a station still has to tell: sent in order, one at a time, and kept while nobody listens.

What belongs to a transaction is kept until it is answered, over lost networks and lost power. What only
describes the present moment (the status of a connector) is dropped when it cannot be said at once: on its
return the station tells how things stand then.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

MOST_KEPT = 5_000
"""Beyond this number the oldest intermediate readings are given up, as real stations do."""


@dataclass(slots=True)
class Note:
    """One message to tell: `build(offline)` makes it when it is sent, `heard(answer)` takes the answer."""

    build: Callable[[bool], Any]
    heard: Callable[[Any], None] | None = None
    lasting: bool = True
    expendable: bool = False
    offline: bool = False
    attempts: int = 0


class Outbox:
    """An ordered queue of notes that outlives every connection."""

    def __init__(self) -> None:
        self._notes: deque[Note] = deque()
        self._more, self._empty = asyncio.Event(), asyncio.Event()
        self._empty.set()

    def __len__(self) -> int:
        return len(self._notes)

    def put(self, note: Note, *, online: bool) -> None:
        """Add a note at the end; what is not lasting is dropped when the station is offline."""
        if not online and not note.lasting:
            return
        note.offline = not online
        self._notes.append(note)
        self._make_room()
        self._empty.clear()
        self._more.set()

    def forget_fleeting(self) -> None:
        """Drop what only described a moment that is over."""
        self._notes = deque(note for note in self._notes if note.lasting)

    async def drain(self, deliver: Callable[[Note], Awaitable[bool]]) -> None:
        """Deliver for ever; a note leaves when `deliver` says that it is done with."""
        while True:
            while self._notes:
                note = self._notes[0]
                if await deliver(note) and self._notes and self._notes[0] is note:
                    self._notes.popleft()
            self._more.clear()
            self._empty.set()
            await self._more.wait()

    async def emptied(self) -> None:
        """Wait until everything has been told."""
        await self._empty.wait()

    def _make_room(self) -> None:
        if len(self._notes) <= MOST_KEPT:
            return
        oldest = next((note for note in self._notes if note.expendable), None)
        if oldest is not None:
            self._notes.remove(oldest)
