"""Keys and checkpoints of the log as somebody gives them on the command line: written out, or in files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from wattkeeper.commands.terminal import fail
from wattkeeper.vault.copy import Signed, read_signed
from wattkeeper.vault.note import NoteRefused, Verifier, read_verifiers


def given_keys(given: Iterable[str]) -> list[Verifier]:
    """The keys themselves, or those in the files that are named; ends the command where there are none."""
    try:
        return [key for one in given for key in read_verifiers(_keys_of(one))]
    except NoteRefused as refused:
        fail(str(refused))


def given_checkpoints(paths: Iterable[Path]) -> list[Signed]:
    """The checkpoints in files; ends the command where one holds none."""
    found = []
    for path in paths:
        try:
            found.append(read_signed(bytes_of(path)))
        except NoteRefused as refused:
            fail(f"{path}: {refused}")
    return found


def _keys_of(given: str) -> str:
    """What stands in a file, or the key itself."""
    path = Path(given)
    if len(given) < 1_000 and path.is_file():
        return bytes_of(path).decode("utf-8", "replace")
    if "+" not in given:
        fail(f"There is no file {given} with a key in it, and it is no key itself; one looks like name+0123abcd+AQ….")
    return given


def bytes_of(path: Path) -> bytes:
    """A file that is not long; ends the command where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(1_000_000)
    except OSError:
        fail(f"{path} cannot be read. Is its name right?")
