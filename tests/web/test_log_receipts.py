"""A receipt carries the proof that it is in the log, and whoever holds it checks that with a key and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.attacks.test_g_erasure import two
from tests.web.conftest import House
from wattkeeper.charging.person import PROGRAMS
from wattkeeper.operations.money.papers.verifying import NO_PROOF, NOT_YET, UNSIGNED, Verdict, verified
from wattkeeper.vault.note import Signer


@pytest.fixture
def engine() -> str:
    """The file is the same on both."""
    return "sqlite"


def judged(folder: Path, data: bytes, *keys: object) -> Verdict:
    """What a file proves."""
    (folder / "receipt.json").write_bytes(data)
    return verified(folder / "receipt.json", keys=keys)  # type: ignore[arg-type]


async def test_a_receipt_proves_that_it_was_issued(house: House, tmp_path: Path) -> None:
    async with two(house) as (anna, bert):
        address = f"/api/v1/bills/{anna.ids['bill']}/receipt"
        early = (await anna.client.get(address)).content
        assert orjson.loads(early)["proof"] is None
        assert judged(tmp_path, early).log == (NOT_YET,)
        page = (await anna.client.get(f"/app/sessions/{anna.ids['session']}")).text
        assert "Not in the log yet" in page and "/receipt" not in page
        await house.rooms.keeper.finish()
        page = (await anna.client.get(f"/app/sessions/{anna.ids['session']}")).text
        assert "In the log as entry" in page and address in page
        file = (await anna.client.get(address)).content
        assert (await bert.client.get(address)).status_code == 404
        assert anna.viewer.person.encode() not in file, "a receipt may be shown around"
        keys = await house.rooms.log.keys()
        plain = judged(tmp_path, file)
        assert plain.holds and plain.log[1] == UNSIGNED
        signed = judged(tmp_path, file, *keys)
        assert signed.holds and f"Signed by {keys[0].name}" in str(signed.log[1])
        content = (await anna.client.get(f"/api/v1/bills/{anna.ids['bill']}/content")).content
        assert judged(tmp_path, content).log == (NO_PROOF,) and judged(tmp_path, content).holds
        assert not judged(tmp_path, content, *keys).holds, "who asks for a proof is told that there is none"
        stranger = judged(tmp_path, file, Signer(keys[0].name, bytes(32)).verifier)
        assert not stranger.holds and "signed by none" in str(stranger.faults[0])
        _forged(tmp_path, file, keys)
        key = tmp_path / "log.key"
        key.write_text(str(keys[0]))
        (tmp_path / "receipt.json").write_bytes(file)
        assert "Signed by" in _said(tmp_path, "receipt.json", "--log-key", str(key))


async def test_a_paper_carries_its_proof_once_there_is_one(house: House, tmp_path: Path) -> None:
    async with two(house) as (anna, _):
        address = f"/api/v1/bills/{anna.ids['bill']}/paper"
        keys = await house.rooms.log.keys()
        early = judged(tmp_path, (await anna.client.get(address)).content)
        assert early.holds and early.log == (NO_PROOF,)
        await house.rooms.keeper.finish()
        paper = (await anna.client.get(address)).content
        told = judged(tmp_path, paper, *keys)
        assert told.holds and f"Signed by {keys[0].name}" in str(told.log[1])
        before = await house.rooms.log.checkpoint()
        await house.rooms.access.make_token("another", PROGRAMS)
        await house.rooms.keeper.finish()
        assert await house.rooms.log.checkpoint() != before
        assert (await anna.client.get(address)).content == paper, "the same paper, though the log has grown"


def _forged(folder: Path, file: bytes, keys: object) -> None:
    """Whatever is changed of it is found."""
    told = orjson.loads(file)
    changes: dict[str, Callable[[Any], object]] = {
        "row": lambda one: one["proof"]["leaf"]["row"].update(digest="0" * 64),
        "salt": lambda one: one["proof"]["leaf"].update(salt="00" * 16),
        "index": lambda one: one["proof"].update(index=one["proof"]["index"] - 1),
        "path": lambda one: one["proof"].update(path=one["proof"]["path"][:-1]),
        "checkpoint": lambda one: one["proof"].update(checkpoint="nothing"),
        "proof": lambda one: one.update(proof={"leaf": 1}),
        "list": lambda one: one.update(proof=[]),
        "content": lambda one: one["content"]["bill"].update(currency="CHF"),
    }
    for name, change in changes.items():
        forged = orjson.loads(orjson.dumps(told))
        change(forged)
        assert not judged(folder, orjson.dumps(forged), *keys).holds, name  # type: ignore[misc]


def _said(folder: Path, *arguments: str) -> str:
    """What the command says."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("WATTKEEPER_")}
    command = [sys.executable, "-m", "wattkeeper", "verify", "receipt", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=own, check=True).stdout
