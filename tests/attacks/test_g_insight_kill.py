"""A release that is killed while it is made: paid for at most once, and nothing is out that is not in the ledger."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.operations.charged import charged
from tests.test_command_line import environment, run
from wattkeeper.__main__ import app
from wattkeeper.charging.deed import DeedKind
from wattkeeper.store import deed
from wattkeeper.store.engines import Store
from wattkeeper.store.insight import release
from wattkeeper.store.insight.release import Entry
from wattkeeper.store.migrate import migrate

ASKED = ("release", "make", "site-load", "--from", "2025-01", "--to", "2025-01")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where an installation stands whose drivers have charged."""

    async def settle() -> None:
        address = f"sqlite:///{tmp_path / 'house.db'}"
        await migrate(address)
        store = Store(address)
        await charged(store)
        await store.close()

    asyncio.run(settle())
    return tmp_path


async def ledger(folder: Path) -> tuple[list[Entry], int]:
    """What was spent, and how many deeds say so."""
    store = Store(f"sqlite:///{folder / 'house.db'}")
    async with store.read() as connection:
        found = await release.newest(connection)
        deeds = await deed.about(connection, "", [DeedKind.RELEASED, DeedKind.RELEASE_REFUSED])
    await store.close()
    return found, len(deeds)


async def killed(folder: Path, out: Path, after_s: float) -> None:
    """Begin a release and kill it."""
    command = (sys.executable, "-m", "wattkeeper", *ASKED, "--out", str(out))
    process = await asyncio.create_subprocess_exec(
        *command,
        env=environment(folder),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await asyncio.wait_for(process.wait(), after_s)
    except TimeoutError:
        process.kill()
        await process.wait()


async def test_whoever_is_killed_pays_at_most_once_and_asks_again(folder: Path) -> None:
    out = folder / "load"
    for after_s in (1.2, 2.0, 2.6, 3.2, 3.8, 4.4):
        await killed(folder, out, after_s)
        found, deeds = await ledger(folder)
        assert len(found) == deeds <= 1
        for one in (out.with_suffix(".json"), out.with_suffix(".csv")):
            assert not one.exists() or found, "nothing is out that was not paid for"
    code, told, complaint = await run(folder, *ASKED, "--out", str(out))
    assert code == 0, complaint
    ([entry], deeds) = await ledger(folder)
    assert deeds == 1 and entry.epsilon == Decimal("0.5") and "0.5 of 1 is left" in told
    assert out.with_suffix(".json").read_text() == entry.content and out.with_suffix(".csv").read_text() == entry.sheet
    code, again, _ = await run(folder, *ASKED, "--out", str(out))
    assert code == 0 and again == told and out.with_suffix(".json").read_text() == entry.content


def test_a_release_as_a_stranger_asks_for_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was wrong and what to do; nothing is spent by what is refused."""
    for name, value in environment(folder).items():
        monkeypatch.setenv(name, value)

    def said(*arguments: str) -> tuple[int, str]:
        found = CliRunner().invoke(app, [*arguments])
        assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
        return found.exit_code, " ".join(found.output.split())

    file = folder / "load.json"
    for arguments, why in (
        (
            ("release", "make", "sessions", "--from", "2025-01", "--to", "2025-01"),
            "Single sessions are never anonymous",
        ),
        (("release", "make", "loads", "--from", "2025-01", "--to", "2025-01"), "is none of: site-load"),
        (("release", "make", "site-load", "--from", "2025-01", "--to", "2026-02"), "one calendar year"),
        (("release", "make", "site-load", "--from", "2025-1", "--to", "2025-02"), "is no month"),
        ((*ASKED, "--site", "Nowhere"), "There is no site “Nowhere”"),
        ((*ASKED, "--epsilon", "2"), "Epsilon is between"),
        ((*ASKED, "--epsilon", "much"), "is not a number"),
        ((*ASKED, "--out", str(folder / "none" / "file")), "Nothing was spent"),
        (("release", "show", "none"), "There is no such release"),
        (("release", "check", "none"), "There is no such release"),
    ):
        code, told = said(*arguments)
        assert code == 1 and why in told, (arguments, told)
    assert said("release", "list") == (0, "Nothing left the house yet: wattkeeper release make --help")
    code, told = said(*ASKED, "--out", str(file))
    assert code == 0 and told.count(" met") == 5 and "0.5 of 1 is left" in told
    released = json.loads(file.read_text())
    assert len(released["measured"]) == 5 and released["privacy"]["epsilon"] == "0.5"
    name = hashlib.sha256(file.read_bytes()).hexdigest()[:20]
    code, told = said("release", "check", name, str(file))
    assert code == 0 and name in told and "For your eyes only" in told
    code, told = said("release", "show", name)
    assert code == 0 and "site,cell,value,unit,error,within_95,drivers_at_least" in told
    assert name in said("release", "list")[1]
    file.write_text(file.read_text().replace("value", "Value"))
    code, told = said("release", "check", name, str(file))
    assert code == 1 and "is not what left" in told
