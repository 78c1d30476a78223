"""A receipt as a file, checked by whoever holds it: without us, without a database, without a key."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import orjson
from pypdf import PdfReader
from pypdf.errors import PyPdfError

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.money.coherence import faults
from wattkeeper.charging.money.numbered import Explanation
from wattkeeper.charging.phrase import Said, phrase
from wattkeeper.operations.money.papers.printing import CONTENT
from wattkeeper.store.money.bill import digest
from wattkeeper.store.money.check import ODD
from wattkeeper.store.money.content import decode, encode

MOST_BYTES = 64 * 1024 * 1024
NO_FILE = phrase("{path} cannot be read. Is its name right?")
NO_CONTENT = phrase(
    "This PDF carries no calculation to check. Receipts printed by Wattkeeper do; or take the file from "
    "/bills/NUMBER/content."
)
NO_RECEIPT = phrase("This is not a receipt of Wattkeeper, or it is damaged. It is a JSON file or a PDF, whole.")
REWRITTEN = phrase("It was written anew: something in it is not what its parts come to.")
OTHER = phrase("Its SHA-256 is not the one that was given, so it is another file.")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a receipt says, and what does not hold of it."""

    why: Explanation
    digest: str
    """SHA-256 of its calculation, hexadecimal: the one that stands on the paper and in the books."""
    faults: tuple[Said, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.faults


def verified(path: Path, expected: str = "") -> Verdict:
    """Check a receipt's JSON or PDF file; ``expected``: the SHA-256 that its paper names.

    Refusal NOT_FOUND where there is no such file; INVALID where it holds nothing that can be checked.
    """
    content = _content(_read(path))
    try:
        why = decode(content)
        again = encode(why)
        found = [*faults(why)]
    except (*ODD, Refusal):
        raise Refusal(Code.INVALID, NO_RECEIPT) from None
    if again != content:
        found.append(REWRITTEN)
    told = digest(content)
    if expected and expected.strip().lower() != told:
        found.append(OTHER)
    return Verdict(why, told, tuple(found))


def _read(path: Path) -> bytes:
    """The bytes of a file that is not too long."""
    try:
        with path.open("rb") as file:
            told = file.read(MOST_BYTES + 1)
    except OSError:
        raise Refusal(Code.NOT_FOUND, NO_FILE.filled(path=str(path))) from None
    if len(told) > MOST_BYTES:
        raise Refusal(Code.INVALID, NO_RECEIPT)
    return told


def _content(told: bytes) -> str:
    """The calculation in a file: itself, or what its PDF carries."""
    if told.startswith(b"%PDF"):
        told = _attached(told)
    try:
        orjson.loads(told)
        return told.decode()
    except ValueError:
        raise Refusal(Code.INVALID, NO_RECEIPT) from None


def _attached(pdf: bytes) -> bytes:
    """The calculation that a PDF carries."""
    try:
        found = PdfReader(io.BytesIO(pdf)).attachments.get(CONTENT, [])
    except (PyPdfError, *ODD, IndexError, NotImplementedError, AssertionError):
        raise Refusal(Code.INVALID, NO_RECEIPT) from None
    if not found or len(found[0]) > MOST_BYTES:
        raise Refusal(Code.INVALID, NO_CONTENT)
    return bytes(found[0])
