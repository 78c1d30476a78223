"""Root key (a file) to installation key to one key for each person; every key below the root is kept wrapped."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import tink
from tink import aead, proto_keyset_format, secret_key_access

aead.register()

INSTALLATION = "installation"
"""The subject whose key wraps all others."""


class KeyRefused(Exception):  # noqa: N818 - the wrong key is an answer
    """A key is missing, damaged or not the one that sealed this; says what to do."""


def _new_keyset() -> bytes:
    """A fresh AES-256-GCM keyset, serialised in the clear."""
    handle = tink.new_keyset_handle(aead.aead_key_templates.AES256_GCM)
    return bytes(proto_keyset_format.serialize(handle, secret_key_access.TOKEN))


def _primitive(keyset: bytes) -> aead.Aead:
    """The cipher of a serialised keyset."""
    return proto_keyset_format.parse(keyset, secret_key_access.TOKEN).primitive(aead.Aead)


def load_root(path: Path) -> aead.Aead:
    """The cipher of the root key file, which must be readable by its owner alone; raises KeyRefused."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise KeyRefused(
            f"The root key {path} is missing. Restore it from its backup, or name it in WATTKEEPER_ROOT_KEY."
        ) from None
    if mode & 0o077:
        raise KeyRefused(f"The root key {path} can be read by others. Run: chmod 600 {path}")
    try:
        return _primitive(path.read_bytes())
    except Exception as damaged:
        raise KeyRefused(f"The root key {path} is damaged. Restore it from its backup.") from damaged


def make_root(path: Path) -> None:
    """Write a fresh root key with mode 0600; raises FileExistsError rather than replace one."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(_new_keyset())
        file.flush()
        os.fsync(file.fileno())


class KeyRing:
    """Opens wrapped keys below a root; what it gives out for keeping is always wrapped."""

    def __init__(self, root: aead.Aead) -> None:
        self._root = root
        self._installation: aead.Aead | None = None
        self._subjects: dict[str, aead.Aead] = {}

    def make_installation(self) -> bytes:
        """A fresh installation key, wrapped by the root."""
        return bytes(self._root.encrypt(_new_keyset(), INSTALLATION.encode()))

    def open_installation(self, wrapped: bytes) -> None:
        """Use this installation key from now on; raises KeyRefused when the root key is not the one that wrapped it."""
        try:
            self._installation = _primitive(self._root.decrypt(wrapped, INSTALLATION.encode()))
        except tink.TinkError:
            raise KeyRefused("The root key does not fit this database. Restore the key that belongs to it.") from None

    def make(self, subject: str) -> bytes:
        """A fresh key for a subject, wrapped by the installation key."""
        return bytes(self._above().encrypt(_new_keyset(), _label(subject)))

    def make_secret(self, subject: str) -> bytes:
        """32 fresh random bytes (a pepper), wrapped by the installation key."""
        return bytes(self._above().encrypt(secrets.token_bytes(32), _label(subject)))

    def open_secret(self, subject: str, wrapped: bytes) -> bytes:
        """The random bytes of `make_secret`."""
        return bytes(self._above().decrypt(wrapped, _label(subject)))

    def cipher(self, subject: str, wrapped: bytes) -> aead.Aead:
        """The cipher of a subject's wrapped key; raises KeyRefused when it was wrapped for another."""
        if subject not in self._subjects:
            if len(self._subjects) >= 10_000:
                self._subjects.clear()
            try:
                self._subjects[subject] = _primitive(self._above().decrypt(wrapped, _label(subject)))
            except tink.TinkError:
                raise KeyRefused("A key in the database was not wrapped for its subject.") from None
        return self._subjects[subject]

    def forget(self, subject: str) -> None:
        """Drop a subject's opened key from memory."""
        self._subjects.pop(subject, None)

    def _above(self) -> aead.Aead:
        if self._installation is None:
            raise KeyRefused("The installation key is not open yet.")
        return self._installation


def _label(subject: str) -> bytes:
    """What binds a wrapped key to its subject."""
    return b"wattkeeper key\x00" + subject.encode()
