"""The hash tree of the log (RFC 9162, section 2.1, on SHA-256): roots, proofs, and a frontier that it grows by. Pure.

A tree is cut into tiles as in C2SP tlog-tiles: node ``n`` of level ``l`` is the root of the ``256**l`` leaves from
``n * 256**l`` on. Level 0 are the hashes of leaves. Whoever keeps the nodes finds every hash of every proof in a few
rows of at most 256.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

SIZE: Final = 32
"""Bytes of a hash."""
WIDTH: Final = 256
"""Nodes of a full tile."""
HEIGHT: Final = 8
EMPTY: Final = hashlib.sha256(b"").digest()
"""The root of no leaves."""

Span = tuple[int, int]
"""Leaves from the first to before the second."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node over two others."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(hashes: Sequence[bytes]) -> bytes:
    """The root over any number of hashes of one level: what is left over at the right end moves up as it is."""
    if not hashes:
        return EMPTY
    sha, row = hashlib.sha256, list(hashes)
    while len(row) > 1:
        pairs = iter(row)
        above = [sha(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=False)]
        if len(row) % 2:
            above.append(row[-1])
        row = above
    return row[0]


@dataclass(slots=True)
class Frontier:
    """What a tree needs to grow: of each level the nodes that are in no full tile yet, fewer than 256."""

    size: int = 0
    levels: list[list[bytes]] = field(default_factory=list)

    def add(self, leaf: bytes) -> list[tuple[int, int, bytes]]:
        """Append the hash of a leaf; the nodes that it completes: (level from 1 on, place, hash)."""
        made: list[tuple[int, int, bytes]] = []
        self.size += 1
        level, node = 0, leaf
        while True:
            if level == len(self.levels):
                self.levels.append([])
            self.levels[level].append(node)
            if len(self.levels[level]) < WIDTH:
                return made
            node = root_of(self.levels[level])
            self.levels[level] = []
            level += 1
            made.append((level, (self.size >> (HEIGHT * level)) - 1, node))

    def root(self) -> bytes:
        """The root of all leaves so far."""
        row: list[bytes] = []
        for nodes in self.levels:
            row = _peaks_of(nodes) + row
        return folded(row)

    def copy(self) -> Frontier:
        """One that grows by itself."""
        return Frontier(self.size, [list(nodes) for nodes in self.levels])


def widths(size: int) -> list[int]:
    """How many nodes of each level are in no full tile, in a tree of a size."""
    found = []
    while size:
        found.append(size % WIDTH)
        size //= WIDTH
    return found


def _peaks_of(nodes: Sequence[bytes]) -> list[bytes]:
    """The roots of the complete subtrees, from the left, that so many nodes of one level make."""
    found, start = [], 0
    for bit in reversed(range(HEIGHT)):
        if len(nodes) >> bit & 1:
            found.append(root_of(nodes[start : start + (1 << bit)]))
            start += 1 << bit
    return found


def folded(peaks: Sequence[bytes]) -> bytes:
    """The root over complete subtrees from the left, each smaller than the one before."""
    if not peaks:
        return EMPTY
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root


@dataclass(frozen=True, slots=True)
class Row:
    """Nodes of one level side by side whose root is that of a complete subtree."""

    level: int
    start: int
    count: int


def rows_of(span: Span) -> list[Row]:
    """What to look up for the root of leaves that a proof asks for: the root of each row, then `folded`."""
    start, end = span
    found = []
    while start < end:
        height = (end - start).bit_length() - 1
        level, rest = divmod(height, HEIGHT)
        found.append(Row(level, start >> (HEIGHT * level), 1 << rest))
        start += 1 << height
    return found


def inclusion_spans(index: int, size: int) -> list[Span]:
    """The spans whose roots are the inclusion proof of a leaf, in order (RFC 9162, 2.1.3.1); ValueError out of it."""
    if not 0 <= index < size:
        raise ValueError(f"There is no entry {index} in a log of {size}.")
    start, end = 0, size
    found: list[Span] = []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((start, middle))
            start = middle
    return found[::-1]


def consistency_spans(first: int, second: int) -> list[Span]:
    """The spans whose roots are the proof that one size continues another (RFC 9162, 2.1.4.1); ValueError."""
    if not 0 <= first <= second:
        raise ValueError(f"A log of {second} does not continue one of {first}.")
    start, end, whole = 0, second, True
    found: list[Span] = []
    while 0 < first < end:
        middle = start + _split(end - start)
        if first <= middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((start, middle))
            start, whole = middle, False
    if first and not whole:
        found.append((start, end))
    return found[::-1]


def _split(count: int) -> int:
    """The largest power of two below a number of leaves."""
    return 1 << ((count - 1).bit_length() - 1)


def includes(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether a path proves that a leaf's hash is at this index of the tree with this root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    place, last, found = index, size - 1, leaf
    for step in path:
        if not last:
            return False
        if place & 1 or place == last:
            found = node_hash(step, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, step)
        place, last = place >> 1, last >> 1
    return last == 0 and found == root


def continues(first: int, first_root: bytes, second: int, second_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether a path proves that the second tree begins with all of the first (RFC 9162, 2.1.4.2)."""
    if not 0 <= first <= second:
        return False
    if first == second:
        return not path and first_root == second_root
    if first == 0:
        return not path and first_root == EMPTY
    steps = ([first_root] if first & (first - 1) == 0 else []) + list(path)
    if not steps:
        return False
    place, last = first - 1, second - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = steps[0]
    for step in steps[1:]:
        if not last:
            return False
        if place & 1 or place == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, step)
        place, last = place >> 1, last >> 1
    return last == 0 and old == first_root and new == second_root


def tree_root(leaves: Iterable[bytes]) -> bytes:
    """The root over the hashes of any number of leaves, in one pass."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.add(leaf)
    return frontier.root()
