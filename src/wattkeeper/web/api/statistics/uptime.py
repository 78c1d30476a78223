"""Reliability: uptime of ports by NEVI and as drivers find it, outages, attempts; and what does not count."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field, StringConstraints

from wattkeeper.charging.statistics.attempt import Kind, Success
from wattkeeper.charging.statistics.span import Span, span_of
from wattkeeper.charging.statistics.uptime import Cause, Exclusion, Uptime
from wattkeeper.operations.statistics.reliability import PortReport, Report, last_year
from wattkeeper.store.statistics.exclusion import ExclusionRow
from wattkeeper.store.statistics.reliability import OutageRow
from wattkeeper.store.statistics.total import Part
from wattkeeper.web.api.shapes import (
    INTEGER,
    PRINTABLE,
    Amount,
    Asked,
    Here,
    Identity,
    Instant,
    Limit,
    Line,
    Nothing,
    SessionsReader,
    StationsWriter,
)
from wattkeeper.web.api.statistics.use import need_part
from wattkeeper.web.rooms import Rooms

router = APIRouter(tags=["statistics"])
MILLIONTH = Decimal("0.000001")
ExclusionId = Annotated[str, Path(max_length=32, pattern=PRINTABLE)]
Note = Annotated[str, StringConstraints(max_length=500, pattern=PRINTABLE)]


class UptimeFilter(Asked):
    """Of which days and of what."""

    first_day: date | Nothing = Field(None, description="With `last_day`; the 365 days that end today if absent.")
    last_day: date | Nothing = Field(None, description="Included.")
    site: Line | Nothing = Field(None, description="Empty: stations without a site.")
    station: Identity | Nothing = None


class OutageFilter(UptimeFilter):
    """Of which days and of what, and how many."""

    limit: Limit = Field(200, description="How many at most, the newest first.")


class PortUptime(BaseModel):
    """How long ports could be used."""

    known_s: Amount = Field(description="Seconds of the span in which they were there: since they were first told of.")
    outage_s: Amount = Field(description="T_outage: seconds in which they could not be used.")
    excluded_s: Amount = Field(description="T_excluded: of these, seconds that staff said do not count.")
    nevi: Amount | None = Field(description="1 - (outage_s - excluded_s) / known_s, 23 CFR 680.116(b)(3); of one.")
    nothing_excluded: Amount | None = Field(description="1 - outage_s / known_s: what drivers found.")
    outages: int = Field(description="How many began in the span.")
    repairs: int = Field(description="How many faults ended in it.")
    mean_time_to_repair_s: Amount | None = Field(description="From the first word of a fault to when it can be used.")


class StartSuccess(BaseModel):
    """What became of attempts that are over, by the day on which they began; shares are of one."""

    plug_ins: int
    plug_ins_charged: int
    plug_in_success: Amount | None
    attempts: int
    charge_start_success: Amount | None = Field(description="ChargeX, as far as OCPP messages tell it.")
    charge_end_success: Amount | None
    session_success: Amount | None


class OnePort(BaseModel):
    """One port (EVSE)."""

    station: str
    site: str
    evse: int
    first_at: datetime = Field(description="For when something was told of it first.")
    uptime: PortUptime
    starts: StartSuccess


class BecameCount(BaseModel):
    """How many attempts became what."""

    kind: Kind
    reason: str
    count: int


class Outage(BaseModel):
    """A span in which a port could not be used, for one cause."""

    station: str
    evse: int
    since: datetime
    until: datetime | None = Field(description="Null: it goes on.")
    cause: Cause
    error: str = Field(description="The station's code.")
    began: datetime = Field(description="When the port went out of use, if for another cause first.")
    excluded: Exclusion | None
    exclusion: str | None = Field(description="The id of what excludes it, or some of it.")


class UptimeReport(BaseModel):
    """Reliability over a span of days."""

    as_of: datetime = Field(description="All that was recorded until then is reckoned.")
    first_day: date
    last_day: date
    uptime: PortUptime = Field(description="Of all ports together.")
    starts: StartSuccess
    ports_above_97_percent: int
    ports: list[OnePort]
    became: list[BecameCount]
    open: list[Outage]


class OutageList(BaseModel):
    """Outages within a span, the newest first."""

    items: list[Outage]


class NewExclusion(Asked):
    """That an outage does not count (23 CFR 680.116(b)(3)); the log keeps who said so."""

    station: Identity
    evse: Annotated[int, Field(ge=1, le=2**31 - 1), INTEGER]
    since: Instant = Field(description="When the outage began, to the microsecond.")
    reason: Exclusion
    note: Note = Field(description="What shows it; 10 to 500 characters, kept sealed.")


class ExcludedSpan(BaseModel):
    """A span of a port that does not count."""

    id: str
    station: str
    evse: int
    since: datetime
    until: datetime
    reason: Exclusion


@router.get("/statistics/uptime")
async def get_uptime(rooms: Here, viewer: SessionsReader, wanted: Annotated[UptimeFilter, Query()]) -> UptimeReport:
    """Uptime of ports, time to repair, and what became of attempts to charge, as far as the caller may see."""
    await need_part(rooms, viewer, _part(wanted))
    as_of = await rooms.statistics.reckoning.as_of()
    report = await rooms.statistics.reliability.report(viewer, _span(rooms, wanted), _part(wanted))
    return _told(report, as_of)


@router.get("/statistics/uptime/outages")
async def list_outages(rooms: Here, viewer: SessionsReader, wanted: Annotated[OutageFilter, Query()]) -> OutageList:
    """Outages of ports within a span."""
    await need_part(rooms, viewer, _part(wanted))
    asked = (_span(rooms, wanted), _part(wanted), wanted.limit)
    return OutageList(items=[_outage(one) for one in await rooms.statistics.reliability.outages(viewer, *asked)])


@router.post("/statistics/uptime/exclusions", status_code=201)
async def exclude_outage(rooms: Here, viewer: StationsWriter, new: NewExclusion) -> ExcludedSpan:
    """Say that an outage does not count, up to now where it goes on."""
    given = (new.station, new.evse, new.since, new.reason, new.note)
    return _excluded(await rooms.statistics.reliability.exclude(viewer, *given))


@router.delete("/statistics/uptime/exclusions/{exclusion}", status_code=204)
async def count_outage_again(rooms: Here, viewer: StationsWriter, exclusion: ExclusionId) -> None:
    """Take back that an outage does not count."""
    await rooms.statistics.reliability.count_again(viewer, exclusion)


def _span(rooms: Rooms, wanted: UptimeFilter) -> Span:
    today = rooms.store.clock().astimezone(rooms.settings.zone).date()
    if wanted.first_day is None and wanted.last_day is None:
        return last_year(today)
    last = wanted.last_day or today
    return span_of(wanted.first_day or last - timedelta(days=364), last)


def _part(wanted: UptimeFilter) -> Part:
    return Part(wanted.site, wanted.station)


def _told(report: Report, as_of: datetime) -> UptimeReport:
    return UptimeReport(
        as_of=as_of,
        first_day=report.span.first,
        last_day=report.span.last,
        uptime=_uptime(report.uptime),
        starts=_starts(report.success),
        ports_above_97_percent=report.enough,
        ports=[_port(one) for one in report.ports],
        became=[BecameCount(kind=kind, reason=why, count=n) for (kind, why), n in sorted(report.counts.items())],
        open=[_outage(one) for one in report.open],
    )


def _port(one: PortReport) -> OnePort:
    named = {name: getattr(one.port, name) for name in ("station", "site", "evse", "first_at")}
    return OnePort(**named, uptime=_uptime(one.uptime), starts=_starts(one.success))


def _uptime(one: Uptime) -> PortUptime:
    return PortUptime(
        known_s=one.known_s,
        outage_s=one.out_s,
        excluded_s=one.excluded_s,
        nevi=_share(one.nevi),
        nothing_excluded=_share(one.found),
        outages=one.outages,
        repairs=one.repairs,
        mean_time_to_repair_s=None if one.mean_repair is None else Decimal(one.mean_repair.total_seconds()),
    )


def _starts(one: Success) -> StartSuccess:
    return StartSuccess(
        plug_ins=one.plug_ins,
        plug_ins_charged=one.plug_ins_charged,
        plug_in_success=_share(one.plug_in),
        attempts=one.attempts,
        charge_start_success=_share(one.charge_start),
        charge_end_success=_share(one.charge_end),
        session_success=_share(one.session),
    )


def _share(share: Decimal | None) -> Decimal | None:
    return None if share is None else share.quantize(MILLIONTH)


def _outage(one: OutageRow) -> Outage:
    names = ("station", "evse", "since", "until", "cause", "error", "began", "excluded")
    return Outage(**{name: getattr(one, name) for name in names}, exclusion=one.exclusion or None)


def _excluded(row: ExclusionRow) -> ExcludedSpan:
    names = ("id", "station", "evse", "since", "until", "reason")
    return ExcludedSpan(**{name: getattr(row, name) for name in names})
