"""Which tariff a driver gets at a connector at an instant, and why; and which a session was pinned to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.money.tariffs.assignment import Assignment, Candidate, Rank, Spot, candidates, why
from wattkeeper.charging.phrase import Phrase
from wattkeeper.store.money.billable import Billable
from wattkeeper.store.money.tariffs import assignment, pin
from wattkeeper.store.money.tariffs import tariff as tariffs
from wattkeeper.store.money.tariffs.pin import PinRow
from wattkeeper.store.money.tariffs.tariff import TariffRow


@dataclass(frozen=True, slots=True)
class Choice:
    """The tariff that holds, and why."""

    rank: Rank
    subject: str
    row: TariffRow | None
    """None: no price is set."""
    at: datetime
    """The instant whose prices hold."""
    others: tuple[tuple[Candidate, TariffRow | None], ...] = ()
    """What would have held, the nearer first; None: no version of it was valid yet."""

    @property
    def why(self) -> Phrase:
        """Why this one, in words."""
        return why(self.rank, self.subject)


def chosen(assignments: Iterable[Assignment], versions: Sequence[TariffRow], spot: Spot, at: datetime) -> Choice:
    """The first tariff that could hold and of which a version is valid at the instant."""
    told = [(one, tariffs.valid_at(versions, at, one.tariff)) for one in candidates(assignments, spot, at)]
    for place, (one, row) in enumerate(told):
        if row is not None:
            return Choice(one.rank, one.subject, row, at, tuple(told[:place] + told[place + 1 :]))
    return Choice(Rank.STANDARD, "", None, at)


async def choose(connection: AsyncConnection, spots: Sequence[Spot], at: datetime) -> list[Choice]:
    """The tariff for what starts at each of these spots at an instant."""
    versions = await tariffs.every(connection)
    assignments = await assignment.concerning(connection, spots)
    return [chosen(assignments, versions, spot, at) for spot in spots]


async def pinned(connection: AsyncConnection, sessions: Mapping[str, Billable]) -> dict[str, Choice]:
    """The tariff of each of these sessions: the one it was pinned to, else the one that would be pinned now.

    What was imported has none: it was paid elsewhere.
    """
    pins = await pin.of(connection, list(sessions))
    free = [one.spot for one in sessions.values() if one.id not in pins]
    which = {(row.tariff, row.version) for row in pins.values() if row.tariff is not None and row.version is not None}
    versions = await (tariffs.every(connection) if free else tariffs.some(connection, which))
    known = {(row.id, row.version): row for row in versions}
    assignments = await assignment.concerning(connection, free) if free else []
    return {
        one.id: _of_pin(pins[one.id], known)
        if one.id in pins
        else chosen(assignments, () if one.whole.imported else versions, one.spot, one.begins_at)
        for one in sessions.values()
    }


def _of_pin(row: PinRow, known: Mapping[tuple[str, int], TariffRow]) -> Choice:
    """What was pinned."""
    found = None if row.tariff is None or row.version is None else known[row.tariff, row.version]
    return Choice(row.rank, row.subject, found, row.at)


def pin_of(session: str, choice: Choice) -> PinRow:
    """A choice, to be kept for good."""
    row = choice.row
    tariff, version = (None, None) if row is None else (row.id, row.version)
    return PinRow(session, tariff, version, choice.rank, choice.subject, choice.at)
