"""Signed notes (C2SP signed-note): checkpoints of the log, the keys they are verified with, and cosignatures.

The signatures are Ed25519 of `cryptography`; what is written here is only how notes and keys are spelt.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from wattkeeper.vault.transparency import SIZE

SIGNS: Final = 0x01
"""The kind of key that signs a note."""
COSIGNS: Final = 0x04
"""The kind of key that cosigns a checkpoint at a time (C2SP tlog-cosignature, version 1)."""
LONGEST: Final = 1_000_000
"""Bytes of the longest note that is read."""
MOST_SIGNATURES: Final = 100
DASH: Final = "\N{EM DASH} "
NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


class NoteRefused(ValueError):  # noqa: N818 - what cannot be believed is an answer
    """A note or key that cannot be read, or that nobody we trust has signed; says which."""


def check_name(name: str) -> str:
    """The name of a key or log, if it can be one; raises NoteRefused."""
    if not name or "+" in name or any(sign.isspace() or ord(sign) < 0x20 for sign in name):
        raise NoteRefused(f"{name!r} cannot name a key: names have no spaces and no plus sign.")
    return name


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key under which signatures are checked."""

    name: str
    kind: int
    public: bytes

    @property
    def key_id(self) -> bytes:
        """The four bytes by which signatures name it."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    def __str__(self) -> str:
        """As it is written down: name+id+key."""
        key = base64.b64encode(bytes([self.kind]) + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{key}"

    def time_of(self, text: str, signature: bytes) -> int:
        """Whether its signature is over this text: when it was made, seconds since 1970, 0 where it does not say.

        Raises NoteRefused.
        """
        head, at = b"", 0
        if self.kind == COSIGNS:
            at = int.from_bytes(signature[:8], "big")
            head, signature = f"cosignature/v1\ntime {at}\n".encode(), signature[8:]
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, head + text.encode())
        except InvalidSignature:
            raise NoteRefused(f"The signature of {self.name} does not hold: the text was changed.") from None
        return at


def read_verifier(text: str) -> Verifier:
    """The key of its written form; raises NoteRefused."""
    parts = text.strip().split("+", 2)
    try:
        name, key_id, key = check_name(parts[0]), bytes.fromhex(parts[1]), base64.b64decode(parts[2], validate=True)
        found = Verifier(name, key[0], key[1:])
    except (IndexError, ValueError):
        raise NoteRefused(f"{text.strip()[:80]!r} is no key; one looks like name+0123abcd+AQ….") from None
    if found.kind not in (SIGNS, COSIGNS) or len(found.public) != 32 or found.key_id != key_id:
        raise NoteRefused(f"The key of {name} is damaged, or of a kind that is not known here.")
    return found


def read_verifiers(text: str) -> list[Verifier]:
    """The keys that stand in a text, one a line; raises NoteRefused where there is none."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if not lines:
        raise NoteRefused("There is no key in it; one looks like name+0123abcd+AQ….")
    return [read_verifier(line) for line in lines]


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key: 32 bytes of which the key is made, and never shown."""

    name: str
    seed: bytes
    kind: int = SIGNS

    def __repr__(self) -> str:
        """Without the seed."""
        return f"Signer({self.name!r})"

    @property
    def verifier(self) -> Verifier:
        """Its public half."""
        key = Ed25519PrivateKey.from_private_bytes(self.seed)
        return Verifier(check_name(self.name), self.kind, key.public_key().public_bytes_raw())

    def line(self, text: str, at: int = 0) -> str:
        """The signature line over a text; ``at``, seconds since 1970, counts for cosignatures."""
        key = Ed25519PrivateKey.from_private_bytes(self.seed)
        head = f"cosignature/v1\ntime {at}\n".encode() if self.kind == COSIGNS else b""
        stamp = at.to_bytes(8, "big") if self.kind == COSIGNS else b""
        signed = self.verifier.key_id + stamp + key.sign(head + text.encode())
        return f"{DASH}{self.name} {base64.b64encode(signed).decode()}\n"


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature as a note has it; whether it holds is not said."""

    name: str
    key_id: bytes
    signature: bytes

    def line(self) -> str:
        """As it stands in the note."""
        return f"{DASH}{self.name} {base64.b64encode(self.key_id + self.signature).decode()}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text and its signatures, none of which was checked yet."""

    text: str
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        """As it is written down."""
        return self.text + "\n" + "".join(one.line() for one in self.signatures)

    def opened(self, verifiers: Iterable[Verifier]) -> dict[Verifier, int]:
        """Which of these keys signed it, and when where they say; raises NoteRefused where one of theirs is wrong."""
        known = {(one.name, one.key_id): one for one in verifiers}
        found: dict[Verifier, int] = {}
        for one in self.signatures:
            verifier = known.get((one.name, one.key_id))
            if verifier is not None and verifier not in found:
                found[verifier] = verifier.time_of(self.text, one.signature)
        return found


def signed(text: str, signers: Sequence[Signer]) -> str:
    """A note over a text, which must end a line."""
    return text + "\n" + "".join(one.line(text) for one in signers)


def read_note(raw: str | bytes) -> Note:
    """The note of its written form; raises NoteRefused. Nothing of it may be believed before it was `opened`."""
    if len(raw) > LONGEST:
        raise NoteRefused("This is too long to be a signed note.")
    try:
        whole = raw.decode() if isinstance(raw, bytes) else raw
    except UnicodeDecodeError:
        raise NoteRefused("This is no signed note: it is not UTF-8.") from None
    text, parted, lines = whole.rpartition("\n\n")
    if not parted or not whole.endswith("\n") or any(ord(sign) < 0x20 and sign != "\n" for sign in whole):
        raise NoteRefused("This is no signed note: a text, an empty line, and lines of signatures.")
    signatures = [_signature(line) for line in lines[:-1].split("\n")[:MOST_SIGNATURES]]
    return Note(text + "\n", tuple(signatures))


def _signature(line: str) -> Signature:
    """The signature of a line; raises NoteRefused."""
    name, _, encoded = line.removeprefix(DASH).partition(" ")
    try:
        raw = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if not line.startswith(DASH) or len(raw) < 5:
        raise NoteRefused("This is no signed note: a line of its signatures cannot be read.")
    return Signature(check_name(name), raw[:4], raw[4:])


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log commits to (C2SP tlog-checkpoint): this many entries, with this root."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The text that is signed."""
        return f"{check_name(self.origin)}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def read_checkpoint(text: str) -> Checkpoint:
    """The checkpoint of a note's text; further lines may follow and are signed too. Raises NoteRefused."""
    lines = text.split("\n")
    try:
        origin, size, root = lines[0], lines[1], base64.b64decode(lines[2], validate=True)
    except (IndexError, ValueError):
        raise NoteRefused("This is no checkpoint of a log: a name, a number and a hash, each in its line.") from None
    if not origin or NUMBER.fullmatch(size) is None or len(root) != SIZE or lines[-1] != "" or "" in lines[:-1]:
        raise NoteRefused("This is no checkpoint of a log: a name, a number and a hash, each in its line.")
    return Checkpoint(origin, int(size), root)
