"""Card numbers that are planted everywhere, and the search for them in every spelling."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import cycle
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy.engine import make_url

from tests.ocpp.test_privacy import PLACES, planted

CANARIES = (
    "04C0FFEE15DEAD",
    "04:C0:FF:EE:16:DE:AD",
    "04-c0-ff-ee-17-de-ad",
    "X19WG99J2QIEGCC0MCJ5",
    "DE8AAC20B3C4D59X",
    "20419774",
)
"""As a reader shows them, with separators, in lower case; from an app, a contract, a decimal reader."""
_SEPARATORS = re.compile(rb"[ :._-]")


def messages(version: Any, correct: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Correct messages of a version with a canary in one place each: in every place that may not hold one."""
    canaries = cycle([*CANARIES, f"card {CANARIES[0]} read", f"{CANARIES[1]}\t"])
    for _, action, path in (place for place in PLACES if place[0] is version):
        for _ in range(3):
            number = next(canaries)
            if number.isdigit() and path[-1] in {"value", "actualValue", "attributeValue"}:
                continue  # a number that a meter or a setting may well show
            yield action, planted(correct[action], path, number)


def spellings(number: str) -> set[bytes]:
    """A number as bytes in every encoding that is to be found; lower case where case does not matter."""
    words = {number, number.replace(":", "").replace("-", "")}
    found: set[bytes] = set()
    for text in (spelled for word in words for spelled in (word, word[::-1])):
        plain = text.lower().encode()
        found |= {plain, text.lower().encode("utf-16-le"), text.lower().encode("utf-16-be")}
        found.add("".join(f"%{byte:02x}" for byte in plain).encode())
        for cased in (text, text.lower(), text.upper()):
            found.add(cased.encode().hex().encode())
            found.add("".join(f"%{byte:02x}" for byte in cased.encode()).encode())
    return found


def in_base64(number: str) -> set[bytes]:
    """The part of a number's base64 that does not depend on what stands around it, for all three alignments."""
    words = {number, number.replace(":", "").replace("-", "")}
    found = set()
    for plain in {cased.encode() for word in words for cased in (word, word.upper(), word.lower())}:
        for offset in range(3):
            text = base64.b64encode(bytes(offset) + plain)
            first = (8 * offset + 5) // 6
            found.add(text[first : (8 * (offset + len(plain))) // 6])
    return found | {text.translate(bytes.maketrans(b"+/", b"-_")) for text in found}


def hits(hay: bytes, where: str) -> list[str]:
    """Where canaries are in some bytes."""
    low = hay.lower()
    bare = _SEPARATORS.sub(b"", low)
    found = []
    for number in CANARIES:
        canonical = number.replace(":", "").replace("-", "").lower().encode()
        needles = [(low, spelled) for spelled in spellings(number)] + [(hay, text) for text in in_base64(number)]
        needles += [(bare, canonical)] if len(canonical) >= 12 else []
        found += [f"{where}: {number} as {needle!r}" for place, needle in needles if needle in place]
    return found


def in_files(paths: Iterable[Path]) -> list[str]:
    """Where canaries are in files."""
    return [hit for path in paths for hit in hits(path.read_bytes(), path.name)]


async def in_database(address: str) -> list[str]:
    """Where canaries are in a database: in SQLite's files, log and index included, or in every row of PostgreSQL."""
    name = make_url(address).database or ""
    if address.startswith("sqlite"):
        return in_files(sorted(Path(name).parent.glob(f"{Path(name).name}*")))
    connection = await asyncpg.connect(address)
    try:
        tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        found = []
        for (table,) in tables:
            rows = await connection.fetch(f'SELECT * FROM "{table}"')
            found += hits(b"\n".join(_bytes(value) for row in rows for value in row.values()), table)
        return found
    finally:
        await connection.close()


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
