"""A page at N, then everything after N: the parts of an open page that changed, rendered here and pushed (SSE)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar
from zlib import crc32

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from wattkeeper.bus import Bus
from wattkeeper.charging.errors import Refusal
from wattkeeper.charging.person import Viewer
from wattkeeper.store import journal
from wattkeeper.web.live import LOOK_S, Stream, Streams
from wattkeeper.web.operator.paper import Outside, Paper
from wattkeeper.web.operator.region import Region, changes

TOPICS = ("journal", "orders", "stations", "knock", "cards", "findings", "bills", "alerts")
"""What may change a page."""
ANYWAY_S = 15.0
"""How often a page is looked at again without a hint: hints may be lost, and silence changes a page too."""
AT_MOST_S = 1.0
"""How soon after one push the next may follow: a page is for people."""


@dataclass(frozen=True, slots=True)
class View:
    """What a page shows at one position of the journal."""

    n: int
    regions: list[Region]

    @property
    def position(self) -> str:
        """Where a page is that shows this: the journal's position, and a check on what does not come from it."""
        shown = "\0".join(region.__html__() for region in self.regions)
        return f"{self.n}-{crc32(shown.encode()):08x}"

    @property
    def by_name(self) -> dict[str, Region]:
        """The regions by their ids, for the page's template."""
        return {region.id: region for region in self.regions}


Looking = Callable[[Viewer], Awaitable[View]]
"""Looks again, from the same address bar."""
Asked = TypeVar("Asked")
Look = Callable[[Paper, AsyncConnection, Viewer, Asked], Awaitable[tuple[View, Any, Any]]]
"""Looks at a list as it was asked for: what it shows, and what a page tells beside it."""


@dataclass(frozen=True, slots=True)
class Watch:
    """How an open page is kept true."""

    paper: Paper
    request: Request
    look: Looking
    station: str | None = None
    """The only station whose words concern the page; None: those of all."""

    async def viewer(self) -> Viewer | None:
        """Who looks, as long as they may."""
        return await self.paper.viewer(self.request)

    async def concerns(self, viewer: Viewer, n: int) -> bool:
        """Whether anything recorded after ``n`` can have changed the page."""
        if self.station is None:
            return True
        async with self.paper.rooms.store.read() as connection:
            return await journal.told_after(connection, viewer, n, self.station)


def resumed_at(request: Request, after: str) -> str:
    """The position the page is at: what its connection heard last, else what it was rendered at."""
    return request.headers.get("last-event-id") or after


async def answer(watch: Watch, after: str) -> Response:
    """The stream of a page that was rendered at ``after``; who is not signed in is told to go to the door."""
    try:
        viewer = await watch.viewer()
    except Outside:
        viewer = None
    if viewer is None:
        return Stream(_bye())
    streams: Streams = watch.request.app.state.streams
    streams.need_room(viewer.name)
    return Stream(_counted(watch, viewer, resumed_at(watch.request, after), streams))


async def listed(paper: Paper, request: Request, look: Look[Asked], asked: Asked, after: str) -> Response:
    """The stream of a list that is looked at anew, as it was asked for."""

    async def again(viewer: Viewer) -> View:
        async with paper.rooms.store.read() as connection:
            return (await look(paper, connection, viewer, asked))[0]

    return await answer(Watch(paper, request, again), after)


async def _bye() -> AsyncIterator[bytes]:
    """The page is to be loaded anew."""
    yield event("", "bye")


async def _counted(watch: Watch, viewer: Viewer, after: str, streams: Streams) -> AsyncIterator[bytes]:
    """The stream, as one of those the viewer has open."""
    with streams.one_more(viewer.name):
        try:
            async for frame in _frames(watch, viewer, after):
                yield frame
        except Refusal:  # what the page shows is not, or no longer, the viewer's to see
            yield event("", "bye")


async def _frames(watch: Watch, viewer: Viewer, after: str) -> AsyncIterator[bytes]:
    """Every change as events, until the viewer's sign-in ends or the page goes away."""
    shown: View | None = None
    async with _ear(watch.paper.rooms.bus) as ear:
        yield b"retry: 2000\n\n"
        while await watch.viewer() is not None:
            only_journal = ear.heard() == {"journal"}
            if shown is None or not only_journal or await watch.concerns(viewer, shown.n):
                view = await watch.look(viewer)
                if shown is None and view.position == after:
                    shown = view
                for frame in _events(shown, view):
                    yield frame
                shown = view
            yield b": \n\n"
            await asyncio.sleep(AT_MOST_S)
            await _hinted(ear, watch)
        yield event("", "bye")


def _events(shown: View | None, view: View) -> Iterator[bytes]:
    """What turns the one into the other; only the last event brings the page to the new position."""
    fragments = [*changes(shown.regions if shown else None, view.regions)]
    for fragment in fragments[:-1]:
        yield event(fragment, "message")
    if fragments:
        yield event(fragments[-1], "message", view.position)


class Ear:
    """Which topics were announced since it was asked last."""

    def __init__(self) -> None:
        self.hint = asyncio.Event()
        self._topics: set[str] = set()

    async def listen(self, topic: str, told: AsyncIterator[str]) -> None:
        """Note every hint of a topic."""
        async for _ in told:
            self._topics.add(topic)
            self.hint.set()

    def heard(self) -> set[str]:
        """The topics; it begins to listen anew."""
        topics, self._topics = self._topics, set()
        self.hint.clear()
        return topics


@asynccontextmanager
async def _ear(bus: Bus) -> AsyncIterator[Ear]:
    """Hears whatever may change a page while the block runs."""
    ear = Ear()
    async with AsyncExitStack() as stack:
        told = [(topic, await stack.enter_async_context(bus.listen(topic))) for topic in TOPICS]
        tasks = [asyncio.create_task(ear.listen(topic, hints)) for topic, hints in told]
        try:
            yield ear
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _hinted(ear: Ear, watch: Watch) -> None:
    """Wait for a hint, or long enough, or until the viewer may no longer look."""
    until = time.monotonic() + ANYWAY_S
    while not ear.hint.is_set() and time.monotonic() < until:
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_S):
                await ear.hint.wait()
        if await watch.viewer() is None:
            return


def event(data: str, name: str, position: str = "") -> bytes:
    """One event of the stream (HTML Living Standard 9.2.5), with the position it brings the page to, if any."""
    lines = "".join(f"data: {line}\n" for line in (data.splitlines() or [""]))
    number = f"id: {position}\n" if position else ""
    return f"event: {name}\n{number}{lines}\n".encode()
