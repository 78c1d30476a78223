"""A copy of a log as plain files, checked by whoever holds it: nothing but the files and a public key is needed.

The folder is laid out as C2SP tlog-tiles say, so that any web server can hand it on and others' tools can read it::

    checkpoint              the signed note
    tile/entries/x001/234   256 entries, each after its length in two bytes; the last ones in 234.p/WIDTH
    tile/0/x001/234         the hashes of those entries
    tile/1/…                the roots of 256 such tiles, and so on

Beside it stand ``key`` (the keys that signed it), ``checkpoints.jsonl`` (every checkpoint that there was) and
``keys.jsonl`` (for each key, the entry that announced it, opened).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from wattkeeper.vault.note import LONGEST, Checkpoint, Note, NoteRefused, read_checkpoint, read_note
from wattkeeper.vault.transparency import SIZE, WIDTH, folded, leaf_hash, root_of, rows_of

Progress = Callable[[int, int], None]
CHECKPOINT: Final = "checkpoint"
CHECKPOINTS: Final = "checkpoints.jsonl"
KEY: Final = "key"
KEYS: Final = "keys.jsonl"


def place(n: int) -> str:
    """The number of a tile in its address, such as x001/234."""
    parts = [f"{n % 1000:03}"]
    while n := n // 1000:
        parts.append(f"x{n % 1000:03}")
    return "/".join(reversed(parts))


def tile_path(level: int | str, n: int, width: int = WIDTH) -> str:
    """The address of a tile; ``entries`` stands for a level too."""
    return f"tile/{level}/{place(n)}" + (f".p/{width}" if width < WIDTH else "")


def _whole(path: Path, most: int) -> bytes:
    """A file that is one, and no longer than it can be (one byte more shows that it is); raises OSError."""
    if not path.is_file():
        raise FileNotFoundError(path)
    with path.open("rb") as file:
        return file.read(most + 1)


class Damaged(Exception):  # noqa: N818 - a fault that was found is an answer
    """Something of a copy does not hold; ``index``: of the first entry that it is about, where one is known."""

    def __init__(self, why: str, index: int | None = None) -> None:
        super().__init__(why)
        self.index = index


@dataclass(frozen=True, slots=True)
class Signed:
    """A checkpoint and the note that it stands in."""

    checkpoint: Checkpoint
    note: Note


def read_signed(raw: str | bytes) -> Signed:
    """The checkpoint of a note; raises NoteRefused. Whether anybody signed it is not said."""
    note = read_note(raw)
    return Signed(read_checkpoint(note.text), note)


class Copy:
    """A folder with a log in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.size = 0
        """How many entries it has, once it was `read`."""
        self.odd: dict[int, list[bytes] | None] = {}
        """Tiles that say other hashes than their entries make, and what they say; None: there is no such file."""
        self.nodes: list[list[bytes]] = []
        """The roots of full tiles by level, from 1 on, made of the entries and of nothing else."""

    def newest(self) -> Signed:
        """Its newest checkpoint; raises Damaged."""
        try:
            return read_signed(_whole(self.folder / CHECKPOINT, LONGEST))
        except OSError:
            raise Damaged(f"{self.folder} holds no copy of a log: there is no file named checkpoint in it.") from None

    def lines(self, name: str) -> Iterator[Any]:
        """What a file of JSON lines says; nothing where there is none. Raises Damaged."""
        try:
            with (self.folder / name).open("rb") as file:
                for line in file:
                    yield orjson.loads(line)
        except FileNotFoundError:
            return
        except ValueError:
            raise Damaged(f"{name} is damaged.") from None

    def history(self) -> list[Signed]:
        """Every checkpoint that is kept beside it, in order; raises Damaged."""
        try:
            return [read_signed(line["note"]) for line in self.lines(CHECKPOINTS)]
        except (NoteRefused, KeyError, TypeError):
            raise Damaged(f"{CHECKPOINTS} is damaged.") from None

    def entries(self, n: int, width: int) -> list[bytes]:
        """The entries of a tile; raises Damaged, with the index of the first that is missing."""
        try:
            raw = _whole(self.folder / tile_path("entries", n, width), WIDTH * (2 + 0xFFFF))
        except OSError:
            raise Damaged(f"{tile_path('entries', n, width)} is missing.", n * WIDTH) from None
        found, at = [], 0
        while at + 2 <= len(raw):
            end = at + 2 + int.from_bytes(raw[at : at + 2], "big")
            if end > len(raw):
                break
            found.append(raw[at + 2 : end])
            at = end
        if len(found) != width or at != len(raw):
            raise Damaged(
                f"{tile_path('entries', n, width)} is cut off or damaged.", n * WIDTH + min(len(found), width)
            )
        return found

    def hashes(self, level: int, n: int, width: int) -> list[bytes] | None:
        """The hashes that a tile's file says; None where there is none, or it is damaged."""
        try:
            raw = _whole(self.folder / tile_path(level, n, width), WIDTH * SIZE)
        except OSError:
            return None
        return [raw[at : at + SIZE] for at in range(0, len(raw), SIZE)] if len(raw) == SIZE * width else None

    def read(self, size: int, progress: Progress = lambda done, of: None) -> Iterator[str]:
        """Hash every entry, so that `root_at` knows; what does not fit together beside it. Raises Damaged."""
        self.nodes, self.size = [[]], size
        for n in range((size + WIDTH - 1) // WIDTH):
            width = min(WIDTH, size - n * WIDTH)
            made = self.made(n, width)
            if width == WIDTH:
                self.nodes[0].append(root_of(made))
            told = self.hashes(0, n, width)
            if told != made:
                self.odd[n] = told
            if told is not None and told != made:
                yield f"{tile_path(0, n, width)} does not say the hashes of its entries."
            progress(n * WIDTH + width, size)
        while len(self.nodes[-1]) >= WIDTH:
            below = self.nodes[-1]
            full = range(0, len(below) - len(below) % WIDTH, WIDTH)
            self.nodes.append([root_of(below[at : at + WIDTH]) for at in full])

    def made(self, n: int, width: int) -> list[bytes]:
        """The hashes of the entries of a tile; raises Damaged where one is no leaf."""
        made = []
        for place_in, data in enumerate(self.entries(n, width)):
            if not data.startswith(b"1 "):
                raise Damaged("It is no leaf of a log.", n * WIDTH + place_in)
            made.append(leaf_hash(data))
        return made

    def root_at(self, size: int) -> bytes:
        """The root of the first entries, made of them; `read` comes first."""
        parts = []
        for row in rows_of((0, size)):
            nodes = self._row(row.level, row.start, row.count)
            parts.append(root_of(nodes))
        return folded(parts)

    def _row(self, level: int, start: int, count: int) -> Sequence[bytes]:
        """Nodes side by side."""
        if level:
            return self.nodes[level - 1][start : start + count]
        n, first = divmod(start, WIDTH)
        width = min(WIDTH, self.size - n * WIDTH)
        return self.made(n, width)[first : first + count]
