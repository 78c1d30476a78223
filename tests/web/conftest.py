"""A whole Wattkeeper with both doors open: stations on one side, the API on the other."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import httpx
import pytest
import uvicorn

from tests.conftest import OpenDoor
from tests.doors import KEY, Door, until
from wattkeeper.assembly import furnish
from wattkeeper.charging.person import PROGRAMS, Scope
from wattkeeper.web.app import App, build
from wattkeeper.web.rooms import Rooms

PASSWORD = "correct horse battery staple"
ADDRESS = "http://wattkeeper.test"
LOOKING = {"Purpose": "billing", "Reason": "A test looks at a person."}
"""What a program says that looks at a person."""


@dataclass(slots=True)
class House:
    """Everything behind both doors, and an API client that may do everything."""

    door: Door
    rooms: Rooms
    app: App
    token: str
    api: httpx.AsyncClient

    def client(self, **headers: str) -> httpx.AsyncClient:
        """A client that sends these headers and nothing else to say who it is."""
        return client_of(self.app, **headers)

    async def with_scopes(self, *scopes: Scope) -> httpx.AsyncClient:
        """A client whose token has these scopes."""
        token = await self.rooms.access.make_token("scoped", frozenset(scopes))
        return self.client(Authorization=f"Bearer {token}")


@pytest.fixture
async def house(open_door: OpenDoor) -> AsyncIterator[House]:
    """Both doors, and behind the stations' door CP1 with the key `tests.doors.KEY`."""
    door = await open_door()
    await door.admit("CP1", KEY)
    made = await house_of(door)
    async with made.api:
        yield made


async def house_of(door: Door) -> House:
    """A house with this stations' door."""
    rooms = rooms_of(door)
    token = await rooms.access.make_token("tests", PROGRAMS)
    app = build(rooms)
    return House(door, rooms, app, token, client_of(app, Authorization=f"Bearer {token}", **LOOKING))


def client_of(app: App, **headers: str) -> httpx.AsyncClient:
    """A client that sends these headers and nothing else to say who it is."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=ADDRESS, headers=headers)


def rooms_of(door: Door) -> Rooms:
    """What the people's door is handed."""
    rooms = furnish(door.settings, door.store, door.safe, door.bus, door.intake, door.dispatch)
    return replace(rooms, admission=door.admission)


@asynccontextmanager
async def served(app: App) -> AsyncIterator[str]:
    """The app on a real port of this machine; its address."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(app, lifespan="off", log_config=None, timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve([listening]))
        await until(lambda: server.started, "the start of the server")
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving
