"""What a session that has ended comes to, where that is certain at once: for the display of its station.

The same judgement and the same money function as its bill, by all that was told so far. What would wait for a person,
or still goes on, is not told at all: an amount that is taken back is worse than none.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.identifiers import parse
from wattkeeper.charging.money.billing import Outcome, judge
from wattkeeper.charging.money.numbered import condensed
from wattkeeper.charging.money.tariffs.tariff import Tariff
from wattkeeper.charging.money.usage import Usage, outlined
from wattkeeper.operations.money.cases import case_of
from wattkeeper.operations.money.tariffs.choosing import pinned
from wattkeeper.operations.money.tariffs.worth import usage_of, worked_out
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store
from wattkeeper.store.metering.check import pending
from wattkeeper.store.money import bill, billable
from wattkeeper.store.money.billable import Billable
from wattkeeper.store.money.tariffs import tariff as tariffs

log = logging.getLogger("wattkeeper.displays")

MOST_READINGS = 1_000
"""Of how many readings a session is priced for an answer, where sums are not enough."""
MOST_TOLD = 4_096


class Totals:
    """Says what sessions come to when they end; whoever shows costs asks what was said already."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._backlog = timedelta(days=settings.billing_backlog_days)
        self._is_on = settings.station_costs
        self.elsewhere: set[str] = set()
        """Stations that show amounts in another currency."""
        self._told: dict[str, Decimal] = {}

    async def of(self, station: str, session: str | None) -> Decimal | None:
        """What a session (its id as it is said) comes to; None where that is not certain, or takes long to work out."""
        found = parse(session or "")
        if found is None or not self._is_on or station in self.elsewhere:
            return None
        try:
            async with self._store.read() as connection:
                return await total_of(connection, found, self._backlog, MOST_READINGS)
        except Exception as problem:
            log.warning("the total of a session was not told: %s", type(problem).__name__)
            return None

    def note(self, session: str | None, amount: Decimal) -> None:
        """That was said of a session (its id as it is said)."""
        if len(self._told) >= MOST_TOLD:
            self._told.clear()
        self._told[parse(session or "") or ""] = amount

    def told(self, session: str) -> Decimal | None:
        """What was said that a session comes to; it need not be kept any longer."""
        return self._told.pop(session, None)


async def total_of(
    connection: AsyncConnection, session: str, backlog: timedelta, most_readings: int | None = None
) -> Decimal | None:
    """What a session that has ended comes to, with tax, in the major unit; None where that is not certain yet.

    ``most_readings``: of how many at most it is worked out, where sums are not enough.
    """
    its = (await billable.of(connection, [session])).get(session)
    if its is None or its.whole.ended is None or await pending(connection, {session: its}):
        return None
    held = await tariffs.pinned(connection, session)
    row = held.row if held is not None else (await pinned(connection, {session: its}))[session].row
    if row is None or (row.tariff.bills_blocking and row.tariff.prices_idling):
        return None
    if await pending(connection, {session: its}):
        return None
    if not row.tariff.is_plain and most_readings is not None and its.whole.track.count > most_readings:
        return None
    used = await _used(connection, its, row.tariff)
    case = case_of(its, row.tariff, used, await worked_out(used, row.tariff))
    if case.bill is None or judge(case, backlog).outcome is Outcome.HOLD:
        return None
    if held is not None and held.is_decided and await _billed(connection, session) != case.bill.gross_minor:
        return None
    return case.bill.gross


async def _billed(connection: AsyncConnection, session: str) -> int | None:
    """What was billed for a session, minor units; None: nothing."""
    documents = (await bill.of_sessions(connection, [session])).get(session)
    return sum(one.gross_minor for one in documents) if documents else None


async def _used(connection: AsyncConnection, its: Billable, tariff: Tariff) -> Usage:
    """What is priced: sums, where they are enough."""
    if tariff.is_plain:
        return outlined(its.whole)
    return condensed(await usage_of(connection, its.whole, tariff), tariff)
