"""What a witness remembers: for each log the newest checkpoint it cosigned, and every alarm. A file, written whole."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from wattkeeper.vault.durable import put
from wattkeeper.vault.note import COSIGNS, NoteRefused, Signer, Verifier, read_verifier

KEY: Final = "key"
STATE: Final = "state.json"
LOGS: Final = "logs"
LOST = (
    "{path} is missing. A witness that has forgotten what it saw must not go on under its name: it would cosign a "
    "fork. Put the file back, or begin another witness with wattkeeper witness init."
)


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest checkpoint of a log that was cosigned."""

    size: int
    root: bytes
    note: str
    """Signed by the log and by us."""
    at: int
    """When, seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that no honest log does."""

    kind: str
    """fork, rewound or unknown_key."""
    words: str
    at: int
    note: str
    """The checkpoint that was shown: signed by the log, it is the proof."""


@dataclass(slots=True)
class Remembered:
    """What is known of one log."""

    seen: Seen | None = None
    alarms: list[Alarm] = field(default_factory=list)


class Memory:
    """A folder: the witness's key, the logs it knows, and what it saw of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.logs: dict[str, Remembered] = {}

    def load(self) -> None:
        """Read what was remembered; raises NoteRefused where it is gone or damaged."""
        path = self._folder / STATE
        try:
            told: Mapping[str, Any] = json.loads(path.read_text())
            self.logs = {origin: _remembered(one) for origin, one in told.items()}
        except FileNotFoundError:
            raise NoteRefused(LOST.format(path=path)) from None
        except (ValueError, KeyError, TypeError):
            raise NoteRefused(f"{path} is damaged. Put it back from a copy, or begin another witness.") from None

    def save(self) -> None:
        """Write it down before anybody is told: whole or not at all, and on the disk."""
        told = json.dumps({origin: _told(one) for origin, one in self.logs.items()}, indent=1).encode()
        put(self._folder / STATE, told)

    def of(self, origin: str) -> Remembered:
        """What is known of a log."""
        return self.logs.setdefault(origin, Remembered())

    def signer(self) -> Signer:
        """The witness's own key; raises NoteRefused."""
        path = self._folder / KEY
        try:
            if path.stat().st_mode & 0o077:
                raise NoteRefused(f"{path} can be read by others. Run: chmod 600 {path}")
            name, seed = path.read_text().split()
            return Signer(name, base64.b64decode(seed, validate=True), COSIGNS)
        except FileNotFoundError:
            raise NoteRefused(f"{self._folder} is no witness yet. Run: wattkeeper witness init") from None
        except NoteRefused:
            raise
        except ValueError:
            raise NoteRefused(f"{path} is damaged. Put it back from a copy.") from None

    def known(self) -> list[tuple[Verifier, str]]:
        """The keys of the logs that are watched, each with the address that is followed, where there is one."""
        path = self._folder / LOGS
        lines = path.read_text().splitlines() if path.exists() else []
        parts = [line.split() for line in lines if line.strip() and not line.startswith("#")]
        return [(read_verifier(one[0]), one[1] if len(one) > 1 else "") for one in parts]


def begin(folder: Path, name: str) -> Signer:
    """Make a witness in a folder; raises FileExistsError where there is one, NoteRefused where it cannot be named."""
    seed = os.urandom(32)
    made = Signer(name, seed, COSIGNS)
    _ = made.verifier
    folder.mkdir(parents=True, exist_ok=True)
    with open(os.open(folder / KEY, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"{name} {base64.b64encode(seed).decode()}\n")
        file.flush()
        os.fsync(file.fileno())
    put(folder / STATE, b"{}")
    return made


def add(folder: Path, key: Verifier, address: str) -> None:
    """Watch another log, or know another key of one."""
    path = folder / LOGS
    had = path.read_bytes() if path.exists() else b""
    put(path, had + f"{key} {address}".strip().encode() + b"\n")


def _remembered(told: Mapping[str, Any]) -> Remembered:
    """What the file says of one log."""
    seen = told["seen"]
    known = None if seen is None else Seen(seen["size"], base64.b64decode(seen["root"]), seen["note"], seen["at"])
    return Remembered(known, [Alarm(**one) for one in told["alarms"]])


def _told(one: Remembered) -> dict[str, Any]:
    """One log as the file has it."""
    seen = None if one.seen is None else asdict(one.seen) | {"root": base64.b64encode(one.seen.root).decode()}
    return {"seen": seen, "alarms": [asdict(alarm) for alarm in one.alarms]}
