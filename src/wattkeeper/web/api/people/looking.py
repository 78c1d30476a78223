"""What a program, or a page by script, says before it is shown whose something is: headers on the request itself."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import unquote

from fastapi import Depends, Header

from wattkeeper.charging.person import Viewer
from wattkeeper.charging.privacy.looking import CHOSEN, LONGEST, LookPurpose, Part
from wattkeeper.operations.privacy.looking import Given
from wattkeeper.web.rooms import Rooms

PURPOSE = "For what you look at a person: " + ", ".join(one.value for one in CHOSEN) + "."
REASON = "Why, in a sentence; percent-encoded UTF-8 where it is not ASCII. The person reads it."
CASE = "The number of the enquiry, the request or the court's file; the purposes enquiry, rights and legal need one."
Sent = Annotated[str | None, Header(max_length=3 * LONGEST, pattern=r"^[ -~]*$")]


def given_of(
    purpose: Annotated[LookPurpose | None, Header(description=PURPOSE)] = None,
    reason: Annotated[Sent, Header(description=REASON)] = None,
    case: Annotated[Sent, Header(description=CASE)] = None,
) -> Given | None:
    """What the headers say; None where they say nothing."""
    if purpose is None:
        return None
    return Given(purpose, unquote(reason or ""), unquote(case or ""))


Looker = Annotated[Given | None, Depends(given_of)]


async def look(rooms: Rooms, viewer: Viewer, given: Given | None, person: str, *parts: Part) -> None:
    """Open the person where the headers say for what and why, and write down what is about to be shown.

    Refusal PURPOSE (428) where neither the headers nor an opening before said so, FORBIDDEN, INVALID, NOT_FOUND, BUSY.
    """
    if given is not None and person != viewer.person:
        await rooms.looking.open_once(viewer, person, given)
    await rooms.looking.need(viewer, person, *parts)
