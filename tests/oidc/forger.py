"""A provider gone bad: it publishes real keys, and hands out whatever token a test has made."""

from __future__ import annotations

import base64
import json
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc.jwk import ECKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT = "RS256"
ACCESS = "an access token"
KEY = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256", "kid": "real"})
EC = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256", "kid": "curve"})
STRANGER = RSAKey.generate_key(2048, {"kid": "real"})
"""A key of somebody else who calls it the same."""


def part(value: bytes | Mapping[str, Any]) -> str:
    """A part of a token."""
    plain = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(plain).rstrip(b"=").decode()


def signed(claims: Mapping[str, Any], header: Mapping[str, Any] | None = None, key: RSAKey = KEY) -> str:
    """A token with this header, whatever it says, and a real RS256 signature."""
    said: dict[str, Any] = {"alg": "RS256", "kid": "real", **(header or {})}
    text = f"{part(said)}.{part(claims)}"
    assert key.private_key is not None
    return f"{text}.{part(key.private_key.sign(text.encode(), PKCS1v15(), SHA256()))}"


@dataclass(slots=True)
class Forger:
    """What the provider says; change it to make it lie."""

    issuer: str = ""
    id_token: Any = ""
    keys: list[dict[str, Any]] = field(default_factory=lambda: [KEY.as_dict(private=False), EC.as_dict(private=False)])
    described: dict[str, Any] = field(default_factory=dict)
    person: dict[str, Any] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    token_answer: Response | None = None

    def claims(self, nonce: str) -> dict[str, Any]:
        """What an honest token says."""
        now = int(time.time())
        about = {"iss": self.issuer, "aud": CLIENT, "sub": "eve", "email": "eve@volt.example", "nonce": nonce}
        return about | {"iat": now, "exp": now + 600, "groups": ["charge-admins"]}

    def app(self) -> Starlette:
        """The provider's doors."""
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._configuration),
                Route("/keys", self._keys),
                Route("/token", self._token, methods=["POST"]),
                Route("/me", self._me),
                Route("/elsewhere", self._elsewhere, methods=["GET", "POST"]),
            ]
        )

    async def _configuration(self, request: Request) -> Response:
        self.asked["configuration"] += 1
        doors = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/keys"}
        told = {name: self.issuer + path for name, path in doors.items()} | {"issuer": self.issuer}
        return JSONResponse(told | {"userinfo_endpoint": f"{self.issuer}/me"} | self.described)

    async def _keys(self, request: Request) -> Response:
        self.asked["keys"] += 1
        return JSONResponse({"keys": self.keys})

    async def _token(self, request: Request) -> Response:
        self.asked["token"] += 1
        told = {"access_token": ACCESS, "token_type": "Bearer", "id_token": self.id_token}
        return self.token_answer or JSONResponse(told)

    async def _me(self, request: Request) -> Response:
        self.asked["me"] += 1
        return JSONResponse(self.person)

    async def _elsewhere(self, request: Request) -> Response:
        self.asked["elsewhere"] += 1
        return JSONResponse({"access_token": ACCESS, "token_type": "Bearer", "id_token": self.id_token})


def redirect_to(address: str) -> Response:
    """An answer that sends a program elsewhere, with what it asked."""
    return RedirectResponse(address, 307)
