"""When things happen: by hour of the week, the load of a site by quarter hour, and how long cars stay."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.money.currency import digits_of
from wattkeeper.charging.phrase import phrase
from wattkeeper.charging.statistics.load import Peak, power
from wattkeeper.operations.statistics.when import Slot
from wattkeeper.store.statistics.total import Part
from wattkeeper.web.api.shapes import Amount, Here, SessionsReader
from wattkeeper.web.api.statistics.use import AS_OF, SiteSpanFilter, need_part, rounded

router = APIRouter(tags=["statistics"])
MOST_QUARTER_DAYS = 62
"""Of how many days quarter hours are told at once."""


class HourOfWeek(BaseModel):
    """All hours of the span that are this hour of the week, together."""

    weekday: int = Field(description="1: Monday.", ge=1, le=7)
    hour: int = Field(description="On the clock of the installation.", ge=0, le=23)
    hours: int = Field(description="How many of them there were, as far as the span has come.")
    energy_wh: Amount
    mean_power_w: Amount
    plugged_s: Amount
    mean_plugged: Amount = Field(description="Cars plugged in at once, on average.")
    charging_s: Amount
    mean_charging: Amount = Field(description="Cars charging at once, on average.")
    idle_s: Amount
    unknown_s: Amount = Field(description="Of plugged_s, where it is not known whether energy flowed.")
    unknown: int = Field(description="Of the sessions that began, those of which it is not known.")
    sessions: int = Field(description="Sessions that began.")
    gross_minor: int | None = Field(description="Billed with tax for the energy; null without the scope `bills:read`.")


class HourOfWeekList(BaseModel):
    """The 168 hours of the week."""

    as_of: datetime = Field(description=AS_OF)
    first_day: date
    last_day: date
    time_zone: str = Field(description="The installation's.")
    currency: str
    digits: int
    items: list[HourOfWeek]


class QuarterHour(BaseModel):
    """A quarter hour."""

    at: datetime = Field(description="Its beginning.")
    energy_wh: Amount
    power_w: Amount = Field(description="Its mean power: four times its energy.")
    spread_wh: Amount = Field(
        description="Of its energy, what came between readings more than half an hour apart, and is taken to have come "
        "evenly: when it came, nobody knows."
    )


class SiteLoad(BaseModel):
    """The load of a site: quarter hours that had any, in their order."""

    as_of: datetime = Field(description=AS_OF)
    first_day: date
    last_day: date
    site: str | None = Field(description="Null: all that the caller sees, together.")
    peak: QuarterHour | None = Field(description="The highest, the first of several; null where there was no load.")
    items: list[QuarterHour]


class SitePeak(QuarterHour):
    """The highest quarter hour of a site."""

    site: str


class SitePeakList(BaseModel):
    """The highest quarter hour of each site that had any load, by the site's name."""

    as_of: datetime = Field(description=AS_OF)
    items: list[SitePeak]


class StayCount(BaseModel):
    """How many sessions stayed so long."""

    quarters: int = Field(description="Whole quarter hours.")
    sessions: int


class StayList(BaseModel):
    """Stays of sessions that began in these days and have ended."""

    as_of: datetime = Field(description=AS_OF)
    first_day: date
    last_day: date
    sessions: int
    median_under_s: int | None = Field(description="Half of them or more stayed shorter; null where there were none.")
    items: list[StayCount]


@router.get("/statistics/hours-of-week")
async def show_hours_of_week(
    rooms: Here, viewer: SessionsReader, asked: Annotated[SiteSpanFilter, Query()]
) -> HourOfWeekList:
    """Energy, cars and arrivals by hour of the week."""
    await need_part(rooms, viewer, Part(asked.site))
    as_of = await rooms.statistics.counting.as_of()
    week = await rooms.statistics.when.week(viewer, asked.span(rooms), asked.site)
    currency = rooms.settings.pay_currency
    return HourOfWeekList(
        as_of=as_of,
        first_day=week.span.first,
        last_day=week.span.last,
        time_zone=rooms.settings.time_zone,
        currency=currency,
        digits=digits_of(currency),
        items=[_hour(*place, slot, week.knows_money) for place, slot in sorted(week.slots.items())],
    )


@router.get("/statistics/load")
async def show_load(rooms: Here, viewer: SessionsReader, asked: Annotated[SiteSpanFilter, Query()]) -> SiteLoad:
    """The load of a site by quarter hour, or of all sites together, of at most 62 days."""
    span = asked.span(rooms)
    if span.days > MOST_QUARTER_DAYS:
        why = phrase("Quarter hours are told of at most {most} days at once.", most=MOST_QUARTER_DAYS)
        raise Refusal(Code.INVALID, why)
    await need_part(rooms, viewer, Part(asked.site))
    as_of = await rooms.statistics.counting.as_of()
    load = await rooms.statistics.when.load(viewer, span, asked.site)
    items = [
        QuarterHour(at=at, energy_wh=one, power_w=power(one), spread_wh=load.spread.get(at, Decimal(0)))
        for at, one in load.quarters.items()
    ]
    peak = None if load.peak is None else QuarterHour(**_peak(load.peak))
    return SiteLoad(as_of=as_of, first_day=span.first, last_day=span.last, site=asked.site, peak=peak, items=items)


@router.get("/statistics/peaks")
async def show_peaks(rooms: Here, viewer: SessionsReader, asked: Annotated[SiteSpanFilter, Query()]) -> SitePeakList:
    """The highest quarter hour of each site."""
    await need_part(rooms, viewer, Part(asked.site))
    as_of = await rooms.statistics.counting.as_of()
    found = await rooms.statistics.when.peaks(viewer, asked.span(rooms))
    wanted = {site: peak for site, peak in found.items() if asked.site in (None, site)}
    return SitePeakList(
        as_of=as_of, items=[SitePeak(site=site, **_peak(peak)) for site, peak in sorted(wanted.items())]
    )


@router.get("/statistics/stays")
async def show_stays(rooms: Here, viewer: SessionsReader, asked: Annotated[SiteSpanFilter, Query()]) -> StayList:
    """How long cars stayed, of sessions that began in these days."""
    await need_part(rooms, viewer, Part(asked.site))
    as_of = await rooms.statistics.counting.as_of()
    stays = await rooms.statistics.when.stays(viewer, asked.span(rooms), asked.site)
    median = stays.median
    return StayList(
        as_of=as_of,
        first_day=stays.span.first,
        last_day=stays.span.last,
        sessions=stays.sessions,
        median_under_s=None if median is None else median * 900,
        items=[StayCount(quarters=one, sessions=count) for one, count in stays.quarters.items()],
    )


async def sites_of(rooms: Here, viewer: SessionsReader, site: str | None) -> Sequence[str]:
    """The site that is asked for, or all that the caller sees; Refusal NOT_FOUND as of others."""
    known = await rooms.statistics.use.known(viewer)
    known.need(Part(site))
    return known.sites if site is None else (site,)


def _peak(peak: Peak) -> dict[str, Any]:
    return {"at": peak.at, "energy_wh": peak.power_w / 4, "power_w": peak.power_w, "spread_wh": peak.spread_w / 4}


def _hour(day: int, hour: int, slot: Slot, knows_money: bool) -> HourOfWeek:
    """An hour of the week as it is told."""
    names = ("energy_wh", "plugged_s", "charging_s", "idle_s", "unknown_s", "unknown", "sessions")
    means: dict[str, Decimal] = {
        "mean_power_w": slot.power_w,
        "mean_plugged": slot.plugged,
        "mean_charging": slot.charging,
    }
    told: dict[str, Any] = {name: getattr(slot.total, name) for name in names}
    told |= {name: rounded(one) for name, one in means.items()}
    return HourOfWeek(
        weekday=day + 1,
        hour=hour,
        hours=slot.hours,
        gross_minor=slot.total.gross_minor if knows_money else None,
        **told,
    )
