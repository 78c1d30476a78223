"""The stations of a load, in a process of their own: ``python -m bench.load < plan``; prints what they saw as JSON."""

from __future__ import annotations

import asyncio
import base64
import sys
import time
from statistics import median, quantiles

import orjson
import uvloop
from websockets.asyncio.client import ClientConnection, connect

from bench.story import METERS, SUBPROTOCOL, Story


async def call(socket: ClientConnection, frame: str, seen: list[float]) -> list[object]:
    """Send a call, wait for its answer, note how long it took."""
    began = time.perf_counter()
    await socket.send(frame)
    while (answer := orjson.loads(await socket.recv()))[0] == 2:
        await socket.send(orjson.dumps([4, answer[1], "NotSupported", "", {}]).decode())
    seen.append(time.perf_counter() - began)
    if answer[0] != 3:
        raise RuntimeError(f"refused: {answer}")
    return list(answer)


async def session(socket: ClientConnection, story: Story, seen: list[float]) -> None:
    """One session from tap to stop."""
    await call(socket, story.authorize(), seen)
    answer = await call(socket, story.start(), seen)
    transaction = answer[2]["transactionId"]  # type: ignore[index,call-overload]
    for step in range(1, METERS + 1):
        await call(socket, story.meter(step, transaction), seen)
    await call(socket, story.stop(transaction), seen)


async def join(url: str, station: str, key: str, turns: asyncio.Semaphore) -> ClientConnection:
    """Connect a station."""
    basic = base64.b64encode(f"{station}:{key}".encode()).decode()
    async with turns:
        return await connect(
            f"{url}/{station}",
            subprotocols=[SUBPROTOCOL],  # type: ignore[list-item]
            additional_headers={"Authorization": f"Basic {basic}"},
            compression=None,
            ping_interval=None,
            open_timeout=60,
        )


async def work(plan: dict[str, object]) -> dict[str, object]:
    """Connect all, then drive all sessions at once."""
    turns, seen = asyncio.Semaphore(50), list[float]()
    keys = plan["keys"]
    assert isinstance(keys, dict)
    sockets = await asyncio.gather(*(join(str(plan["url"]), s, k, turns) for s, k in keys.items()))
    first, count = int(str(plan["first"])), int(str(plan["sessions"]))

    async def drive(index: int, socket: ClientConnection) -> None:
        for number in range(first, first + count):
            await session(socket, Story(index, number), seen)

    began = time.perf_counter()
    await asyncio.gather(*(drive(index, socket) for index, socket in enumerate(sockets)))
    took = time.perf_counter() - began
    await asyncio.gather(*(socket.close() for socket in sockets))
    p99 = quantiles(seen, n=100)[98]
    return {"messages": len(seen), "seconds": took, "p50_ms": median(seen) * 1e3, "p99_ms": p99 * 1e3}


if __name__ == "__main__":
    print(orjson.dumps(uvloop.run(work(orjson.loads(sys.stdin.buffer.read())))).decode())
