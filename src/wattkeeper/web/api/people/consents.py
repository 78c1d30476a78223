"""What the person who asks agrees to beyond what charging needs, and all that they ever said."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field

from wattkeeper.charging.privacy.consent import Consented, Door
from wattkeeper.language import spoken
from wattkeeper.operations.privacy.consents import Choice
from wattkeeper.store.privacy.consent import Said
from wattkeeper.web.api.people.account import AccountReader, AccountWriter
from wattkeeper.web.api.shapes import Asked, Here, Told
from wattkeeper.web.rooms import Rooms

router = APIRouter(prefix="/account/consents", tags=["account"])
PurposeName = Annotated[Consented, Path()]


class ConsentText(Told):
    """A text as it is read, and what proves that it is this one."""

    hash: str = Field(description="SHA-256 of the title, a line feed and the words, in UTF-8, hexadecimal.")
    version: int
    language: str
    title: str
    words: str


class Consent(Told):
    """One thing you may agree to. Nothing that charging needs depends on it."""

    purpose: Consented
    text: ConsentText = Field(description="The newest, in your language: show it before you ask.")
    agrees: bool
    since: datetime | None = Field(description="When you said so last; null where you never did.")


class ConsentSaid(Told):
    """What you said once, and the text before you then."""

    purpose: str
    agreed: bool = Field(description="Whether you agreed; you took it back where not.")
    at: datetime
    door: Door
    text: ConsentText


class ConsentList(Told):
    """What you may agree to, and all that you said, the newest first."""

    items: list[Consent]
    history: list[ConsentSaid]


class ConsentAnswer(Asked):
    """Whether you agree."""

    agrees: bool


@router.get("")
async def find_consents(rooms: Here, viewer: AccountReader) -> ConsentList:
    """What you may agree to, in your language, and all that you ever said."""
    items = [_told(one) for one in await rooms.consents.mine(viewer, spoken())]
    return ConsentList(items=items, history=[_said(one) for one in await rooms.consents.history(viewer)])


@router.put("/{purpose}")
async def say_consent(rooms: Here, viewer: AccountWriter, purpose: PurposeName, told: ConsentAnswer) -> Consent:
    """Agree to the newest text, or take it back. It takes effect at once; saying it twice changes nothing."""
    await rooms.consents.say(viewer, purpose, spoken(), Door.API, agrees=told.agrees)
    return await _one(rooms, viewer, purpose)


async def _one(rooms: Rooms, viewer: AccountWriter, purpose: Consented) -> Consent:
    choices = await rooms.consents.mine(viewer, spoken())
    return next(_told(one) for one in choices if one.purpose is purpose)


def _told(one: Choice) -> Consent:
    text = ConsentText.model_validate(one.text)
    return Consent(purpose=one.purpose, text=text, agrees=one.agrees, since=one.since)


def _said(one: Said) -> ConsentSaid:
    text = ConsentText.model_validate(one.text)
    return ConsentSaid(purpose=one.purpose, agreed=one.is_given, at=one.at, door=Door(one.door), text=text)
