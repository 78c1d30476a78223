"""What does not fit together about sessions, over a period: for whoever checks the books."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Security
from pydantic import BaseModel, Field, StringConstraints

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.money.discrepancy import Discrepancy, Gravity, Kind
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.money.discrepancies import SessionsAudit, Total, audit_sessions, need_order
from wattkeeper.store.money.discrepancy import Period
from wattkeeper.web.api.shapes import (
    PRINTABLE,
    Amount,
    Asked,
    Here,
    Instant,
    Limit,
    Nothing,
    SessionId,
    Words,
    viewer_of,
)

router = APIRouter(tags=["audit"])
Auditor = Annotated[Viewer, Security(viewer_of, scopes=[Scope.SESSIONS_READ.value, Scope.BILLS_READ.value])]
Site = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=PRINTABLE)]
USUAL, LONGEST = timedelta(days=31), timedelta(days=366)
"""How long a period is where its begin is not said, and how long it may be."""

Weight = Literal["note", "doubt", "grave"]
GRAVITY: Mapping[Gravity, Weight] = {Gravity.NOTE: "note", Gravity.DOUBT: "doubt", Gravity.GRAVE: "grave"}


class Sum(BaseModel):
    """An amount of money in question."""

    currency: str
    digits: int = Field(description="Digits of the minor unit after the point.")
    minor: int = Field(description="Minor units.")


class Found(BaseModel):
    """How much was found of one kind."""

    kind: Kind
    count: int
    grave: int = Field(description="How many of them are grave.")
    energy_wh: Amount
    amounts: list[Sum]


class Oddity(BaseModel):
    """Something that does not fit together."""

    kind: Kind
    gravity: Weight
    session: SessionId
    other: SessionId | None = Field(description="The other session, where it lies between two.")
    station: str
    evse: int | None
    at: datetime
    words: Words
    energy_wh: Amount = Field(description="The energy in question, Wh.")
    amount_minor: int = Field(description="The money in question, minor units.")
    currency: str = Field(description="ISO 4217; empty where there is no money in question.")


class Audited(BaseModel):
    """What was looked at, and what does not fit together."""

    sessions: int = Field(description="How many sessions were looked at.")
    count: int = Field(description="How much was found.")
    grave: int = Field(description="How much of it is grave.")
    totals: list[Found]
    items: list[Oddity] = Field(description="The first of it, connector by connector.")


class AuditFilter(Asked):
    """Which sessions."""

    since: Instant | Nothing = Field(None, alias="from", description="From then on; 31 days before `to` if absent.")
    until: Instant | Nothing = Field(None, alias="to", description="Before then; now if absent.")
    site: Site | Nothing = None
    limit: Limit = Field(100, description="How many are told one by one; all are counted.")

    def period(self, now: datetime) -> Period:
        """The period; Refusal (INVALID) where it ends before it begins or is longer than a year."""
        until = self.until or now
        since = self.since or max(until, datetime.min.replace(tzinfo=UTC) + USUAL) - USUAL
        need_order(since, until)
        if until - since > LONGEST:
            raise Refusal(Code.INVALID, phrase("The period is longer than a year: ask for one year after the other."))
        return Period(since, until, self.site)


@router.get("/audit/sessions")
async def audit_all_sessions(rooms: Here, viewer: Auditor, wanted: Annotated[AuditFilter, Query()]) -> Audited:
    """What does not fit together about sessions: registers, prices, costs, connectors, times."""
    return _audited(await audit_sessions(rooms.store, viewer, wanted.period(rooms.store.clock()), wanted.limit))


def _audited(found: SessionsAudit) -> Audited:
    totals = [_total(kind, total) for kind, total in found.totals.items()]
    items = [_oddity(one) for one in found.found]
    return Audited(sessions=found.sessions, count=found.count, grave=found.grave, totals=totals, items=items)


def _total(kind: Kind, total: Total) -> Found:
    amounts = [Sum(currency=of[0], digits=of[1], minor=minor) for of, minor in total.amounts.items()]
    return Found(kind=kind, count=total.count, grave=total.grave, energy_wh=total.energy_wh, amounts=amounts)


def _oddity(one: Discrepancy) -> Oddity:
    told = {name: getattr(one, name) for name in ("kind", "station", "evse", "at", "energy_wh", "amount_minor")}
    told |= {"session": one.session, "other": one.other or None, "words": one.words}
    currency = one.currency if one.amount_minor else ""
    return Oddity(gravity=GRAVITY[one.gravity], currency=currency, **told)
