"""Ten recovery codes, each good once, for whoever lost the phone: only their keyed hashes are kept."""

from __future__ import annotations

import secrets

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.people.letters.letters import Kind
from wattkeeper.operations.people.letters.mail import Mail
from wattkeeper.operations.people.own import Own
from wattkeeper.operations.people.sign_in.attempts import Attempts, need_patience
from wattkeeper.operations.people.sign_in.factors import Changed, has_second
from wattkeeper.operations.safe import Safe
from wattkeeper.store.engines import Store
from wattkeeper.store.people import account, recovery
from wattkeeper.store.people.account import AccountRow
from wattkeeper.store.unit import Unit

MANY = 10
LENGTH = 10
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Without letters that look like digits: 50 bits a code."""
ALIKE = str.maketrans("OIL", "011", " -")
TRIES = 5


class RecoveryCodes:
    """Makes recovery codes, and uses them up."""

    def __init__(self, store: Store, safe: Safe, mail: Mail, own: Own) -> None:
        self._store = store
        self._safe = safe
        self._mail = mail
        self._own = own
        self._tries = Attempts(free=TRIES, longest_s=900)

    async def left(self, viewer: Viewer) -> int:
        """How many codes the viewer has left."""
        viewer.need_own(Scope.ACCOUNT_READ)
        async with self._store.read() as connection:
            return await recovery.left(connection, viewer.account)

    async def make(self, viewer: Viewer) -> Changed:
        """Ten new codes, which void the older ones; Refusal PROOF, CONFLICT where there is no second factor to lose."""
        async with self._store.unit() as unit:
            row = await self._own.changing(unit, viewer)
            if not await has_second(unit.connection, row):
                raise Refusal(
                    Code.CONFLICT, phrase("Recovery codes replace a passkey or authenticator app. Make one first.")
                )
            codes = await self._draw(unit, row.id)
            await self._mail.tell(unit, row, Kind.CODES_MADE)
            return await self._own.changed(unit, viewer, codes)

    async def first(self, unit: Unit, account_id: str) -> tuple[str, ...]:
        """Ten codes for whoever has none; nothing for others."""
        return () if await recovery.left(unit.connection, account_id) else await self._draw(unit, account_id)

    async def tidy(self, unit: Unit, account_id: str) -> None:
        """Take the codes away where there is no second factor any more."""
        row = await account.by_id(unit.connection, account_id)
        if row is not None and not await has_second(unit.connection, row):
            await recovery.replace(unit, account_id, ())

    # --- proving ----------------------------------------------------------------------------------------

    def count(self, key: str) -> bool:
        """Count a try before it is judged, by account or by sign-in; Refusal BUSY after five. Whether waits begin."""
        return need_patience([(self._tries, key)], phrase("Too many wrong codes."))

    async def spend(self, unit: Unit, row: AccountRow, code: str) -> None:
        """Use a code up, whose try was counted, and tell its owner; Refusal UNAUTHENTICATED."""
        if not await recovery.spend(unit, row.id, self._hashes(row.id, code)):
            raise Refusal(
                Code.UNAUTHENTICATED, phrase("This recovery code is wrong, or was used already. Try another one.")
            )
        left = await recovery.left(unit.connection, row.id)
        await self._mail.tell(unit, row, Kind.CODE_USED, left=left)

    def forgive(self, key: str) -> None:
        """The code was right, and what it was for is done."""
        self._tries.forgive(key)

    async def _draw(self, unit: Unit, account_id: str) -> tuple[str, ...]:
        drawn = ["".join(secrets.choice(ALPHABET) for _ in range(LENGTH)) for _ in range(MANY)]
        await recovery.replace(unit, account_id, [self._hashes(account_id, code)[0] for code in drawn])
        return tuple(f"{code[:5]}-{code[5:]}" for code in drawn)

    def _hashes(self, account_id: str, code: str) -> list[bytes]:
        """What is kept of a code, as it is made now and as it was made before the codes' key was replaced."""
        plain = code[:100].upper().translate(ALIKE)
        return self._safe.tags("recovery", f"{account_id} {plain}".encode("utf-8", "replace"), 32)
