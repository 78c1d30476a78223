"""A leaf of the log: one line that names a row and commits to what it said, and says nothing else. Pure.

The line is ``1 KIND REF COMMITMENT``: its form, which table, which row (percent-encoded where it has to be), and in
hexadecimal the SHA-256 over 16 random bytes and the canonical JSON of what the row said. Whoever is given those opens
the leaf; whoever is not cannot even guess.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, unquote

import orjson

from wattkeeper.vault.transparency import leaf_hash

FORM: Final = "1"


class LeafUnreadable(ValueError):  # noqa: N818 - what cannot be read is an answer
    """Bytes that are no leaf of a log of ours."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One leaf, as it is published."""

    kind: str
    ref: str
    commitment: bytes

    @property
    def data(self) -> bytes:
        """The line that the tree hashes."""
        return f"{FORM} {self.kind} {quote(self.ref, safe='/:')} {self.commitment.hex()}".encode()

    @property
    def hash(self) -> bytes:
        """Its hash in the tree."""
        return leaf_hash(self.data)


def read_leaf(data: bytes) -> Leaf:
    """The leaf of its line; raises LeafUnreadable."""
    try:
        form, kind, ref, commitment = data.decode("ascii").split(" ")
        leaf = Leaf(kind, unquote(ref), bytes.fromhex(commitment))
    except ValueError:
        raise LeafUnreadable(f"{data[:80]!r} is no leaf.") from None
    if form != FORM or leaf.data != data:
        raise LeafUnreadable(f"{data[:80]!r} is no leaf.")
    return leaf


def canonical(value: Mapping[str, Any]) -> str:
    """JSON with sorted names and no spaces; texts, whole numbers, lists and null alone."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def committed(salt: bytes, said: str) -> bytes:
    """The commitment to what a row said, in its canonical form."""
    return hashlib.sha256(salt + said.encode()).digest()
