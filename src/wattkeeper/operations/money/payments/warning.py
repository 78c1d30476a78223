"""Tells drivers what they should know of their money while there is time: a balance used up, a card declined."""

from __future__ import annotations

import logging
from datetime import timedelta
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.money.payments.paying import Way
from wattkeeper.charging.money.payments.payment import PaymentState
from wattkeeper.operations.money.payments.purses import purse_of, ways_in_use
from wattkeeper.operations.money.payments.wallet import minor_text
from wattkeeper.operations.money.tariffs.choosing import pinned
from wattkeeper.operations.money.tariffs.worth import bill_of
from wattkeeper.operations.people.letters.notice_words import NoticeKind
from wattkeeper.operations.people.letters.notices import Notices
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store
from wattkeeper.store.money import billable
from wattkeeper.store.money.billable import Billable
from wattkeeper.store.money.payments import payment as payments
from wattkeeper.store.people import notice
from wattkeeper.store.unit import Unit

log = logging.getLogger("wattkeeper.payments")

EVERY = timedelta(seconds=30)
RECENT = timedelta(days=1)
"""A card that was declined longer ago was told of, or nobody is there to be told."""


class Warnings:
    """Warns drivers, once about each session."""

    def __init__(self, store: Store, settings: Settings, notices: Notices) -> None:
        self._store = store
        self._settings = settings
        self._notices = notices
        self._next_at = store.clock()

    async def look(self) -> int:
        """Look at what runs on prepaid balances and at what was declined; how many were told."""
        now = self._store.clock()
        if now < self._next_at:
            return 0
        self._next_at = now + EVERY
        return await self._run_out() + await self._declined()

    # --- a balance that is used up ----------------------------------------------------------------------------

    async def _run_out(self) -> int:
        """Tell whose balance no longer covers what runs; it goes on."""
        async with self._store.read() as connection:
            if Way.PREPAID not in await ways_in_use(connection, self._settings):
                return 0
            running = await billable.of(connection, await billable.live(connection))
            told = [found for one in running.values() if (found := await self._short(connection, one))]
        for one, words in told:
            await self._tell(one.spot.person, NoticeKind.RUNNING_OUT, words, f"running_out:{one.id}")
        return len(told)

    async def _short(self, connection: AsyncConnection, one: Billable) -> tuple[Billable, dict[str, str]] | None:
        """A session that costs more than its driver has prepaid, and that they were not told of."""
        key = f"running_out:{one.id}"
        if not one.spot.person or await notice.known(connection, [key]):
            return None
        purse = await purse_of(connection, one.spot.person, one.spot.group, self._settings)
        if purse.way is not Way.PREPAID:
            return None
        row = (await pinned(connection, {one.id: one}))[one.id].row
        if row is None or row.tariff.currency != purse.currency:
            return None
        cost = (await bill_of(connection, one.whole, one.last_n, row)).gross
        if cost <= max(Decimal(purse.balance_minor).scaleb(-purse.digits), Decimal(0)):
            return None
        balance = minor_text(max(purse.balance_minor, 0), purse.currency, purse.digits)
        return one, {"station": one.whole.station, "balance": str(balance)}

    # --- a card that was declined -----------------------------------------------------------------------------

    async def _declined(self) -> int:
        """Tell whose card was declined for a session."""
        since, count = self._store.clock() - RECENT, 0
        async with self._store.read() as connection:
            rows = await payments.changed_since(connection, PaymentState.DECLINED, since)
            known = await notice.known(connection, [f"declined:{row.id}" for row in rows])
            fresh = [row for row in rows if row.session and f"declined:{row.id}" not in known]
            where = await billable.of(connection, [row.session for row in fresh if row.session])
        for row in fresh:
            station = where[row.session].whole.station if row.session in where else ""
            words = {"station": station, "amount": str(minor_text(row.asked_minor, row.currency, row.digits))}
            await self._tell(row.person, NoticeKind.PAYMENT_DECLINED, words, f"declined:{row.id}")
            count += 1
        return count

    async def _tell(self, person: str, kind: NoticeKind, words: dict[str, str], key: str) -> None:
        """Tell a person once; one who was forgotten meanwhile is told nothing."""
        try:
            async with self._store.unit() as unit:
                await self._once(unit, person, kind, words, key)
        except Exception:
            log.exception("a notice (%s) could not be kept", kind.value)

    async def _once(self, unit: Unit, person: str, kind: NoticeKind, words: dict[str, str], key: str) -> None:
        if not await notice.known(unit.connection, [key]):
            await self._notices.tell(unit, person, kind, words, key)
