"""The commands about privacy as a stranger types them: the register, consents, legal holds, looks."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

from tests.test_command_line import run


async def test_the_register_is_printed_whole_and_in_one_form(tmp_path: Path) -> None:
    status, out, _ = await run(tmp_path, "register")
    assert status == 0 and "charging sessions" in out
    status, out, _ = await run(tmp_path, "register", "--csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert status == 0 and {"table": "account", "column": "id"}.items() <= rows[0].items()
    status, out, _ = await run(tmp_path, "register", "--json")
    assert len(json.loads(out)) == len(rows)
    status, out, said = await run(tmp_path, "register", "--csv", "--json")
    assert (status, out) == (1, "") and "Choose one of" in said


async def test_consents_are_counted_and_written_to_without_naming_anybody(tmp_path: Path) -> None:
    await run(tmp_path, "migrate")
    status, out, _ = await run(tmp_path, "consents", "show")
    assert status == 0 and "insight" in out and "news" in out
    status, out, _ = await run(tmp_path, "consents", "export", "--purpose", "news")
    assert (status, out) == (0, "n,at,person,purpose,agreed,version,language,text_sha256,door\n")
    letter = tmp_path / "letter.txt"
    letter.write_text("A new station.")
    assert await run(tmp_path, "consents", "write", "New", str(letter)) == (0, "Nobody agrees to such letters.\n", "")
    status, _, said = await run(tmp_path, "consents", "write", "", str(letter))
    assert status == 1 and "A subject is one line" in said
    status, _, said = await run(tmp_path, "consents", "export", "--purpose", "everything")
    assert status == 2 and "insight" in said


async def test_holds_say_what_is_wrong_and_what_stands(tmp_path: Path) -> None:
    await run(tmp_path, "migrate")
    assert (await run(tmp_path, "holds", "list"))[1] == "No hold stands.\n"
    assert (await run(tmp_path, "holds", "overdue"))[:2] == (0, "Nothing is kept longer than it says.\n")
    until = ("--until", "2100-01-01")
    status, _, said = await run(tmp_path, "holds", "set", "person:x", "--reason", "A court asks.", *until)
    assert status == 1 and "within three years" in said
    status, _, said = await run(tmp_path, "holds", "end", "nothing")
    assert (status, said) == (1, "No hold of that id stands.\n")


async def test_looks_are_listed_where_there_are_none(tmp_path: Path) -> None:
    await run(tmp_path, "migrate")
    assert (await run(tmp_path, "looks"))[:2] == (0, "Nobody looked at any driver yet.\n")
    assert (await run(tmp_path, "looks", "--waiting"))[:2] == (0, "No emergency waits.\n")
    assert (await run(tmp_path, "looks", "--json"))[:2] == (0, "[]\n")


async def test_who_asks_by_letter_is_corrected_and_restricted_at_the_command_line(tmp_path: Path) -> None:
    await run(tmp_path, "migrate")
    await run(tmp_path, "accounts", "add", "anna", "--generate")
    assert (await run(tmp_path, "privacy", "correct", "anna", "name", "Anna"))[:2] == (0, "Corrected.\n")
    status, _, said = await run(tmp_path, "privacy", "correct", "anna", "shoes", "42")
    assert status == 1 and "name, phone, address" in said
    used = "Not used from now on: insight.\n"
    assert (await run(tmp_path, "privacy", "restrict", "anna", "insight", "--why", "She asked."))[:2] == (0, used)
    assert (await run(tmp_path, "privacy", "lift", "anna", "insight"))[:2] == (0, "Used again: insight.\n")
    status, _, said = await run(tmp_path, "privacy", "lift", "anna", "insight")
    assert (status, said) == (1, "Nothing of the kind stands.\n")
    for words in (("correct", "bert", "name", "Bert"), ("restrict", "bert", "all")):
        status, _, said = await run(tmp_path, "privacy", *words)
        assert status == 1 and "There is no such person here" in said
