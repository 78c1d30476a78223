"""Notices to people: kept for them under their own key, and mailed where they have an address."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import orjson

from wattkeeper.bus import Bus
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.language import tell_in
from wattkeeper.operations.people.letters.mail import Mail
from wattkeeper.operations.people.letters.notice_words import said
from wattkeeper.operations.safe import Safe
from wattkeeper.store.engines import Store
from wattkeeper.store.people import account
from wattkeeper.store.people import notice as notices
from wattkeeper.store.people.account import AccountRow, AccountState
from wattkeeper.store.unit import Unit

MAILED = frozenset({AccountState.ACTIVE})
"""Only a proved address is written to."""


@dataclass(frozen=True, slots=True)
class NoticeView:
    """A notice as its person reads it."""

    id: str
    kind: str
    title: str
    text: str
    words: Mapping[str, str]
    """What the text was made of."""
    created_at: datetime
    read_at: datetime | None


class Notices:
    """Tells people what they should know."""

    def __init__(self, store: Store, safe: Safe, bus: Bus, mail: Mail) -> None:
        self._store = store
        self._safe = safe
        self._bus = bus
        self._mail = mail

    async def tell(self, unit: Unit, person: str, kind: str, words: Mapping[str, str], key: str = "") -> None:
        """Keep a notice for a person, and queue a letter to them; raises KeyRefused where they were forgotten.

        ``key`` names what it is about where that must be told once: `told` knows it then. Kinds and the words they
        take are in `notice_words.NoticeKind`; another kind gives its own ``title`` and ``text``.
        """
        sealed = await self._safe.seal_for(unit, person, "notice", "sealed", orjson.dumps(dict(words)))
        notices.keep(unit, key or secrets.token_hex(12), person, kind, sealed)
        row = await account.of_person(unit.connection, person)
        if row is not None and row.state in MAILED:
            told, language = said(kind, words), await self._language(unit, row)
            text = f"{tell_in(language, told.text)}\n\n{self._mail.home}\n"
            await self._mail.write(unit, person, kind, f"Wattkeeper: {tell_in(language, told.title)}", text)

    async def mine(self, viewer: Viewer, limit: int, before: tuple[datetime, str] | None = None) -> list[NoticeView]:
        """The viewer's own notices, the newest first."""
        person = viewer.need_own(Scope.ACCOUNT_READ)
        async with self._store.unit() as unit:
            rows = await notices.of_person(unit.connection, person, limit, before)
            views = []
            for row in rows:
                plain = await self._safe.unseal_for(unit, person, "notice", "sealed", row.sealed)
                words: dict[str, str] = orjson.loads(plain)
                told = said(row.kind, words)
                views.append(NoticeView(row.id, row.kind, told.title, told.text, words, row.created_at, row.read_at))
            return views

    async def unread(self, viewer: Viewer) -> int:
        """How many of the viewer's own notices were not read."""
        async with self._store.read() as connection:
            return await notices.unread(connection, viewer.need_own(Scope.ACCOUNT_READ))

    async def read(self, viewer: Viewer, identifier: str) -> None:
        """The viewer has read one of their own notices; Refusal NOT_FOUND."""
        person = viewer.need_own(Scope.ACCOUNT_READ)
        async with self._store.unit() as unit:
            if not await notices.read(unit, identifier, person):
                raise Refusal(Code.NOT_FOUND, phrase("There is no such notice."))

    async def _language(self, unit: Unit, row: AccountRow) -> str:
        return (await self._mail.known(unit, row)).get("language", "en")
