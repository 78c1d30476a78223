"""Who asks, and whether we are well."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from wattkeeper.charging.person import Role, Scope
from wattkeeper.web.api.shapes import Anyone, Here

router = APIRouter(tags=["me"])


class Me(BaseModel):
    """Whose token or sign-in this is."""

    name: str
    """A program's token, or what a person signs in with."""
    account: str | None
    """The id that records name a person by; null for programs."""
    role: Role
    scopes: list[Scope]
    """What may be done anywhere."""
    at_sites: list[Scope]
    """What may be done at `sites` besides."""
    own: list[Scope]
    """What may be done with one's own besides."""
    sites: list[str]


class Health(BaseModel):
    """That we are there."""

    status: Literal["ok"] = "ok"


@router.get("/me")
async def me(viewer: Anyone, rooms: Here) -> Me:
    """Who asks, and what they may do."""
    names = await rooms.names.of(viewer, [viewer.account])
    return Me(
        name=names.get(viewer.account, viewer.name),
        account=viewer.account or None,
        role=viewer.role,
        scopes=sorted(viewer.scopes),
        at_sites=sorted(viewer.at_sites - viewer.scopes),
        own=sorted(viewer.own - viewer.scopes),
        sites=sorted(viewer.sites),
    )


@router.get("/health")
async def health() -> Health:
    """Whether the people's door is open. For anyone."""
    return Health()
