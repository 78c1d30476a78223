"""What rotations of every kind stand on: the store, the safe, and how a report is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from wattkeeper.operations.safe import Safe
from wattkeeper.store.engines import Store

Tell = Callable[[str], None]
"""Told each line of a report."""
MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class Ground:
    """Where keys are replaced."""

    store: Store
    safe: Safe

    async def scrub(self, tell: Tell) -> None:
        """See that what was destroyed leaves the files of the database, as far as the engine can be told so."""
        if not await self.store.wipe(("subject_key", "blind_index")):
            tell("Somebody reads an older state: what was destroyed stands in the database's log until they end.")


@dataclass(slots=True)
class Found:
    """What became of a batch: how many were led to, and which were lost."""

    led: int
    lost: list[str]

    def __iadd__(self, other: Found) -> Found:
        """Both together."""
        self.led += other.led
        self.lost += [one for one in other.lost if one not in self.lost]
        return self

    def name(self, tell: Tell, noun: str, why: str) -> None:
        """Say which were lost, and why."""
        for one in self.lost[:MOST_NAMED]:
            tell(f"  {noun} {one}: {why}.")
        if len(self.lost) > MOST_NAMED:
            tell(f"  and {len(self.lost) - MOST_NAMED:,} more.")
