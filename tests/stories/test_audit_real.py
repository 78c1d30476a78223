"""The audit of real sessions: what is odd about them is counted here by other means, and all of it is found."""

from __future__ import annotations

import asyncio
import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib.resources import files
from itertools import combinations

import pytest

from tests.stories.test_audit import FLAT
from tests.stories.till import Till
from tests.stories.world import World, key_of
from wattkeeper.charging.facts import SessionEnded, SessionOpened
from wattkeeper.charging.money.discrepancy import Kind
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.operations.money.discrepancies import audit_sessions

OUTLETS = Decimal(6_900)
"""What one of these stations delivers, W."""
TOLD = datetime(2015, 11, 1, tzinfo=UTC)
"""When the stations tell of their year."""


@pytest.fixture
def engine() -> str:
    """So many sessions once are enough."""
    return "sqlite"


@dataclass(frozen=True)
class Row:
    """A session as it was published."""

    station: str
    created: str
    ended: str
    wh: int

    @property
    def span(self) -> tuple[datetime, datetime]:
        """From when until when, the years repaired."""
        start, end = (
            datetime.fromisoformat("20" + text[2:]).replace(tzinfo=UTC) for text in (self.created, self.ended)
        )
        return start, end

    @property
    def is_odd(self) -> bool:
        """Whether it is told with the year as it was published; so are those of the first weeks."""
        return self.created.startswith("0014")


def rows() -> list[Row]:
    """Every session, in the order of the data."""
    source = files("wattkeeper.simulator") / "data" / "workplace_sessions.csv"
    with source.open(encoding="ascii") as lines:
        return [
            Row(one["station"], one["created"], one["ended"], int(Decimal(one["kwh"]) * 1000))
            for one in csv.DictReader(lines)
        ]


def overlaps(told: Sequence[Row]) -> int:
    """How many pairs at one station ran at once: every one against every other."""
    pairs = ((a.span, b.span) for a, b in combinations(told, 2) if a.station == b.station)
    return sum(max(a[0], b[0]) < min(a[1], b[1]) for a, b in pairs)


def too_quick(row: Row) -> bool:
    """Whether a session drew more than 110 % of what its station delivers, and a tenth of a kWh."""
    start, end = row.span
    hours = Decimal((end - start) // timedelta(seconds=1)) / 3600
    return row.wh > OUTLETS * hours * Decimal("1.1") + 100


async def tell(world: World, station: str, told: Sequence[Row], registers: Counter[str]) -> None:
    """A station tells of its sessions, one after the other, its register going on and on."""
    record = world.door.intake.record
    for row in sorted(told, key=lambda one: one.created):
        start, end = row.span
        opened = SessionOpened(at=start, evse=1, connector=1, register_wh=Decimal(registers[station]))
        number = (await record(station, opened)).number
        registers[station] += row.wh
        await record(station, SessionEnded(at=end, ref=str(number), register_wh=Decimal(registers[station])))


async def tell_as_published(world: World, row: Row, registers: Counter[str]) -> None:
    """A session with its years as they were published, told as it happens."""
    start, end = row.span
    async with world.v16(row.station) as cp:
        tx = await cp.start(row.created.replace(" ", "T") + "Z", registers[row.station])
        registers[row.station] += row.wh
        world.clock.now += end - start
        await cp.stop(tx, row.ended.replace(" ", "T") + "Z", registers[row.station])


@pytest.mark.long
async def test_every_oddity_of_a_year_of_real_sessions_is_found(world: World) -> None:
    world.clock.now = datetime(2014, 11, 1, tzinfo=UTC)
    till, all_rows = Till(world), rows()
    await till.price(FLAT, now=True)
    await world.enroll()
    stations = sorted({row.station for row in all_rows})
    for station in stations:
        await world.door.admission.provision(
            station, "test", label="", site="", key=key_of(station), max_power_w=OUTLETS
        )
    registers: Counter[str] = Counter()
    for row in all_rows:
        if row.is_odd:
            await tell_as_published(world, row, registers)
    world.clock.reach(TOLD)
    by_station = {one: [row for row in all_rows if row.station == one and not row.is_odd] for one in stations}
    await asyncio.gather(*(tell(world, one, told, registers) for one, told in by_station.items() if told))
    while await till.look(days=1):
        pass
    found = await audit_sessions(world.door.store, VIEWER)
    counts = {kind: total.count for kind, total in found.totals.items()}
    assert found.sessions == len(all_rows) == 3_395
    assert counts == {
        Kind.OVERLAP: overlaps(all_rows),
        Kind.COSTS_WITHOUT_ENERGY: sum(row.wh == 0 for row in all_rows),
        Kind.IMPLAUSIBLE_YEAR: sum(row.is_odd for row in all_rows),
        Kind.BEYOND_CONNECTOR: sum(map(too_quick, all_rows)),
    }
    assert [counts[kind] for kind in (Kind.OVERLAP, Kind.COSTS_WITHOUT_ENERGY, Kind.IMPLAUSIBLE_YEAR)] == [19, 55, 23]
