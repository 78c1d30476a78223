"""Idle stations, in a process of their own: connects, says so, waits until standard input closes."""

from __future__ import annotations

import asyncio
import sys

import orjson
import uvloop

from bench.load import join


async def main() -> None:
    """Connect every station of the plan on the first line and hold it."""
    plan = orjson.loads(sys.stdin.buffer.readline())
    turns = asyncio.Semaphore(50)
    sockets = await asyncio.gather(*(join(plan["url"], s, k, turns) for s, k in plan["keys"].items()))
    print(len(sockets), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.read)


if __name__ == "__main__":
    uvloop.run(main())
