"""Stations of the simulator at a door whose local lists follow, and cards that belong on them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from tests.doors import KEY, Door, until
from wattkeeper.charging.cards.token import Offline
from wattkeeper.charging.person import PROGRAMS, Role, Viewer
from wattkeeper.operations.cards.book import Cards
from wattkeeper.operations.cards.lists import local_list as following
from wattkeeper.operations.cards.lists.ledger import ListView
from wattkeeper.operations.cards.lists.local_list import LocalLists
from wattkeeper.operations.cards.rule import Rule
from wattkeeper.simulator.clock import Clock, real_now
from wattkeeper.simulator.station import Manners, Station
from wattkeeper.store.tables import card, local_list, orders

CARD, OTHER, THIRD = "04A1B2C3D4E5F6", "04FFEEDDCCBBAA", "0411223344556A"
VIEWER = Viewer("test", Role.SERVICE, PROGRAMS)


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing come to rest before lists follow, and try again soon."""
    for name, seconds in (("SETTLE_S", 0.02), ("GATHER_S", 0.01), ("RETRY_S", 0.05)):
        monkeypatch.setattr(following, name, seconds)


@asynccontextmanager
async def follow(door: Door) -> AsyncIterator[LocalLists]:
    """The local lists of a door, which follow while the block runs."""
    lists = LocalLists(door.store, door.safe, door.bus, door.settings, door.dispatch)
    running = asyncio.create_task(lists.run())
    try:
        yield lists
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@asynccontextmanager
async def living(door: Door, kind: type[Station], name: str = "CP1", key: str = KEY) -> AsyncIterator[Any]:
    """A simulated station that lives while the block runs, booted and accepted."""
    manners = Manners(retry_from_s=0.02, retry_up_to_s=0.1, strict=True)
    clock = Clock(real_now() - timedelta(days=2), 28_800)
    url = door.url("").rstrip("/")
    station = kind(name, key, url, clock, chance=random.Random(7), manners=manners)
    life = asyncio.create_task(station.run())
    try:
        await until(lambda: station.online and not len(station.outbox), "acceptance")
        yield station
    finally:
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)


async def enroll(door: Door, number: str = CARD, offline: str = "accept", **columns: Any) -> str:
    """Take a card in that stations may accept while they cannot ask; its pseudonym."""
    cards = Cards(door.store, door.safe, door.bus)
    ref = await cards.enroll(number, None, Rule(offline=Offline(offline)), VIEWER)
    if columns:
        await change(door, ref, **columns)
    return ref


async def change(door: Door, ref: str, **columns: Any) -> None:
    """Change a card as it is kept, and say so."""
    async with door.store.unit() as unit:
        await unit.connection.execute(update(card).where(card.c.ref == ref).values(changed_at=unit.now, **columns))
    door.bus.announce("cards")


async def caught_up(lists: LocalLists, name: str = "CP1", **values: Any) -> ListView:
    """Wait until a station's list is as it should be, and these members of the view are so."""

    async def holds() -> ListView | None:
        view = await lists.view(VIEWER, name)
        fits = all(getattr(view, member) == value for member, value in values.items())
        return view if view.behind == 0 and fits else None

    found: ListView = await until(holds, f"the list of {name}")
    return found


async def asked(door: Door, kind: str | None = None) -> list[str]:
    """The kinds of orders that stations were given, in order; or the states of those of one kind."""
    async with door.store.read() as connection:
        rows = await connection.execute(select(orders.c.kind, orders.c.summary).order_by(orders.c.created_at))
        return [summary if kind else name for name, summary in rows if kind in (None, name)]


async def row_of(door: Door, name: str = "CP1") -> Mapping[str, Any]:
    """The row of a station's list."""
    async with door.store.read() as connection:
        row = (await connection.execute(select(local_list).where(local_list.c.station_id == name))).one()
        return dict(row._mapping)
