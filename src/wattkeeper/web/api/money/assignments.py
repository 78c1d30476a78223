"""Which tariff holds for whom and where: assignments, and the question before anybody charges."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, StringConstraints

from wattkeeper.charging.money.tariffs.assignment import Assignment as Assigned
from wattkeeper.charging.money.tariffs.assignment import Rank
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.privacy.looking import Part
from wattkeeper.operations.money.tariffs.assigning import Asked as Question
from wattkeeper.web.api.money.tariffs import TariffName
from wattkeeper.web.api.orders import CardRef
from wattkeeper.web.api.people.looking import Looker, look
from wattkeeper.web.api.shapes import (
    PLAIN,
    PRINTABLE,
    Asked,
    Here,
    Identity,
    Instant,
    Nothing,
    TariffsReader,
    TariffsWriter,
    Words,
)

router = APIRouter(tags=["prices"])
Subject = Annotated[str, StringConstraints(max_length=80, pattern=PRINTABLE)]
Who = Annotated[str, StringConstraints(max_length=80, pattern=r"^[A-Za-z0-9:_-]*$")]


class NewAssignment(Asked):
    """For whom or where a tariff holds from now on, or later."""

    rank: Literal["driver", "group", "connector", "station", "site", "everyone"]
    subject: Subject = Field("", description="Which person, group, connector (`CP1/2`), station or site.")
    tariff: TariffName | None = Field(description="Null: none any more.")
    valid_from: Instant | None = Field(None, description="Not for what has started before; null: from now.")


class Assignment(BaseModel):
    """That a tariff holds for somebody or somewhere; a later one of the same subject takes its place."""

    n: int = Field(description="In the order in which they were made.")
    rank: Rank
    subject: str | None = Field(description="Null: a person, and you may not know whom.")
    tariff: str | None = Field(description="Null: none any more.")
    valid_from: datetime
    created_at: datetime
    by: Words


class AssignmentList(BaseModel):
    """Every assignment, the newest first."""

    items: list[Assignment]


class AssignmentFilter(Asked):
    """Which assignments."""

    tariff: TariffName | Nothing = None


class WhichFilter(Asked):
    """Who would start where, and when."""

    station: Identity
    evse: Annotated[int, Field(ge=1, le=2**31 - 1), PLAIN] | Nothing = None
    card: CardRef | Nothing = Field(None, description="An enrolled card: its holder and its group count.")
    person: Who | Nothing = Field(None, description="Or a person, as who starts from a phone.")
    at: Instant | Nothing = Field(None, description="Now, unless said.")


class Other(BaseModel):
    """What would hold if the one that does were not assigned."""

    tariff: str
    version: int | None = Field(description="Null: none of its versions is valid by then.")
    words: Words


class Which(BaseModel):
    """The tariff that somebody would get, and why."""

    tariff: str | None = Field(description="Null: no price is set.")
    version: int | None
    rank: Rank
    words: Words = Field(description="Why this one.")
    at: datetime
    others: list[Other] = Field(description="The nearer to the driver first.")


@router.get("/tariff-assignments")
async def find_assignments(
    rooms: Here, viewer: TariffsReader, wanted: Annotated[AssignmentFilter, Query()]
) -> AssignmentList:
    """For whom and where tariffs hold, the newest first."""
    rows = await rooms.assignments.find(viewer, wanted.tariff)
    by = await rooms.names.said(viewer, (row.by for row in rows))
    return AssignmentList(items=[_assignment(viewer, row, by[row.by]) for row in rows])


@router.post("/tariff-assignments", status_code=201)
async def assign_tariff(rooms: Here, viewer: TariffsWriter, new: NewAssignment) -> Assignment:
    """Let a tariff hold for a driver, a group, a connector, a station, a site or everyone; the nearest decides."""
    given: tuple[Any, ...] = (Rank(new.rank), new.subject, new.tariff, new.valid_from)
    row = await rooms.assignments.assign(viewer, *given)
    by = await rooms.names.said(viewer, [row.by])
    return _assignment(viewer, row, by[row.by])


@router.get("/tariffs/which")
async def which_tariff(
    rooms: Here, viewer: TariffsReader, wanted: Annotated[WhichFilter, Query()], given: Looker
) -> Which:
    """Which tariff a driver or a card would get at a connector at an instant, and why.

    For a person, say for what and why you look at them.
    """
    if wanted.person is not None:
        await look(rooms, viewer, given, wanted.person, Part.MONEY)
    names = ("station", "evse", "card", "person", "at")
    choice = await rooms.assignments.which(viewer, Question(**{name: getattr(wanted, name) for name in names}))
    return Which(
        tariff=None if choice.row is None else choice.row.id,
        version=None if choice.row is None else choice.row.version,
        rank=choice.rank,
        words=choice.why,
        at=choice.at,
        others=[
            Other(tariff=one.tariff, version=None if row is None else row.version, words=one.why)
            for one, row in choice.others
        ],
    )


def _assignment(viewer: Viewer, row: Assigned, by: str) -> Assignment:
    is_hidden = row.rank is Rank.DRIVER and not viewer.may(Scope.PERSONS_READ)
    same = {name: getattr(row, name) for name in ("n", "rank", "tariff", "valid_from", "created_at")}
    return Assignment(**same, subject=None if is_hidden else row.subject, by=by)
