"""Who is asking, and what they may see and do: the policy's answer for a sign-in, an API token or an app."""

from __future__ import annotations

import hashlib
import logging
import secrets
import time
from collections.abc import Iterable
from datetime import datetime, timedelta

import orjson

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Role, Scope, Viewer
from wattkeeper.operations.people.attempts import Attempts, neighbourhood
from wattkeeper.operations.people.password import Passwords
from wattkeeper.operations.policy import grants
from wattkeeper.operations.safe import Safe
from wattkeeper.settings import Settings
from wattkeeper.store import account, api_token
from wattkeeper.store.account import AccountRow, AccountState, LoginRow
from wattkeeper.store.api_token import TokenRow
from wattkeeper.store.card import keep_person
from wattkeeper.store.engines import Store
from wattkeeper.store.unit import Unit

log = logging.getLogger(__name__)

LONGEST_NAME = 100
MINUTE = timedelta(minutes=1)
_KNOWN = 10_000
"""How many pairs of account and address are remembered as having signed in before."""


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

    def __init__(self, store: Store, safe: Safe, settings: Settings) -> None:
        self._store = store
        self._safe = safe
        self._settings = settings
        self.passwords = Passwords()
        self._recent = Recent()
        self._touched: dict[str, datetime] = {}
        self._by_address = Attempts(free=20, longest_s=900)
        self._by_account = Attempts(free=10, longest_s=900)
        self._at_home = Attempts(free=10, longest_s=60)
        self._homes: dict[tuple[str, str], None] = {}

    # --- people ---------------------------------------------------------------------------------------

    async def make_account(self, name: str, password: str, role: Role = Role.OWNER, sites: Iterable[str] = ()) -> None:
        """Make an active account or replace its password, which ends its sign-ins; Refusal INVALID says why not.

        For the command line: people are invited, or sign up.
        """
        if _spoken(name) != name or not name:
            raise Refusal(Code.INVALID, f"An account's name is 1 to {LONGEST_NAME} printable characters.")
        kept = await self.passwords.hash(password)
        async with self._store.unit() as unit:
            await self._keep_account(unit, name, kept, role, sites)
        self.forget()

    async def remove_account(self, name: str) -> None:
        """Remove an account, which ends its sign-ins; Refusal NOT_FOUND."""
        async with self._store.unit() as unit:
            row = await account.by_name(unit.connection, self._safe.name_ref(_spoken(name)))
            found = row is not None and await account.remove(unit, row.id)
        self.forget()
        if not found:
            raise Refusal(Code.NOT_FOUND, "There is no account of that name.")

    async def sign_in(self, name: str, password: str, address: str, device: str = "") -> str:
        """The value of a cookie that is good for ``login_hours``; Refusal UNAUTHENTICATED, or BUSY with ``retry_s``."""
        name, address = _spoken(name), neighbourhood(address)
        home = self._count(name, address)
        async with self._store.read() as connection:
            row = await account.by_name(connection, self._safe.name_ref(name))
        kept = row.password_hash if row is not None and row.state is AccountState.ACTIVE else None
        if not await self.passwords.fits(kept, password, familiar=home) or row is None:
            raise Refusal(Code.UNAUTHENTICATED, "The name or the password is wrong.")
        self._forgive(name, address, home)
        async with self._store.unit() as unit:
            return await self.begin(unit, row, "password", device)

    async def begin(self, unit: Unit, row: AccountRow, how: str, device: str = "", *, half: bool = False) -> str:
        """A fresh sign-in, never one that was there before; gives the cookie's value. A half one opens nothing yet."""
        cookie = secrets.token_urlsafe(32)
        until = unit.now + (timedelta(minutes=10) if half else timedelta(hours=self._settings.login_hours))
        sealed = None
        if device:
            sealed = await self._safe.seal_for(unit, row.person, "login", "device", device.encode())
        identifier = secrets.token_hex(8)
        await account.keep_login(unit, digest(cookie), identifier, row.id, how, until, half=half, device=sealed)
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
        if found is None or found[0].half:
            return None
        await self._note(hashed, *found, now)
        viewer = viewer_of(found[1], found[0])
        self._recent.put(hashed, viewer)
        return viewer

    def forget(self) -> None:
        """Look everyone up again: something about who may come in has changed."""
        self._recent.forget()

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

    async def make_token(self, name: str, scopes: frozenset[Scope], expires_at: datetime | None = None) -> str:
        """An API token, shown this once; Refusal (INVALID) where the name is unfit."""
        if _spoken(name) != name or not name:
            raise Refusal(Code.INVALID, f"A token's name is 1 to {LONGEST_NAME} printable characters.")
        beyond = scopes - grants(Role.SERVICE).anywhere
        if beyond:
            raise Refusal(Code.INVALID, f"No program can be given {min(beyond)}: that is for people signed in.")
        token = "wk_" + secrets.token_urlsafe(32)
        async with self._store.unit() as unit:
            identifier = secrets.token_hex(8)
            await api_token.keep_token(unit, identifier, digest(token), name, scopes, expires_at)
        return token

    async def tokens(self) -> list[TokenRow]:
        """Every API token, without the tokens themselves."""
        async with self._store.read() as connection:
            return await api_token.tokens(connection)

    async def revoke_token(self, identifier: str) -> None:
        """End an API token; Refusal NOT_FOUND."""
        async with self._store.unit() as unit:
            found = await api_token.remove_token(unit, identifier)
        self.forget()
        if not found:
            raise Refusal(Code.NOT_FOUND, "There is no token with that id.")

    async def viewer_by_bearer(self, token: str) -> Viewer | None:
        """Whose API token this is; None where nobody's, revoked or expired."""
        hashed = digest(token)
        known = self._recent.get(hashed)
        if known is not None or not token.startswith("wk_"):
            return known
        now = self._store.clock()
        async with self._store.read() as connection:
            found = await api_token.token(connection, hashed, now)
        if found is None:
            return None
        await self._touch(found, now)
        viewer = Viewer(found.name, Role.SERVICE, found.scopes & grants(Role.SERVICE).anywhere)
        self._recent.put(hashed, viewer)
        return viewer

    # --- within ---------------------------------------------------------------------------------------

    def _count(self, name: str, address: str) -> bool:
        """Count a guess before it is judged; whether the account has signed in from this address before.

        Where it has, strangers' guesses from elsewhere do not make it wait: its owner is never locked out by them.
        """
        home = (name, address) in self._homes
        judges = [(self._by_account, name), (self._by_address, address)]
        if home:
            judges = [(self._at_home, f"{name}@{address}")]
        wait_s = max(attempts.wait_s(key) for attempts, key in judges)
        if wait_s > 0:
            raise Refusal(Code.BUSY, f"Too many wrong passwords. Try again in {wait_s:.0f} s.", retry_s=wait_s)
        for attempts, key in judges:
            attempts.count(key)
        return home

    def _forgive(self, name: str, address: str, home: bool) -> None:
        """The password was right: nothing is counted against this account here."""
        if home:
            self._at_home.forgive(f"{name}@{address}")
        else:
            self._by_account.forgive(name)
            self._by_address.forgive(address)
        self._homes.pop((name, address), None)
        self._homes[name, address] = None
        if len(self._homes) > _KNOWN:
            del self._homes[next(iter(self._homes))]

    async def _keep_account(self, unit: Unit, name: str, kept: str, role: Role, sites: Iterable[str]) -> None:
        """Make the account of this name, or give it another password, role and sites and end its sign-ins."""
        name_ref = self._safe.name_ref(name)
        row = await account.by_name(unit.connection, name_ref)
        if row is not None:
            where = {
                "role": role.value,
                "sites": orjson.dumps(sorted(sites)).decode(),
                "state": AccountState.ACTIVE.value,
            }
            await account.change(unit, row.id, password_hash=kept, **where)
            await account.end_logins(unit, row.id)
            return
        person = f"person:{secrets.token_hex(12)}"
        seal = self._safe.enter_subject(unit, person)
        keep_person(unit, person, seal("person", "sealed", orjson.dumps({"name": name})))
        await unit.flush()
        sealed = seal("account", "sealed", orjson.dumps({"name": name}))
        state = AccountState.ACTIVE
        identifier = f"a{secrets.token_hex(8)}"
        by = "command line"
        await account.make(
            unit, identifier, person, name_ref, sealed, role, state, by, sites=[*sites], password_hash=kept
        )

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
