"""Adding a card of one's own: by a tap at a chosen station, or by the code that came with it; never by its number."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, Field, StringConstraints

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Scope
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.cards.enrolment import EnrolmentView
from wattkeeper.store.cards.enrolment import EnrolmentState
from wattkeeper.web.api.cards.cards import Ref
from wattkeeper.web.api.shapes import PRINTABLE, Anyone, Asked, CardsWriter, Here, Identity, Told, Words

router = APIRouter(tags=["adding cards"])
Label = Annotated[str, StringConstraints(max_length=60, pattern=PRINTABLE)]
ConnectorCode = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[0-9A-Za-z-]+$")]
CardCode = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=PRINTABLE)]
EnrolmentId = Annotated[str, Path(pattern=r"^[0-9a-f]{24}$", description="The wish's id.")]
CALLED = "What the driver calls the card."


class NewEnrolment(Asked):
    """Where the card will be tapped: the `code` on a connector, or a listed `station`."""

    code: ConnectorCode | None = Field(None, description="The code on the connector.")
    station: Identity | None = Field(None, description="A listed station's id.")
    label: Label = Field("", description=CALLED)


class Enrolment(Told):
    """A wish to add a card by tapping it."""

    id: str
    station: str
    state: EnrolmentState = Field(description="`taken`: the card that was tapped cannot be added.")
    words: Words = Field(description="What happened or what to do, in a sentence.")
    card: str | None = Field(description="The card's pseudonym, once it is added.")
    created_at: datetime
    expires_at: datetime = Field(description="The card must be tapped before.")


class Activation(Asked):
    """The code that came with a card."""

    code: CardCode = Field(description="As printed; case, spaces and dashes do not matter.")
    label: Label = Field("", description=CALLED)


class Activated(BaseModel):
    """A card that was added."""

    card: str = Field(description="Its pseudonym.")


class ShownCode(BaseModel):
    """A code, shown this once."""

    card: str
    code: str = Field(description="Send it along with the card; it cannot be shown again.")


@router.post("/enrolments", status_code=201)
async def begin_enrolment(rooms: Here, viewer: Anyone, request: Request, wanted: NewEnrolment) -> Enrolment:
    """Begin to wait for a tap: the card that is held to the reader of that station next becomes one's own.

    It waits two minutes. One driver at a time adds a card at a station.
    """
    viewer.need_own(Scope.CARDS_HOLD)
    if (wanted.code is None) == (wanted.station is None):
        raise Refusal(Code.INVALID, phrase("Name either the `code` on the connector or a `station`."))
    if wanted.code is not None:
        place, _ = await rooms.places.at(viewer, wanted.code, _address(request))
    else:
        place = await rooms.places.place(viewer, wanted.station or "")
    return _told(await rooms.enrolments.open(viewer, place.station, wanted.label.strip()))


@router.post("/enrolments/activate")
async def activate_card(rooms: Here, viewer: Anyone, request: Request, wanted: Activation) -> Activated:
    """Add the card that came with a code. A wrong code and one that was used are told alike."""
    ref = await rooms.enrolments.activate(viewer, wanted.code, wanted.label.strip(), _address(request))
    return Activated(card=ref)


@router.get("/enrolments/{enrolment}")
async def show_enrolment(rooms: Here, viewer: Anyone, enrolment: EnrolmentId) -> Enrolment:
    """How it stands."""
    return _told(await rooms.enrolments.view(viewer, enrolment))


@router.delete("/enrolments/{enrolment}", status_code=204)
async def withdraw_enrolment(rooms: Here, viewer: Anyone, enrolment: EnrolmentId) -> None:
    """Give it up; a card that was added stays."""
    await rooms.enrolments.withdraw(viewer, enrolment)


@router.post("/cards/{ref:card}/activation")
async def make_activation_code(rooms: Here, viewer: CardsWriter, ref: Ref) -> ShownCode:
    """Make the code that gives a card to whoever has it; one that was made before is good no more."""
    return ShownCode(card=ref, code=await rooms.enrolments.make_code(viewer, ref))


def _address(request: Request) -> str:
    """Where the request came from."""
    return request.client.host if request.client else ""


def _told(view: EnrolmentView) -> Enrolment:
    return Enrolment(
        id=view.id,
        station=view.station,
        state=view.state,
        words=view.words,
        card=view.ref,
        created_at=view.created_at,
        expires_at=view.expires_at,
    )
