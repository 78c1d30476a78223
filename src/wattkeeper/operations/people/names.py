"""The names of accounts, for whoever may read them: records name an account by its id alone."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

import orjson

from wattkeeper.charging.person import Role, Scope, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.safe import Safe
from wattkeeper.store.engines import Store
from wattkeeper.store.people import account
from wattkeeper.store.people.account import SealedName
from wattkeeper.store.unit import Unit
from wattkeeper.vault.keys import KeyRefused

FORGOTTEN = phrase("somebody who was forgotten")
UNNAMED, A_DRIVER = phrase("staff"), phrase("the driver")
"""Who it was, to those who may not know whom."""
ACCOUNT = re.compile(r"a[0-9a-f]{16}")
"""What an account's id looks like; programs and the command line go by their names."""


class Names:
    """Opens the names that accounts sign in with."""

    def __init__(self, store: Store, safe: Safe) -> None:
        self._store = store
        self._safe = safe

    async def of(self, viewer: Viewer, ids: Collection[str]) -> dict[str, str]:
        """The names of these accounts, those left out that are not the viewer's to know.

        One's own always is, staff's for who may see staff, drivers' for who may see persons.
        """
        rows = await self._rows(viewer, ids)
        return {row.account: self._opened(row) for row in rows if _may_know(viewer, row)}

    async def said(self, viewer: Viewer, bys: Iterable[str]) -> dict[str, str]:
        """How records' `by` is said: an account by its name, or by what it is to who may not know it."""
        wanted = set(bys)
        accounts = {by for by in wanted if ACCOUNT.fullmatch(by)}
        rows = {row.account: row for row in await self._rows(viewer, accounts)}
        return {by: self._said(viewer, rows.get(by)) if by in accounts else by for by in wanted}

    def _said(self, viewer: Viewer, row: SealedName | None) -> str:
        if row is not None and row.role is Role.DRIVER and row.account != viewer.account:
            return A_DRIVER  # masked in every list, also for who may see persons: it takes a purpose to look
        return self._opened(row) if row is not None and _may_know(viewer, row) else UNNAMED

    async def _rows(self, viewer: Viewer, ids: Collection[str]) -> list[SealedName]:
        wanted = [one for one in ids if one]
        if not wanted:
            return []
        async with self._store.read() as connection:
            return await account.sealed_names(connection, wanted)

    def _opened(self, row: SealedName) -> str:
        if row.wrapped is None:
            return FORGOTTEN
        return _name(self._safe.unseal_by(row.wrapped, row.person, "account", "sealed", row.sealed))

    async def open(self, unit: Unit, identifier: str) -> str | None:
        """The name an account signs in with: for deeds that need it, never for showing; None where there is none."""
        row = await account.by_id(unit.connection, identifier)
        if row is None:
            return None
        try:
            plain = await self._safe.unseal_for(unit, row.person, "account", "sealed", row.sealed)
        except KeyRefused:
            return FORGOTTEN
        return _name(plain)


def _may_know(viewer: Viewer, row: SealedName) -> bool:
    """Whether the viewer may know whose account this is."""
    needed = Scope.PERSONS_READ if row.role is Role.DRIVER else Scope.STAFF_READ
    return row.account == viewer.account or viewer.may(needed)


def _name(plain: bytes) -> str:
    return str(orjson.loads(plain)["name"])
