"""A company with a sign-in of its own, an installation that knows it, and browsers that reach both."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from tests.conftest import OpenDoor
from tests.oidc.provider import install, provider, sign_in_there
from tests.web.conftest import ADDRESS, House, house_of

CALLBACK = f"{ADDRESS}/login/company/callback"
SECRET = "a secret of / 32 characters + more"
PEOPLE: dict[str, dict[str, Any]] = {
    "olga": {"email": "olga@volt.example", "name": "Olga", "groups": ["everyone", "charge-admins"]},
    "sam": {"email": "sam@volt.example", "name": "Sam", "groups": ["helpdesk"]},
    "Sam": {"email": "sam@volt.example", "name": "Another Sam", "groups": ["helpdesk"]},
    "nora": {"email": "nora@volt.example", "name": "Nora", "groups": ["everyone"]},
}
KEYS: dict[str, Key] = {
    "RS256": RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}),
    "ES256": ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}),
    "EdDSA": OKPKey.generate_key("Ed25519", {"use": "sig", "alg": "EdDSA"}),
}
TRUST = ssl.create_default_context()
BY_FORM = "by-form"
"""A client that sends its secret in the form; the others are called as their algorithm is."""


@pytest.fixture
def engine() -> str:
    """Who comes in is not about the store."""
    return "sqlite"


def _client(name: str, algorithm: str, method: str = "client_secret_basic") -> dict[str, Any]:
    return {
        "client_id": name,
        "client_secret": SECRET,
        "redirect_uris": [CALLBACK],
        "token_endpoint_auth_method": method,
        "id_token_signed_response_alg": algorithm,
        "scope": "openid profile email groups",
    }


@pytest.fixture(scope="session")
def issuer() -> Iterator[str]:
    """A provider that runs on this machine."""
    install()
    for key in KEYS.values():
        key.ensure_kid()
    clients = [*(_client(one, one) for one in KEYS), _client(BY_FORM, "RS256", "client_secret_post")]
    with provider(clients, PEOPLE, [key.as_dict(private=True) for key in KEYS.values()]) as running:
        yield running


OpenCompany = Callable[..., Awaitable[House]]


@pytest.fixture
def open_company(open_door: OpenDoor, tmp_path: Path) -> OpenCompany:
    """`await open_company(issuer, oidc_roles=…)`: an installation that knows the company's sign-in."""

    async def open_one(issuer: str, **given: Any) -> House:
        secret = tmp_path / "secret"
        secret.write_text(SECRET + "\n")
        settings = {
            "public_url": ADDRESS,
            "oidc_issuer": issuer,
            "oidc_client_id": "RS256",
            "oidc_client_secret_file": str(secret),
            "oidc_name": "Volt",
            "oidc_scope": "openid profile email groups",
            "staff_passkeys": True,
        }
        return await house_of(await open_door(**(settings | given)))

    return open_one


@dataclass(slots=True)
class Browser:
    """A browser that reaches the installation and the world, and keeps cookies."""

    client: httpx.AsyncClient

    async def leave(self, path: str = "/login/company?next=/stations") -> str:
        """Ask for the company's door; its address."""
        answer = await self.client.get(path)
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    async def come(self, login: str, path: str = "/login/company?next=/stations") -> httpx.Response:
        """Sign in through the company as this person; what we answer."""
        return await self.client.get(await sign_in_there(self.client, await self.leave(path), login))

    async def me(self) -> Any:
        """Who the API says it is; None where nobody."""
        answer = await self.client.get("/api/v1/me")
        return answer.json() if answer.status_code == 200 else None


Visit = Callable[[House], Browser]


@pytest.fixture
async def visit() -> AsyncIterator[Visit]:
    """`visit(house)`: a fresh browser, closed at the end."""
    opened: list[Browser] = []

    def one(house: House) -> Browser:
        here = httpx.ASGITransport(app=house.app, raise_app_exceptions=False)
        mounts: dict[str, Any] = {ADDRESS: here}
        options: dict[str, Any] = {"mounts": mounts, "base_url": ADDRESS, "headers": {"Origin": ADDRESS}}
        opened.append(Browser(httpx.AsyncClient(verify=TRUST, **options)))
        return opened[-1]

    yield one
    for browser in opened:
        await browser.client.aclose()
