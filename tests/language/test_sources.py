"""Nothing that people read is written past the catalogue, and no phrase is made English for good."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.language.sources import SRC, UNSEEN, files_of, lost_in, prose_in

ROOMS = ("charging", "ocpp", "operations", "web")

FOR_PROGRAMMERS = {
    *("web/bundle.py", "operations/privacy/register/register.py", "operations/privacy/register/records.py"),
    *(
        "operations/privacy/breach/notification.py",
        "operations/privacy/erasure/tombstones.py",
        "operations/log/signing.py",
    ),
    "operations/profile.py",
}
"""Read by whoever builds or runs it, or shows an authority the records of processing or a breach."""
AT_THE_COMMAND_LINE = ("operations/backup/", "operations/history/guess.py", "operations/keys/")
"""Said by commands and at the start alone, which speak English."""
ALLOWED = {
    "charging/money/ledger.py": {"The lines of an entry add up to {}, not to nothing."},
    "charging/cards/token.py": {"Presented(kind={}, uid=…)"},
    "ocpp/frame.py": {"The frame was empty.", "The message type is not known."},
    "ocpp/link.py": {"An answer came to nothing that is in flight.", "A refusal came to nothing that is in flight."},
    "ocpp/commands.py": {"{} entries"},
    "ocpp/v201/reports.py": {"{} variables", "{} messages", "{} profiles", "{} periods in", "more to come"},
    "operations/stations/admission.py": {"given another key"},
    "operations/insight/files.py": {
        *("one driver with all their sessions of the calendar year",),
        "drivers who agreed to it, and whose sessions are neither restricted nor objected to",
    },
    "operations/insight/noise.py": {
        *("A cell is larger than any energy can be.", "The noise would spend {}, which is more than {}."),
    },
    "operations/privacy/archive.py": {"SELECT id FROM person WHERE id IN {values}", "card ends in"},
    "operations/privacy/erasure/planning.py": {"SELECT id FROM person WHERE id IN {values}"},
    "operations/money/papers/machines/facturx.py": {
        *("The name of the embedded XML document", "The type of the hybrid document"),
        "The version of the standard of the embedded XML document",
        "The conformance level of the embedded XML document",
    },
    "operations/cards/lists/ledger.py": {"local lists' rows"},
    "operations/policy.py": {'Account::"who asks"'},
    "web/api/reference.py": {"{} One of: {}."},
    "web/api/people/looking.py": {"For what you look at a person:"},
    "web/api/cards/groups.py": {"groups of cards"},
    "web/app.py": {
        *("Nobody we know asks.", "It needs a scope that the token does not have.", "There is no such thing."),
        *("It does not make sense as written.", "Any other problem."),
    },
}
"""Faults of ours, what is logged, what is sent to stations, the gist of a station's report, metadata of a PDF, the
API's description, queries, files that leave."""


def sources() -> list[Path]:
    """The files that speak to people."""
    files = [path for room in ROOMS for path in files_of(room)]
    for_people = [path for path in files if not name(path).startswith(AT_THE_COMMAND_LINE)]
    return [path for path in for_people if name(path) not in FOR_PROGRAMMERS]


def name(path: Path) -> str:
    """A file within the product."""
    return str(path.relative_to(SRC / "wattkeeper"))


def test_what_people_read_is_a_phrase() -> None:
    found = []
    for path in sources():
        seen = UNSEEN if name(path).startswith("web") else UNSEEN | {"ValueError"}
        allowed = ALLOWED.get(name(path), set())
        found += [f"{name(path)}:{line} {text!r}" for line, text in prose_in(path, seen) if text not in allowed]
    assert found == []


def test_what_is_allowed_is_still_there() -> None:
    for file, allowed in ALLOWED.items():
        assert allowed <= {text for _, text in prose_in(SRC / "wattkeeper" / file)}, file


def test_no_phrase_is_made_english_for_good() -> None:
    assert [f"{name(path)}:{line} {text}" for path in sources() for line, text in lost_in(path)] == []


SNIPPETS = (
    ('GREETING = "Good morning to you"', True),
    ('def said():\n    return f"{name} waits here."', True),
    ('WHEN = "once for each session"', True),
    ('raise Refusal(Code.INVALID, "That is wrong.")', True),
    ('GREETING = phrase("Good morning to {who}.", who="all of you here")', True),
    ('GREETING = phrase("Good morning to you.")', False),
    ('log.info("Somebody came in %s", who)', False),
    ('"""Says what it is."""', False),
    ('x: str = Field(description="What it is for.")', False),
    ('KEY = "What it is for."\nx = Query(description=KEY)', False),
    ('assert found, "It was there a moment ago"', False),
    ('NAME = "OCPP 1.6"', False),
)


@pytest.mark.parametrize(("source", "is_prose"), SNIPPETS)
def test_prose_is_recognised(source: str, is_prose: bool, tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text(source)
    assert bool([*prose_in(tmp_path / "one.py")]) is is_prose


LOSSES = (
    "said = f\"{phrase('It ended.')} So it is.\"",
    'WHY = phrase("It ended.")\nsaid = f"{WHY} So it is."',
    'def said():\n    why = phrase("It ended.")\n    return why + "!"',
    'WORDS = {1: phrase("One"), 2: phrase("Two")}\ndef said(n):\n    return WORDS[n].lower()',
    "def said(refusal):\n    return str(refusal.why)",
    'said = " ".join([phrase("It ended."), rest])',
)


@pytest.mark.parametrize("source", LOSSES)
def test_a_lost_phrase_is_recognised(source: str, tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text(source)
    (tmp_path / "two.py").write_text(source.replace("\n", "  # in English\n") + "  # in English")
    assert [*lost_in(tmp_path / "one.py")]
    assert not [*lost_in(tmp_path / "two.py")]
