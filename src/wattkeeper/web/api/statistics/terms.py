"""Terms of sites: what energy costs, what the connection bears, and the carbon of the grid, as entered and by hour."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from wattkeeper.charging.money.currency import digits_of
from wattkeeper.charging.statistics.terms import DAY_MIN, MOST_G, MOST_WINDOWS, Terms, Window, clock
from wattkeeper.operations.cards.listing import decoded
from wattkeeper.store.statistics import terms as kept
from wattkeeper.store.statistics.total import Part
from wattkeeper.web.api.money.terms import Price, TimeOfDay
from wattkeeper.web.api.shapes import (
    Amount,
    Asked,
    Here,
    Instant,
    Line,
    SessionsReader,
    TermsReader,
    TermsWriter,
    Words,
)
from wattkeeper.web.api.statistics.use import SiteSpanFilter

router = APIRouter(tags=["statistics"])
MOST_ITEMS = 10_000
Grams = Annotated[Decimal, Field(ge=0, le=MOST_G, decimal_places=6)]
PRICE = "In the currency's major unit; null: not told."
SITE = "Empty: stations without a site, together."
CARBON = "g for a kWh: none, one figure, or 24 by hour of the day where the site is."
EXAMPLE = "at,g_per_kwh\n2026-03-01T00:00Z,312.5\n"
CSV = {"required": True, "content": {"text/csv": {"schema": {"type": "string"}, "example": EXAMPLE}}}


class TermsFilter(Asked):
    """Of which site."""

    site: Line = Field(description=SITE)


class CarbonFilter(SiteSpanFilter):
    """Of which days and of which site."""

    site: Line = Field(description=SITE)


class NewPriceOfTime(Asked):
    """A time of day with its own price of energy."""

    since: TimeOfDay = Field(description="By the clock of the installation, on a quarter hour.")
    until: TimeOfDay = Field(description="Before `since`: past midnight. 00:00 ends the day.")
    energy_price: Price


class NewTerms(Asked):
    """All terms of a site: what is not told here is not told from then on."""

    site: Line = Field(description=SITE)
    since: date | None = Field(None, description="From which day on they hold; null: always, the past too.")
    peak_price: Price | None = Field(None, description="For each kW of a month's highest quarter hour, in that month.")
    energy_price: Price | None = Field(None, description="For a kWh, outside of the times of day.")
    times: Annotated[list[NewPriceOfTime], Field(max_length=MOST_WINDOWS)] = Field(default_factory=list)
    limit_w: Annotated[Decimal, Field(gt=0, le=10**9, decimal_places=6)] | None = Field(
        None, description="What the connection to the grid bears."
    )
    carbon_g_per_kwh: Annotated[list[Grams], Field(max_length=24)] = Field(default_factory=list, description=CARBON)


class PriceOfTime(BaseModel):
    """A time of day with its own price of energy."""

    since: str
    until: str
    energy_price: str


class EnteredTerms(BaseModel):
    """Terms as somebody entered them; prices are text, so that they stay exact."""

    n: int = Field(description="Terms of all sites are numbered as they were entered.")
    site: str
    since: date | None
    currency: str
    peak_price: str | None = Field(description=PRICE)
    energy_price: str | None = Field(description=PRICE)
    times: list[PriceOfTime]
    limit_w: Amount | None
    carbon_g_per_kwh: list[Amount]
    created_at: datetime
    by: Words = Field(description="Who entered them.")


class EnteredTermsList(BaseModel):
    """The terms of a site, those entered last first: of these, the first whose day has come hold."""

    items: list[EnteredTerms]


class CarbonHour(Asked):
    """What a site's grid carried in an hour."""

    at: Instant = Field(description="Its beginning.")
    g_per_kwh: Grams


class NewCarbonHours(Asked):
    """Hours to keep, all or none."""

    site: Line = Field(description=SITE)
    items: list[CarbonHour] = Field(min_length=1, max_length=MOST_ITEMS)


class CarbonHourTold(BaseModel):
    """What a site's grid carried in an hour."""

    at: datetime
    g_per_kwh: Amount


class CarbonHourList(BaseModel):
    """Hours of which files or lists told, in their order."""

    items: list[CarbonHourTold]


class CarbonKept(BaseModel):
    """How many hours were kept."""

    hours: int


@router.get("/statistics/terms")
async def find_terms(rooms: Here, viewer: TermsReader, asked: Annotated[TermsFilter, Query()]) -> EnteredTermsList:
    """What energy costs a site and its grid carries, as it was entered: the hundred entered last."""
    (await rooms.statistics.use.known(viewer)).need(Part(asked.site))
    async with rooms.store.read() as connection:
        rows = await kept.history(connection, viewer, asked.site)
    by = await rooms.names.said(viewer, {row.created_by for row in rows})
    return EnteredTermsList(items=[_told(row, by[row.created_by]) for row in rows])


@router.post("/statistics/terms", status_code=201)
async def enter_terms(rooms: Here, viewer: TermsWriter, new: NewTerms) -> EnteredTerms:
    """Let other terms of a site hold from a day on; those before stay as they were.

    What is the same as what was entered last is not entered twice: sending it again changes nothing.
    """
    entered = await rooms.statistics.terms.enter(viewer, new.site, _terms(new, rooms.settings.pay_currency))
    by = await rooms.names.said(viewer, {entered.created_by})
    return _told(entered, by[entered.created_by])


@router.get("/statistics/terms/carbon")
async def find_carbon_hours(
    rooms: Here, viewer: SessionsReader, asked: Annotated[CarbonFilter, Query()]
) -> CarbonHourList:
    """What a site's grid carried by the hour, as far as files or lists told."""
    (await rooms.statistics.use.known(viewer)).need(Part(asked.site))
    since, until = asked.span(rooms).bounds(rooms.settings.zone)
    async with rooms.store.read() as connection:
        found = await kept.carbon_by_hour(connection, [asked.site], since, until)
    hours = sorted(found.get(asked.site, {}).items())
    return CarbonHourList(items=[CarbonHourTold(at=at, g_per_kwh=grams) for at, grams in hours])


@router.post("/statistics/terms/carbon", status_code=201)
async def enter_carbon_hours(rooms: Here, viewer: TermsWriter, new: NewCarbonHours) -> CarbonKept:
    """Keep what a site's grid carried by the hour, all or none; an hour told before is told anew."""
    hours = [(one.at, one.g_per_kwh) for one in new.items]
    return CarbonKept(hours=await rooms.statistics.terms.enter_hours(viewer, new.site, hours))


@router.post("/statistics/terms/carbon/import", status_code=201, openapi_extra={"requestBody": CSV})
async def import_carbon_hours(
    rooms: Here, viewer: TermsWriter, about: Annotated[TermsFilter, Query()], request: Request
) -> CarbonKept:
    """Keep the same out of a CSV file with the columns at, g_per_kwh; all or none, up to 100,000 hours."""
    text = decoded(await request.body())
    return CarbonKept(hours=await rooms.statistics.terms.enter_carbon(viewer, about.site, text))


# --- as sent, and as told ------------------------------------------------------------------------------------------


def _terms(new: NewTerms, currency: str) -> Terms:
    """What was sent, in minor units."""
    digits = digits_of(currency)

    def minor(price: Decimal | None) -> Decimal | None:
        return None if price is None else price.scaleb(digits)

    return Terms(
        since=new.since,
        peak_minor_per_kw=minor(new.peak_price),
        energy_minor_per_kwh=minor(new.energy_price),
        windows=tuple(
            Window(_minute(one.since), _minute(one.until) or DAY_MIN, one.energy_price.scaleb(digits))
            for one in new.times
        ),
        limit_w=new.limit_w,
        carbon_g_per_kwh=tuple(new.carbon_g_per_kwh),
    )


def _told(row: kept.Entered, by: str) -> EnteredTerms:
    """Terms as the API tells them."""
    terms = row.terms
    digits = digits_of(terms.currency)

    def price(minor: Decimal) -> str:
        return f"{minor.scaleb(-digits).normalize():f}"

    def maybe(minor: Decimal | None) -> str | None:
        return None if minor is None else price(minor)

    times = [
        PriceOfTime(since=clock(one.since_min), until=clock(one.until_min), energy_price=price(one.minor_per_kwh))
        for one in terms.windows
    ]
    told: dict[str, Any] = {"site": row.site, "since": terms.since, "currency": terms.currency, "times": times}
    return EnteredTerms(
        n=row.n,
        **told,
        peak_price=maybe(terms.peak_minor_per_kw),
        energy_price=maybe(terms.energy_minor_per_kwh),
        limit_w=terms.limit_w,
        carbon_g_per_kwh=list(terms.carbon_g_per_kwh),
        created_at=row.created_at,
        by=by,
    )


def _minute(clock: str) -> int:
    """Minutes after midnight."""
    return int(clock[:2]) * 60 + int(clock[3:])
