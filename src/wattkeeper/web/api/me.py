"""Who asks, and whether we are well."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from wattkeeper.charging.person import Role, Scope
from wattkeeper.web.api.shapes import Anyone

router = APIRouter(tags=["me"])


class Me(BaseModel):
    """Whose token or sign-in this is."""

    name: str
    role: Role
    scopes: list[Scope]


class Health(BaseModel):
    """That we are there."""

    status: Literal["ok"] = "ok"


@router.get("/me")
async def me(viewer: Anyone) -> Me:
    """Who asks, and what they may do."""
    return Me(name=viewer.name, role=viewer.role, scopes=sorted(viewer.scopes))


@router.get("/health")
async def health() -> Health:
    """Whether the people's door is open. For anyone."""
    return Health()
