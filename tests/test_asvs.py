"""The table of the ASVS and the page on access: whole, true to the code, and each row with its test or its reason."""

from __future__ import annotations

import ast
import csv
import math
import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest

from tests.conftest import COST
from wattkeeper.charging.person import FRESH
from wattkeeper.operations.people.apps import oauth
from wattkeeper.operations.people.letters import links
from wattkeeper.operations.people.sign_in import guessed, password, recovery, totp
from wattkeeper.operations.people.sign_in.factors import MOST_FAILURES
from wattkeeper.settings import Settings
from wattkeeper.store.people.account import MOST_LOGINS
from wattkeeper.store.people.secret_link import Purpose
from wattkeeper.web.api.people.account import AccountChanges
from wattkeeper.web.api.people.sign_in import FirstOwner, Joining, SignUp
from wattkeeper.web.guards.entrance import DOORS, LETTERS

ROOT = Path(__file__).parent.parent
SOURCES = ROOT / "src" / "wattkeeper"
PAGE = (ROOT / "docs" / "access.md").read_text()
IDS = {
    "V3": "3.2.1-2 3.3.1 3.4.1-2 3.5.1-3 | 3.3.2-4 3.4.3-6 3.5.4-5 3.7.1-2",
    "V6": "6.1.1 6.2.1-8 6.3.1-2 6.4.1-2 | 6.1.2-3 6.2.9-12 6.3.3-4 6.4.3-4 6.5.1-5 6.6.1-3 6.8.1-4",
    "V7": "7.2.1-4 7.4.1-2 | 7.1.1-3 7.3.1-2 7.4.3-5 7.5.1-2 7.6.1-2",
    "V8": "8.1.1 8.2.1-2 8.3.1 | 8.1.2 8.2.3 8.4.1",
    "V9": "9.1.1-3 9.2.1 | 9.2.2-4",
    "V10": "10.4.1-5 | 10.1.1-2 10.2.1-2 10.3.1-4 10.4.6-11 10.5.1-5 10.6.1-2 10.7.1-3",
}
"""The requirements of ASVS 5.0.0 by chapter: those of level 1, then those that level 2 adds."""
REASON = re.compile(r"20\d\d-\d\d-\d\d: .{20,}")


def unfolded(ids: str) -> Iterator[str]:
    """``6.2.9-12`` as V6.2.9 to V6.2.12."""
    for one in ids.split():
        first, _, last = one.partition("-")
        section, number = first.rsplit(".", 1)
        yield from (f"V{section}.{at}" for at in range(int(number), int(last or number) + 1))


LEVELS = {one: level for ids in IDS.values() for level, part in enumerate(ids.split("|"), 1) for one in unfolded(part)}


def rows() -> list[dict[str, str]]:
    """The table."""
    with (ROOT / "docs" / "asvs.csv").open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


@cache
def known_in(path: str) -> set[str]:
    """The tests of a file."""
    tree = ast.parse((ROOT / path).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_requirement_of_levels_1_and_2_is_in_the_table_once() -> None:
    assert Counter(LEVELS.values()) == {1: 40, 2: 75}, "the list of requirements itself was changed"
    listed = Counter(row["id"] for row in rows())
    assert [one for one, many in listed.items() if many > 1] == []
    assert sorted(set(LEVELS) - set(listed)) == []
    assert all(re.fullmatch(r"V(3|6|7|8|9|10)\.\d+\.\d+", one) for one in listed)


def test_every_row_says_how_far_it_applies_and_how_it_is_met() -> None:
    for row in rows():
        assert list(row) == ["id", "applies", "how", "test"]
        applies, _, level = row["applies"].partition(" ")
        assert applies in ("yes", "no"), row
        assert level == f"L{LEVELS.get(row['id'], 3)}", row
        assert 10 <= len(row["how"]) <= 250, row


def test_every_row_has_a_test_that_exists_or_a_dated_reason() -> None:
    for row in rows():
        path, _, name = row["test"].partition("::")
        if not name:
            assert REASON.fullmatch(row["test"]), row
            continue
        assert name in known_in(path), row
        assert name.startswith("test_"), row


def test_what_is_not_met_is_said_so_and_not_hidden_behind_a_test() -> None:
    for row in rows():
        assert ("NOT MET" in row["how"]) <= bool(REASON.fullmatch(row["test"])), row


# --- the page -----------------------------------------------------------------------------------------


def told(what: timedelta) -> str:
    """A time in the page's words."""
    s = int(what.total_seconds())
    for unit, of_it in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if s % of_it == 0 and s // of_it > 1 and (unit, s // of_it) != ("days", 1):
            return f"{s // of_it} {unit}"
    return f"{s} seconds"


def test_the_page_on_access_has_the_figures_of_the_code() -> None:
    made, lasts = Settings(), links.LASTS
    page = " ".join(PAGE.split())
    for words in (
        f"At least {password.SHORTEST} characters alone, {password.SHORTEST_WITH_SECOND} beside a second factor, "
        f"at most {password.LONGEST};",
        f"{COST[0]} rounds of {COST[1] // 1024} MiB",
        f"After {MOST_FAILURES} wrong passwords ever",
        f"{totp.TRIES} codes of an authenticator app or recovery codes",
        f"{totp.EITHER_SIDE} step of {totp.STEP_S} seconds",
        f"{recovery.MANY} of {recovery.LENGTH} characters out of {len(recovery.ALPHABET)}",
        f"An invitation is good for {told(lasts[Purpose.INVITE])}",
        f"a sign-up for {told(lasts[Purpose.VERIFY]).replace('1 days', '24 hours')};",
        f"a way back in for {told(lasts[Purpose.RECOVER]).replace('1 hours', '60 minutes')};",
        f"the second half of a sign-in for {told(lasts[Purpose.STEP])},",
        f"the challenge of a passkey for {told(lasts[Purpose.PASSKEY])}",
        f"| staff | {made.login_hours} hours | {made.login_idle_hours} hours |",
        f"| driver | {made.driver_login_days} days | {made.driver_login_idle_days} days |",
        f"| app | {oauth.GRANT_LASTS.days} days; access tokens {told(oauth.ACCESS_LASTS)} | "
        f"{oauth.REFRESH_LASTS.days} days |",
        f"a proof of the last {told(FRESH)}",
        f"An account has up to {MOST_LOGINS} sign-ins at once",
    ):
        assert words in page, words
    listed = re.findall(r"such as ([a-z, ]+)\.", page)[0].split(", ")
    assert set(listed) <= set(guessed.WORDS.split())


def test_the_page_on_access_names_every_door() -> None:
    for door in set(DOORS + LETTERS) - {"sign-out", "sign-in/passkey/options"}:
        assert f"`/api/v1/{door}`" in PAGE, door
    for way in ("/login", "/app/sign-in", "/login/company", "/oauth/authorize", "/oauth/token", "wattkeeper"):
        assert f"`{way}`" in PAGE, way


def test_the_page_on_access_has_its_chapters() -> None:
    chapters = re.findall(r"^## (.*)$", PAGE, re.MULTILINE)
    wanted = [
        "The ways in",
        "Guessing",
        "What is told of attacks",
        "Passwords",
        "Codes and links",
        "Sign-ins",
        "How far",
        "Looking at a person",
    ]
    assert chapters == [*wanted, "What a browser must do"]
    for field in ("a card's number", "a driver's name", "a session's energy", "role, sites and state"):
        assert f"| {field}" in PAGE, field
    for name in re.findall(r"WATTKEEPER_([A-Z_]+)`", PAGE):
        assert hasattr(Settings(), name.lower()), name


# --- what holds for all of the code -------------------------------------------------------------------


def drawn(path: Path) -> Iterator[int]:
    """How many bytes a file draws for each secret."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "token_urlsafe":
            assert isinstance(node.args[0], ast.Constant)
            yield int(str(node.args[0].value))


def test_nothing_that_opens_is_drawn_by_a_guessable_generator() -> None:
    for path in SOURCES.rglob("*.py"):
        imported = {
            name.name.partition(".")[0]
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Import)
            for name in node.names
        }
        if "simulator" not in path.parts and path.name != "demo.py":
            assert not imported & {"random", "uuid"}, path


def test_codes_have_the_bits_they_need() -> None:
    assert recovery.LENGTH * math.log2(len(recovery.ALPHABET)) >= 50
    assert math.log2(10**totp.DIGITS) / totp.TRIES > 3
    assert 10**totp.DIGITS >= 2**19
    found = [(path.name, many) for path in (SOURCES / "operations").rglob("*.py") for many in drawn(path)]
    assert len(found) >= 8
    assert [one for one in found if one[1] < 32] == []


@pytest.mark.parametrize("shape", [SignUp, Joining, FirstOwner, AccountChanges])
def test_nothing_asks_for_hints_or_secret_questions(shape: type[SignUp]) -> None:
    """Nor for a telephone."""
    assert set(shape.model_fields) <= {"code", "email", "name", "password", "language", "receipts_by_mail"}
    templates = [path.read_text() for path in SOURCES.rglob("*.html")]
    assert all('type="tel"' not in text for text in templates)
