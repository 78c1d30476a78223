"""A page at N, then everything after N: the parts of an open page that changed, rendered here and pushed (SSE)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from wattkeeper.bus import Bus
from wattkeeper.charging.errors import Refusal
from wattkeeper.charging.person import Viewer
from wattkeeper.web.live import LOOK_S, Stream
from wattkeeper.web.operator.paper import Paper
from wattkeeper.web.operator.region import Region, changes

TOPICS = ("journal", "orders", "stations", "knock", "cards")
"""What may change a page."""
ANYWAY_S = 15.0
"""How often a page is looked at again without a hint: hints may be lost, and silence changes a page too."""
RETRY_MS = 30_000
AT_MOST_S = 0.5
"""How soon after one push the next may follow: a page is for people."""


@dataclass(frozen=True, slots=True)
class View:
    """What a page shows at one position of the journal."""

    n: int
    regions: list[Region]

    @property
    def by_name(self) -> dict[str, Region]:
        """The regions by their ids, for the page's template."""
        return {region.id: region for region in self.regions}


Looking = Callable[[Viewer], Awaitable[View]]
"""Looks again, from the same address bar."""


def resumed_at(request: Request, after: int) -> int:
    """The position the page is at: what its connection heard last, else what it was rendered at."""
    told = request.headers.get("last-event-id", "")
    return int(told) if told.isascii() and told.isdigit() and len(told) < 19 else after


async def answer(paper: Paper, request: Request, after: int, look: Looking) -> Response:
    """The stream of a page that was rendered at ``after``; who is not signed in is told to go to the door."""
    viewer = await paper.viewer(request)
    if viewer is None:
        return Stream(_bye())
    return Stream(_counted(paper, request, viewer, look, resumed_at(request, after)))


async def _bye() -> AsyncIterator[bytes]:
    """The page is to be loaded anew."""
    yield event("", "bye", None)


async def _counted(paper: Paper, request: Request, viewer: Viewer, look: Looking, after: int) -> AsyncIterator[bytes]:
    """The stream, as one of those the viewer has open; where that are too many, the browser tries again later."""
    try:
        with paper.streams.one_more(viewer.name):
            async for frame in _frames(paper, request, viewer, look, after):
                yield frame
    except Refusal as refusal:
        yield f"retry: {RETRY_MS}\n: {refusal.code}\n\n".encode()


async def _frames(paper: Paper, request: Request, viewer: Viewer, look: Looking, after: int) -> AsyncIterator[bytes]:
    """Every change as events, until the viewer's sign-in ends or the page goes away."""
    shown: list[Region] | None = None
    async with _hints(paper.rooms.bus) as hint:
        yield b"retry: 2000\n\n"
        while await paper.viewer(request) is not None:
            hint.clear()
            view = await look(viewer)
            if shown is None and view.n <= after:
                shown = view.regions
            for fragment in changes(shown, view.regions):
                yield event(fragment, "message", view.n)
            shown = view.regions
            yield b": \n\n"
            await asyncio.sleep(AT_MOST_S)
            await _hinted(hint, paper, request)
        yield event("", "bye", None)


@asynccontextmanager
async def _hints(bus: Bus) -> AsyncIterator[asyncio.Event]:
    """An event that is set whenever anything is announced that may change a page."""
    hint = asyncio.Event()

    async def pass_on(told: AsyncIterator[str]) -> None:
        async for _ in told:
            hint.set()

    async with AsyncExitStack() as stack:
        ears = [await stack.enter_async_context(bus.listen(topic)) for topic in TOPICS]
        tasks = [asyncio.create_task(pass_on(ear)) for ear in ears]
        try:
            yield hint
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _hinted(hint: asyncio.Event, paper: Paper, request: Request) -> None:
    """Wait for a hint, or long enough, or until the viewer may no longer look."""
    until = time.monotonic() + ANYWAY_S
    while not hint.is_set() and time.monotonic() < until:
        with suppress(TimeoutError):
            await asyncio.wait_for(hint.wait(), LOOK_S)
        if await paper.viewer(request) is None:
            return


def event(data: str, name: str, n: int | None) -> bytes:
    """One event of the stream (HTML Living Standard 9.2.5), numbered with the position it brings the page to."""
    lines = "".join(f"data: {line}\n" for line in (data.splitlines() or [""]))
    number = "" if n is None else f"id: {n}\n"
    return f"event: {name}\n{number}{lines}\n".encode()
