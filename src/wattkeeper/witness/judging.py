"""Whether a checkpoint may be cosigned: it is the log's own, and continues what was cosigned last."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from wattkeeper.vault.note import Checkpoint, Note, NoteRefused, Signer, Verifier, read_checkpoint, read_note
from wattkeeper.vault.transparency import continues
from wattkeeper.witness.memory import Alarm, Memory, Remembered, Seen

MOST_ALARMS: Final = 100
"""Of one log: the first ones prove it."""


class Refused(Enum):
    """Why a checkpoint is not cosigned; the values are those of C2SP tlog-witness."""

    UNREADABLE = 400
    UNKNOWN_LOG = 404
    UNKNOWN_KEY = 403
    BACKWARDS = 400_1
    CONFLICT = 409
    OTHER_ROOT = 409_1
    NO_PROOF = 422

    @property
    def status(self) -> int:
        """As HTTP says it."""
        return self.value if self.value < 1000 else self.value // 10


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of a checkpoint."""

    line: str = ""
    """The cosignature, where it was given."""
    refused: Refused | None = None
    size: int = 0
    """How far the log was seen, for who must begin there."""


class Witness:
    """Judges checkpoints, one after the other, and remembers."""

    def __init__(
        self,
        memory: Memory,
        signer: Signer,
        logs: Sequence[Verifier],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.memory = memory
        self.signer = signer
        self._logs = logs
        self._clock = clock

    def judge(self, raw: str, first: int, path: Sequence[bytes]) -> Judged:
        """Cosign a checkpoint, where a path proves that it continues the one of size ``first``, the last cosigned."""
        try:
            note = read_note(raw)
            told = read_checkpoint(note.text)
        except NoteRefused:
            return Judged(refused=Refused.UNREADABLE)
        keys = [key for key in self._logs if key.name == told.origin]
        if not keys:
            return Judged(refused=Refused.UNKNOWN_LOG)
        known = self.memory.of(told.origin)
        if not _is_signed(note, keys):
            return Judged(refused=Refused.UNKNOWN_KEY)
        return self._continued(note, told, known, first, path)

    def _continued(self, note: Note, told: Checkpoint, known: Remembered, first: int, path: Sequence[bytes]) -> Judged:
        """Judge what the log itself has signed."""
        seen = known.seen
        size = seen.size if seen else 0
        if first > told.size:
            return Judged(refused=Refused.BACKWARDS, size=size)
        if first != size:
            return Judged(refused=Refused.CONFLICT, size=size)
        if seen and told.size == seen.size and told.root != seen.root:
            self.alarm(told.origin, "fork", f"It shows two logs of {told.size:,} entries, both signed.", str(note))
            return Judged(refused=Refused.OTHER_ROOT, size=size)
        if not (continues(size, seen.root, told.size, told.root, path) if seen else not path):
            return Judged(refused=Refused.NO_PROOF, size=size)
        return self._cosigned(note, told, known)

    def _cosigned(self, note: Note, told: Checkpoint, known: Remembered) -> Judged:
        """Remember it, on the disk, and only then say so."""
        at = int(self._clock())
        line = self.signer.line(note.text, at)
        own = tuple(one for one in note.signatures if one.name == told.origin)
        known.seen = Seen(told.size, told.root, str(Note(note.text, own)) + line, at)
        self.memory.save()
        return Judged(line=line, size=told.size)

    def alarm(self, origin: str, kind: str, words: str, note: str) -> None:
        """Remember that a log did what none may; the same again is not written twice."""
        known = self.memory.of(origin)
        if any((one.kind, one.note) == (kind, note) for one in known.alarms) or len(known.alarms) >= MOST_ALARMS:
            return
        known.alarms.append(Alarm(kind, words, int(self._clock()), note))
        self.memory.save()

    def is_alarmed(self) -> bool:
        """Whether any log ever did."""
        return any(one.alarms for one in self.memory.logs.values())


def _is_signed(note: Note, keys: Sequence[Verifier]) -> bool:
    """Whether one of the log's keys has signed it."""
    try:
        return bool(note.opened(keys))
    except NoteRefused:
        return False
