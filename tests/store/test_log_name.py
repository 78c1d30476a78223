"""The names that leaves commit to: made once, and kept through every renaming."""

from __future__ import annotations

import hashlib

import pytest
from sqlalchemy import select

from wattkeeper.store.engines import Store
from wattkeeper.store.log import name
from wattkeeper.store.migrate import migrate
from wattkeeper.store.tables import log_name

OLD, NEW, OTHER = "p1:" + "a" * 32, "gone:" + "b" * 32, "p1:" + "c" * 32


async def test_a_commitment_follows_its_name_and_loses_its_salt(database: str) -> None:
    await migrate(database)
    store = Store(database)
    async with store.unit() as unit:
        made = await name.commitments(unit.connection, [OLD, OTHER, OLD], store.is_sqlite)
        name.keep(unit, made)
    salt = made[OLD].salt
    assert salt is not None and made[OLD].commitment == hashlib.sha256(salt + OLD.encode()).digest()
    async with store.unit() as unit:
        assert await name.opening(unit.connection, OLD) == made[OLD]
        await name.renamed(unit, {OLD: NEW})
        await name.renamed(unit, {"p1:" + "d" * 32: "gone:" + "d" * 32})
    async with store.read() as connection:
        again = await name.commitments(connection, [OLD, NEW, OTHER], store.is_sqlite)
        rows = (await connection.execute(select(log_name.c.token, log_name.c.salt))).all()
        assert await name.renames(connection) == 2
    assert again[NEW] == name.Named(made[OLD].commitment)
    assert again[OTHER] == name.Named(made[OTHER].commitment)
    assert again[OLD].salt is not None and again[OLD].commitment != made[OLD].commitment
    assert {(row.token, row.salt is None) for row in rows} == {(NEW, True), (OTHER, False)}
    await store.close()


async def test_a_new_name_must_look_like_one(database: str) -> None:
    await migrate(database)
    store = Store(database)
    for bad in ("gone:12", "someone", "gone:" + "b" * 65, ""):
        with pytest.raises(ValueError, match="no name"):
            async with store.unit() as unit:
                await name.renamed(unit, {OLD: bad})
    await store.close()


def test_pseudonyms_are_found_wherever_they_stand() -> None:
    told = f'{{"token":"{OLD}","note":"x{OTHER} {NEW}, p1:short p:{"e" * 32}"}}'
    assert name.tokens_in(told) == {OLD, NEW}
    assert name.tokens_in("nothing") == set()
