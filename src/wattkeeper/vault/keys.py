"""Root to installation key to one key for each person; every key below the root is kept wrapped.

Shared keys have versions: ``house``, then ``house@2``. A ciphertext begins with the mark of the key that made it, so
that whoever holds several versions knows which one opens it, and who re-seals knows what is done already.
"""

from __future__ import annotations

import secrets
from typing import Final, Protocol

import tink
from tink import aead, proto_keyset_format, secret_key_access

aead.register()

INSTALLATION = "installation"
"""The subject whose key wraps all others."""
MARK: Final = 5
"""How many bytes of a ciphertext say which key made it (Tink's prefix)."""
MOST_OPEN: Final = 10_000
"""How many keys of persons are held open at once."""


class KeyRefused(Exception):  # noqa: N818 - the wrong key is an answer
    """A key is missing, damaged or not the one that sealed this; says what to do."""


class RootUnreachable(KeyRefused):
    """Who holds the root key does not answer, or lets us in no more: nothing is opened until they do."""


class Root(Protocol):
    """What wraps the installation's key and never lets its own out: a file beside the database, or a service."""

    @property
    def where(self) -> str:
        """What people call it, such as ``the file wattkeeper.key``; no secret."""
        ...

    def wrap(self, plain: bytes, bound: bytes) -> bytes:
        """Wrap a key, bound to what it is for; raises KeyRefused. May take as long as a network does."""
        ...

    def unwrap(self, wrapped: bytes, bound: bytes) -> bytes:
        """The key of `wrap`; raises KeyRefused where this is not the root that wrapped it, or bound otherwise."""
        ...


def version_of(subject: str) -> tuple[str, int]:
    """The name and version of a shared key: ``house@2`` is house, 2; ``house`` is its first."""
    name, _, version = subject.partition("@")
    return name, int(version or 1)


def versioned(name: str, version: int) -> str:
    """The subject of a version of a shared key."""
    return name if version == 1 else f"{name}@{version}"


def new_keyset() -> bytes:
    """A fresh AES-256-GCM keyset, serialised in the clear."""
    handle = tink.new_keyset_handle(aead.aead_key_templates.AES256_GCM)
    return bytes(proto_keyset_format.serialize(handle, secret_key_access.TOKEN))


def primitive(keyset: bytes) -> aead.Aead:
    """The cipher of a serialised keyset."""
    return proto_keyset_format.parse(keyset, secret_key_access.TOKEN).primitive(aead.Aead)


def mark_of(cipher: aead.Aead) -> bytes:
    """What everything begins with that this cipher seals."""
    return bytes(cipher.encrypt(b"", b""))[:MARK]


class KeyRing:
    """Opens wrapped keys below a root; what it gives out for keeping is always wrapped."""

    def __init__(self, root: Root) -> None:
        self.root = root
        self._above: dict[str, tuple[bytes, aead.Aead]] = {}
        self._closed: dict[bytes, aead.Aead] = {}
        self._newest = ""
        self._subjects: dict[bytes, aead.Aead] = {}

    def __repr__(self) -> str:
        """Which root and which versions; never a key."""
        return f"<KeyRing below {self.root.where}: {', '.join(self._above) or 'closed'}>"

    def make_installation(self, version: int = 1) -> bytes:
        """A fresh installation key, wrapped by the root."""
        return self.root.wrap(new_keyset(), versioned(INSTALLATION, version).encode())

    def open_installation(self, wrapped: bytes, version: int = 1) -> None:
        """Use this installation key too, and wrap with the newest; raises KeyRefused where it is not the root's."""
        name = versioned(INSTALLATION, version)
        if name not in self._above:
            cipher = primitive(self.root.unwrap(wrapped, name.encode()))
            self._above[name] = mark_of(cipher), cipher
        self._newest = versioned(INSTALLATION, max(version_of(one)[1] for one in self._above))

    def close_installation(self, version: int) -> None:
        """Wrap no more with a version that was destroyed; what was read a moment ago opens until `let_go`."""
        gone = self._above.pop(versioned(INSTALLATION, version), None)
        if gone is not None:
            self._closed[gone[0]] = gone[1]

    @property
    def versions(self) -> set[int]:
        """The versions of the installation key that are open."""
        return {version_of(name)[1] for name in self._above}

    @property
    def mark(self) -> bytes:
        """What everything begins with that the newest installation key wraps."""
        return self._wrapping()[0]

    def make(self, subject: str) -> bytes:
        """A fresh key for a subject, wrapped by the installation key."""
        return self._wrap(subject, new_keyset())

    def make_secret(self, subject: str) -> bytes:
        """32 fresh random bytes (a pepper), wrapped by the installation key."""
        return self._wrap(subject, secrets.token_bytes(32))

    def keep_secret(self, subject: str, plain: bytes) -> bytes:
        """A secret that is made elsewhere (a key that signs), wrapped by the installation key."""
        return self._wrap(subject, plain)

    def open_secret(self, subject: str, wrapped: bytes) -> bytes:
        """The bytes of `make_secret` or `keep_secret`; raises KeyRefused when they were wrapped for another."""
        found = self._closed | dict(self._above.values())
        if not self._above:
            raise KeyRefused("The installation key is not open yet.")
        try:
            return bytes(found[wrapped[:MARK]].decrypt(wrapped, _label(subject)))
        except (KeyError, tink.TinkError):
            raise KeyRefused("A key in the database was not wrapped for its subject.") from None

    def rewrap(self, subject: str, wrapped: bytes) -> bytes:
        """The same key, wrapped by the newest installation key; raises KeyRefused."""
        return self._wrap(subject, self.open_secret(subject, wrapped))

    def cipher(self, subject: str, wrapped: bytes) -> aead.Aead:
        """The cipher of a subject's wrapped key; raises KeyRefused when it was wrapped for another."""
        known = self._subjects.get(wrapped)
        if known is None:
            known = primitive(self.open_secret(subject, wrapped))
            if len(self._subjects) >= MOST_OPEN:
                self._subjects.clear()
            self._subjects[wrapped] = known
        return known

    def let_go(self) -> None:
        """Drop from memory what is gone, and the opened keys of all subjects."""
        self._closed.clear()
        self._subjects.clear()

    def _wrap(self, subject: str, plain: bytes) -> bytes:
        return bytes(self._wrapping()[1].encrypt(plain, _label(subject)))

    def _wrapping(self) -> tuple[bytes, aead.Aead]:
        if not self._newest:
            raise KeyRefused("The installation key is not open yet.")
        return self._above[self._newest]


def _label(subject: str) -> bytes:
    """What binds a wrapped key to its subject."""
    return b"wattkeeper key\x00" + subject.encode()
