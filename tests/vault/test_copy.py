"""A copy of the log as files: it holds as it was written, and whatever is changed in it is found and named."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from tests.logs import Kept, kept
from wattkeeper.charging.errors import Refusal
from wattkeeper.vault.checking import Checked, Wanted, check
from wattkeeper.vault.copy import Copy, place, read_signed, tile_path
from wattkeeper.vault.note import COSIGNS, Signer, Verifier, read_verifiers
from wattkeeper.vault.transparency import leaf_hash

SIZE = 601
WITNESS = Signer("witness.example", bytes(range(32)), COSIGNS)


@pytest.fixture
def engine() -> str:
    """Files are files."""
    return "sqlite"


def checked(folder: Path, keys: list[Verifier], **more: object) -> Checked:
    """What a check finds."""
    return check(folder, Wanted(keys, **more))  # type: ignore[arg-type]


async def grown(one: Kept) -> None:
    """A log with checkpoints at 201, 301 and 601 entries; the first is about its key."""
    for count in (200, 100, 300):
        await one.grow(count)


async def test_a_copy_holds_and_goes_on_where_it_was_left(database: str, tmp_path: Path) -> None:
    async with kept(database, tmp_path / "key") as one:
        await grown(one)
        folder = await one.copy(tmp_path / "copy")
        keys = read_verifiers((folder / "key").read_text())
        found = checked(folder, keys)
        assert (found.faults, found.size) == ([], SIZE)
        tiles = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        assert {tile_path("entries", 2, 89), tile_path(0, 0), tile_path(1, 0, 2)} <= tiles
        assert not any(path.suffix == ".new" for path in folder.rglob("*"))
        stamp = (folder / tile_path(0, 1)).stat().st_mtime_ns
        await one.grow(300)
        await one.copy(folder)
        assert (folder / tile_path(0, 1)).stat().st_mtime_ns == stamp
        again = checked(folder, keys)
        assert (again.faults, again.size) == ([], 901)
        told = subprocess.run(  # noqa: ASYNC221 - nothing else runs here
            [sys.executable, "-m", "wattkeeper", "verify", "log", str(folder), "--key", str(folder / "key")],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            check=True,
        )
        assert "901 entries come to the root" in told.stdout and "It holds." in told.stdout
        assert "The key came with the files" in told.stdout, "whoever forges the files forges the key beside them"


async def test_a_copy_is_never_written_over_another_log(database: str, tmp_path: Path) -> None:
    async with kept(database, tmp_path / "key") as one:
        await grown(one)
        folder = await one.copy(tmp_path / "copy")
        await one.overpower("DELETE FROM log_checkpoint WHERE size > 301", "DELETE FROM log_leaf WHERE n > 301")
        with pytest.raises(Refusal, match="another log"):
            await one.copy(folder)


async def test_the_old_key_leads_to_the_new_one(database: str, tmp_path: Path) -> None:
    async with kept(database, tmp_path / "key") as one:
        await grown(one)
        (old,) = await one.log.keys()
        await one.signing.begin("someone")
        await one.keeper.finish()
        await one.grow(10)
        folder = await one.copy(tmp_path / "copy")
        found = checked(folder, [old])
        assert found.faults == [] and any("vouches" in line for line in found.told)
        stranger = Signer(old.name, bytes(32)).verifier
        assert any("not signed by" in fault for fault in checked(folder, [stranger]).faults)
        lines = [orjson.loads(line) for line in (folder / "keys.jsonl").read_bytes().splitlines()]
        forged = orjson.loads(orjson.dumps(lines[1]))
        forged["leaf"]["row"]["body"] = orjson.dumps({"key": str(stranger)}).decode()
        (folder / "keys.jsonl").write_bytes(orjson.dumps(forged))
        assert any("not signed by" in fault for fault in checked(folder, [old]).faults)


def _edit(folder: Path, n: int, change: Callable[[list[bytes]], object]) -> None:
    """Change the entries of a tile."""
    copy = Copy(folder)
    width = min(256, SIZE - n * 256)
    entries = copy.entries(n, width)
    change(entries)
    path = folder / tile_path("entries", n, width)
    path.write_bytes(b"".join(len(one).to_bytes(2, "big") + one for one in entries))


def _mend(folder: Path, n: int) -> None:
    """Write the hashes of a tile anew, as who covers their tracks would."""
    width = min(256, SIZE - n * 256)
    hashes = [leaf_hash(one) for one in Copy(folder).entries(n, width)]
    (folder / tile_path(0, n, width)).write_bytes(b"".join(hashes))


def _cover(folder: Path, n: int, at: int) -> None:
    """Forge an entry and the hash of it."""
    _edit(folder, n, lambda entries: _forge(entries, at))
    _mend(folder, n)


def _twice(entries: list[bytes]) -> None:
    """Put an entry in where it does not belong; the tile is as wide as before."""
    entries.insert(7, entries[6])
    entries.pop()


def _forge(entries: list[bytes], at: int) -> None:
    entries[at] = entries[at][:-2] + (b"00" if not entries[at].endswith(b"00") else b"11")


async def test_every_change_of_a_copy_is_found_and_named(database: str, tmp_path: Path) -> None:
    async with kept(database, tmp_path / "key") as one:
        await grown(one)
        await one.copy(tmp_path / "copy")
        keys = await one.log.keys()

    def spoilt(name: str, spoil: Callable[[Path], object]) -> Checked:
        folder = tmp_path / name
        shutil.copytree(tmp_path / "copy", folder)
        spoil(folder)
        found = checked(folder, keys)
        assert found.faults, name
        return found

    edited = spoilt("edit", lambda f: _edit(f, 1, lambda entries: _forge(entries, 44)))
    assert edited.first_bad == 300
    covered = spoilt("cover", lambda f: _cover(f, 1, 44))
    assert covered.first_bad == 201 and any("201 to 300" in fault for fault in covered.faults)
    gone = spoilt("delete", lambda f: _edit(f, 0, lambda entries: entries.pop(7)))
    assert gone.first_bad == 255 and "cut off" in gone.faults[0]
    more = spoilt("insert", lambda f: _edit(f, 0, _twice))
    assert more.first_bad == 7
    assert spoilt("cut", lambda f: (f / tile_path("entries", 2, 89)).unlink()).first_bad == 512
    assert spoilt("half", lambda f: (f / tile_path("entries", 1)).write_bytes(b"12")).first_bad == 256
    assert "tile/0/001" in spoilt("tile", lambda f: (f / tile_path(0, 1)).write_bytes(bytes(8192))).faults[0]
    torn = spoilt("note", lambda f: (f / "checkpoint").write_text("nothing"))
    assert "no signed note" in torn.faults[0]
    assert "damaged" in spoilt("past", lambda f: (f / "checkpoints.jsonl").write_text("{")).faults[0]
    assert "no copy" in checked(tmp_path / "nowhere", keys).faults[0]


async def test_a_checkpoint_kept_elsewhere_shows_a_cut_a_fork_and_an_older_copy(database: str, tmp_path: Path) -> None:
    async with kept(database, tmp_path / "key") as one, kept(f"{database}.fork", tmp_path / "key2") as other:
        await one.grow(200)
        older = await one.copy(tmp_path / "older")
        await one.grow(400)
        newer = await one.copy(tmp_path / "newer")
        keys = [*await one.log.keys(), *await other.log.keys()]
        mine = [read_signed((newer / "checkpoint").read_bytes())]
        before = [read_signed((older / "checkpoint").read_bytes())]
        assert checked(newer, keys, earlier=[*mine, *before]).faults == []
        cut = checked(older, keys, earlier=mine)
        assert "an older copy: it has 201 entries, and had 601" in cut.faults[0] and cut.first_bad == 201
        await other.grow(700, by="another")
        forked = checked(await other.copy(tmp_path / "fork"), keys, earlier=mine)
        assert "another log than the one that was signed" in forked.faults[0]
        stranger = checked(newer, [keys[0]], earlier=[read_signed((tmp_path / "fork" / "checkpoint").read_bytes())])
        assert "signed by none of these keys" in stranger.faults[0]


async def test_a_witness_says_how_far_it_saw(database: str, tmp_path: Path) -> None:
    async with kept(database, tmp_path / "key") as one:
        await grown(one)
        folder = await one.copy(tmp_path / "copy")
        keys = await one.log.keys()
        assert "cosigned none" in checked(folder, keys, witnesses=[WITNESS.verifier]).faults[0]
        note = read_signed((folder / "checkpoint").read_bytes()).note
        (folder / "checkpoint").write_text(str(note) + WITNESS.line(note.text, 1_700_000_000))
        found = checked(folder, keys, witnesses=[WITNESS.verifier])
        assert found.faults == [] and "witness.example saw the first 601 entries" in found.told[-1]


@pytest.mark.parametrize(("n", "path"), [(0, "000"), (67, "067"), (1234067, "x001/x234/067"), (1000, "x001/000")])
def test_places(n: int, path: str) -> None:
    assert place(n) == path
