"""How quick the log is: ``python -m bench.log [--quick]`` (``make bench BENCH_ARGS=--log``).

A million entries: appended from the journal, exported, verified by their files alone, compared with the database; an
edited one found; and proofs. Then what the log costs whoever records facts meanwhile.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from wattkeeper.bus.memory import MemoryBus
from wattkeeper.charging.facts import MetersRead
from wattkeeper.operations.intake import Intake
from wattkeeper.operations.log.auditing import audit_log
from wattkeeper.operations.log.export import export
from wattkeeper.operations.log.keeper import Keeper
from wattkeeper.operations.log.proving import Log
from wattkeeper.operations.log.signing import Signing
from wattkeeper.operations.safe import open_safe
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store
from wattkeeper.store.migrate import migrate
from wattkeeper.vault.checking import Wanted, check
from wattkeeper.vault.copy import tile_path

ENTRIES, RECORDED = 1_000_000, 20_000
ROWS = """
INSERT INTO journal (n, station_id, received_at, at, kind, session_id, evse, body, words)
WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < {count})
SELECT i, 'CP' || (i % 500), 1772000000000000 + i * 1000, NULL, 'MetersRead', 'K' || (i / 12), 1,
'{{"at":"2026-03-01T10:00:00Z","ref":"1234","token":"p1:' || printf('%032x', i % 5000) || '","readings":[{{"energy_wh":'
|| (i * 7 % 40000) || ',"power_w":11000,"current_l1_a":16,"current_l2_a":16,"current_l3_a":16}}]}}',
'{{"connectorId":1,"transactionId":1234,"meterValue":[{{"timestamp":"2026-03-01T10:00:00Z","sampledValue":[]}}]}}'
FROM s
"""


def told(what: str, took: float, count: int = 0) -> None:
    """One line of figures."""
    rate = f"  {count / took:>9,.0f} a second" if count else ""
    print(f"  {what:<52} {took:>7.2f} s{rate}", flush=True)


async def measure(folder: Path, count: int, recorded: int) -> None:
    """All of it, on SQLite."""
    settings = Settings(database=f"sqlite:///{folder}/log.db", root_key=folder / "root.key", log_checkpoint_s=1)
    await migrate(settings.database)
    store = Store(settings.database)
    try:
        async with store.unit() as unit:
            await unit.connection.exec_driver_sql(ROWS.format(count=count))
        safe = await open_safe(store, settings.root_key)
        signing = Signing(store, safe, settings)
        keeper, log = Keeper(store, MemoryBus(), settings, signing), Log(store, signing)
        print(f"The log, {count:,} entries, on SQLite (one machine, as it is)")
        began = time.perf_counter()
        await keeper.finish()
        told("appended, of journal entries that name a card", time.perf_counter() - began, count)
        await _copied(folder, log, count)
        began = time.perf_counter()
        found = await audit_log(store, await log.keys())
        assert not found.faults, found.faults[:3]
        told("compared with the database (audit log)", time.perf_counter() - began, count)
        began = time.perf_counter()
        for index in range(0, count, count // 200):
            await log.inclusion(index)
        told("a proof of inclusion, each", (time.perf_counter() - began) / 200)
        await _beside(store, settings, keeper, recorded)
    finally:
        await store.close()


async def _copied(folder: Path, log: Log, count: int) -> None:
    """Export, verify, and find an edited entry."""
    began = time.perf_counter()
    await export(log, folder / "copy")
    told("exported as files", time.perf_counter() - began, count)
    wanted = Wanted(await log.keys())
    began = time.perf_counter()
    found = check(folder / "copy", wanted)
    assert not found.faults, found.faults
    told("verified by the files alone", time.perf_counter() - began, count)
    path = folder / "copy" / tile_path("entries", count // 512)
    path.write_bytes(path.read_bytes()[:-1] + b"_")
    began = time.perf_counter()
    found = check(folder / "copy", wanted)
    assert found.first_bad == count // 512 * 256 + 255, found
    told(f"an edited entry named (H1): {found.first_bad:,}", time.perf_counter() - began)


async def _beside(store: Store, settings: Settings, keeper: Keeper, count: int) -> None:
    """What recording facts costs with and without the log beside it, in turns."""
    intake = Intake(store, await open_safe(store, settings.root_key), MemoryBus(), settings)
    await intake.start()
    without, beside = [], []
    for turn in range(6):
        logging = asyncio.create_task(_keep(keeper)) if turn % 2 else None
        (beside if turn % 2 else without).append(await _record(intake, count // 6, turn))
        if logging is not None:
            logging.cancel()
            await asyncio.gather(logging, return_exceptions=True)
        await keeper.look()
    await intake.stop()
    for name, rates in (("without the log", without), ("with the log beside", beside)):
        print(
            f"  facts recorded {name:<22} {max(rates):>9,.0f} a second at best, {min(rates):,.0f} at worst", flush=True
        )


async def _record(intake: Intake, count: int, turn: int) -> float:
    """Record facts from 200 stations at once; how many a second."""

    async def station(number: int) -> None:
        for _ in range(count // 200):
            await intake.record(f"S{number}", MetersRead(evse=1, ref=f"{turn}"))

    began = time.perf_counter()
    await asyncio.gather(*(station(number) for number in range(200)))
    return count / (time.perf_counter() - began)


async def _keep(keeper: Keeper) -> None:
    """Follow as a running installation does."""
    while True:
        await keeper.look()
        await asyncio.sleep(1)


def main() -> None:
    """Measure and print."""
    quick = "--quick" in sys.argv
    with tempfile.TemporaryDirectory(prefix="wattkeeper-bench-") as folder:
        asyncio.run(measure(Path(folder), ENTRIES // 10 if quick else ENTRIES, RECORDED))


if __name__ == "__main__":
    main()
