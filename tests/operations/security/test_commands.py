"""`wattkeeper audit security` as a stranger runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.test_command_line import run


@pytest.fixture
def engine() -> str:
    """The command is the same on both."""
    return "sqlite"


async def test_the_audit_says_what_needs_a_person_and_ends_with_1(tmp_path: Path) -> None:
    assert (await run(tmp_path, "migrate"))[0] == 0
    status, told, complained = await run(tmp_path, "audit", "security")
    assert (status, complained) == (1, "")
    assert told.startswith("3 things need you, 1 of them today.")
    assert "Nobody is owner" in told and "wattkeeper owner create" in told
    status, told, _ = await run(tmp_path, "audit", "security", "--json")
    said = json.loads(told)
    finding = said["findings"][0]
    assert (status, finding["code"], finding["severity"]) == (1, "people.owner_missing", "high")
    assert {one["name"] for one in said["checks"]} >= {"doors", "stations", "keys", "people", "programs", "privacy"}


async def test_what_stands_open_on_the_machine_is_found(tmp_path: Path) -> None:
    assert (await run(tmp_path, "migrate"))[0] == 0
    status, told, _ = await run(tmp_path, "audit", "security", WATTKEEPER_HOST="0.0.0.0")  # noqa: S104
    assert status == 1
    assert "The door for stations is open to others and speaks in clear" in told
    (tmp_path / "house.key").chmod(0o644)
    status, told, complained = await run(tmp_path, "audit", "security")
    assert (status, told) == (1, ""), "nothing opens by a root key that others may read"
    assert "can be read by others. Run: chmod 600" in complained
