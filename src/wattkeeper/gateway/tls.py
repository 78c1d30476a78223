"""TLS as security profile 2 asks for it (OCPP 1.6 security whitepaper A00.FR.3xx, 2.0.1 A00.FR.3xx)."""

from __future__ import annotations

import ssl

from wattkeeper.settings import Settings

CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""TLS 1.2 suites with forward secrecy; ``TLS_RSA_*`` stay off, whatever the standard lists."""


def make_context(settings: Settings) -> ssl.SSLContext | None:
    """The TLS of the stations' door; None where no certificate is configured. ValueError says what to do."""
    if not settings.tls_certificate:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    try:
        context.load_cert_chain(settings.tls_certificate, settings.tls_key or None)
    except (OSError, ssl.SSLError) as problem:
        raise ValueError(
            f"The certificate {settings.tls_certificate} with the key {settings.tls_key or 'in it'} cannot be used "
            f"({type(problem).__name__}). Set WATTKEEPER_TLS_CERTIFICATE and WATTKEEPER_TLS_KEY to files that fit."
        ) from problem
    return context
