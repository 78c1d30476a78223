"""Doors that do not exist, by the rows of the list: the day one is made, its test fails and says what it withstands."""

from __future__ import annotations

import pytest

from tests.web.conftest import House

IDENTITY = (
    *("/saml", "/saml/acs", "/saml/metadata", "/sso", "/login/saml", "/.well-known/openid-configuration"),
    *("/oauth/userinfo", "/userinfo", "/oauth/register", "/oauth/introspect", "/oauth/par", "/oauth/device"),
    *("/login/company/logout", "/login/company/backchannel", "/oauth/logout", "/oauth/end_session", "/oauth/jwks"),
)


@pytest.fixture
def engine() -> str:
    """What is not there is in no store."""
    return "sqlite"


async def test_e24_no_other_way_of_telling_who_somebody_is(house: House) -> None:
    """No SAML, no identity provider of ours, no sign-out by another's word, no registration without an owner."""
    async with house.client() as stranger:
        for path in IDENTITY:
            for method in ("GET", "POST"):
                assert (await stranger.request(method, path)).status_code in (404, 405), (method, path)
        told = (await stranger.get("/.well-known/oauth-authorization-server")).json()
    named = {"registration_endpoint", "userinfo_endpoint", "end_session_endpoint", "jwks_uri", "introspection_endpoint"}
    assert not named & set(told)
    assert told["grant_types_supported"] == ["authorization_code", "refresh_token"]
    assert told["response_types_supported"] == ["code"]
