"""A proof that something is in a log, as whoever it is about holds it: checked without the log, by its key alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wattkeeper.vault.copy import read_signed
from wattkeeper.vault.leaf import Leaf, canonical, committed
from wattkeeper.vault.note import Checkpoint, Note, NoteRefused, Verifier
from wattkeeper.vault.transparency import includes

DAMAGED = "The proof is damaged, or none of the log's."
ELSEWHERE = "The proof does not lead to the root of its checkpoint: it is of something else, or was changed."


@dataclass(frozen=True, slots=True)
class Proved:
    """What a proof proves, if whoever signed its checkpoint is believed."""

    kind: str
    ref: str
    row: Mapping[str, Any]
    """What was logged."""
    index: int
    checkpoint: Checkpoint
    note: Note

    def signed_by(self, keys: Sequence[Verifier]) -> dict[Verifier, int]:
        """Which of these keys signed its checkpoint; raises NoteRefused where one of their signatures is wrong."""
        return self.note.opened(keys)


def read_proof(told: object) -> Proved:
    """What a proof proves; raises NoteRefused where it proves nothing."""
    try:
        assert isinstance(told, dict)
        opening, index, size = told["leaf"], int(told["index"]), int(told["size"])
        said = canonical({"at": opening["at"], "row": opening["row"]})
        commitment = committed(bytes.fromhex(opening["salt"]), said)
        leaf = Leaf(str(opening["kind"]), str(opening["ref"]), commitment)
        path = [bytes.fromhex(step) for step in told["path"]]
        signed = read_signed(str(told["checkpoint"]))
    except (AssertionError, KeyError, TypeError, ValueError):
        raise NoteRefused(DAMAGED) from None
    if signed.checkpoint.size != size or not includes(leaf.hash, index, size, path, signed.checkpoint.root):
        raise NoteRefused(ELSEWHERE)
    return Proved(leaf.kind, leaf.ref, opening["row"], index, signed.checkpoint, signed.note)
