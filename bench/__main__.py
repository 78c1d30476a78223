"""``make bench``: loads of 1, 20, 200 and 1,000 stations on Wattkeeper and on a bare responder, in one run."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import orjson
import psutil
from sqlalchemy import func, select

from bench import dump
from bench.lists import WHO
from bench.story import METERS, energy_wh
from wattkeeper.assembly import open_rooms
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store
from wattkeeper.store.tables import session

LOADS = ((1, 60), (20, 20), (200, 6), (1000, 2))
"""Stations, and sessions of each."""
QUICK = ((1, 10), (20, 5), (200, 2))
IDLE = 1000
READINGS = 1_000_000


@dataclass(frozen=True, slots=True)
class Measured:
    """One load on one server."""

    stations: int
    rate: float
    p50_ms: float
    p99_ms: float
    cpu_s_per_1000: float


def run_load(server: psutil.Process, url: str, keys: dict[str, str], sessions: int, first: int) -> Measured:
    """Drive one load from a process of its own and measure the server's CPU time meanwhile."""
    plan = orjson.dumps({"url": url, "keys": keys, "sessions": sessions, "first": first})
    before = sum(server.cpu_times()[:2])
    done = subprocess.run([sys.executable, "-m", "bench.load"], input=plan, stdout=subprocess.PIPE, check=True)
    spent = sum(server.cpu_times()[:2]) - before
    seen = orjson.loads(done.stdout)
    messages = seen["messages"]
    rate = messages / seen["seconds"]
    return Measured(len(keys), rate, seen["p50_ms"], seen["p99_ms"], spent / messages * 1000)


@contextlib.contextmanager
def process(*arguments: str, environment: dict[str, str] | None = None) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server of ours, and the first line it prints; ended by its id."""
    command = [sys.executable, "-m", *arguments]
    env = {**os.environ, **(environment or {})}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True, env=env) as started:
        assert started.stdout is not None
        try:
            yield started, started.stdout.readline()
        finally:
            started.terminate()
            started.wait(20)


async def provision(settings: Settings, stations: int) -> dict[str, str]:
    """Admit the stations of the largest load and enrol their cards."""
    async with open_rooms(settings) as rooms:
        keys = {f"B{index:05}": await rooms.admission.provision(f"B{index:05}", "bench") for index in range(stations)}
        rows = "\n".join(f"B{index:07X}" for index in range(stations))
        await rooms.cards.import_csv(f"number\n{rows}", WHO)
        return keys


async def right_sessions(settings: Settings, first: int, sessions: int) -> int:
    """How many sessions of a load are right: ended, with the energy that was driven."""
    store = Store(settings.database)
    try:
        async with store.read() as connection:
            right = 0
            for number in range(first, first + sessions):
                key = f"start:1:%:{100_000 + number * 5_000}"
                query = select(func.count()).where(session.c.state == "ended", session.c.key.like(key))
                driven = query.where(session.c.energy_wh == Decimal(energy_wh(number)))
                right += (await connection.execute(driven)).scalar_one()
            return right
    finally:
        await store.close()


def head(text: str) -> None:
    """A heading."""
    print(f"\n{text}", flush=True)


def row(name: str, m: Measured, extra: str = "") -> None:
    """One line of figures."""
    print(
        f"  {name:<11} {m.stations:>5} stations  {m.rate:>7,.0f} msg/s"
        f"  p50 {m.p50_ms:>6.1f} ms  p99 {m.p99_ms:>6.1f} ms  {m.cpu_s_per_1000:.3f} CPU s/1,000 {extra}",
        flush=True,
    )


def main() -> None:
    """Measure, print, and fail if any session is not right."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--quick", action="store_true", help="smaller loads, no million readings")
    parser.add_argument("--money", action="store_true", help="the books instead: a million sessions, a month's revenue")
    parser.add_argument("--dump", help="the attack on a stolen SQLite file instead: all card numbers, hashed")
    parser.add_argument("--all", action="store_true", help="with --dump: every one of 2^32 numbers")
    parser.add_argument("--privacy", action="store_true", help="forgetting instead: a hundred thousand people")
    parser.add_argument("--log", action="store_true", help="the log instead: a million entries")
    parser.add_argument("--statistics", action="store_true", help="the overview instead: a million sessions")
    asked = parser.parse_args()
    quick = asked.quick
    if asked.dump:
        dump.measure(Path(asked.dump), 10 if quick else 60, asked.all)
        return
    apart = {"money": "money", "privacy": "forgetting", "log": "log", "statistics": "statistics"}
    for what in (f"bench.{module}" for name, module in apart.items() if getattr(asked, name)):
        command = [sys.executable, "-m", what, *(["--quick"] if quick else [])]
        sys.exit(subprocess.run(command).returncode)
    loads = QUICK if quick else LOADS
    with tempfile.TemporaryDirectory(prefix="wattkeeper-bench-") as folder:
        settings = Settings(database=f"sqlite:///{folder}/bench.db", root_key=Path(folder) / "root.key")
        keys = asyncio.run(provision(settings, max(IDLE, loads[-1][0])))
        ours, bare, wrong = both(settings, keys, loads, quick)
    head("Cards on stations' own lists (stations simulated in process, behind the real dispatcher)")
    subprocess.run([sys.executable, "-m", "bench.lists", *(["--quick"] if quick else [])], check=True)
    report(ours, bare)
    sys.exit(1 if wrong else 0)


def both(
    settings: Settings, keys: dict[str, str], loads: tuple[tuple[int, int], ...], quick: bool
) -> tuple[list[Measured], list[Measured], int]:
    """Every load on both servers in turn; then idle memory and the million readings."""
    environment = {
        "WATTKEEPER_DATABASE": settings.database,
        "WATTKEEPER_ROOT_KEY": str(settings.root_key),
        "WATTKEEPER_OCPP_PORT": "0",
        "WATTKEEPER_HTTP_PORT": "0",
    }
    ours: list[Measured] = []
    bare: list[Measured] = []
    wrong = 0
    with (
        process("bench.bare") as (plain, port),
        process("wattkeeper", "serve", environment=environment) as (real, line),
    ):
        url = line.split()[1].rsplit("/", 1)[0]
        idle(psutil.Process(real.pid), url, dict(list(keys.items())[:IDLE]))
        head("Full sessions (Authorize, StartTransaction, ten MeterValues of nine samples, StopTransaction)")
        first = 0
        for stations, sessions in loads:
            some = dict(list(keys.items())[:stations])
            bare.append(run_load(psutil.Process(plain.pid), f"ws://127.0.0.1:{port.strip()}", some, sessions, first))
            row("bare", bare[-1])
            ours.append(run_load(psutil.Process(real.pid), url, some, sessions, first))
            right = asyncio.run(right_sessions(settings, first, sessions))
            row("wattkeeper", ours[-1], f"  {right} of {stations * sessions} sessions right")
            wrong += stations * sessions - right
            first += sessions
        if not quick:
            flood(psutil.Process(real.pid), url, dict(list(keys.items())[:20]))
    return ours, bare, wrong


def idle(server: psutil.Process, url: str, keys: dict[str, str]) -> None:
    """Memory for each idle connection."""
    before = server.memory_info().rss
    command = [sys.executable, "-m", "bench.idle"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as client_process:
        assert client_process.stdin is not None and client_process.stdout is not None
        client_process.stdin.write(orjson.dumps({"url": url, "keys": keys}) + b"\n")
        client_process.stdin.flush()
        count = int(client_process.stdout.readline())
        time.sleep(2)
        grown = server.memory_info().rss - before
        client_process.stdin.close()
    head(f"Memory: {count:,} idle connections, {grown / count / 1024:.1f} KiB each")


def flood(server: psutil.Process, url: str, keys: dict[str, str]) -> None:
    """Memory over a million readings."""
    command = [sys.executable, "-m", "bench.flood"]
    began, seen = time.perf_counter(), [server.memory_info().rss / 2**20]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as client:
        assert client.stdin is not None
        client.stdin.write(orjson.dumps({"url": url, "keys": keys, "readings": READINGS}) + b"\n")
        client.stdin.flush()
        while client.poll() is None:
            time.sleep(1)
            seen.append(server.memory_info().rss / 2**20)
    took = time.perf_counter() - began
    quarter = len(seen) // 4
    print(
        f"Memory over {READINGS:,} readings in {took:.0f} s: {seen[quarter]:.0f} MiB after a quarter, "
        f"{seen[-1]:.0f} MiB at the end, {max(seen):.0f} MiB at most"
    )


def report(ours: list[Measured], bare: list[Measured]) -> None:
    """The figures that count, last."""
    head(f"Durable sessions against a bare responder without validation or database ({METERS + 3} messages each)")
    for mine, plain in zip(ours, bare, strict=True):
        print(f"  {mine.stations:>5} stations: {mine.rate / plain.rate:.2f} of the bare rate")
    at = min(range(len(ours)), key=lambda i: abs(ours[i].stations - 200))
    print(f"\nratio {ours[at].rate / bare[at].rate:.2f} (aim 0.25)   p99 {ours[at].p99_ms:.0f} ms (aim 100)")
    print(f"CPU seconds per 1,000 messages, database included: {ours[at].cpu_s_per_1000:.3f} (aim 0.100)")


if __name__ == "__main__":
    main()
