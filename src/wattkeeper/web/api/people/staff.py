"""Staff: who works here, what they may do, and who is asked to."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field, StringConstraints

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Role, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.people.staff import Invitation, Member
from wattkeeper.store.people import staff as store
from wattkeeper.store.people.account import AccountState
from wattkeeper.store.people.staff import Ways
from wattkeeper.web.api.shapes import PRINTABLE, Asked, Here, StaffReader, StaffWriter, Told
from wattkeeper.web.rooms import Rooms

router = APIRouter(tags=["staff"])
AccountId = Annotated[str, Path(max_length=40, pattern=r"^a[0-9a-f]{1,39}$")]
InvitationId = Annotated[str, Path(max_length=40, pattern=r"^[0-9a-f]{1,40}$")]
Site = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=PRINTABLE)]
Sites = Annotated[list[Site], Field(max_length=200)]
Mail = Annotated[str, StringConstraints(min_length=3, max_length=254, pattern=PRINTABLE)]


class Colleague(Told):
    """Somebody who works here."""

    id: str
    email: str = Field(description="What they sign in with; a plain name where made at the command line.")
    name: str
    role: Role
    sites: list[str] = Field(description="A site host's sites.")
    state: AccountState
    passkeys: int
    password: bool = Field(description="Whether they can sign in with a password.")
    code_app: bool = Field(description="Whether a code of an authenticator app is asked for.")
    company: bool = Field(description="Whether they sign in through their company.")
    sign_ins: int = Field(description="How many sign-ins are good now.")
    created_at: datetime
    seen_at: datetime | None = Field(description="When they were last here, to the minute.")


class Invited(Told):
    """Somebody who was asked to work here and has not answered."""

    id: str
    email: str
    role: Role
    sites: list[str]
    created_at: datetime
    expires_at: datetime


class StaffList(BaseModel):
    """Who works here, the longest serving first, and who is asked to, the newest first."""

    items: list[Colleague]
    invitations: list[Invited]


class NewInvitation(Asked):
    """Somebody to be asked to work here."""

    email: Mail
    role: Role
    sites: Sites = Field(default_factory=list, description="For a site host, and nobody else.")


class StaffChange(Asked):
    """What changes; members that are absent stay as they are. Whatever changes ends their sign-ins."""

    role: Role | None = None
    sites: Sites | None = None
    active: Annotated[bool, Field(strict=True)] | None = Field(None, description="Whether they may come in.")


class Ended(BaseModel):
    """What was ended."""

    sign_ins: int


@router.get("/staff")
async def find_staff(rooms: Here, viewer: StaffReader) -> StaffList:
    """Who works here, and who is asked to."""
    invitations = await rooms.people.staff.invitations(viewer)
    return StaffList(items=await _everyone(rooms, viewer), invitations=[_invited(one) for one in invitations])


@router.post("/staff/invitations", status_code=202)
async def invite(rooms: Here, viewer: StaffWriter, new: NewInvitation) -> None:
    """Ask somebody by e-mail to work here: the answer is the same for every address. Needs a fresh proof."""
    await rooms.people.staff.invite(viewer, new.email, new.role, new.sites)


@router.delete("/staff/invitations/{invitation}", status_code=204)
async def withdraw(rooms: Here, viewer: StaffWriter, invitation: InvitationId) -> None:
    """Take an invitation back: its link is dead at once."""
    await rooms.people.staff.withdraw(viewer, invitation)


@router.patch("/staff/{account}")
async def change(rooms: Here, viewer: StaffWriter, account: AccountId, change: StaffChange) -> Colleague:
    """Change what somebody may do, or whether they may come in. It needs a fresh proof.

    The last owner who can sign in stays: `conflict`.
    """
    now = await _one(rooms, viewer, account)
    staff = rooms.people.staff
    if change.role is not None or change.sites is not None:
        role = change.role or now.role
        kept = now.sites if role is Role.SITE_HOST and role is now.role else []
        await staff.change(viewer, account, role, kept if change.sites is None else change.sites)
    if change.active is not None:
        await (staff.enable if change.active else staff.disable)(viewer, account)
    return await _one(rooms, viewer, account)


@router.delete("/staff/{account}/sign-ins")
async def end_sign_ins(rooms: Here, viewer: StaffWriter, account: AccountId) -> Ended:
    """End everything somebody is signed in with, within a second; needs a fresh proof."""
    return Ended(sign_ins=await rooms.people.staff.end_logins(viewer, account))


async def _everyone(rooms: Rooms, viewer: Viewer) -> list[Colleague]:
    """Everyone who works here."""
    members = await rooms.people.staff.members(viewer)
    async with rooms.store.read() as connection:
        rests = rooms.settings.login_rests(is_staff=True)
        ways = await store.ways(connection, viewer, rooms.store.clock(), rests)
    return [_colleague(one, ways[one.id]) for one in members if one.id in ways]


async def _one(rooms: Rooms, viewer: Viewer, account: str) -> Colleague:
    """Somebody who works here; Refusal NOT_FOUND."""
    for one in await _everyone(rooms, viewer):
        if one.id == account:
            return one
    raise Refusal(Code.NOT_FOUND, phrase("Nobody of that id works here."))


def _colleague(one: Member, ways: Ways) -> Colleague:
    return Colleague(
        id=one.id,
        email=one.email,
        name=one.name,
        role=one.role,
        sites=sorted(one.sites),
        state=one.state,
        passkeys=ways.passkeys,
        password=ways.password,
        code_app=ways.totp,
        company=ways.company,
        sign_ins=ways.logins,
        created_at=one.created_at,
        seen_at=one.seen_at,
    )


def _invited(one: Invitation) -> Invited:
    times = {"created_at": one.created_at, "expires_at": one.expires_at}
    return Invited(id=one.id, email=one.email, role=one.role, sites=sorted(one.sites), **times)
