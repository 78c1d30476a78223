"""Persons, one by one, to those who said for what and why; and the looks that came of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Security
from pydantic import Field, StringConstraints

from wattkeeper.charging.person import Role, Scope, Viewer
from wattkeeper.charging.privacy.looking import LONGEST, LONGEST_CASE, LookPurpose, Part
from wattkeeper.operations.privacy.looking import Given
from wattkeeper.operations.privacy.looks import Seen
from wattkeeper.store.people.account import AccountState
from wattkeeper.store.privacy.look import LookRow
from wattkeeper.web.api.people.account import AccountReader
from wattkeeper.web.api.people.looking import Looker, look
from wattkeeper.web.api.shapes import PRINTABLE, Asked, Here, Nothing, Paged, Told, cut, place_of, viewer_of

router = APIRouter(tags=["persons"])
PersonsReader = Annotated[Viewer, Security(viewer_of, scopes=[Scope.PERSONS_READ.value])]
GlassBreaker = Annotated[Viewer, Security(viewer_of, scopes=[Scope.PERSONS_EMERGENCY.value])]
PrivacyReader = Annotated[Viewer, Security(viewer_of, scopes=[Scope.PRIVACY_READ.value])]
PrivacyWriter = Annotated[Viewer, Security(viewer_of, scopes=[Scope.PRIVACY_READ.value, Scope.PRIVACY_WRITE.value])]
PersonId = Annotated[str, Path(max_length=40, pattern=r"^person:[0-9a-f]{1,32}$")]
LookId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]
Reason = Annotated[str, StringConstraints(max_length=LONGEST, pattern=PRINTABLE)]
CaseNumber = Annotated[str, StringConstraints(max_length=LONGEST_CASE, pattern=PRINTABLE)]


class Person(Told):
    """What names somebody."""

    person: str
    name: str
    email: str = Field(description="What they sign in with; empty where they have no account.")
    state: AccountState | None = Field(description="Of their account; null where they have none.")


class NewLook(Asked):
    """For what and why you look."""

    purpose: LookPurpose
    reason: Reason = Field(description="In a sentence. The person reads it.")
    case: CaseNumber = Field("", description="Needed for the purposes enquiry, rights and legal.")


class NewEmergency(Asked):
    """What the emergency is."""

    reason: Reason = Field(description="In five words or more. The person reads it, and so does whoever reviews it.")


class Opened(Told):
    """A person is open to you."""

    id: str
    until: datetime = Field(description="When it closes by itself.")


class LookSeen(Told):
    """That somebody of the staff, or a program, had your data open."""

    id: str
    who: str = Field(description="The end of their account's id, or the program's name: ask the house with it.")
    role: Role
    purpose: LookPurpose
    reason: str
    case: str
    parts: list[Part] = Field(description="What of you they saw.")
    is_emergency: bool = Field(description="Whether they had no right to it but in need.")
    opened_at: datetime
    until: datetime
    reviewed_at: datetime | None = Field(description="When a second person reviewed an emergency.")
    was_right: bool | None = Field(description="What they found.")


class LookAt(LookSeen):
    """A look, to whoever answers for privacy."""

    person: str
    by: str


class LookSeenList(Told):
    """Who looked at you, the newest first."""

    items: list[LookSeen]
    next: str | None


class LookList(Told):
    """Who looked at whom, the newest first."""

    items: list[LookAt]
    next: str | None


class LookFilter(Paged):
    """Which looks."""

    waiting: bool | Nothing = Field(None, description="Only emergencies that wait for a second person.")


class Review(Asked):
    """Whether it was right to break the glass."""

    was_right: bool


@router.get("/persons/{person}")
async def show_person(rooms: Here, viewer: PersonsReader, person: PersonId, given: Looker) -> Person:
    """What names a person. Say for what and why, in headers or by an opening before: it is logged, and they see it."""
    await look(rooms, viewer, given, person, Part.NAME, Part.CONTACT)
    return Person.model_validate(await rooms.looking.see(viewer, person))


@router.post("/persons/{person}/looks", status_code=201)
async def open_person(rooms: Here, viewer: PersonsReader, person: PersonId, new: NewLook) -> Opened:
    """Open a person to you for some minutes. It is logged, and they see it."""
    return _opened(await rooms.looking.open(viewer, person, Given(new.purpose, new.reason, new.case)))


@router.post("/persons/{person}/emergency", status_code=201)
async def break_glass(rooms: Here, viewer: GlassBreaker, person: PersonId, new: NewEmergency) -> Opened:
    """Open a person without the right, in need: owners, privacy officers and the person are told at once."""
    return _opened(await rooms.looking.break_glass(viewer, person, new.reason))


@router.get("/looks")
async def find_looks(rooms: Here, viewer: PrivacyReader, wanted: Annotated[LookFilter, Query()]) -> LookList:
    """Who looked at whom, for what and why."""
    before = place_of(wanted.cursor)
    rows = await rooms.looks.find(viewer, wanted.limit + 1, before, waiting=bool(wanted.waiting))
    kept, more = cut(rows, wanted.limit, lambda row: (row.opened_at, row.id))
    return LookList(items=[LookAt(**_seen(row), person=row.person, by=row.by) for row in kept], next=more)


@router.post("/looks/{look_id}/review", status_code=204)
async def review_look(rooms: Here, viewer: PrivacyWriter, look_id: LookId, said: Review) -> None:
    """Review an emergency that was not yours."""
    await rooms.looks.review(viewer, look_id, was_right=said.was_right)


@router.get("/account/looks")
async def my_looks(rooms: Here, viewer: AccountReader, wanted: Annotated[Paged, Query()]) -> LookSeenList:
    """Who looked at your data, when, for what, why, and what they saw."""
    rows = await rooms.looks.mine(viewer, wanted.limit + 1, place_of(wanted.cursor))
    kept, more = cut(rows, wanted.limit, lambda row: (row.opened_at, row.id))
    return LookSeenList(items=[LookSeen(**_seen(row)) for row in kept], next=more)


def _opened(row: LookRow) -> Opened:
    return Opened(id=row.id, until=row.until)


def _seen(row: Seen) -> dict[str, Any]:
    names = set(LookSeen.model_fields) - {"who", "parts"}
    return {name: getattr(row, name) for name in names} | {"who": row.mark, "parts": list(row.parts)}
