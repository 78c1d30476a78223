"""The root key as a file with mode 0600, and `open_root`: which of the roots a setting names."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import tink
from tink import aead

from wattkeeper.vault.cloud import AWS, GCP, CloudRoot
from wattkeeper.vault.durable import sync_folder
from wattkeeper.vault.keys import KeyRefused, Root, new_keyset, primitive
from wattkeeper.vault.transit import TRANSIT, Transit

MISFIT = "The root key does not fit this database. Restore the key that belongs to it."
KINDS = f"file, {TRANSIT}HOST:8200/transit/keys/NAME, {AWS}arn:… or {GCP}projects/…"
"""What the setting may say."""


class FileRoot:
    """The root key in a file that its owner alone may read; read anew each time, never held in memory.

    While it is replaced there are two files: whichever fits the database is used, and `settle` leaves one.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.next = path.with_name(path.name + ".next")
        """The one that takes its place, while it does."""

    @property
    def where(self) -> str:
        """What people call it."""
        return f"the file {self.path}"

    def __repr__(self) -> str:
        """Where it is; never the key."""
        return f"<FileRoot {self.path}>"

    def wrap(self, plain: bytes, bound: bytes) -> bytes:
        """Wrap under the key in the file; raises KeyRefused."""
        return bytes(load_root(self.path).encrypt(plain, bound))

    def unwrap(self, wrapped: bytes, bound: bytes) -> bytes:
        """Unwrap by the key in the file, or by that which takes its place; raises KeyRefused."""
        found = load_root(self.path)
        for cipher in (found, *self._awaited()):
            with suppress(tink.TinkError):
                return bytes(cipher.decrypt(wrapped, bound))
        raise KeyRefused(MISFIT)

    def exists(self) -> bool:
        """Whether there is a file."""
        return self.path.exists()

    def make(self) -> None:
        """Write a fresh key; raises FileExistsError rather than replace one."""
        make_root(self.path)

    def make_next(self) -> FileRoot:
        """The key that takes this one's place: a fresh one, or that of a replacement that was interrupted."""
        if not self._awaited():
            self.next.unlink(missing_ok=True)  # half a key that never wrapped anything
            make_root(self.next)
        return FileRoot(self.next)

    def settle(self, wrapped: bytes, bound: bytes) -> None:
        """Put the next key in place where it is the one that wrapped this; the one before is gone then."""
        for cipher in self._awaited():
            with suppress(tink.TinkError):
                cipher.decrypt(wrapped, bound)
                self.next.replace(self.path)
                sync_folder(self.path.parent)

    def _awaited(self) -> list[aead.Aead]:
        """The next key, where there is a whole one."""
        with suppress(KeyRefused):
            return [load_root(self.next)]
        return []


def open_root(where: str, path: Path, token: str = "", ca_file: str = "") -> Root:
    """The root that a setting names; ``token`` is a file with what lets us in. ValueError says what may be set."""
    if where in ("", "file"):
        return FileRoot(path)
    if where.startswith(TRANSIT):
        return Transit(where, token, ca_file)
    if where.startswith((AWS, GCP)):
        return CloudRoot(where, token)
    raise ValueError(f"WATTKEEPER_ROOT={where!r} names no root key that is known here; use {KINDS}.")


def load_root(path: Path) -> aead.Aead:
    """The cipher of a root key file, which must be readable by its owner alone; raises KeyRefused."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise KeyRefused(
            f"The root key {path} is missing. Restore it from its backup, or name it in WATTKEEPER_ROOT_KEY."
        ) from None
    if mode & 0o077:
        raise KeyRefused(f"The root key {path} can be read by others. Run: chmod 600 {path}")
    try:
        return primitive(path.read_bytes())
    except Exception:
        raise KeyRefused(f"The root key {path} is damaged. Restore it from its backup.") from None


def make_root(path: Path) -> None:
    """Write a fresh root key with mode 0600; raises FileExistsError rather than replace one."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(new_keyset())
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)
