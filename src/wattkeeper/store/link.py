"""The way to PostgreSQL: how it is secured, as its address says in libpq's words (``sslmode``, ``sslrootcert`` …)."""

from __future__ import annotations

import ssl
from typing import Any, Final

from sqlalchemy.engine import URL

MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
FILES: Final = ("sslrootcert", "sslcert", "sslkey")
NEAR: Final = frozenset({None, "", "localhost", "127.0.0.1", "::1"})


def _said(url: URL, name: str) -> str:
    """What an address says of one thing; empty where nothing."""
    told = url.query.get(name, "")
    return told if isinstance(told, str) else told[-1]


def bare(url: URL) -> URL:
    """The address without what it says of how the way is secured: the driver does not know those words."""
    return url.difference_update_query(["sslmode", *FILES])


def is_far(url: URL) -> bool:
    """Whether the way to a database leaves this machine."""
    host = url.host or _said(url, "host")
    return not url.drivername.startswith("sqlite") and host not in NEAR and not host.startswith("/")


def is_encrypted(url: URL) -> bool:
    """Whether nobody between can read along: it stays on this machine, or TLS is asked for and nothing less taken."""
    return not is_far(url) or _said(url, "sslmode") in ("require", "verify-ca", "verify-full")


def link_of(url: URL) -> dict[str, Any]:
    """What the driver is told of how the way is secured; raises ValueError where the address says what is not known."""
    mode = _said(url, "sslmode")
    if not mode or url.drivername.startswith("sqlite"):
        return {}
    if mode not in MODES:
        raise ValueError(
            f"sslmode={mode} in WATTKEEPER_DATABASE is not known; use verify-full, or one of {', '.join(MODES)}."
        )
    if mode in ("disable", "allow", "prefer"):
        return {"ssl": mode}
    return {"ssl": _context(url, mode)}


def _context(url: URL, mode: str) -> ssl.SSLContext:
    """TLS 1.2 or newer; verify-ca: the certificate leads to one we trust; verify-full: it bears the name too."""
    try:
        context = ssl.create_default_context(cafile=_said(url, "sslrootcert") or None)
        if _said(url, "sslcert"):
            context.load_cert_chain(_said(url, "sslcert"), _said(url, "sslkey") or None)
    except OSError as problem:
        raise ValueError(f"A certificate that WATTKEEPER_DATABASE names cannot be read: {problem}.") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = mode == "verify-full"
    if mode == "require":
        context.verify_mode = ssl.CERT_NONE
    return context
