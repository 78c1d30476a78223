"""The witness: it cosigns what continues, and nothing else; whatever no honest log does is an alarm, and stays one."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from tests.attacks.test_h3_fork import Two, engine, two  # noqa: F401 - fixtures
from tests.vault.test_transparency import Tree, some
from wattkeeper.vault.note import Checkpoint, NoteRefused, Signer, read_note, signed
from wattkeeper.vault.transparency import root_of
from wattkeeper.witness.judging import Refused, Witness
from wattkeeper.witness.memory import STATE, Memory, add, begin
from wattkeeper.witness.running import opened
from wattkeeper.witness.serving import Door

LOG = Signer("log.example", bytes(range(32)))
OTHER = Signer("log.example", bytes(32))
NOW = 1_800_000_000


def note(leaves: Sequence[bytes], signer: Signer = LOG) -> str:
    """A signed checkpoint over these leaves."""
    return signed(Checkpoint(signer.name, len(leaves), root_of(leaves)).text, [signer])


def path(leaves: Sequence[bytes], first: int) -> list[bytes]:
    """The proof that they grew from so many."""
    return Tree(leaves).consistency(first, len(leaves))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A witness of one log."""
    begin(tmp_path / "w", "witness.example")
    add(tmp_path / "w", LOG.verifier, "")
    return tmp_path / "w"


def witness_of(folder: Path) -> Witness:
    """The witness of a folder, as it starts."""
    memory = Memory(folder)
    memory.load()
    return Witness(memory, memory.signer(), [key for key, _ in memory.known()], lambda: NOW)


def test_it_cosigns_what_continues_and_remembers_it_first(folder: Path) -> None:
    leaves = some(300)
    witness = witness_of(folder)
    first = witness.judge(note(leaves[:120]), 0, [])
    assert read_note(note(leaves[:120]) + first.line).opened([witness.signer.verifier]) == {
        witness.signer.verifier: NOW
    }
    again = witness_of(folder)
    assert again.judge(note(leaves), 120, path(leaves, 120)).refused is None
    assert again.judge(note(leaves), 300, []).refused is None, "the same again is cosigned again"
    seen = witness_of(folder).memory.of(LOG.name).seen
    assert seen is not None and (seen.size, seen.root) == (300, root_of(leaves))


def test_it_cosigns_nothing_else(folder: Path) -> None:
    leaves, fork = some(300), [*some(100), *[bytes(32)] * 200]
    witness = witness_of(folder)
    witness.judge(note(leaves[:120]), 0, [])
    refused = [
        (witness.judge("nothing", 120, []), Refused.UNREADABLE),
        (witness.judge(note(leaves, Signer("another.example", bytes(32))), 0, []), Refused.UNKNOWN_LOG),
        (witness.judge(note(leaves, OTHER), 120, path(leaves, 120)), Refused.UNKNOWN_KEY),
        (witness.judge(note(leaves).replace("300", "301"), 120, []), Refused.UNKNOWN_KEY),
        (witness.judge(note(leaves), 0, []), Refused.CONFLICT),
        (witness.judge(note(leaves[:50]), 50, []), Refused.CONFLICT),
        (witness.judge(note(leaves[:50]), 120, []), Refused.BACKWARDS),
        (witness.judge(note(fork[:120]), 120, []), Refused.OTHER_ROOT),
        (witness.judge(note(fork), 120, path(fork, 120)), Refused.NO_PROOF),
        (witness.judge(note(leaves), 120, []), Refused.NO_PROOF),
    ]
    assert [judged.refused for judged, _ in refused] == [expected for _, expected in refused]
    seen = witness_of(folder).memory.of(LOG.name).seen
    assert seen is not None and seen.size == 120
    (alarm,) = witness_of(folder).memory.of(LOG.name).alarms
    assert (alarm.kind, alarm.note) == ("fork", note(fork[:120]))


def test_a_first_checkpoint_comes_without_a_proof(folder: Path) -> None:
    assert witness_of(folder).judge(note(some(3)), 0, [bytes(32)]).refused is Refused.NO_PROOF


def test_a_witness_that_forgot_does_not_go_on(folder: Path) -> None:
    (folder / STATE).unlink()
    with pytest.raises(NoteRefused, match="must not go on"):
        witness_of(folder)
    (folder / STATE).write_text("{]")
    with pytest.raises(NoteRefused, match="damaged"):
        witness_of(folder)
    (folder / "key").chmod(0o644)
    with pytest.raises(NoteRefused, match="chmod 600"):
        Memory(folder).signer()
    with pytest.raises(FileExistsError):
        begin(folder, "witness.example")


def test_there_is_one_of_it(folder: Path) -> None:
    with opened(folder), pytest.raises(NoteRefused, match="already"), opened(folder):
        pass


# --- its doors ------------------------------------------------------------------------------------------------


def client_of(witness: Witness) -> httpx.AsyncClient:
    """Somebody at its door."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=Door(witness)), base_url="http://witness.test")  # type: ignore[arg-type]


def request(first: int, steps: Sequence[bytes], whole: str) -> bytes:
    """A request as C2SP tlog-witness writes it."""
    lines = [f"old {first}", *(base64.b64encode(one).decode() for one in steps)]
    return ("\n".join(lines) + f"\n\n{whole}").encode()


async def test_logs_bring_checkpoints_as_the_standard_says(folder: Path) -> None:
    leaves = some(300)
    witness = witness_of(folder)
    async with client_of(witness) as client:

        async def add_checkpoint(body: bytes) -> httpx.Response:
            return await client.post("/add-checkpoint", content=body)

        first = await add_checkpoint(request(0, [], note(leaves[:120])))
        assert first.status_code == 200 and first.text.startswith("— witness.example ")
        behind = await add_checkpoint(request(0, [], note(leaves)))
        assert (behind.status_code, behind.text) == (409, "120\n")
        assert behind.headers["content-type"] == "text/x.tlog.size"
        good = await add_checkpoint(request(120, path(leaves, 120), note(leaves)))
        assert read_note(note(leaves) + good.text).opened([witness.signer.verifier])
        for body, status in [
            (request(300, [bytes(32)], note([*leaves, bytes(32)])), 422),
            (request(301, [], note(leaves)), 400),
            (request(300, [], note([*leaves[:-1], bytes(32)])), 409),
            (request(300, [], note(leaves, OTHER)), 403),
            (request(0, [], note(leaves, Signer("x", bytes(32)))), 404),
            (b"", 400),
            (b"old 1\n\nnothing", 400),
            (b"old 01\n\n" + note(leaves).encode(), 400),
            (b"new 1\n\n" + note(leaves).encode(), 400),
            (b"old 300\n!\n\n" + note(leaves).encode(), 400),
            (request(300, [bytes(32)] * 64, note(leaves)), 400),
            (b"\xff" * 100, 400),
            (b"a" * 70_000, 413),
        ]:
            assert (await add_checkpoint(body)).status_code == status, body[:60]
        cosigned = read_note((await client.get("/checkpoint")).text)
        assert set(cosigned.opened([LOG.verifier, witness.signer.verifier])) == {LOG.verifier, witness.signer.verifier}
        assert (await client.get("/checkpoint?origin=nobody")).status_code == 404
        assert (await client.get("/key")).text == f"{witness.signer.verifier}\n"
        health = await client.get("/health")
        assert health.status_code == 503 and health.json()["logs"][0]["alarms"][0]["kind"] == "fork"
        page = (await client.get("/")).text
        assert "two logs of 300 entries" in page and "<strong>fork</strong>" in page
        assert (await client.get("/add-checkpoint")).status_code == 405
        assert (await client.get("/other")).status_code == 404


async def test_names_on_its_page_are_inert(tmp_path: Path) -> None:
    signer = Signer("<script>", bytes(32))
    begin(tmp_path / "w", "a&b")
    add(tmp_path / "w", signer.verifier, "")
    witness = witness_of(tmp_path / "w")
    witness.judge(note(some(2), signer), 0, [])
    async with client_of(witness) as client:
        page = (await client.get("/")).text
    assert "<script>" not in page and "&lt;script&gt;" in page and "a&amp;b" in page


# --- the command ----------------------------------------------------------------------------------------------


def told(*arguments: str, cwd: Path) -> tuple[int, str]:
    """What the command says, and how it ends."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("WATTKEEPER_")}
    done = subprocess.run(
        [sys.executable, "-m", "wattkeeper", "witness", *arguments], capture_output=True, text=True, cwd=cwd, env=own
    )
    return done.returncode, done.stdout + done.stderr


def test_the_command_says_what_to_do(tmp_path: Path) -> None:
    assert "no witness yet" in told("look", "w", cwd=tmp_path)[1]
    assert "cannot name a key" in told("init", "w", "--name", "a b", cwd=tmp_path)[1]
    code, key = told("init", "w", "--name", "witness.example", cwd=tmp_path)
    assert code == 0 and key.startswith("witness.example+")
    assert "already" in told("init", "w", "--name", "witness.example", cwd=tmp_path)[1]
    assert "is no address" in told("add", "w", str(LOG.verifier), "charge.example", cwd=tmp_path)[1]
    assert "no key" in told("add", "w", "+", cwd=tmp_path)[1]
    assert told("add", "w", str(LOG.verifier), "http://127.0.0.1:9", cwd=tmp_path)[0] == 0
    code, said = told("look", "w", cwd=tmp_path)
    assert code == 2 and "not reached" in said


async def test_it_follows_a_log_by_its_public_doors(two: Two) -> None:  # noqa: F811
    """The whole way: a real log, its doors, a witness that follows, and the cosignature that a copy is checked with."""
    await two.one.grow(30)
    assert (await two.looked(two.one)).name == "GOOD"
    await two.one.grow(40)
    assert (await two.looked(two.one)).name == "GOOD"
    seen = two.witness.memory.of("charge.example/log").seen
    assert seen is not None and seen.size == 71
