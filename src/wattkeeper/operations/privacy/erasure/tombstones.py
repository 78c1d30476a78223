"""Tombstones: who was forgotten, in a file beside the root key, so that no older copy of the database brings them back.

One line of JSON for each person: ``{"subject", "at", "certificate"}``. A line is on disk before the transaction commits
in which its person is forgotten: whoever is in the file and still in the database is forgotten before a door opens.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import orjson

from wattkeeper.vault.durable import sync_folder


@dataclass(frozen=True, slots=True)
class Tombstone:
    """Somebody who was forgotten, by an id that leads to nobody."""

    subject: str
    at: datetime
    certificate: str
    """SHA-256 of the signed statement, hexadecimal."""


def read(path: Path) -> list[Tombstone]:
    """Everybody who was forgotten; nobody where there is no file. A last line that was cut off is left out.

    Raises ValueError for a line that is none: a file that was tampered with must not pass for an empty one.
    """
    if not path.exists():
        return []
    lines = path.read_bytes().split(b"\n")
    return [*_lines(path, lines[:-1])]


def _lines(path: Path, lines: list[bytes]) -> Iterator[Tombstone]:
    for place, line in enumerate(lines, 1):
        try:
            told = orjson.loads(line)
            yield Tombstone(str(told["subject"]), datetime.fromisoformat(told["at"]), str(told["certificate"]))
        except (ValueError, KeyError, TypeError):
            why = f"Line {place} of {path} says nobody who was forgotten. Restore the file from its copy."
            raise ValueError(why) from None


def write(path: Path, stones: Iterable[Tombstone]) -> None:
    """Add these, and wait until they are on disk; raises OSError. The file is its owner's alone (mode 0600)."""
    lines = [
        orjson.dumps({"subject": one.subject, "at": one.at.isoformat(), "certificate": one.certificate}) + b"\n"
        for one in stones
    ]
    if not lines:
        return
    is_new = not path.exists()
    with open(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # a second process that opens its doors now must not write over these
        file.seek(_end(file.read()))
        file.truncate()
        file.write(b"".join(lines))
        file.flush()
        os.fsync(file.fileno())
    if is_new:
        sync_folder(path.parent)


def _end(known: bytes) -> int:
    """Where the last whole line ends: what was cut off after it was never promised to anybody."""
    return known.rfind(b"\n") + 1
