"""Forgetting is killed at random moments (G5, H11): nobody is half forgotten, and a second life finishes it."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from pathlib import Path

import pytest

from tests.attacks.canaries import Hunt
from tests.databases import Databases
from tests.doors import Door, settings_for
from tests.stories.listing import enroll
from wattkeeper.assembly import open_rooms
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.operations.privacy.erasure import tombstones
from wattkeeper.settings import Settings
from wattkeeper.store.tables import metadata

PEOPLE, DEATHS = 40, int(os.environ.get("KILLS", "6"))


def environment(settings: Settings) -> dict[str, str]:
    """The settings as a process reads them."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("WATTKEEPER_")}
    told = {name: str(getattr(settings, name)) for name in ("database", "root_key", "forgotten")}
    return own | {f"WATTKEEPER_{name.upper()}": value for name, value in told.items()}


async def erase(settings: Settings, file: Path, after_s: float) -> int:
    """``wattkeeper privacy erase --many``, killed after so many seconds; its end."""
    command = [sys.executable, "-m", "wattkeeper", "privacy", "erase", "--many", str(file), "--yes"]
    life = await asyncio.create_subprocess_exec(
        *command, env=environment(settings), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        return await asyncio.wait_for(life.wait(), after_s)
    except TimeoutError:
        life.send_signal(signal.SIGKILL)
        return await life.wait()


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_g5_nobody_is_half_forgotten_whenever_it_is_killed(
    database: str, tmp_path: Path, databases: Databases
) -> None:
    settings, draw = settings_for(database, tmp_path), random.Random(5)
    numbers = [f"04CAFE{number:08X}" for number in range(PEOPLE)]
    door = await Door.make(settings)
    refs = [await enroll(door, number) for number in numbers]
    async with door.store.read() as connection:
        rows = await connection.execute(metadata.tables["card"].select())
        whose = {row.ref: row.person_id for row in rows}
    await door.store.close()
    persons = [whose[ref] for ref in refs]
    for death in range(DEATHS):
        some = persons[death * PEOPLE // DEATHS : (death + 1) * PEOPLE // DEATHS]
        file = tmp_path / f"{death}.txt"
        file.write_text("\n".join(some))
        await erase(settings, file, draw.uniform(0.7, 2.2))
        await whole(settings, persons)
    async with open_rooms(settings) as rooms:
        await rooms.rights.forgetting.forget_many(VIEWER, persons)
        left = tombstones.read(settings.tombstones)
        assert {stone.subject for stone in left} == set(persons)
    assert await Hunt(refs, numbers=numbers[:5]).in_database(database) == []


async def whole(settings: Settings, persons: list[str]) -> None:
    """Each person is here with all that is theirs, or gone with all of it and a tombstone; after the next start."""
    async with open_rooms(settings) as rooms, rooms.store.read() as connection:
        told = {stone.subject for stone in tombstones.read(settings.tombstones)}
        found: dict[str, set[str]] = {}
        for table, column in (
            ("person", "id"),
            ("subject_key", "subject"),
            ("card", "person_id"),
            ("holding", "person_id"),
        ):
            rows = await connection.execute(metadata.tables[table].select())
            found[table] = {str(row._mapping[column]) for row in rows} & set(persons)
        gone = await connection.execute(metadata.tables["forgotten"].select())
        certified = {row.subject for row in gone}
    assert len({frozenset(some) for some in found.values()}) == 1, "half of somebody"
    assert found["person"] == set(persons) - certified
    assert certified == told
