"""What every change to one's own ways of signing in has in common: a fresh proof before, a new cookie after."""

from __future__ import annotations

import secrets

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.access import Access, digest
from wattkeeper.operations.people.sign_in.factors import Changed
from wattkeeper.store.people import account, proof, secret_link
from wattkeeper.store.people.account import AccountRow
from wattkeeper.store.unit import Unit

BY_COMPANY = "company sign-in"
"""Who made an account that nobody here did: its company alone says who comes in to it, and as what."""
COMPANY_S = phrase("Your company looks after how you sign in. Change it there.")


class Own:
    """The viewer's own account."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def row(self, unit: Unit, viewer: Viewer, scope: Scope = Scope.ACCOUNT_READ) -> AccountRow:
        """The viewer's account; Refusal FORBIDDEN where nobody is signed in."""
        viewer.need_own(scope)
        row = await account.by_id(unit.connection, viewer.account)
        if row is None:
            raise Refusal(Code.UNAUTHENTICATED, phrase("This account is gone."))
        return row

    async def changing(self, unit: Unit, viewer: Viewer) -> AccountRow:
        """The viewer's account, to change how it is signed in to; Refusal FORBIDDEN, PROOF.

        The proof must be as strong as the account: whoever has a second factor proves with it, see `SignIn.prove_*`.
        """
        row = await self.row(unit, viewer, Scope.ACCOUNT_WRITE)
        if row.created_by == BY_COMPANY:  # a way of their own would stay open when the company lets them in no more
            raise Refusal(Code.FORBIDDEN, COMPANY_S)
        signed_in = await proof.login_named(unit.connection, viewer.account, viewer.login)
        if signed_in is None:
            raise Refusal(Code.FORBIDDEN, phrase("This is for people who are signed in here themselves, not for apps."))
        Viewer(viewer.name, viewer.role, proved_at=signed_in.proved_at).need_fresh(unit.now)
        return row

    async def changed(self, unit: Unit, viewer: Viewer, codes: tuple[str, ...] = ()) -> Changed:
        """The proofs of other sign-ins and the links that wait count no more; this one gets another cookie."""
        await proof.make_stale(unit, viewer.account, viewer.login)
        await secret_link.forget_account(unit, viewer.account)
        return Changed(await self.renewed(unit, viewer, proved=False), codes)

    async def renewed(self, unit: Unit, viewer: Viewer, *, proved: bool) -> str:
        """Another cookie for this sign-in, and where ``proved`` a fresh proof; Refusal UNAUTHENTICATED if it ended."""
        cookie = secrets.token_urlsafe(32)
        if not await proof.renew(unit, viewer.account, viewer.login, digest(cookie), proved=proved):
            raise Refusal(Code.UNAUTHENTICATED, phrase("This sign-in has ended. Sign in again."))
        self._access.forget()
        return cookie
