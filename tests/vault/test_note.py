"""Signed notes: the example that others publish, and everything that must not be believed."""

from __future__ import annotations

import pytest

from wattkeeper.vault.note import (
    COSIGNS,
    Checkpoint,
    NoteRefused,
    Signer,
    read_checkpoint,
    read_note,
    read_verifier,
    read_verifiers,
    signed,
)

THEIRS = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
"""The example of Go's package for signed notes, with its key."""
THEIR_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"

LOG = Signer("log.example", bytes(range(32)))
WITNESS = Signer("witness.example/w1", bytes(range(1, 33)), COSIGNS)
TEXT = Checkpoint("log.example", 20852163, bytes(32)).text


def test_a_note_of_others_opens_with_their_key() -> None:
    key = read_verifier(THEIR_KEY)
    note = read_note(THEIRS)
    assert str(key) == THEIR_KEY and str(note) == THEIRS
    assert note.opened([key]) == {key: 0}
    with pytest.raises(NoteRefused, match="does not hold"):
        read_note(THEIRS.replace("your problem is", "my problem is")).opened([key])


def test_a_checkpoint_is_signed_and_cosigned() -> None:
    note = read_note(signed(TEXT, [LOG]) + WITNESS.line(TEXT, 1679315147))
    assert note.opened([LOG.verifier, WITNESS.verifier]) == {LOG.verifier: 0, WITNESS.verifier: 1679315147}
    assert read_checkpoint(note.text) == Checkpoint("log.example", 20852163, bytes(32))
    assert read_verifiers(f"# the log\n{LOG.verifier}\n\n{WITNESS.verifier}\n") == [LOG.verifier, WITNESS.verifier]


def test_what_a_stranger_signed_counts_for_nothing() -> None:
    stranger = Signer("log.example", bytes(32))
    assert read_note(signed(TEXT, [stranger])).opened([LOG.verifier]) == {}
    mixed = read_note(signed(TEXT, [stranger, LOG]))
    assert mixed.opened([LOG.verifier]) == {LOG.verifier: 0}


def test_a_cosignature_is_bound_to_its_time_and_its_text() -> None:
    line = WITNESS.line(TEXT, 1679315147)
    note = read_note(f"{TEXT}\n{line}")
    raw = note.signatures[0].signature
    late = type(note.signatures[0])(WITNESS.name, WITNESS.verifier.key_id, bytes(7) + b"\x01" + raw[8:])
    with pytest.raises(NoteRefused):
        read_note(f"{TEXT}\n{late.line()}").opened([WITNESS.verifier])
    with pytest.raises(NoteRefused):
        read_note(f"{TEXT.replace('20852163', '20852164')}\n{line}").opened([WITNESS.verifier])


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "text\n",
        "text\n\n",
        "text\n\nno dash\n",
        "text\n\n— name\n",
        "text\n\n— name AAAA\n",
        "text\n\n— name !!!!!!!!\n",
        "text\r\n\n— name AAAAAAAAAA==\n",
        "text\n\n— name AAAAAAAAAA==",
        "text\n\n— na+me AAAAAAAAAA==\n",
        b"\xff\n\n",
        "a" * 1_000_001,
    ],
)
def test_what_is_no_note_is_refused(raw: str | bytes) -> None:
    with pytest.raises(NoteRefused):
        read_note(raw)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "log\n",
        "log\n1\n",
        f"log\n01\n{'A' * 43}=\n",
        f"log\n-1\n{'A' * 43}=\n",
        f"log\n1\n{'A' * 42}==\n",
        f"log\n1\n{'A' * 43}=",
        f"\n1\n{'A' * 43}=\n",
        f"log\n1\n{'A' * 43}=\n\n",
        f"log\n{'9' * 30}\n{'A' * 43}=\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(NoteRefused):
        read_checkpoint(text)


@pytest.mark.parametrize(
    "text",
    ["", "name", "name+00000000+AQ", "name+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "a b+c74f20a3+AR=="],
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(NoteRefused):
        read_verifiers(text)
