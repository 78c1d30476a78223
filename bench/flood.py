"""A million readings: a few stations that send MeterValues of many instants, as after days offline."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime, timedelta

import orjson
import uvloop
from websockets.asyncio.client import ClientConnection

from bench.load import call, join
from bench.story import Story

TOGETHER = 50
"""Instants in one message."""
BEGIN = datetime(2026, 2, 1, tzinfo=UTC)


def frame(transaction: int, first: int) -> str:
    """The MeterValues of so many seconds."""
    values = [
        {
            "timestamp": (BEGIN + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "sampledValue": [
                {"value": str(200_000 + second), "unit": "Wh"},
                {"value": "3600", "measurand": "Power.Active.Import", "unit": "W"},
            ],
        }
        for second in range(first, first + TOGETHER)
    ]
    payload = {"connectorId": 1, "transactionId": transaction, "meterValue": values}
    return orjson.dumps([2, f"f{first}", "MeterValues", payload]).decode()


async def drive(socket: ClientConnection, index: int, count: int) -> None:
    """One station's share of the readings, in one long session."""
    start = [
        2,
        "s",
        "StartTransaction",
        {
            "connectorId": 1,
            "idTag": Story(index, 0).token,
            "meterStart": 200_000,
            "timestamp": BEGIN.strftime("%Y-%m-%dT%H:%M:%SZ"),
        },
    ]
    answer = await call(socket, orjson.dumps(start).decode(), [])
    transaction = answer[2]["transactionId"]  # type: ignore[index,call-overload]
    for first in range(1, count, TOGETHER):
        await call(socket, frame(transaction, first), [])


async def main() -> None:
    """Drive all stations of the plan; print a line when done."""
    plan = orjson.loads(sys.stdin.buffer.readline())
    turns = asyncio.Semaphore(50)
    sockets = await asyncio.gather(*(join(plan["url"], s, k, turns) for s, k in plan["keys"].items()))
    share = plan["readings"] // len(sockets)
    await asyncio.gather(*(drive(socket, index, share) for index, socket in enumerate(sockets)))
    print("done", flush=True)


if __name__ == "__main__":
    uvloop.run(main())
