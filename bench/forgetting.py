"""How quick forgetting is: ``python -m bench.forgetting [--quick]`` (``make bench BENCH_ARGS=--privacy``).

A hundred thousand people on SQLite, each with an account, a sign-in, a card, a notice and sessions that were billed,
are forgotten beside ten thousand who stay; what was charged, billed and taxed must be the same to the last digit.
"""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvloop

from wattkeeper.assembly import open_rooms
from wattkeeper.charging.person import EVERYTHING, Role, Viewer
from wattkeeper.settings import Settings
from wattkeeper.store.columns import to_micros

OWNER = Viewer("bench", Role.OWNER, EVERYTHING)
PEOPLE, STAY, SESSIONS, STATIONS = 100_000, 10_000, 3, 500
ENTRIES = 4
"""Journal entries of a session."""
FIRST = to_micros(datetime(2026, 1, 1, tzinfo=UTC))
SPAN = 180 * 86_400_000_000
SUMS = (
    "SELECT count(*), sum(energy_wh) FROM session",
    "SELECT count(*), sum(gross_minor), sum(net_minor), sum(vat_minor), sum(energy_wh) FROM bill",
    "SELECT sum(amount_minor), count(*) FROM ledger_line WHERE account LIKE 'sales:%'",
    "SELECT sum(amount_minor), count(*) FROM ledger_line WHERE account LIKE 'vat:%'",
    "SELECT count(*) FROM journal",
)
COUNTS = ("person", "account", "card", "login", "notice", "holding")
MOST_S = 600.0


def fill(database: Path, wrapped: bytes, people: int) -> None:
    """People and what is theirs, written beside the doors: they would take an hour."""
    connection = sqlite3.connect(database)
    told = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in told:
        connection.execute(f"DROP TRIGGER {name}")
    refs = ["p1:" + secrets.token_hex(16) for _ in range(people)]
    for table, rows in (*_people(refs, wrapped), *_sessions(refs)):
        many = iter(rows)
        first = next(many)
        marks = ", ".join("?" * len(first))
        connection.execute(f"INSERT INTO {table} VALUES ({marks})", first)
        connection.executemany(f"INSERT INTO {table} VALUES ({marks})", many)
    for _, sql in told:
        connection.execute(sql)
    connection.commit()
    connection.close()


def _people(refs: list[str], wrapped: bytes) -> list[tuple[str, Any]]:
    """Persons, their keys, accounts, sign-ins, cards and notices."""
    many, sealed = range(len(refs)), secrets.token_bytes(120)
    return [
        ("person (id, sealed, created_at)", ((f"person:{i:024x}", sealed, FIRST) for i in many)),
        ("subject_key (subject, wrapped, created_at)", ((f"person:{i:024x}", wrapped, FIRST) for i in many)),
        (
            "account (id, person_id, name_ref, sealed, role, sites, state, totp_step, totp_confirmed, password_short,"
            " failures, created_at, created_by)",
            (
                (
                    f"a{i:08}",
                    f"person:{i:024x}",
                    f"n1:{i:032x}",
                    sealed,
                    "driver",
                    "[]",
                    "active",
                    0,
                    0,
                    0,
                    0,
                    FIRST,
                    "",
                )
                for i in many
            ),
        ),
        (
            "login (token_hash, id, account_id, half, how, created_at, proved_at, seen_at, expires_at)",
            ((i.to_bytes(32, "big"), f"l{i}", f"a{i:08}", 0, "password", FIRST, FIRST, FIRST, FIRST) for i in many),
        ),
        (
            "card (ref, person_id, sealed, last2, kind, state, max_sessions, strength, offline, created_at,"
            " changed_at)",
            (
                (ref, f"person:{i:024x}", sealed, "", "card", "active", 1, "number", "refuse", FIRST, FIRST)
                for i, ref in enumerate(refs)
            ),
        ),
        (
            "holding (id, ref, person_id, since, until)",
            ((f"h:{i}", ref, f"person:{i:024x}", FIRST, None) for i, ref in enumerate(refs)),
        ),
        (
            "notice (id, person_id, kind, sealed, created_at)",
            ((f"no{i}", f"person:{i:024x}", "note", sealed, FIRST) for i in many),
        ),
    ]


@dataclass(frozen=True, slots=True)
class Past:
    """The sessions that these cards had: each row is worked out from its number."""

    refs: list[str]

    @property
    def count(self) -> int:
        """How many sessions."""
        return len(self.refs) * SESSIONS

    def one(self, s: int) -> tuple[str, str, str, str, int]:
        """Whose a session is, with which card, its name, its station and when."""
        i = s * 104_729 % len(self.refs)
        return f"person:{i:024x}", self.refs[i], f"S{s:08}", f"CP{s % STATIONS:04}", FIRST + s * (SPAN // self.count)

    def session(self, s: int) -> tuple[Any, ...]:
        """Its row."""
        _, ref, name, station, at = self.one(s)
        fold = f'{{"id":"{name}","station":"{station}","token":"{ref}","key":"start:1:{ref}:x","pad":"{"x" * 500}"}}'
        place = (name, station, 1, 1, f"start:1:{ref}:{at}:0", str(s), ref, "ended", 0, "measured")
        return (*place, at, at + 3_000_000, 11_000_000_000, at, at + 3_000_000, s * ENTRIES + ENTRIES, fold)

    def entry(self, n: int) -> tuple[Any, ...]:
        """One entry of the journal."""
        s, place = divmod(n, ENTRIES)
        _, ref, name, station, at = self.one(s)
        token = f',"token":"{ref}"' if place in (0, 3) else ""
        kind = ("SessionOpened", "MetersRead", "MetersRead", "SessionEnded")[place]
        body = f'{{"at":"2026-01-01T00:00:00Z","evse":1{token},"register_wh":"11000"}}'
        at += place * 1_000_000
        return n + 1, station, at, at, kind, name, 1, body, f'{{"session":"{name}"}}', '{"connectorId":1}'

    def decision(self, n: int) -> tuple[Any, ...]:
        """What was decided about a tap, at the begin and at the end."""
        s, place = n // 2, n % 2 * 3
        _, ref, name, station, at = self.one(s)
        return s * ENTRIES + place + 1, ref, station, 1, at, "Accepted", "", name

    def bill(self, s: int) -> tuple[Any, ...]:
        """Its bill."""
        person, _, name, station, at = self.one(s)
        what = (f"2026-{s + 1:06}", "2026", s + 1, "bill", name, station, "", "", person, "standard", 1, "EUR", 2)
        return (*what, 500, 100, 600, 11_000_000_000, at, at, at, "measured", "bench", "{}", "")

    def lines(self, s: int) -> list[tuple[Any, ...]]:
        """The lines of its entry in the books."""
        moved = ((f"owed:{self.one(s)[0]}", 600), (f"sales:Site {s % 25}", -500), ("vat:20", -100))
        return [(s + 1, place, name, "EUR", amount) for place, (name, amount) in enumerate(moved)]


def _sessions(refs: list[str]) -> list[tuple[str, Any]]:
    """Sessions with what stations told, what was decided, billed and entered."""
    past = Past(refs)
    many = range(past.count)
    stations = ((f"CP{i:04}", "", f"Site {i % 25}", b"", b"", "", 1, FIRST, "bench") for i in range(STATIONS))
    entries = ((s + 1, past.one(s)[4], "charge", f"2026-{s + 1:06}", "bench") for s in many)
    return [
        ("station (id, label, site, salt, key_hash, address, is_listed, created_at, created_by)", stations),
        (
            "session (id, station_id, evse, connector, key, ref, token, state, live, grade, started_at, ended_at,"
            " energy_wh, known_at, heard_at, last_n, fold)",
            map(past.session, many),
        ),
        (
            "journal (n, station_id, received_at, at, kind, session_id, evse, body, decided, words)",
            map(past.entry, range(past.count * ENTRIES)),
        ),
        (
            "decision (n, token, station_id, evse, at, status, reason, session_id)",
            map(past.decision, range(2 * past.count)),
        ),
        (
            "bill (number, series, place, kind, session_id, station_id, site, grouping, person_id, tariff_id,"
            " tariff_version, currency, digits, net_minor, vat_minor, gross_minor, energy_wh, started_at, ended_at,"
            " issued_at, grade, by, content, digest)",
            map(past.bill, many),
        ),
        ("ledger_line (entry, place, account, currency, amount_minor)", (one for s in many for one in past.lines(s))),
        ("ledger_entry (n, at, kind, ref, by)", entries),
    ]


def totals(database: Path, sqls: tuple[str, ...]) -> list[Any]:
    """What must stay, or what must go."""
    connection = sqlite3.connect(database)
    try:
        return [connection.execute(sql).fetchall() for sql in sqls]
    finally:
        connection.close()


async def measure(folder: Path, people: int, stay: int) -> float:
    """Forget all but some; the seconds it took."""
    database = folder / "people.db"
    settings = Settings(database=f"sqlite:///{database}", root_key=folder / "root.key")
    async with open_rooms(settings) as rooms, rooms.store.unit() as unit:
        await rooms.safe.make_subject(unit, "person:bench")
        wrapped = (await unit.select_in("SELECT wrapped FROM subject_key WHERE subject IN {values}", ["person:bench"]))[
            0
        ][0]
    began = time.perf_counter()
    await asyncio.to_thread(fill, database, bytes(wrapped), people + stay)
    size = database.stat().st_size / 1e6
    print(f"\n{people + stay:,} people with {(people + stay) * SESSIONS:,} sessions on SQLite ({size:,.0f} MB)")
    print(f"  {time.perf_counter() - began:>8.2f} s  to write them, beside the doors", flush=True)
    before = totals(database, SUMS)
    async with open_rooms(settings) as rooms:
        who = [f"person:{i:024x}" for i in range(people)]
        began = time.perf_counter()
        gone = await rooms.rights.forgetting.forget_many(OWNER, who)
        took = time.perf_counter() - began
    assert len(gone.certificates) == people, (len(gone.certificates), len(gone.refused), len(gone.unknown))
    assert totals(database, SUMS) == before, "a total has changed"
    left = totals(database, tuple(f"SELECT count(*) FROM {table}" for table in COUNTS))
    assert left == [[(stay,)]] * len(COUNTS), left
    named = totals(database, ("SELECT count(*) FROM session WHERE token LIKE 'p1:%'",))
    assert named == [[(stay * SESSIONS,)]], named
    each = took / people * 1000
    print(f"  {took:>8.2f} s  to forget {people:,} of them, {each:.2f} ms each; every total is as it was", flush=True)
    return took


def main() -> int:
    """Measure; 1 where a hundred thousand took more than ten minutes."""
    quick = "--quick" in sys.argv[1:]
    people, stay = (PEOPLE // 10, STAY // 10) if quick else (PEOPLE, STAY)
    with tempfile.TemporaryDirectory() as folder:
        took = uvloop.run(measure(Path(folder), people, stay))
    return int(took > MOST_S * people / PEOPLE)


if __name__ == "__main__":
    sys.exit(main())
