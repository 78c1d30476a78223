"""Passwords that were stolen elsewhere and are tried first: a list that whoever runs the installation hands us."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path

_SHA1 = re.compile(rb"([0-9A-Fa-f]{40})(?::[0-9]+)?")
"""A line of the lists that are published as SHA-1, with or without how often each was seen."""


@cache
def leaked(path: str) -> frozenset[int]:
    """The marks (`mark`) of every password in a file, one a line, plain or as SHA-1; raises OSError without one."""
    if not path:
        return frozenset()
    with Path(path).open("rb") as lines:
        return frozenset(_marked(line.rstrip(b"\r\n")) for line in lines if line.strip())


def mark(password: str) -> int:
    """What a password is found by: the first 64 bits of its SHA-1, as such lists are made."""
    return _short(hashlib.sha1(password.encode("utf-8", "replace"), usedforsecurity=False).digest())


def _marked(line: bytes) -> int:
    found = _SHA1.fullmatch(line)
    return _short(bytes.fromhex(found[1].decode())) if found else mark(line.decode("utf-8", "replace"))


def _short(digest: bytes) -> int:
    return int.from_bytes(digest[:8])
