"""Alerts under `kill -9` at random moments: each raised once, told under one id for each word, never forgotten."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections import defaultdict
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from sqlalchemy import func, select

from tests.attacks.phoenix_alerts import fast, watching
from tests.attacks.test_h_log_kill import suffer
from tests.doors import Door, settings_for, until
from tests.hooks import Listener, listening
from wattkeeper.charging.alerts.rule import Kind, Rule
from wattkeeper.charging.person import Role
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.operations.access import Access
from wattkeeper.operations.alerts.rules import Wish
from wattkeeper.store.tables import alert, alert_sending

STATIONS, RULES = 3, 12
DEATHS = {"sqlite": int(os.environ.get("KILLS", "20")), "postgres": 6}
MINUTE = timedelta(minutes=1)
MANY = re.compile(r"(\d+) new alert")


async def failed(database: str, folder: Path) -> str:
    """Stations at which a start failed just now, and who is to be told of it: the account's id."""
    door = await Door.make(settings_for(database, folder))
    door.store.clock = fast
    await door.open()
    for station in (f"K{number}" for number in range(STATIONS)):
        key = await door.admit(station)
        async with door.plugged(station, key) as plugged:
            await plugged.boot()
            now = {"timestamp": fast().isoformat()}
            told = {"connectorId": 1, "idTag": "04A1B2", "meterStart": 0} | now
            tx = (await plugged.call("StartTransaction", told))[2]["transactionId"]
            await plugged.call("StopTransaction", {"transactionId": tx, "meterStop": 0} | now)
    access = Access(door.store, door.safe, door.settings)
    reader = await access.make_account("ada@x.org", "correct horse battery staple", Role.OPERATOR)
    await door.close()
    return reader.id


async def ruled(database: str, key: Path, address: str, reader: str) -> None:
    """Rules that raise their alerts one after the other, a second or so apart."""
    async with watching(database, key) as alerts:
        hook, _ = await alerts.hooks.make(VIEWER, "pager", address)
        for number in range(RULES):
            rule = Rule(kind=Kind.FAILED_STARTS, raise_at=Decimal(1), clear_at=Decimal(0), raise_after=number * MINUTE)
            await alerts.rules.make(VIEWER, Wish(f"rule {number}", rule, (hook.id,), (reader,)))


async def test_h_alerts_are_raised_once_and_told_though_whoever_watches_is_killed(
    database: str, engine: str, tmp_path: Path
) -> None:
    reader = await failed(database, tmp_path)
    key = tmp_path / "wattkeeper.key"
    async with listening(*["503 Busy"] * 20) as there:
        await ruled(database, key, there.address, reader)
        with (tmp_path / "said").open("wb") as said:
            nest = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.attacks.phoenix_alerts", database, str(key)),
                stdout=asyncio.subprocess.PIPE,
                stderr=said,
                start_new_session=True,
            )
        assert nest.stdout is not None
        try:
            await suffer(nest.stdout, DEATHS[engine], database)
        finally:
            os.killpg(nest.pid, signal.SIGKILL)
            await nest.wait()
        assert "Traceback" not in (tmp_path / "said").read_text(), (tmp_path / "said").read_text()
        await all_told_once(database, key, there)


async def all_told_once(database: str, key: Path, there: Listener) -> None:
    """The survivor finishes; then each alert is there once, and each of its words was told under one id."""
    async with watching(database, key) as alerts:
        store, mail = alerts.watch._store, alerts.telling._mail

        async def done() -> bool:
            await alerts.watch.look()
            await alerts.telling.look()
            async with store.read() as connection:
                raised = await connection.scalar(select(func.count()).select_from(alert))
                waits = select(func.count()).where(alert_sending.c.state == "waiting")
                return raised == STATIONS * RULES and not await connection.scalar(waits)

        await until(done, "everything to be told")
        async with store.read() as connection:
            rows = (await connection.execute(select(alert_sending))).all()
            pairs = (await connection.execute(select(alert.c.rule_id, alert.c.subject))).all()
        letters = [one.subject for one in await mail.outbox()]
    assert len(pairs) == len(set(pairs)) == STATIONS * RULES
    assert {row.state for row in rows} == {"sent"}
    ids = defaultdict(set)
    for one in there.heard:
        ids[one.told["data"]["alert"], one.told["type"]].add(one.id)
    assert all(len(some) == 1 for some in ids.values())
    assert {one for some in ids.values() for one in some} == {row.id for row in rows if row.hook_id}
    raised = [key for key in ids if key[1] == "alert.raised"]
    assert len(raised) == STATIONS * RULES
    written = sum(row.account_id != "" and row.word == "raised" for row in rows)
    assert sum(int((MANY.search(one) or [1, "Alert: " in one])[1]) for one in letters) == written == STATIONS * RULES
    assert len(letters) < written, "what begins together is told together"
