"""A receipt as a file, checked by whoever holds it: without us, without a database, without a key."""

from __future__ import annotations

import io
from collections.abc import Sequence
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
from wattkeeper.vault.note import NoteRefused, Verifier
from wattkeeper.vault.proof import read_proof

MOST_BYTES = 64 * 1024 * 1024
NO_FILE = phrase("{path} cannot be read. Is its name right?")
NO_CONTENT = phrase(
    "This PDF carries no calculation to check. Receipts printed by Wattkeeper do; or take the file from "
    "/bills/NUMBER/content."
)
NO_RECEIPT = phrase("This is not a receipt of Wattkeeper, or it is damaged. It is a JSON file or a PDF, whole.")
REWRITTEN = phrase("It was written anew: something in it is not what its parts come to.")
NONE = object()
"""Where a file carries no proof at all."""
NO_PROOF = phrase("It carries no proof that it is in the log: take the file from /bills/NUMBER/receipt.")
NOT_YET = phrase("It was not in the log yet when it was handed out: take it again, a minute after it was issued.")
UNPROVED = phrase("So it cannot be checked under the key that was given.")
PROOF_FAULT = phrase("Its proof does not hold: {why}")
OTHER_ROW = phrase("Its proof is of something else in the log.")
IN_LOG = phrase("By its proof it is bill {number}, entry {index} of the log {log}.")
UNSIGNED = phrase("Whether that log is whose it says was not checked: give its key, --log-key.")
NOT_SIGNED = phrase("The checkpoint of its proof is signed by none of the keys that were given.")
SIGNED = phrase("Signed by {names}.")
OTHER = phrase("Its SHA-256 is not the one that was given, so it is another file.")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a receipt says, and what does not hold of it."""

    why: Explanation
    digest: str
    """SHA-256 of its calculation, hexadecimal: the one that stands on the paper and in the books."""
    faults: tuple[Said, ...]
    log: tuple[Said, ...] = ()
    """What can be said of its being in the log."""

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.faults


def verified(path: Path, expected: str = "", keys: Sequence[Verifier] = ()) -> Verdict:
    """Check a receipt's JSON or PDF file; ``expected``: the SHA-256 that its paper names; ``keys``: the log's.

    Refusal NOT_FOUND where there is no such file; INVALID where it holds nothing that can be checked.
    """
    content, proof = _parted(_content(_read(path)))
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
    logged, wrong = _logged(proof, why, told, keys)
    return Verdict(why, told, (*found, *wrong), logged)


def _parted(content: str) -> tuple[str, object]:
    """A calculation, and the proof beside it; without one, that there is none."""
    told = orjson.loads(content)
    if isinstance(told, dict) and set(told) == {"content", "proof"}:
        return orjson.dumps(told["content"], option=orjson.OPT_SORT_KEYS).decode(), told["proof"]
    return content, NONE


def _logged(
    proof: object, why: Explanation, digest_: str, keys: Sequence[Verifier]
) -> tuple[tuple[Said, ...], tuple[Said, ...]]:
    """What can be said of its being in the log, and what is wrong with that."""
    if proof is NONE or proof is None:
        return (NO_PROOF if proof is NONE else NOT_YET,), ((UNPROVED,) if keys else ())
    try:
        proved = read_proof(proof)
        by = proved.signed_by(keys)
    except NoteRefused as refused:
        return (), (PROOF_FAULT.filled(why=str(refused)),)
    row = proved.row
    if (proved.kind, row.get("digest"), row.get("session_id")) != ("bill", digest_, why.session):
        return (), (OTHER_ROW,)
    where = {"index": f"{proved.index:,}", "log": proved.checkpoint.origin, "number": proved.ref}
    if not keys:
        return (IN_LOG.filled(**where), UNSIGNED), ()
    if not by:
        return (IN_LOG.filled(**where),), (NOT_SIGNED,)
    return (IN_LOG.filled(**where), SIGNED.filled(names=", ".join(one.name for one in by))), ()


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
