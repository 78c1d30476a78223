"""The certificate of our doors, and TLS as security profile 2 asks for it (OCPP 1.6 whitepaper and 2.0.1, A00.FR.3xx).

TLS 1.2 and up, suites with forward secrecy and authenticated encryption alone (no RSA key exchange, no CBC, whatever
the standard lists), no compression, no renegotiation, the curves that OpenSSL offers. Who renews the files needs no
restart: the next handshake is answered by the new certificate, and connections that there are go on.
"""

from __future__ import annotations

import logging
import ssl
from pathlib import Path
from typing import Any, Final

from wattkeeper.settings import Settings

log = logging.getLogger("wattkeeper.tls")
CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""TLS 1.2 suites with forward secrecy; ``TLS_RSA_*`` stay off, whatever the standard lists."""


def make_context(settings: Settings) -> ssl.SSLContext | None:
    """The TLS of a door as its files are now; None where no certificate is configured. ValueError says what to do."""
    if not settings.tls_certificate:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    try:
        context.load_cert_chain(settings.tls_certificate, settings.tls_key or None)
    except (OSError, ssl.SSLError) as problem:
        raise ValueError(
            f"The certificate {settings.tls_certificate} with the key {settings.tls_key or 'in it'} cannot be used "
            f"({type(problem).__name__}). Set WATTKEEPER_TLS_CERTIFICATE and WATTKEEPER_TLS_KEY to files that fit."
        ) from problem
    return context


class Certificate:
    """What a door shows to whoever comes; taken anew when `look` finds other files."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._seen = self._files()
        self.context = make_context(settings)
        """What the door is opened with; it hands each handshake to the newest. None: without TLS."""
        self._newest = self.context
        if self.context is not None:
            self.context.sni_callback = self._hand_over

    def look(self) -> bool:
        """Take the files anew where they changed; whether they were taken. Those that cannot be used are told, once."""
        files = self._files()
        if self.context is None or files == self._seen:
            return False
        self._seen = files
        try:
            self._newest = make_context(self._settings)
        except ValueError as problem:
            log.error("%s The certificate from before stays in use.", problem)
            return False
        log.info("the certificate %s was taken anew", self._settings.tls_certificate)
        return True

    def _hand_over(self, connection: Any, _name: str | None, _context: ssl.SSLContext) -> None:
        """Each handshake, with a server name or without, goes on with the newest certificate."""
        if self._newest is not self.context:
            connection.context = self._newest

    def _files(self) -> list[tuple[int, int, int] | None]:
        """By what a change of the files is seen."""
        return [_stamp(Path(name)) for name in (self._settings.tls_certificate, self._settings.tls_key) if name]


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        told = path.stat()
    except OSError:
        return None
    return told.st_mtime_ns, told.st_size, told.st_ino
