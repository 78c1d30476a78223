"""Cards: what they may do. Their numbers come in and never go out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, cast

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, Field, StringConstraints
from starlette.convertors import Convertor, register_url_convertor

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Viewer
from wattkeeper.charging.token import CardState
from wattkeeper.operations.card_list import MOST_SESSIONS, Rule, decoded
from wattkeeper.store import card as cards
from wattkeeper.store.card import CardRow
from wattkeeper.web.api.shapes import (
    INTEGER,
    Asked,
    CardsReader,
    CardsWriter,
    Here,
    Instant,
    Line,
    Nothing,
    Paged,
    cut,
    fields_given,
    masked,
    place_of,
)
from wattkeeper.web.rooms import Rooms


class AnyCard(Convertor[str]):
    """A card's pseudonym in an address, so that ``/cards/import`` is none."""

    regex = "p[0-9]{1,3}:[0-9a-f]{32}"

    def convert(self, value: str) -> str:
        """As it stands."""
        return value

    def to_string(self, value: str) -> str:
        """As it stands."""
        return value


register_url_convertor("card", AnyCard())
router = APIRouter(tags=["cards"])
Ref = Annotated[str, Path(pattern=r"^p[0-9]{1,3}:[0-9a-f]{32}$", description="The card's pseudonym.")]
Number = Annotated[
    str, StringConstraints(max_length=100, pattern=r"^[ :._-]*[0-9A-Za-z]([ :]*[0-9A-Za-z*=+|@._-]){0,31}[ :]*$")
]
"""The beginning of OCPP's identifierString, with what display adds to it."""
Group = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1F\x7F]+$")]
Count = Annotated[int, Field(ge=1, le=MOST_SESSIONS), INTEGER]


class Card(BaseModel):
    """A card: never its number."""

    ref: str = Field(description="Its pseudonym.")
    shown: str | None = Field(description="Its last two characters.", examples=["••7F"])
    state: CardState
    expires_at: datetime | None
    group: str | None
    max_sessions: int
    created_at: datetime


class CardList(BaseModel):
    """Cards, the newest first."""

    items: list[Card]
    next: str | None


class CardFilter(Paged):
    """Which cards."""

    state: CardState | Nothing = None
    group: Group | Nothing = None
    last2: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z]{2}$")] | Nothing = Field(
        None, description="Its last two characters."
    )


class CardChanges(Asked):
    """What a card may do; members that are absent stay as they are, null takes an expiry or a group away."""

    state: CardState = CardState.ACTIVE
    expires_at: Instant | None = None
    group: Group | None = None
    max_sessions: Count = Field(1, description="How many sessions may run on it at once.")

    def rule(self) -> Rule:
        """What was sent of the card's rule."""
        return cast(Rule, {name: value for name, value in fields_given(self).items() if name in Rule.__annotations__})


class NewCard(CardChanges):
    """A card to be enrolled."""

    number: Number = Field(description="As printed or read; kept sealed, never shown again.")
    name: Line | None = Field(None, description="Whose it is; kept sealed under a key of their own.")


class Rejected(BaseModel):
    """A row that was not taken."""

    line: int = Field(description="Its line in the file, from 1.")
    why: str


class ImportReport(BaseModel):
    """What became of a list."""

    imported: int
    updated: int
    rejected_count: int
    rejected: list[Rejected] = Field(description="The first 10,000 of them; good rows were kept.")


@router.get("/cards")
async def find_cards(rooms: Here, viewer: CardsReader, wanted: Annotated[CardFilter, Query()]) -> CardList:
    """Cards, the newest first."""
    last2 = wanted.last2.upper() if wanted.last2 else None
    before = place_of(wanted.cursor)
    async with rooms.store.read() as connection:
        rows = await cards.find(
            connection, viewer, wanted.limit + 1, state=wanted.state, group=wanted.group, last2=last2, before=before
        )
    kept, more = cut(rows, wanted.limit, lambda row: (row.created_at, row.ref))
    return CardList(items=[_card(row) for row in kept], next=more)


@router.post("/cards", status_code=201)
async def enroll_card(rooms: Here, viewer: CardsWriter, new: NewCard) -> Card:
    """Enroll one card."""
    ref = await rooms.cards.enroll(new.number, new.name, new.rule(), viewer.name)
    return _card(await _found(rooms, viewer, ref))


EXAMPLE = "number;name;group;expires\n04A2B9;Anna;crew;2027-12-31\n"
CSV = {"required": True, "content": {"text/csv": {"schema": {"type": "string"}, "example": EXAMPLE}}}


@router.post("/cards/import", openapi_extra={"requestBody": CSV})
async def import_cards(rooms: Here, viewer: CardsWriter, request: Request) -> ImportReport:
    """Enroll or change the cards of a CSV file whose first line names the columns.

    Columns: number (required), name, group, expires, max_sessions, state; separated by commas, semicolons or tabs. An
    empty cell leaves what is there. Good rows are kept even where others are rejected.
    """
    report = await rooms.cards.import_csv(decoded(await request.body()), viewer.name)
    rejected = [Rejected(line=row.line, why=row.why) for row in report.rejected]
    counts = {"imported": report.imported, "updated": report.updated, "rejected_count": report.rejected_count}
    return ImportReport(**counts, rejected=rejected)


@router.patch("/cards/{ref:card}")
async def change_card(rooms: Here, viewer: CardsWriter, ref: Ref, changes: CardChanges) -> Card:
    """Change what a card may do: block it, give it a group, an end."""
    await rooms.cards.change(ref, changes.rule(), viewer.name)
    return _card(await _found(rooms, viewer, ref))


async def _found(rooms: Rooms, viewer: Viewer, ref: str) -> CardRow:
    async with rooms.store.read() as connection:
        row = await cards.one(connection, viewer, ref)
    if row is None:
        raise Refusal(Code.NOT_FOUND, "There is no such card.")
    return row


def _card(row: CardRow) -> Card:
    return Card(
        ref=row.ref,
        shown=masked(row.last2),
        state=row.state,
        expires_at=row.expires_at,
        group=row.group,
        max_sessions=row.max_sessions,
        created_at=row.created_at,
    )
