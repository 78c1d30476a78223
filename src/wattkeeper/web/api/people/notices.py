"""What the person who asks should know, and what they are asked: is this you?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import Field

from wattkeeper.charging.cards.radar import Reply
from wattkeeper.web.api.shapes import Anyone, Asked, Here, Paged, Told, Words, cut, place_of

router = APIRouter(tags=["notices"])
NoticeId = Annotated[str, Path(pattern=r"^[0-9a-z:]{1,40}$")]
QuestionId = Annotated[str, Path(pattern=r"^[0-9a-f]{24}$")]


class Notice(Told):
    """Something you should know."""

    id: str
    kind: str
    title: Words = Field(description="In your language.")
    text: Words
    words: Mapping[str, str] = Field(description="What the text was made of.")
    created_at: datetime
    read_at: datetime | None


class NoticeList(Told):
    """Your notices, the newest first."""

    items: list[Notice]
    unread: int
    next: str | None


class Question(Told):
    """Is this you? Until you say yes no energy flows."""

    id: str
    card: str = Field(description="What you call the card; empty where you gave it no name.")
    last2: str = Field(description="The last two characters of its number.")
    station: str = Field(description="The station's name.")
    address: str
    reply: Reply
    created_at: datetime
    expires_at: datetime = Field(description="Until when you can answer; after a yes, until when the card can start.")


class QuestionList(Told):
    """The questions that wait for your answer, the newest first."""

    items: list[Question]


class YesNo(StrEnum):
    """The two answers."""

    YES = "yes"
    NO = "no"


class Answer(Asked):
    """Whether it is you."""

    answer: YesNo


@router.get("/notices")
async def find_notices(rooms: Here, viewer: Anyone, wanted: Annotated[Paged, Query()]) -> NoticeList:
    """Your own notices, the newest first."""
    rows = await rooms.notices.mine(viewer, wanted.limit + 1, place_of(wanted.cursor))
    kept, more = cut(rows, wanted.limit, lambda row: (row.created_at, row.id))
    unread = await rooms.notices.unread(viewer)
    return NoticeList(items=[Notice.model_validate(row) for row in kept], unread=unread, next=more)


@router.post("/notices/{id}/read", status_code=204)
async def read_notice(rooms: Here, viewer: Anyone, id: NoticeId) -> None:
    """You have read a notice."""
    await rooms.notices.read(viewer, id)


@router.get("/questions")
async def find_questions(rooms: Here, viewer: Anyone) -> QuestionList:
    """What you are asked: was a card of yours tapped by you? Each waits two minutes."""
    return QuestionList(items=[Question.model_validate(one) for one in await rooms.questions.waiting(viewer)])


@router.post("/questions/{id}")
async def answer_question(rooms: Here, viewer: Anyone, id: QuestionId, told: Answer) -> Question:
    """Yes: the card can start at that station for five minutes. No: it is blocked."""
    is_them = told.answer is YesNo.YES
    return Question.model_validate(await rooms.questions.answer(viewer, id, is_them=is_them))
