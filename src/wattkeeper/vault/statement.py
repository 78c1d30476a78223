"""Statements that this installation signs, so that whoever has one can show it: Ed25519, from `cryptography`."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def signed(secret: bytes, statement: bytes) -> bytes:
    """The signature of a statement, 64 bytes, under a secret of 32 random bytes."""
    return Ed25519PrivateKey.from_private_bytes(secret).sign(statement)


def public_of(secret: bytes) -> bytes:
    """The public key of a secret, 32 bytes."""
    public = Ed25519PrivateKey.from_private_bytes(secret).public_key()
    return public.public_bytes(Encoding.Raw, PublicFormat.Raw)


def holds(public: bytes, statement: bytes, signature: bytes) -> bool:
    """Whether a signature of a statement holds under a public key."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, statement)
    except (InvalidSignature, ValueError):
        return False
    return True
