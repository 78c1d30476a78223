"""A station's own list of cards: how far it is behind, and why."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import Field

from wattkeeper.web.api.shapes import Here, StationId, StationsReader, Told, Words

router = APIRouter(tags=["stations"])


class LocalList(Told):
    """What a station may decide by itself while it cannot ask."""

    kept: bool | None = Field(description="Whether the station keeps a list; null while nobody knows.")
    version: int = Field(description="The newest version it was given; 0 is none.")
    accepted: int = Field(description="How many cards it accepts by itself.")
    blocked: int = Field(description="How many cards it refuses by itself.")
    confirmed_at: datetime | None = Field(description="When it last confirmed that version.")
    behind: int = Field(description="How many cards it does not know as they are now.")
    behind_since: datetime | None = Field(description="When the first of them changed.")
    why: Words = Field(description="Why the list is as it is, in a sentence.")
    sent_at: datetime | None
    next_at: datetime | None = Field(description="When it is tried again, where it failed.")
    tries: int = Field(description="How often it failed in a row.")
    delay_ms: int | None = Field(description="How long the last change of a card took to reach it, milliseconds.")
    cleared_at: datetime | None = Field(description="When it last forgot the cards it remembered by itself.")


@router.get("/stations/{station}/local-list")
async def show_local_list(rooms: Here, viewer: StationsReader, station: StationId) -> LocalList:
    """How far a station's own list of cards is."""
    return LocalList.model_validate(await rooms.local_lists.view(viewer, station))
