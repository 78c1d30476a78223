"""The log's public doors: its checkpoint, its keys, its tiles (C2SP tlog-tiles). Neither sign-in nor form.

Leaves are commitments, so there is nothing to hide in them; how fast they come is, where few stations are, and so only
what a published checkpoint covers is told (`log_checkpoint_s`).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.people.sign_in.attempts import neighbourhood
from wattkeeper.web.problem import of_refusal
from wattkeeper.web.rooms import Rooms

PREFIX: Final = "/log"
PLACE: Final = re.compile(r"(?P<n>(?:x[0-9]{3}/){0,4}[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?", re.ASCII)
BYTES: Final = "application/octet-stream"
LASTING: Final = {"Cache-Control": "public, max-age=31536000, immutable"}
NEW: Final = {"Cache-Control": "no-cache"}
HASTE = phrase("The log is asked too often from here. Try again in {seconds} s.")


class Pace:
    """How often one neighbourhood may ask: so many at once, then so many a second."""

    def __init__(self, burst: int, each_s: float, ticks: Callable[[], float] = time.monotonic) -> None:
        self._burst = burst
        self._each_s = each_s
        self._ticks = ticks
        self._left: dict[str, tuple[float, float]] = {}

    def need(self, who: str) -> None:
        """Count one more; Refusal BUSY where it is too many."""
        now = self._ticks()
        if len(self._left) > 10_000:
            self._left.clear()
        left, since = self._left.get(who, (float(self._burst), now))
        left = min(self._burst, left + (now - since) / self._each_s)
        if left < 1:
            wait_s = (1 - left) * self._each_s
            raise Refusal(Code.BUSY, HASTE.filled(seconds=max(1, round(wait_s))), retry_s=wait_s)
        self._left[who] = left - 1, now


def patient() -> Pace:
    """As often as a witness or a mirror needs: a million entries are 8,000 tiles."""
    return Pace(burst=2_000, each_s=0.01)


def need_pace(request: Request) -> None:
    """Refusal BUSY where somebody asks the log too often."""
    pace: Pace = request.app.state.pace
    pace.need(neighbourhood(request.client.host if request.client else ""))


def place_of(path: str) -> tuple[int, int] | None:
    """The number of a tile and how wide it is, of the end of its address; None where it is none."""
    found = PLACE.fullmatch(path)
    if found is None:
        return None
    n = int(found["n"].replace("/", "").replace("x", ""))
    width = int(found["width"] or 256)
    return None if width > 256 or (found["width"] and width == 256) else (n, width)


def router(rooms: Rooms) -> list[BaseRoute]:
    """The doors."""
    doors = Doors(rooms)
    told = {
        "/checkpoint": doors.checkpoint,
        "/key": doors.key,
        "/tile/entries/{place:path}": doors.bundle,
        "/tile/{level:int}/{place:path}": doors.tile,
    }
    return [Route(PREFIX + path, _told(door), methods=["GET"], include_in_schema=False) for path, door in told.items()]


def _told(door: Callable[[Request], object]) -> Callable[[Request], object]:
    """A door whose refusals are problems, for programs come here and no people."""

    async def answer(request: Request) -> Response:
        try:
            need_pace(request)
            found: Response = await door(request)  # type: ignore[misc]
            return found
        except Refusal as refusal:
            return of_refusal(refusal)

    return answer


class Doors:
    """``/log/…``"""

    def __init__(self, rooms: Rooms) -> None:
        self._log = rooms.log

    async def checkpoint(self, _request: Request) -> Response:
        """The newest checkpoint, a signed note."""
        return PlainTextResponse(await self._log.checkpoint(), headers=NEW)

    async def key(self, _request: Request) -> Response:
        """The keys under which checkpoints are verified, the newest first, one a line."""
        return PlainTextResponse("".join(f"{key}\n" for key in await self._log.keys()), headers=NEW)

    async def tile(self, request: Request) -> Response:
        """A tile of hashes."""
        n, width = _place(request)
        told = await self._log.tile(request.path_params["level"], n, width)
        return Response(told, media_type=BYTES, headers=LASTING)

    async def bundle(self, request: Request) -> Response:
        """A tile of entries."""
        n, width = _place(request)
        return Response(await self._log.bundle(n, width), media_type=BYTES, headers=LASTING)


def _place(request: Request) -> tuple[int, int]:
    """Which tile is asked for; Refusal NOT_FOUND."""
    found = place_of(request.path_params["place"])
    if found is None:
        raise Refusal(Code.NOT_FOUND, phrase("This is no address of a tile; one is such as tile/0/x001/234."))
    return found
