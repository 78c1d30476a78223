"""The attack on a stolen database: every four-byte card number, hashed in every plausible form, looked for in it.

``python -m bench --dump wattkeeper.db`` tries a share of all 2^32 numbers and says how long all of them take; with
``--all`` it tries them all. The tests run the same code, on a share with their cards and on a control that falls.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
import sqlite3
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Final

FOUR_BYTES: Final = 1 << 32
STEP: Final = 1 << 16
HEX = re.compile(r"[0-9a-fA-F]{32,}")
BASE64 = re.compile(r"[A-Za-z0-9+/_-]{22,}={0,2}")


def values_of(database: Path) -> Iterator[bytes | str]:
    """Every text and every string of bytes in every table of an SQLite file."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for row in connection.execute(f'SELECT * FROM "{table}"'):
                yield from (value for value in row if isinstance(value, bytes | str))
    finally:
        connection.close()


def digests_in(values: Iterable[bytes | str]) -> dict[bytes, set[bytes]]:
    """What may be a digest or the beginning of one, by its first 16 bytes: raw, in hexadecimal, in base64."""
    found: dict[bytes, set[bytes]] = {}
    for value in values:
        for raw in _raws(value):
            if 16 <= len(raw) <= 33:
                found.setdefault(raw[:16], set()).add(raw)
                found.setdefault(raw[-16:], set()).add(raw)
    return found


def _raws(value: bytes | str) -> Iterator[bytes]:
    if isinstance(value, bytes):
        yield value
        return
    for text in HEX.findall(value):
        yield bytes.fromhex(text[: len(text) // 2 * 2])
    for text in BASE64.findall(value):
        try:
            yield base64.urlsafe_b64decode(text.replace("+", "-").replace("/", "_").rstrip("=") + "==")
        except (binascii.Error, ValueError):
            continue


def forms(number: int) -> tuple[bytes, ...]:
    """The ways in which a four-byte number may have been written before it was hashed."""
    raw = number.to_bytes(4)
    upper = raw.hex().upper().encode()
    swapped = raw[::-1]
    return (
        upper,
        upper.lower(),
        raw,
        swapped,
        swapped.hex().upper().encode(),
        str(number).encode(),
        b"token\x00" + upper,
        b":".join(upper[place : place + 2] for place in range(0, 8, 2)),
    )


def attack(heads: frozenset[bytes], begin: int, end: int) -> list[tuple[int, bytes]]:
    """The numbers of a share whose SHA-256 in some form begins like something in the database."""
    sha256, found = hashlib.sha256, []
    for number in range(begin, end):
        for form in forms(number):
            head = sha256(form).digest()[:16]
            if head in heads:
                found.append((number, head))
    return found


def measure(database: Path, seconds: float, everything: bool) -> None:
    """Attack a database on every core and print what fell, how fast it went, and how long all of it takes."""
    heads = frozenset(digests_in(values_of(database)))
    print(f"{len(heads):,} values in {database} could be digests of 16 to 33 bytes.")
    cores, fell, tried = os.cpu_count() or 1, 0, 0
    began = time.monotonic()
    with ProcessPoolExecutor(cores) as pool:
        while tried < FOUR_BYTES and (everything or time.monotonic() - began < seconds):
            shares = [range(at, at + STEP) for at in range(tried, min(tried + cores * STEP, FOUR_BYTES), STEP)]
            for some in pool.map(attack, [heads] * len(shares), [s.start for s in shares], [s.stop for s in shares]):
                fell += len(some)
            tried += len(shares) * STEP
    spent = time.monotonic() - began
    rate = tried * len(forms(0)) / spent
    print(f"{tried:,} of {FOUR_BYTES:,} card numbers in {len(forms(0))} forms: {fell} fell.")
    print(
        f"{rate:,.0f} hashes/s on {cores} cores; all numbers in all forms: {FOUR_BYTES * spent / tried / 3600:.1f} h,"
    )
    print(f"in the one form that a naive system would use {FOUR_BYTES / rate / 3600:.1f} h.")
