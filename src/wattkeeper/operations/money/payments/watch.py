"""Sees to money by itself for as long as the installation runs: settles, asks the provider, invoices, warns."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from wattkeeper.bus import Bus
from wattkeeper.charging.money.payments.paying import Way
from wattkeeper.operations.money.billing import TOPIC as BILLS
from wattkeeper.operations.money.payments.asking import TOPIC, Asking
from wattkeeper.operations.money.payments.monthly import Monthly
from wattkeeper.operations.money.payments.provider import Provider
from wattkeeper.operations.money.payments.purses import NO_ACCOUNT, default_way
from wattkeeper.operations.money.payments.settling import Settling
from wattkeeper.operations.money.payments.warning import Warnings
from wattkeeper.operations.people.letters.notices import Notices
from wattkeeper.operations.watching import watch
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store

log = logging.getLogger("wattkeeper.payments")

PAUSE_S = 1
REST_S = 5
"""After how long it looks without being told to, seconds."""


class Watch:
    """All that follows by itself."""

    def __init__(
        self, store: Store, bus: Bus, settings: Settings, provider: Provider | None, notices: Notices | None = None
    ) -> None:
        self._bus = bus
        if default_way(settings) is Way.INVOICE and not settings.seller_iban:
            log.warning("%s", NO_ACCOUNT)
        self.settling = Settling(store, settings, has_provider=provider is not None)
        self.asking = None if provider is None else Asking(store, bus, provider)
        self.monthly = Monthly(store, settings, notices)
        self.warning = None if notices is None else Warnings(store, settings, notices)

    async def run(self) -> None:
        """Look whenever something was recorded, billed or paid, and at least every few seconds."""
        await watch(self._bus, ["journal", BILLS, TOPIC], self.look, log, pause_s=PAUSE_S, rest_s=REST_S)

    async def look(self) -> None:
        """See to everything once; what fails keeps nothing else from being done."""
        await _try(self.settling.look)
        if self.asking is not None:
            await _try(self.asking.ask)
        await _try(self.monthly.look)
        if self.warning is not None:
            await _try(self.warning.look)


async def _try(deed: Callable[[], Awaitable[object]]) -> None:
    try:
        await deed()
    except Exception:
        log.exception("payments: %s failed; trying again", deed.__qualname__)
