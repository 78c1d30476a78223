"""Accounts of people: made once an address is proved, found again by it, looked after by their owner."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Role, Scope, Viewer
from wattkeeper.charging.phrase import Phrase, phrase
from wattkeeper.language import DEFAULT, LANGUAGES
from wattkeeper.operations.access import Access
from wattkeeper.operations.people.address import mail_address
from wattkeeper.operations.people.letters.letters import Kind
from wattkeeper.operations.people.letters.links import GONE, Link, Links
from wattkeeper.operations.people.letters.mail import Mail
from wattkeeper.operations.people.own import Own
from wattkeeper.operations.people.security import Case, note
from wattkeeper.operations.people.sign_in.attempts import Attempts, need_patience, neighbourhood
from wattkeeper.operations.people.sign_in.factors import Entered, Factors, factors_of
from wattkeeper.operations.people.sign_in.password import SHORTEST, SHORTEST_WITH_SECOND
from wattkeeper.operations.safe import Safe
from wattkeeper.settings import Settings
from wattkeeper.store.cards import card
from wattkeeper.store.engines import Store
from wattkeeper.store.people import account, oauth, secret_link
from wattkeeper.store.people import person as persons
from wattkeeper.store.people.account import AccountRow, AccountState
from wattkeeper.store.people.secret_link import Purpose
from wattkeeper.store.unit import Unit

LONGEST_NAME = 100
RECEIPTS, BY_MAIL = "receipts", "mail"
"""How it is kept that somebody wants receipts as letters."""
UNKNOWN_DEVICE = phrase("a program")
"""What somebody signed in with, where it does not say; kept in English, as it is called here."""
DEVICES: dict[str, Phrase] = {UNKNOWN_DEVICE: UNKNOWN_DEVICE}
TAKEN = phrase("This address has an account already. Sign in to it, or use another address.")
SIGN_IN_FIRST = phrase("Sign in to your account in this browser, then open this link again.")
ANOTHER_S = phrase("This link is for another account than the one you are signed in to here.")


@dataclass(frozen=True, slots=True)
class Mine:
    """One's own account."""

    account: str
    email: str
    """What it signs in with; a plain name where it was made at the command line."""
    name: str
    role: Role
    factors: Factors
    must_add_factor: bool
    """Whether nothing else can be done before there is a passkey or authenticator app."""
    receipts_by_mail: bool = False
    """Whether each receipt goes out as a letter."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A sign-in as its owner sees it."""

    id: str
    how: str
    """passkey, password, totp, recovery, mail, oidc: the last step of it."""
    device: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    current: bool


class Accounts:
    """The deeds of people on their own accounts."""

    def __init__(
        self, store: Store, safe: Safe, settings: Settings, access: Access, mail: Mail, links: Links, own: Own
    ) -> None:
        self._store = store
        self._safe = safe
        self._settings = settings
        self._access = access
        self._mail = mail
        self._links = links
        self._own = own
        self._asking = Attempts(free=20, longest_s=900)

    # --- strangers --------------------------------------------------------------------------------------

    async def sign_up(
        self, email: str, name: str, password: str | None, address: str, language: str = "en", browser: str = ""
    ) -> None:
        """Queue a letter with a link that makes the account; one that has an account is told so by letter instead.

        ``browser`` is what this browser alone knows: the password counts where the link is opened in it (`verify`).
        Refusal INVALID says what is unfit, BUSY with ``retry_s``; nothing tells whether the address is known.
        """
        about: dict[str, Any] = {"email": mail_address(email), "name": person_name(name), "language": spoken(language)}
        self._count(address)
        words = (about["email"], about["name"])
        if password is not None:
            about["browser"] = browser
            about["password"] = await self._access.passwords.hash(password, about=words, familiar=False)
        async with self._store.unit() as unit:
            await self._mail.ask(unit, Kind.VERIFY, about)

    async def recover(self, email: str, address: str, language: str = "en") -> None:
        """Queue a letter with a link to sign in by, where there is such an account; Refusal INVALID, BUSY."""
        about = {"email": mail_address(email), "language": spoken(language)}
        self._count(address)
        async with self._store.unit() as unit:
            await self._mail.ask(unit, Kind.RECOVER, about)

    async def look(self, code: str) -> Purpose | None:
        """What a link is good for, without using it up; None where it is good for nothing any more."""
        async with self._store.read() as connection:
            link = await self._links.look(connection, code, self._store.clock())
        return None if link is None else link.purpose

    async def verify(
        self, code: str, address: str, device: str = "", browser: str = "", viewer: Viewer | None = None
    ) -> Entered:
        """Open the link of a letter: makes the account that was signed up for and signs in, or changes its address.

        An address is changed by its owner alone, who is signed in as ``viewer``: the letter may have gone astray.
        Refusal UNAUTHENTICATED, FORBIDDEN where they are not, PROOF where they asked for it elsewhere.

        Only the browser that signed up has chosen the password: a link that is opened in another one may answer to a
        stranger who signed up with this address, so the account is made without.
        Refusal NOT_FOUND; CONFLICT where the address got an account meanwhile.
        """
        async with self._store.unit() as unit:
            link = await self._links.spend(unit, code, Purpose.VERIFY, Purpose.CHANGE_MAIL)
            if link.purpose is Purpose.CHANGE_MAIL:
                return await self._move(unit, link, viewer)
            about = link.about
            same = hmac.compare_digest(str(about.get("browser", "")), browser)
            password_hash = about.get("password") if same else None
            row = await self.make(unit, Role.DRIVER, about, password_hash, by="sign-up", verified=True)
            entered = Entered(await self._access.begin(unit, row, "mail", device))
        self._access.guessing.came_in(about["email"], address)
        return entered

    # --- one's own --------------------------------------------------------------------------------------

    async def mine(self, viewer: Viewer) -> Mine:
        """The viewer's own account."""
        async with self._store.unit() as unit:
            row = await self._own.row(unit, viewer)
            known = await self._mail.known(unit, row)
            name = await self.name_of(unit, row)
            factors = await factors_of(unit.connection, row)
        must = self._settings.staff_passkeys and row.role.is_staff and not factors.second
        return Mine(row.id, known["name"], name, row.role, factors, must, known.get(RECEIPTS) == BY_MAIL)

    async def rename(self, viewer: Viewer, name: str) -> None:
        """Call oneself something else; Refusal INVALID."""
        called = person_name(name)
        async with self._store.unit() as unit:
            row = await self._own.row(unit, viewer, Scope.ACCOUNT_WRITE)
            sealed = await self._safe.seal_for(unit, row.person, "person", "sealed", orjson.dumps({"name": called}))
            await card.name_person(unit, row.person, sealed)

    async def speak(self, viewer: Viewer, language: str) -> None:
        """Write letters to the viewer in this language from now on."""
        async with self._store.unit() as unit:
            await self._note(unit, await self._own.row(unit, viewer), {"language": spoken(language)})

    async def want_receipts(self, viewer: Viewer, *, by_mail: bool) -> None:
        """Send the viewer each receipt as a letter from now on, or no more."""
        async with self._store.unit() as unit:
            row = await self._own.row(unit, viewer, Scope.ACCOUNT_WRITE)
            await self._note(unit, row, {RECEIPTS: BY_MAIL if by_mail else ""})

    async def _note(self, unit: Unit, row: AccountRow, what: dict[str, str]) -> None:
        """Keep something with the account, under its person's key."""
        known = await self._mail.known(unit, row) | what
        sealed = await self._safe.seal_for(unit, row.person, "account", "sealed", orjson.dumps(known))
        await account.change(unit, row.id, sealed=sealed)

    async def set_password(self, viewer: Viewer, password: str) -> str:
        """Set or change the password, which ends every other sign-in and app; the new cookie. Refusal INVALID, PROOF.

        At least 15 characters alone, 8 with a second factor.
        """
        mine = await self.mine(viewer)
        shortest = SHORTEST_WITH_SECOND if mine.factors.second else SHORTEST
        async with self._store.unit() as unit:
            await self._own.changing(unit, viewer)
        kept = await self._access.passwords.hash(password, shortest, (mine.email, mine.name))
        async with self._store.unit() as unit:
            row = await self._own.changing(unit, viewer)
            short = len(password) < SHORTEST
            if short and not (await factors_of(unit.connection, row)).second:
                raise Refusal(
                    Code.INVALID,
                    phrase("A password needs at least {fewest} characters to stand alone.", fewest=SHORTEST),
                )
            await account.change(unit, row.id, password_hash=kept, password_short=short, failures=0)
            await self._mail.tell(unit, row, Kind.PASSWORD_CHANGED)
            return await self._end_others(unit, viewer)

    async def remove_password(self, viewer: Viewer) -> str:
        """Sign in without a password from now on; the new cookie. Refusal PROOF, CONFLICT without a passkey."""
        async with self._store.unit() as unit:
            row = await self._own.changing(unit, viewer)
            if not (await factors_of(unit.connection, row)).passkeys:
                raise Refusal(
                    Code.CONFLICT, phrase("Make a passkey first: without one, nothing would be left to sign in with.")
                )
            await account.change(unit, row.id, password_hash=None, password_short=False, failures=0)
            await self._mail.tell(unit, row, Kind.FACTOR_REMOVED, what="password")
            return await self._end_others(unit, viewer)

    async def change_mail(self, viewer: Viewer, email: str) -> None:
        """Write to a new address, whose link changes it; tells the old one. Refusal INVALID, PROOF.

        The same for an address that has an account, which is told that it has.
        """
        fresh = mail_address(email)
        async with self._store.unit() as unit:
            row = await self._own.changing(unit, viewer)
            self._count(row.id, row.id)
            language = (await self._mail.known(unit, row)).get("language", "en")
            await self._mail.tell(unit, row, Kind.MAIL_ASKED)
            about = {"account": row.id, "login": viewer.login, "email": fresh, "language": language}
            await self._mail.ask(unit, Kind.CHANGE_MAIL, about)

    async def logins(self, viewer: Viewer) -> list[SignedIn]:
        """Where the viewer is signed in, the newest first."""
        async with self._store.unit() as unit:
            row = await self._own.row(unit, viewer)
            found = []
            for one in await account.logins(unit.connection, row.id, unit.now):
                if not self._access.is_used(one, row, unit.now):
                    continue
                sealed = one.device
                device = b"" if sealed is None else await self._open(unit, row.person, sealed)
                rests = self._settings.login_rests(is_staff=row.role.is_staff)
                times = (one.created_at, one.seen_at, min(one.expires_at, one.seen_at + rests))
                called = device.decode()
                found.append(SignedIn(one.id, one.how, DEVICES.get(called, called), *times, one.id == viewer.login))
        return found

    async def end_login(self, viewer: Viewer, identifier: str) -> None:
        """End one sign-in; Refusal NOT_FOUND, PROOF: a stolen sign-in cannot shut its owner out."""
        async with self._store.unit() as unit:
            viewer.need_fresh(unit.now)
            row = await self._own.row(unit, viewer, Scope.ACCOUNT_WRITE)
            if not await account.end_login(unit, row.id, identifier):
                raise Refusal(Code.NOT_FOUND, phrase("There is no such sign-in, or no longer."))
        self._access.forget()

    async def end_other_logins(self, viewer: Viewer) -> int:
        """End every sign-in but this one; how many that were. Refusal PROOF."""
        async with self._store.unit() as unit:
            viewer.need_fresh(unit.now)
            row = await self._own.row(unit, viewer, Scope.ACCOUNT_WRITE)
            ended = await account.end_logins(unit, row.id, viewer.login)
            await secret_link.forget_account(unit, row.id)
        self._access.forget()
        return ended

    # --- for others who make accounts -------------------------------------------------------------------

    async def make(
        self,
        unit: Unit,
        role: Role,
        about: Mapping[str, Any],
        password_hash: str | None,
        *,
        by: str,
        verified: bool,
        sites: tuple[str, ...] = (),
    ) -> AccountRow:
        """Make an active account for ``email``, ``name`` and ``language``; Refusal CONFLICT where there is one."""
        ref = self._safe.name_ref(about["email"])
        if await account.by_name(unit.connection, ref) is not None:
            raise Refusal(Code.CONFLICT, TAKEN)
        identifier, person = f"a{secrets.token_hex(8)}", f"person:{secrets.token_hex(12)}"
        seal = self._safe.enter_subject(unit, person)
        card.keep_person(unit, person, seal("person", "sealed", orjson.dumps({"name": about["name"]})))
        await unit.flush()
        known = {"name": about["email"], "language": about["language"]}
        sealed = seal("account", "sealed", orjson.dumps(known))
        kept = (unit, identifier, person, ref, sealed, role, AccountState.ACTIVE, by)
        await account.make(*kept, sites=sites, password_hash=password_hash, verified=verified)
        row = await account.by_id(unit.connection, identifier)
        assert row is not None
        return row

    async def named(self, unit: Unit, name: str) -> AccountRow | None:
        """The account that signs in by this name."""
        return await account.by_name(unit.connection, self._safe.name_ref(name))

    async def name_of(self, unit: Unit, row: AccountRow) -> str:
        """What an account's person is called; empty where nothing is known. Raises KeyRefused where forgotten."""
        sealed = await persons.sealed(unit.connection, row.person)
        plain = b"{}" if sealed is None else await self._safe.unseal_for(unit, row.person, "person", "sealed", sealed)
        return str(orjson.loads(plain).get("name", ""))

    # --- within -----------------------------------------------------------------------------------------

    async def _move(self, unit: Unit, link: Link, viewer: Viewer | None) -> Entered:
        """Give the viewer's account another address, tell the old one, and end every other sign-in."""
        row = None if link.account is None else await account.by_id(unit.connection, link.account)
        if row is None or row.state is not AccountState.ACTIVE:
            raise Refusal(Code.NOT_FOUND, GONE)
        owner = _its_owner(row, link, viewer, unit.now)
        ref = self._safe.name_ref(link.about["email"])
        taken = await account.by_name(unit.connection, ref)
        if taken is not None and taken.id != row.id:
            raise Refusal(Code.CONFLICT, TAKEN)
        await self._mail.tell(unit, row, Kind.MAIL_CHANGED)
        known = await self._mail.known(unit, row) | {"name": link.about["email"]}
        sealed = await self._safe.seal_for(unit, row.person, "account", "sealed", orjson.dumps(known))
        await account.change(unit, row.id, name_ref=ref, sealed=sealed, verified_at=unit.now)
        await account.end_logins(unit, row.id, owner.login)
        await secret_link.forget_account(unit, row.id)
        return Entered(await self._own.renewed(unit, owner, proved=False))

    async def _end_others(self, unit: Unit, viewer: Viewer) -> str:
        """End the account's other sign-ins and its apps: what opened it has changed."""
        await account.end_logins(unit, viewer.account, viewer.login)
        await oauth.end_grants(unit, viewer.account, oauth.Ended.SECRET_CHANGED)
        await secret_link.forget_account(unit, viewer.account)
        return await self._own.renewed(unit, viewer, proved=False)

    async def _open(self, unit: Unit, person: str, sealed: bytes) -> bytes:
        return await self._safe.unseal_for(unit, person, "login", "device", sealed)

    def _count(self, address: str, account_id: str = "") -> None:
        """Count a letter that was asked for from this address, or by this account; Refusal BUSY: they are too many."""
        if need_patience([(self._asking, neighbourhood(address))], phrase("Too many tries from here.")):
            note(Case.LETTERS_FLOOD, account_id, address)


def _its_owner(row: AccountRow, link: Link, viewer: Viewer | None, now: datetime) -> Viewer:
    """The viewer, where the account is theirs and they asked for this link here, or have just proved themselves."""
    if viewer is None:
        raise Refusal(Code.UNAUTHENTICATED, SIGN_IN_FIRST)
    if viewer.account != row.id or not viewer.login:
        raise Refusal(Code.FORBIDDEN, ANOTHER_S)
    if viewer.login != link.about.get("login"):
        viewer.need_fresh(now)
    return viewer


def person_name(text: str) -> str:
    """What somebody is called; Refusal INVALID where it cannot be written on a line."""
    called = " ".join(text.split())
    if len(called) > LONGEST_NAME or not called.isprintable():
        raise Refusal(Code.INVALID, phrase("A name is up to {most} printable characters.", most=LONGEST_NAME))
    return called


def spoken(language: str) -> str:
    """A language that our letters are written in."""
    return language if language in LANGUAGES else DEFAULT
