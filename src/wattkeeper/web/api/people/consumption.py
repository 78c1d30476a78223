"""What one used and paid oneself: by month, place and time of day, at other hours, and by calendar year."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response, Security
from pydantic import BaseModel, Field, StringConstraints

from wattkeeper.charging.money.numbered import Tax
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.statistics.carbon import Emitted
from wattkeeper.charging.statistics.elsewhen import Elsewhen
from wattkeeper.charging.statistics.used import Currency, Paid, Place, Sum
from wattkeeper.web.api.money.papers import STATEMENT, sent
from wattkeeper.web.api.shapes import Amount, Asked, Here, Nothing, Words, reacher_of

router = APIRouter(prefix="/consumption", tags=["sessions"])
Own = Annotated[Viewer, Security(reacher_of, scopes=[Scope.SESSIONS_READ.value, Scope.BILLS_READ.value])]
Month = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]
Year = Annotated[str, Path(pattern=r"^[0-9]{4}$", description="Such as 2026.")]
CSV: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The year, its months, its places and its tax by rate.",
        "content": {"text/csv": {"schema": {"type": "string"}}},
    }
}


class Billed(BaseModel):
    """What was billed in one currency, corrections and credit notes included."""

    currency: str = Field(description="ISO 4217.")
    digits: int = Field(description="Digits of the minor unit after the point: 550 with 2 digits is 5.50.")
    net_minor: int
    vat_minor: int
    gross_minor: int
    energy_wh: Amount = Field(description="The energy it was billed for.")
    price_per_kwh: str | None = Field(
        description="With tax, major units, to a hundredth of the minor unit; null: no energy was billed."
    )


class Total(BaseModel):
    """What sessions come to; those that run or were not billed yet are counted apart and in nothing else."""

    sessions: int
    energy_wh: Amount = Field(description="As billed; as the station told it, where nothing is to be paid.")
    free_wh: Amount = Field(description="Of the energy, what nothing is to be paid for.")
    billed: list[Billed]
    not_billed_yet: int
    not_billed_yet_wh: Amount
    running: int


class MonthTotal(Total):
    """A month."""

    month: str = Field(examples=["2026-03"])


class PlaceTotal(Total):
    """A place, as drivers know it."""

    place: Words
    address: Words


class PartTotal(Total):
    """Sessions that began in a quarter of the day."""

    from_hour: int = Field(description="0, 6, 12 or 18; until six hours later.")


class Carbon(BaseModel):
    """Carbon dioxide of the grid, as far as whoever runs the stations told it."""

    grams: Amount
    known_wh: Amount = Field(description="Of how much energy it is known.")
    energy_wh: Amount


class OtherHours(BaseModel):
    """What the month would cost by today's prices had every session begun at another hour of its day."""

    currency: str
    digits: int
    sessions: int
    energy_wh: Amount
    then_minor: int = Field(description="At the times at which they were, by today's prices, with tax.")
    hours_minor: list[int] = Field(description="Begun at 0:00, 1:00 … 23:00; empty: no price asks for the time.")


class Consumption(BaseModel):
    """A month of one's own, the twelve before it, and where and when energy was taken in these."""

    month: MonthTotal
    past: list[MonthTotal] = Field(
        description="The month before and that of the year before; as far on as a month that still runs. Empty: "
        "the person objects to comparing."
    )
    months: list[MonthTotal] = Field(description="Thirteen, the oldest first.")
    places: list[PlaceTotal]
    parts: list[PartTotal]
    carbon: Carbon | None = Field(description="Of the month; null: nothing is known.")
    other_hours: list[OtherHours]


class TaxRate(BaseModel):
    """What bears a rate of tax."""

    currency: str
    vat_percent: str | None = Field(description="Null: no VAT applies.")
    net_minor: int
    vat_minor: int


class ConsumptionYear(Total):
    """A calendar year of one's own, equal to the sum of its documents."""

    year: int
    is_running: bool
    made_at: datetime
    documents: int = Field(description="How many bills, corrections and credit notes.")
    months: list[MonthTotal] = Field(description="Those in which anything was charged.")
    places: list[PlaceTotal]
    taxes: list[TaxRate]
    carbon: Carbon | None


class ConsumptionFilter(Asked):
    """Which month."""

    month: Month | Nothing = Field(None, description="Such as 2026-03; the one that it is where nothing is said.")


@router.get("")
async def show_consumption(rooms: Here, viewer: Own, wanted: Annotated[ConsumptionFilter, Query()]) -> Consumption:
    """One's own energy, cost and average price by month, place and time of day, and at other hours."""
    one = await rooms.statistics.consumption.of(viewer, wanted.month or "")
    other = await rooms.statistics.other_times.of(viewer, one.month)
    return Consumption(
        month=_month(one.month, one.sum),
        past=[_month(each.month, each.sum) for each in one.past],
        months=[_month(month, total) for month, total in one.months.items()],
        places=_places(one.places),
        parts=[PartTotal(from_hour=part, **_sums(total)) for part, total in one.parts.items()],
        carbon=_carbon(one.carbon),
        other_hours=[] if other is None else [_other(*each) for each in other.by_currency.items()],
    )


@router.get("/{year}")
async def show_consumption_year(rooms: Here, viewer: Own, year: Year) -> ConsumptionYear:
    """One's own calendar year: every month, every place, the tax by rate."""
    one = await rooms.statistics.years.of(viewer, year)
    return ConsumptionYear(
        **_sums(one.sum),
        year=one.year,
        is_running=one.is_running,
        made_at=one.made_at,
        documents=one.documents,
        months=[_month(month, total) for month, total in one.months.items()],
        places=_places(one.places),
        taxes=[_tax(currency, tax) for currency, taxes in one.taxes.items() for tax in taxes],
        carbon=_carbon(one.emitted),
    )


@router.get("/{year}/paper", responses=STATEMENT, response_class=Response, response_model=None)
async def print_consumption_year(rooms: Here, viewer: Own, year: Year) -> Response:
    """One's own calendar year as one PDF (needs a fresh proof)."""
    return sent(await rooms.statements.yearly.printed(viewer, year))


@router.get("/{year}/sheet", responses=CSV, response_class=Response, response_model=None)
async def sheet_consumption_year(rooms: Here, viewer: Own, year: Year) -> Response:
    """One's own calendar year as a table (needs a fresh proof)."""
    text = await rooms.statements.yearly.sheet(viewer, year)
    headers = {"Content-Disposition": f'attachment; filename="charging-{year}.csv"', "Cache-Control": "no-store"}
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)


def _month(month: date, total: Sum) -> MonthTotal:
    return MonthTotal(month=f"{month:%Y-%m}", **_sums(total))


def _places(places: Mapping[Place, Sum]) -> list[PlaceTotal]:
    return [PlaceTotal(place=one.name, address=one.address, **_sums(total)) for one, total in places.items()]


def _sums(total: Sum) -> dict[str, Any]:
    """The figures that every total has."""
    billed = [_billed(currency, paid) for currency, paid in total.paid.items()]
    apart = {"not_billed_yet": total.waiting, "not_billed_yet_wh": total.waiting_wh, "running": total.running}
    energy: dict[str, Decimal] = {"energy_wh": total.energy_wh, "free_wh": total.free_wh}
    return {"sessions": total.sessions, "billed": billed, **energy, **apart}


def _billed(currency: Currency, paid: Paid) -> Billed:
    price = paid.price(currency.digits)
    same = {name: getattr(paid, name) for name in ("net_minor", "vat_minor", "gross_minor", "energy_wh")}
    told = None if price is None else f"{round(price, currency.digits + 2):f}"
    return Billed(currency=currency.code, digits=currency.digits, price_per_kwh=told, **same)


def _carbon(one: Emitted) -> Carbon | None:
    """Carbon dioxide, where anything is known of it."""
    if one.known_wh <= 0:
        return None
    return Carbon(grams=one.grams, known_wh=one.known_wh, energy_wh=one.energy_wh)


def _other(currency: Currency, one: Elsewhen) -> OtherHours:
    same = {name: getattr(one, name) for name in ("sessions", "energy_wh", "then_minor")}
    return OtherHours(currency=currency.code, digits=currency.digits, hours_minor=[*one.hours], **same)


def _tax(currency: Currency, tax: Tax) -> TaxRate:
    rate = None if tax.vat_percent is None else f"{tax.vat_percent:f}"
    return TaxRate(currency=currency.code, vat_percent=rate, net_minor=tax.net_minor, vat_minor=tax.vat_minor)
