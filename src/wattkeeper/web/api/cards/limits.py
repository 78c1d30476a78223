"""What binds a card or a group, as the API words it."""

from __future__ import annotations

from datetime import time
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from wattkeeper.charging.cards.limits import DAYS, NO_LIMITS, Limits, Span
from wattkeeper.web.api.shapes import INTEGER, Amount, Asked, Line

Energy = Annotated[int, Field(ge=0, le=1_000_000_000_000), INTEGER]
Money = Annotated[Decimal, Field(ge=0, le=1_000_000_000, decimal_places=4)]
OClock = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Plug = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]{1,40}$")]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEK: list[Weekday] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
ENERGY = "Energy in a calendar month, Wh: from this much on no session begins."
MONEY = "What its sessions may cost in a calendar month with tax, in the tariff's currency."
SITES = "The sites where it may charge; an empty list is none."
HOURS = "When a session may begin, in the installation's time zone; an empty list is never."
PLUGS = "The kinds of plug it may charge with (OCPI ConnectorType); an empty list is none."


class Hours(Asked):
    """From one time of day to another on some days; where ``until`` is not later, it is on the day after."""

    days: Annotated[list[Weekday], Field(min_length=1, max_length=7)] = Field(WEEK, description="Days it begins.")
    since: OClock = Field("00:00", examples=["08:00"])
    until: OClock = Field("00:00", examples=["18:00"], description="00:00 is the end of the day.")


class NewLimits(Asked):
    """What binds a card, as a whole; null or absent is no limit."""

    energy_wh_month: Energy | None = Field(None, description=ENERGY)
    money_month: Money | None = Field(None, description=MONEY)
    sites: Annotated[list[Line], Field(max_length=1000)] | None = Field(None, description=SITES)
    hours: Annotated[list[Hours], Field(max_length=50)] | None = Field(None, description=HOURS)
    plugs: Annotated[list[Plug], Field(max_length=50)] | None = Field(None, description=PLUGS)

    def limits(self) -> Limits:
        """What was sent, as the rule sees it."""
        return Limits(
            energy_wh_month=None if self.energy_wh_month is None else Decimal(self.energy_wh_month),
            money_month=self.money_month,
            sites=None if self.sites is None else frozenset(self.sites),
            hours=None if self.hours is None else tuple(_span(one) for one in self.hours),
            plugs=None if self.plugs is None else frozenset(self.plugs),
        )


def _span(told: Hours) -> Span:
    since, until = time.fromisoformat(told.since), time.fromisoformat(told.until)
    return Span(since, until, frozenset(DAYS[day] for day in told.days))


def limits_of(given: NewLimits | None) -> Limits:
    """The limits that were sent; null is none."""
    return NO_LIMITS if given is None else given.limits()


class ToldLimits(BaseModel):
    """What binds a card; null is no limit."""

    energy_wh_month: Amount | None = Field(description=ENERGY)
    money_month: Amount | None = Field(description=MONEY)
    sites: list[str] | None = Field(description=SITES)
    hours: list[Hours] | None = Field(description=HOURS)
    plugs: list[str] | None = Field(description=PLUGS)


def told(limits: Limits) -> ToldLimits:
    """Limits as they are told."""
    hours = None if limits.hours is None else [_hours(span) for span in limits.hours]
    sites = None if limits.sites is None else sorted(limits.sites)
    plugs = None if limits.plugs is None else sorted(limits.plugs)
    energy, money = limits.energy_wh_month, limits.money_month
    return ToldLimits(energy_wh_month=energy, money_month=money, sites=sites, hours=hours, plugs=plugs)


def _hours(span: Span) -> Hours:
    days = [name for name, day in DAYS.items() if day in span.days]
    told = {"days": days, "since": f"{span.since:%H:%M}", "until": f"{span.until:%H:%M}"}
    return Hours.model_validate(told)
