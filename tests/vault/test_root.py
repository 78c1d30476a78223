"""The root key: in a file, in Vault's transit engine, in a cloud; wrong, missing or out of reach it opens nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.vault.transit import TOKEN, Vault, vault_server
from wattkeeper.operations.safe import open_safe, root_of
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store
from wattkeeper.vault.keys import KeyRefused, KeyRing, RootUnreachable
from wattkeeper.vault.root import FileRoot, open_root
from wattkeeper.vault.transit import Transit


@pytest.fixture
def vault() -> Iterator[Vault]:
    with vault_server(Vault()) as found:
        yield found


@pytest.fixture
def token(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    return file


@pytest.fixture
def engine() -> str:
    """One engine is enough here."""
    return "sqlite"


def test_vault_wraps_with_what_we_bind_and_never_hands_its_key_out(vault: Vault, token: Path) -> None:
    root = Transit(vault.url, str(token))
    wrapped = root.wrap(b"a key", b"installation")
    assert wrapped.startswith(b"vault:v1:")
    assert root.unwrap(wrapped, b"installation") == b"a key"
    with pytest.raises(KeyRefused, match="cannot open"):
        root.unwrap(wrapped, b"installation@2")
    method, path, body = vault.asked[0]
    assert (method, path) == ("POST", "/v1/transit/encrypt/wattkeeper")
    assert body == {"plaintext": "YSBrZXk=", "associated_data": "aW5zdGFsbGF0aW9u"}


def test_a_turned_key_still_opens_until_its_old_versions_are_ended(vault: Vault, token: Path) -> None:
    root = Transit(vault.url, str(token))
    old = root.wrap(b"a key", b"it")
    assert root.turn() == 2
    new = root.wrap(root.unwrap(old, b"it"), b"it")
    assert new.startswith(b"vault:v2:")
    root.end_before(2)
    assert root.unwrap(new, b"it") == b"a key"
    with pytest.raises(KeyRefused, match="min_decryption_version"):
        root.unwrap(old, b"it")


async def test_an_installation_lives_below_vault_and_no_file_is_made(
    database: str, vault: Vault, token: Path, tmp_path: Path
) -> None:
    told = {"root": vault.url, "root_token_file": str(token), "root_key": tmp_path / "wattkeeper.key"}
    settings = Settings(database=database, **told)  # type: ignore[arg-type]
    store = Store(database)
    first = await open_safe(store, root_of(settings))
    again = await open_safe(store, root_of(settings))
    assert first.ref("04A1B2C3") == again.ref("04A1B2C3")
    assert not settings.root_key.exists()
    await store.close()


async def test_h8_without_vault_nothing_opens_and_what_runs_goes_on(database: str, token: Path) -> None:
    store = Store(database)
    with vault_server(Vault()) as vault:
        root = Transit(vault.url, str(token))
        safe = await open_safe(store, root)
        vault.sealed = True
        with pytest.raises(RootUnreachable, match="not ready"):
            await open_safe(store, root)
        vault.sealed, vault.token = False, "another"
        with pytest.raises(RootUnreachable, match="WATTKEEPER_ROOT_TOKEN_FILE"):
            await open_safe(store, root)
    with pytest.raises(RootUnreachable, match="see that Vault runs"):
        await open_safe(store, root)
    assert safe.unseal("t", "c", safe.seal("t", "c", b"still")) == b"still"
    await store.close()


@pytest.mark.parametrize(
    "where", ["hcvault://vault.example:8200/transit", "hcvault:///transit/keys/a", "kms://x", "fil"]
)
def test_what_is_no_root_is_told_with_what_is(where: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="hcvault://HOST:8200/transit/keys/NAME"):
        open_root(where, tmp_path / "key", "token")


def test_vault_elsewhere_is_spoken_to_by_tls_alone(token: Path) -> None:
    assert Transit("hcvault://vault.example:8200/transit/keys/a", str(token))._base.startswith("https://")
    with pytest.raises(ValueError, match="WATTKEEPER_ROOT_TOKEN_FILE"):
        Transit("hcvault://vault.example:8200/transit/keys/a", "")


@pytest.mark.parametrize(
    ("where", "package"), [("aws-kms://arn:aws:kms:x", "awskms"), ("gcp-kms://projects/p", "gcpkms")]
)
def test_a_cloud_whose_package_is_missing_is_told_with_its_name(where: str, package: str, tmp_path: Path) -> None:
    pytest.importorskip("tink")
    root = open_root(where, tmp_path / "key")
    with pytest.raises(KeyRefused, match=rf"pip install 'tink\[{package}\]'"):
        root.wrap(b"a", b"b")


def test_h5_a_key_file_that_is_missing_damaged_open_to_others_or_anothers_opens_nothing(tmp_path: Path) -> None:
    mine, other = FileRoot(tmp_path / "mine.key"), FileRoot(tmp_path / "other.key")
    with pytest.raises(KeyRefused, match="Restore it from its backup"):
        mine.wrap(b"a", b"b")
    mine.make()
    other.make()
    wrapped = mine.wrap(b"a key", b"it")
    assert mine.unwrap(wrapped, b"it") == b"a key"
    for bad, bound in ((other, b"it"), (mine, b"other")):
        with pytest.raises(KeyRefused, match="does not fit"):
            bad.unwrap(wrapped, bound)
    mine.path.chmod(0o640)
    with pytest.raises(KeyRefused, match="chmod 600"):
        mine.unwrap(wrapped, b"it")
    mine.path.chmod(0o600)
    mine.path.write_bytes(mine.path.read_bytes()[:20])
    with pytest.raises(KeyRefused, match="damaged"):
        mine.unwrap(wrapped, b"it")
    with pytest.raises(FileExistsError):
        mine.make()


def test_h5_a_replacement_that_was_interrupted_is_settled_by_whichever_fits(tmp_path: Path) -> None:
    root = FileRoot(tmp_path / "root.key")
    root.make()
    old = root.wrap(b"a key", b"it")
    root.next.write_bytes(b"half")
    assert root.unwrap(old, b"it") == b"a key"
    new = root.make_next().wrap(b"a key", b"it")
    assert root.make_next().unwrap(new, b"it") == b"a key", "a whole one is kept"
    assert root.unwrap(new, b"it") == root.unwrap(old, b"it")
    root.settle(old, b"it")
    assert root.next.exists(), "the database needs the old one still"
    root.settle(new, b"it")
    assert not root.next.exists()
    assert root.unwrap(new, b"it") == b"a key"
    with pytest.raises(KeyRefused):
        root.unwrap(old, b"it")


def test_h9_what_is_printed_of_keys_holds_none(tmp_path: Path, token: Path) -> None:
    root = FileRoot(tmp_path / "root.key")
    root.make()
    ring = KeyRing(root)
    ring.open_installation(ring.make_installation())
    shown = repr(root) + repr(ring) + repr(Transit("hcvault://v.example/transit/keys/a", str(token)))
    assert TOKEN not in shown
    assert "root.key: installation" in shown
