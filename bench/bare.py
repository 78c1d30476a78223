"""A bare ``websockets`` responder: no validation, no database; what the library alone allows on this machine."""

from __future__ import annotations

import asyncio

import orjson
import uvloop
from websockets.asyncio.server import ServerConnection, serve

ANSWER = {"transactionId": 1, "idTagInfo": {"status": "Accepted"}}


async def respond(socket: ServerConnection) -> None:
    """Answer every call at once."""
    async for frame in socket:
        _, call_id, _, _ = orjson.loads(frame)
        await socket.send(orjson.dumps([3, call_id, ANSWER]).decode())


async def main() -> None:
    """Listen on a free port, print it, respond until ended."""
    async with serve(respond, "127.0.0.1", 0, subprotocols=["ocpp1.6"], compression=None, ping_interval=None) as server:  # type: ignore[list-item]
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main())
