"""Keyed blind indexes for cards: found again by whoever holds the pepper, by nobody else.

All four-byte card numbers can be hashed in half an hour, so an unkeyed hash would protect nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata

_SEPARATORS = str.maketrans("", "", " :-._\t")


def canonical(uid: str) -> str:
    """One form for all spellings of a token: without separators, upper case."""
    return uid.translate(_SEPARATORS).upper()


def pseudonym(pepper: bytes, version: int, uid: str) -> str:
    """The pseudonym of a token under a version of the pepper, such as ``p1:`` and 32 hex digits (128 bits)."""
    digest = hmac.new(pepper, b"token\x00" + canonical(uid).encode("utf-8", "replace"), hashlib.sha256)
    return f"p{version}:{digest.hexdigest()[:32]}"


def key_digest(pepper: bytes, salt: bytes, key: bytes) -> bytes:
    """The stored form of a station key (machine-made, at least 128 bits): HMAC-SHA-256, microseconds to check."""
    return hmac.new(pepper, b"station\x00" + salt + b"\x00" + key, hashlib.sha256).digest()


def name_pseudonym(pepper: bytes, version: int, name: str) -> str:
    """The pseudonym of an e-mail address or sign-in name, such as ``n1:`` and 32 hex digits; case and form aside."""
    canonical_name = unicodedata.normalize("NFKC", name).strip().casefold()
    digest = hmac.new(pepper, b"name\x00" + canonical_name.encode("utf-8", "replace"), hashlib.sha256)
    return f"n{version}:{digest.hexdigest()[:32]}"


def tag(pepper: bytes, purpose: str, data: bytes) -> bytes:
    """A keyed tag of data for one purpose, 32 bytes (HMAC-SHA-256): for codes that we give out and know again."""
    return hmac.new(pepper, purpose.encode() + b"\x00" + data, hashlib.sha256).digest()
