"""A company's OpenID provider, over the network: found, asked, and never trusted further than its settings say."""

from __future__ import annotations

import asyncio
import ssl
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx
import orjson
from joserfc.jwk import KeySet

from wattkeeper.operations.people.company.id_token import Unproved, key_set
from wattkeeper.settings import Settings

WITHIN_S = 5.0
"""How long each step of the way there may take, and in all thrice that."""
LARGEST = 512 * 1024
"""Bytes of an answer."""
KNOWN_S = 3600.0
"""How long what the provider publishes is believed without asking again."""
AGAIN_S = 30.0
"""How often at most its keys are asked for because a token names an unknown one."""
LOCAL = frozenset({"127.0.0.1", "::1", "localhost"})


class Unreachable(Exception):  # noqa: N818 - a state of the world
    """The provider does not answer, or not as the standard says; the text is for our log."""


@dataclass(frozen=True, slots=True)
class Described:
    """Where a provider's doors are (OpenID Connect Discovery 3)."""

    authorize: str
    token: str
    keys: str
    person: str | None
    """The UserInfo endpoint."""
    by_form: bool
    """Whether it takes a client's secret in the form only."""
    names_itself: bool
    """Whether its answers name their issuer (RFC 9207)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the provider gave for a code."""

    id_token: str
    access_token: str


class Provider:
    """One provider; what it publishes is kept for an hour."""

    def __init__(self, settings: Settings, ticks: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._ticks = ticks
        self._turn = asyncio.Lock()
        self._described: tuple[float, Described] | None = None
        self._keys: tuple[float, KeySet] | None = None
        self._trust: ssl.SSLContext | None = None

    @property
    def issuer(self) -> str:
        """Its name, exactly as it writes it."""
        return self._settings.oidc_issuer

    async def described(self) -> Described:
        """Where its doors are; raises Unreachable."""
        async with self._turn:
            if self._described is None or self._ticks() - self._described[0] > KNOWN_S:
                told = await self._get(self.issuer.rstrip("/") + "/.well-known/openid-configuration")
                self._described = (self._ticks(), self._read(told))
            return self._described[1]

    async def keys(self, kid: str | None) -> KeySet:
        """Its keys; asked for again where ``kid`` is not among them, but seldom. Raises Unreachable, Unproved."""
        address = (await self.described()).keys
        async with self._turn:
            at, known = self._keys or (float("-inf"), None)
            old = self._ticks() - at
            missing = known is None or (kid is not None and all(key.kid != kid for key in known.keys))
            if known is None or old > KNOWN_S or (missing and old > AGAIN_S):
                known = key_set(await self._get(address))
                self._keys = (self._ticks(), known)
            return known

    async def exchange(self, code: str, verifier: str, redirect: str) -> Answer:
        """What it gives for a code (OpenID Connect Core 3.1.3); raises Unreachable, Unproved where it gives nothing."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect, "code_verifier": verifier}
        described, headers = await self.described(), dict[str, str]()
        client, secret = self._settings.oidc_client_id, self._secret()
        if secret and not described.by_form:
            pair = f"{quote(client, safe='')}:{quote(secret, safe='')}"
            headers["Authorization"] = "Basic " + b64encode(pair.encode()).decode()
        else:
            form |= {"client_id": client} | ({"client_secret": secret} if secret else {})
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        told = await self._ask("POST", described.token, headers, urlencode(form).encode())
        given = told.get("id_token"), told.get("access_token")
        if not all(isinstance(one, str) for one in given):
            raise Unproved("the provider gave no tokens for the code")
        return Answer(str(given[0]), str(given[1]))

    async def person(self, access_token: str) -> Mapping[str, Any]:
        """What else it says of the person (OpenID Connect Core 5.3); empty where it has no door for that."""
        address = (await self.described()).person
        if address is None:
            return {}
        return await self._ask("GET", address, {"Authorization": f"Bearer {access_token}"})

    # --- within -----------------------------------------------------------------------------------------

    def _read(self, told: Mapping[str, Any]) -> Described:
        """What a provider says of itself; raises Unreachable where it is another, or leads where it may not."""
        if told.get("issuer") != self.issuer:
            raise Unreachable("the provider calls itself something else")
        methods = told.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        person = told.get("userinfo_endpoint")
        return Described(
            authorize=self._door(told.get("authorization_endpoint")),
            token=self._door(told.get("token_endpoint")),
            keys=self._door(told.get("jwks_uri")),
            person=None if person is None else self._door(person),
            by_form="client_secret_basic" not in methods and "client_secret_post" in methods,
            names_itself=told.get("authorization_response_iss_parameter_supported") is True,
        )

    def _door(self, address: object) -> str:
        """An address that may be gone to: https, or this very machine where the provider is on it."""
        if not isinstance(address, str) or not is_safe(address, local=is_local(self.issuer)):
            raise Unreachable("the provider leads to an address that is not secure")
        return address

    def _secret(self) -> str:
        """The client's secret, read anew each time so that it can be changed."""
        file = self._settings.oidc_client_secret_file
        return Path(file).read_text(encoding="utf-8").strip() if file else ""

    async def _get(self, address: str) -> Mapping[str, Any]:
        return await self._ask("GET", address, {})

    async def _ask(self, method: str, address: str, headers: Mapping[str, str], body: bytes = b"") -> Mapping[str, Any]:
        """One question and its answer, a JSON object; no redirect is followed. Raises Unreachable."""
        wanted = {"Accept": "application/json", **headers}
        try:
            async with (
                asyncio.timeout(3 * WITHIN_S),
                httpx.AsyncClient(verify=self._trusted(), timeout=WITHIN_S, follow_redirects=False) as client,
                client.stream(method, address, headers=wanted, content=body) as response,
            ):
                text = await _whole(response)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            raise Unreachable(f"{urlsplit(address).path}: {type(error).__name__}") from None
        if response.status_code != 200:
            raise Unreachable(f"{urlsplit(address).path}: HTTP status {response.status_code}")
        try:
            told = orjson.loads(text)
        except orjson.JSONDecodeError:
            told = None
        if not isinstance(told, dict):
            raise Unreachable(f"{urlsplit(address).path}: no JSON object")
        return told

    def _trusted(self) -> ssl.SSLContext:
        """The authorities this machine trusts, read once: that takes a while."""
        if self._trust is None:
            self._trust = ssl.create_default_context()
        return self._trust


async def _whole(response: httpx.Response) -> bytes:
    """The body of an answer; raises Unreachable where it is too large."""
    body = b""
    async for part in response.aiter_bytes():
        body += part
        if len(body) > LARGEST:
            raise Unreachable("the answer is too large")
    return body


def is_safe(address: str, *, local: bool) -> bool:
    """Whether an address is https, or http on this very machine where that is meant."""
    parts = urlsplit(address)
    if parts.username is not None or parts.fragment or not parts.hostname:
        return False
    return parts.scheme == "https" or (local and parts.scheme == "http" and is_local(address))


def is_local(address: str) -> bool:
    """Whether an address is on this very machine."""
    return urlsplit(address).hostname in LOCAL
