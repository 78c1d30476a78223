"""Alerts: what was raised, and that somebody sees to it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from wattkeeper.charging.alerts.rule import FORMS, PRICES, Kind
from wattkeeper.charging.alerts.standing import State
from wattkeeper.store.alerts.alert import AlertRow, Ended
from wattkeeper.web.api.shapes import (
    Amount,
    Here,
    Nothing,
    Paged,
    StationsReader,
    StationsWriter,
    Told,
    Truth,
    cut,
    place_of,
)

router = APIRouter(tags=["alerts"])
AlertId = Annotated[str, Path(max_length=40, pattern=r"^[0-9a-z]{1,40}$")]


class Alert(Told):
    """One alert, from when it was raised to when it was over."""

    id: str
    rule: str
    kind: Kind
    station: str | None
    site: str | None
    value: Amount = Field(description="What was measured when it was raised, in `unit`.")
    raise_at: Amount = Field(description="The threshold that it reached.")
    unit: str
    figures: dict[str, str] = Field(description="What else was measured.")
    state: State
    is_harm: bool
    raised_at: datetime
    held_until: datetime | None = Field(description="Until when quiet hours held what is to be told.")
    told_at: datetime | None = Field(description="When somebody was first told.")
    acknowledged_at: datetime | None
    cleared_at: datetime | None
    ended: Ended | None = Field(description="Why it is over.")


class AlertList(BaseModel):
    """Alerts, the newest first."""

    items: list[Alert]
    next: str | None


class AlertFilter(Paged):
    """Which alerts."""

    open: Truth | Nothing = Field(None, description="Only those that are on, or only those that are over.")


def alert_of(row: AlertRow) -> Alert:
    """An alert as the API tells it."""
    unit = f"{row.figures.get('currency', '')}/kWh" if row.kind in PRICES else FORMS[row.kind].unit
    return Alert(
        id=row.id,
        rule=row.rule,
        kind=row.kind,
        station=row.station or None,
        site=row.site or None,
        value=row.value,
        raise_at=row.raise_at,
        unit=unit,
        figures=dict(row.figures),
        state=row.state,
        is_harm=row.is_harm,
        raised_at=row.raised_at,
        held_until=row.held_until,
        told_at=row.told_at,
        acknowledged_at=row.acknowledged_at,
        cleared_at=row.cleared_at,
        ended=row.ended if row.ended is not Ended.NOT else None,
    )


@router.get("/alerts")
async def find_alerts(rooms: Here, viewer: StationsReader, asked: Annotated[AlertFilter, Query()]) -> AlertList:
    """The alerts that one may know of: hosts those of their own sites."""
    before = place_of(asked.cursor)
    rows = await rooms.alerts.episodes.find(viewer, asked.limit + 1, is_open=asked.open, before=before)
    kept, following = cut(rows, asked.limit, lambda row: (row.raised_at, row.id))
    return AlertList(items=[alert_of(row) for row in kept], next=following)


@router.post("/alerts/{alert}/acknowledge")
async def acknowledge_alert(rooms: Here, viewer: StationsWriter, alert: AlertId) -> Alert:
    """Say that somebody sees to it; twice is once. One that is over cannot be acknowledged (409)."""
    return alert_of(await rooms.alerts.episodes.acknowledge(viewer, alert))
