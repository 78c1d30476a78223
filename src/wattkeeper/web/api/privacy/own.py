"""The rights of the person who asks, over their own data."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path
from pydantic import Field, StringConstraints
from starlette.responses import StreamingResponse

from wattkeeper.charging.privacy.erasure import IN_WORDS, Plan
from wattkeeper.charging.privacy.rights import Right, Use
from wattkeeper.store.privacy.request import RequestRow
from wattkeeper.web.api.people.account import AccountReader, AccountWriter
from wattkeeper.web.api.shapes import Asked, Here, Told

router = APIRouter(prefix="/account", tags=["account"])
Words = Annotated[str, StringConstraints(max_length=5000)]
ZIP: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A ZIP: data.json with its schema, sessions.jsonl, CSV and a page that says what is in it.",
        "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
    }
}
UseName = Annotated[Use, Path()]


class ToldRecipient(Told):
    """Who else must forget somebody."""

    kind: str
    name: str
    what: str


class Obstacle(Told):
    """What stands in the way."""

    code: str
    text: str
    blocks: bool = Field(description="Whether it keeps the person themselves from being forgotten.")


class ErasurePlan(Told):
    """What would be done to forget somebody."""

    person: str
    destroyed: dict[str, int] = Field(description="Rows by table, deleted with the person's key.")
    sessions: int = Field(description="Sessions that stay: place, time, energy and money, without a person.")
    energy_wh: str
    documents: int = Field(description="Bills and invoices that tax law keeps.")
    documents_until: int | None
    told: list[ToldRecipient]
    obstacles: list[Obstacle]


class Forgotten(Told):
    """That somebody was forgotten."""

    certificate: str = Field(description="The signed statement, JSON: counts and no names. Shown this once.")


class Sure(Asked):
    """That this cannot be undone, and is wanted."""

    forget: Literal["for good"]


class Restriction(Told):
    """A use of data that is objected to, or every use."""

    use: Use
    since: datetime


class RestrictionList(Told):
    """What stands."""

    items: list[Restriction]


class Correction(Asked):
    """What is wrong, and what is right."""

    what: Literal["name", "phone", "address"]
    text: Annotated[str, StringConstraints(max_length=300)]


class PrivacyRequest(Told):
    """Something that was asked about data."""

    id: str
    right: Right
    door: str
    received_at: datetime
    due_at: datetime
    extended_why: str | None
    state: str
    answer: str | None
    answered_at: datetime | None


class PrivacyRequestList(Told):
    """What was asked, the newest first."""

    items: list[PrivacyRequest]


class NewRequest(Asked):
    """What is asked."""

    right: Right
    words: Words = ""


@router.post("/archive", responses=ZIP, response_class=StreamingResponse, response_model=None)
async def fetch_archive(rooms: Here, viewer: AccountReader) -> StreamingResponse:
    """Everything that is kept about you, and nothing of anybody else (needs a fresh proof)."""
    return zipped(await rooms.rights.archives.mine(viewer))


@router.get("/forgetting")
async def plan_forgetting(rooms: Here, viewer: AccountReader) -> ErasurePlan:
    """What would be done to forget you, and what stands in the way."""
    return plan_told(await rooms.rights.forgetting.plan(viewer, viewer.person))


@router.post("/forgetting")
async def forget_me(rooms: Here, viewer: AccountWriter, told: Sure) -> Forgotten:
    """Be forgotten (needs a fresh proof). It cannot be undone; you are signed out everywhere."""
    return Forgotten(certificate=await rooms.rights.forgetting.forget(viewer, viewer.person))


@router.get("/restrictions")
async def find_restrictions(rooms: Here, viewer: AccountReader) -> RestrictionList:
    """What you do not want done with your data."""
    rows = await rooms.rights.restrictions.of(viewer, viewer.person)
    return RestrictionList(items=[Restriction(use=row.use, since=row.since) for row in rows])


@router.put("/restrictions/{use}", status_code=204)
async def object_to(rooms: Here, viewer: AccountWriter, use: UseName) -> None:
    """Object to a use of your data, or to every use but keeping them. It takes effect at once."""
    await rooms.rights.restrictions.set(viewer, viewer.person, use)


@router.delete("/restrictions/{use}", status_code=204)
async def object_no_more(rooms: Here, viewer: AccountWriter, use: UseName) -> None:
    """Take that back."""
    await rooms.rights.restrictions.lift(viewer, viewer.person, use)


@router.post("/corrections", status_code=204)
async def correct(rooms: Here, viewer: AccountWriter, told: Correction) -> None:
    """Put right what is kept about you; empty takes it out. What it was before is kept for you to see."""
    await rooms.rights.rectifying.correct(viewer, viewer.person, told.what, told.text)


@router.get("/requests")
async def find_my_requests(rooms: Here, viewer: AccountReader) -> PrivacyRequestList:
    """What you asked about your data, and what became of it."""
    return PrivacyRequestList(items=[request_told(row) for row in await rooms.rights.requests.mine(viewer)])


@router.post("/requests", status_code=201)
async def ask(rooms: Here, viewer: AccountWriter, told: NewRequest) -> PrivacyRequestList:
    """Ask what nothing here does by itself; a person answers within a month."""
    await rooms.rights.requests.ask(viewer, told.right, told.words)
    return await find_my_requests(rooms, viewer)


def zipped(pieces: Any) -> StreamingResponse:
    """An archive as an answer that nobody on the way keeps."""
    headers = {"Content-Disposition": 'attachment; filename="data.zip"', "Cache-Control": "no-store"}
    return StreamingResponse(pieces, media_type="application/zip", headers=headers)


def plan_told(plan: Plan) -> ErasurePlan:
    """A plan as the API says it."""
    blocked = plan.blocked_for(staff=False)
    return ErasurePlan(
        person=plan.person,
        destroyed={**plan.destroyed},
        sessions=plan.sessions,
        energy_wh=f"{plan.energy_wh:f}",
        documents=plan.documents,
        documents_until=plan.keeps_until,
        told=[ToldRecipient(kind=one.kind.value, name=one.name, what=one.what.value) for one in plan.told],
        obstacles=[Obstacle(code=one.value, text=IN_WORDS[one], blocks=one in blocked) for one in plan.obstacles],
    )


def request_told(row: RequestRow) -> PrivacyRequest:
    """A request as the API says it."""
    return PrivacyRequest.model_validate(row)
