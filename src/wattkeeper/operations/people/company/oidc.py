"""Signing in through one's company (OpenID Connect): code, PKCE, state and nonce; linked by its subject alone."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import orjson
from sqlalchemy.exc import IntegrityError

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import FRESH, Role, Scope, Viewer
from wattkeeper.charging.phrase import joined, phrase
from wattkeeper.operations.access import Access
from wattkeeper.operations.people.company.id_token import LAST_S, SKEW, Expected, Unproved, check, header_of
from wattkeeper.operations.people.company.provider import Provider, Unreachable, is_local, is_safe
from wattkeeper.operations.people.letters.letters import Kind
from wattkeeper.operations.people.letters.mail import Mail
from wattkeeper.operations.people.own import BY_COMPANY, COMPANY_S
from wattkeeper.operations.people.sign_in.attempts import Attempts, need_patience, neighbourhood
from wattkeeper.operations.people.sign_in.factors import Factor, factors_of
from wattkeeper.operations.safe import Safe
from wattkeeper.settings import Settings
from wattkeeper.store.cards.card import keep_person
from wattkeeper.store.engines import Store
from wattkeeper.store.people import account, identity, oauth
from wattkeeper.store.people.account import AccountRow, AccountState
from wattkeeper.store.people.oauth import LIVING
from wattkeeper.store.unit import Unit
from wattkeeper.vault.keys import KeyRefused

log = logging.getLogger(__name__)

LASTS = timedelta(minutes=10)
"""How long one may take at the company's door."""
LONGEST_NAME = 100
CALLBACK = "/login/company/callback"
AGAIN = phrase("Start again from the sign-in page.")


@dataclass(frozen=True, slots=True)
class Leaving:
    """Where a browser goes, and what it must bring back."""

    address: str
    cookie: str


@dataclass(frozen=True, slots=True)
class Arrived:
    """Somebody whom their company has named."""

    subject: str
    """The pseudonym of who it is there."""
    name: str
    """What they are called there; nothing is decided by it."""
    role: Role | None
    """What their company's word makes of them here; None where it makes nothing."""
    next: str
    connect: str
    """The account that asked to be connected; empty where somebody signs in."""
    proved: bool = False
    """Whether their company says that they proved themselves to it just now: it often knows them from this morning."""
    older: tuple[str, ...] = ()
    """The subject's pseudonyms under keys before this one."""


class Company:
    """The way in through a company's own sign-in."""

    def __init__(self, store: Store, safe: Safe, access: Access, settings: Settings) -> None:
        self._store = store
        self._safe = safe
        self._access = access
        self._settings = settings
        self._provider, self._mail = Provider(settings), Mail(store, safe, settings)
        self._attempts = Attempts(free=20, longest_s=60)
        self._roles = roles_of(settings)
        if self.is_open and not is_safe(settings.oidc_issuer, local=is_local(settings.oidc_issuer)):
            raise ValueError("WATTKEEPER_OIDC_ISSUER must be an https address.")

    @property
    def is_open(self) -> bool:
        """Whether there is such a way in."""
        return bool(self._settings.oidc_issuer)

    @property
    def name(self) -> str:
        """What it is called on a button."""
        return self._settings.oidc_name

    # --- there and back ---------------------------------------------------------------------------------

    async def leave(self, next: str, connect: str = "", *, again: bool = False) -> Leaving:
        """Send a browser to the company's door; ``connect`` is the account to be connected. Refusal NOT_FOUND.

        With ``again`` the company is to ask once more who it is (OpenID Connect Core 3.1.2.1), for a fresh proof.
        """
        self._need_open()
        try:
            described = await self._provider.described()
        except Unreachable as why:
            raise self._silent(why) from None
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        until = int((self._store.clock() + LASTS).timestamp())
        kept = {"state": state, "nonce": nonce, "verifier": verifier, "next": next, "connect": connect, "until": until}
        asked = {
            "response_type": "code",
            "client_id": self._settings.oidc_client_id,
            "redirect_uri": self._settings.address + CALLBACK,
            "scope": self._settings.oidc_scope,
            "state": state,
            "nonce": nonce,
            "code_challenge": _challenge(verifier),
            "code_challenge_method": "S256",
        }
        asked |= {"prompt": "login", "max_age": "0"} if again else {}
        sign = "&" if "?" in described.authorize else "?"
        return Leaving(f"{described.authorize}{sign}{urlencode(asked)}", self._seal("leaving", kept))

    async def arrive(self, cookie: str, given: Mapping[str, str], address: str) -> Arrived:
        """Who came back from the company's door with this browser's cookie; Refusal FORBIDDEN, or BUSY."""
        self._need_open()
        self._count(neighbourhood(address))
        kept = self._unseal("leaving", cookie)
        if not hmac.compare_digest(given.get("state", "").encode(), str(kept["state"]).encode()):
            raise Refusal(Code.FORBIDDEN, joined((phrase("This sign-in was not begun in this browser."), AGAIN)))
        try:
            claims = await self._claims(given, str(kept["nonce"]), str(kept["verifier"]))
        except Unreachable as why:
            raise self._silent(why) from None
        except Unproved as why:
            log.warning("a sign-in through %s was not believed: %s", self._provider.issuer, why)
            raise Refusal(
                Code.FORBIDDEN, joined((phrase("{company} did not prove who you are.", company=self.name), AGAIN))
            ) from None
        self._attempts.forgive(neighbourhood(address))
        subject, *older = self._subjects(str(claims["sub"]))
        known = (subject, _name(claims), self._role(claims), str(kept["next"]), str(kept["connect"]))
        return Arrived(*known, proved=_is_fresh(claims, self._store.clock()), older=tuple(older))

    # --- in ---------------------------------------------------------------------------------------------

    async def enter(self, arrived: Arrived, device: str = "") -> str:
        """Sign in: the cookie's value. Refusal FORBIDDEN where nobody let this person in."""
        async with self._store.unit() as unit:
            row = await self._account(unit, arrived)
            cookie = None if row is None else await self._access.begin(unit, row, "oidc", device, proved=arrived.proved)
        self._access.forget()
        if cookie is None:
            why = phrase(
                "{company} knows you, but nobody has let you in here. Ask whoever runs this installation.",
                company=self.name,
            )
            raise Refusal(Code.FORBIDDEN, why)
        return cookie

    def hold(self, arrived: Arrived) -> str:
        """Who arrived, sealed, until they confirm that this is to be connected with their account."""
        until = int((self._store.clock() + LASTS).timestamp())
        kept = {"subject": arrived.subject, "account": arrived.connect, "until": until}
        return self._seal("arrived", kept)

    async def connect(self, viewer: Viewer, held: str) -> None:
        """Sign in to the viewer's account this way from now on; Refusal PROOF, FORBIDDEN, or CONFLICT if taken."""
        self._need_open()
        viewer.need_own(Scope.ACCOUNT_WRITE)
        kept = self._unseal("arrived", held)
        viewer.need_fresh(self._store.clock())
        if kept["account"] != viewer.account:
            raise Refusal(Code.FORBIDDEN, joined((phrase("This was begun by somebody else."), AGAIN)))
        try:
            async with self._store.unit() as unit:
                row = await self._made_here(unit, viewer)
                await identity.remove(unit, row.id, self._provider.issuer)
                await identity.keep(unit, self._provider.issuer, str(kept["subject"]), row.id)
                await self._mail.tell(unit, row, Kind.FACTOR_ADDED, what="company")
        except IntegrityError:
            raise Refusal(Code.CONFLICT, phrase("This sign-in opens another account already.")) from None

    async def disconnect(self, viewer: Viewer) -> None:
        """Do not sign in to the viewer's account this way any more; Refusal PROOF, NOT_FOUND."""
        viewer.need_own(Scope.ACCOUNT_WRITE)
        async with self._store.unit() as unit:
            row = await self._made_here(unit, viewer)
            viewer.need_fresh(unit.now)
            if not await identity.remove(unit, row.id, self._provider.issuer):
                raise Refusal(
                    Code.NOT_FOUND, phrase("Your account is not connected with {company}.", company=self.name)
                )
            await self._mail.tell(unit, row, Kind.FACTOR_REMOVED, what="company")

    async def is_connected(self, viewer: Viewer) -> bool:
        """Whether the viewer's account is signed in to this way."""
        async with self._store.read() as connection:
            return self._provider.issuer in await identity.issuers(connection, viewer.account)

    async def proving(self, viewer: Viewer) -> str:
        """What the company is called, where through it alone the viewer proves who they are; else empty."""
        if not self.is_open or not await self.is_connected(viewer):
            return ""
        async with self._store.read() as connection:
            row = await account.by_id(connection, viewer.account)
            only = row is not None and (await factors_of(connection, row)).fresh() == (Factor.MAIL,)
        return self.name if only else ""

    # --- within -----------------------------------------------------------------------------------------

    async def _claims(self, given: Mapping[str, str], nonce: str, verifier: str) -> Mapping[str, Any]:
        """What the company says, proved; raises Unproved, Unreachable."""
        described = await self._provider.described()
        if given.get("iss", None if described.names_itself else self._provider.issuer) != self._provider.issuer:
            raise Unproved("the answer is of another issuer")
        if not given.get("code"):
            raise Unproved("the provider gave no code")
        redirect = self._settings.address + CALLBACK
        answer = await self._provider.exchange(given["code"], verifier, redirect)
        _, kid = header_of(answer.id_token)
        expected = Expected(self._provider.issuer, self._settings.oidc_client_id, nonce, answer.access_token)
        claims = check(answer.id_token, await self._provider.keys(kid), expected, self._store.clock())
        return await self._completed(claims, answer.access_token)

    async def _completed(self, claims: Mapping[str, Any], access_token: str) -> Mapping[str, Any]:
        """The claims with what the provider only tells when asked, where a role is looked for or a name missing."""
        wanted = self._settings.oidc_role_claim
        if (not wanted or wanted in claims) and _name(claims):
            return claims
        more = await self._provider.person(access_token)
        if more and more.get("sub") != claims["sub"]:
            raise Unproved("the provider told of somebody else (OpenID Connect Core 5.3.2)")
        return {**more, **claims}

    async def _account(self, unit: Unit, arrived: Arrived) -> AccountRow | None:
        """The account of who arrived: the connected one, else one that the company's word makes."""
        refs = (arrived.subject, *arrived.older)
        known = await identity.account_of(unit.connection, self._provider.issuer, refs)
        if known is None:
            return None if arrived.role is None else await self._make(unit, arrived, arrived.role)
        if arrived.older:
            await identity.rename(unit, self._provider.issuer, arrived.older, arrived.subject)
        row = await account.by_id(unit.connection, known)
        if row is None or row.state not in LIVING:
            return None
        if row.created_by != BY_COMPANY or row.role is arrived.role:
            return row
        await account.end_logins(unit, row.id)
        if arrived.role is None:
            await oauth.end_grants(unit, row.id, oauth.Ended.DISABLED)
            return None
        await account.change(unit, row.id, by=BY_COMPANY, role=arrived.role.value)
        return await account.by_id(unit.connection, row.id)

    async def _make(self, unit: Unit, arrived: Arrived, role: Role) -> AccountRow | None:
        """An account for who arrived. Nobody can type what it signs in with, so only the company opens it."""
        person, identifier = f"person:{secrets.token_hex(12)}", f"a{secrets.token_hex(8)}"
        seal = self._safe.enter_subject(unit, person)
        plain = orjson.dumps({"name": arrived.name or "?"})
        keep_person(unit, person, seal("person", "sealed", plain))
        await unit.flush()
        name_ref = self._safe.name_ref(f"oidc {arrived.subject}")
        sealed = seal("account", "sealed", plain)
        await account.make(unit, identifier, person, name_ref, sealed, role, AccountState.ACTIVE, BY_COMPANY)
        await identity.keep(unit, self._provider.issuer, arrived.subject, identifier)
        return await account.by_id(unit.connection, identifier)

    async def _made_here(self, unit: Unit, viewer: Viewer) -> AccountRow:
        """The viewer's account; Refusal FORBIDDEN where the company made it: then it has no other way in."""
        row = await account.by_id(unit.connection, viewer.account)
        if row is None or row.created_by == BY_COMPANY:
            raise Refusal(Code.FORBIDDEN, COMPANY_S)
        return row

    def _role(self, claims: Mapping[str, Any]) -> Role | None:
        """The first role whose word is among the claim's, else the default; None lets nobody in."""
        told = claims.get(self._settings.oidc_role_claim) if self._settings.oidc_role_claim else None
        words = [told] if isinstance(told, str) else told if isinstance(told, list) else []
        found = [role for word, role in self._roles if word in words]
        default = self._settings.oidc_default_role
        return found[0] if found else Role(default) if default else None

    def _subjects(self, subject: str) -> list[str]:
        """The pseudonyms of a subject, the newest first; two that differ in case alone are two (Connect Core 2)."""
        tags = self._safe.tags("oidc subject", f"{self._provider.issuer}\n{subject}".encode(), 32)
        return [f"o{version}:{tag.hex()}" for version, tag in zip(self._safe.code_versions, tags, strict=True)]

    def _seal(self, what: str, kept: Mapping[str, Any]) -> str:
        return base64.urlsafe_b64encode(self._safe.seal("identity", what, orjson.dumps(kept))).decode()

    def _unseal(self, what: str, sealed: str) -> dict[str, Any]:
        """What we sealed ourselves, not too long ago; Refusal FORBIDDEN."""
        try:
            plain = self._safe.unseal("identity", what, base64.urlsafe_b64decode(sealed))
            kept: dict[str, Any] = orjson.loads(plain)
        except (KeyRefused, binascii.Error, ValueError):
            kept = {"until": 0}
        if kept["until"] <= self._store.clock().timestamp():
            raise Refusal(
                Code.FORBIDDEN,
                joined((phrase("This sign-in was not begun in this browser, or too long ago."), AGAIN)),
            )
        return kept

    def _count(self, near: str) -> None:
        """Count a try, for each asks the company something; Refusal BUSY where too many failed."""
        need_patience([(self._attempts, near)], phrase("Too many tries that failed."))

    def _need_open(self) -> None:
        if not self.is_open:
            raise Refusal(Code.NOT_FOUND, phrase("There is no company sign-in here."))

    def _silent(self, why: Unreachable) -> Refusal:
        log.warning("the sign-in of %s could not be reached: %s", self._provider.issuer, why)
        return Refusal(
            Code.FORBIDDEN, phrase("{company} does not answer as it should. Try again in a while.", company=self.name)
        )


def roles_of(settings: Settings) -> list[tuple[str, Role]]:
    """The company's words for our roles, the first that fits counts; raises ValueError where a role does not exist."""
    pairs = [one.strip().rpartition("=") for one in settings.oidc_roles.split(",") if one.strip()]
    try:
        roles = [(word.strip(), Role(role.strip())) for word, _, role in pairs]
        fit = all(word for word, _ in roles) and Role.SERVICE not in {role for _, role in roles}
        good = fit and (not settings.oidc_default_role or Role(settings.oidc_default_role) is not Role.SERVICE)
    except ValueError:
        good = False
    if not good:
        known = ", ".join(role for role in Role if role is not Role.SERVICE)
        raise ValueError(f"WATTKEEPER_OIDC_ROLES and …_DEFAULT_ROLE name roles that exist: {known}.")
    return roles


def _name(claims: Mapping[str, Any]) -> str:
    """What somebody is called; empty where that is not told."""
    told = [claims.get(name) for name in ("email", "preferred_username", "name")]
    said = [one for one in told if isinstance(one, str) and one and one.isprintable()]
    return said[0][:LONGEST_NAME] if said else ""


def _is_fresh(claims: Mapping[str, Any], now: datetime) -> bool:
    """Whether the person proved themselves to their company just now; where it does not say, they did not."""
    at = claims.get("auth_time")
    if isinstance(at, bool) or not isinstance(at, int | float) or not 0 <= at <= LAST_S:
        return False
    return -SKEW.total_seconds() <= now.timestamp() - at <= FRESH.total_seconds()


def _challenge(verifier: str) -> str:
    """PKCE S256 (RFC 7636 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
