"""Being forgotten (G5, G6): nothing of a person is left in any byte, and no older copy brings them back."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from tests.attacks.canaries import Hunt
from tests.attacks.test_e1_whose import listed
from tests.doors import KEY
from tests.web.conftest import House
from tests.web.drivers import Driver, charged, driver
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.privacy.erasure import Obstacle
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.operations.privacy.erasure import tombstones
from wattkeeper.operations.privacy.erasure.certificate import checked
from wattkeeper.operations.privacy.erasure.forgetting import Forgetting
from wattkeeper.operations.privacy.erasure.tombstones import Tombstone
from wattkeeper.operations.rebuild import rebuild
from wattkeeper.store.engines import Store
from wattkeeper.store.tables import DERIVED

SUMS = (
    "SELECT count(*), sum(energy_wh) FROM session",
    "SELECT count(*), sum(gross_minor), sum(net_minor), sum(vat_minor), sum(energy_wh) FROM bill",
    "SELECT account, amount_minor FROM ledger_balance WHERE account NOT LIKE 'owed:%' ORDER BY 1",
    "SELECT sum(amount_minor) FROM ledger_line WHERE amount_minor > 0",
    "SELECT count(*) FROM reading",
    "SELECT count(*) FROM journal",
)
"""What must be the same to the last digit, whoever is forgotten."""


@asynccontextmanager
async def two(house: House) -> AsyncIterator[tuple[Driver, Driver]]:
    """Anna, who will be forgotten, and Bert, who stays; each with one of everything, one after the other at CP1."""
    await listed(house)
    async with (
        house.door.plugged("CP1", KEY) as station,
        charged(house, "bert.stays", station) as bert,
        driver(house, "anna.canary", station) as anna,
    ):
        await settled(house, anna)
        yield anna, bert


async def settled(house: House, one: Driver) -> None:
    """Nothing stands in their way but what was paid ahead: what their wish to start left is ended."""
    rooms = house.rooms
    async with rooms.store.unit() as unit:
        await unit.connection.execute(text("DELETE FROM due"))
    plan = await rooms.rights.forgetting.plan(VIEWER, one.viewer.person)
    assert set(plan.obstacles) <= {Obstacle.OWES, Obstacle.CREDIT, Obstacle.UNBILLED}, plan.obstacles


async def sums(store: Store) -> list[Any]:
    """The totals."""
    async with store.read() as connection:
        return [[tuple(row) for row in await connection.execute(text(sql))] for sql in SUMS]


async def derived(store: Store) -> dict[str, list[Any]]:
    """Everything that is folded from the journal."""
    async with store.read() as connection:
        found = {}
        for table in DERIVED:
            rows = await connection.execute(table.select().order_by(*table.primary_key.columns))
            found[table.name] = [tuple(row) for row in rows]
        return found


def hunt(one: Driver) -> Hunt:
    """A search for all that names a person; ids of tax and books lead to nobody and stay."""
    words = [one.email, f"{one.email.split('@')[0]}'s own card", f"a word for {one.email} alone", one.ids["ref"]]
    return Hunt(words, numbers=[one.uid])


async def test_g5_nothing_of_who_was_forgotten_is_left_in_any_byte(house: House, tmp_path: Path) -> None:
    async with two(house) as (anna, bert):
        rooms, address = house.rooms, str(house.door.settings.database)
        before, canaries = await sums(rooms.store), hunt(anna)
        assert await canaries.in_database(address), "the card's pseudonym is there to be found"
        certificate = await rooms.rights.forgetting.forget(VIEWER, anna.viewer.person, despite=True)
        assert await canaries.in_database(address) == []
        assert canaries.in_files(tmp_path) == []
        assert canaries.hits(certificate.encode(), "certificate") == []
        assert await sums(rooms.store) == before
        assert (await anna.client.get("/api/v1/me")).status_code == 401
        mine = (await bert.client.get("/api/v1/sessions")).json()["items"]
        assert [one["id"] for one in mine] == [bert.ids["session"]]
        assert await hunt(bert).in_database(address)
        folded = await derived(rooms.store)
        await rebuild(rooms.store)
        assert await derived(rooms.store) == folded
        statement = checked(certificate)
        assert statement["subject"] == anna.viewer.person
        assert statement["stays"]["sessions"] >= 1


async def test_g5_a_certificate_that_was_changed_does_not_hold(house: House) -> None:
    async with two(house) as (anna, _):
        certificate = await house.rooms.rights.forgetting.forget(VIEWER, anna.viewer.person, despite=True)
        for changed in (
            certificate.replace("sessions", "sessionz", 1),
            certificate.replace(anna.viewer.person, "person:" + "0" * 24),
            "{}",
            "[]",
            "",
        ):
            with pytest.raises(ValueError, match="certificate"):
                checked(changed)


async def test_g5_the_same_card_tapped_again_is_a_stranger(house: House) -> None:
    async with two(house) as (anna, _):
        await house.rooms.rights.forgetting.forget(VIEWER, anna.viewer.person, despite=True)
    async with house.door.plugged("CP1", KEY) as station:
        answer = await station.call("Authorize", {"idTag": anna.uid})
        assert answer[2]["idTagInfo"]["status"] == "Invalid"
    async with house.rooms.store.read() as connection:
        ran = await connection.scalar(text("SELECT count(*) FROM session WHERE token = :ref"), {"ref": anna.ids["ref"]})
        told = await connection.scalar(
            text("SELECT count(*) FROM decision WHERE token = :ref"), {"ref": anna.ids["ref"]}
        )
    assert (ran, told) == (0, 1), "the tap is a stranger's, and no session returns to it"


async def test_g5_twice_is_a_plain_no_and_changes_nothing(house: House) -> None:
    async with two(house) as (anna, _):
        await house.rooms.rights.forgetting.forget(VIEWER, anna.viewer.person, despite=True)
        before = await sums(house.rooms.store)
        with pytest.raises(Refusal) as refused:
            await house.rooms.rights.forgetting.forget(VIEWER, anna.viewer.person, despite=True)
        assert refused.value.code is Code.NOT_FOUND
        assert await sums(house.rooms.store) == before
        assert len(tombstones.read(house.door.settings.tombstones)) == 1


async def test_g5_a_session_that_runs_stands_in_the_way_of_everybody(house: House) -> None:
    async with two(house) as (anna, _):
        pass
    async with house.door.plugged("CP1", KEY) as station:
        now = house.rooms.store.clock().isoformat()
        await station.call("StartTransaction", {"connectorId": 1, "idTag": anna.uid, "meterStart": 9, "timestamp": now})
        with pytest.raises(Refusal) as refused:
            await house.rooms.rights.forgetting.forget(VIEWER, anna.viewer.person, despite=True)
        assert refused.value.code is Code.CONFLICT
        assert Obstacle.CHARGING.value in refused.value.details["obstacles"]  # type: ignore[operator]
        assert tombstones.read(house.door.settings.tombstones) == []


async def test_g6_last_week_s_copy_does_not_bring_them_back(house: House, tmp_path: Path, engine: str) -> None:
    """SQLite: the copy of the file. PostgreSQL: the rows put back by hand, as an old dump would."""
    async with two(house) as (anna, bert):
        settings, person = house.door.settings, anna.viewer.person
        canaries, kept = hunt(anna), {}
        await house.rooms.store.wipe(["person"])
        async with house.rooms.store.read() as connection:
            for table in ("person", "subject_key", "account", "card", "holding"):
                column = {"person": "id", "subject_key": "subject"}.get(table, "person_id")
                found = await connection.execute(text(f"SELECT * FROM {table} WHERE {column} = :who"), {"who": person})
                kept[table] = [dict(row._mapping) for row in found]
        older = tmp_path / "older.db"
        if engine == "sqlite":
            shutil.copy(make_url(settings.database).database or "", older)
        await house.rooms.rights.forgetting.forget(VIEWER, person, despite=True)
        if engine == "sqlite":
            settings = replace(settings, database=f"sqlite:///{older}")
        else:
            async with house.rooms.store.unit() as unit:
                for table, rows in kept.items():
                    for row in rows:
                        marks = ", ".join(f":{name}" for name in row)
                        names = ", ".join(f'"{name}"' for name in row)
                        await unit.connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({marks})"), row)
        store = Store(settings.database)
        try:
            again = Forgetting(store, house.rooms.safe, house.rooms.bus, settings, house.rooms.access)
            assert await again.forget_again() == 1
            assert await canaries.in_database(settings.database) == []
            assert await hunt(bert).in_database(settings.database)
            assert await again.forget_again() == 0
        finally:
            await store.close()


async def test_g6_a_file_of_tombstones_that_was_tampered_with_opens_no_door(house: House) -> None:
    path = house.door.settings.tombstones
    path.write_bytes(b'{"subject": "person:1"\n')
    with pytest.raises(ValueError, match="Line 1"):
        await house.rooms.rights.forgetting.forget_again()
    path.write_bytes(b'{"subject": "person:1", "at": "2026-01-01T00:00:00+00:00", "certificate": "ab"}\n{"subj')
    assert [one.subject for one in tombstones.read(path)] == ["person:1"]
    async with two(house) as (anna, _):
        await house.rooms.rights.forgetting.forget(VIEWER, anna.viewer.person, despite=True)
    assert [one.subject for one in tombstones.read(path)] == ["person:1", anna.viewer.person]


async def test_g5_two_at_once_forget_once(house: House) -> None:
    async with two(house) as (anna, _):
        tries = [house.rooms.rights.forgetting.forget(VIEWER, anna.viewer.person, despite=True) for _ in range(5)]
        done = await asyncio.gather(*tries, return_exceptions=True)
        assert sum(isinstance(one, str) for one in done) == 1
        assert {type(one) for one in done} == {str, Refusal}


def test_g6_two_processes_that_write_tombstones_at_once_lose_none(tmp_path: Path) -> None:
    """One that begins completes the file while another forgets somebody."""
    path, at = tmp_path / "tombstones", datetime.now(UTC)

    def several(who: int) -> None:
        for n in range(40):
            tombstones.write(path, [Tombstone(f"person:{who}-{n}", at, "c" * 64)])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(several, range(8)))
    assert len({one.subject for one in tombstones.read(path)}) == 320
