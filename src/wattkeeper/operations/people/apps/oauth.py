"""Letting apps in (OAuth 2.1): consent becomes a code, a code tokens; what is shown twice ends everything."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import Said, phrase
from wattkeeper.operations.access import Access, digest, viewer_of
from wattkeeper.operations.people.apps.redirects import is_registered
from wattkeeper.operations.people.letters.letters import Kind, letter
from wattkeeper.operations.people.letters.mail import Mail
from wattkeeper.operations.people.letters.notices import Notices
from wattkeeper.operations.people.security import Case, note
from wattkeeper.operations.people.sign_in.attempts import Attempts, need_patience, neighbourhood
from wattkeeper.store.engines import Store
from wattkeeper.store.people import account, oauth, proof
from wattkeeper.store.people.oauth import LIVING, ClientRow, CodeRow, Ended, GrantRow, TokenUse
from wattkeeper.store.unit import Unit

CODE_LASTS = timedelta(minutes=1)
ACCESS_LASTS = timedelta(minutes=10)
REFRESH_LASTS = timedelta(days=30)
GRANT_LASTS = timedelta(days=365)
"""How long an app stays in, however often it refreshes; then its person is asked again."""
LONGEST_STATE = 2_000
NEVER = frozenset({Scope.STAFF_WRITE, Scope.TOKENS_WRITE, Scope.SECURITY_WRITE})
"""What no app is let do: to change who may come in."""
_ID = re.compile(r"[0-9a-f]{16}")
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
"""A SHA-256 in base64url (RFC 7636 4.2)."""
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
"""RFC 7636 4.1."""


class Fault(StrEnum):
    """What is wrong, in the words that apps know (RFC 6749 4.1.2.1 and 5.2)."""

    INVALID_REQUEST = "invalid_request"
    INVALID_CLIENT = "invalid_client"
    INVALID_GRANT = "invalid_grant"
    INVALID_SCOPE = "invalid_scope"
    UNSUPPORTED_GRANT_TYPE = "unsupported_grant_type"
    UNSUPPORTED_RESPONSE_TYPE = "unsupported_response_type"
    ACCESS_DENIED = "access_denied"
    TEMPORARILY_UNAVAILABLE = "temporarily_unavailable"


@dataclass(frozen=True, slots=True)
class Asked:
    """What an app asks a person for."""

    client: ClientRow
    redirect: str
    scopes: frozenset[Scope]
    challenge: str
    """The PKCE S256 challenge."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What an app is handed, this once."""

    access: str
    refresh: str
    scopes: frozenset[Scope]


def refused(fault: Fault, why: Said) -> Refusal:
    """A refusal that names the fault in the words of OAuth: ``details["oauth"]``."""
    code = Code.UNAUTHENTICATED if fault is Fault.INVALID_CLIENT else Code.INVALID
    return Refusal(code, why, oauth=fault)


class OAuth:
    """The authorization server."""

    def __init__(
        self,
        store: Store,
        access: Access,
        notices: Notices,
        mail: Mail,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._access = access
        self._notices = notices
        self._mail = mail
        self._by_client = Attempts(free=20, longest_s=60, ticks=ticks)
        self._by_address = Attempts(free=100, longest_s=60, ticks=ticks)

    # --- asking people --------------------------------------------------------------------------------

    async def client_of(self, given: Mapping[str, str]) -> tuple[ClientRow, str]:
        """Which app asks and where it wants the answer; Refusal INVALID: then nobody may be sent anywhere."""
        client = await self._find(given.get("client_id", ""))
        if client is None:
            raise Refusal(Code.INVALID, phrase("The app that sent you here is not known here, or no longer."))
        redirect = given.get("redirect_uri", "")
        if not is_registered(redirect, client.redirects):
            raise Refusal(
                Code.INVALID,
                phrase("{app} asked to send you to an address that it has not registered.", app=client.name),
            )
        return client, redirect

    def asked(self, client: ClientRow, redirect: str, given: Mapping[str, str]) -> Asked:
        """What the app asks for; a Refusal with ``oauth`` is for the app to hear."""
        if given.get("response_type") != "code":
            raise refused(Fault.UNSUPPORTED_RESPONSE_TYPE, phrase("Only response_type=code is known here."))
        if given.get("response_mode", "query") != "query":
            raise refused(Fault.INVALID_REQUEST, phrase("Only response_mode=query is known here."))
        challenge = given.get("code_challenge", "")
        if given.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(challenge):
            raise refused(Fault.INVALID_REQUEST, phrase("A code_challenge with code_challenge_method=S256 is needed."))
        if len(given.get("state", "")) > LONGEST_STATE:
            raise refused(
                Fault.INVALID_REQUEST,
                phrase("The state is longer than {most} characters.", most=LONGEST_STATE),
            )
        return Asked(client, redirect, _scopes(given.get("scope", "")), challenge)

    async def allow(self, viewer: Viewer, asked: Asked) -> str:
        """The person agrees: a code, good once, for a minute. Refusal INVALID where the account may do none of it.

        Refusal UNAUTHENTICATED where their sign-in ended meanwhile: what it let in would outlive it.
        """
        scopes = grantable(viewer, asked.scopes)
        if not viewer.account or not scopes:
            raise refused(Fault.INVALID_SCOPE, phrase("This account may do nothing of what the app asks for."))
        code = "wkc_" + secrets.token_urlsafe(32)
        async with self._store.unit() as unit:
            if await proof.login_named(unit.connection, viewer.account, viewer.login) is None:
                raise Refusal(Code.UNAUTHENTICATED, phrase("This sign-in has ended. Sign in again."))
            until = unit.now + CODE_LASTS
            client, redirect = asked.client.id, asked.redirect
            row = CodeRow(client, viewer.account, None, redirect, asked.challenge, scopes, until)
            await oauth.keep_code(unit, digest(code), row)
        return code

    # --- answering apps -------------------------------------------------------------------------------

    async def authenticate(self, identifier: str, secret: str, address: str) -> ClientRow:
        """The app that asks, counted by app and address until `forgive`; Refusal UNAUTHENTICATED or BUSY."""
        self._count(identifier, address)
        client = await self._find(identifier)
        if client is None or not _knows(client, secret):
            raise refused(Fault.INVALID_CLIENT, phrase("There is no such app, or its secret is wrong."))
        return client

    def forgive(self, client: ClientRow, address: str) -> None:
        """What was asked was right: nothing is counted against the app at this address."""
        self._by_client.forgive(f"{client.id}@{neighbourhood(address)}")
        self._by_address.forgive(neighbourhood(address))

    async def exchange(self, client: ClientRow, code: str, verifier: str, redirect: str | None) -> Tokens:
        """Tokens for a code; Refusal INVALID (invalid_grant). A code that was used already ends what it became."""
        async with self._store.unit() as unit:
            tokens = await self._spend_code(unit, client, digest(code), verifier, redirect)
        if tokens is None:
            self._access.forget()
            why = phrase("The code is not good: unknown, older than a minute, used already, or for another app.")
            raise refused(Fault.INVALID_GRANT, why)
        return tokens

    async def refresh(self, client: ClientRow, token: str, scope: str = "") -> Tokens:
        """Fresh tokens for a refresh token, which is then used up; one that was used already ends the grant.

        A narrower ``scope`` is heard but not kept to: the answer says what the tokens may do (RFC 6749 5.1).
        """
        asked = _scopes(scope) if scope else frozenset()
        async with self._store.unit() as unit:
            tokens = await self._spend_refresh(unit, client, digest(token), asked)
        if tokens is None:
            self._access.forget()
            why = phrase(
                "The refresh token is not good: unknown, expired, ended by its owner, used already, or another app's."
            )
            raise refused(Fault.INVALID_GRANT, why)
        return tokens

    async def revoke(self, client: ClientRow, token: str) -> bool:
        """Give a token back (RFC 7009): a refresh token ends the whole grant. Whether it was any good."""
        async with self._store.unit() as unit:
            found = await oauth.token(unit, digest(token))
            if found is None:
                return False
            if found.grant.client != client.id:
                raise refused(Fault.INVALID_GRANT, phrase("This token is another app's."))
            if found.use is TokenUse.REFRESH:
                await oauth.end_grant(unit, found.grant.id, Ended.APP)
            else:
                await oauth.drop_token(unit, digest(token))
        self._access.forget()
        return True

    # --- within ---------------------------------------------------------------------------------------

    async def _find(self, identifier: str) -> ClientRow | None:
        """The app with this id, which whoever asks has typed."""
        if not _ID.fullmatch(identifier):
            return None
        async with self._store.read() as connection:
            return await oauth.client(connection, identifier)

    async def _spend_code(
        self, unit: Unit, client: ClientRow, code: bytes, verifier: str, redirect: str | None
    ) -> Tokens | None:
        """Tokens for a code, or None; what must end then ends in the same transaction."""
        row = await oauth.code(unit, code)
        if row is None or row.client != client.id:
            return None
        grant = secrets.token_hex(8)
        if row.grant is not None or not await oauth.use_code(unit, code, grant):
            await self._end_doubled(unit, await oauth.code(unit, code), Ended.CODE_TWICE)
            return None
        proved = _proves(verifier, row.challenge) and redirect in (None, row.redirect)
        if not proved or row.expires_at <= unit.now or not await _lives(unit, row.account):
            await oauth.drop_code(unit, code)
            return None
        await oauth.keep_grant(unit, grant, row)
        return await _hand_out(unit, grant, row.account, row.scopes, unit.now + GRANT_LASTS)

    async def _spend_refresh(
        self, unit: Unit, client: ClientRow, token: bytes, asked: frozenset[Scope]
    ) -> Tokens | None:
        """Fresh tokens, or None; what must end then ends in the same transaction."""
        found = await oauth.token(unit, token)
        if found is None or found.use is not TokenUse.REFRESH or found.grant.client != client.id:
            return None
        grant = found.grant
        if grant.ended_at is not None or found.expires_at <= unit.now or not await _lives(unit, grant.account):
            return None
        if not asked <= grant.scopes:
            raise refused(Fault.INVALID_SCOPE, phrase("More is asked for than was granted."))
        if not await oauth.use_refresh(unit, token):
            await self._end(unit, grant, Ended.REFRESH_TWICE)
            return None
        return await _hand_out(unit, grant.id, grant.account, grant.scopes, grant.created_at + GRANT_LASTS)

    async def _end_doubled(self, unit: Unit, row: CodeRow | None, why: Ended) -> None:
        """End what a code became, for it was shown twice (RFC 6749 4.1.2)."""
        grant = await oauth.grant(unit, row.grant) if row is not None and row.grant is not None else None
        if grant is not None:
            await self._end(unit, grant, why)

    async def _end(self, unit: Unit, grant: GrantRow, why: Ended) -> None:
        """End a grant because somebody else may hold its tokens, and tell its owner."""
        if not await oauth.end_grant(unit, grant.id, why):
            return
        note(Case(why.value), grant.account)
        owner = await account.by_id(unit.connection, grant.account)
        if owner is None:
            return
        language = (await self._mail.known(unit, owner)).get("language", "en")
        said = letter(Kind.APP_ENDED, language, self._mail.home)
        words = {"title": said.subject.removeprefix("Wattkeeper: "), "text": said.text.strip()}
        await self._notices.tell(unit, owner.person, Kind.APP_ENDED, words)

    def _count(self, client: str, address: str) -> None:
        """Count a try before it is judged; Refusal BUSY where there were too many that failed."""
        near = neighbourhood(address)
        judges = ((self._by_client, f"{client}@{near}"), (self._by_address, near))
        need_patience(judges, phrase("Too many tries that failed."), oauth=Fault.TEMPORARILY_UNAVAILABLE)


def grantable(viewer: Viewer, scopes: frozenset[Scope]) -> frozenset[Scope]:
    """What of these scopes the viewer may let an app do."""
    return scopes & (viewer.scopes | viewer.at_sites | viewer.own) - NEVER


async def _lives(unit: Unit, account_id: str) -> bool:
    """Whether an account is there and not disabled."""
    row = await account.by_id(unit.connection, account_id)
    return row is not None and row.state in LIVING


async def _hand_out(unit: Unit, grant: str, account_id: str, scopes: frozenset[Scope], until: datetime) -> Tokens:
    """A fresh pair of tokens of a grant, which is good until then at most."""
    row = await account.by_id(unit.connection, account_id)
    assert row is not None
    tokens = Tokens(
        access="wka_" + secrets.token_urlsafe(32),
        refresh="wkr_" + secrets.token_urlsafe(32),
        scopes=grantable(viewer_of(row), scopes),
    )
    await oauth.keep_token(unit, digest(tokens.access), grant, TokenUse.ACCESS, min(until, unit.now + ACCESS_LASTS))
    refreshes = min(until, unit.now + REFRESH_LASTS)
    await oauth.keep_token(unit, digest(tokens.refresh), grant, TokenUse.REFRESH, refreshes)
    return tokens


def _knows(client: ClientRow, secret: str) -> bool:
    """Whether the app proves itself: by its secret, or by having none."""
    if client.secret_hash is None:
        return not secret
    return hmac.compare_digest(client.secret_hash, digest(secret))


def _proves(verifier: str, challenge: str) -> bool:
    """Whether the verifier is the challenge's (RFC 7636 4.6)."""
    hashed = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode("utf-8", "replace")).digest())
    return _VERIFIER.fullmatch(verifier) is not None and hmac.compare_digest(hashed.rstrip(b"="), challenge.encode())


def _scopes(text: str) -> frozenset[Scope]:
    """The scopes of a text; Refusal (invalid_scope) where one is unknown or there is none."""
    try:
        scopes = frozenset(Scope(word) for word in text.split(" ") if word)
    except ValueError:
        raise refused(Fault.INVALID_SCOPE, phrase("One of the scopes does not exist.")) from None
    if not scopes:
        raise refused(Fault.INVALID_SCOPE, phrase("The scopes must be named."))
    return scopes
