"""Attacks on the sign-in through a company: forged ID tokens, each through the door that people use."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from starlette.responses import JSONResponse, PlainTextResponse

from tests.oidc.conftest import SECRET, Browser, OpenCompany, Visit
from tests.oidc.forger import ACCESS, CLIENT, EC, KEY, STRANGER, Forger, part, redirect_to, signed
from tests.web.conftest import House, served
from wattkeeper.store.tables import account

Claims = dict[str, Any]
GIVEN = {"oidc_role_claim": "groups", "oidc_roles": "charge-admins=operator"}


@pytest.fixture
def engine() -> str:
    """What is believed is not about the store."""
    return "sqlite"


@pytest.fixture
async def forger() -> AsyncIterator[Forger]:
    """A provider that lies as a test tells it to."""
    one = Forger()
    async with served(cast(Any, one.app())) as address:
        one.issuer = address
        yield one


async def attempt(
    forger: Forger, browser: Browser, make: Callable[[Claims], Any], answer: Mapping[str, str] | None = None
) -> httpx.Response:
    """Leave for the company, and come back with the token that is made of an honest one's claims."""
    asked = parse_qs(urlsplit(await browser.leave()).query)
    forger.id_token = make(forger.claims(asked["nonce"][0]))
    back = {"code": "c", "state": asked["state"][0], **(answer or {})}
    return await browser.client.get("/login/company/callback", params=back)


async def is_shut(house: House, browser: Browser) -> bool:
    """Whether nobody came in."""
    return await browser.me() is None and await house.door.rows(account) == []


def hmac_signed(claims: Claims, secret: bytes, algorithm: str = "HS256") -> str:
    """A token with a signature by a shared secret."""
    text = f"{part({'alg': algorithm, 'kid': 'real'})}.{part(claims)}"
    return f"{text}.{part(hmac.digest(secret, text.encode(), hashlib.sha256))}"


def without_signature(claims: Claims, algorithm: str) -> str:
    """A token that says it needs none."""
    return f"{part({'alg': algorithm, 'kid': 'real'})}.{part(claims)}."


def tampered(claims: Claims) -> str:
    """An honest token of somebody else, with another subject put in."""
    header, _, signature = signed(claims | {"sub": "mallory"}).split(".")
    return f"{header}.{part(claims)}.{signature}"


def by_library(claims: Claims, algorithm: str, key: Any = KEY) -> str:
    """A real signature by an algorithm that is not believed here."""
    plain = RSAKey.import_key(key.as_pem(private=True), {"kid": "real"}) if isinstance(key, RSAKey) else key
    return jwt.encode({"alg": algorithm, "kid": "real"}, claims, plain, algorithms=[algorithm])


def less(claims: Claims, name: str) -> Claims:
    """The claims without one of them."""
    return {key: value for key, value in claims.items() if key != name}


def at_hash(access_token: str) -> str:
    """What binds a token to an access token."""
    return base64.urlsafe_b64encode(hashlib.sha256(access_token.encode()).digest()[:16]).rstrip(b"=").decode()


NOW, HOUR = time.time, 3600
PUBLIC = KEY.as_pem(private=False)
OWN_KEY = {"jwk": STRANGER.as_dict(private=False)}
OTHER_EC = ECKey.generate_key("P-256", {"kid": "curve"})
SMALL = {"alg": "ES256", "kid": "curve", "jwk": OTHER_EC.as_dict(private=False)}
FORGED: dict[str, Callable[[Claims], Any]] = {
    "alg none": lambda claims: without_signature(claims, "none"),
    "alg None": lambda claims: without_signature(claims, "None"),
    "alg none beside a real signature": lambda claims: signed(claims, {"alg": "none"}),
    "no alg": lambda claims: signed(claims, {"alg": None}),
    "HS256 by the public key as PEM": lambda claims: hmac_signed(claims, PUBLIC),
    "HS256 by the public key as text": lambda claims: hmac_signed(claims, PUBLIC.strip()),
    "HS256 by the client's secret": lambda claims: hmac_signed(claims, SECRET.encode()),
    "HS256 by nothing": lambda claims: hmac_signed(claims, b""),
    "a real signature called HS256": lambda claims: signed(claims, {"alg": "HS256"}),
    "embedded jwk": lambda claims: signed(claims, OWN_KEY, STRANGER),
    "embedded jwk beside a real signature": lambda claims: signed(claims, {"jwk": KEY.as_dict(private=False)}),
    "embedded small jwk": lambda claims: jwt.encode(SMALL, claims, OTHER_EC, algorithms=["ES256"]),
    "jku": lambda claims: signed(claims, {"jku": "http://127.0.0.1:1/keys"}, STRANGER),
    "x5u": lambda claims: signed(claims, {"x5u": "http://127.0.0.1:1/chain"}, STRANGER),
    "x5c": lambda claims: signed(claims, {"x5c": ["MIIB"]}, STRANGER),
    "unknown crit": lambda claims: signed(claims, {"crit": ["bork"], "bork": 1}),
    "crit of what is known": lambda claims: signed(claims, {"crit": ["exp"], "exp": 1}),
    "empty crit": lambda claims: signed(claims, {"crit": []}),
    "b64": lambda claims: signed(claims, {"b64": False, "crit": ["b64"]}),
    "a key of the same name": lambda claims: signed(claims, key=STRANGER),
    "an unknown kid": lambda claims: signed(claims, {"kid": "unknown"}),
    "a kid that is no text": lambda claims: signed(claims, {"kid": ["real"]}),
    "the kid of a key of another type": lambda claims: signed(claims, {"kid": "curve"}),
    "RS256 called ES256": lambda claims: signed(claims, {"alg": "ES256", "kid": "curve"}),
    "RS512": lambda claims: by_library(claims, "RS512"),
    "PS256": lambda claims: by_library(claims, "PS256"),
    "another's content": tampered,
    "no signature": lambda claims: signed(claims).rpartition(".")[0] + ".",
    "two parts": lambda claims: signed(claims).rpartition(".")[0],
    "five parts": lambda claims: signed(claims) + ".a.b",
    "garbage": lambda claims: "garbage",
    "a number": lambda claims: 7,
    "nothing": lambda claims: None,
    "no object": lambda claims: signed(cast(Any, ["iss", "aud"])),
    "too long": lambda claims: signed(claims | {"x": "x" * 20_000}),
    "an access token": lambda claims: signed(claims, {"typ": "at+jwt"}),
    "a logout token": lambda claims: signed(claims, {"typ": "logout+jwt"}),
    "a type that is no text": lambda claims: signed(claims, {"typ": 1}),
    "another audience": lambda claims: signed(claims | {"aud": "other"}),
    "an audience that contains ours": lambda claims: signed(claims | {"aud": CLIENT + "x"}),
    "no audience": lambda claims: signed(less(claims, "aud")),
    "an audience of another shape": lambda claims: signed(claims | {"aud": {CLIENT: 1}}),
    "several audiences and no azp": lambda claims: signed(claims | {"aud": [CLIENT, "other"]}),
    "another azp": lambda claims: signed(claims | {"aud": [CLIENT, "other"], "azp": "other"}),
    "another azp for us alone": lambda claims: signed(claims | {"azp": "other"}),
    "another issuer": lambda claims: signed(claims | {"iss": "https://other.example"}),
    "the issuer with a slash": lambda claims: signed(claims | {"iss": claims["iss"] + "/"}),
    "no issuer": lambda claims: signed(less(claims, "iss")),
    "expired": lambda claims: signed(claims | {"exp": NOW() - 120}),
    "expired long ago": lambda claims: signed(claims | {"exp": 0}),
    "no end": lambda claims: signed(less(claims, "exp")),
    "an end that is no number": lambda claims: signed(claims | {"exp": "never"}),
    "an end that is true": lambda claims: signed(claims | {"exp": True}),
    "an end that is no number at all": lambda claims: signed(claims | {"exp": float("nan")}),
    "an end that is endless": lambda claims: signed(claims | {"exp": float("inf")}),
    "an end beyond all numbers": lambda claims: signed(claims | {"exp": 10**400}),
    "made in the future": lambda claims: signed(claims | {"iat": NOW() + HOUR}),
    "no beginning": lambda claims: signed(less(claims, "iat")),
    "good only later": lambda claims: signed(claims | {"nbf": NOW() + HOUR}),
    "another nonce": lambda claims: signed(claims | {"nonce": "other"}),
    "no nonce": lambda claims: signed(less(claims, "nonce")),
    "a nonce that is no text": lambda claims: signed(claims | {"nonce": [claims["nonce"]]}),
    "nobody": lambda claims: signed(less(claims, "sub")),
    "an empty subject": lambda claims: signed(claims | {"sub": ""}),
    "a subject that is no text": lambda claims: signed(claims | {"sub": 7}),
    "of another access token": lambda claims: signed(claims | {"at_hash": at_hash("another")}),
    "an at_hash that is no text": lambda claims: signed(claims | {"at_hash": 7}),
}


@pytest.fixture
async def house(open_company: OpenCompany, forger: Forger) -> House:
    """An installation that knows this provider."""
    return await open_company(forger.issuer, **GIVEN)


async def test_e14_no_forged_token_opens(house: House, forger: Forger, visit: Visit) -> None:
    for name, make in FORGED.items():
        browser = visit(house)
        answer = await attempt(forger, browser, make)
        assert answer.status_code in (403, 429), name
        assert await is_shut(house, browser), name
        if answer.status_code == 429:
            pytest.fail(f"{name}: was not judged, too many came before")
        house.rooms.company._attempts.forgive("127.0.0.1")
    good = visit(house)
    assert (await attempt(forger, good, signed)).status_code == 303
    assert (await good.me())["role"] == "operator"


HONEST: dict[str, Callable[[Claims], str]] = {
    "plain": signed,
    "with a type": lambda claims: signed(claims, {"typ": "JWT"}),
    "with its access token": lambda claims: signed(claims | {"at_hash": at_hash(ACCESS)}),
    "for several, through us": lambda claims: signed(claims | {"aud": ["other", CLIENT], "azp": CLIENT}),
    "a minute old on another clock": lambda claims: signed(claims | {"iat": NOW() + 20, "exp": NOW() - 20}),
    "on a curve": lambda claims: jwt.encode({"alg": "ES256", "kid": "curve"}, claims, EC, algorithms=["ES256"]),
}


async def test_e14_an_honest_token_opens(house: House, forger: Forger, visit: Visit) -> None:
    for name, make in HONEST.items():
        browser = visit(house)
        assert (await attempt(forger, browser, make)).status_code == 303, name
        assert (await browser.me())["role"] == "operator", name


NO_PROOF: tuple[Any, ...] = (None, 0, "now", True, [1], -1, float("inf"), 10**400)


async def test_e14_a_time_of_proof_that_is_none_is_no_fresh_proof(house: House, forger: Forger, visit: Visit) -> None:
    async def proved(auth_time: Any) -> bool:
        browser = visit(house)
        said = {} if auth_time is None else {"auth_time": auth_time}
        assert (await attempt(forger, browser, lambda claims: signed(claims | said))).status_code == 303, auth_time
        return (await browser.client.delete("/api/v1/account/logins")).status_code == 200

    for auth_time in (*NO_PROOF, int(NOW()) - 400, int(NOW()) + 400):
        assert not await proved(auth_time), auth_time
    for auth_time in (int(NOW()), int(NOW()) - 200, NOW() - 1.5):
        assert await proved(auth_time), auth_time


async def test_e14_a_shared_secret_among_the_keys_is_none(house: House, forger: Forger, visit: Visit) -> None:
    forger.keys.append({"kty": "oct", "kid": "real", "k": base64.urlsafe_b64encode(b"s" * 32).rstrip(b"=").decode()})
    browser = visit(house)
    assert (await attempt(forger, browser, lambda claims: hmac_signed(claims, b"s" * 32))).status_code == 403
    assert await is_shut(house, browser)


@pytest.mark.parametrize("kind", ["for encryption", "too short"])
async def test_e14_a_key_that_is_not_fit_is_not_believed(
    open_company: OpenCompany, forger: Forger, visit: Visit, kind: str
) -> None:
    unfit = KEY.as_dict(private=False) | {"use": "enc"}
    key = KEY
    if kind == "too short":
        with pytest.warns(match="2048"):
            key = RSAKey.generate_key(1024, {"kid": "real"})
        unfit = key.as_dict(private=False)
    forger.keys = [unfit]
    house = await open_company(forger.issuer, **GIVEN)
    browser = visit(house)
    assert (await attempt(forger, browser, lambda claims: signed(claims, key=key))).status_code == 403
    assert await is_shut(house, browser)


async def test_e14_a_new_key_is_found_and_unknown_ones_are_not_asked_for_again_and_again(
    house: House, forger: Forger, visit: Visit
) -> None:
    for n in range(10):
        browser = visit(house)
        await attempt(forger, browser, lambda claims, n=n: signed(claims, {"kid": f"unknown {n}"}))  # type: ignore[misc]
    assert forger.asked["keys"] <= 2
    assert forger.asked["configuration"] == 1
    fresh = RSAKey.generate_key(2048, {"kid": "fresh"})
    forger.keys.append(fresh.as_dict(private=False))
    house.rooms.company._provider._ticks = lambda: time.monotonic() + 31
    browser = visit(house)
    answer = await attempt(forger, browser, lambda claims: signed(claims, {"kid": "fresh"}, fresh))
    assert answer.status_code == 303


async def test_e14_no_redirect_of_the_provider_is_followed(house: House, forger: Forger, visit: Visit) -> None:
    forger.token_answer = redirect_to(f"{forger.issuer}/elsewhere")
    browser = visit(house)
    assert (await attempt(forger, browser, signed)).status_code == 403
    assert forger.asked["elsewhere"] == 0
    assert await is_shut(house, browser)


NONSENSE = (
    PlainTextResponse("no"),
    JSONResponse(["id_token"]),
    JSONResponse({"error": "invalid_grant"}, 400),
    JSONResponse({"error": "server_error"}, 500),
    PlainTextResponse("{" + " " * 600_000 + "}"),
)


async def test_e14_an_answer_that_makes_no_sense_opens_nothing(house: House, forger: Forger, visit: Visit) -> None:
    browser = visit(house)
    for answer in NONSENSE:
        forger.token_answer = answer
        assert (await attempt(forger, browser, signed)).status_code == 403
        assert await is_shut(house, browser)


async def test_e14_an_answer_of_another_issuer_is_not_taken_for_ours(
    open_company: OpenCompany, forger: Forger, visit: Visit
) -> None:
    forger.described = {"authorization_response_iss_parameter_supported": True}
    house = await open_company(forger.issuer, **GIVEN)
    for wrong in ({"iss": "https://other.example"}, {}):
        browser = visit(house)
        assert (await attempt(forger, browser, signed, wrong)).status_code == 403
        assert await is_shut(house, browser)
    assert forger.asked["token"] == 0, "a code was shown to a provider that it may not be from"
    right = await attempt(forger, visit(house), signed, {"iss": forger.issuer})
    assert right.status_code == 303


async def test_e13_an_answer_to_a_question_of_another_browser_is_not_taken(
    house: House, forger: Forger, visit: Visit
) -> None:
    for state in ("", "other", "ä"):
        browser = visit(house)
        assert (await attempt(forger, browser, signed, {"state": state})).status_code == 403
        assert await is_shut(house, browser)
    assert forger.asked["token"] == 0


async def test_e14_what_is_told_of_another_person_is_not_taken_for_this_ones(
    house: House, forger: Forger, visit: Visit
) -> None:
    forger.person = {"sub": "mallory", "groups": ["charge-admins"]}
    browser = visit(house)
    assert (await attempt(forger, browser, lambda claims: signed(less(claims, "groups")))).status_code == 403
    assert await is_shut(house, browser)
    forger.person = {"sub": "eve", "groups": ["charge-admins"]}
    assert (await attempt(forger, visit(house), lambda claims: signed(less(claims, "groups")))).status_code == 303


LIES: tuple[dict[str, Any], ...] = (
    {"issuer": "https://other.example"},
    {"token_endpoint": "http://169.254.169.254/latest"},
    {"jwks_uri": "file:///etc/passwd"},
    {"authorization_endpoint": "http://evil.example/"},
    {"userinfo_endpoint": "https://u:p@evil.example/"},
    {"token_endpoint": None},
)


async def test_e14_a_provider_that_leads_elsewhere_is_not_followed(house: House, forger: Forger, visit: Visit) -> None:
    for lie in LIES:
        forger.described = lie
        answer = await visit(house).client.get("/login/company")
        assert (answer.status_code, answer.headers.get("location")) == (403, None), lie


async def test_e14_guessing_at_the_companys_door_is_slowed_down(house: House, forger: Forger, visit: Visit) -> None:
    browser = visit(house)
    answers = [await browser.client.get("/login/company/callback?code=c&state=s") for _ in range(25)]
    assert answers[0].status_code == 403
    assert answers[-1].status_code == 429
    assert forger.asked["token"] == 0
