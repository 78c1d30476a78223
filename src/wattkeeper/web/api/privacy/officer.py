"""What people ask about their data, for who answers: scopes privacy:read and privacy:write."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Security
from pydantic import Field, StringConstraints
from starlette.responses import StreamingResponse

from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.privacy.looking import Part
from wattkeeper.charging.privacy.rights import Proof, Right, Use
from wattkeeper.operations.privacy.requests import Asked as AskedRequest
from wattkeeper.web.api.people.looking import Looker, look
from wattkeeper.web.api.privacy.own import (
    ZIP,
    Correction,
    ErasurePlan,
    Forgotten,
    PrivacyRequest,
    UseName,
    Words,
    plan_told,
    zipped,
)
from wattkeeper.web.api.shapes import Asked, Here, Told, viewer_of

router = APIRouter(prefix="/privacy", tags=["privacy"])
Reader = Annotated[Viewer, Security(viewer_of, scopes=[Scope.PRIVACY_READ.value])]
Writer = Annotated[Viewer, Security(viewer_of, scopes=[Scope.PRIVACY_WRITE.value])]
RequestId = Annotated[str, Path(max_length=32)]
PersonId = Annotated[str, Path(max_length=64)]
Said = Annotated[str, StringConstraints(min_length=10, max_length=500)]


class OpenRequest(PrivacyRequest):
    """A request, with what was written, where that still opens."""

    person: str = Field(description="Who asks, by the id; empty while nobody knows.")
    proof: Proof
    words: str
    is_late: bool


class OpenRequestList(Told):
    """Requests, overdue ones first."""

    items: list[OpenRequest]


class TakenRequest(Asked):
    """What came by letter, by mail or in person."""

    right: Right
    door: Literal["letter", "mail", "in person"]
    words: Words = ""
    person: Annotated[str, StringConstraints(max_length=64)] = ""
    received_at: datetime | None = None


class Proved(Asked):
    """How somebody proved who they are."""

    proof: Proof
    person: Annotated[str, StringConstraints(max_length=64)] = ""


class Why(Asked):
    """Why it takes longer."""

    why: Said


class Answer(Asked):
    """What was done, or why not; without names."""

    words: Said
    refused: bool = False


class Erasing(Asked):
    """That somebody is forgotten for good."""

    forget: Literal["for good"]
    despite: bool = Field(False, description="Pass over what is owed or still to be billed.")


class ToldRow(Told):
    """Who else must forget somebody, and how far that is (Art. 19)."""

    kind: str
    name: str
    what: str
    state: str
    said: str | None
    created_at: datetime
    settled_at: datetime | None


class Ledger(Told):
    """Everybody who must be told."""

    items: list[ToldRow]


@router.get("/requests")
async def find_requests(rooms: Here, viewer: Reader) -> OpenRequestList:
    """All requests: what is open by when it is due, overdue ones first; then what was answered."""
    return OpenRequestList(items=[_told(one) for one in await rooms.rights.requests.listed(viewer)])


@router.post("/requests", status_code=201)
async def take_request(rooms: Here, viewer: Writer, told: TakenRequest) -> OpenRequest:
    """Note what came by letter, by mail or in person; nobody has proved anything yet."""
    requests = rooms.rights.requests
    made = await requests.enter(viewer, told.person, told.right, told.door, told.words, told.received_at)
    return _told(await requests.one(viewer, made))


@router.post("/requests/{request}/proof", status_code=204)
async def prove_request(rooms: Here, viewer: Writer, request: RequestId, told: Proved) -> None:
    """Note how somebody proved who they are, and who that is."""
    await rooms.rights.requests.prove(viewer, request, told.proof, told.person)


@router.post("/requests/{request}/extension", status_code=204)
async def extend_request(rooms: Here, viewer: Writer, request: RequestId, told: Why) -> None:
    """Take two months more, once, for a reason that the person is told."""
    await rooms.rights.requests.extend(viewer, request, told.why)


@router.post("/requests/{request}/answer", status_code=204)
async def answer_request(rooms: Here, viewer: Writer, request: RequestId, told: Answer) -> None:
    """Say what was done, or why not."""
    await rooms.rights.requests.answer(viewer, request, told.words, refused=told.refused)


@router.get("/people/{person}/plan")
async def plan_erasure(rooms: Here, viewer: Reader, person: PersonId) -> ErasurePlan:
    """What would be done to forget somebody."""
    return plan_told(await rooms.rights.forgetting.plan(viewer, person))


@router.post("/people/{person}/erasure")
async def erase(rooms: Here, viewer: Writer, person: PersonId, told: Erasing) -> Forgotten:
    """Forget somebody (needs a fresh proof). It cannot be undone."""
    done = await rooms.rights.forgetting.forget(viewer, person, despite=told.despite)
    return Forgotten(certificate=done)


@router.get("/people/{person}/recipients")
async def find_recipients(rooms: Here, viewer: Reader, person: PersonId) -> Ledger:
    """Who else must forget somebody who was forgotten, and how far that is."""
    return Ledger(items=[ToldRow.model_validate(row) for row in await rooms.rights.forgetting.told(viewer, person)])


@router.post("/people/{person}/archive", responses=ZIP, response_class=StreamingResponse, response_model=None)
async def fetch_archive_of(rooms: Here, viewer: Writer, person: PersonId, given: Looker) -> StreamingResponse:
    """Somebody's data, to be handed to them once they proved who they are (needs a fresh proof).

    Say for what and why, in headers or by an opening before: it is logged, and they see it.
    """
    whole = await rooms.rights.archives.of(viewer, person)
    await look(rooms, viewer, given, person, Part.ARCHIVE)
    return zipped(whole)


@router.put("/people/{person}/restrictions/{use}", status_code=204)
async def restrict(rooms: Here, viewer: Writer, person: PersonId, use: UseName) -> None:
    """Keep somebody's data and do not use them."""
    await rooms.rights.restrictions.set(viewer, person, Use(use))


@router.delete("/people/{person}/restrictions/{use}", status_code=204)
async def restrict_no_more(rooms: Here, viewer: Writer, person: PersonId, use: UseName) -> None:
    """Use them again."""
    await rooms.rights.restrictions.lift(viewer, person, Use(use))


@router.post("/people/{person}/corrections", status_code=204)
async def correct_for(rooms: Here, viewer: Writer, person: PersonId, told: Correction) -> None:
    """Put right what is kept about somebody."""
    await rooms.rights.rectifying.correct(viewer, person, told.what, told.text)


def _told(one: AskedRequest) -> OpenRequest:
    values = {name: getattr(one.row, name) for name in PrivacyRequest.model_fields}
    return OpenRequest(**values, person=one.row.person, proof=one.row.proof, words=one.words, is_late=one.is_late)
