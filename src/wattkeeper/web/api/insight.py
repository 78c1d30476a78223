"""Releases: anonymous aggregates, what was measured before they left, and what they spent."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Path, Security
from pydantic import BaseModel, Field, StringConstraints

from wattkeeper.charging.insight.question import USUAL, Kind, period
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.store.insight.release import Entry
from wattkeeper.web.api.shapes import PRINTABLE, Asked, Here, Nothing, viewer_of

router = APIRouter(tags=["insight"])
Reader = Annotated[Viewer, Security(viewer_of, scopes=[Scope.PRIVACY_READ.value])]
Writer = Annotated[Viewer, Security(viewer_of, scopes=[Scope.PRIVACY_WRITE.value])]
Month = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]
Site = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=PRINTABLE)]
ReleaseId = Annotated[str, Path(max_length=64, pattern=PRINTABLE)]


class NewRelease(Asked):
    """A question to the sessions of all drivers who agreed to be counted."""

    kind: Kind
    first_month: Month = Field(examples=["2026-01"])
    last_month: Month = Field(description="Included, in the same calendar year.", examples=["2026-06"])
    sites: list[Site] | Nothing = Field(None, max_length=500, description="All if absent.")
    epsilon: Decimal | Nothing = Field(
        None, ge=Decimal("0.01"), le=1, description="What to spend of the year's budget; 0.5 for site-load, else 0.2."
    )


class ReleaseFigure(BaseModel):
    """What was measured before it left; shares of one, as text and exact."""

    what: str
    words: str
    value: str
    within: str = Field(description="How sure it is, where it was drawn (95 %).")
    at_most: str
    met: bool


class Release(BaseModel):
    """A line of the ledger of releases."""

    id: str
    kind: Kind
    first_day: date
    before_day: date
    epsilon: str = Field(description="What it spent.")
    has_left: bool = Field(description="Whether anything left; what did not meet the bar has spent all the same.")
    measured: list[ReleaseFigure]
    digest: str = Field(description="SHA-256 of the JSON file, as in the log; empty where nothing left.")
    made_at: datetime
    by: str
    json_path: str = Field(description="Where everybody finds it; empty where nothing left.")
    csv_path: str


class Releases(BaseModel):
    """The ledger, the newest first."""

    items: list[Release]


@router.get("/releases")
async def list_releases(rooms: Here, viewer: Reader) -> Releases:
    """What left, and what was refused."""
    return Releases(items=[_told(one) for one in await rooms.releases.ledger(viewer)])


@router.post("/releases", status_code=201)
async def make_release(rooms: Here, viewer: Writer, wanted: NewRelease) -> Release:
    """Draw, measure and let out an aggregate. The same question again is answered as before and spends nothing."""
    span = period(wanted.first_month, wanted.last_month)
    epsilon = USUAL[wanted.kind] if wanted.epsilon is None else wanted.epsilon
    asked = await rooms.releases.asked(viewer, wanted.kind, span, wanted.sites or [], epsilon)
    return _told(await rooms.releases.make(viewer, asked))


@router.get("/releases/{release}")
async def get_release(rooms: Here, viewer: Reader, release: ReleaseId) -> Release:
    """One line of the ledger; what left is at its paths."""
    return _told(await rooms.releases.get(viewer, release))


def _told(one: Entry) -> Release:
    at = f"/release/{one.id}" if one.has_left else ""
    return Release(
        id=one.id,
        kind=Kind(one.kind),
        first_day=date.fromisoformat(one.first),
        before_day=date.fromisoformat(one.until),
        epsilon=f"{one.epsilon:f}",
        has_left=one.has_left,
        measured=[ReleaseFigure(**figure) for figure in one.figures],
        digest=one.digest,
        made_at=one.made_at,
        by=one.made_by,
        json_path=at and f"{at}.json",
        csv_path=at and f"{at}.csv",
    )
