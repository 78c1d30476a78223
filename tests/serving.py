"""A whole Wattkeeper with both doors open, running in a thread of its own: for tests that are not asynchronous."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from wattkeeper.assembly import Doors, open_doors, open_rooms
from wattkeeper.settings import Settings
from wattkeeper.web.rooms import Rooms

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Serving:
    """What runs: its rooms, its doors, and a way to do something in its loop."""

    rooms: Rooms
    doors: Doors
    loop: asyncio.AbstractEventLoop

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something in its loop and give what came of it."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)


@contextmanager
def serving(folder: Path, **given: Any) -> Iterator[Serving]:
    """Run while the block runs, on one SQLite file in this folder and any free ports."""
    settings = Settings(
        **{
            "database": f"sqlite:///{folder / 'wattkeeper.db'}",
            "root_key": folder / "root.key",
            "http_port": 0,
            "ocpp_port": 0,
            **given,
        }
    )
    ready: Future[Serving] = Future()
    thread = threading.Thread(target=lambda: asyncio.run(_serve(settings, ready)), name="serving")
    thread.start()
    try:
        made = ready.result(60)
        yield made
    finally:
        if not ready.exception():
            made = ready.result()
            made.loop.call_soon_threadsafe(_END[made.loop].set)
        thread.join(60)
        assert not thread.is_alive()


_END: dict[asyncio.AbstractEventLoop, asyncio.Event] = {}


async def _serve(settings: Settings, ready: Future[Serving]) -> None:
    """Open everything, say so, and close it when told."""
    loop = asyncio.get_running_loop()
    _END[loop] = asyncio.Event()
    try:
        async with open_rooms(settings) as rooms, open_doors(rooms) as doors:
            ready.set_result(Serving(rooms, doors, loop))
            await _END[loop].wait()
    except BaseException as fault:
        if not ready.done():
            ready.set_exception(fault)
        raise
    finally:
        del _END[loop]
