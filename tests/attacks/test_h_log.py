"""The log against whoever owns the database or the log's key (H1, H3, H4): the first change is named."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.logs import Kept, kept
from wattkeeper.operations.log.auditing import Audited, audit_log
from wattkeeper.store.log import checkpoint
from wattkeeper.store.log.checkpoint import CheckpointRow
from wattkeeper.vault.checking import Wanted, check
from wattkeeper.vault.copy import Signed, read_signed
from wattkeeper.vault.leaf import Leaf
from wattkeeper.vault.transparency import Frontier


async def grown(one: Kept) -> None:
    """601 entries under checkpoints at 201, 301 and 601; entry 300 is deed 301."""
    for count in (200, 100, 300):
        await one.grow(count)


async def audited(one: Kept, *earlier: Signed) -> Audited:
    """What an audit finds."""
    return await audit_log(one.store, await one.log.keys(), earlier)


async def kept_elsewhere(one: Kept) -> Signed:
    """The newest checkpoint, as somebody else keeps it."""
    return read_signed(await one.log.checkpoint())


ROWS = [
    ("UPDATE deed SET by = 'nobody' WHERE n = 301", 300, "not what was logged"),
    ("UPDATE deed SET body = '{\"n\":2}' WHERE n = 301", 300, "not what was logged"),
    ("UPDATE deed SET at = at + 1 WHERE n = 301", 300, "not what was logged"),
    ("DELETE FROM deed WHERE n = 301", 300, "was deleted"),
    ("UPDATE log_leaf SET ref = '9301' WHERE n = 300", 300, "was deleted"),
    ("UPDATE log_leaf SET at = at + 1 WHERE n = 300", 300, "not what was logged"),
    ("DELETE FROM log_leaf WHERE n = 300", 300, "missing from the log"),
    ("DELETE FROM log_leaf WHERE n >= 300", 300, "301 entries|were signed|300 entries"),
    ("DELETE FROM log_node WHERE n = 1", 256, "256 to 511"),
    ("DELETE FROM deed", 0, "was deleted"),
    ("DELETE FROM log_leaf", 0, "were signed"),
    ("UPDATE log_checkpoint SET size = 302 WHERE size = 301", 301, "no key of the log"),
]


@pytest.mark.parametrize(("change", "index", "words"), ROWS)
async def test_h1_a_superusers_change_is_named_by_its_index(
    database: str, tmp_path: Path, change: str, index: int, words: str
) -> None:
    async with kept(database, tmp_path / "key") as one:
        await grown(one)
        assert (await audited(one)).faults == []
        await one.overpower(change)
        found = await audited(one)
        assert found.faults and found.faults[0].index == index, found.faults[:3]
        assert any(part in str(found.faults[0].what) for part in words.split("|")), found.faults[0]


async def test_h1_a_row_that_was_put_in_or_a_log_that_is_emptied_is_found(database: str, tmp_path: Path) -> None:
    async with kept(database, tmp_path / "key") as one:
        await grown(one)
        inserted = "INSERT INTO deed (n, at, kind, by, subject, body) VALUES (0, 1, 'x', 'y', 'z', '{}')"
        await one.overpower(inserted)
        (fault,) = (await audited(one)).faults
        assert (fault.kind, fault.ref) == ("deed", "0") and "behind the log's back" in str(fault.what)
        elsewhere = await kept_elsewhere(one)
        await one.overpower(*(f"DELETE FROM {table}" for table in ("log_leaf", "log_node", "log_checkpoint")))
        assert any("it was cut" in str(fault.what) for fault in (await audited(one, elsewhere)).faults)


async def _rewritten(one: Kept, index: int) -> None:
    """Change a deed and everything of the log that follows from it, as far as who has no key can."""
    async with one.store.unit() as unit:
        await unit.flush()
    await one.overpower(f"UPDATE deed SET by = 'nobody' WHERE n = {index + 1}")
    await one.overpower("DELETE FROM log_leaf", "DELETE FROM log_node", "DELETE FROM follower")
    await one.keeper._append_all()


async def test_h1_a_whole_new_log_is_not_the_one_that_was_signed(database: str, tmp_path: Path) -> None:
    """Row, leaf and nodes made anew: the first checkpoint that does not hold says between which entries."""
    async with kept(database, tmp_path / "key") as one:
        await grown(one)
    async with kept(database, tmp_path / "key") as again:
        await _rewritten(again, 300)
        found = await audited(again)
        assert found.faults[0].index == 0 and "0 to 200" in str(found.faults[0].what)


async def _signed_anew(one: Kept) -> None:
    """Sign the tree as it is now at every checkpoint there was, as who has stolen the key."""
    async with one.store.read() as connection:
        rows = await checkpoint.after(connection, 0, 1000)
        leaves = await one.leaves()
    await one.overpower("DELETE FROM log_checkpoint")
    tree = Frontier()
    for row in rows:
        for each in leaves[tree.size : row.size]:
            tree.add(each)
        note = await one.signing.sign(row.size, tree.root())
        async with one.store.unit() as unit:
            await checkpoint.enter(unit, CheckpointRow(row.size, tree.root(), row.at, note))


async def test_h4_what_was_signed_anew_with_the_stolen_key_is_not_what_a_witness_saw(
    database: str, tmp_path: Path
) -> None:
    """Everything before the last checkpoint that somebody else kept is safe, even from the log's own key."""
    async with kept(database, tmp_path / "key") as one:
        await grown(one)
        elsewhere = await kept_elsewhere(one)
        await one.copy(tmp_path / "before")
    async with kept(database, tmp_path / "key") as thief:
        await _rewritten(thief, 300)
        await _signed_anew(thief)
        assert (await audited(thief)).faults == [], "without a witness nobody can know"
        found = await audited(thief, elsewhere)
        assert "its first 601 entries were others" in str(found.faults[0].what)
        copy = await thief.copy(tmp_path / "after")
        keys = await thief.log.keys()
        assert check(copy, Wanted(keys)).faults == []
        assert "another log" in check(copy, Wanted(keys, earlier=[elsewhere])).faults[0]


async def test_h1_an_older_copy_that_was_put_back_is_known(tmp_path: Path) -> None:
    """A backup of the whole database, restored: everything in it fits together, and a checkpoint kept says more."""
    path = tmp_path / "one.db"
    async with kept(f"sqlite:///{path}", tmp_path / "key") as one:
        await one.grow(200)
    shutil.copy(path, tmp_path / "backup.db")
    async with kept(f"sqlite:///{path}", tmp_path / "key") as one:
        await one.grow(100)
        elsewhere = await kept_elsewhere(one)
    async with kept(f"sqlite:///{tmp_path / 'backup.db'}", tmp_path / "key") as older:
        assert (await audited(older)).faults == []
        assert "it was cut, or is an older copy" in str((await audited(older, elsewhere)).faults[0].what)
        await older.grow(500, by="fork")
        assert "were others" in str((await audited(older, elsewhere)).faults[0].what)


def test_h1_a_leaf_names_its_row() -> None:
    """What a verifier prints leads to the row."""
    assert Leaf("bill", "2026-000123", bytes(32)).data.decode().startswith("1 bill 2026-000123 0000")
