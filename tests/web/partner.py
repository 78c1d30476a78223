"""An app of a partner that people let in, with a client of the Authlib library; and a person who agrees."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from html import unescape
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

import httpx
from authlib.common.security import generate_token

from tests.web.conftest import ADDRESS, PASSWORD, House
from wattkeeper.charging.person import Role, Viewer
from wattkeeper.operations.policy import grants
from wattkeeper.store.people import account

with warnings.catch_warnings(record=True):  # it would rather have the successor of httpx
    from authlib.integrations.httpx_client import AsyncOAuth2Client

AUTHORIZE, TOKEN, REVOKE = "/oauth/authorize", "/oauth/token", "/oauth/revoke"
REDIRECT = "com.example.volt:/callback"
OWNER = Viewer("tests", Role.OWNER, grants(Role.OWNER).anywhere)
DRIVER_SCOPES = "sessions:read cards:read account:read account:write"


@dataclass(slots=True)
class App:
    """An app that is registered, and what it knows of itself."""

    house: House
    id: str
    secret: str
    redirect: str

    def client(self, scope: str = DRIVER_SCOPES, **options: Any) -> Any:
        """Authlib's own client, as a partner would make it, for PKCE."""
        method = {} if self.secret else {"token_endpoint_auth_method": "none"}
        return AsyncOAuth2Client(
            client_id=self.id,
            client_secret=self.secret or None,
            scope=scope,
            redirect_uri=self.redirect,
            code_challenge_method="S256",
            token_endpoint=f"{ADDRESS}{TOKEN}",
            transport=httpx.ASGITransport(app=self.house.app, raise_app_exceptions=False),
            **(method | options),
        )

    async def let_in(self, person: httpx.AsyncClient, scope: str = DRIVER_SCOPES) -> dict[str, Any]:
        """The tokens that the app has once the person agreed."""
        async with self.client(scope) as client:
            return cast(dict[str, Any], await self.fetch(client, person))

    async def fetch(self, client: Any, person: httpx.AsyncClient) -> Any:
        """Ask the person, and fetch tokens for the code."""
        verifier = generate_token(48)
        address, state = client.create_authorization_url(f"{ADDRESS}{AUTHORIZE}", code_verifier=verifier)
        answer = await agree(person, address)
        return await client.fetch_token(
            f"{ADDRESS}{TOKEN}", authorization_response=answer, code_verifier=verifier, state=state
        )

    async def ask(self, **given: str) -> httpx.Response:
        """Ask for tokens, byte by byte as given but for the app's own credentials."""
        own = {"client_id": self.id} | ({"client_secret": self.secret} if self.secret else {})
        async with self.house.client() as client:
            return await client.post(TOKEN, data=own | given)

    async def refresh(self, token: str) -> httpx.Response:
        """Ask for fresh tokens."""
        return await self.ask(grant_type="refresh_token", refresh_token=token)

    async def status(self, token: str, path: str = "me") -> int:
        """What the API answers to an access token."""
        async with self.house.client(Authorization=f"Bearer {token}") as client:
            return (await client.get(f"/api/v1/{path}")).status_code


async def register(house: House, redirect: str = REDIRECT, *, secret: bool = False, name: str = "Volt") -> App:
    """An app that an owner registered."""
    made = await house.rooms.apps.register(OWNER, name, [redirect], secret=secret)
    return App(house, made.client.id, made.secret, redirect)


async def person(house: House, name: str = "anna@example.org", role: Role = Role.DRIVER) -> httpx.AsyncClient:
    """The browser of somebody who is signed in."""
    await house.rooms.access.make_account(name, PASSWORD, role)
    return await browser(house, name)


async def owner(house: House) -> httpx.AsyncClient:
    """The browser of the owner."""
    return await person(house, "owner", Role.OWNER)


async def browser(house: House, name: str = "anna@example.org") -> httpx.AsyncClient:
    """Another browser of the same person, signed in."""
    rooms = house.rooms
    async with rooms.store.unit() as unit:
        row = await account.by_name(unit.connection, rooms.safe.name_ref(name))
        assert row is not None
        cookie = await rooms.access.begin(unit, row, "password")
    return house.client(Cookie=f"wattkeeper={cookie}", Origin=ADDRESS)


def fields_of(page: str) -> dict[str, str]:
    """The hidden fields of a page's form."""
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page)
    return {unescape(name): unescape(value) for name, value in found}


async def agree(person: httpx.AsyncClient, address: str, answer: str = "allow") -> str:
    """Open the page of consent and answer it; where the person is sent then."""
    page = await person.get(address)
    assert page.status_code == 200, page.text
    sent = await person.post(AUTHORIZE, data=fields_of(page.text) | {"answer": answer})
    assert sent.status_code == 303, sent.text
    return sent.headers["location"]


def query_of(address: str) -> Mapping[str, str]:
    """What an address asks."""
    return dict(parse_qsl(urlsplit(address).query, strict_parsing=True))
