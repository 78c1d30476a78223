"""Apps over the API: registered by staff; let into one's account, and shown out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import Field, StringConstraints

from wattkeeper.charging.person import IN_WORDS, Scope
from wattkeeper.operations.people.apps.apps import LONGEST_NAME, MOST_REDIRECTS, LetIn
from wattkeeper.operations.people.apps.redirects import LONGEST
from wattkeeper.store.people.oauth import ClientRow
from wattkeeper.web.api.shapes import PRINTABLE, Anyone, Asked, Here, TokensReader, TokensWriter, Told, Words

router = APIRouter(tags=["apps"])

PublicId = Annotated[str, Path(max_length=40, pattern=r"^[0-9a-f]{1,40}$")]
AppName = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_NAME, pattern=PRINTABLE)]
Redirect = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST, pattern=r"^[!-~]+$")]


class NewAppClient(Asked):
    """An app to be registered."""

    name: AppName = Field(description="What people read when it asks to be let in.")
    redirects: list[Redirect] = Field(
        min_length=1,
        max_length=MOST_REDIRECTS,
        description="Where people may be sent back to, compared exactly; on 127.0.0.1 and [::1] the port may be any.",
    )
    confidential: bool = Field(
        False, description="Whether it can keep a secret: a server can, an app on a phone cannot."
    )


class AppClient(Told):
    """An app that may ask people to be let in."""

    id: str = Field(description="Its OAuth `client_id`.")
    name: str
    redirects: list[str]
    confidential: bool
    created_at: datetime


class RegisteredAppClient(AppClient):
    """An app just registered."""

    secret: str | None = Field(description="Its OAuth `client_secret`, shown this once.")


class AppClients(Told):
    """Every app."""

    items: list[AppClient]


class Permission(Told):
    """Something an app may do."""

    scope: Scope
    words: Words = Field(description="What that means, for people.")


class AppLetIn(Told):
    """An app that has access to one's account."""

    id: str
    name: str
    may: list[Permission]
    created_at: datetime = Field(description="When it was let in.")
    used_at: datetime | None = Field(description="When it last used its access, to the minute.")


class AppsLetIn(Told):
    """Who has access to one's account."""

    items: list[AppLetIn]


@router.get("/account/apps")
async def let_in(viewer: Anyone, rooms: Here) -> AppsLetIn:
    """Which apps have access to one's own account."""
    return AppsLetIn(items=[_let_in(one) for one in await rooms.apps.let_in(viewer)])


@router.delete("/account/apps/{app}", status_code=204)
async def end(app: PublicId, viewer: Anyone, rooms: Here) -> None:
    """End an app's access to one's own account: within a second, and in the middle of a stream."""
    await rooms.apps.end(viewer, app)


@router.get("/app-clients")
async def clients(viewer: TokensReader, rooms: Here) -> AppClients:
    """Every app that may ask people to be let in."""
    return AppClients(items=[AppClient(**_client(one)) for one in await rooms.apps.clients(viewer)])


@router.post("/app-clients", status_code=201)
async def register(new: NewAppClient, viewer: TokensWriter, rooms: Here) -> RegisteredAppClient:
    """Register an app: it may then ask people to be let in (OAuth 2.1, code with PKCE)."""
    made = await rooms.apps.register(viewer, new.name, new.redirects, secret=new.confidential)
    return RegisteredAppClient(**_client(made.client), secret=made.secret or None)


@router.delete("/app-clients/{app}", status_code=204)
async def remove(app: PublicId, viewer: TokensWriter, rooms: Here) -> None:
    """Forget an app, which ends its access to every account."""
    await rooms.apps.remove(viewer, app)


def _let_in(one: LetIn) -> AppLetIn:
    may = [Permission(scope=scope, words=IN_WORDS[scope]) for scope in sorted(one.scopes)]
    return AppLetIn(id=one.id, name=one.name, may=may, created_at=one.created_at, used_at=one.used_at)


def _client(one: ClientRow) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": one.id,
        "name": one.name,
        "redirects": list(one.redirects),
        "created_at": one.created_at,
    }
    return told | {"confidential": one.secret_hash is not None}
