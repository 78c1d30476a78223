"""Seal and open personal values, bound to table, column and person: a ciphertext moved elsewhere does not open."""

from __future__ import annotations

import tink
from tink import aead

from wattkeeper.vault.keys import KeyRefused

SCHEMA = "1"
"""The version of what is sealed; part of the binding."""


def _bound(table: str, column: str, subject: str) -> bytes:
    """The associated data that ties a ciphertext to its place."""
    return "\x00".join(("wattkeeper", SCHEMA, table, column, subject)).encode()


def seal(cipher: aead.Aead, table: str, column: str, subject: str, plain: bytes) -> bytes:
    """The value sealed for one place and person."""
    return bytes(cipher.encrypt(plain, _bound(table, column, subject)))


def unseal(cipher: aead.Aead, table: str, column: str, subject: str, sealed: bytes) -> bytes:
    """The value of `seal`; raises KeyRefused when place, person or key differ."""
    try:
        return bytes(cipher.decrypt(sealed, _bound(table, column, subject)))
    except tink.TinkError:
        raise KeyRefused(f"A sealed value in {table}.{column} does not open here.") from None
