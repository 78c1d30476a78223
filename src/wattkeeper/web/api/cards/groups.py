"""Groups of cards: the same parent id for stations, limits that bind each card, and passes that stop any session."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field, StringConstraints

from wattkeeper.charging.cards.token import Group as Rules
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.cards.groups import PARENT_ID, subject_of
from wattkeeper.store.cards import card_change
from wattkeeper.store.cards import group as groups
from wattkeeper.store.cards.group import GroupRow
from wattkeeper.web.api.cards.limits import NewLimits, ToldLimits, limits_of, told
from wattkeeper.web.api.shapes import Asked, CardsStaff, GroupsWriter, Here, Limit, Nothing, Told
from wattkeeper.web.rooms import Rooms

router = APIRouter(tags=["groups of cards"])
PATTERN = r"^[^\x00-\x1F\x7F]+$"
Name = Annotated[str, Path(min_length=1, max_length=100, pattern=PATTERN, description="The group's name.")]
AfterName = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=PATTERN)]
ParentId = Annotated[str, StringConstraints(pattern=f"^{PARENT_ID}$")]
PARENT = "Told to stations with an accepted card (1.6 parentIdTag, 2.x groupIdToken): the cards may stop each other."
MASTER = "Whether its cards stop any session at the station where they are presented, and start none (2.0.1 C16)."


class NewGroup(Asked):
    """The rules of a group, as a whole."""

    parent_id: ParentId | None = Field(None, description=PARENT)
    is_master_pass: Annotated[bool, Field(strict=True)] = Field(False, description=MASTER)
    limits: NewLimits | None = Field(None, description="What binds each of its cards, beside the card's own limits.")


class Change(Told):
    """One change, by whom."""

    at: datetime
    by: str
    what: str


class Group(BaseModel):
    """A group of cards."""

    name: str
    parent_id: str | None = Field(description=PARENT)
    is_master_pass: bool = Field(description=MASTER)
    limits: ToldLimits
    cards: int = Field(description="How many cards belong to it.")
    created_at: datetime


class WholeGroup(Group):
    """A group, and what was changed of it."""

    changes: list[Change] = Field(description="The newest 100, the newest first.")


class GroupList(BaseModel):
    """Groups by name."""

    items: list[Group]
    next: str | None


class Page(Asked):
    """Which page."""

    limit: Limit = Field(50, description="How many at most.")
    cursor: AfterName | Nothing = Field(None, description="`next` of the page before.")


@router.get("/groups")
async def find_groups(rooms: Here, viewer: CardsStaff, wanted: Annotated[Page, Query()]) -> GroupList:
    """Groups of cards, by name."""
    async with rooms.store.read() as connection:
        rows = await groups.find(connection, viewer, wanted.limit + 1, wanted.cursor)
    kept = rows[: wanted.limit]
    return GroupList(items=[Group(**_told(row)) for row in kept], next=kept[-1].group.name if kept != rows else None)


@router.get("/groups/{name:path}")
async def show_group(rooms: Here, viewer: CardsStaff, name: Name) -> WholeGroup:
    """A group of cards, and what was changed of it."""
    return await _whole(rooms, viewer, name)


@router.put("/groups/{name:path}")
async def put_group(rooms: Here, viewer: GroupsWriter, name: Name, rules: NewGroup) -> WholeGroup:
    """Make a group of cards, or give it these rules."""
    group = Rules(name, rules.parent_id, rules.is_master_pass, limits_of(rules.limits))
    await rooms.groups.put(viewer, group)
    return await _whole(rooms, viewer, name)


@router.delete("/groups/{name:path}", status_code=204)
async def remove_group(rooms: Here, viewer: GroupsWriter, name: Name) -> None:
    """Forget a group that no card belongs to."""
    await rooms.groups.remove(viewer, name)


async def _whole(rooms: Rooms, viewer: Viewer, name: str) -> WholeGroup:
    async with rooms.store.read() as connection:
        row = await groups.one(connection, viewer, name)
        changes = await card_change.find(connection, viewer, subject_of(name), 100)
    if row is None:
        raise Refusal(Code.NOT_FOUND, phrase("There is no such group."))
    return WholeGroup(**_told(row), changes=[Change.model_validate(one) for one in changes])


def _told(row: GroupRow) -> dict[str, Any]:
    group = row.group
    rules = {"parent_id": group.parent_id, "is_master_pass": group.is_master_pass, "limits": told(group.limits)}
    return {"name": group.name, **rules, "cards": row.cards, "created_at": row.created_at}
