"""Who is asking, and what they may see and do: passwords, sign-ins, API tokens."""

from __future__ import annotations

import hashlib
import secrets
import time
from datetime import datetime, timedelta

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import EVERYTHING, Role, Scope, Viewer
from wattkeeper.operations.attempts import Attempts, neighbourhood
from wattkeeper.operations.password import Passwords
from wattkeeper.settings import Settings
from wattkeeper.store import account
from wattkeeper.store.account import TokenRow
from wattkeeper.store.engines import Store

LONGEST_NAME = 100
MINUTE = timedelta(minutes=1)
_KNOWN = 10_000
"""How many pairs of account and address are remembered as having signed in before."""


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
    """The people's and programs' way in."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._passwords = Passwords()
        self._recent = Recent()
        self._touched: dict[str, datetime] = {}
        self._by_address = Attempts(free=20, longest_s=900)
        self._by_account = Attempts(free=10, longest_s=900)
        self._at_home = Attempts(free=10, longest_s=60)
        self._homes: dict[tuple[str, str], None] = {}

    # --- people ---------------------------------------------------------------------------------------

    async def make_account(self, name: str, password: str, role: Role = Role.OPERATOR) -> None:
        """Make an account or replace its password, which ends its sign-ins; Refusal (INVALID) says what is wrong."""
        if _spoken(name) != name or not name:
            raise Refusal(Code.INVALID, f"An account's name is 1 to {LONGEST_NAME} printable characters.")
        kept = await self._passwords.hash(password)
        async with self._store.unit() as unit:
            await account.keep(unit, name, kept, role)
        self._recent.forget()

    async def remove_account(self, name: str) -> None:
        """Remove an account, which ends its sign-ins; Refusal NOT_FOUND."""
        async with self._store.unit() as unit:
            found = await account.remove(unit, _spoken(name))
        self._recent.forget()
        if not found:
            raise Refusal(Code.NOT_FOUND, "There is no account of that name.")

    async def sign_in(self, name: str, password: str, address: str) -> str:
        """The value of a cookie that is good for ``login_hours``; Refusal UNAUTHENTICATED, or BUSY with ``retry_s``."""
        name, address = _spoken(name), neighbourhood(address)
        home = self._count(name, address)
        async with self._store.read() as connection:
            kept = await account.password_of(connection, name)
        if not await self._passwords.fits(kept, password, familiar=home):
            raise Refusal(Code.UNAUTHENTICATED, "The name or the password is wrong.")
        self._forgive(name, address, home)
        return await self._begin(name)

    async def sign_out(self, cookie: str) -> None:
        """End a sign-in."""
        async with self._store.unit() as unit:
            await account.remove_login(unit, _digest(cookie))
        self._recent.forget()

    async def viewer_by_cookie(self, cookie: str) -> Viewer | None:
        """Who signed in with this cookie; None where nobody, no more, or too long ago."""
        digest = _digest(cookie)
        known = self._recent.get(digest)
        if known is not None:
            return known
        async with self._store.read() as connection:
            found = await account.signed_in(connection, digest, self._store.clock())
        if found is None:
            return None
        viewer = Viewer(found[0], found[1], EVERYTHING if found[1] is Role.OPERATOR else frozenset())
        self._recent.put(digest, viewer)
        return viewer

    # --- programs -------------------------------------------------------------------------------------

    async def make_token(self, name: str, scopes: frozenset[Scope], expires_at: datetime | None = None) -> str:
        """An API token, shown this once; Refusal (INVALID) where the name is unfit."""
        if _spoken(name) != name or not name:
            raise Refusal(Code.INVALID, f"A token's name is 1 to {LONGEST_NAME} printable characters.")
        token = "wk_" + secrets.token_urlsafe(32)
        async with self._store.unit() as unit:
            identifier = secrets.token_hex(8)
            await account.keep_token(unit, identifier, _digest(token), name, scopes, expires_at)
        return token

    async def tokens(self) -> list[TokenRow]:
        """Every API token, without the tokens themselves."""
        async with self._store.read() as connection:
            return await account.tokens(connection)

    async def revoke_token(self, identifier: str) -> None:
        """End an API token; Refusal NOT_FOUND."""
        async with self._store.unit() as unit:
            found = await account.remove_token(unit, identifier)
        self._recent.forget()
        if not found:
            raise Refusal(Code.NOT_FOUND, "There is no token with that id.")

    async def viewer_by_bearer(self, token: str) -> Viewer | None:
        """Whose API token this is; None where nobody's, revoked or expired."""
        digest = _digest(token)
        known = self._recent.get(digest)
        if known is not None or not token.startswith("wk_"):
            return known
        now = self._store.clock()
        async with self._store.read() as connection:
            found = await account.token(connection, digest, now)
        if found is None:
            return None
        await self._touch(found, now)
        viewer = Viewer(found.name, Role.SERVICE, found.scopes)
        self._recent.put(digest, viewer)
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

    async def _begin(self, name: str) -> str:
        """A fresh sign-in: never one that was there before."""
        cookie = secrets.token_urlsafe(32)
        async with self._store.unit() as unit:
            until = unit.now + timedelta(hours=self._settings.login_hours)
            await account.keep_login(unit, _digest(cookie), name, until)
        return cookie

    async def _touch(self, token: TokenRow, now: datetime) -> None:
        """Note the use of a token, once a minute at most."""
        noted = self._touched.get(token.id) or token.last_used_at
        if noted is not None and now - noted < MINUTE:
            return
        self._touched[token.id] = now
        async with self._store.unit() as unit:
            await account.used(unit, token.id, now - MINUTE)


def _digest(secret: str) -> bytes:
    """What is stored of a 256-bit secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _spoken(name: str) -> str:
    """A name that could be an account's; empty for any other."""
    return name if len(name) <= LONGEST_NAME and name.isprintable() else ""
