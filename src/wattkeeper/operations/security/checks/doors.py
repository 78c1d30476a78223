"""TLS and certificates: by their files, and where a door is open by shaking hands with it."""

from __future__ import annotations

import asyncio
import socket
import ssl
import warnings
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.security.finding import Finding, FindingCode, Outcome, Severity
from wattkeeper.settings import Settings

SOON_DAYS, NOW_DAYS = 30, 7
LEAST_RSA_BITS, LEAST_EC_BITS = 2048, 224
SHAKE_S = 5.0
HERE = frozenset({"127.0.0.1", "::1", "localhost"})
OPEN_TO_ALL = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where to knock, nothing is bound
BY_HAND = frozenset({FindingCode.CERTIFICATE_STALE, FindingCode.PROTOCOL_OLD})
NOT_OPEN = phrase("No door is open here, so nobody shook hands with it; its files were checked.")


@dataclass(frozen=True, slots=True)
class Certificate:
    """What matters of a certificate."""

    expires_at: datetime
    bits: int
    is_weak: bool
    """Whether its key is short or its signature broken."""
    der: bytes


@dataclass(frozen=True, slots=True)
class Handshake:
    """How a door shakes hands."""

    door: str
    der: bytes
    """The certificate that it shows."""
    takes_old: bool
    """Whether it takes TLS 1.0 or 1.1 as well."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was read of the doors."""

    stations_plain: bool
    people_plain: bool
    file: str
    certificate: Certificate | None
    key_mode: int | None
    """The mode of the private key's file; None where there is none."""
    handshakes: tuple[Handshake, ...] = ()


def judge(seen: Seen, now: datetime) -> list[Finding]:
    """What is wrong with the doors."""
    found = [Finding(FindingCode.DOOR_PLAIN, "stations", Severity.HIGH)] * seen.stations_plain
    found += [Finding(FindingCode.DOOR_PLAIN, "people", Severity.HIGH)] * seen.people_plain
    if seen.file and seen.certificate is None:
        found.append(Finding(FindingCode.CERTIFICATE_UNREADABLE, seen.file, Severity.HIGH))
    if seen.certificate is not None:
        found += _of_certificate(seen.file, seen.certificate, now)
    if seen.key_mode is not None and seen.key_mode & 0o077:
        mode = f"{seen.key_mode & 0o777:03o}"
        found.append(Finding(FindingCode.CERTIFICATE_KEY_READABLE, seen.file, Severity.HIGH, {"mode": mode}))
    for one in seen.handshakes:
        if one.takes_old:
            found.append(Finding(FindingCode.PROTOCOL_OLD, one.door, Severity.HIGH))
        if seen.certificate is not None and one.der != seen.certificate.der:
            found.append(Finding(FindingCode.CERTIFICATE_STALE, one.door, Severity.MEDIUM))
    return found


def _of_certificate(file: str, certificate: Certificate, now: datetime) -> list[Finding]:
    """What is wrong with the certificate itself."""
    found, left = [], (certificate.expires_at - now).days
    if certificate.expires_at <= now:
        found.append(Finding(FindingCode.CERTIFICATE_EXPIRED, file, Severity.HIGH, {"days": -left - 1}))
    elif left < SOON_DAYS:
        severity = Severity.HIGH if left < NOW_DAYS else Severity.MEDIUM
        found.append(Finding(FindingCode.CERTIFICATE_EXPIRES, file, severity, {"count": left}))
    if certificate.is_weak:
        found.append(Finding(FindingCode.CERTIFICATE_WEAK, file, Severity.HIGH, {"bits": certificate.bits}))
    return found


async def check(settings: Settings, now: datetime) -> Outcome:
    """Read the files, knock at the doors, judge."""
    file = settings.tls_certificate
    is_here = settings.host in HERE
    shaken = await asyncio.to_thread(_shake_all, settings) if file else ()
    seen = Seen(
        stations_plain=not file and not is_here,
        people_plain=not settings.is_secure and not (is_here and _is_typed_here(settings.public_url)),
        file=file,
        certificate=read_certificate(Path(file)) if file else None,
        key_mode=_mode(Path(settings.tls_key or file)) if file else None,
        handshakes=shaken or (),
    )
    unshaken = shaken is None
    return Outcome(
        2 + bool(file), tuple(judge(seen, now)), NOT_OPEN if unshaken else "", BY_HAND if unshaken else frozenset()
    )


def _is_typed_here(public_url: str) -> bool:
    """Whether the address that people type leads to this machine alone."""
    return not public_url or urlsplit(public_url).hostname in HERE


def read_certificate(file: Path) -> Certificate | None:
    """The first certificate of a PEM file; None where it cannot be read."""
    try:
        found = x509.load_pem_x509_certificate(file.read_bytes())
    except (OSError, ValueError):
        return None
    key, algorithm = found.public_key(), found.signature_hash_algorithm
    bits = key.key_size if isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey) else 256
    least = LEAST_RSA_BITS if isinstance(key, rsa.RSAPublicKey) else LEAST_EC_BITS
    is_broken = algorithm is not None and algorithm.name in ("md5", "sha1")
    return Certificate(found.not_valid_after_utc, bits, bits < least or is_broken, found.public_bytes(Encoding.DER))


def _mode(file: Path) -> int | None:
    """The mode of a file; None where there is none."""
    try:
        return file.stat().st_mode
    except OSError:
        return None


def _shake_all(settings: Settings) -> tuple[Handshake, ...] | None:
    """Shake hands with the doors that are open; None where none is."""
    host = OPEN_TO_ALL.get(settings.host, settings.host)
    doors = {"stations": settings.ocpp_port, "people": settings.http_port}
    shaken = [(door, _shaken(host, port, door)) for door, port in doors.items() if port]
    return tuple(one for _, one in shaken if one is not None) or None


def _shaken(host: str, port: int, door: str) -> Handshake | None:
    """Shake hands with one door; None where nobody does."""
    with suppress(OSError):
        der = _shake(host, port, _context())
        takes_old = False
        with suppress(OSError, ValueError), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is old is warned of; here it is what is asked
            takes_old = bool(_shake(host, port, _context(old=True)))
        return Handshake(door, der, takes_old)
    return None


def _shake(host: str, port: int, context: ssl.SSLContext) -> bytes:
    """The certificate that a door shows (DER); raises OSError."""
    with socket.create_connection((host, port), SHAKE_S) as plain, context.wrap_socket(plain) as secured:
        return secured.getpeercert(binary_form=True) or b""


def _context(*, old: bool = False) -> ssl.SSLContext:
    """What a stranger shakes hands with: it believes every certificate, for it only looks at it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if old:
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    return context
