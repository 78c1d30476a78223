"""How quick money is: ``python -m bench.money [--quick]`` (``make bench BENCH_ARGS=--money``).

A million sessions and ten million lines of the ledger on SQLite, and a month's revenue of them; sessions billed by the
real watcher; and ten thousand of them billed while the process is killed at random.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import uvloop
from sqlalchemy import select, update

from wattkeeper.bus.memory import MemoryBus
from wattkeeper.charging.cards.token import TokenRef
from wattkeeper.charging.facts import SessionEnded, SessionOpened
from wattkeeper.charging.money.ledger import AccountKind
from wattkeeper.charging.money.tariffs.tariff import Component, Dimension, Element, Tariff
from wattkeeper.charging.person import EVERYTHING, Role, Viewer
from wattkeeper.charging.reading import Reading
from wattkeeper.operations.cards.book import Cards
from wattkeeper.operations.cards.rule import Rule
from wattkeeper.operations.intake import Intake
from wattkeeper.operations.money.audit import sum_up
from wattkeeper.operations.money.billing import Billing
from wattkeeper.operations.money.tariffs.prices import Prices
from wattkeeper.operations.money.total import Totals
from wattkeeper.operations.safe import open_safe
from wattkeeper.settings import Settings
from wattkeeper.store.columns import EPOCH, to_micros
from wattkeeper.store.engines import Store
from wattkeeper.store.migrate import migrate
from wattkeeper.store.money import check, ledger, revenue
from wattkeeper.store.money.revenue import Facet
from wattkeeper.store.tables import holding, session

OWNER = Viewer("bench", Role.OWNER, EVERYTHING)
SESSIONS, LINES = 1_000_000, 10_000_000
STATIONS, PERSONS, DAYS = 500, 20_000, 365
BILLED = 3_000
FIRST = datetime(2026, 1, 1, tzinfo=UTC)

SEQUENCE = "WITH RECURSIVE s(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM s WHERE i + 1 < {count})"
AT = f"{to_micros(FIRST)} + i * {DAYS * 86_400_000_000} / {{count}}"
PLACES = f"'CP' || (i * 7919 % {STATIONS}), 'Site ' || (i * 7919 % {STATIONS} % 25)"
PERSON = f"'person:' || (i * 104729 % {PERSONS})"
FILLED = (
    "INSERT INTO session (id, station_id, key, token, state, live, grade, started_at, ended_at, energy_wh, known_at, "
    f"heard_at, last_n, fold) {SEQUENCE} SELECT printf('S%08d', i), 'CP' || (i * 7919 % {STATIONS}), 'k' || i, "
    f"'t' || (i * 104729 % {PERSONS}), 'ended', 0, 'measured', {AT}, {AT}, 10000000000, {AT}, {AT}, 0, '{{{{}}}}' "
    "FROM s",
    "INSERT INTO bill (number, series, place, kind, session_id, station_id, site, grouping, person_id, tariff_id, "
    "tariff_version, currency, digits, net_minor, vat_minor, gross_minor, energy_wh, started_at, ended_at, issued_at, "
    f"grade, by, content, digest) {SEQUENCE} SELECT printf('2026-%06d', i + 1), '2026', i + 1, 'bill', "
    f"printf('S%08d', i), {PLACES}, CASE i % 3 WHEN 0 THEN 'staff' ELSE '' END, {PERSON}, "
    f"CASE i % 5 WHEN 0 THEN 'night' ELSE 'standard' END, 1, 'EUR', 2, 500, 100, 600, 10000000000, {AT}, {AT}, {AT}, "
    "'measured', 'bench', '{{}}', '' FROM s",
    f"INSERT INTO ledger_line {SEQUENCE} SELECT i + 1, p, CASE p WHEN 0 THEN 'owed:' || {PERSON} "
    f"WHEN 1 THEN 'sales:Site ' || (i * 7919 % {STATIONS} % 25) ELSE 'vat:20' END, 'EUR', "
    "CASE p WHEN 0 THEN 600 WHEN 1 THEN -500 ELSE -100 END FROM s, (SELECT 0 AS p UNION SELECT 1 UNION SELECT 2)",
    f"INSERT INTO ledger_entry {SEQUENCE} SELECT i + 1, {AT}, 'charge', printf('2026-%06d', i + 1), 'bench' FROM s",
)
"""A year of sessions, each billed."""
PAID = (
    f"INSERT INTO ledger_line {SEQUENCE} SELECT i + 1 + {{before}}, p, CASE p WHEN 0 THEN 'bank:till' "
    f"ELSE 'owed:' || {PERSON} END, 'EUR', CASE p WHEN 0 THEN 200 ELSE -200 END FROM s, (SELECT 0 AS p UNION SELECT 1)",
    f"INSERT INTO ledger_entry {SEQUENCE} SELECT i + 1 + {{before}}, {AT}, 'payment', 'p' || i, 'bench' FROM s",
)
"""Payments, as many as it takes for the lines."""


def fill(database: Path, sessions: int, lines: int) -> None:
    """A year of sessions, bills and entries, written beside the doors: they would take an hour."""
    connection = sqlite3.connect(database)
    told = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for (name,) in told:
        connection.execute(f"DROP TRIGGER {name}")
    payments = (lines - 3 * sessions) // 2
    for statement in FILLED:
        connection.execute(statement.format(count=sessions, before=0))
    for statement in PAID:
        connection.execute(statement.format(count=payments, before=sessions))
    connection.commit()
    connection.close()


async def timed(what: str, work: Callable[[], Awaitable[Any]]) -> Any:
    """Do it, and print what it took."""
    began = time.perf_counter()
    found = await work()
    print(f"  {time.perf_counter() - began:>8.2f} s  {what}", flush=True)
    return found


async def report(folder: Path, quick: bool) -> float:
    """A month's revenue of a year that is kept; the seconds it took."""
    sessions, lines = (SESSIONS, LINES) if not quick else (SESSIONS // 20, LINES // 20)
    database = f"sqlite:///{folder / 'books.db'}"
    await migrate(database)
    print(f"\nThe books of {sessions:,} sessions with {lines:,} lines on SQLite")
    await timed(
        "to write them, beside the doors", lambda: asyncio.to_thread(fill, folder / "books.db", sessions, lines)
    )
    store = Store(database)
    try:
        await timed("to sum up balances and revenue anew", lambda: sum_up(store, UTC))
        async with store.read() as connection:
            for look in (check.gaps, check.unbalanced, check.wrong_balances):
                name = look.__name__.replace("_", " ")
                assert await timed(f"to look for {name} in all of it", lambda look=look: look(connection, 9)) == []
        since, until = date(2026, 6, 1), date(2026, 7, 1)
        took = []
        for by in ((), (Facet.DAY,), (Facet.SITE, Facet.TARIFF, Facet.GROUP), (Facet.DAY, Facet.STATION)):
            async with store.read() as connection:
                began = time.perf_counter()
                rows = await revenue.report(connection, OWNER, since, until, by)
                took.append(time.perf_counter() - began)
            billed = sum(row.sessions for row in rows)
            assert abs(billed - sessions * 30 / 365) < sessions / 365
            named = " and ".join(by) or "all together"
            print(f"  {took[-1]:>8.3f} s  a month's revenue by {named}: {len(rows):,} rows of {billed:,} sessions")
        async with store.read() as connection:
            owed = await timed(
                "who owes what, a thousand of them", lambda: ledger.balances(connection, OWNER, AccountKind.OWED)
            )
            account = owed[0].account
            await timed(
                "the newest entries of one account", lambda: ledger.entries(connection, OWNER, 50, None, account)
            )
        return max(took)
    finally:
        await store.close()


async def bill(folder: Path, quick: bool) -> None:
    """Sessions of ten readings, billed by the real watcher."""
    count = BILLED // 10 if quick else BILLED
    settings = Settings(database=f"sqlite:///{folder / 'till.db'}", root_key=folder / "root.key", billing_grace_s=0)
    await migrate(settings.database)
    store, bus = Store(settings.database), MemoryBus()
    safe = await open_safe(store, settings.root_key)
    intake = Intake(store, safe, bus, settings)
    await intake.start()
    card = await Cards(store, safe, bus).enroll("04B1LL04B1LL04", None, Rule(max_sessions=10**6), OWNER)
    async with store.unit() as unit:
        await unit.connection.execute(update(holding).values(since=EPOCH))
    energy = Component(Dimension.ENERGY, Decimal("0.49"), Decimal(20))
    hour = Component(Dimension.TIME, Decimal("0.60"), Decimal(20))
    prices = Tariff("EUR", (Element((energy, hour)),))
    store.clock = lambda: datetime.now(UTC) - timedelta(days=1)
    await Prices(store, settings).set(OWNER, prices)
    store.clock = lambda: datetime.now(UTC)
    for first in range(0, count, 200):
        await asyncio.gather(*(told(intake, number, card) for number in range(first, min(first + 200, count))))
    watcher = Billing(store, bus, settings)
    while await watcher.follow():
        pass
    await total(Totals(store, settings), store, count)
    began = time.perf_counter()
    seen = await watcher.look()
    took = time.perf_counter() - began
    async with store.read() as connection:
        bills, _, _ = await check.counts(connection)
    assert (seen, bills) == (count, count)
    print(f"\n  {count:,} sessions of ten readings billed in {took:.1f} s: {count / took:,.0f} a second", flush=True)
    await intake.stop()
    await store.close()


async def total(totals: Totals, store: Store, count: int) -> None:
    """How much longer an answer takes that tells what a session cost."""
    async with store.read() as connection:
        ids = (await connection.execute(select(session.c.id, session.c.station_id).limit(min(count, 1_000)))).all()
    took = []
    for identifier, station in ids:
        began = time.perf_counter()
        assert await totals.of(station, identifier) is not None
        took.append(1000 * (time.perf_counter() - began))
    middle, late = median(took), quantiles(took, n=100)[98]
    print(f"\n  what a session cost, in the answer to its end: p50 {middle:.2f} ms, p99 {late:.2f} ms", flush=True)


async def told(intake: Intake, number: int, card: TokenRef) -> None:
    """A session that has ended."""
    at, ref = datetime.now(UTC) - timedelta(hours=2), f"T{number}"
    evse, station = number // 100 + 1, f"B{number % 100}"
    readings = tuple(Reading(at + timedelta(minutes=6 * step), energy_wh=Decimal(500 * step)) for step in range(1, 10))
    await intake.record(station, SessionOpened(at=at, ref=ref, evse=evse, token=card, register_wh=Decimal(0)))
    end = at + timedelta(hours=1)
    ended = SessionEnded(at=end, ref=ref, evse=evse, register_wh=Decimal(5000), readings=readings)
    await intake.record(station, ended)


def killed(quick: bool) -> None:
    """Ten thousand sessions billed while the process is killed at random (the attack C21, larger)."""
    told = {"BILLED": "600" if quick else "10000", "KILLS": "25" if quick else "300"}
    print(f"\nBilling {int(told['BILLED']):,} sessions while it is killed {told['KILLS']} times", flush=True)
    command = [sys.executable, "-m", "pytest", "-q", "-s", "tests/attacks/test_c21_kill.py", "-k", "sqlite"]
    subprocess.run(command, env={**os.environ, **told}, check=True)


async def main(quick: bool) -> float:
    """Measure; the seconds of the slowest report."""
    with tempfile.TemporaryDirectory(prefix="wattkeeper-bench-") as folder:
        slowest = await report(Path(folder), quick)
        await bill(Path(folder), quick)
        return slowest


if __name__ == "__main__":
    in_short = "--quick" in sys.argv
    seconds = uvloop.run(main(in_short))
    killed(in_short)
    print(f"\na month's revenue {seconds:.3f} s at most (aim 2)")
    sys.exit(seconds > 2)
