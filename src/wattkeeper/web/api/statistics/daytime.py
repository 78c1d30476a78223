"""Time of day: energy, what it cost by the terms of its sites, and what was billed for it, by hour of the day."""

from __future__ import annotations

from datetime import date, datetime
from fractions import Fraction
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from wattkeeper.charging.money.currency import digits_of
from wattkeeper.charging.money.exact import FINE, divided, shown
from wattkeeper.operations.statistics.daytime import Hour
from wattkeeper.web.api.shapes import Amount, Here, SessionsReader
from wattkeeper.web.api.statistics.use import AS_OF, OTHER_MONEY, OtherMoney, SiteSpanFilter, other_money
from wattkeeper.web.api.statistics.when import sites_of

router = APIRouter(tags=["statistics"])


class HourSum(BaseModel):
    """What hours came to. Amounts are null without the scope `bills:read`; those that are text have twelve decimals."""

    energy_wh: Amount
    sessions: int = Field(description="Sessions that began.")
    gross_minor: int | None = Field(description="Billed with tax for the energy, minor units.")
    bought: str | None = Field(
        description="What the energy cost by the terms of its sites, without peak charge; the currency's major unit."
    )
    priced_wh: Amount | None = Field(description="Of which energy that is told.")
    margin_per_kwh: str | None = Field(
        description="Billed with tax less bought, for a kWh; null where some price is not told, or in other money."
    )


class HourOfDay(HourSum):
    """An hour of the day, of all days together."""

    hour: int = Field(description="On the clock of the installation.", ge=0, le=23)


class HourOfDayList(BaseModel):
    """The 24 hours of the day."""

    as_of: datetime = Field(description=AS_OF)
    first_day: date
    last_day: date
    time_zone: str = Field(description="The installation's.")
    currency: str
    digits: int
    other_money: list[OtherMoney] = Field(description=OTHER_MONEY)
    whole: HourSum
    untold: list[str] = Field(description="Sites that delivered energy, and of which nobody told what it costs.")
    items: list[HourOfDay]


@router.get("/statistics/hours-of-day")
async def show_hours_of_day(
    rooms: Here, viewer: SessionsReader, asked: Annotated[SiteSpanFilter, Query()]
) -> HourOfDayList:
    """Energy, what it cost and what was billed by hour of the day."""
    span, sites = asked.span(rooms), await sites_of(rooms, viewer, asked.site)
    as_of = await rooms.statistics.counting.as_of()
    day = await rooms.statistics.daytime.of(viewer, span, asked.site, sites)
    currency = rooms.settings.pay_currency
    digits = digits_of(currency)

    def told(one: Hour) -> dict[str, Any]:
        return _told(one, digits, day.knows_money)

    return HourOfDayList(
        as_of=as_of,
        first_day=span.first,
        last_day=span.last,
        time_zone=rooms.settings.time_zone,
        currency=currency,
        digits=digits,
        other_money=other_money(day.other_money),
        whole=HourSum(**told(day.whole)),
        untold=list(day.untold),
        items=[HourOfDay(hour=hour, **told(one)) for hour, one in enumerate(day.hours)],
    )


def _told(one: Hour, digits: int, knows_money: bool) -> dict[str, Any]:
    """An hour as it is told."""

    def major(minor: Fraction) -> str:
        return f"{shown(divided(minor, 10**digits), FINE):f}"

    margin = one.margin_per_kwh
    money = {
        "gross_minor": one.total.gross_minor,
        "bought": major(Fraction(one.bought.amount)),
        "priced_wh": one.bought.known_wh,
        "margin_per_kwh": None if margin is None else major(margin),
    }
    told = {"energy_wh": one.total.energy_wh, "sessions": one.total.sessions}
    return told | (money if knows_money else dict.fromkeys(money))
