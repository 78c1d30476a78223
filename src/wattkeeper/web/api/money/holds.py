"""The work-list: sessions that wait for a person before or after they are billed, and what is done about them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field, StringConstraints

from wattkeeper.charging.money import billing
from wattkeeper.charging.person import Viewer
from wattkeeper.operations.money.bills import LONGEST, MOST_MINOR, MOST_WH, Done
from wattkeeper.store.money import hold as holds
from wattkeeper.store.money import proposal as proposals
from wattkeeper.store.money.hold import HoldRow, HoldState
from wattkeeper.store.money.proposal import Deed, ProposalRow, ProposalState, Wish
from wattkeeper.web.api.money.bills import Number
from wattkeeper.web.api.sessions import Spoken
from wattkeeper.web.api.shapes import (
    INTEGER,
    PRINTABLE,
    Amount,
    Asked,
    BillsStaff,
    BillsWriter,
    Here,
    Identity,
    Line,
    Nothing,
    Paged,
    SessionId,
    Words,
    cut,
    place_of,
    session_id_of,
)
from wattkeeper.web.rooms import Rooms

router = APIRouter(tags=["bills"])
Said = Annotated[str, StringConstraints(max_length=LONGEST, pattern=PRINTABLE)]
ProposalId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]


class HoldReason(BaseModel):
    """Why a session waits."""

    code: str = Field(description="A code of a finding, or one of its own such as `changed_after_billing`.")
    words: Words
    at: datetime | None
    evidence: dict[str, str] = Field(description="The figures that show it, units in their names.")


class Hold(BaseModel):
    """A session that waits for a person, or waited."""

    session: SessionId
    station: str
    site: str
    since: datetime
    reasons: list[HoldReason]
    currency: str
    digits: int
    gross_minor: int = Field(description="What it comes to as its station told it, with tax, minor units.")
    energy_wh: Amount
    billed_minor: int | None = Field(description="What was billed so far; null: nothing yet.")
    state: HoldState
    settled_at: datetime | None
    settled_by: Words | None
    said: str | None = Field(description="Why, in the words of who settled it.")
    number: str | None = Field(description="The bill that came of it.")


class HoldList(BaseModel):
    """What waits, the newest first."""

    items: list[Hold]
    next: str | None


class HoldFilter(Paged):
    """Which of what waits."""

    state: HoldState | Nothing = Field(None, description="Those that wait now, unless said.")
    station: Identity | Nothing = None
    site: Line | Nothing = None


class Accepted(Asked):
    """Bill it as its station told it."""

    reason: Said = ""


class Corrected(Asked):
    """Bill it for another energy, or for another amount; name one of them."""

    reason: Said
    energy_wh: Annotated[Decimal, Field(ge=0, le=MOST_WH, decimal_places=6)] | None = None
    gross_minor: Annotated[int, Field(ge=0, le=MOST_MINOR), INTEGER] | None = Field(
        None, description="What it shall come to in all, with tax, minor units."
    )


class Waived(Asked):
    """Do not bill it, or leave its bill as it is."""

    reason: Said


class Proposal(BaseModel):
    """What somebody wants to be done, which takes a second person to agree."""

    id: str
    session: SessionId
    deed: Deed
    reason: str
    energy_wh: Amount | None
    gross_minor: int | None
    difference_minor: int = Field(description="What it changes, minor units.")
    currency: str
    digits: int
    created_at: datetime
    created_by: Words
    state: ProposalState
    settled_at: datetime | None
    settled_by: Words | None
    number: str | None = Field(description="The bill that came of it.")


class ProposalList(BaseModel):
    """Proposals, the newest first."""

    items: list[Proposal]
    next: str | None


class ProposalFilter(Paged):
    """Which proposals."""

    state: ProposalState | Nothing = Field(None, description="Those that are open, unless said.")


class Settled(BaseModel):
    """What came of a deed."""

    number: str | None = Field(description="The bill, correction or credit note that was issued.")
    proposal: Proposal | None = Field(description="It changes much, so it waits for a second person to agree.")


@router.get("/holds")
async def find_holds(rooms: Here, viewer: BillsStaff, wanted: Annotated[HoldFilter, Query()]) -> HoldList:
    """What waits for a person, and why, the newest first."""
    state, before = wanted.state or HoldState.OPEN, place_of(wanted.cursor)
    where = {"station": wanted.station, "site": wanted.site}
    async with rooms.store.read() as connection:
        rows = await holds.find(connection, viewer, wanted.limit + 1, state=state, before=before, **where)
    kept, more = cut(rows, wanted.limit, lambda row: (row.since, row.id))
    by = await rooms.names.said(viewer, (row.settled_by for row in kept if row.settled_by))
    return HoldList(items=[_hold(row, by) for row in kept], next=more)


@router.post("/holds/{session}/accept")
async def accept_session(rooms: Here, viewer: BillsWriter, session: Spoken, wish: Accepted) -> Settled:
    """Bill a session that waits as its station told it; one that was billed, for the difference."""
    return await _do(rooms, viewer, session, Wish(deed=Deed.ACCEPT, said=wish.reason))


@router.post("/holds/{session}/correct")
async def correct_session(rooms: Here, viewer: BillsWriter, session: Spoken, wish: Corrected) -> Settled:
    """Bill a session for another energy or amount; one that was billed, by a correction or a credit note."""
    told = Wish(deed=Deed.CORRECT, said=wish.reason, energy_wh=wish.energy_wh, gross_minor=wish.gross_minor)
    return await _do(rooms, viewer, session, told)


@router.post("/holds/{session}/waive")
async def waive_session(rooms: Here, viewer: BillsWriter, session: Spoken, wish: Waived) -> Settled:
    """Do not bill a session that waits; the bill of one that was billed stays as it is."""
    return await _do(rooms, viewer, session, Wish(deed=Deed.WAIVE, said=wish.reason))


@router.post("/bills/{number}/correct")
async def correct_bill(rooms: Here, viewer: BillsWriter, number: Number, wish: Corrected) -> Settled:
    """Correct what was billed for a session by a new document; no bill is ever changed."""
    row, _ = await rooms.bills.explain(viewer, number)
    told = Wish(deed=Deed.CORRECT, said=wish.reason, energy_wh=wish.energy_wh, gross_minor=wish.gross_minor)
    return await _settled(rooms, viewer, await rooms.bills.do(viewer, row.session, told))


@router.get("/proposals")
async def find_proposals(rooms: Here, viewer: BillsStaff, wanted: Annotated[ProposalFilter, Query()]) -> ProposalList:
    """What takes a second person to agree, the newest first."""
    state, before = wanted.state or ProposalState.OPEN, place_of(wanted.cursor)
    async with rooms.store.read() as connection:
        rows = await proposals.find(connection, viewer, wanted.limit + 1, state=state, before=before)
    kept, more = cut(rows, wanted.limit, lambda row: (row.created_at, row.id))
    return ProposalList(items=await _proposals(rooms, viewer, kept), next=more)


@router.post("/proposals/{id}/agree")
async def agree_to_proposal(rooms: Here, viewer: BillsWriter, id: ProposalId) -> Settled:
    """Carry out what somebody else proposed; only a person who is signed in can, and not who proposed it."""
    return await _settled(rooms, viewer, await rooms.bills.agree(viewer, id))


@router.post("/proposals/{id}/reject")
async def reject_proposal(rooms: Here, viewer: BillsWriter, id: ProposalId) -> Proposal:
    """Turn down a proposal: what waited goes on waiting."""
    return (await _proposals(rooms, viewer, [await rooms.bills.reject(viewer, id)]))[0]


async def _do(rooms: Rooms, viewer: Viewer, session: str, wish: Wish) -> Settled:
    return await _settled(rooms, viewer, await rooms.bills.do(viewer, session_id_of(session), wish))


async def _settled(rooms: Rooms, viewer: Viewer, done: Done) -> Settled:
    proposed = [] if done.proposal is None else await _proposals(rooms, viewer, [done.proposal])
    return Settled(number=done.number, proposal=proposed[0] if proposed else None)


def _hold(row: HoldRow, by: dict[str, str]) -> Hold:
    same = {name: getattr(row, name) for name in Hold.model_fields}
    reasons = [
        HoldReason(code=one.code, words=billing.say(one), at=one.at, evidence=one.evidence) for one in row.reasons
    ]
    return Hold(**same | {"reasons": reasons, "settled_by": by[row.settled_by] if row.settled_by else None})


async def _proposals(rooms: Rooms, viewer: Viewer, rows: list[ProposalRow]) -> list[Proposal]:
    """Proposals as the API tells them."""
    by = await rooms.names.said(viewer, (one for row in rows for one in (row.created_by, row.settled_by) if one))
    return [_proposal(row, by) for row in rows]


def _proposal(row: ProposalRow, by: dict[str, str]) -> Proposal:
    names = ("id", "session", "difference_minor", "currency", "digits", "created_at", "state", "settled_at", "number")
    same = {name: getattr(row, name) for name in names}
    return Proposal(
        **same,
        deed=row.wish.deed,
        reason=row.wish.said,
        energy_wh=row.wish.energy_wh,
        gross_minor=row.wish.gross_minor,
        created_by=by[row.created_by],
        settled_by=by[row.settled_by] if row.settled_by else None,
    )
