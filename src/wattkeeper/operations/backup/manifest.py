"""What a backup says of itself: of what, when, how many rows, and the SHA-256 of each of its files."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import orjson

from wattkeeper.store.copying import Key

MANIFEST: Final = "manifest.json"
DATA: Final = "data"
KEYS_FILE: Final = "keys.json"
FORMAT: Final = 1


class BackupRefused(ValueError):  # noqa: N818 - a file that does not fit is an answer
    """A backup cannot be made, read or put back; says why and what to do."""


class Manifest(msgspec.Struct, frozen=True):
    """What stands in ``manifest.json``."""

    format: int
    made_at: str
    """ISO 8601, UTC."""
    engine: str
    """sqlite or postgresql: it goes back into the same."""
    version: str
    """Of Wattkeeper, when it was made."""
    schema: str
    tables: Mapping[str, int]
    """How many rows each has."""
    columns: Mapping[str, Sequence[str]]
    """In which order each table's columns were copied, where it is not told by the file itself."""
    files: Mapping[str, str]
    """SHA-256 by path below the folder; that of the keys' file is beside the others, wherever that is kept."""
    keys: str
    """SHA-256 of the file of wrapped keys."""
    checkpoint: str = ""
    """The newest signed checkpoint of the log before it was made; empty where there was none."""

    @property
    def mark(self) -> str:
        """What the log calls this backup: SHA-256 of what it says of itself."""
        return hashlib.sha256(written(self)).hexdigest()


def written(manifest: Manifest) -> bytes:
    """A manifest as its file."""
    return orjson.dumps(msgspec.to_builtins(manifest), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)


def read(folder: Path) -> Manifest:
    """The manifest in a folder; raises BackupRefused."""
    try:
        found = msgspec.convert(orjson.loads((folder / MANIFEST).read_bytes()), Manifest)
    except FileNotFoundError:
        raise BackupRefused(f"{folder} holds no backup: there is no {MANIFEST} in it.") from None
    except (ValueError, msgspec.ValidationError):
        raise BackupRefused(f"{folder / MANIFEST} is damaged. Take another copy of this backup.") from None
    if found.format != FORMAT:
        raise BackupRefused(f"{folder} was made by a newer Wattkeeper (format {found.format}). Use that one.")
    return found


def need_whole(folder: Path, keys: Path, manifest: Manifest) -> None:
    """Compare every file with its digest; raises BackupRefused that names the first that differs."""
    expected = {folder / name: said for name, said in manifest.files.items()} | {keys: manifest.keys}
    for path, said in expected.items():
        if not path.exists():
            hint = " The keys are kept apart: name their folder with --keys." if path == keys else ""
            raise BackupRefused(f"{path} is missing.{hint}")
        if digest(path) != said:
            raise BackupRefused(f"{path} is not what was backed up: it was damaged or changed. Take another copy.")


def digest(path: Path) -> str:
    """The SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def keys_written(keys: Sequence[Key]) -> bytes:
    """Wrapped keys as their file."""
    rows = [{"subject": one, "wrapped": base64.b64encode(wrapped).decode(), "at": at} for one, wrapped, at in keys]
    return orjson.dumps(rows, option=orjson.OPT_INDENT_2)


def keys_read(path: Path) -> list[Key]:
    """The wrapped keys of a file whose digest was compared."""
    rows: list[dict[str, Any]] = orjson.loads(path.read_bytes())
    return [(row["subject"], base64.b64decode(row["wrapped"]), int(row["at"])) for row in rows]
