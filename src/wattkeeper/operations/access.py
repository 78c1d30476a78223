"""Who is asking, and what they may see and do: the policy's answer for a sign-in, an API token or an app."""

from __future__ import annotations

import hashlib
import logging
import secrets
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import orjson

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Role, Scope, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.people.sign_in.factors import MOST_FAILURES, Entered, Factor, factors_of, has_second
from wattkeeper.operations.people.sign_in.guessing import WRONG, Guessing
from wattkeeper.operations.people.sign_in.leaked import leaked
from wattkeeper.operations.people.sign_in.password import Passwords
from wattkeeper.operations.policy import grants
from wattkeeper.operations.safe import Safe
from wattkeeper.operations.security.uses import ScopeUses
from wattkeeper.settings import Settings
from wattkeeper.store.cards.card import keep_person
from wattkeeper.store.engines import Store
from wattkeeper.store.people import account, api_token, oauth, proof, secret_link
from wattkeeper.store.people.account import AccountRow, AccountState, LoginRow
from wattkeeper.store.people.api_token import TokenRow
from wattkeeper.store.unit import Unit

log = logging.getLogger(__name__)

LONGEST_NAME = 100
NO_ACCOUNT = phrase("There is no account of that name.")
MINUTE = timedelta(minutes=1)
THEMSELVES = frozenset({Scope.ACCOUNT_READ, Scope.ACCOUNT_WRITE})
"""What somebody may do who must add a second factor first."""


def viewer_of(row: AccountRow, login: LoginRow | None = None, scopes: frozenset[Scope] | None = None) -> Viewer:
    """The viewer that the policy makes of an account; ``scopes`` narrow what an app was let do."""
    given = grants(row.role)
    only = frozenset(Scope) if scopes is None else scopes
    return Viewer(
        name=row.id,
        role=row.role,
        scopes=given.anywhere & only,
        at_sites=given.at_sites & only,
        own=given.own & only,
        sites=row.sites,
        account=row.id,
        person=row.person,
        login=login.id if login else "",
        proved_at=login.proved_at if login else None,
    )


class Recent:
    """Who was found under a secret's hash, for half a second: what is ended elsewhere ends here within a second."""

    def __init__(self, lasts_s: float = 0.5, most: int = 4096) -> None:
        self._lasts_s = lasts_s
        self._most = most
        self._found: dict[bytes, tuple[float, Viewer]] = {}

    def get(self, digest: bytes) -> Viewer | None:
        """The viewer, where looked up just now."""
        until, viewer = self._found.get(digest, (0.0, None))
        return viewer if time.monotonic() < until else None

    def put(self, digest: bytes, viewer: Viewer) -> None:
        """Remember; nobody is remembered as a stranger, so strangers cannot fill it."""
        if len(self._found) >= self._most:
            self._found.clear()
        self._found[digest] = (time.monotonic() + self._lasts_s, viewer)

    def forget(self) -> None:
        """Look everyone up again."""
        self._found.clear()


class Access:
    """The people's and programs' way in; the only one who asks the policy."""

    def __init__(self, store: Store, safe: Safe, settings: Settings, passwords: Passwords | None = None) -> None:
        self._store = store
        self._safe = safe
        self._settings = settings
        self.uses = ScopeUses(store)
        self.passwords = passwords or Passwords(leaked=leaked(settings.password_list))
        self._recent, self._recent_bearers = Recent(), Recent()  # a token is no cookie, nor a cookie a token
        self._touched: dict[str, datetime] = {}
        self.guessing = Guessing(store, safe, self.passwords)

    # --- people ---------------------------------------------------------------------------------------

    async def make_account(
        self, name: str, password: str, role: Role = Role.OWNER, sites: Iterable[str] = (), *, only_new: bool = False
    ) -> AccountRow:
        """Make an active account; one that is there gets another password, which ends its sign-ins, and nothing more.

        Its role, sites and state stay: who was shown out does not come back by this, nor becomes an owner. With
        ``only_new`` Refusal CONFLICT instead; INVALID says what is unfit. For the command line: people are invited.
        """
        if _spoken(name) != name or not name:
            raise Refusal(
                Code.INVALID,
                phrase("An account's name is 1 to {most} printable characters.", most=LONGEST_NAME),
            )
        kept = await self.passwords.hash(password)
        async with self._store.unit() as unit:
            if only_new and await account.by_name(unit.connection, self._safe.name_ref(name)) is not None:
                why = phrase("There is an account of that name. Its role is changed by: wattkeeper staff role")
                raise Refusal(Code.CONFLICT, why)
            row = await self._keep_account(unit, name, kept, role, sites)
        self.forget()
        return row

    async def remove_account(self, name: str) -> None:
        """Remove an account, which ends its sign-ins; Refusal NOT_FOUND."""
        async with self._store.unit() as unit:
            row = await account.by_name(unit.connection, self._safe.name_ref(_spoken(name)))
            found = row is not None and await account.remove(unit, row.id, by="command line")
        self.forget()
        if not found:
            raise Refusal(Code.NOT_FOUND, NO_ACCOUNT)

    async def end_sign_ins(self, name: str | None) -> int:
        """End an account's sign-ins, or everybody's, and the links that wait; how many. Refusal NOT_FOUND."""
        async with self._store.unit() as unit:
            row = None if name is None else await account.by_name(unit.connection, self._safe.name_ref(_spoken(name)))
            if row is None and name is not None:
                raise Refusal(Code.NOT_FOUND, NO_ACCOUNT)
            ended = await account.end_logins(unit, row.id) if row else await account.end_every_login(unit)
            await (secret_link.forget_account(unit, row.id) if row else secret_link.forget_ways_in(unit))
        self.forget()
        return ended

    async def sign_in(self, name: str, password: str, address: str, device: str = "") -> str:
        """The value of a cookie that is good for ``login_hours``; Refusal UNAUTHENTICATED, or BUSY with ``retry_s``."""
        return (await self.enter(name, password, address, device)).cookie

    async def enter(self, name: str, password: str, address: str, device: str = "") -> Entered:
        """A sign-in by password, half where that is not enough; Refusal UNAUTHENTICATED, or BUSY with ``retry_s``."""
        judged = await self.guessing.judge(_spoken(name), password, address)
        async with self._store.unit() as unit:
            if not await proof.still_fits(unit, judged.row.id, judged.row.password_hash or ""):
                raise Refusal(Code.UNAUTHENTICATED, WRONG)  # changed, or shown out, while it was judged
            missing = (await factors_of(unit.connection, judged.row)).strong()
            alone = not judged.row.password_short and judged.failures <= MOST_FAILURES
            if not missing and judged.by_mail and not alone:
                missing = (Factor.MAIL,)
            cookie = await self.begin(unit, judged.row, "password", device, half=bool(missing))
        if not missing:
            self.guessing.came_in(_spoken(name), address)
        return Entered(cookie, missing)

    async def begin(
        self, unit: Unit, row: AccountRow, how: str, device: str = "", *, half: bool = False, proved: bool = True
    ) -> str:
        """A fresh sign-in, never one that was there before; gives the cookie's value. A half one opens nothing yet.

        What asks for a fresh proof is open to it where the person ``proved`` themselves just now.
        """
        cookie = secrets.token_urlsafe(32)
        whole = self._settings.login_lasts(is_staff=row.role.is_staff)
        until = unit.now + (timedelta(minutes=10) if half else whole)
        sealed = None
        if device:
            sealed = await self._safe.seal_for(unit, row.person, "login", "device", device.encode())
        identifier = secrets.token_hex(8)
        kept = (unit, digest(cookie), identifier, row.id, how, until)
        await account.keep_login(*kept, half=half, device=sealed, proved=proved)
        return cookie

    async def sign_out(self, cookie: str) -> None:
        """End a sign-in."""
        async with self._store.unit() as unit:
            await account.remove_login(unit, digest(cookie))
        self.forget()

    async def viewer_by_cookie(self, cookie: str) -> Viewer | None:
        """Who signed in with this cookie; None where nobody, no more, too long ago, or only half."""
        hashed = digest(cookie)
        known = self._recent.get(hashed)
        if known is not None:
            return known
        now = self._store.clock()
        async with self._store.read() as connection:
            found = await account.signed_in(connection, hashed, now)
        if found is None or found[0].half or not self.is_used(*found, now):
            return None
        await self._note(hashed, *found, now)
        viewer = await self.viewer_for(*found)
        self._recent.put(hashed, viewer)
        return viewer

    def is_used(self, login: LoginRow, row: AccountRow, now: datetime) -> bool:
        """Whether a sign-in was used lately: one that lies about ends by itself."""
        return now - login.seen_at <= self._settings.login_rests(is_staff=row.role.is_staff)

    async def viewer_for(
        self, login: LoginRow | None, row: AccountRow, scopes: frozenset[Scope] | None = None
    ) -> Viewer:
        """The viewer of an account; staff without a second factor only look after themselves (`staff_passkeys`).

        Who came in through their company has proved to it what it asks for.
        """
        viewer = viewer_of(row, login, scopes)
        if row.role.is_staff:
            viewer = replace(viewer, noted=self.uses.of(row.id))
        by_company = login is not None and login.how == "oidc"
        if by_company or not (self._settings.staff_passkeys and row.role.is_staff):
            return viewer
        async with self._store.read() as connection:
            if await has_second(connection, row):
                return viewer
        return replace(viewer, scopes=frozenset(), at_sites=frozenset(), own=viewer.own & THEMSELVES)

    def forget(self) -> None:
        """Look everyone up again: something about who may come in has changed."""
        self._recent.forget()
        self._recent_bearers.forget()

    async def adopt(self) -> None:
        """Take over the accounts of the first release, whose names were kept in clear: their holders ran everything."""
        async with self._store.unit() as unit:
            before = await account.before(unit)
            for name, kept, _ in before:
                await self._keep_account(unit, name, kept, Role.OWNER, ())
            if before:
                await account.forget_before(unit)
                log.info("adopted %d accounts of the first release as owners", len(before))

    # --- programs -------------------------------------------------------------------------------------

    async def make_token(
        self, name: str, scopes: frozenset[Scope], expires_at: datetime | None = None, by: str = "command line"
    ) -> str:
        """An API token, shown this once; Refusal (INVALID) where the name is unfit."""
        if _spoken(name) != name or not name:
            raise Refusal(
                Code.INVALID,
                phrase("A token's name is 1 to {most} printable characters.", most=LONGEST_NAME),
            )
        beyond = scopes - grants(Role.SERVICE).anywhere
        if beyond:
            raise Refusal(
                Code.INVALID,
                phrase("No program can be given {scope}: that is for people signed in.", scope=min(beyond)),
            )
        token = "wk_" + secrets.token_urlsafe(32)
        async with self._store.unit() as unit:
            identifier = secrets.token_hex(8)
            await api_token.keep_token(unit, identifier, digest(token), name, scopes, expires_at, by)
        return token

    async def tokens(self) -> list[TokenRow]:
        """Every API token, without the tokens themselves."""
        async with self._store.read() as connection:
            return await api_token.tokens(connection)

    async def revoke_token(self, identifier: str, by: str = "command line") -> None:
        """End an API token; Refusal NOT_FOUND."""
        async with self._store.unit() as unit:
            found = await api_token.remove_token(unit, identifier, by)
        self.forget()
        if not found:
            raise Refusal(Code.NOT_FOUND, phrase("There is no token with that id."))

    async def viewer_by_bearer(self, token: str) -> Viewer | None:
        """Whose API token, or app's access token, this is; None where nobody's, revoked or expired."""
        hashed = digest(token)
        known = self._recent_bearers.get(hashed)
        if known is not None or not token.startswith(("wk_", "wka_")):
            return known
        is_app = token.startswith("wka_")
        viewer = await (self._viewer_of_app(hashed) if is_app else self._viewer_of_token(hashed))
        if viewer is not None:
            self._recent_bearers.put(hashed, viewer)
        return viewer

    # --- within ---------------------------------------------------------------------------------------

    async def _viewer_of_token(self, hashed: bytes) -> Viewer | None:
        """The program that holds this API token."""
        now = self._store.clock()
        async with self._store.read() as connection:
            found = await api_token.token(connection, hashed, now)
        if found is None:
            return None
        await self._touch(found, now)
        return Viewer(found.name, Role.SERVICE, found.scopes & grants(Role.SERVICE).anywhere)

    async def _viewer_of_app(self, hashed: bytes) -> Viewer | None:
        """The person who let in the app that holds this access token, as far as they let it."""
        now = self._store.clock()
        async with self._store.read() as connection:
            found = await oauth.bearer(connection, hashed, now)
        if found is None:
            return None
        grant, row = found
        if grant.used_at is None or now - grant.used_at >= MINUTE:
            async with self._store.unit() as unit:
                await oauth.grant_used(unit, grant.id, now - MINUTE)
        return await self.viewer_for(None, row, grant.scopes)

    async def _keep_account(self, unit: Unit, name: str, kept: str, role: Role, sites: Iterable[str]) -> AccountRow:
        """Make the account of this name, or give the one that is there another password and end its sign-ins."""
        name_ref = self._safe.name_ref(name)
        row = await account.by_name(unit.connection, name_ref)
        if row is None:
            return await self._enter_account(unit, name, name_ref, kept, role, sites)
        await account.change(unit, row.id, by="command line", password_hash=kept, password_short=False, failures=0)
        await account.end_logins(unit, row.id)
        await oauth.end_grants(unit, row.id, oauth.Ended.SECRET_CHANGED)
        await secret_link.forget_account(unit, row.id)
        return row

    async def _enter_account(
        self, unit: Unit, name: str, name_ref: str, kept: str, role: Role, sites: Iterable[str]
    ) -> AccountRow:
        """A new account, and a person for it."""
        person, identifier = f"person:{secrets.token_hex(12)}", f"a{secrets.token_hex(8)}"
        seal = self._safe.enter_subject(unit, person)
        keep_person(unit, person, seal("person", "sealed", orjson.dumps({"name": name})))
        await unit.flush()
        sealed = seal("account", "sealed", orjson.dumps({"name": name}))
        told = (unit, identifier, person, name_ref, sealed, role, AccountState.ACTIVE, "command line")
        await account.make(*told, sites=[*sites], password_hash=kept)
        row = await account.by_id(unit.connection, identifier)
        assert row is not None
        return row

    async def _note(self, hashed: bytes, login: LoginRow, row: AccountRow, now: datetime) -> None:
        """Note the use of a sign-in, once a minute at most."""
        if now - login.seen_at < MINUTE and row.seen_at is not None:
            return
        async with self._store.unit() as unit:
            await account.seen(unit, hashed, row.id, now - MINUTE)

    async def _touch(self, token: TokenRow, now: datetime) -> None:
        """Note the use of a token, once a minute at most."""
        noted = self._touched.get(token.id) or token.last_used_at
        if noted is not None and now - noted < MINUTE:
            return
        self._touched[token.id] = now
        async with self._store.unit() as unit:
            await api_token.used(unit, token.id, now - MINUTE)


def digest(secret: str) -> bytes:
    """What is stored of a 256-bit secret: its SHA-256."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _spoken(name: str) -> str:
    """A name that could be an account's; empty for any other."""
    return name if len(name) <= LONGEST_NAME and name.isprintable() else ""
