"""The names of accounts, for whoever may read them: records name an account by its id alone."""

from __future__ import annotations

from collections.abc import Collection

import orjson

from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.operations.safe import Safe
from wattkeeper.store import account
from wattkeeper.store.engines import Store
from wattkeeper.store.unit import Unit
from wattkeeper.vault.keys import KeyRefused

FORGOTTEN = "somebody who was forgotten"


class Names:
    """Opens the names that accounts sign in with."""

    def __init__(self, store: Store, safe: Safe) -> None:
        self._store = store
        self._safe = safe

    async def of(self, viewer: Viewer, ids: Collection[str]) -> dict[str, str]:
        """The names of these accounts; one's own always, others' only for who may see staff. Others are left out."""
        readable = {one for one in ids if one == viewer.account or viewer.may(Scope.STAFF_READ)}
        async with self._store.unit() as unit:
            return {one: name for one in readable if one and (name := await self.open(unit, one)) is not None}

    async def open(self, unit: Unit, identifier: str) -> str | None:
        """The name an account signs in with: for deeds that need it, never for showing; None where there is none."""
        row = await account.by_id(unit.connection, identifier)
        if row is None:
            return None
        try:
            plain = await self._safe.unseal_for(unit, row.person, "account", "sealed", row.sealed)
        except KeyRefused:
            return FORGOTTEN
        return str(orjson.loads(plain)["name"])
