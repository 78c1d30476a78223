"""Production starts only where nothing goes in clear and nothing is left open; each fault says what to do."""

from __future__ import annotations

import ssl
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from wattkeeper.operations.profile import Unfit, faults, need_fit
from wattkeeper.settings import Settings
from wattkeeper.store.engines import engine_of
from wattkeeper.store.link import is_encrypted, link_of

HERE = Path(__file__).parent.parent / "gateway"


@pytest.fixture
def fit(tmp_path: Path) -> Settings:
    """Settings of production."""
    key = tmp_path / "key.pem"
    key.write_bytes((HERE / "certificate_key.pem").read_bytes())
    key.chmod(0o600)
    return Settings(
        profile="production",
        root_key=tmp_path / "root.key",
        tls_certificate=str(HERE / "certificate.pem"),
        tls_key=str(key),
        public_url="https://charge.example",
        docs=False,
    )


def test_settings_of_production_start(fit: Settings) -> None:
    need_fit(fit)
    need_fit(replace(fit, tls_certificate="", tls_key="", tls_by_proxy=True))
    need_fit(replace(fit, database="postgresql://db.example/x?sslmode=verify-full"))
    need_fit(replace(fit, database="postgresql://localhost/x"))
    need_fit(replace(fit, database="postgresql:///x?host=/var/run/postgresql"))
    need_fit(replace(fit, mail_host="mail.example"))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"tls_certificate": "", "tls_key": ""}, "WATTKEEPER_TLS_CERTIFICATE"),
        ({"tls_certificate": "", "tls_key": "", "tls_by_proxy": True, "host": "192.0.2.7"}, "go round the proxy"),
        ({"tls_certificate": str(HERE / "nothing.pem")}, "cannot be used"),
        ({"public_url": "http://charge.example"}, "not https"),
        ({"public_url": ""}, "WATTKEEPER_PUBLIC_URL=https"),
        ({"database": "postgresql://db.example/x"}, "sslmode=verify-full"),
        ({"database": "postgresql://db.example/x?sslmode=prefer"}, "sslmode=verify-full"),
        ({"mail_host": "mail.example", "mail_tls": "none"}, "Letters would go in clear"),
        ({"oidc_issuer": "http://login.example"}, "WATTKEEPER_OIDC_ISSUER"),
        ({"stripe_address": "http://stripe.example"}, "WATTKEEPER_STRIPE_ADDRESS"),
        ({"docs": True}, "WATTKEEPER_DOCS=no"),
        ({"outbox": True}, "WATTKEEPER_OUTBOX=no"),
        ({"staff_passkeys": False}, "WATTKEEPER_STAFF_PASSKEYS=yes"),
    ],
)
def test_h8_what_would_go_in_clear_does_not_start(fit: Settings, given: dict[str, Any], said: str) -> None:
    unfit = replace(fit, **given)
    with pytest.raises(Unfit, match=said):
        need_fit(unfit)
    need_fit(replace(unfit, profile="development"))


def test_h9_a_secret_that_others_can_read_does_not_start(fit: Settings) -> None:
    fit.root_key.write_bytes(b"x")
    for path, name in ((fit.root_key, "ROOT_KEY"), (Path(fit.tls_key), "TLS_KEY")):
        path.chmod(0o644)
        with pytest.raises(Unfit, match=f"WATTKEEPER_{name}.*chmod 600 {path}"):
            need_fit(fit)
        path.chmod(0o600)
    assert faults(fit) == []


def test_a_profile_that_is_not_known_is_told() -> None:
    with pytest.raises(ValueError, match="use production or development"):
        need_fit(Settings(profile="prod"))


@pytest.mark.parametrize(
    ("mode", "encrypted"),
    [("", False), ("disable", False), ("require", True), ("verify-ca", True), ("verify-full", True)],
)
def test_the_way_to_postgresql_is_as_its_address_says(mode: str, encrypted: bool) -> None:
    url = make_url("postgresql+asyncpg://db.example/x" + (f"?sslmode={mode}" if mode else ""))
    assert is_encrypted(url) is encrypted
    told = link_of(url).get("ssl")
    assert isinstance(told, ssl.SSLContext) is encrypted
    if isinstance(told, ssl.SSLContext):
        assert told.check_hostname is (mode == "verify-full")
        assert bool(told.verify_mode) is (mode != "require")
        assert told.minimum_version.name == "TLSv1_2"
    assert "sslmode" not in str(engine_of(url).url)


def test_a_way_that_is_named_wrongly_is_told() -> None:
    with pytest.raises(ValueError, match="sslmode=bogus"):
        link_of(make_url("postgresql://h/x?sslmode=bogus"))
    with pytest.raises(ValueError, match="cannot be read"):
        link_of(make_url("postgresql://h/x?sslmode=verify-full&sslrootcert=/nowhere.pem"))
