"""The part of an open page that changes, rendered here: pushed (SSE) as it changes, or asked for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from wattkeeper.charging.errors import Refusal
from wattkeeper.charging.person import Viewer
from wattkeeper.web.driver.paper import HEADERS, Paper, Staff
from wattkeeper.web.live import LOOK_S, Stream, Streams, hints
from wattkeeper.web.operator.stream import event

TOPICS = ("journal", "orders", "stations", "cards", "enrolments", "starts")
"""What may change a page."""
ANYWAY_S = 10.0
"""How often a page is looked at again without a hint: hints may be lost, and silence changes a page too."""
AT_MOST_S = 1.0
"""How soon after one look the next may follow."""
Looking = Callable[[Viewer], Awaitable[Markup]]
"""Prints the part as it is now; a Refusal ends the stream."""


async def now(paper: Paper, request: Request, look: Looking) -> Response:
    """The part as it is now."""
    return HTMLResponse(await look(await paper.need_viewer(request)), headers=HEADERS)


async def answer(paper: Paper, request: Request, look: Looking) -> Response:
    """The part whenever it changed; ``bye`` where the page is to be loaded anew."""
    viewer = await paper.viewer(request)
    if viewer is None:
        return Stream(_bye())
    streams: Streams = request.app.state.streams
    streams.need_room(viewer.name)
    return Stream(_counted(paper, request, look, viewer, streams))


async def _bye() -> AsyncIterator[bytes]:
    yield event("", "bye")


async def _counted(
    paper: Paper, request: Request, look: Looking, viewer: Viewer, streams: Streams
) -> AsyncIterator[bytes]:
    """The stream, as one of those the viewer has open."""
    with streams.one_more(viewer.name):
        async for frame in _frames(paper, request, look):
            yield frame


async def _frames(paper: Paper, request: Request, look: Looking) -> AsyncIterator[bytes]:
    """Every change, and a sign of life now and then, until the viewer may no longer look."""
    async with AsyncExitStack() as stack:
        heard = [await stack.enter_async_context(hints(paper.rooms.bus, topic)) for topic in TOPICS]
        yield b"retry: 2000\n\n"
        told: Markup | None = None
        while (viewer := await _viewer(paper, request)) is not None:
            for hint in heard:
                hint.clear()
            try:
                part = await look(viewer)
            except Refusal:
                break
            yield event("", "still") if part == told else event(part, "message")
            told = part
            await asyncio.sleep(AT_MOST_S)
            await _hinted(heard, paper, request)
        yield event("", "bye")


async def _viewer(paper: Paper, request: Request) -> Viewer | None:
    try:
        return await paper.viewer(request)
    except Staff:
        return None


async def _hinted(heard: list[asyncio.Event], paper: Paper, request: Request) -> None:
    """Wait for a hint, or long enough, or until the viewer may no longer look."""
    until = time.monotonic() + ANYWAY_S
    while not any(hint.is_set() for hint in heard) and time.monotonic() < until:
        await asyncio.sleep(LOOK_S)
        if await _viewer(paper, request) is None:
            return
