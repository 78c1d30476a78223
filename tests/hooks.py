"""A program that is told of alerts: a small HTTP server that takes, refuses, dawdles or leads elsewhere."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Heard:
    """One request as it came."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def told(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)

    @property
    def id(self) -> str:
        """By what it is known again."""
        return self.headers["webhook-id"]

    def is_signed_by(self, secret: str) -> bool:
        """Whether its signature is by this secret, worked out as Standard Webhooks says and not by code of ours."""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        signed = f"{self.id}.{self.headers['webhook-timestamp']}.".encode() + self.body
        made = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        return f"v1,{made}" in self.headers["webhook-signature"].split()


@dataclass(slots=True)
class Listener:
    """What listens, and how it answers: 204 where nothing else was told."""

    answers: list[str] = field(default_factory=list)
    """Status lines with headers to say to the next requests, such as ``503 Busy\\r\\nRetry-After: 60``."""
    heard: list[Heard] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once something was heard."""
    silent: bool = False
    """Whether it takes requests and never answers."""
    port: int = 0
    scheme: str = "http"

    @property
    def address(self) -> str:
        """Where it is told."""
        return f"{self.scheme}://127.0.0.1:{self.port}/alerts"

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, which ends with its one request."""
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                await self._request(reader, writer)
        finally:
            writer.close()
            with suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()

    async def _request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        self.heard.append(Heard(first.split()[1], headers, body))
        self.came.set()
        if not self.silent:
            answer = self.answers.pop(0) if self.answers else "204 Taken"
            writer.write(f"HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
            await writer.drain()
        else:
            await asyncio.sleep(60)


@asynccontextmanager
async def listening(
    *answers: str, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[Listener]:
    """A listener while the block runs."""
    made = Listener([*answers], scheme="https" if tls else "http")
    tasks: set[asyncio.Task[None]] = set()

    def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(made.talk(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(talk, host, 0, ssl=tls)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
