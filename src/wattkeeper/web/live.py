"""A page at N, then everything after N: nothing lost, nothing twice, and nobody slow holds anything up."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from wattkeeper.bus import Bus
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.store import journal
from wattkeeper.store.engines import Store
from wattkeeper.store.journal import Mark

PAGE = 200
"""How many entries are read at once."""
LOOK_S = 0.5
"""How often it is asked whether the viewer may still look."""
ANYWAY_S = 5.0
"""How often the journal is read without a hint: hints may be lost."""
QUIET_S = 15.0
"""How long a stream may be silent before it says that it lives."""
STALL_S = 20.0
"""How long a client may take nothing before it is cut off; it resumes where it was."""
MOST_STREAMS, MOST_OF_ONE = 500, 50
PROMISED_S = 5.0
"""How long room is kept for a stream that was granted: a client may be gone before it begins."""

Still = Callable[[], Awaitable[bool]]
"""Whether the viewer may still look."""


async def after(store: Store, bus: Bus, viewer: Viewer, n: int, still: Still) -> AsyncGenerator[list[Mark], None]:
    """What the viewer may know after entry ``n``, as it is recorded, in order, until ``still`` fails.

    An empty list comes now and then. Only what the taker asks for is read: a slow taker costs a position, nothing more.
    """
    async with hints(bus, "journal") as hint:
        while await still():
            hint.clear()
            async with store.read() as connection:
                stretch = await journal.marks_after(connection, viewer, n, PAGE)
            yield stretch.marks
            n = stretch.n
            if not stretch.is_full and not await _hinted(hint, still):
                return


async def _hinted(hint: asyncio.Event, still: Still) -> bool:
    """Wait for a hint, or for long enough; False as soon as the viewer may no longer look."""
    until = time.monotonic() + ANYWAY_S
    while not hint.is_set() and time.monotonic() < until:
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_S):
                await hint.wait()
        if not await still():
            return False
    return True


@asynccontextmanager
async def hints(bus: Bus, topic: str) -> AsyncIterator[asyncio.Event]:
    """An event that is set whenever the topic is announced while the block runs."""
    hint, listening = asyncio.Event(), asyncio.Event()

    async def hear() -> None:
        async with bus.listen(topic) as told:
            listening.set()
            async for _ in told:
                hint.set()

    ear = asyncio.create_task(hear())
    try:
        await listening.wait()
        yield hint
    finally:
        ear.cancel()


class Streams:
    """How many streams are open, in all and for each viewer."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()
        self._promised: list[tuple[float, str]] = []
        """Room for streams that have not begun: until when (monotonic), and whose."""
        self.closed = asyncio.Event()

    def close(self) -> None:
        """End every stream, because the door closes."""
        self.closed.set()

    @property
    def open(self) -> int:
        """How many are open."""
        return self._open.total()

    def need_room(self, name: str) -> None:
        """Promise room for a stream that begins soon; Refusal (BUSY) where there are too many."""
        now = time.monotonic()
        self._promised = [(until, who) for until, who in self._promised if until > now]
        own = self._open[name] + sum(who == name for _, who in self._promised)
        if own >= MOST_OF_ONE or self._open.total() + len(self._promised) >= MOST_STREAMS:
            raise Refusal(Code.BUSY, phrase("Too many streams are open. Close one and try again."), retry_s=5)
        self._promised.append((now + PROMISED_S, name))

    @contextmanager
    def one_more(self, name: str) -> Iterator[None]:
        """Count a stream while the block runs; it takes the room that was promised."""
        kept = next((one for one in self._promised if one[1] == name), None)
        if kept is not None:
            self._promised.remove(kept)
        self._open[name] += 1
        try:
            yield
        finally:
            self._open[name] -= 1
            self._open += Counter()  # forgets names without a stream


class Stream(StreamingResponse):
    """Server-sent events (HTML Living Standard 9.2); cuts off a client that takes nothing."""

    media_type = "text/event-stream"

    def __init__(self, events: AsyncIterator[bytes]) -> None:
        super().__init__(events, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send as the client takes."""

        async def patiently(message: Message) -> None:
            async with asyncio.timeout(STALL_S):
                await send(message)

        sending = asyncio.create_task(super().__call__(scope, receive, patiently))
        closed = asyncio.create_task(scope["app"].state.streams.closed.wait())
        try:
            await asyncio.wait({sending, closed}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                with suppress(TimeoutError):
                    sending.result()
                return
        finally:
            closed.cancel()
            sending.cancel()
            await asyncio.gather(sending, closed, return_exceptions=True)
        await patiently({"type": "http.response.body", "body": b"", "more_body": False})
