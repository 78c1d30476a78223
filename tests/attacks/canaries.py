"""Planted personal values, and the search for them in bytes, files and databases, in every encoding there may be.

``Hunt(["Vera Canary", "04C0FFEE15DEAD"]).in_files(folder)`` gives a line for each value found: where, which, and how it
was spelled there. UTF-8 and UTF-16, upper and lower case, hexadecimal, base64 at every alignment, percent and JSON
escapes, and all that again within gzip, zlib and ZIP, where a value would be found by no plain search.
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import asyncpg
from sqlalchemy.engine import make_url

SEPARATORS = re.compile(rb"[ :._-]")
_PACKED = re.compile(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]|PK\x03\x04", re.DOTALL)
DEEPEST = 3
"""How many packings within each other are opened."""
MOST_UNPACKED = 64 << 20


def bare(value: str) -> str:
    """A value without the separators that a card's number may be written with."""
    return value.replace(":", "").replace("-", "")


def spellings(value: str, *, is_number: bool = True) -> set[bytes]:
    """A value as bytes, lower case where case does not matter; a card's number backwards too."""
    words = {value, bare(value)} if is_number else {value}
    words |= {word[::-1] for word in words} if is_number else set()
    found: set[bytes] = set()
    for text in words:
        plain = text.lower().encode()
        found |= {plain, text.lower().encode("utf-16-le"), text.lower().encode("utf-16-be")}
        found |= {_percent(plain)}
        found |= {
            quote(text, safe="").lower().encode(),
            quote_plus(text).lower().encode(),
            quote(text).lower().encode(),
        }
        for cased in (text, text.lower(), text.upper()):
            found |= {cased.encode().hex().encode(), _percent(cased.encode())}
            found.add(json.dumps(cased)[1:-1].lower().encode())
            found |= {cased.encode(wide).hex().encode() for wide in ("utf-16-le", "utf-16-be")}
    return found


def _percent(plain: bytes) -> bytes:
    """Every byte escaped."""
    return "".join(f"%{byte:02x}" for byte in plain).encode()


def in_base64(value: str) -> set[bytes]:
    """The part of a value's base64 that does not depend on what stands around it, for all three alignments."""
    found = set()
    cases = {cased for word in {value, bare(value)} for cased in (word, word.upper(), word.lower())}
    for plain in {cased.encode() for cased in cases}:
        for offset in range(3):
            text = base64.b64encode(bytes(offset) + plain)
            found.add(text[(8 * offset + 5) // 6 : (8 * (offset + len(plain))) // 6])
    return found | {text.translate(bytes.maketrans(b"+/", b"-_")) for text in found}


def unpacked(hay: bytes, depth: int = DEEPEST) -> Iterator[bytes]:
    """What is packed within some bytes, and within that."""
    for found in _PACKED.finditer(hay) if depth else ():
        inner = _opened(hay, found.start(), found.group())
        if inner:
            yield inner
            yield from unpacked(inner, depth - 1)


def _opened(hay: bytes, at: int, mark: bytes) -> bytes:
    """What begins at one place, as far as it can be opened."""
    wbits = {b"\x1f\x8b\x08": 31}.get(mark, 15)
    if mark == b"PK\x03\x04":
        if hay[at + 8 : at + 10] != b"\x08\x00":  # not deflated: found by a plain search
            return b""
        names = int.from_bytes(hay[at + 26 : at + 28], "little") + int.from_bytes(hay[at + 28 : at + 30], "little")
        at, wbits = at + 30 + names, -15
    try:
        return zlib.decompressobj(wbits).decompress(hay[at:], MOST_UNPACKED)
    except zlib.error:
        return b""


class Hunt:
    """Looks for these values; ``numbers`` are cards', which are known in any separators and backwards too."""

    def __init__(self, values: Iterable[str] = (), numbers: Iterable[str] = ()) -> None:
        known = [(value, False) for value in values] + [(number, True) for number in numbers]
        short = [value for value, _ in known if len(value) < 6]
        assert not short, f"too short to be told from chance: {short}"
        self._low = [
            (value, spelled) for value, is_number in known for spelled in spellings(value, is_number=is_number)
        ]
        self._exact = [(value, text) for value, _ in known for text in in_base64(value)]
        canonical = {value: bare(value).lower().encode() for value, is_number in known if is_number}
        self._bare = [(value, needle) for value, needle in canonical.items() if len(needle) >= 12]

    def hits(self, hay: bytes, where: str, depth: int = DEEPEST) -> list[str]:
        """Where values are in some bytes."""
        low = hay.lower()
        without = SEPARATORS.sub(b"", low)
        kinds = ((low, self._low), (hay, self._exact), (without, self._bare))
        found = [
            f"{where}: {value} as {needle!r}" for place, all_ in kinds for value, needle in all_ if needle in place
        ]
        for inner in unpacked(hay, depth):
            found += self.hits(inner, f"{where} unpacked", 0)
        return found

    def in_files(self, *places: Path) -> list[str]:
        """Where values are in files, in their names too; a folder stands for all that is in it."""
        paths = [path for place in places for path in (sorted(place.rglob("*")) if place.is_dir() else [place])]
        found = self.hits("\n".join(str(path) for path in paths).encode(), "names of files")
        for path in paths:
            found += self.hits(path.read_bytes(), path.name) if path.is_file() else []
        return found

    async def in_database(self, address: str) -> list[str]:
        """Where values are in a database: in SQLite's files, log and index included, or in all rows of PostgreSQL."""
        name = make_url(address).database or ""
        if address.startswith("sqlite"):
            return self.in_files(*sorted(Path(name).parent.glob(f"{Path(name).name}*")))
        connection = await asyncpg.connect(address)
        try:
            tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
            found = []
            for (table,) in tables:
                rows = await connection.fetch(f'SELECT * FROM "{table}"')
                found += self.hits(b"\n".join(_bytes(value) for row in rows for value in row.values()), table)
            return found
        finally:
            await connection.close()


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
