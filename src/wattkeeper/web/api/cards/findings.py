"""Findings of the clone radar: what is suspicious, and the deed that settles it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Security
from pydantic import BaseModel, Field

from wattkeeper.charging.cards.radar import Pattern, Said, Settled
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.language import retold
from wattkeeper.store.cards import finding as findings
from wattkeeper.store.cards.finding import FindingRow
from wattkeeper.web.api.shapes import Here, Nothing, Paged, Words, cut, masked, place_of, viewer_of
from wattkeeper.web.rooms import Rooms

router = APIRouter(tags=["findings"])
Reader = Annotated[Viewer, Security(viewer_of, scopes=[Scope.FINDINGS_READ.value])]
Writer = Annotated[Viewer, Security(viewer_of, scopes=[Scope.FINDINGS_READ.value, Scope.FINDINGS_WRITE.value])]
FindingId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]


class Finding(BaseModel):
    """Something about a card or a station that a person should look at."""

    id: str
    kind: Pattern
    words: Words = Field(description="What was seen.")
    station: str
    card: str | None = Field(description="The card's pseudonym; null where it is about a station.")
    shown: str | None = Field(description="The card's last two characters.", examples=["••7F"])
    state: Settled
    answer: Said = Field(description="What the card's holder said.")
    created_at: datetime
    settled_at: datetime | None
    settled_by: str | None


class FindingList(BaseModel):
    """Findings, the newest first."""

    items: list[Finding]
    next: str | None


class FindingFilter(Paged):
    """Which findings."""

    state: Settled | Nothing = None
    kind: Pattern | Nothing = None


@router.get("/findings")
async def find_findings(rooms: Here, viewer: Reader, wanted: Annotated[FindingFilter, Query()]) -> FindingList:
    """What the clone radar found, the newest first."""
    before = place_of(wanted.cursor)
    async with rooms.store.read() as connection:
        rows = await findings.find(
            connection, viewer, wanted.limit + 1, state=wanted.state, kind=wanted.kind, before=before
        )
    kept, more = cut(rows, wanted.limit, lambda row: (row.created_at, row.id))
    return FindingList(items=[_finding(row) for row in kept], next=more)


@router.get("/findings/{id}")
async def read_finding(rooms: Here, viewer: Reader, id: FindingId) -> Finding:
    """One finding."""
    return await _found(rooms, viewer, id)


@router.post("/findings/{id}/confirm")
async def confirm_finding(rooms: Here, viewer: Writer, id: FindingId) -> Finding:
    """It was a copy, or somebody guessed: a card that is concerned is blocked. Needs `cards:write` for that."""
    await rooms.findings.confirm(viewer, id)
    return await _found(rooms, viewer, id)


@router.post("/findings/{id}/dismiss")
async def dismiss_finding(rooms: Here, viewer: Writer, id: FindingId) -> Finding:
    """There is an innocent reason: the card may be used as before."""
    await rooms.findings.dismiss(viewer, id)
    return await _found(rooms, viewer, id)


async def _found(rooms: Rooms, viewer: Viewer, identifier: str) -> Finding:
    async with rooms.store.read() as connection:
        row = await findings.one(connection, viewer, identifier)
    if row is None:
        raise Refusal(Code.NOT_FOUND, phrase("There is no such finding."))
    return _finding(row)


def _finding(row: FindingRow) -> Finding:
    return Finding(
        id=row.id,
        kind=row.kind,
        words=retold(row.words),
        station=row.station,
        card=row.token,
        shown=masked(row.last2) if row.token else None,
        state=row.state,
        answer=row.answer,
        created_at=row.created_at,
        settled_at=row.settled_at,
        settled_by=row.settled_by,
    )
