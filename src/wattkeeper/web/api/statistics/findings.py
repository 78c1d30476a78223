"""Findings: what the last whole month suggests, in words with an amount."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from wattkeeper.charging.money.currency import digits_of
from wattkeeper.charging.statistics.savings import Finding as Found
from wattkeeper.charging.statistics.savings import Kind
from wattkeeper.store.statistics.total import Part
from wattkeeper.web.api.shapes import Asked, Here, Line, Nothing, SessionsReader, Words
from wattkeeper.web.api.statistics.use import AS_OF, need_part

router = APIRouter(tags=["statistics"])


class SiteFilter(Asked):
    """About which site."""

    site: Line | Nothing = Field(None, description="All that the caller sees if absent.")


class StatisticsFinding(BaseModel):
    """One sentence with an amount, and how it was computed."""

    kind: Kind
    site: str | None = Field(description="Empty: stations without a site; null: all that were asked for.")
    title: Words
    how: Words
    since: datetime
    until: datetime = Field(description="The span it is from.")
    saved_minor: int | None = Field(description="What it is worth a month, minor units; null where it is not money.")
    is_spread: bool = Field(
        description="Whether it rests mostly on energy that is taken to have come evenly: readings lie far apart."
    )
    currency: str = Field(description="ISO 4217; empty where it is not money.")
    digits: int = Field(description="Digits of the minor unit after the point.")


class StatisticsFindings(BaseModel):
    """At most five, the greatest amount first; of several currencies the greatest of each, then the next of each."""

    as_of: datetime = Field(description=AS_OF)
    behind: int = Field(description="Sessions that are still to be counted; while there are, nothing is found. Else 0.")
    items: list[StatisticsFinding]


@router.get("/statistics/findings")
async def find_statistics_findings(
    rooms: Here, viewer: SessionsReader, about: Annotated[SiteFilter, Query()]
) -> StatisticsFindings:
    """What could be saved, stands idle, or is near; with money where the caller may see bills (scope bills:read)."""
    await need_part(rooms, viewer, Part(about.site))
    as_of = await rooms.statistics.counting.as_of()
    behind = await rooms.statistics.counting.behind()
    found = await rooms.statistics.findings.of(viewer, about.site)
    return StatisticsFindings(as_of=as_of, behind=behind, items=[_told(one) for one in found])


def _told(one: Found) -> StatisticsFinding:
    names = ("kind", "site", "title", "how", "since", "until", "saved_minor", "currency", "is_spread")
    digits = digits_of(one.currency) if one.currency else 0
    return StatisticsFinding(**{name: getattr(one, name) for name in names}, digits=digits)
