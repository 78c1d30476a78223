"""Many drivers who charged, written straight into a database: what a question to all sessions finds."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import insert

from wattkeeper.charging.privacy.consent import Consented, Door
from wattkeeper.operations.privacy.consents import enter
from wattkeeper.store.engines import Store
from wattkeeper.store.stations import placement
from wattkeeper.store.tables import consent, holding, session, station

FIRST = datetime(2025, 1, 6, tzinfo=UTC)
WEEKS = 4
CLOSED = datetime(2025, 11, 20, tzinfo=UTC)
SITES = ("North", "South")


async def charged(store: Store, drivers: int = 600, agreeing: int | None = None, seed: int = 1) -> None:
    """Drivers of a large site and a small one, each with three sessions in each of four weeks, around nine o'clock."""
    chance = random.Random(seed)
    persons = [f"person-{n:04d}" for n in range(drivers)]
    async with store.unit() as unit:
        await unit.connection.execute(insert(station), [_station(site) for site in SITES])
        for site in SITES:
            await placement.put(unit, f"CP-{site}", site)
        await unit.connection.execute(insert(holding), [holding_row(person) for person in persons])
        rows = [row for n, person in enumerate(persons) for row in _sessions(chance, person, SITES[n % 20 == 3])]
        await unit.connection.execute(insert(session), rows)
        if agreeing != 0:
            await unit.connection.execute(
                insert(consent), [_consent(n, who) for n, who in enumerate(persons[:agreeing])]
            )


async def agree(store: Store, persons: Iterable[str], *, agrees: bool = True) -> None:
    """These persons agree to be counted, or withdraw."""
    async with store.unit() as unit:
        for person in persons:
            await enter(unit, person, person, Consented.INSIGHT, "en", Door.PAGE, agrees=agrees)


def _consent(n: int, person: str) -> dict[str, Any]:
    """Before any deed, so that what somebody says later is newer."""
    said: dict[str, Any] = {"n": n - 1_000_000, "person_id": person, "purpose": Consented.INSIGHT.value}
    return said | {"is_given": True, "version": 1, "hash": "", "at": FIRST, "door": "page"}


def _station(site: str) -> dict[str, Any]:
    made: dict[str, Any] = {"id": f"CP-{site}", "label": site, "site": site, "salt": b"", "key_hash": b""}
    return made | {"address": "", "is_listed": True, "created_at": FIRST, "created_by": "test"}


def holding_row(person: str) -> dict[str, Any]:
    """A card that this person has held from the start."""
    return {"id": f"h:{person}", "ref": f"card:{person}", "person_id": person, "since": FIRST, "until": None}


def _sessions(chance: random.Random, person: str, site: str) -> Iterable[dict[str, Any]]:
    for week in range(WEEKS):
        for day in (0, 2, 3):
            hour = 8 + 2 * chance.random()
            began = FIRST + timedelta(days=7 * week + day, hours=hour)
            yield session_row(f"{person}-{week}-{day}", person, site, began, 2 * chance.random() + 1, 13_000)


def session_row(name: str, person: str, site: str, began: datetime, hours: float, energy_wh: int) -> dict[str, Any]:
    """A session that has ended, as the store keeps it."""
    row: dict[str, Any] = {"id": name, "station_id": f"CP-{site}", "key": name, "token": f"card:{person}"}
    row |= {"state": "ended", "live": False, "grade": "measured", "started_at": began}
    row |= {"ended_at": began + timedelta(hours=hours), "energy_wh": Decimal(energy_wh)}
    return row | {"known_at": began, "heard_at": began, "last_n": 0, "fold": "{}"}
