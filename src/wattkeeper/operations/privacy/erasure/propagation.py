"""Whoever else must forget somebody is told until they have answered (GDPR Art. 19): stations, the payment provider.

Each is told when it is there, over days and restarts. What they know a person by lies under a key of its own, which is
destroyed with the last answer; nobody is told for longer than 90 days.
"""

from __future__ import annotations

import logging
import secrets
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

import orjson

from wattkeeper.bus import Bus
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.orders import ClearCache, ForgetCustomer, Order, Outcome
from wattkeeper.charging.phrase import phrase
from wattkeeper.charging.privacy.erasure import Recipient, What
from wattkeeper.operations.dispatch import LINES, Dispatch
from wattkeeper.operations.money.payments.provider import Provider, Unreachable, Unwilling
from wattkeeper.operations.privacy.erasure.forgetting import TOPIC
from wattkeeper.operations.privacy.erasure.leftovers import TELLING
from wattkeeper.operations.safe import Safe
from wattkeeper.operations.watching import watch
from wattkeeper.settings import Settings
from wattkeeper.store.cards import local_list
from wattkeeper.store.cards.local_list import NOT_KEPT
from wattkeeper.store.cards.renaming import GONE
from wattkeeper.store.engines import Store
from wattkeeper.store.money.payments.paying import Means
from wattkeeper.store.privacy import forgotten
from wattkeeper.store.privacy.forgotten import TellingRow
from wattkeeper.vault.keys import KeyRefused

log = logging.getLogger("wattkeeper.privacy")
BY = "wattkeeper"
LONGEST = timedelta(days=90)
"""How long somebody who does not answer is told again."""
RETRY_S, LONGEST_RETRY_S = 30.0, 6 * 3600.0
REST_S = 30.0
AT_ONCE = 200
DONE, DECLINED, UNANSWERED = "done", "declined", "unanswered"
NO_LIST = phrase("It keeps no list.")
CLEAN = phrase("Its list is without the card.")
LOST = phrase("What they knew the person by is lost.")
OVERDUE = phrase("It did not answer for 90 days.")


class Propagation:
    """Tells whoever must forget, for as long as the installation runs."""

    def __init__(
        self, store: Store, safe: Safe, bus: Bus, settings: Settings, dispatch: Dispatch, provider: Provider | None
    ) -> None:
        self._store = store
        self._safe = safe
        self._bus = bus
        self._settings = settings
        self._dispatch = dispatch
        self._provider = provider
        self._forgotten = -1

    async def run(self) -> None:
        """Tell whenever somebody was forgotten, a station has connected or a list was confirmed, and now and then."""
        await watch(self._bus, [TOPIC, LINES, "local_lists"], self.look, log, rest_s=REST_S)

    async def look(self) -> None:
        """Tell everybody who is there once."""
        await self._drop_opened()
        now = self._store.clock()
        await self._stations(now)
        await self._provider_told(now)
        await self._give_up(now)

    async def _drop_opened(self) -> None:
        """Where another process forgot somebody, nothing of theirs stays open in ours."""
        async with self._store.read() as connection:
            count = await forgotten.count(connection)
        if count != self._forgotten:
            self._forgotten = count
            self._safe.forget_opened()

    # --- stations -------------------------------------------------------------------------------------

    async def _stations(self, now: datetime) -> None:
        names = [*self._dispatch.lines()]
        async with self._store.read() as connection:
            rows = await forgotten.waiting(connection, Recipient.STATION, now, names, AT_ONCE)
        by_place: dict[tuple[str, What], list[TellingRow]] = defaultdict(list)
        for row in rows:
            by_place[row.name, row.what].append(row)
        for (station, what), some in by_place.items():
            if what is What.LIST:
                await self._list(station, some, now)
            elif what is What.CACHE:
                await self._tell(station, some, ClearCache(), now)
            else:
                for row in some:
                    await self._customer(station, row, now)

    async def _list(self, station: str, rows: Sequence[TellingRow], now: datetime) -> None:
        """A station's list follows by itself (`operations/cards/local_list`); here it is seen whether it has."""
        async with self._store.read() as connection:
            known = await local_list.one(connection, station)
            contents = [
                await local_list.content(connection, one) for one in (known.content, known.sending_content) if one
            ]
        if known.version == NOT_KEPT:
            return await self._settle(rows, DECLINED, NO_LIST)
        if known.confirmed_at is not None and not any(name.startswith(GONE) for one in contents for name in one or ()):
            return await self._settle(rows, DONE, CLEAN)
        await self._put_off(rows, now, phrase("The list is on its way."))

    async def _customer(self, station: str, row: TellingRow, now: datetime) -> None:
        """A station of OCPP 2.x forgets what it keeps about the holder of a card."""
        plain = await self._known_by(row)
        if plain is None:
            return await self._settle([row], UNANSWERED, LOST)
        order = ForgetCustomer(uid=plain.decode(), request_id=1 + secrets.randbelow(2**31 - 1))
        await self._tell(station, [row], order, now)

    async def _tell(self, station: str, rows: Sequence[TellingRow], order: Order, now: datetime) -> None:
        """Ask a station once; what it answers settles all of these."""
        patience_s = self._settings.order_timeout_s + 5
        try:
            view = await self._dispatch.order(station, order, BY, wait_s=patience_s, only_if_connected=True)
        except Refusal as refusal:
            if refusal.code is Code.INVALID:
                return await self._settle(rows, DECLINED, str(refusal.why))  # kept in English
            return await self._put_off(rows, now, str(refusal.why))  # kept in English
        if view.outcome in (None, Outcome.TIMEOUT):
            return await self._put_off(rows, now, view.summary or "")
        state = DONE if view.outcome is Outcome.ACCEPTED else DECLINED
        await self._settle(rows, state, view.summary or "")

    # --- the payment provider -------------------------------------------------------------------------

    async def _provider_told(self, now: datetime) -> None:
        """The provider forgets bank cards."""
        async with self._store.read() as connection:
            rows = await forgotten.waiting(connection, Recipient.PROVIDER, now, None, AT_ONCE)
        for row in rows:
            plain = await self._known_by(row)
            if plain is None:
                await self._settle([row], UNANSWERED, LOST)
            elif self._provider is None:
                await self._put_off([row], now, phrase("No payment provider is set up here."))
            else:
                await self._ask(self._provider, row, Means(**orjson.loads(plain)), now)

    async def _ask(self, provider: Provider, row: TellingRow, means: Means, now: datetime) -> None:
        try:
            await provider.forget(means)
        except Unreachable:
            await self._put_off([row], now, phrase("The payment provider could not be reached."))
        except Unwilling:
            await self._settle([row], DECLINED, phrase("The payment provider knows no such card any more."))
        else:
            await self._settle([row], DONE, phrase("The card was detached."))

    # --- rows -----------------------------------------------------------------------------------------

    async def _known_by(self, row: TellingRow) -> bytes | None:
        """By what a recipient knows the person; None where nobody can say that any more."""
        if row.sealed is None:
            return None
        try:
            async with self._store.unit() as unit:
                return await self._safe.unseal_for(unit, TELLING + row.subject, "telling", "sealed", row.sealed)
        except KeyRefused:
            return None

    async def _settle(self, rows: Sequence[TellingRow], state: str, said: str) -> None:
        """It is over for these; a person's key for telling is destroyed once nobody needs it."""
        async with self._store.unit() as unit:
            await forgotten.settle(unit, [row.id for row in rows], state, said)
            for subject in {row.subject for row in rows}:
                if not await forgotten.is_open(unit, subject):
                    await forgotten.drop_key(unit, TELLING + subject)
        self._safe.forget_opened()

    async def _put_off(self, rows: Sequence[TellingRow], now: datetime, said: str) -> None:
        """Try these again later, and later still."""
        wait_s = min(RETRY_S * 2.0 ** min(row.tries for row in rows), LONGEST_RETRY_S)
        async with self._store.unit() as unit:
            await forgotten.put_off(unit, [row.id for row in rows], now + timedelta(seconds=wait_s), said)

    async def _give_up(self, now: datetime) -> None:
        """Whoever did not answer for long is not told again, and what they knew the person by is destroyed."""
        async with self._store.read() as connection:
            rows = await forgotten.overdue(connection, now - LONGEST, AT_ONCE)
        if rows:
            await self._settle(rows, UNANSWERED, OVERDUE)
