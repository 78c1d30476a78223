"""Rules on alerts: when one is raised and cleared, and whom it tells."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field, StringConstraints

from wattkeeper.charging.alerts.quiet import MOST_SPANS
from wattkeeper.charging.alerts.rule import Kind, Rule, Where
from wattkeeper.charging.cards.limits import DAYS, Day, Span
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.operations.alerts.rules import Wish
from wattkeeper.store.alerts.rule import RuleRow
from wattkeeper.web.api.money.terms import TimeOfDay
from wattkeeper.web.api.shapes import (
    INTEGER,
    PRINTABLE,
    Amount,
    Asked,
    Here,
    Line,
    StationsReader,
    StationsWriter,
    Told,
)

router = APIRouter(tags=["alerts"])
RuleId = Annotated[str, Path(max_length=40, pattern=r"^[0-9a-z]{1,40}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=PRINTABLE)]
Figure = Annotated[Decimal, Field(ge=-1_000_000, le=1_000_000, decimal_places=6)]
Wait = Annotated[int, Field(ge=0, le=604_800, multiple_of=60), INTEGER]
Id = Annotated[str, StringConstraints(max_length=40, pattern=r"^[0-9a-z]{1,40}$")]
DayName = Annotated[str, StringConstraints(pattern=r"^(mon|tue|wed|thu|fri|sat|sun)$")]


class QuietHours(Asked):
    """A span of the week in which nobody is told, by the installation's clock."""

    days: Annotated[list[DayName], Field(min_length=1, max_length=7)] = Field(default_factory=lambda: list(DAYS))
    since: TimeOfDay
    until: TimeOfDay = Field(description="Not after `since`: on the day after. 00:00 ends the day.")


class AlertRuleWish(Asked):
    """What a rule is to be."""

    name: Name
    kind: Kind
    reach: Where = Field(Where.EVERYWHERE, description="How far it goes.")
    subject: Line = Field("", description="Which site or station; empty for everything.")
    raise_at: Figure = Field(
        description="An alert is raised at this: minutes, percent, sessions, kWh, or major units of money for a kWh."
    )
    clear_at: Figure = Field(description="And cleared at this, on the good side of the other.")
    limit_kw: Annotated[Decimal, Field(gt=0, le=1_000_000, decimal_places=6)] | None = Field(
        None, description="Of a peak: what 100 percent is; null: what the site's connection bears, as its terms say."
    )
    raise_after_s: Wait = Field(0, description="How long it must be so bad, seconds, whole minutes.")
    clear_after_s: Wait = Field(0, description="How long it must be well again.")
    apart_s: Wait = Field(0, description="The least time between two alerts about the same.")
    is_below: bool = Field(False, description="Whether low is bad: of prices it can be, of uptime it is.")
    quiet: Annotated[list[QuietHours], Field(max_length=MOST_SPANS)] = Field(default_factory=list)
    is_harm: bool = Field(False, description="Whether it is told in quiet hours too.")
    webhooks: Annotated[list[Id], Field(max_length=50)] = Field(default_factory=list)
    accounts: Annotated[list[Id], Field(max_length=50)] = Field(
        default_factory=list, description="Who of the staff is told by mail."
    )


class AlertRule(Told):
    """A rule as it is."""

    id: str
    name: str
    kind: Kind
    reach: Where
    subject: str
    raise_at: Amount
    clear_at: Amount
    limit_kw: Amount | None
    raise_after_s: int
    clear_after_s: int
    apart_s: int
    is_below: bool
    quiet: list[QuietHours]
    is_harm: bool
    webhooks: list[str] = Field(description="For whoever may see every station.")
    accounts: list[str] = Field(description="For whoever may see staff.")
    paused_at: datetime | None
    created_at: datetime


class AlertRuleList(BaseModel):
    """Rules by name."""

    items: list[AlertRule]


class Tried(BaseModel):
    """How many are told that this is a try."""

    told: int


@router.get("/alert-rules")
async def find_alert_rules(rooms: Here, viewer: StationsReader) -> AlertRuleList:
    """The rules that one may know: hosts those about their own sites."""
    return AlertRuleList(items=[_told(row, viewer) for row in await rooms.alerts.rules.find(viewer)])


@router.post("/alert-rules", status_code=201)
async def make_alert_rule(rooms: Here, viewer: StationsWriter, wish: AlertRuleWish) -> AlertRule:
    """Make a rule; it is measured from now on."""
    return _told(await rooms.alerts.rules.make(viewer, _wish(wish)), viewer)


@router.get("/alert-rules/{alert_rule}")
async def get_alert_rule(rooms: Here, viewer: StationsReader, alert_rule: RuleId) -> AlertRule:
    """One rule."""
    return _told(await rooms.alerts.rules.get(viewer, alert_rule), viewer)


@router.put("/alert-rules/{alert_rule}")
async def change_alert_rule(rooms: Here, viewer: StationsWriter, alert_rule: RuleId, wish: AlertRuleWish) -> AlertRule:
    """Make a rule another. Where it measures otherwise, its alerts are over."""
    return _told(await rooms.alerts.rules.change(viewer, alert_rule, _wish(wish)), viewer)


@router.delete("/alert-rules/{alert_rule}", status_code=204)
async def delete_alert_rule(rooms: Here, viewer: StationsWriter, alert_rule: RuleId) -> None:
    """Take a rule away; its alerts are over and stay on record."""
    await rooms.alerts.rules.delete(viewer, alert_rule)


@router.post("/alert-rules/{alert_rule}/pause")
async def pause_alert_rule(rooms: Here, viewer: StationsWriter, alert_rule: RuleId) -> AlertRule:
    """Let a rule rest: its alerts are over; twice is once."""
    return _told(await rooms.alerts.rules.pause(viewer, alert_rule), viewer)


@router.post("/alert-rules/{alert_rule}/resume")
async def resume_alert_rule(rooms: Here, viewer: StationsWriter, alert_rule: RuleId) -> AlertRule:
    """Let a rule be measured again; twice is once."""
    return _told(await rooms.alerts.rules.resume(viewer, alert_rule), viewer)


@router.post("/alert-rules/{alert_rule}/test")
async def try_alert_rule(rooms: Here, viewer: StationsWriter, alert_rule: RuleId) -> Tried:
    """Tell everybody whom a rule tells that this is a try."""
    return Tried(told=await rooms.alerts.rules.test(viewer, alert_rule))


def _wish(asked: AlertRuleWish) -> Wish:
    """What was sent, as a wish."""
    rule = Rule(
        kind=asked.kind,
        where=asked.reach,
        subject=asked.subject,
        raise_at=asked.raise_at,
        clear_at=asked.clear_at,
        limit_kw=asked.limit_kw,
        raise_after=timedelta(seconds=asked.raise_after_s),
        clear_after=timedelta(seconds=asked.clear_after_s),
        apart=timedelta(seconds=asked.apart_s),
        is_below=asked.is_below,
        quiet=tuple(_span(one) for one in asked.quiet),
        is_harm=asked.is_harm,
    )
    return Wish(asked.name, rule, tuple(asked.webhooks), tuple(asked.accounts))


def _span(one: QuietHours) -> Span:
    days = frozenset(DAYS[day] for day in one.days)
    return Span(time.fromisoformat(one.since), time.fromisoformat(one.until), days)


def _told(row: RuleRow, viewer: Viewer) -> AlertRule:
    """A rule as the viewer is told of it."""
    rule = row.rule
    waits = {f"{name}_s": int(getattr(rule, name).total_seconds()) for name in ("raise_after", "clear_after", "apart")}
    return AlertRule(
        id=row.id,
        name=row.name,
        kind=rule.kind,
        reach=rule.where,
        subject=rule.subject,
        raise_at=rule.raise_at,
        clear_at=rule.clear_at,
        limit_kw=rule.limit_kw,
        **waits,
        is_below=rule.is_below,
        quiet=[_quiet(span) for span in rule.quiet],
        is_harm=rule.is_harm,
        webhooks=list(row.hooks) if viewer.may(Scope.STATIONS_READ) else [],
        accounts=list(row.accounts) if viewer.may(Scope.STAFF_READ) else [],
        paused_at=row.paused_at,
        created_at=row.created_at,
    )


def _quiet(span: Span) -> QuietHours:
    days = [Day(day).short for day in sorted(span.days)]
    return QuietHours(days=days, since=f"{span.since:%H:%M}", until=f"{span.until:%H:%M}")
