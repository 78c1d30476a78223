"""Whether a copy of a log holds: every entry under a signed root, and that root a continuation of all before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from wattkeeper.vault.copy import KEYS, Copy, Damaged, Progress, Signed
from wattkeeper.vault.leaf import canonical, committed, read_leaf
from wattkeeper.vault.note import NoteRefused, Verifier, read_verifier
from wattkeeper.vault.transparency import WIDTH, folded, root_of, rows_of


@dataclass(slots=True)
class Checked:
    """What holds of a copy, in words, and what does not."""

    size: int = 0
    told: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    first_bad: int | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a copy is checked against."""

    keys: Sequence[Verifier]
    witnesses: Sequence[Verifier] = ()
    earlier: Sequence[Signed] = ()
    """Checkpoints that were kept elsewhere: the log must begin with all of them."""


def check(folder: Path, wanted: Wanted, progress: Progress = lambda done, of: None) -> Checked:
    """Check a copy; every fault is a sentence, with the index of the first entry that is wrong where it is known."""
    return _Check(Copy(folder), wanted).run(progress)


class _Check:
    """One check of one copy."""

    def __init__(self, copy: Copy, wanted: Wanted) -> None:
        self.copy = copy
        self.wanted = wanted
        self.trusted = list(wanted.keys)
        self.found = Checked()

    def run(self, progress: Progress) -> Checked:
        """All of it."""
        try:
            newest = self.copy.newest()
            history = self.copy.history()
            self._read(newest, history, progress)
        except NoteRefused as refused:
            self._fault(str(refused))
        except Damaged as damaged:
            self._fault(str(damaged), damaged.index)
        return self.found

    def _fault(self, why: str, index: int | None = None) -> None:
        """Note what does not hold."""
        self.found.faults.append(why if index is None else f"Entry {index}: {why}")
        if index is not None and (self.found.first_bad is None or index < self.found.first_bad):
            self.found.first_bad = index

    def _tell(self, what: str) -> None:
        self.found.told.append(what)

    def _read(self, newest: Signed, history: list[Signed], progress: Progress) -> None:
        """Hash it all, then compare with every root that somebody signed."""
        size = newest.checkpoint.size
        self.found.size = size
        odd = list(self.copy.read(size, progress))
        self._trust(history)
        signed = newest.note.opened(self.trusted)
        holds = self.copy.root_at(size) == newest.checkpoint.root
        if not signed:
            self._fault(f"Its checkpoint is not signed by {self._names()}.")
        elif holds:
            by = ", ".join(dict.fromkeys(one.name for one in signed))
            self._tell(f"{size:,} entries come to the root that {by} signed.")
        if not holds:
            self._locate(newest, history)
        elif odd:
            self._fault(odd[0] + (f" {len(odd) - 1} more tiles do not either." if len(odd) > 1 else ""))
        self._past(history)
        self._witnessed([*history, newest])
        for one in self.wanted.earlier:
            self._continues(one, size)

    def _names(self) -> str:
        """Whose signature is asked for."""
        return " or ".join(f"{one.name} ({one.key_id.hex()})" for one in self.trusted) or "any key that was given"

    # --- keys -----------------------------------------------------------------------------------------

    def _trust(self, history: Sequence[Signed]) -> None:
        """Trust each key that an entry announces which a key that is trusted already has signed for."""
        for line in self.copy.lines(KEYS):
            announced = self._announced(line)
            if announced is None or announced[1] in self.trusted:
                continue
            index, key = announced
            vouching = (one for one in history if one.checkpoint.size > index and one.note.opened(self.trusted))
            first = next(vouching, None)
            if first is not None and self._holds(first):
                self.trusted.append(key)
                self._tell(f"Entry {index} announces the key {key.key_id.hex()}; a key that was given vouches for it.")

    def _announced(self, line: Any) -> tuple[int, Verifier] | None:
        """At which index a key is announced, and which; None where the opening does not fit the entry there."""
        try:
            index, opening = int(line["index"]), line["leaf"]
            said = canonical({"at": opening["at"], "row": opening["row"]})
            commitment = committed(bytes.fromhex(opening["salt"]), said)
            key = read_verifier(orjson.loads(opening["row"]["body"])["key"])
            if not 0 <= index < self.found.size:
                return None
            n, within = divmod(index, WIDTH)
            leaf = read_leaf(self.copy.entries(n, min(WIDTH, self.found.size - n * WIDTH))[within])
        except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, IndexError, Damaged):
            return None
        fits = leaf.commitment == commitment and opening["row"].get("kind") == "log.key" and leaf.kind == "deed"
        return (index, key) if fits else None

    # --- roots ----------------------------------------------------------------------------------------

    def _holds(self, one: Signed) -> bool:
        """Whether the entries come to a checkpoint's root."""
        size = one.checkpoint.size
        return size <= self.found.size and self.copy.root_at(size) == one.checkpoint.root

    def _past(self, history: Sequence[Signed]) -> None:
        """Compare with checkpoints of the past: the first that does not hold, found by halving, or some of many."""
        known = [one for one in history if one.note.opened(self.trusted)] if len(history) <= 2_000 else list(history)
        some = known[:: max(1, len(known) // 200)]
        broken = next((one for one in some if not self._holds(one)), None)
        if broken is not None and self.found.first_bad is None:
            self._between(known)
        elif broken is None and some:
            self._tell(f"{len(some):,} of {len(known):,} earlier checkpoints were tried, and it continues each.")

    def _between(self, known: Sequence[Signed]) -> None:
        """Name the entries between the last checkpoint that holds and the first that does not."""
        low, high = 0, len(known)
        while low < high:
            middle = (low + high) // 2
            if self._holds(known[middle]):
                low = middle + 1
            else:
                high = middle
        begin = known[low - 1].checkpoint.size if low else 0
        end = known[low].checkpoint.size if low < len(known) else self.found.size
        self._fault(f"One of the entries {begin} to {end - 1} is not what was signed.", begin)

    def _locate(self, newest: Signed, history: Sequence[Signed]) -> None:
        """Name the first entry that is not what was signed, as closely as it can be known."""
        self._fault("Its entries do not come to the root of its checkpoint.")
        index = self._by_tiles(newest)
        if index is not None:
            self._fault("It is not what was signed.", index)
            return
        known = [one for one in history if one.note.opened(self.trusted) and one.checkpoint.size <= self.found.size]
        if not known or known[-1].checkpoint != newest.checkpoint:
            known.append(newest)
        self._between(known)

    def _by_tiles(self, newest: Signed) -> int | None:
        """The first entry that its tile of hashes contradicts, where those tiles come to the signed root."""
        size, odd = newest.checkpoint.size, self.copy.odd
        told = {n: hashes for n, hashes in odd.items() if hashes is not None}
        if not odd or len(told) < len(odd):
            return None
        tiles = [*self.copy.nodes[0]]
        for n, hashes in told.items():
            if n < len(tiles):
                tiles[n] = root_of(hashes)
        last, width = divmod(size, WIDTH)
        rest = told[last] if last in told else self.copy.made(last, width) if width else []
        if _root(tiles, rest, size) != newest.checkpoint.root:
            return None
        n = min(told)
        made = self.copy.made(n, len(told[n]))
        return n * WIDTH + next(i for i, pair in enumerate(zip(made, told[n], strict=True)) if pair[0] != pair[1])

    # --- witnesses ------------------------------------------------------------------------------------

    def _witnessed(self, known: Sequence[Signed]) -> None:
        """Say up to where each witness has seen the log; a fault where one never has, or has seen another."""
        for witness in self.wanted.witnesses:
            seen = [one for one in known if witness in one.note.opened([witness])]
            if not seen:
                self._fault(f"{witness.name} has cosigned none of its checkpoints.")
            elif self._holds(seen[-1]):
                self._tell(f"{witness.name} saw the first {seen[-1].checkpoint.size:,} entries as they are.")
            else:
                self._fault(f"{witness.name} saw other entries among the first {seen[-1].checkpoint.size:,}.")

    def _continues(self, one: Signed, size: int) -> None:
        """Whether it begins with all that a checkpoint kept elsewhere had."""
        had = one.checkpoint.size
        keys = [*self.trusted, *self.wanted.witnesses]
        if one.checkpoint.origin != self.copy.newest().checkpoint.origin:
            self._fault(f"The checkpoint that was given is of another log, {one.checkpoint.origin}.")
        elif not one.note.opened(keys):
            self._fault("The checkpoint that was given is signed by none of these keys.")
        elif had > size:
            self._fault(f"It was cut, or an older copy: it has {size:,} entries, and had {had:,} before.", size)
        elif self._holds(one):
            self._tell(f"It begins with all {had:,} entries of the checkpoint that was given.")
        else:
            self._fault(f"It is another log than the one that was signed: its first {had:,} entries are not the same.")


def _root(tiles: list[bytes], rest: list[bytes], size: int) -> bytes:
    """The root over full tiles and what is left."""
    levels = [rest, tiles]
    found = []
    above = tiles
    while len(above) >= WIDTH:
        above = [root_of(above[at : at + WIDTH]) for at in range(0, len(above) - len(above) % WIDTH, WIDTH)]
        levels.append(above)
    for row in rows_of((0, size)):
        nodes = (
            rest[row.start % WIDTH :][: row.count] if row.level == 0 else levels[row.level][row.start :][: row.count]
        )
        found.append(root_of(nodes))
    return folded(found)
