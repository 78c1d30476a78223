"""What is recorded, as it is recorded: server-sent events that resume where they were."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Header, Query, Request
from pydantic import BaseModel, Field

from wattkeeper.charging.identifiers import shown
from wattkeeper.charging.person import Viewer
from wattkeeper.store import journal
from wattkeeper.store.journal import Mark
from wattkeeper.web.api.shapes import PLAIN, Here, Nothing, SessionsReader
from wattkeeper.web.live import QUIET_S, Still, Stream, Streams, after
from wattkeeper.web.rooms import Rooms

router = APIRouter(tags=["events"])
Position = Annotated[int, Field(ge=0, le=2**63 - 1), PLAIN]


class Recorded(BaseModel):
    """The data of an `entry` event: something was recorded."""

    n: int = Field(description="The journal entry; also the event's id.")
    kind: str = Field(description="What happened, such as `SessionOpened`.")
    station: str
    session: str | None = Field(description="The session's id as people say it.")
    at: datetime | None = Field(description="The station's time of it.")
    received_at: datetime


EVENT = {
    "type": "object",
    "description": "One event of the stream.",
    "properties": {
        "id": {"type": "string", "description": "The number of the entry: what to resume after."},
        "event": {"type": "string", "const": "entry"},
        "data": {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": {"$ref": "#/components/schemas/Recorded"},
        },
        "retry": {"type": "integer"},
    },
}
EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events of the kind `entry`, each with the data described by Recorded.",
        "content": {"text/event-stream": {"schema": EVENT}},
    }
}


@router.get("/events", status_code=200, responses=EVENTS, response_class=Stream, response_model=None)
async def follow(
    rooms: Here,
    viewer: SessionsReader,
    request: Request,
    last_event_id: Annotated[Position | Nothing, Query(description="Begin after this entry.")] = None,
    resumed: Annotated[Position | Nothing, Header(alias="Last-Event-ID", description="What it heard last.")] = None,
) -> Stream:
    """Everything that is recorded from now on, or after the entry that a client heard last: in order, none twice."""
    streams: Streams = request.app.state.streams
    streams.need_room(viewer.name)
    told = resumed if resumed is not None else last_event_id
    async with rooms.store.read() as connection:
        newest = await journal.newest(connection)
    n = newest if told is None else min(told, newest)
    return Stream(_events(rooms, viewer, n, request.state.still, streams))


async def _events(rooms: Rooms, viewer: Viewer, n: int, still: Still, streams: Streams) -> AsyncIterator[bytes]:
    """The frames of a stream; the first one tells where it begins."""
    yield f"retry: 2000\nid: {n}\n\n".encode()
    spoke = time.monotonic()
    with streams.one_more(viewer.name):
        async for marks in after(rooms.store, rooms.bus, viewer, n, still):
            if marks:
                yield b"".join(map(_event, marks))
            elif time.monotonic() - spoke >= QUIET_S:
                yield b": still here\n\n"
            else:
                continue
            spoke = time.monotonic()


def _event(mark: Mark) -> bytes:
    """One event (HTML Living Standard 9.2.5)."""
    session = None if mark.session is None else shown(mark.session)
    told = {"n": mark.n, "kind": mark.kind, "station": mark.station, "session": session}
    data = orjson.dumps({**told, "at": mark.at, "received_at": mark.received_at}, option=orjson.OPT_UTC_Z)
    return b"event: entry\nid: %d\ndata: %s\n\n" % (mark.n, data)
