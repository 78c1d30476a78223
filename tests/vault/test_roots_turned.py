"""Roots elsewhere: the installation's key moves to Vault, whose key takes its next version; clouds by stand-ins."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import tink
from tink import aead

from tests.vault.planted import Planted
from tests.vault.transit import TOKEN, Vault, vault_server
from wattkeeper.operations.backup.telling import standing
from wattkeeper.operations.keys.kinds import KeyKind
from wattkeeper.operations.keys.rotating import Rotation
from wattkeeper.operations.safe import open_safe
from wattkeeper.store.engines import Store
from wattkeeper.vault.keys import KeyRefused, RootUnreachable
from wattkeeper.vault.root import FileRoot, open_root
from wattkeeper.vault.transit import Transit


@pytest.fixture
def engine() -> str:
    """One engine is enough here."""
    return "sqlite"


@pytest.fixture
def transit(tmp_path: Path) -> Iterator[tuple[Vault, Transit]]:
    token = tmp_path / "token"
    token.write_text(TOKEN)
    with vault_server(Vault()) as vault:
        yield vault, Transit(vault.url, str(token))


async def test_the_root_moves_to_vault_and_is_turned_there(
    database: str, tmp_path: Path, transit: tuple[Vault, Transit]
) -> None:
    vault, root = transit
    store, file = Store(database), tmp_path / "root.key"
    lines: list[str] = []
    safe = await open_safe(store, file)
    planted = await Planted.make(store, safe)
    await Rotation(store, safe, "test").move(root)
    with pytest.raises(KeyRefused, match="does not fit"):
        await open_safe(store, file)
    there = await open_safe(store, root)
    await planted.check(there)
    await Rotation(store, there, "test").rotate(KeyKind.ROOT, lines.append)
    await Rotation(store, there, "test").rotate(KeyKind.INSTALLATION, lines.append)
    assert (len(vault.versions), vault.least) == (2, 1)
    assert "keys rotate root --end" in lines[0]
    await Rotation(store, there, "test").rotate(KeyKind.ROOT, lines.append, end=True)
    assert (len(vault.versions), vault.least) == (3, 3)
    await planted.check(await open_safe(store, root))
    vault.sealed = True
    await planted.check(there)  # what runs goes on
    with pytest.raises(RootUnreachable):
        await Rotation(store, there, "test").rotate(KeyKind.ROOT, lines.append)
    vault.sealed = False
    await planted.check(await open_safe(store, root))
    await store.close()


@pytest.mark.parametrize(
    ("scheme", "module", "client"),
    [
        ("aws-kms://arn:aws:kms:eu-1:1:key/1", "tink.integration.awskms", "AwsKmsClient"),
        ("gcp-kms://projects/p/locations/l/keyRings/r/cryptoKeys/k", "tink.integration.gcpkms", "GcpKmsClient"),
    ],
)
async def test_a_cloud_wraps_by_its_client(
    database: str, monkeypatch: pytest.MonkeyPatch, scheme: str, module: str, client: str, tmp_path: Path
) -> None:
    made: list[tuple[str, str | None]] = []
    key = tink.new_keyset_handle(aead.aead_key_templates.AES256_GCM).primitive(aead.Aead)

    class Client:
        def __init__(self, uri: str, credentials: str | None) -> None:
            made.append((uri, credentials))

        def get_aead(self, uri: str) -> aead.Aead:
            return key

    stand_in = ModuleType(module)
    setattr(stand_in, client, Client)
    monkeypatch.setitem(sys.modules, module, stand_in)
    store = Store(database)
    root = open_root(scheme, tmp_path / "unused.key", "/credentials")
    planted = await Planted.make(store, await open_safe(store, root))
    await planted.check(await open_safe(store, root))
    assert made == [(scheme, "/credentials")]
    other = FileRoot(tmp_path / "other.key")
    other.make()
    with pytest.raises(RootUnreachable, match="See that it can be reached"):
        root.unwrap(other.wrap(b"x", b"y"), b"y")
    async with store.read() as connection:
        assert (await standing(connection)).made_at is None
    await store.close()
