"""`wattkeeper audit sessions`: everything that does not fit together about sessions, over any period.

Sessions are read connector by connector, a few hundred at a time, so that memory does not grow with the period.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.history.discrepancy import between_history, of_history
from wattkeeper.charging.money.discrepancy import Discrepancy, Examined, Gravity, Kind, between, later, of_one
from wattkeeper.charging.person import Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.store.engines import Store
from wattkeeper.store.money import discrepancy as kept
from wattkeeper.store.money.discrepancy import Period

MOST_TOLD = 1000
"""How many discrepancies are told one by one; all of them are counted."""
ALWAYS = Period()


@dataclass(slots=True)
class Total:
    """What was found of one kind."""

    count: int = 0
    grave: int = 0
    energy_wh: Decimal = Decimal(0)
    amounts: Counter[tuple[str, int]] = field(default_factory=Counter)
    """Minor units in question, by currency and its digits."""

    def add(self, one: Discrepancy) -> None:
        """One more."""
        self.count += 1
        self.grave += one.gravity is Gravity.GRAVE
        self.energy_wh += one.energy_wh
        if one.amount_minor:
            self.amounts[one.currency, one.digits] += one.amount_minor


@dataclass(slots=True)
class SessionsAudit:
    """What was looked at, and what does not fit together."""

    sessions: int = 0
    totals: dict[Kind, Total] = field(default_factory=dict)
    found: list[Discrepancy] = field(default_factory=list)
    """The first of them, connector by connector."""

    @property
    def count(self) -> int:
        """How many were found."""
        return sum(total.count for total in self.totals.values())

    @property
    def grave(self) -> int:
        """How many of them are grave."""
        return sum(total.grave for total in self.totals.values())

    def add(self, one: Discrepancy, most: int, only: Kind | None = None) -> None:
        """One more; kept itself where there are fewer than so many (of ``only`` this kind)."""
        self.totals.setdefault(one.kind, Total()).add(one)
        if len(self.found) < most and only in (None, one.kind):
            self.found.append(one)


async def audit_sessions(
    store: Store, viewer: Viewer, period: Period = ALWAYS, most: int = MOST_TOLD, only: Kind | None = None
) -> SessionsAudit:
    """Look at every session of a period at one snapshot; the first ``most`` of what was found are told one by one.

    All kinds are counted; ``only`` restricts what is told one by one.
    """
    result = SessionsAudit()
    async with store.read() as connection:
        async for found in _looked_at(connection, viewer, period):
            result.sessions += 1
            for discrepancy in found:
                result.add(discrepancy, most, only)
    result.totals = dict(sorted(result.totals.items()))
    return result


async def _looked_at(
    connection: AsyncConnection, viewer: Viewer, period: Period
) -> AsyncIterator[Iterator[Discrepancy]]:
    """For each session what was found of it and of the one before it at its connector."""
    earlier = await kept.before(connection, viewer, period)
    place: tuple[str, int] | None = None
    last: Examined | None = None
    async for one in kept.examined(connection, viewer, period):
        here = None if one.session.evse is None else (one.session.station, one.session.evse)
        if here != place or here is None:
            place, last = here, None if here is None else earlier.pop(here, None)
        yield _found(last, one)
        last = one if last is None else later(last, one)


def _found(last: Examined | None, one: Examined) -> Iterator[Discrepancy]:
    """What was found of a session, and between it and the one before it."""
    yield from of_one(one)
    yield from of_history(one)
    if last is not None:
        yield from between(last, one)
        yield from between_history(last, one)


def need_order(since: datetime | None, until: datetime | None) -> None:
    """Raise Refusal (INVALID) where a period ends before it begins."""
    if since is not None and until is not None and until <= since:
        raise Refusal(Code.INVALID, phrase("The period ends before it begins: the end is the first day after it."))
