"""Carbon dioxide of sites: what their energy came to by hour of the day, and by day or month."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from wattkeeper.charging.statistics.carbon import Emitted
from wattkeeper.web.api.shapes import Amount, Here, SessionsReader
from wattkeeper.web.api.statistics.use import AS_OF, SiteSpanFilter, rounded
from wattkeeper.web.api.statistics.when import sites_of

router = APIRouter(tags=["statistics"])


class CarbonSpanFilter(SiteSpanFilter):
    """Of which days and of which site, day by day or month by month."""

    by: Literal["day", "month"] = "day"


class CarbonSum(BaseModel):
    """What energy came to."""

    energy_wh: Amount = Field(description="All of it.")
    known_wh: Amount = Field(description="That of which somebody told what the grid carried.")
    carbon_g: Amount = Field(description="Carbon dioxide of the energy that is known.")
    g_per_kwh: Amount | None = Field(description="On the mean of it; null where none is known.")


class CarbonOfHour(CarbonSum):
    """An hour of the day, of all days together."""

    hour: int = Field(description="On the clock of the installation.", ge=0, le=23)


class CarbonOfDays(CarbonSum):
    """A day, or a month as far as the span has of it."""

    first_day: date
    last_day: date


class CarbonReport(BaseModel):
    """What the energy of a span came to."""

    as_of: datetime = Field(description=AS_OF)
    first_day: date
    last_day: date
    time_zone: str = Field(description="The installation's.")
    whole: CarbonSum
    untold: list[str] = Field(description="Sites that delivered energy, and of whose grid nobody told anything.")
    hours: list[CarbonOfHour] = Field(description="All 24.")
    items: list[CarbonOfDays]


@router.get("/statistics/carbon")
async def show_carbon(rooms: Here, viewer: SessionsReader, asked: Annotated[CarbonSpanFilter, Query()]) -> CarbonReport:
    """Carbon dioxide by hour of the day, and by day or month; what nobody told is apart, never guessed."""
    span, sites = asked.span(rooms), await sites_of(rooms, viewer, asked.site)
    as_of = await rooms.statistics.counting.as_of()
    found = await rooms.statistics.carbon.of(viewer, span, sites, by_month=asked.by == "month")
    hours = [CarbonOfHour(hour=hour, **_sum(one)) for hour, one in enumerate(found.weighed.hours)]
    return CarbonReport(
        as_of=as_of,
        first_day=span.first,
        last_day=span.last,
        time_zone=rooms.settings.time_zone,
        whole=CarbonSum(**_sum(found.weighed.whole)),
        untold=list(found.untold),
        hours=hours,
        items=[CarbonOfDays(first_day=of.first, last_day=of.last, **_sum(one)) for of, one in found.weighed.spans],
    )


def _sum(one: Emitted) -> dict[str, Any]:
    """What energy came to, as it is told."""
    told = {"carbon_g": rounded(one.grams), "g_per_kwh": rounded(one.g_per_kwh)}
    return {"energy_wh": one.energy_wh, "known_wh": one.known_wh, **told}
