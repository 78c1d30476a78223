"""The log follows what happens, signs it, and proves it; a card may be renamed meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.logs import kept
from wattkeeper.charging.deed import DeedKind
from wattkeeper.charging.errors import Refusal
from wattkeeper.operations.log.keeper import frontier_of
from wattkeeper.store import deed
from wattkeeper.vault.leaf import canonical, committed, read_leaf
from wattkeeper.vault.note import read_checkpoint, read_note
from wattkeeper.vault.transparency import continues, includes, tree_root


async def test_every_deed_becomes_a_leaf_and_every_leaf_is_proved(database: str, tmp_path: Path) -> None:
    async with kept(database, tmp_path / "key") as one:
        await one.deeds(300)
        await one.keeper.finish()
        await one.deeds(260)
        await one.keeper.finish()
        hashes = await one.leaves()
        assert len(hashes) == 561  # the deed about the log's key is one
        note = read_note(await one.log.checkpoint())
        assert list(note.opened(await one.log.keys())) == await one.log.keys()
        told = read_checkpoint(note.text)
        assert (told.origin, told.size, told.root) == ("charge.example/log", 561, tree_root(hashes))
        for index in (0, 255, 256, 511, 560):
            proof = await one.log.inclusion(index)
            assert includes(hashes[index], index, 561, proof.path, told.root)
        for first in (0, 1, 255, 300, 561):
            path = await one.log.consistency(first, 561)
            assert continues(first, tree_root(hashes[:first]), 561, told.root, path)
        async with one.store.read() as connection:
            assert (await frontier_of(connection)).root() == told.root
        with pytest.raises(Refusal, match="561 entries"):
            await one.log.inclusion(561)
        with pytest.raises(Refusal, match="not in the log"):
            await one.log.of_row("deed", "9999")


async def test_a_leaf_opens_to_its_row(database: str, tmp_path: Path) -> None:
    async with kept(database, tmp_path / "key") as one:
        await one.deeds(3)
        await one.keeper.finish()
        told = (await one.log.opened("deed", "3")).told()
        opening = told["leaf"]
        assert opening["row"]["body"] == '{"n":1}'
        said = canonical({"at": opening["at"], "row": opening["row"]})
        commitment = committed(bytes.fromhex(opening["salt"]), said)
        line = (await one.log.of_row("deed", "3")).line
        assert read_leaf(line.encode()).commitment == commitment


async def test_two_keepers_log_everything_once(database: str, tmp_path: Path) -> None:
    async with kept(database, tmp_path / "key") as one, kept(database, tmp_path / "key") as other:
        for keeper in (one, other, one):
            await one.deeds(40)
            await keeper.keeper.finish()
        assert len(await one.leaves()) == 121
        newest = read_checkpoint(read_note(await other.log.checkpoint()).text)
        assert newest.root == tree_root(await one.leaves())


async def test_another_key_is_announced_and_cross_signed(database: str, tmp_path: Path) -> None:
    async with kept(database, tmp_path / "key") as one:
        await one.deeds(2)
        await one.keeper.finish()
        (old,) = await one.log.keys()
        before = read_checkpoint(read_note(await one.log.checkpoint()).text)
        new = await one.signing.begin("someone")
        await one.keeper.finish()
        both = read_note(await one.log.checkpoint())
        assert set(both.opened([old, new])) == {old, new}
        await one.deeds(1)
        await one.keeper.finish()
        assert set(read_note(await one.log.checkpoint()).opened([old, new])) == {new}
        async with one.store.read() as connection:
            said = (await deed.about(connection, "log:2", [DeedKind.LOG_KEY]))[0].body
        assert (said["key"], said["after_size"]) == (str(new), before.size)


async def test_a_log_keeps_its_name(database: str, tmp_path: Path) -> None:
    async with kept(database, tmp_path / "key") as one:
        await one.deeds(1)
        await one.keeper.finish()
    with pytest.raises(ValueError, match=r"charge\.example/log since its first checkpoint"):
        async with kept(database, tmp_path / "key", log_name="another.example/log"):
            pass
