"""Signatures of meters: their public keys in every spelling, and whether a signature holds.

The mathematics is that of `cryptography`. What is read here is only how keys and signatures are written down: stations
write signatures as ASN.1 (some with integers that lack their sign byte) or as two numbers side by side.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

CURVES: Final[tuple[type[ec.EllipticCurve], ...]] = (
    ec.SECP256R1,
    ec.SECP256K1,
    ec.BrainpoolP256R1,
    ec.SECP384R1,
    ec.BrainpoolP384R1,
    ec.SECP192R1,
    ec.SECP521R1,
    ec.BrainpoolP512R1,
)
"""The curves under which signatures can be checked."""
BEYOND: Final = {"secp192k1": bytes.fromhex("3046301006072A8648CE3D020106052B8104001F033200")}
"""Curves that OCMF allows and nobody here can check: how their keys begin."""
ALGORITHM: Final = re.compile(r"ECDSA-[A-Za-z0-9]{1,20}-SHA256", re.ASCII)
"""The ways of signing that can be checked; which curve it is, the key says."""
LONGEST_KEY: Final = 4096


class KeyUnreadable(ValueError):  # noqa: N818 - what somebody typed is no fault
    """A text that is no public key of a meter."""


class Uncheckable(Exception):  # noqa: N818 - what cannot be known is no fault
    """A signature of which nobody here can say whether it holds: the curve or the algorithm, in its own word."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


@dataclass(frozen=True, slots=True)
class PublicKey:
    """The public key of a meter."""

    der: bytes
    """SubjectPublicKeyInfo, so that one key has one spelling."""
    curve: str

    @property
    def hex(self) -> str:
        """As it is printed on the papers of most meters: hexadecimal, upper case."""
        return self.der.hex().upper()


def read_key(text: str) -> PublicKey:
    """A key in hexadecimal or base64, as ASN.1 or as a bare point; raises KeyUnreadable."""
    raw = _bytes(text)
    if raw is None:
        raise KeyUnreadable
    for curve, head in BEYOND.items():
        if raw.startswith(head):
            return PublicKey(raw, curve)
    found: object
    try:
        found = load_der_public_key(raw)
    except (ValueError, UnsupportedAlgorithm):
        found = _point(raw)
    if not isinstance(found, ec.EllipticCurvePublicKey) or not isinstance(found.curve, CURVES):
        raise KeyUnreadable
    der = found.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return PublicKey(der, found.curve.name)


def holds(key: PublicKey, payload: bytes, algorithm: str, signature: str, encoding: str) -> bool:
    """Whether a signature over these bytes holds under a key; raises Uncheckable where nobody here can say."""
    if key.curve in BEYOND:
        raise Uncheckable(key.curve)
    if ALGORITHM.fullmatch(algorithm) is None:
        raise Uncheckable(algorithm[:40])
    known = load_der_public_key(key.der)
    assert isinstance(known, ec.EllipticCurvePublicKey)
    pair = _pair(_decoded(signature, encoding), (known.curve.key_size + 7) // 8)
    if pair is None:
        return False
    try:
        known.verify(encode_dss_signature(*pair), payload, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def _bytes(text: str) -> bytes | None:
    """The bytes of a key, whatever spaces, colons and lines stand between them; None where there are none."""
    plain = re.sub(r"[\s:]+", "", re.sub(r"-----[^-]{1,40}-----", "", text[:LONGEST_KEY]))
    try:
        return bytes.fromhex(plain.removeprefix("0x"))
    except ValueError:
        pass
    try:
        return base64.b64decode(plain, validate=True)
    except (binascii.Error, ValueError):
        return None


def _point(raw: bytes) -> ec.EllipticCurvePublicKey | None:
    """A bare point, of the only curve on which it lies; None where it lies on none."""
    for curve in CURVES:
        size = (curve().key_size + 7) // 8
        whole = raw if raw[:1] == b"\x04" and len(raw) == 2 * size + 1 else b"\x04" + raw
        if len(whole) == 2 * size + 1:
            try:
                return ec.EllipticCurvePublicKey.from_encoded_point(curve(), whole)
            except ValueError:
                continue
    return None


def _decoded(signature: str, encoding: str) -> bytes:
    """The bytes of a signature; none where it is not written as it says."""
    try:
        if encoding == "base64":
            return base64.b64decode("".join(signature.split()), validate=True)
        return bytes.fromhex(signature)
    except (binascii.Error, ValueError):
        return b""


def _pair(raw: bytes, size: int) -> tuple[int, int] | None:
    """The two numbers of a signature: side by side, or in an ASN.1 sequence; None where they are not there."""
    if len(raw) == 2 * size:
        numbers = raw[:size], raw[size:]
    else:
        body = _element(raw, 0x30)
        if body is None or body[1]:
            return None
        first = _element(body[0], 0x02)
        second = None if first is None else _element(first[1], 0x02)
        if first is None or second is None or second[1]:
            return None
        numbers = first[0], second[0]
    r, s = (int.from_bytes(one, "big") for one in numbers)
    return (r, s) if r and s and max(map(len, numbers)) <= size + 1 else None


def _element(raw: bytes, tag: int) -> tuple[bytes, bytes] | None:
    """The content of the ASN.1 element that begins here, and what comes after it."""
    if len(raw) < 2 or raw[0] != tag:
        return None
    length, begins = raw[1], 2
    if length == 0x81 and len(raw) > 2:
        length, begins = raw[2], 3
    elif length > 0x7F:
        return None
    if len(raw) < begins + length:
        return None
    return raw[begins : begins + length], raw[begins + length :]
