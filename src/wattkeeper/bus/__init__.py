"""Who must know. Hints only: the journal is the truth, and a hint may be lost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol


class Bus(Protocol):
    """Says that something about a topic changed; whoever listens looks it up."""

    def announce(self, topic: str, hint: str = "") -> None:
        """Tell all who listen to the topic; never blocks, never raises."""

    def listen(self, topic: str) -> AbstractAsyncContextManager[AsyncIterator[str]]:
        """Hear the hints of a topic from now on; many waiting hints may be told as one (the newest)."""
