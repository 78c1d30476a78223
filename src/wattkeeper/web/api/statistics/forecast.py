"""The forecast of a site's load: the hours of the next seven days with an interval, and how good it was on the past."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from wattkeeper.charging.statistics.forecast import Baseline, Hour, Why
from wattkeeper.operations.statistics.forecasts import Told
from wattkeeper.web.api.shapes import Amount, Here, SessionsReader
from wattkeeper.web.api.statistics.findings import SiteFilter
from wattkeeper.web.api.statistics.use import AS_OF

router = APIRouter(tags=["statistics"])
MILLI = Decimal("0.001")


class ForecastEnergy(BaseModel):
    """What is expected, Wh, and between what it lies in four of five cases."""

    low_wh: Amount
    expected_wh: Amount
    high_wh: Amount


class ForecastHour(ForecastEnergy):
    """An hour that is to come: it is expected to be above as often as below."""

    at: datetime
    last_week_wh: Amount


class ForecastTrial(BaseModel):
    """Each past week forecast from those before it alone."""

    weeks: int = Field(description="How many were compared.")
    error_wh: Amount = Field(description="Mean absolute error of an hour, Wh.")
    baselines_wh: dict[Baseline, Amount] = Field(description="The same of what anybody can say.")
    within: Amount = Field(description="Share of the hours that lay in the interval, where it said more than nothing.")


class LoadForecast(BaseModel):
    """The forecast, or why there is none."""

    as_of: datetime = Field(description=AS_OF)
    known_weeks: int
    why_not: Why | None = Field(description="Why nothing is shown; null where it is.")
    week: ForecastEnergy | None = Field(description="The whole week: a mean, so hours add up to less.")
    hours: list[ForecastHour]
    trial: ForecastTrial


@router.get("/statistics/forecast")
async def forecast_load(rooms: Here, viewer: SessionsReader, about: Annotated[SiteFilter, Query()]) -> LoadForecast:
    """The next seven days by the hour, where they can be told better than by last week's or by the mean.

    That is 168 hours; in a week in which clocks change 167 or 169.
    """
    return _told(await rooms.statistics.forecasts.of(viewer, about.site))


def _told(told: Told) -> LoadForecast:
    made, tried = told.forecast, told.forecast.tried
    hours = [
        ForecastHour(at=at, last_week_wh=_wh(last), **_energy(hour).model_dump())
        for at, last, hour in zip(told.begins, told.last_wh, made.hours, strict=False)
    ]
    return LoadForecast(
        as_of=told.as_of,
        known_weeks=made.known,
        why_not=made.why,
        week=None if made.week is None else _energy(made.week),
        hours=hours,
        trial=ForecastTrial(
            weeks=tried.weeks,
            error_wh=_wh(tried.error_wh),
            baselines_wh={one: _wh(wh) for one, wh in tried.baselines_wh.items()},
            within=_wh(tried.within),
        ),
    )


def _energy(hour: Hour) -> ForecastEnergy:
    return ForecastEnergy(low_wh=_wh(hour.low_wh), expected_wh=_wh(hour.expected_wh), high_wh=_wh(hour.high_wh))


def _wh(value: float) -> Decimal:
    """Three decimals are more than enough."""
    return Decimal(value).quantize(MILLI)
