"""Those who work here: invited, never registered; the first owner comes by a link of one use."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import orjson

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Role, Scope, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.access import NO_ACCOUNT, Access, viewer_of
from wattkeeper.operations.people.accounts import Accounts, person_name, spoken
from wattkeeper.operations.people.address import is_mail, mail_address
from wattkeeper.operations.people.letters.letters import Kind
from wattkeeper.operations.people.letters.links import GONE, Link, Links
from wattkeeper.operations.people.letters.mail import Mail
from wattkeeper.operations.people.names import ACCOUNT
from wattkeeper.operations.people.sign_in.factors import Entered, has_second
from wattkeeper.store.engines import Store
from wattkeeper.store.people import account, oauth, passkey, proof, recovery, secret_link, staff
from wattkeeper.store.people.account import AccountRow, AccountState
from wattkeeper.store.people.secret_link import Purpose
from wattkeeper.store.unit import Unit
from wattkeeper.vault.keys import KeyRefused

LAST = phrase("This is the only owner who can sign in. Make another one first.")


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who works here."""

    id: str
    email: str
    """What they sign in with; a plain name where the account was made at the command line."""
    name: str
    role: Role
    sites: frozenset[str]
    state: AccountState
    second_factor: bool
    created_at: datetime
    seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class Invitation:
    """Somebody who was asked to work here and has not answered."""

    id: str
    email: str
    role: Role
    sites: frozenset[str]
    created_at: datetime
    expires_at: datetime


class Staff:
    """Invites, changes and sends away those who work here."""

    def __init__(self, store: Store, access: Access, accounts: Accounts, mail: Mail, links: Links) -> None:
        self._store = store
        self._access = access
        self._accounts = accounts
        self._mail = mail
        self._links = links

    # --- the first owner --------------------------------------------------------------------------------

    async def make_owner_link(self) -> str | None:
        """The code of a link that makes the first owner, once, within a day; None where there is an owner already.

        It voids the one before. The page is ``/first-owner/<code>``.
        """
        async with self._store.unit() as unit:
            if await account.any_owner(unit.connection):
                return None
            await secret_link.forget(unit, Purpose.FIRST_OWNER)
            return await self._links.make(unit, Purpose.FIRST_OWNER)

    async def first_owner(
        self,
        code: str,
        email: str,
        name: str,
        password: str | None,
        address: str,
        device: str = "",
        language: str = "en",
    ) -> Entered:
        """Make the first owner and sign in; Refusal NOT_FOUND (no such link, or an owner exists), INVALID."""
        about = {"email": mail_address(email), "name": person_name(name), "language": spoken(language)}
        await self._good(code, Purpose.FIRST_OWNER)
        kept = await self._hashed(password, about)
        async with self._store.unit() as unit:
            await self._links.spend(unit, code, Purpose.FIRST_OWNER)
            if await account.any_owner(unit.connection):
                raise Refusal(Code.NOT_FOUND, GONE)
            row = await self._accounts.make(unit, Role.OWNER, about, kept, by="first owner", verified=False)
            entered = Entered(await self._access.begin(unit, row, "mail", device))
        self._access.guessing.came_in(about["email"], address)
        return entered

    # --- invitations ------------------------------------------------------------------------------------

    async def invite(
        self, viewer: Viewer, email: str, role: Role, sites: Iterable[str] = (), language: str = "en"
    ) -> str:
        """Write to somebody to work here; nothing tells whether the address is known. Refusal INVALID, PROOF.

        Gives the link of the letter, to be handed over where no mail server is set.
        """
        at = _placed(role, sites)
        to = mail_address(email)
        about = {"email": to, "role": role.value, "sites": at, "by": viewer.name, "language": spoken(language)}
        async with self._store.unit() as unit:
            self._need(viewer, unit)
            code = await self._links.make(unit, Purpose.INVITE, None, about)
            link = f"{self._mail.home}/invitation/{code}"
            await self._mail.write_to(unit, to, Kind.INVITE, spoken(language), link)
        return link

    async def invitations(self, viewer: Viewer) -> list[Invitation]:
        """Who has not answered yet, the newest first."""
        viewer.need(Scope.STAFF_READ)
        async with self._store.read() as connection:
            links = await self._links.open_ones(connection, Purpose.INVITE, self._store.clock())
        return [
            Invitation(
                link.id,
                link.about["email"],
                Role(link.about["role"]),
                frozenset(link.about["sites"]),
                link.created_at,
                link.expires_at,
            )
            for link in links
        ]

    async def withdraw(self, viewer: Viewer, identifier: str) -> None:
        """Take an invitation back; Refusal NOT_FOUND."""
        viewer.need(Scope.STAFF_WRITE)
        async with self._store.unit() as unit:
            await self._links.withdraw(unit, Purpose.INVITE, identifier)

    async def accept(
        self, code: str, name: str, password: str | None, address: str, device: str = "", language: str = "en"
    ) -> Entered:
        """Answer an invitation and sign in; Refusal NOT_FOUND, INVALID, CONFLICT where the address has an account.

        What the role may do opens once there is a passkey or authenticator app; the sign-in is fresh to make one.
        """
        invited = await self._good(code, Purpose.INVITE)
        about = {"email": str(invited.about["email"]), "name": person_name(name), "language": spoken(language)}
        kept = await self._hashed(password, about)
        async with self._store.unit() as unit:
            link = await self._links.spend(unit, code, Purpose.INVITE)
            await self._need_inviter(unit, link.about["by"])
            role, sites = Role(link.about["role"]), tuple(link.about["sites"])
            made = (unit, role, about, kept)
            row = await self._accounts.make(*made, by=link.about["by"], verified=True, sites=sites)
            entered = Entered(await self._access.begin(unit, row, "mail", device))
        self._access.guessing.came_in(about["email"], address)
        return entered

    async def _good(self, code: str, purpose: Purpose) -> Link:
        """What a code is good for, before a password is hashed for it: that is dear. Refusal NOT_FOUND."""
        async with self._store.read() as connection:
            link = await self._links.look(connection, code, self._store.clock())
        if link is None or link.purpose is not purpose:
            raise Refusal(Code.NOT_FOUND, GONE)
        return link

    async def _need_inviter(self, unit: Unit, by: str) -> None:
        """Refusal NOT_FOUND where whoever invited may not any more: else they leave a way back in for themselves."""
        row = await account.by_id(unit.connection, by) if ACCOUNT.fullmatch(by) else None
        may = row is not None and row.state is AccountState.ACTIVE and Scope.STAFF_WRITE in viewer_of(row).scopes
        if ACCOUNT.fullmatch(by) and not may:
            raise Refusal(Code.NOT_FOUND, GONE)

    async def _hashed(self, password: str | None, about: dict[str, str]) -> str | None:
        if password is None:
            return None
        return await self._access.passwords.hash(password, about=(about["email"], about["name"]))

    # --- those who are here -----------------------------------------------------------------------------

    async def members(self, viewer: Viewer) -> list[Member]:
        """Everybody who works here, the longest serving first."""
        viewer.need(Scope.STAFF_READ)
        async with self._store.unit() as unit:
            rows = await account.staff(unit.connection)
            return [await self._member(unit, row) for row in rows]

    async def change(self, viewer: Viewer, identifier: str, role: Role, sites: Iterable[str] = ()) -> None:
        """Give somebody another role, which ends their sign-ins; Refusal NOT_FOUND, CONFLICT for the last owner."""
        at = _placed(role, sites)
        async with self._store.unit() as unit:
            self._need(viewer, unit)
            row = await self._one(unit, identifier)
            if role is not Role.OWNER:
                await self._need_other_owner(unit, row)
            await account.change(unit, row.id, by=viewer.name, role=role.value, sites=orjson.dumps(at).decode())
            await self._end(unit, row)
        self._access.forget()

    async def disable(self, viewer: Viewer, identifier: str) -> None:
        """Let somebody in no more; what is open ends in a second. Refusal NOT_FOUND, PROOF, CONFLICT (last owner)."""
        async with self._store.unit() as unit:
            self._need(viewer, unit)
            row = await self._one(unit, identifier)
            await self._need_other_owner(unit, row)
            await account.change(unit, row.id, by=viewer.name, state=AccountState.DISABLED.value)
            await self._end(unit, row)
        self._access.forget()

    async def enable(self, viewer: Viewer, identifier: str) -> None:
        """Let somebody in again; Refusal NOT_FOUND, PROOF."""
        async with self._store.unit() as unit:
            self._need(viewer, unit)
            row = await self._one(unit, identifier)
            await account.change(unit, row.id, by=viewer.name, state=AccountState.ACTIVE.value)

    async def end_logins(self, viewer: Viewer, identifier: str) -> int:
        """End somebody's sign-ins; how many that were. Refusal NOT_FOUND, PROOF."""
        async with self._store.unit() as unit:
            self._need(viewer, unit)
            row = await self._one(unit, identifier)
            ended = await account.end_logins(unit, row.id)
            await secret_link.forget_account(unit, row.id)
        self._access.forget()
        return ended

    async def erase_factors(self, viewer: Viewer, identifier: str) -> None:
        """Take passkeys, authenticator app and codes from whoever lost them all, and end their sign-ins; tells them.

        They come in again by password or a link. Refusal NOT_FOUND, PROOF.
        """
        async with self._store.unit() as unit:
            self._need(viewer, unit)
            await self._erase(unit, await self._one(unit, identifier), viewer.name)
        self._access.forget()

    async def erase_factors_of(self, viewer: Viewer, name: str) -> None:
        """The same for whoever signs in by this name, a driver too; Refusal NOT_FOUND, PROOF. For the command line."""
        async with self._store.unit() as unit:
            self._need(viewer, unit)
            row = await self._accounts.named(unit, name)
            if row is None:
                raise Refusal(Code.NOT_FOUND, NO_ACCOUNT)
            await self._erase(unit, row, viewer.name)
        self._access.forget()

    async def _erase(self, unit: Unit, row: AccountRow, by: str) -> None:
        """Take an account's second factors, tell its owner, and end what is open."""
        await passkey.remove_all(unit, row.id, by=by)
        await recovery.replace(unit, row.id, ())
        await account.change(unit, row.id, by=by, totp=None, totp_confirmed=False)
        await proof.forgive(unit, row.id)
        await self._mail.tell(unit, row, Kind.FACTORS_ERASED)
        await self._end(unit, row)

    # --- within -----------------------------------------------------------------------------------------

    def _need(self, viewer: Viewer, unit: Unit) -> None:
        """What changes who may do what is done by somebody who has just shown who they are."""
        viewer.need(Scope.STAFF_WRITE)
        if viewer.account:
            viewer.need_fresh(unit.now)

    async def _one(self, unit: Unit, identifier: str) -> AccountRow:
        """An account of somebody who works here; Refusal NOT_FOUND."""
        row = await account.by_id(unit.connection, identifier)
        if row is None or not row.role.is_staff:
            raise Refusal(Code.NOT_FOUND, phrase("Nobody of that id works here."))
        return row

    async def _need_other_owner(self, unit: Unit, row: AccountRow) -> None:
        """Refusal CONFLICT where nobody would own the installation any more."""
        if row.role is not Role.OWNER:
            return
        if not await staff.other_owner(unit, row.id):
            raise Refusal(Code.CONFLICT, LAST)

    async def _end(self, unit: Unit, row: AccountRow) -> None:
        """End what is open: sign-ins, apps, links that wait."""
        await account.end_logins(unit, row.id)
        await oauth.end_grants(unit, row.id, oauth.Ended.DISABLED)
        await secret_link.forget_account(unit, row.id)

    async def _member(self, unit: Unit, row: AccountRow) -> Member:
        try:
            email, name = (await self._mail.known(unit, row))["name"], await self._accounts.name_of(unit, row)
        except KeyRefused:
            email, name = "", ""
        second = await has_second(unit.connection, row)
        shown = name if is_mail(email) else ""
        return Member(row.id, email, shown, row.role, row.sites, row.state, second, row.created_at, row.seen_at)


def _placed(role: Role, sites: Iterable[str]) -> list[str]:
    """The sites of a site host, in order; Refusal INVALID where the role takes none, or needs some."""
    at = sorted({site.strip() for site in sites} - {""})
    if not role.is_staff:
        raise Refusal(Code.INVALID, phrase("Only roles of those who work here are given: drivers sign up."))
    if (role is Role.SITE_HOST) is not bool(at):
        raise Refusal(Code.INVALID, phrase("A site host looks after one or more sites; no other role has any."))
    return at
