"""Station keys: how they are made, which are refused, and how one is recognised however a station spells it."""

from __future__ import annotations

import binascii
import re
import secrets

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.phrase import phrase

SHORTEST, LONGEST = 16, 40
"""Bytes of a key (OCPP 1.6 security whitepaper A00.FR.205; 2.0.1 SecurityCtrlr.BasicAuthPassword)."""
FEWEST_KINDS = 6
"""How many different characters a key must have."""
COMMON = re.compile(
    r"(pass(word|wort|phrase)?|secret|change(it|me)?|letmein|default|qwert[yz]?|admin|welcome|wattkeeper)+"
)
"""What people type when they are asked for a password, in lower case and without digits and signs."""


def make_key() -> str:
    """A fresh key: 20 random bytes as 40 hex digits, which every station accepts."""
    return secrets.token_hex(20)


def check_key(station: str, key: str) -> None:
    """Refuse (INVALID) a key that is short, long, unprintable or easily guessed."""
    if not (key.isascii() and key.isprintable() and SHORTEST <= len(key) <= LONGEST):
        raise Refusal(
            Code.INVALID,
            phrase("A key has {fewest} to {most} printable ASCII characters.", fewest=SHORTEST, most=LONGEST),
        )
    letters = "".join(c for c in key.lower() if c.isalpha())
    plain = not letters or COMMON.fullmatch(letters) or len(set(key)) < FEWEST_KINDS
    if plain or key.lower() == station.lower():
        raise Refusal(Code.INVALID, phrase("This key is easily guessed. Leave the key out and one will be made."))


def spellings(password: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """The keys that a password can stand for: itself, in lower case, digits for bytes, bytes for digits.

    Some stations send the bytes that the hex digits of their key stand for, some the digits of its bytes. Always
    four, so that looking takes the same time whatever was sent.
    """
    lower = password.lower()
    try:
        decoded = binascii.unhexlify(lower)
    except ValueError:
        return password, password, password.hex().encode(), password
    return password, lower, password.hex().encode(), decoded
