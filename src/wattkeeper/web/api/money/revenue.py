"""Revenue: what was billed in a period, what is open, and energy billed against energy delivered; as JSON or CSV."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query
from pydantic import BaseModel, Field, StringConstraints
from starlette.responses import Response

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.money import revenue
from wattkeeper.operations.money.papers.sheet import as_csv
from wattkeeper.operations.money.revenue import Report
from wattkeeper.store.money.revenue import Facet, Revenue
from wattkeeper.web.api.shapes import Amount, Asked, BillsStaff, Here, Nothing, Told

router = APIRouter(tags=["bills"])
Month = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]
FIRST, LAST = date(1971, 1, 1), date(9000, 1, 1)
"""Days that anybody can mean: beyond, arithmetic with zones overflows."""
CSV = "text/csv"


class Period(Asked):
    """Which days."""

    month: Month | Nothing = Field(None, description="A month such as 2026-03; the running one where nothing is said.")
    since: date | Nothing = Field(None, description="Or from this day on, with `until`.")
    until: date | Nothing = Field(None, description="Up to the day before this one.")

    def period(self, running: str) -> tuple[date, date]:
        """The days; Refusal (INVALID) where they are none."""
        if self.since is None and self.until is None:
            since, until = revenue.month(self.month or running)
        elif self.month is None and self.since is not None and self.until is not None:
            since, until = self.since, self.until
        else:
            raise Refusal(Code.INVALID, phrase("Give a month, or two days: since and until."))
        if not FIRST <= since <= until <= LAST:
            raise Refusal(Code.INVALID, phrase("The second day must come after the first, and neither be far off."))
        return since, until


class RevenueFilter(Period):
    """Which days, and told apart by what."""

    by: list[Facet] = Field([], max_length=len(Facet), description="Told apart by these.")
    format: Literal["json", "csv"] | Nothing = Field(None, description="What comes; else as `Accept` says.")


class RevenueRow(BaseModel):
    """What was billed of one kind, in one currency."""

    of: dict[Facet, str] = Field(description="By what it was told apart.")
    currency: str
    digits: int = Field(description="Digits of the minor unit after the point.")
    sessions: int
    corrections: int = Field(description="Corrections and credit notes.")
    energy_wh: Amount
    net_minor: int = Field(description="Without tax, minor units.")
    vat_minor: int
    gross_minor: int


class Supply(Told):
    """What a site's grid meters counted, as far into the period as they were read."""

    since: datetime
    until: datetime
    grid_wh: Amount
    delivered_wh: Amount = Field(description="By sessions between the two instants, those that ran on cut there.")
    is_interpolated: bool = Field(description="Whether a register at either end lies between two readings.")


class SiteEnergy(Told):
    """Energy at a site."""

    site: str
    sessions: int
    delivered_wh: Amount = Field(description="By sessions that ended in the period.")
    billed_wh: Amount = Field(description="Of the same sessions, whenever they were billed.")
    grid_wh: Amount | None = Field(
        description="By the site's grid meters, else by stations' main meters; null where none was read twice."
    )
    supply: Supply | None = Field(description="By the site's grid meters; null where none was read around the period.")
    lost_wh: Amount | None = Field(description="What came through them and was delivered in no session.")


class Outstanding(Told):
    """What is owed in one currency, now."""

    currency: str
    debtors: int
    owed_minor: int = Field(description="To the operator, minor units.")
    creditors: int
    owing_minor: int = Field(description="By the operator, minor units.")


class WrittenOff(Told):
    """What is written off, now."""

    account: str = Field(description="`lost:covered`: paid for drivers who pay nothing; `lost:bad_debt`: never paid.")
    currency: str
    amount_minor: int


class RevenueReport(BaseModel):
    """What was billed, by the day of issue in the installation's zone."""

    since: date
    until: date = Field(description="The first day after it.")
    items: list[RevenueRow]
    totals: list[RevenueRow] = Field(description="By currency.")
    energy: list[SiteEnergy] | None = Field(description="Site by site; null without the scope `sessions:read`.")
    outstanding: list[Outstanding] = Field(description="As it is now, whatever the period.")
    written_off: list[WrittenOff] = Field(description="So too.")


TABLE: dict[int | str, dict[str, Any]] = {
    200: {"content": {CSV: {"schema": {"type": "string"}}}, "description": "The report; as CSV the table alone."}
}


@router.get("/revenue", response_model=RevenueReport, responses=TABLE)
async def report_revenue(
    rooms: Here,
    viewer: BillsStaff,
    wanted: Annotated[RevenueFilter, Query()],
    accept: Annotated[str, Header(include_in_schema=False)] = "",
) -> RevenueReport | Response:
    """What was billed from one day until before another, what is open, and energy billed against energy delivered.

    CSV is for spreadsheets: UTF-8 with a byte order mark, money in major units, energy in kWh.
    """
    zone = rooms.settings.zone
    period = wanted.period(revenue.running_month(rooms.store.clock(), zone))
    found = await revenue.report(rooms.store, viewer, zone, period, tuple(dict.fromkeys(wanted.by)))
    if (wanted.format or ("csv" if accept.startswith(CSV) else "json")) == "json":
        return _told(found)
    name = f'attachment; filename="revenue-{found.since}.csv"'
    return Response(as_csv(found.by, found.rows), media_type=CSV, headers={"Content-Disposition": name})


NAMES = ("currency", "digits", "sessions", "corrections", "energy_wh", "net_minor", "vat_minor", "gross_minor")


def _told(found: Report) -> RevenueReport:
    """A report as it is told."""
    return RevenueReport(
        since=found.since,
        until=found.until,
        items=[_row(found.by, one) for one in found.rows],
        totals=[_row((), one) for one in found.totals],
        energy=None if found.energy is None else [SiteEnergy.model_validate(one) for one in found.energy],
        outstanding=[Outstanding.model_validate(one) for one in found.outstanding],
        written_off=[WrittenOff.model_validate(one) for one in found.written_off],
    )


def _row(by: Sequence[Facet], one: Revenue) -> RevenueRow:
    """What was billed of one kind."""
    of = dict(zip(by, one.of, strict=True))
    return RevenueRow(of=of, **{name: getattr(one, name) for name in NAMES})
