"""What a company's sign-in says of a person (OpenID Connect ID token), believed only where all of it is proved."""

from __future__ import annotations

import base64
import hashlib
import hmac
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import KeySet, RSAKey

SKEW = timedelta(seconds=60)
"""How far the provider's clock may be from ours."""
KEY_TYPES: Mapping[str, str] = {"RS256": "RSA", "ES256": "EC", "EdDSA": "OKP"}
"""The algorithms that are believed, each with the type of its keys: no shared secrets, and never none."""
HALVES: Mapping[str, Callable[[bytes], Any]] = {
    "RS256": hashlib.sha256,
    "ES256": hashlib.sha256,
    "EdDSA": hashlib.sha512,
}
"""What ``at_hash`` is made with (OpenID Connect Core 3.1.3.6)."""
SPEAKING_FOR_ITSELF = ("jwk", "jku", "x5u", "x5c", "crit", "b64")
"""Members of a header that bring keys or rules along: no token decides by what it is judged."""
LONGEST = 16_384
LAST_S = 253_402_300_800
"""The year 10000, seconds since 1970: what is later, endless or no number at all (NaN) is no time."""
LEAST_RSA_BITS = 2_048


class Unproved(Exception):  # noqa: N818 - a judgement, not a fault
    """Why an ID token is not believed; for our log, never for who sent it."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a token must be about."""

    issuer: str
    client: str
    nonce: str
    access_token: str


def header_of(token: str) -> tuple[str, str | None]:
    """The algorithm and key id that a token names, nothing of which is believed yet; raises Unproved."""
    if len(token) > LONGEST:
        raise Unproved("it is too long")
    try:
        header = jws.extract_compact(token.encode()).headers()
    except (JoseError, ValueError, TypeError) as error:
        raise Unproved(f"it is no signed token: {error}") from None
    named = [name for name in SPEAKING_FOR_ITSELF if name in header]
    if named:
        raise Unproved(f"its header brings along {named[0]}")
    algorithm, kid, kind = header.get("alg"), header.get("kid"), header.get("typ", "JWT")
    if not isinstance(algorithm, str) or algorithm not in KEY_TYPES:
        raise Unproved("its algorithm is not believed here")
    if not isinstance(kind, str) or kind.upper() != "JWT":
        raise Unproved("it is a token of another type")
    if not isinstance(kid, str | None):
        raise Unproved("its key id is no text")
    return algorithm, kid


def key_set(told: Mapping[str, Any]) -> KeySet:
    """The public keys for signatures among what a provider publishes (RFC 7517); raises Unproved where none is."""
    listed = told.get("keys")
    fit = [one for one in listed if _is_fit(one)] if isinstance(listed, list) else []
    try:
        with warnings.catch_warnings():  # it warns of short keys, which are left out below
            warnings.simplefilter("ignore", SecurityWarning)
            keys = KeySet.import_key_set({"keys": fit}).keys
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise Unproved(f"the provider's keys cannot be used: {error}") from None
    return KeySet([key for key in keys if not isinstance(key, RSAKey) or _bits(key) >= LEAST_RSA_BITS])


def check(token: str, keys: KeySet, expected: Expected, now: datetime) -> Mapping[str, Any]:
    """The claims of a token (OpenID Connect Core 3.1.3.7), once all is proved; raises Unproved."""
    algorithm, kid = header_of(token)
    fit = [key for key in keys.keys if key.key_type == KEY_TYPES[algorithm]]
    if not any(kid in (None, key.kid) for key in fit):
        raise Unproved("none of the provider's keys is its")
    try:
        with warnings.catch_warnings():  # EdDSA may be called Ed25519 by now (RFC 9864); it is the same curve here
            warnings.simplefilter("ignore", SecurityWarning)
            claims = jwt.decode(token, KeySet(fit), algorithms=[algorithm]).claims
    except (JoseError, ValueError, TypeError) as error:
        raise Unproved(f"its signature does not fit: {error}") from None
    _check_about(claims, expected)
    _check_times(claims, now)
    _check_bindings(claims, expected, HALVES[algorithm])
    return claims


def _check_about(claims: Mapping[str, Any], expected: Expected) -> None:
    """Who says it, of whom, to whom."""
    if claims.get("iss") != expected.issuer:
        raise Unproved("it is of another issuer")
    aud = claims.get("aud")
    audience = [aud] if isinstance(aud, str) else aud
    if not isinstance(audience, list) or expected.client not in audience:
        raise Unproved("it is for somebody else")
    if claims.get("azp", expected.client if len(audience) == 1 else None) != expected.client:
        raise Unproved("it was made for somebody else")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= 255:
        raise Unproved("it names nobody")


def _check_times(claims: Mapping[str, Any], now: datetime) -> None:
    """That it is good now."""
    at, skew = now.timestamp(), SKEW.total_seconds()
    if _instant(claims, "exp") + skew <= at:
        raise Unproved("it has expired")
    if _instant(claims, "iat") - skew > at or ("nbf" in claims and _instant(claims, "nbf") - skew > at):
        raise Unproved("it is from the future")


def _check_bindings(claims: Mapping[str, Any], expected: Expected, half: Callable[[bytes], Any]) -> None:
    """That it answers our question, and came with this access token."""
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), expected.nonce.encode()):
        raise Unproved("it answers another question")
    if "at_hash" not in claims:
        return
    whole: bytes = half(expected.access_token.encode()).digest()
    hashed = base64.urlsafe_b64encode(whole[: len(whole) // 2]).rstrip(b"=").decode()
    if claims["at_hash"] != hashed:
        raise Unproved("it came with another access token")


def _instant(claims: Mapping[str, Any], name: str) -> float:
    """A time as the token tells it, seconds since 1970; raises Unproved where it is no number."""
    told = claims.get(name)
    if isinstance(told, bool) or not isinstance(told, int | float) or not 0 <= told <= LAST_S:
        raise Unproved(f"its {name} is no time")
    return float(told)


def _is_fit(key: object) -> bool:
    """Whether a published key is for signatures, of a type that is believed: a shared secret never is."""
    if not isinstance(key, dict) or key.get("kty") not in KEY_TYPES.values() or key.get("use", "sig") != "sig":
        return False
    return key["kty"] == "RSA" or key.get("crv") in ("P-256", "Ed25519")


def _bits(key: RSAKey) -> int:
    """How long a key is."""
    return key.public_key.key_size
