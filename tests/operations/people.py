"""People who sign up and prove themselves, on a database whose clock is set by hand; an authenticator in code."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import pyotp
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, encode_cbor

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Viewer
from wattkeeper.operations.access import Access
from wattkeeper.operations.people.house import People, people_of
from wattkeeper.operations.people.letters.mail import Posted
from wattkeeper.operations.people.sign_in.factors import Entered
from wattkeeper.operations.people.sign_in.password import Passwords
from wattkeeper.operations.safe import Safe, open_safe
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store

PASSWORD = "kuh wiese berg tal regen"
SHORT = "x7Gq!pL2"
"""Long enough only beside a second factor."""
ADDRESS = "https://charge.example"
HOME, ELSEWHERE = "192.0.2.1", "198.51.100.7"
CHEAP = (1, 8)
"""Rounds and KiB of argon2id where tests are not about its cost."""


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def on(self, **by: float) -> None:
        """Let time pass."""
        self.now += timedelta(**by)


@dataclass
class Authenticator:
    """An authenticator with passkeys for one origin; each of its lies is a field."""

    origin: str = ADDRESS
    rp_id: str = "charge.example"
    verified: bool = True
    count: int = 0
    counts: bool = True
    credential: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    user: str | None = None

    def lying(self, **lies: Any) -> Authenticator:
        """The same authenticator, but for this."""
        return replace(self, **lies)

    def create(self, options: dict[str, Any]) -> dict[str, Any]:
        """Answer `navigator.credentials.create`."""
        self.user = options["user"]["id"]
        point = self.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32), -3: point.y.to_bytes(32)}
        attested = bytes(16) + len(self.credential).to_bytes(2) + self.credential + encode_cbor(cose)
        data = self._data(0x40) + attested
        statement = encode_cbor({"fmt": "none", "attStmt": {}, "authData": data})
        told = self._client("webauthn.create", options)
        return self._answer({"clientDataJSON": told, "attestationObject": bytes_to_base64url(statement)})

    def get(self, options: dict[str, Any]) -> dict[str, Any]:
        """Answer `navigator.credentials.get`."""
        self.count += self.counts
        data, told = self._data(), self._client("webauthn.get", options)
        signed = data + hashlib.sha256(base64url_to_bytes(told)).digest()
        signature = self.key.sign(signed, ec.ECDSA(hashes.SHA256()))
        answer = {"clientDataJSON": told, "authenticatorData": bytes_to_base64url(data)}
        return self._answer(answer | {"signature": bytes_to_base64url(signature), "userHandle": self.user})

    def _client(self, kind: str, options: dict[str, Any]) -> str:
        told = {"type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": False}
        return bytes_to_base64url(json.dumps(told).encode())

    def _data(self, flags: int = 0) -> bytes:
        known = flags | 0x01 | (0x04 if self.verified else 0)
        return hashlib.sha256(self.rp_id.encode()).digest() + bytes([known]) + self.count.to_bytes(4)

    def _answer(self, response: dict[str, Any]) -> dict[str, Any]:
        identifier = bytes_to_base64url(self.credential)
        return {"id": identifier, "rawId": identifier, "type": "public-key", "response": response}


@dataclass
class Town:
    """An installation's people."""

    store: Store
    safe: Safe
    settings: Settings
    access: Access
    people: People
    clock: Clock

    @classmethod
    async def build(cls, database: str, folder: Path, **given: Any) -> Self:
        """On this database, in this folder; settings as given."""
        clock = Clock()
        store = Store(database, clock)
        settings = replace(Settings(public_url=ADDRESS, outbox=True), **given)
        safe = await open_safe(store, folder / "root.key")
        access = Access(store, safe, settings, Passwords(CHEAP))
        return cls(store, safe, settings, access, people_of(store, safe, settings, access), clock)

    def again(self) -> Town:
        """The same installation after a restart: what was only in memory is gone."""
        access = Access(self.store, self.safe, self.settings, Passwords(CHEAP))
        return replace(self, access=access, people=people_of(self.store, self.safe, self.settings, access))

    async def letters(self, to: str | None = None) -> list[Posted]:
        """What was written, the newest first."""
        self.clock.on(seconds=1)
        while await self.people.post.round():
            pass
        self.clock.on(seconds=1)
        return [one for one in await self.people.mail.outbox() if to is None or one.to == to]

    async def link(self, to: str, kind: str | None = None) -> str:
        """The code of the newest link in a mailbox."""
        for letter in await self.letters(to):
            found = re.search(r"/(?:app/link|login/link|invitation)/(\S+)", letter.text)
            if found and kind in (None, letter.kind):
                return found.group(1)
        raise AssertionError(f"{to} got no link")

    async def sign_up(self, email: str = "anna@example.org", password: str | None = PASSWORD) -> str:
        """Somebody with an account and nothing else; the cookie of the first sign-in."""
        await self.people.accounts.sign_up(email, "Anna", password, HOME)
        return (await self.people.accounts.verify(await self.link(email), HOME)).cookie

    async def viewer(self, cookie: str) -> Viewer:
        """Who is signed in."""
        self.access.forget()
        found = await self.access.viewer_by_cookie(cookie)
        assert found is not None
        return found

    async def is_out(self, cookie: str) -> bool:
        """Whether a cookie opens nothing."""
        self.access.forget()
        return await self.access.viewer_by_cookie(cookie) is None

    async def with_passkey(self, cookie: str) -> tuple[Authenticator, str, tuple[str, ...]]:
        """A passkey for whoever is signed in: the authenticator, the new cookie, the recovery codes."""
        viewer, made = await self.viewer(cookie), Authenticator()
        changed = await self.people.passkeys.add(viewer, made.create(await self.people.passkeys.options(viewer)), "")
        return made, changed.cookie, changed.codes

    async def with_totp(self, cookie: str) -> tuple[pyotp.TOTP, str, tuple[str, ...]]:
        """An authenticator app for whoever is signed in: the app, the new cookie, the recovery codes."""
        viewer = await self.viewer(cookie)
        app = pyotp.TOTP((await self.people.totp.begin(viewer)).secret)
        changed = await self.people.totp.confirm(viewer, app.at(self.clock.now))
        self.clock.on(seconds=30)
        return app, changed.cookie, changed.codes

    async def enter(self, password: str = PASSWORD, name: str = "anna@example.org", at: str = HOME) -> Entered:
        """Sign in by password."""
        return await self.people.sign_in.password(name, password, at, "Firefox, Linux")


async def refused(deed: Any) -> Code:
    """Why a deed was refused."""
    with pytest.raises(Refusal) as problem:
        await deed
    return problem.value.code
