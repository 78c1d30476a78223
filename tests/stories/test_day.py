"""A full day with 580 planted personal values, a crash in it, exports and backups: none is anywhere in the clear."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.attacks.canaries import Hunt
from tests.attacks.opening import opened
from tests.databases import Databases
from tests.doors import free_port, settings_for, until
from tests.stories.day import NETWORK, NUMBER, SELLER, WORD, Day, Life
from tests.stories.mortal import Phone, Pole
from wattkeeper.charging.station import Version

HUNT = Hunt(values=[WORD, NETWORK], numbers=[NUMBER])
POLES = {"D1": Version.V16, "D2": Version.V201, "D3": Version.V16, "D4": Version.V201}


@asynccontextmanager
async def day_on(database: str, folder: Path) -> AsyncIterator[Day]:
    """An installation that serves, its office and its stations."""
    settings = settings_for(database, folder, http_port=free_port(), ocpp_port=free_port())
    life = Life(settings, folder, {**SELLER, "billing_grace_s": "0", "billing_backlog_days": "7"})
    token = (await life.command("tokens", "add", "office")).split()[-1]
    running: list[asyncio.Task[None]] = []
    day = Day(life, Phone(settings), [])
    day.office.client.headers["Authorization"] = f"Bearer {token}"
    try:
        await life.begin()
        for name, version in POLES.items():
            made = await day.office.told("POST", "/api/v1/stations", json={"id": name, "max_power_w": 10_000_000})
            day.poles.append(Pole(settings, name, made.json()["key"], version))
            await day.office.told("PATCH", f"/api/v1/stations/{name}", json={"is_listed": True, "address": "Ring 1"})
        running += [asyncio.create_task(pole.run()) for pole in day.poles]
        yield day
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        for phone in [day.office, *(member.phone for member in day.members)]:
            await phone.client.aclose()
        life.stop()


async def clear(day: Day) -> list[str]:
    """Where what was planted is in the clear: in the database with all that is beside it, in logs, output and files."""
    return await HUNT.in_database(day.life.settings.database) + HUNT.in_files(day.life.folder)


async def readable(day: Day) -> list[tuple[str, str, bytes]]:
    """What whoever has the root key reads of anybody, and where."""
    settings = day.life.settings
    return [one for one in await opened(settings.database, settings.root_key) if HUNT.hits(one[2], one[0])]


async def known(day: Day) -> set[str]:
    """The planted values that whoever has the root key reads."""
    said = b"\n".join([plain for _, _, plain in await readable(day)]).decode(errors="replace").lower()
    return {value for value in day.planted if value.lower() in said}


async def kept(day: Day) -> set[str]:
    """Where whoever has the root key still reads something of anybody."""
    return {where for where, _, _ in await readable(day)}


async def _only_invoices(day: Day) -> bool:
    """Whether nothing is left but buyers of invoices; asserts that nothing else is but what stations are still told."""
    found = await readable(day)
    left = {where for where, _, _ in found}
    told = {"paper_buyer.sealed", "telling.sealed", "orders.sealed", "orders.answer"}
    assert left <= told, [one for one in found if one[0] not in told]
    return left <= {"paper_buyer.sealed"}


@pytest.mark.long
@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
async def test_a_day_leaves_nobody_in_the_clear(engine: str, databases: Databases, tmp_path: Path) -> None:
    address = await databases.fresh(engine)
    async with day_on(address, tmp_path) as day:
        await day.morning()
        await day.noon()
        await day.odd_hours()
        day.life.die()
        await day.life.begin()
        await day.evening()
        await day.exports()
        assert len(day.planted) >= 500
        assert await clear(day) == []
        assert len(await known(day)) >= 400, "they are there, for whoever has the root key"
        await day.night()
        await until(lambda: _only_invoices(day), "every station's answer that it forgot its cards")
        day.life.stop()
        assert await clear(day) == []
        assert await kept(day) <= {"paper_buyer.sealed"}
