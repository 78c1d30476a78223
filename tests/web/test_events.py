"""The stream of what is recorded: in order, none lost, none twice, resumed where it was, ended with the token."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, MutableMapping
from contextlib import ExitStack, asynccontextmanager
from typing import Any

import httpx
import pytest

from tests.doors import PATIENCE_S, until
from tests.web.conftest import House, served
from tests.web.told import Teller, now
from wattkeeper.charging.facts import HeartBeaten
from wattkeeper.charging.person import PROGRAMS
from wattkeeper.web import live
from wattkeeper.web.live import MOST_OF_ONE


class Ear:
    """A client of the stream."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines = lines
        self.position = ""

    async def event(self) -> dict[str, Any]:
        """The data of the next event."""
        async with asyncio.timeout(PATIENCE_S):
            async for line in self._lines:
                field, _, value = line.partition(": ")
                if field == "id":
                    self.position = value
                if field == "data":
                    told: dict[str, Any] = json.loads(value)
                    assert str(told["n"]) == self.position
                    return told
        raise EOFError

    async def begun(self) -> str:
        """Where the stream begins."""
        async with asyncio.timeout(PATIENCE_S):
            async for line in self._lines:
                if line.startswith("id: "):
                    return line[4:]
        raise EOFError


@asynccontextmanager
async def listening(address: str, token: str, query: str = "", **headers: str) -> AsyncIterator[Ear]:
    """A client that listens while the block runs."""
    given = {"Authorization": f"Bearer {token}"} | headers
    async with (
        httpx.AsyncClient(base_url=address, timeout=PATIENCE_S, trust_env=False) as client,
        client.stream("GET", f"/api/v1/events{query}", headers=given) as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield Ear(answer.aiter_lines())


async def beat(house: House, times: int) -> None:
    """Record something so many times."""
    await asyncio.gather(*(house.rooms.intake.record("CP1", HeartBeaten()) for _ in range(times)))


async def test_what_is_recorded_is_told(house: House) -> None:
    async with served(house.app) as address, listening(address, house.token) as ear:
        assert await ear.begun() == "0"
        async with house.door.plugged() as station:
            await station.boot()
            await Teller(station, now()).start()
            told = [await ear.event() for _ in range(3)]
    assert [one["kind"] for one in told] == ["Connected", "Booted", "SessionOpened"]
    assert [one["n"] for one in told] == [1, 2, 3]
    session = (await house.api.get("/api/v1/sessions")).json()["items"][0]["id"]
    assert told[2]["session"] == session
    assert told[2]["station"] == "CP1"


async def test_a_new_listener_hears_only_what_is_new(house: House) -> None:
    await beat(house, 5)
    async with served(house.app) as address, listening(address, house.token) as ear:
        assert await ear.begun() == "5"
        await beat(house, 1)
        assert (await ear.event())["n"] == 6


async def test_a_listener_resumes_where_it_was(house: House) -> None:
    await beat(house, 450)
    async with served(house.app) as address:
        async with listening(address, house.token, "?last_event_id=3") as ear:
            assert [(await ear.event())["n"] for _ in range(400)] == [*range(4, 404)]
        async with listening(address, house.token, "?last_event_id=1", **{"Last-Event-ID": ear.position}) as ear:
            assert [(await ear.event())["n"] for _ in range(47)] == [*range(404, 451)]


async def test_a_position_that_is_yet_to_come_is_now(house: House) -> None:
    await beat(house, 3)
    async with served(house.app) as address, listening(address, house.token, "?last_event_id=999") as ear:
        assert await ear.begun() == "3"
        await beat(house, 1)
        assert (await ear.event())["n"] == 4


async def test_many_listeners_hear_everything_once_while_it_pours(house: House) -> None:
    async def hear(address: str) -> list[int]:
        async with listening(address, house.token, "?last_event_id=0") as ear:
            return [(await ear.event())["n"] for _ in range(600)]

    async with served(house.app) as address:
        ears = [asyncio.create_task(hear(address)) for _ in range(5)]
        for _ in range(60):
            await beat(house, 10)
            await asyncio.sleep(0)
        for heard in await asyncio.gather(*ears):
            assert heard == [*range(1, 601)]


async def test_a_stream_ends_with_its_token(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "ANYWAY_S", 3600)
    token = await house.rooms.access.make_token("short", PROGRAMS)
    identifier = next(one.id for one in await house.rooms.access.tokens() if one.name == "short")
    async with served(house.app) as address, listening(address, token) as ear:
        await ear.begun()
        await house.rooms.access.revoke_token(identifier)
        try:
            heard = await ear.event()
        except EOFError:
            heard = {}
    assert heard == {}


async def test_a_hint_that_is_lost_loses_nothing(house: House) -> None:
    async with served(house.app) as address, listening(address, house.token) as ear:
        await ear.begun()
        announce, house.door.bus.announce = house.door.bus.announce, lambda topic, hint="": None  # type: ignore[method-assign]
        await beat(house, 2)
        assert [(await ear.event())["n"] for _ in range(2)] == [1, 2]
        house.door.bus.announce = announce  # type: ignore[method-assign]


async def test_streams_are_counted(house: House) -> None:
    streams = house.app.state.streams
    async with served(house.app) as address:
        async with listening(address, house.token) as ear:
            await ear.begun()
            await beat(house, 1)
            await ear.event()
            assert streams.open == 1
        await beat(house, 1)
        await until(lambda: streams.open == 0, "the end of the stream")
    with ExitStack() as stack:
        for _ in range(MOST_OF_ONE):
            stack.enter_context(streams.one_more("tests"))
        refused = await house.api.get("/api/v1/events")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "5")


async def test_a_client_that_takes_nothing_is_cut_off(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "STALL_S", 0.2)
    headers = [(b"authorization", f"Bearer {house.token}".encode())]
    scope: dict[str, Any] = {"type": "http", "asgi": {"spec_version": "2.3"}, "method": "GET", "path": "/api/v1/events"}
    scope |= {"http_version": "1.1", "query_string": b"", "headers": headers, "scheme": "http", "root_path": ""}
    never = asyncio.Event()
    taken: list[str] = []

    async def receive() -> dict[str, Any]:
        await never.wait()
        return {}

    async def send(message: MutableMapping[str, Any]) -> None:
        taken.append(message["type"])
        if message["type"] == "http.response.body":
            await never.wait()

    await asyncio.wait_for(house.app(scope, receive, send), PATIENCE_S)
    assert taken == ["http.response.start", "http.response.body"]
    assert house.app.state.streams.open == 0
