"""Which rights those who work here use: by account and day, so that roles wider than needed can be found.

Drivers are not looked at. It costs a set in memory for each right that is asked for, and a row a day for each account.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from wattkeeper.charging.person import Scope
from wattkeeper.operations.watching import now_and_then
from wattkeeper.store.engines import Store
from wattkeeper.store.security import rights

log = logging.getLogger("wattkeeper.security.uses")
EVERY_S = 60.0


class ScopeUses:
    """Notes which scopes accounts use, and writes it down now and then."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._fresh: dict[tuple[str, datetime], set[Scope]] = {}
        self._known: set[tuple[str, datetime, Scope]] = set()
        """What is written already of today."""

    def of(self, account: str) -> Callable[[Scope], None]:
        """What notes that this account used a scope."""
        return lambda scope: self._note(account, scope)

    def _note(self, account: str, scope: Scope) -> None:
        day = self._store.clock().replace(hour=0, minute=0, second=0, microsecond=0)
        if (account, day, scope) not in self._known:
            self._fresh.setdefault((account, day), set()).add(scope)

    async def write(self) -> None:
        """Write down what was used since the last time."""
        fresh, self._fresh = self._fresh, {}
        try:
            for day in {day for _, day in fresh}:
                used = [(account, frozenset(scopes)) for (account, one), scopes in fresh.items() if one == day]
                async with self._store.unit() as unit:
                    await rights.keep_use(unit, day, used)
        except BaseException:
            for key, scopes in fresh.items():
                self._fresh.setdefault(key, set()).update(scopes)
            raise
        newest = max((day for _, day in fresh), default=None)
        if newest is not None:
            self._known = {one for one in self._known if one[1] == newest}
            self._known |= {(who, day, scope) for (who, day), scopes in fresh.items() for scope in scopes}

    async def run(self, pause_s: float = EVERY_S) -> None:
        """Write for as long as the installation runs, and once more at its end."""
        await now_and_then(self.write, log, pause_s)
