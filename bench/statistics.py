"""How quick the operator's overview is: ``python -m bench.statistics`` (``make bench BENCH_ARGS=--statistics``).

A million sessions and twenty million readings on each engine, a tenth of that beside it, and the million at forty times
as many stations: the page is asked for as a browser does, by HTTP with a cookie. What it costs must follow what it
shows, not what is stored. Sessions, readings and totals are written straight into the database, each session's totals
into the hour in which it began; how fast sessions are counted by the real watcher is measured apart.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import httpx
import uvloop
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.databases import Databases

from bench.money import OWNER, told
from wattkeeper.assembly import open_doors, open_rooms
from wattkeeper.bus.memory import MemoryBus
from wattkeeper.charging.person import Role
from wattkeeper.operations.cards.book import Cards
from wattkeeper.operations.cards.rule import Rule
from wattkeeper.operations.intake import Intake
from wattkeeper.operations.safe import open_safe
from wattkeeper.operations.statistics.counting import Counting
from wattkeeper.settings import Settings
from wattkeeper.store.columns import to_micros
from wattkeeper.store.engines import Store
from wattkeeper.store.migrate import migrate
from wattkeeper.store.stations.placement import ALWAYS

SESSIONS, READINGS_OF_EACH = 1_000_000, 20
STATIONS, MANY, OF_SITE, DAYS, ASKED = 250, 10_000, 10, 365, 9
COUNTED = 2_000
AIMS_S = {"sqlite": 2.0, "postgres": 1.0}
SPANS = {"28 days": 28, "a year": 365}
DAY_US, HOUR_US, QUARTER_US = 86_400_000_000, 3_600_000_000, 900_000_000

OUTLET = "station_id, evse, connector"
SPANNED = "plugged_s, charging_s, idle_s, energy_wh, gross_minor, sessions"
SUMMED = ", ".join(f"{each} * count(*)" for each in (7_200_000_000, 5_400_000_000, 1_800_000_000, 10**10, 400, 1))
AT_SITE = "FROM session x JOIN station s ON s.id = x.station_id GROUP BY 1, 2"
SESSION = (
    "id, station_id, evse, connector, key, state, live, grade, started_at, ended_at, energy_wh, known_at, heard_at"
)
READING = "n, place, station_id, session_id, evse, at, context, energy_wh, power_w, signed"


def statements(sessions: int, stations: int, first_us: int, is_sqlite: bool) -> list[str]:
    """What fills a database: a year of sessions of two hours and ten kWh, evenly over all connectors."""
    station = f"printf('CP%05d', i % {stations})" if is_sqlite else f"'CP' || lpad((i % {stations})::text, 5, '0')"
    key = "printf('S%08d', i)" if is_sqlite else "'S' || lpad(i::text, 8, '0')"
    at, evse = f"{first_us} + i * {DAYS * DAY_US // sessions}", f"i / {stations} % 2 + 1"
    site = f"'Site ' || (i % {stations // OF_SITE})"
    numbers, places = _numbers("i", sessions, is_sqlite), _numbers("j", READINGS_OF_EACH, is_sqlite)
    no = "0" if is_sqlite else "false"
    day, month = _date(is_sqlite, 10), _date(is_sqlite, 7)
    return [
        f"INSERT INTO station (id, label, site, salt, key_hash, address, is_listed, created_at, created_by) SELECT "
        f"{station}, {station}, {site}, '', '', '', {no}, 0, '' FROM {numbers} WHERE i < {stations}",
        f"INSERT INTO placement (station_id, since, site) SELECT id, {to_micros(ALWAYS)}, site FROM station",
        f"INSERT INTO session ({SESSION}, last_n, fold) SELECT {key}, {station}, {evse}, 1, 'k' || i, 'ended', {no}, "
        f"'measured', {at}, {at} + 7200000000, 10000000000, {at}, {at} + 7200000000, 0, '{{}}' FROM {numbers}",
        f"INSERT INTO reading ({READING}) SELECT i * {READINGS_OF_EACH} + j, 0, {station}, {key}, {evse}, "
        f"{at} + j * 360000000, 'periodic', j * 500000000, 5000000000, {no} FROM {numbers}, {places}",
        f"INSERT INTO load_quarter (site, at, energy_wh) SELECT s.site, {_floor(QUARTER_US)}, {10**10} * count(*) "
        f"{AT_SITE}",
        f"INSERT INTO tally_hour (site, at, {SPANNED}) SELECT s.site, {_floor(HOUR_US)}, {SUMMED} {AT_SITE}",
        f"INSERT INTO stay_count SELECT s.site, {month}, 8, count(*) {AT_SITE}",
        *(
            f"INSERT INTO {table} (site, {OUTLET}, {name}, {SPANNED}, ended, empty, stayed_s) SELECT s.site, {OUTLET}, "
            f"{span}, {SUMMED}, count(*), 0, 7200000000 * count(*) {AT_SITE}, 3, 4, 5"
            for table, name, span in (("tally_day", "day", day), ("tally_month", "month", month))
        ),
    ]


def _floor(span_us: int) -> str:
    """The beginning of the span in which a session began, in SQL."""
    return f"x.started_at / {span_us} * {span_us}"


def _numbers(name: str, count: int, is_sqlite: bool) -> str:
    """The numbers from 0 on, as a table of one column."""
    if not is_sqlite:
        return f"(SELECT generate_series(0, {count - 1})::bigint AS {name}) AS of_{name}"
    more = f"SELECT 0 UNION ALL SELECT {name} + 1 FROM s WHERE {name} + 1 < {count}"
    return f"(WITH RECURSIVE s({name}) AS ({more}) SELECT {name} FROM s) AS of_{name}"


def _date(is_sqlite: bool, length: int) -> str:
    """The day or month in which a session began, in SQL."""
    if is_sqlite:
        return f"substr(date(x.started_at / 1000000, 'unixepoch'), 1, {length})"
    return f"left(to_char(to_timestamp(x.started_at / 1000000) AT TIME ZONE 'UTC', 'YYYY-MM-DD'), {length})"


async def fill(store: Store, sessions: int, stations: int) -> None:
    """Write a year that ended yesterday."""
    today = store.clock().replace(hour=0, minute=0, second=0, microsecond=0)
    first_us = to_micros(today - timedelta(days=DAYS))
    async with store.unit() as unit:
        for statement in statements(sessions, stations, first_us, store.is_sqlite):
            await unit.connection.exec_driver_sql(statement)
    async with store.unit() as unit:
        await _analyzed(unit.connection)


async def _analyzed(connection: AsyncConnection) -> None:
    """Let the engine know what is in its tables, as each does by itself after a while."""
    await connection.exec_driver_sql("ANALYZE")


async def overview(settings: Settings) -> dict[str, float]:
    """How long the page takes, seconds, by what it shows: the median of some, in turn."""
    took: dict[str, list[float]] = {span: [] for span in SPANS}
    async with open_rooms(settings) as rooms, open_doors(rooms) as doors:
        async with rooms.store.unit() as unit:
            row = await rooms.people.accounts.make(
                unit,
                Role.OWNER,
                {"email": "owner@example.org", "name": "Owner", "language": "en"},
                None,
                by="bench",
                verified=True,
            )
            cookie = await rooms.access.begin(unit, row, "passkey", "bench")
        until = datetime.now(UTC).date()
        async with httpx.AsyncClient(base_url=doors.http, timeout=600, trust_env=False) as browser:
            browser.cookies.set("wattkeeper", cookie)
            for _ in range(ASKED):
                for span, days in SPANS.items():
                    asked = {"from": str(until - timedelta(days=days)), "to": str(until - timedelta(days=1))}
                    began = time.perf_counter()
                    answer = await browser.get("/insight", params=asked)
                    took[span].append(time.perf_counter() - began)
                    assert answer.status_code == 200 and "CP" in answer.text, answer.text[:300]
    return {span: median(some[1:]) for span, some in took.items()}


async def counting(folder: Path, count: int) -> float:
    """How many sessions of ten readings the real watcher counts in a second."""
    settings = Settings(database=f"sqlite:///{folder}/counting.db", root_key=folder / "counting.key")
    store = Store(settings.database)
    await migrate(settings.database)
    safe = await open_safe(store, settings.root_key)
    intake = Intake(store, safe, MemoryBus(), settings)
    await intake.start()
    card = await Cards(store, safe, MemoryBus()).enroll("04B1LL04B1LL04", None, Rule(max_sessions=10**6), OWNER)
    for first in range(0, count, 200):
        await asyncio.gather(*(told(intake, number, card) for number in range(first, min(first + 200, count))))
    await intake.stop()
    began = time.perf_counter()
    seen = await Counting(store, MemoryBus(), settings).look()
    took = time.perf_counter() - began
    assert seen == count
    await store.close()
    return count / took


async def main(quick: bool) -> bool:
    """Measure; whether every aim is met."""
    few, many = (SESSIONS // part for part in ((100, 10) if quick else (10, 1)))
    sizes = [(few, STATIONS), (many, STATIONS), (many, MANY)]
    with tempfile.TemporaryDirectory(prefix="wattkeeper-bench-") as name:
        folder = Path(name)
        print(f"sessions counted by the real watcher: {await counting(folder, COUNTED):,.0f} a second", flush=True)
        databases = Databases(folder)
        met = [await on(engine, databases, folder, sizes) for engine in AIMS_S]
        databases.close()
    return all(met)


async def on(engine: str, databases: Databases, folder: Path, sizes: list[tuple[int, int]]) -> bool:
    """Measure one engine, fewer sessions and stations first; whether its aim is met each time."""
    before: dict[str, float] = {}
    slowest = 0.0
    for sessions, stations in sizes:
        address = await databases.fresh(engine)
        store = Store(address)
        await fill(store, sessions, stations)
        await store.close()
        given = {"http_port": 0, "ocpp_port": 0, "staff_passkeys": False}
        seen = await overview(
            Settings(database=address, root_key=folder / f"{address.rpartition('/')[2]}.key", **given)
        )
        for span, took in seen.items():
            of = f", {took / before[span]:.2f} times that before" if before else ""
            stored = f"{sessions:,} sessions, {sessions * READINGS_OF_EACH:,} readings, {stations:,} stations"
            print(f"{engine}: overview of {span} in {1000 * took:,.0f} ms ({stored}{of})", flush=True)
        before, slowest = seen, max(slowest, *seen.values())
        await databases.drop(address)
    return slowest < AIMS_S[engine]


if __name__ == "__main__":
    is_met = uvloop.run(main("--quick" in sys.argv))
    print(f"\nunder 2 s on SQLite and 1 s on PostgreSQL: {'yes' if is_met else 'no'}")
    sys.exit(not is_met)
