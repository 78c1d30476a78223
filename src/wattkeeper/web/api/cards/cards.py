"""Cards: what they may do. Their numbers come in and never go out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, cast

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, Field, StringConstraints
from starlette.convertors import Convertor, register_url_convertor

from wattkeeper.charging.cards.token import CardKind, CardState, Offline, Strength
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.language import retold
from wattkeeper.operations.cards.book import LONGEST_LABEL
from wattkeeper.operations.cards.listing import MOST_SESSIONS, decoded
from wattkeeper.operations.cards.rule import Rule
from wattkeeper.store.cards import card as cards
from wattkeeper.store.cards import card_change
from wattkeeper.store.cards.card import CardRow
from wattkeeper.web.api.cards.limits import NewLimits, ToldLimits, limits_of, told
from wattkeeper.web.api.shapes import (
    INTEGER,
    PRINTABLE,
    Anyone,
    Asked,
    CardsReader,
    CardsWriter,
    Here,
    Instant,
    Line,
    Nothing,
    Paged,
    Words,
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


Settable = Literal[CardState.ACTIVE, CardState.BLOCKED, CardState.LOST, CardState.RETURNED]
Beginning = Literal[CardState.ORDERED, CardState.ACTIVE, CardState.BLOCKED]
Kind = Literal[CardKind.CARD, CardKind.FOB]
Copied = Literal[Strength.NUMBER, Strength.SECURE]
STRENGTH = "How hard it is to copy: `number` by anyone who read it once, `secure` by nobody."
OFFLINE = "What stations do with it while they cannot ask."


class Card(BaseModel):
    """A card: never its number."""

    ref: str = Field(description="Its pseudonym.")
    shown: str | None = Field(description="Its last two characters.", examples=["••7F"])
    label: str | None = Field(description="What its holder calls it; told to its holder alone.")
    kind: CardKind
    state: CardState
    expires_at: datetime | None
    group: str | None
    max_sessions: int
    strength: Strength = Field(description=STRENGTH)
    offline: Offline = Field(description=OFFLINE)
    limits: ToldLimits
    replaced_by: str | None = Field(description="The pseudonym of the card that took its place.")
    created_at: datetime
    changed_at: datetime = Field(description="When its rule last changed.")


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


class CardRule(Asked):
    """What a card may do; members that are absent stay as they are, null takes an expiry, a group or limits away."""

    expires_at: Instant | None = None
    group: Group | None = Field(None, description="One that is not there is made, if you may make groups.")
    max_sessions: Count = Field(1, description="How many sessions may run on it at once.")
    kind: Kind = CardKind.CARD
    strength: Copied = Field(Strength.NUMBER, description=STRENGTH)
    offline: Offline = Field(Offline.REFUSE, description=OFFLINE)
    limits: NewLimits | None = Field(None, description="All of its own limits; those of its group bind it too.")

    def rule(self) -> Rule:
        """What was sent of the card's rule."""
        given = {name: value for name, value in fields_given(self).items() if name in Rule.__annotations__}
        if "limits" in given:
            given["limits"] = limits_of(self.limits)
        return cast(Rule, given)


class CardChanges(CardRule):
    """What is to change of a card."""

    state: Settable = Field(CardState.ACTIVE, description="`returned`: nobody holds it any more.")


class NewCard(CardRule):
    """A card to be enrolled."""

    number: Number = Field(description="As printed or read; kept sealed, never shown again.")
    name: Line | None = Field(None, description="Whose it is; kept sealed under a key of their own.")
    state: Beginning = Field(CardState.ACTIVE, description="`ordered`: it waits to be activated.")


class NewNumber(Asked):
    """The card that takes another's place."""

    number: Number = Field(description="As printed or read; kept sealed, never shown again.")


class CardName(Asked):
    """What a driver calls a card."""

    label: Annotated[str, StringConstraints(max_length=LONGEST_LABEL, pattern=PRINTABLE)]


class CardChange(BaseModel):
    """One change of a card."""

    at: datetime
    by: str = Field(description="Who: an account, a token's name, or `holder`.")
    what: Words


class CardChangeList(BaseModel):
    """Changes of a card, the newest first."""

    items: list[CardChange]
    next: str | None


class Rejected(BaseModel):
    """A row that was not taken."""

    line: int = Field(description="Its line in the file, from 1.")
    why: Words


class ImportReport(BaseModel):
    """What became of a list."""

    imported: int
    updated: int
    rejected_count: int
    rejected: list[Rejected] = Field(description="The first 10,000 of them; good rows were kept.")


@router.get("/cards")
async def find_cards(rooms: Here, viewer: CardsReader, wanted: Annotated[CardFilter, Query()]) -> CardList:
    """Cards, the newest first; drivers see their own."""
    last2 = wanted.last2.upper() if wanted.last2 else None
    before = place_of(wanted.cursor)
    async with rooms.store.read() as connection:
        rows = await cards.find(
            connection, viewer, wanted.limit + 1, state=wanted.state, group=wanted.group, last2=last2, before=before
        )
    kept, more = cut(rows, wanted.limit, lambda row: (row.created_at, row.ref))
    return CardList(items=await _told(rooms, viewer, kept), next=more)


@router.post("/cards", status_code=201)
async def enroll_card(rooms: Here, viewer: CardsWriter, new: NewCard) -> Card:
    """Enroll one card."""
    return await _shown(rooms, viewer, await rooms.cards.enroll(new.number, new.name, new.rule(), viewer))


@router.get("/cards/{ref:card}")
async def show_card(rooms: Here, viewer: CardsReader, ref: Ref) -> Card:
    """One card."""
    return await _shown(rooms, viewer, ref)


EXAMPLE = "number;name;group;expires\n04A2B9;Anna;crew;2027-12-31\n"
CSV = {"required": True, "content": {"text/csv": {"schema": {"type": "string"}, "example": EXAMPLE}}}


@router.post("/cards/import", openapi_extra={"requestBody": CSV})
async def import_cards(rooms: Here, viewer: CardsWriter, request: Request) -> ImportReport:
    """Enroll or change the cards of a CSV file whose first line names the columns.

    Columns: number (required), name, group, expires, max_sessions, state, kind, strength, offline; separated by commas,
    semicolons or tabs. An empty cell leaves what is there. Good rows are kept even where others are rejected. A list
    makes no groups and no passes, unless whoever imports it may.
    """
    report = await rooms.cards.import_csv(decoded(await request.body()), viewer)
    rejected = [Rejected(line=row.line, why=row.why) for row in report.rejected]
    counts = {"imported": report.imported, "updated": report.updated, "rejected_count": report.rejected_count}
    return ImportReport(**counts, rejected=rejected)


@router.patch("/cards/{ref:card}")
async def change_card(rooms: Here, viewer: CardsWriter, ref: Ref, changes: CardChanges) -> Card:
    """Change what a card may do: give it a group, an end, limits; block it, or take it back."""
    await rooms.cards.change(ref, changes.rule(), viewer)
    return await _shown(rooms, viewer, ref)


@router.post("/cards/{ref:card}/block")
async def block_card(rooms: Here, viewer: Anyone, ref: Ref) -> Card:
    """Block a card, one's own (scope cards:hold) or any (cards:write)."""
    await rooms.cards.block(viewer, ref)
    return await _shown(rooms, viewer, ref)


@router.post("/cards/{ref:card}/unblock")
async def unblock_card(rooms: Here, viewer: Anyone, ref: Ref) -> Card:
    """Make a blocked card active; its holder may undo only what they did themselves."""
    await rooms.cards.unblock(viewer, ref)
    return await _shown(rooms, viewer, ref)


@router.post("/cards/{ref:card}/lost")
async def report_card_lost(rooms: Here, viewer: Anyone, ref: Ref) -> Card:
    """Report a card lost, one's own (scope cards:hold) or any (cards:write): nobody charges on it any more."""
    await rooms.cards.report_lost(viewer, ref)
    return await _shown(rooms, viewer, ref)


@router.post("/cards/{ref:card}/name")
async def name_card(rooms: Here, viewer: Anyone, ref: Ref, given: CardName) -> Card:
    """Set what you call a card of your own (scope cards:hold); an empty name takes it away."""
    await rooms.cards.name(viewer, ref, given.label)
    return await _shown(rooms, viewer, ref)


@router.post("/cards/{ref:card}/replace", status_code=201)
async def replace_card(rooms: Here, viewer: CardsWriter, ref: Ref, given: NewNumber) -> Card:
    """Give a card's holder another one with the same rule; the old one ends."""
    return await _shown(rooms, viewer, await rooms.cards.replace(viewer, ref, given.number))


@router.get("/cards/{ref:card}/changes")
async def find_card_changes(
    rooms: Here, viewer: CardsReader, ref: Ref, wanted: Annotated[Paged, Query()]
) -> CardChangeList:
    """What was changed of a card, by whom; drivers see what was changed since they hold it."""
    await found(rooms, viewer, ref)
    async with rooms.store.read() as connection:
        rows = await card_change.find(connection, viewer, ref, wanted.limit + 1, place_of(wanted.cursor))
    kept, more = cut(rows, wanted.limit, lambda row: (row.at, row.id))
    return CardChangeList(items=[CardChange(at=row.at, by=row.by, what=retold(row.what)) for row in kept], next=more)


async def found(rooms: Rooms, viewer: Viewer, ref: str) -> CardRow:
    """The card, where the viewer may see it; Refusal NOT_FOUND."""
    async with rooms.store.read() as connection:
        row = await cards.one(connection, viewer, ref)
    if row is None:
        raise Refusal(Code.NOT_FOUND, phrase("There is no such card."))
    return row


async def _shown(rooms: Rooms, viewer: Viewer, ref: str) -> Card:
    return (await _told(rooms, viewer, [await found(rooms, viewer, ref)]))[0]


async def _told(rooms: Rooms, viewer: Viewer, rows: Sequence[CardRow]) -> list[Card]:
    """Cards as this viewer may see them."""
    labels = await rooms.cards.labels(viewer, rows)
    return [_card(row, labels.get(row.ref)) for row in rows]


def _card(row: CardRow, label: str | None) -> Card:
    return Card(
        ref=row.ref,
        shown=masked(row.last2),
        label=label,
        kind=row.kind,
        state=row.state,
        expires_at=row.expires_at,
        group=row.group,
        max_sessions=row.max_sessions,
        strength=row.strength,
        offline=row.offline,
        limits=told(row.limits),
        replaced_by=row.replaced_by,
        created_at=row.created_at,
        changed_at=row.changed_at,
    )
