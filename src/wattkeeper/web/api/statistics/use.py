"""How sites, stations and connectors were used over a span of days, and each day of it."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query
from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.money.currency import digits_of
from wattkeeper.charging.phrase import phrase
from wattkeeper.charging.statistics.span import MOST_DAYS, Span, Usual, span_of, usual
from wattkeeper.operations.statistics.use import Line as Used
from wattkeeper.store.statistics.other_money import Sum
from wattkeeper.store.statistics.total import Part, Total
from wattkeeper.web.api.shapes import Amount, Asked, Here, Identity, Limit, Line, Nothing, SessionsReader
from wattkeeper.web.rooms import Rooms

router = APIRouter(tags=["statistics"])
AS_OF = "All that was recorded until then is counted; sessions that go on, every quarter of an hour."
MILLIONTH = Decimal("0.000001")


class SiteSpanFilter(Asked):
    """Of which days and of which site."""

    first_day: date | Nothing = Field(None, description="With `last_day`; the last 28 whole days if absent.")
    last_day: date | Nothing = Field(None, description=f"Included; at most {MOST_DAYS} days.")
    site: Line | Nothing = Field(
        None, description="Empty: stations without a site; all that the caller sees if absent."
    )

    def span(self, rooms: Rooms) -> Span:
        """The days, by the installation's clock; Refusal INVALID where they are none or too many."""
        if self.first_day is None and self.last_day is None:
            return usual(Usual.WEEKS, rooms.store.clock().astimezone(rooms.settings.zone).date())
        if self.first_day is None or self.last_day is None:
            raise Refusal(Code.INVALID, phrase("Give two days: first_day and last_day."))
        return span_of(self.first_day, self.last_day)


class SpanFilter(SiteSpanFilter):
    """Of which days and of what."""

    station: Identity | Nothing = None

    @property
    def part(self) -> Part:
        """As the store is asked."""
        return Part(self.site, self.station)


Key = tuple[str, str, int, int]
"""A row of how things were used, in the order of rows: site, station, EVSE and connector."""


def _key(text: str) -> str:
    """A cursor as it is kept; ValueError where it is none."""
    try:
        _place(text)
    except (msgspec.MsgspecError, ValueError):
        raise ValueError(phrase("It must be `next` of the page before.")) from None
    return text


def _place(cursor: str) -> Key:
    found: Key = msgspec.json.decode(urlsafe_b64decode(cursor), type=Key)
    return found


class UseFilter(SpanFilter):
    """Of which days and of what, told apart by what, and which page of it."""

    limit: Limit = Field(50, description="How many rows at most.")
    cursor: Annotated[str, StringConstraints(max_length=4_000), AfterValidator(_key)] | Nothing = Field(
        None, description="`next` of the page before."
    )
    by: Literal["site", "station", "connector"] = Field("connector", description="What a row of `items` is about.")


class DaysFilter(SpanFilter):
    """Of which days and of what, day by day or month by month."""

    by: Literal["day", "month"] = "day"


class Sums(BaseModel):
    """What sessions came to: energy, times and money that fell into a span, and sessions that began in it."""

    energy_wh: Amount
    plugged_s: Amount = Field(description="A car was plugged in.")
    charging_s: Amount = Field(description="Energy flowed, as far as that is known.")
    idle_s: Amount = Field(description="A car stood plugged in after its last energy, as far as that is known.")
    unknown_s: Amount = Field(
        description="Of plugged_s, that of sessions of which nobody knows for how long energy flowed: no meter was "
        "read between begin and end. They are in neither charging_s nor idle_s."
    )
    unknown: int = Field(description="Such sessions that began.")
    gross_minor: int | None = Field(description="Billed with tax, minor units; null without the scope `bills:read`.")
    sessions: int = Field(description="Sessions that began.")
    ended: int = Field(description="Of these, those that have ended.")
    empty: int = Field(description="Of these, those that brought no energy.")
    stayed_s: Amount = Field(description="How long the sessions that began stayed, so far.")


class UseRow(Sums):
    """How something was used. Shares are of one."""

    site: str = Field(description="Empty: stations without a site, or all together.")
    station: str = Field(description="Empty where a row is about several.")
    evse: int = Field(description="0: not told, or several.")
    connector: int = Field(description="0: not told, or several.")
    evses: int = Field(description="How many cars could have been plugged in at once.")
    plugged_share: Amount | None = Field(description="plugged_s / (span_s × evses); null where there was no time.")
    charging_share: Amount | None = Field(
        description="plugged_share × charging_s / (plugged_s − unknown_s); null where that is mostly unknown."
    )
    stay_s: Amount | None = Field(description="stayed_s / sessions; null where none began.")


class OtherMoney(BaseModel):
    """What was billed, with tax, in a currency that is not the installation's; no other amount has it."""

    currency: str
    digits: int
    gross_minor: int


OTHER_MONEY = "Billed in other currencies for sessions that began in the span; empty without the scope `bills:read`."


def other_money(billed: Sequence[Sum]) -> list[OtherMoney]:
    """As it is told."""
    return [OtherMoney(currency=one.currency, digits=one.digits, gross_minor=one.gross_minor) for one in billed]


class UseReport(BaseModel):
    """How all that was asked for was used."""

    as_of: datetime = Field(description=AS_OF)
    first_day: date
    last_day: date
    span_s: Amount = Field(description="Seconds of the span, as far as it has come.")
    currency: str
    digits: int = Field(description="Digits of the minor unit after the point.")
    other_money: list[OtherMoney] = Field(description=OTHER_MONEY)
    whole: UseRow
    items: list[UseRow] = Field(description="By site, station, EVSE and connector.")
    next: str | None = Field(description="The cursor of the next page; null on the last.")


class DayRow(Sums):
    """A day, or a month as far as the span has of it."""

    first_day: date
    last_day: date


class DayList(BaseModel):
    """Days or months in their order, those without anything too."""

    as_of: datetime = Field(description=AS_OF)
    currency: str
    digits: int
    items: list[DayRow]


async def need_part(rooms: Here, viewer: SessionsReader, part: Part) -> None:
    """Refusal NOT_FOUND where there is no such site or station, or it is not the caller's to see."""
    (await rooms.statistics.use.known(viewer)).need(part)


@router.get("/statistics/use")
async def show_use(rooms: Here, viewer: SessionsReader, asked: Annotated[UseFilter, Query()]) -> UseReport:
    """Energy, sessions and shares of the time, by site, station or connector; connectors that nobody used too."""
    as_of = await rooms.statistics.counting.as_of()
    used = await rooms.statistics.use.of(viewer, asked.span(rooms), asked.part)
    lines = {"site": used.sites, "station": used.stations, "connector": used.connectors}[asked.by]
    kept, more = _page(lines, asked)
    currency = rooms.settings.pay_currency
    return UseReport(
        as_of=as_of,
        first_day=used.span.first,
        last_day=used.span.last,
        span_s=used.whole.lasting_s,
        currency=currency,
        digits=digits_of(currency),
        other_money=other_money(used.other_money),
        whole=_row(used.whole, used.knows_money),
        items=[_row(one, used.knows_money) for one in kept],
        next=more,
    )


def _page(lines: Sequence[Used], asked: UseFilter) -> tuple[list[Used], str | None]:
    """The rows of a page, and the cursor of the next where there are more."""

    def key(line: Used) -> Key:
        return line.site, line.station, line.evse, line.connector

    after = None if asked.cursor is None else _place(asked.cursor)
    rest = sorted((one for one in lines if after is None or key(one) > after), key=key)
    kept = rest[: asked.limit]
    more = urlsafe_b64encode(msgspec.json.encode(key(kept[-1]))).decode() if len(rest) > len(kept) else None
    return kept, more


@router.get("/statistics/days")
async def show_days(rooms: Here, viewer: SessionsReader, asked: Annotated[DaysFilter, Query()]) -> DayList:
    """What each day or month came to, on the clock of the installation."""
    use = rooms.statistics.use
    await need_part(rooms, viewer, asked.part)
    as_of = await rooms.statistics.counting.as_of()
    found = await use.days(viewer, asked.span(rooms), asked.part, by_month=asked.by == "month")
    knows_money, currency = use.knows_money(viewer), rooms.settings.pay_currency
    items = [DayRow(first_day=of.first, last_day=of.last, **sums(one, knows_money)) for of, one in found]
    return DayList(as_of=as_of, currency=currency, digits=digits_of(currency), items=items)


SUMS = (
    *("energy_wh", "plugged_s", "charging_s", "idle_s", "unknown_s", "unknown"),
    *("gross_minor", "sessions", "ended", "empty", "stayed_s"),
)


def sums(one: Total, knows_money: bool) -> dict[str, Any]:
    """A total as it is told."""
    told = {name: getattr(one, name) for name in SUMS}
    return told if knows_money else told | {"gross_minor": None}


def rounded(value: Decimal | None) -> Decimal | None:
    """To a millionth."""
    return None if value is None else value.quantize(MILLIONTH)


def _row(line: Used, knows_money: bool) -> UseRow:
    """A line as it is told."""
    about = {name: getattr(line, name) for name in ("site", "station", "evse", "connector", "evses")}
    shares: dict[str, Any] = {"plugged_share": rounded(line.plugged), "charging_share": rounded(line.charging)}
    return UseRow(**about, **shares, stay_s=rounded(line.stay_s), **sums(line.total, knows_money))
