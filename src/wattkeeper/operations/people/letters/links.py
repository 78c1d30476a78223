"""Codes of 256 bits that are good once: in links that we mail, and as challenges of passkeys."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.safe import Safe
from wattkeeper.store.people import secret_link
from wattkeeper.store.people.secret_link import LinkRow, Purpose
from wattkeeper.store.unit import Unit

HOUR = timedelta(hours=1)
LASTS: Mapping[Purpose, timedelta] = {
    Purpose.INVITE: 7 * 24 * HOUR,
    Purpose.FIRST_OWNER: 24 * HOUR,
    Purpose.VERIFY: 24 * HOUR,
    Purpose.CHANGE_MAIL: 24 * HOUR,
    Purpose.RECOVER: HOUR,
    Purpose.STEP: timedelta(minutes=10),
    Purpose.PASSKEY: timedelta(minutes=5),
    Purpose.ARCHIVE: timedelta(minutes=5),
}
"""How long a code is good."""
GONE = phrase("This link is not known here, was used already, or is too old. Ask for a new one.")


@dataclass(frozen=True, slots=True)
class Link:
    """A code that was found good."""

    id: str
    """Its public id: it tells nothing about the code."""
    purpose: Purpose
    account: str | None
    about: Mapping[str, Any] = field(default_factory=dict)
    created_at: datetime = datetime.min
    expires_at: datetime = datetime.min


class Links:
    """Makes codes, looks at them, uses them up."""

    def __init__(self, safe: Safe) -> None:
        self._safe = safe

    async def make(
        self, unit: Unit, purpose: Purpose, account: str | None = None, about: Mapping[str, Any] | None = None
    ) -> str:
        """A new code, to be given out this once."""
        code = secrets.token_urlsafe(32)
        await self.keep(unit, purpose, code, account, about)
        return code

    async def keep(
        self, unit: Unit, purpose: Purpose, code: str, account: str | None, about: Mapping[str, Any] | None = None
    ) -> None:
        """Remember a code that was drawn elsewhere, at 256 bits."""
        sealed = None if about is None else self._safe.seal("secret_link", "sealed", orjson.dumps(about))
        await secret_link.keep(unit, _hashed(code), purpose, unit.now + LASTS[purpose], account, sealed)

    async def look(self, connection: AsyncConnection, code: str, now: datetime) -> Link | None:
        """What a code is good for, without using it up; None where it is good for nothing."""
        row = await secret_link.look(connection, _hashed(code), now)
        return None if row is None else self._link(row)

    async def spend(self, unit: Unit, code: str, *purposes: Purpose) -> Link:
        """Use a code up; Refusal NOT_FOUND in the same words for every reason."""
        row = await secret_link.spend(unit, _hashed(code), purposes)
        if row is None:
            raise Refusal(Code.NOT_FOUND, GONE)
        return self._link(row)

    async def open_ones(self, connection: AsyncConnection, purpose: Purpose, now: datetime) -> list[Link]:
        """The codes of a purpose that are still good, the newest first."""
        return [self._link(row) for row in await secret_link.open_ones(connection, purpose, now)]

    async def withdraw(self, unit: Unit, purpose: Purpose, identifier: str) -> Link:
        """End a code by its public id; Refusal NOT_FOUND."""
        for row in await secret_link.open_ones(unit.connection, purpose, unit.now):
            if _public(row) == identifier:
                await secret_link.remove(unit, row.code_hash)
                return self._link(row)
        raise Refusal(Code.NOT_FOUND, phrase("There is nothing of that id, or no longer."))

    def _link(self, row: LinkRow) -> Link:
        plain = b"{}" if row.sealed is None else self._safe.unseal("secret_link", "sealed", row.sealed)
        return Link(_public(row), row.purpose, row.account, orjson.loads(plain), row.created_at, row.expires_at)


def _hashed(code: str) -> bytes:
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).digest()


def _public(row: LinkRow) -> str:
    return hashlib.sha256(b"id" + row.code_hash).hexdigest()[:16]
