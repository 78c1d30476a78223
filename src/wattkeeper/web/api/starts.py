"""Starts from a phone: always the viewer's own."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from wattkeeper.operations.starts import StartState, StartView
from wattkeeper.web.api.sessions import Spoken
from wattkeeper.web.api.shapes import (
    INTEGER,
    PLAIN,
    Asked,
    Driver,
    Here,
    Identity,
    Nothing,
    SessionId,
    Words,
    session_id_of,
)

router = APIRouter(tags=["starts"])
ONE_OF: dict[str, Any] = {"oneOf": [{"required": ["code"]}, {"required": ["station", "evse"]}]}
KEY = "The client's own name for this wish: told again, it is the same start."
Key = Annotated[str, Header(alias="Idempotency-Key", max_length=200, description=KEY)]
StartId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]
Code = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[\x20-\x7E]+$")]


class NewStart(Asked):
    """Where to start: by the code on the connector, or a listed station and its EVSE."""

    model_config = ConfigDict(json_schema_extra=ONE_OF)

    code: Code | Nothing = Field(None, description="The code on the connector.")
    station: Identity | Nothing = None
    evse: Annotated[int, Field(ge=1, le=2**31 - 1), INTEGER] | Nothing = None


class Start(BaseModel):
    """A start as its driver sees it."""

    id: str
    state: StartState
    words: Words = Field(description="What is going on and what to do.")
    why: Words | None = Field(description="Why it was refused or came to nothing.")
    station: str
    name: str
    evse: int
    session: SessionId | None = Field(description="The session it became.")
    plug_in_by: datetime | None = Field(description="Until when the cable may be plugged in, where that is awaited.")
    created_at: datetime
    settled_at: datetime | None


class StartList(BaseModel):
    """One's own starts, the newest first."""

    items: list[Start]


class StartFilter(Asked):
    """How many starts."""

    limit: Annotated[int, Field(ge=1, le=100), PLAIN] = 10


class Stopping(BaseModel):
    """The station was asked to stop; the session ends when it says so."""

    session: SessionId


@router.post("/starts", status_code=202)
async def start(rooms: Here, viewer: Driver, new: NewStart, request: Request, key: Key = "") -> Start:
    """Start charging. Ask for the start again by its id: what the station says of it comes a moment later."""
    address = request.client.host if request.client else ""
    view = await rooms.starts.start(viewer, new.code, new.station, new.evse, key=key, address=address)
    return _told(view)


@router.get("/starts")
async def find_starts(rooms: Here, viewer: Driver, wanted: Annotated[StartFilter, Query()]) -> StartList:
    """One's own newest starts."""
    return StartList(items=[_told(view) for view in await rooms.starts.mine(viewer, wanted.limit)])


@router.get("/starts/{start}")
async def show_start(rooms: Here, viewer: Driver, start: StartId) -> Start:
    """One's own start as it stands."""
    return _told(await rooms.starts.view(viewer, start))


@router.post("/starts/{start}/stop", status_code=202)
async def stop_start(rooms: Here, viewer: Driver, start: StartId) -> Start:
    """Stop what a start began, or call it off before it did."""
    return _told(await rooms.starts.stop(viewer, start))


@router.post("/sessions/{session}/stop", status_code=202)
async def stop_session(rooms: Here, viewer: Driver, session: Spoken) -> Stopping:
    """Ask the station to stop one's own session, begun by phone or by card."""
    identifier = session_id_of(session)
    await rooms.starts.stop_session(viewer, identifier)
    return Stopping(session=identifier)


def _told(view: StartView) -> Start:
    return Start(**{name: getattr(view, name) for name in Start.model_fields})
