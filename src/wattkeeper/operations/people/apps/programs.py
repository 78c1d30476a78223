"""Programs that have access by a token: given it by an owner, for a time, and shown out again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.access import Access
from wattkeeper.store.engines import Store
from wattkeeper.store.people.api_token import TokenRow

LONGEST = timedelta(days=3660)
"""How long a token may be good; one without an end is good until it is revoked."""


class Programs:
    """The API tokens of an installation."""

    def __init__(self, store: Store, access: Access) -> None:
        self._store = store
        self._access = access

    async def every(self, viewer: Viewer) -> list[TokenRow]:
        """Every token, the newest first, without the tokens themselves; Refusal FORBIDDEN."""
        viewer.need(Scope.TOKENS_READ)
        return await self._access.tokens()

    async def give(self, viewer: Viewer, name: str, scopes: Iterable[Scope], expires_at: datetime | None) -> str:
        """A token, shown this once; Refusal FORBIDDEN, PROOF, INVALID where it could do nothing or never."""
        viewer.need(Scope.TOKENS_WRITE)
        now = self._store.clock()
        viewer.need_fresh(now)
        given = frozenset(scopes)
        if not given:
            raise Refusal(Code.INVALID, phrase("Choose what the program may do: at least one thing."))
        if expires_at is not None and not now < expires_at <= now + LONGEST:
            raise Refusal(Code.INVALID, phrase("A token ends some time from now on, within ten years."))
        return await self._access.make_token(name.strip(), given, expires_at, viewer.name)

    async def revoke(self, viewer: Viewer, identifier: str) -> None:
        """End a token: it is refused within a second. Refusal FORBIDDEN, NOT_FOUND.

        No fresh proof is asked for: whoever finds that a token leaked must not be held up.
        """
        viewer.need(Scope.TOKENS_WRITE)
        await self._access.revoke_token(identifier, viewer.name)
