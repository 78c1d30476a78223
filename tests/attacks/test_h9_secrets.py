"""H9: no secret in the repository, in the environment, on a command line, in what is printed or in a traceback."""

from __future__ import annotations

import asyncio
import base64
import os
import re
import subprocess
import sys
import traceback
from dataclasses import fields
from pathlib import Path

import pytest

from tests.doors import free_port, until
from wattkeeper.operations.safe import open_safe
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store
from wattkeeper.vault.keys import KeyRefused, primitive
from wattkeeper.vault.note import Signer
from wattkeeper.vault.root import FileRoot

ROOT = Path(__file__).parents[2]
SECRET = re.compile(
    r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----|hvs\.[A-Za-z0-9]{20,}|sk_live_[A-Za-z0-9]+"
    r"|AKIA[0-9A-Z]{16}|ghp_[A-Za-z0-9]{30,}"
)
FOR_TESTS = ("tests/gateway/certificate_key.pem",)
"""Keys that open nothing: they are made for tests, and say so by where they lie."""
HOLDS_ONE = re.compile(r"password|secret|token|key", re.I)


def spelled(key: bytes) -> list[bytes]:
    """The ways in which a key may stand in an output."""
    return [key, key.hex().encode(), key.hex().upper().encode(), base64.b64encode(key), repr(key)[2:-1].encode()]


def root_of(path: Path) -> bytes:
    """The 32 bytes that matter in a root key file: Tink keeps them after their length."""
    return path.read_bytes().partition(b"\x1a\x20")[2][:32]


def test_h9_no_secret_is_in_the_repository() -> None:
    listed = subprocess.run(("git", "ls-files"), cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    paths = [ROOT / name for name in listed if name and (ROOT / name).is_file()]
    found = [str(path.relative_to(ROOT)) for path in paths if SECRET.search(path.read_bytes().decode("latin-1"))]
    ours = {str(Path(__file__).relative_to(ROOT))}
    assert len(paths) > 100
    assert {one for one in found if not one.endswith((".py", ".md"))} <= set(FOR_TESTS)
    assert not [one for one in found if one.startswith(("src/", "docs/", "bench/")) and one not in ours]
    assert not [path for path in paths if path.suffix in (".key", ".forgotten", ".db")]


def test_h9_settings_name_files_with_secrets_and_hold_none() -> None:
    told = [field.name for field in fields(Settings) if HOLDS_ONE.search(field.name)]
    paths = {"root_key", "tls_key", "root_token_file"}
    harmless = {"key_days", "staff_passkeys", "password_list", "log_witness_keys"}  # the last are public
    assert {name for name in told if not name.endswith("_file")} <= paths | harmless
    shown = repr(Settings(root_key=Path("/keys/root.key"), root_token_file="/keys/token"))
    assert "/keys/root.key" in shown, "where it lies is no secret"


async def test_h9_nothing_that_holds_a_key_prints_it(tmp_path: Path) -> None:
    root = FileRoot(tmp_path / "root.key")
    store = Store(f"sqlite:///{tmp_path / 'w.db'}")
    from wattkeeper.store.migrate import migrate

    await migrate(f"sqlite:///{tmp_path / 'w.db'}")
    safe = await open_safe(store, root)
    secret = root_of(root.path)
    assert len(secret) == 32
    peppers = [one.key for one in (safe.shared.cards, safe.shared.names, *safe.shared.codes)]
    signer = Signer("log.example/log", b"s" * 32)
    shown = "".join(map(repr, (root, safe, safe.ring, safe.shared, safe.shared.cards, signer))).encode()
    shown += "".join(map(str, (root, safe, safe.ring, safe.shared, signer))).encode()
    for key in (secret, *peppers, b"s" * 32):
        assert not [one for one in spelled(key) if one in shown]
    try:
        safe.ring.open_secret("house", b"\x01garbage")
    except KeyRefused:
        told = traceback.format_exc().encode()
    assert not [one for key in (secret, *peppers) for one in spelled(key) if one in told]
    with pytest.raises(KeyRefused) as refused:
        safe.unseal("orders", "sealed", b"\x01garbage that is not sealed")
    assert "garbage" not in str(refused.value)
    await store.close()


async def test_h9_nothing_is_told_by_proc_or_by_an_error(tmp_path: Path) -> None:
    root, mail = tmp_path / "root.key", tmp_path / "mail.password"
    FileRoot(root).make()
    primitive(root.read_bytes())
    mail.write_text("Canary-Password-9")
    given = {
        "DATABASE": f"sqlite:///{tmp_path / 'w.db'}",
        "ROOT_KEY": str(root),
        "FORGOTTEN": str(tmp_path / "forgotten"),
        "HTTP_PORT": str(free_port()),
        "OCPP_PORT": str(free_port()),
        "MAIL_HOST": "127.0.0.1",
        "MAIL_PASSWORD_FILE": str(mail),
    }
    told = {f"WATTKEEPER_{name}": value for name, value in given.items()}
    own = {name: value for name, value in os.environ.items() if not name.startswith("WATTKEEPER_")} | told
    program = (sys.executable, "-m", "wattkeeper", "serve")
    said = (tmp_path / "said").open("wb")
    serving = await asyncio.create_subprocess_exec(*program, env=own, stdout=said, stderr=said)
    try:
        await until(lambda: b"first-owner" in (tmp_path / "said").read_bytes(), "it started")
        proc = Path(f"/proc/{serving.pid}")
        seen = b"".join((proc / name).read_bytes() for name in ("cmdline", "environ"))
    finally:
        serving.terminate()
        await serving.wait()
        said.close()
    secret = root_of(root)
    root.write_bytes(root.read_bytes()[:-8])  # damaged: what is said then
    broken = await asyncio.to_thread(subprocess.run, program, env=own, capture_output=True, check=False)
    assert broken.returncode == 1
    assert b"damaged" in broken.stderr
    assert b"Traceback" not in broken.stderr
    seen += broken.stdout + broken.stderr + (tmp_path / "said").read_bytes()
    for key in (secret, secret[:16], b"Canary-Password-9"):
        assert not [one for one in spelled(key) if one in seen]
