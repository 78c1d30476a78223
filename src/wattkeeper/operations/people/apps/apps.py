"""Apps that may ask people to be let in, registered by staff; and who has been let into one's account."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.access import Access, digest, viewer_of
from wattkeeper.operations.people.apps.oauth import grantable
from wattkeeper.operations.people.apps.redirects import need_fit
from wattkeeper.store.engines import Store
from wattkeeper.store.people import account, oauth
from wattkeeper.store.people.oauth import ClientRow, Ended

LONGEST_NAME = 60
MOST_REDIRECTS = 10


@dataclass(frozen=True, slots=True)
class Registered:
    """An app just registered; ``secret`` is shown this once, empty for an app that can keep none."""

    client: ClientRow
    secret: str


@dataclass(frozen=True, slots=True)
class LetIn:
    """An app that has access to one's account."""

    id: str
    name: str
    scopes: frozenset[Scope]
    """What it may do: what was granted, as far as the account itself still may."""
    created_at: datetime
    used_at: datetime | None


class Apps:
    """Keeps the apps, and tells people which of them they let in."""

    def __init__(self, store: Store, access: Access) -> None:
        self._store = store
        self._access = access

    # --- registered by staff ----------------------------------------------------------------------------

    async def register(self, viewer: Viewer, name: str, redirects: Sequence[str], *, secret: bool) -> Registered:
        """Register an app, with a secret where it can keep one (RFC 6749 2.1); Refusal INVALID, FORBIDDEN, PROOF."""
        viewer.need(Scope.TOKENS_WRITE)
        if viewer.account:
            viewer.need_fresh(self._store.clock())
        if not 0 < len(name) <= LONGEST_NAME or not name.isprintable() or name != name.strip():
            raise Refusal(
                Code.INVALID,
                phrase(
                    "An app's name has 1 to {most} printable characters, no blank ends.",
                    most=LONGEST_NAME,
                ),
            )
        if not 0 < len(redirects) <= MOST_REDIRECTS:
            raise Refusal(
                Code.INVALID,
                phrase("An app has 1 to {most} redirect addresses.", most=MOST_REDIRECTS),
            )
        for one in redirects:
            need_fit(one)
        return await self._keep(viewer, name, redirects, "wks_" + secrets.token_urlsafe(32) if secret else "")

    async def clients(self, viewer: Viewer) -> list[ClientRow]:
        """Every app; Refusal FORBIDDEN."""
        viewer.need(Scope.TOKENS_READ)
        async with self._store.read() as connection:
            return await oauth.clients(connection)

    async def remove(self, viewer: Viewer, identifier: str) -> None:
        """Forget an app, which ends its access to every account; Refusal NOT_FOUND or FORBIDDEN."""
        viewer.need(Scope.TOKENS_WRITE)
        async with self._store.unit() as unit:
            found = await oauth.remove_client(unit, identifier, viewer.name)
        self._access.forget()
        if not found:
            raise Refusal(Code.NOT_FOUND, phrase("There is no app with that id."))

    # --- let in by people -------------------------------------------------------------------------------

    async def let_in(self, viewer: Viewer) -> list[LetIn]:
        """What has access to the viewer's own account, the newest first; Refusal FORBIDDEN."""
        viewer.need_own(Scope.ACCOUNT_READ)
        now = self._store.clock()
        async with self._store.read() as connection:
            row = await account.by_id(connection, viewer.account)
            found = await oauth.let_in(connection, viewer.account, now)
        may = frozenset[Scope]() if row is None else grantable(viewer_of(row), frozenset(Scope))
        return [LetIn(one.id, name, one.scopes & may, one.created_at, one.used_at) for one, name in found]

    async def end(self, viewer: Viewer, identifier: str) -> None:
        """End an app's access to the viewer's own account, at once; Refusal NOT_FOUND or FORBIDDEN."""
        viewer.need_own(Scope.ACCOUNT_WRITE)
        async with self._store.unit() as unit:
            found = await oauth.end_grant(unit, identifier, Ended.OWNER, viewer.account)
        self._access.forget()
        if not found:
            raise Refusal(Code.NOT_FOUND, phrase("Nothing of that id has access to your account."))

    # --- within -----------------------------------------------------------------------------------------

    async def _keep(self, viewer: Viewer, name: str, redirects: Sequence[str], secret: str) -> Registered:
        identifier = secrets.token_hex(8)
        async with self._store.unit() as unit:
            hashed = digest(secret) if secret else None
            await oauth.keep_client(unit, identifier, name, redirects, hashed, viewer.name)
            row = ClientRow(identifier, name, tuple(redirects), hashed, unit.now, viewer.name)
        return Registered(row, secret)
