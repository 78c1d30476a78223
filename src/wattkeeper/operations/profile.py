"""What an installation must not do in production: send anything in clear, or leave open what is for trying it out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography import x509

from wattkeeper.operations.certificate import make_context
from wattkeeper.settings import Settings
from wattkeeper.store.engines import async_url
from wattkeeper.store.link import NEAR, is_encrypted

PRODUCTION, DEVELOPMENT = "production", "development"
SECRETS: Final = (
    "tls_key",
    "root_token_file",
    "stripe_key_file",
    "stripe_secret_file",
    "mail_password_file",
    "oidc_client_secret_file",
)
"""Settings that name a file with a secret."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What stands in the way of production, and what to do."""

    what: str
    do: str


class Unfit(ValueError):  # noqa: N818 - what was set is no fault of ours
    """The settings are not those of production."""


def need_fit(settings: Settings) -> None:
    """Raise Unfit, with all that is wrong, where a production profile would send anything in clear; ValueError."""
    if settings.profile not in (PRODUCTION, DEVELOPMENT):
        raise ValueError(f"WATTKEEPER_PROFILE={settings.profile!r} is not known; use {PRODUCTION} or {DEVELOPMENT}.")
    found = faults(settings) if settings.profile == PRODUCTION else []
    if found:
        raise Unfit("\n".join([f"It does not start as {PRODUCTION}:", *in_words(found)]))


def in_words(found: list[Fault]) -> list[str]:
    """Each fault with what to do."""
    return [f"- {one.what} {one.do}" for one in found]


def faults(settings: Settings) -> list[Fault]:
    """All that stands in the way of production."""
    return [*_doors(settings), *_links(settings), *_files(settings), *_open(settings)]


def _doors(settings: Settings) -> Iterator[Fault]:
    """Whether stations and people come by TLS."""
    if settings.tls_certificate:
        yield from _certificate(settings)
    elif not settings.tls_by_proxy:
        yield Fault(
            "Stations and people would come in clear.",
            "Set WATTKEEPER_TLS_CERTIFICATE and WATTKEEPER_TLS_KEY; or, where a proxy of yours ends TLS before both"
            " doors, WATTKEEPER_TLS_BY_PROXY=yes.",
        )
    elif settings.host not in NEAR:
        yield Fault(
            f"The doors listen on {settings.host} without TLS, so that anybody may go round the proxy.",
            "Set WATTKEEPER_HOST=127.0.0.1, or give the doors a certificate too.",
        )
    if not settings.public_url.startswith("https://"):
        yield Fault("The address that people type is not https.", "Set WATTKEEPER_PUBLIC_URL=https://….")


def _certificate(settings: Settings) -> Iterator[Fault]:
    """Whether the doors' certificate can be used, and today."""
    try:
        make_context(settings)
        until = x509.load_pem_x509_certificate(Path(settings.tls_certificate).read_bytes()).not_valid_after_utc
    except ValueError as problem:
        yield Fault(str(problem), "")
        return
    if until < datetime.now(UTC):
        yield Fault(f"The certificate ended on {until:%Y-%m-%d}.", "Renew it; a running installation takes it anew.")


def _links(settings: Settings) -> Iterator[Fault]:
    """Whether what we reach is reached by TLS."""
    if not is_encrypted(async_url(settings.database)):
        yield Fault(
            "What goes to the database elsewhere would go in clear, or might.",
            "Add ?sslmode=verify-full&sslrootcert=ca.pem to WATTKEEPER_DATABASE.",
        )
    if settings.mail_host and settings.mail_tls == "none" and settings.mail_host not in NEAR:
        yield Fault("Letters would go in clear.", "Set WATTKEEPER_MAIL_TLS to starttls or tls.")
    for name in ("oidc_issuer", "stripe_address"):
        if getattr(settings, name).startswith("http://"):
            yield Fault(f"WATTKEEPER_{name.upper()} is reached in clear.", "Use its https address.")


def _files(settings: Settings) -> Iterator[Fault]:
    """Whether files with secrets are their owner's alone."""
    named = {name: Path(getattr(settings, name)) for name in SECRETS if getattr(settings, name)}
    if settings.root in ("", "file"):
        named["root_key"] = settings.root_key
    for name, path in named.items():
        if path.exists() and path.stat().st_mode & 0o077:
            yield Fault(f"{path} (WATTKEEPER_{name.upper()}) can be read by others.", f"Run: chmod 600 {path}")


def _open(settings: Settings) -> Iterator[Fault]:
    """Whether what is for trying it out is shut."""
    if settings.docs:
        yield Fault("The description of the API is open to all.", "Set WATTKEEPER_DOCS=no.")
    if settings.outbox:
        yield Fault("Letters, and the links in them, are shown to anyone.", "Set WATTKEEPER_OUTBOX=no.")
    if not settings.staff_passkeys:
        yield Fault("Staff get in with a password alone.", "Set WATTKEEPER_STAFF_PASSKEYS=yes.")
