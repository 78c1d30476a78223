"""Tokens: programs that have access by themselves, what each may do, and until when."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field, StringConstraints

from wattkeeper.charging.person import IN_WORDS, Scope
from wattkeeper.operations.access import LONGEST_NAME
from wattkeeper.store.people.api_token import TokenRow
from wattkeeper.web.api.shapes import PRINTABLE, Asked, Here, Instant, TokensReader, TokensWriter, Told, Words

router = APIRouter(tags=["tokens"])
PublicId = Annotated[str, Path(max_length=40, pattern=r"^[0-9a-f]{1,40}$")]
TokenName = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_NAME, pattern=PRINTABLE)]


class May(BaseModel):
    """Something that a token may do."""

    scope: Scope
    words: Words = Field(description="What that means, for people.")


class Token(Told):
    """An API token, never the token itself."""

    id: str
    name: str = Field(description="What it is for.")
    may: list[May]
    created_at: datetime
    expires_at: datetime | None = Field(description="Until when it is good; null: until it is revoked.")
    last_used_at: datetime | None = Field(description="When it was last used, to the minute.")


class TokenList(BaseModel):
    """Tokens, the newest first."""

    items: list[Token]


class NewToken(Asked):
    """A token to be made."""

    name: TokenName = Field(description="What it is for.")
    scopes: list[Scope] = Field(min_length=1, max_length=len(Scope), description="What it may do.")
    expires_at: Instant | None = Field(None, description="Until when it is good; null: until it is revoked.")


class ShownToken(BaseModel):
    """A token, shown this once."""

    token: str = Field(description="Send it as `Authorization: Bearer wk_…`; it cannot be shown again.")


@router.get("/tokens")
async def find_tokens(rooms: Here, viewer: TokensReader) -> TokenList:
    """Which programs have access."""
    return TokenList(items=[_token(row) for row in await rooms.programs.every(viewer)])


@router.post("/tokens", status_code=201)
async def make_token(rooms: Here, viewer: TokensWriter, new: NewToken) -> ShownToken:
    """Give a program access; its token is shown this once. Needs a fresh proof of who asks."""
    return ShownToken(token=await rooms.programs.give(viewer, new.name, new.scopes, new.expires_at))


@router.delete("/tokens/{token}", status_code=204)
async def revoke_token(rooms: Here, viewer: TokensWriter, token: PublicId) -> None:
    """End a program's access, within a second."""
    await rooms.programs.revoke(viewer, token)


def _token(row: TokenRow) -> Token:
    may = [May(scope=scope, words=IN_WORDS[scope]) for scope in Scope if scope in row.scopes]
    return Token(
        id=row.id,
        name=row.name,
        may=may,
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
    )
