"""What was decided when a card was presented, and why: for support, without a number."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, StringConstraints

from wattkeeper.charging.cards.token import Authorisation
from wattkeeper.charging.identifiers import shown
from wattkeeper.charging.phrase import phrase
from wattkeeper.language import retold
from wattkeeper.store.cards import decision as decisions
from wattkeeper.store.cards.decision import DecisionRow
from wattkeeper.web.api.cards.cards import Ref, found
from wattkeeper.web.api.shapes import Asked, CardsReader, CardsStaff, Here, Identity, Limit, Nothing, Words, masked

router = APIRouter(tags=["cards"])
Before = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,18}$")]
PSEUDONYM = 7
"""Characters of a pseudonym that are shown of a card that is not enrolled: enough to see that it is the same one."""


class Decision(BaseModel):
    """One decision on a card."""

    n: int = Field(description="The number of the journal entry.")
    at: datetime
    station: str
    evse: int | None
    status: Authorisation = Field(description="What the station was told, in our words.")
    reason: Words = Field(description="Why, in a sentence.")
    session: str | None = Field(description="The session concerned.", examples=["K7QM-4XRD-T"])
    card: str | None = Field(description="The card's pseudonym; null where it is none that is enrolled.")
    token: Words = Field(description="What was presented, masked.", examples=["••7F", "p1:6f0c…"])


class DecisionList(BaseModel):
    """Decisions, the newest first."""

    items: list[Decision]
    next: str | None


class Page(Asked):
    """Which page."""

    limit: Limit = Field(50, description="How many at most.")
    cursor: Before | Nothing = Field(None, description="`next` of the page before.")

    @property
    def before(self) -> int | None:
        """The entry that the page before ended with."""
        return None if self.cursor is None else int(self.cursor)


class AtStation(Page):
    """Which decisions."""

    station: Identity | Nothing = Field(None, description="The station where the card was presented.")


@router.get("/cards/{ref:card}/decisions")
async def find_card_decisions(
    rooms: Here, viewer: CardsReader, ref: Ref, wanted: Annotated[Page, Query()]
) -> DecisionList:
    """What was decided when this card was presented, and why; drivers see what was decided while they held it."""
    await found(rooms, viewer, ref)
    async with rooms.store.read() as connection:
        rows = await decisions.of_card(connection, viewer, ref, wanted.limit + 1, wanted.before)
    return _list(rows, wanted.limit)


@router.get("/decisions")
async def find_decisions(rooms: Here, viewer: CardsStaff, wanted: Annotated[AtStation, Query()]) -> DecisionList:
    """What was decided on cards, enrolled or not, at one station or at all of them."""
    async with rooms.store.read() as connection:
        rows = await decisions.at_station(connection, viewer, wanted.station, wanted.limit + 1, wanted.before)
    return _list(rows, wanted.limit)


def _list(rows: Sequence[DecisionRow], limit: int) -> DecisionList:
    kept = rows[:limit]
    return DecisionList(items=[_decision(row) for row in kept], next=str(kept[-1].n) if len(rows) > limit else None)


def _decision(row: DecisionRow) -> Decision:
    is_listed = row.last2 is not None and not row.is_app
    return Decision(
        n=row.n,
        at=row.at,
        station=row.station,
        evse=row.evse,
        status=row.status,
        reason=retold(row.reason),
        session=shown(row.session) if row.session else None,
        card=row.token if is_listed else None,
        token=presented(row),
    )


def presented(row: DecisionRow) -> str:
    """What was presented, masked."""
    if row.is_app:
        return phrase("a start from a phone")
    return masked(row.last2) or f"{row.token[:PSEUDONYM]}…"
