"""What a tariff may be set to, in OCPI terms (2.3.0 mod_tariffs); what OCPI has no word for begins with ``x_``."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from wattkeeper.charging.money.restriction import Reservation
from wattkeeper.charging.money.tariff import Dimension
from wattkeeper.web.api.shapes import INTEGER, Asked, Instant

Price = Annotated[Decimal, Field(ge=0, lt=1_000_000, max_digits=12, decimal_places=6)]
Percent = Annotated[Decimal, Field(ge=0, le=100, decimal_places=4)]
Measure = Annotated[Decimal, Field(ge=0, lt=1_000_000, decimal_places=6)]
Seconds = Annotated[int, Field(ge=0, le=10_000_000), INTEGER]
TimeOfDay = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Date = Annotated[str, StringConstraints(pattern=r"^[12][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]
Named = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[\x20-\x7E]*$")]
Weekday = Literal["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"]
PRICE = "In the currency's major unit: for a kWh, an hour or a session."


class PriceComponent(Asked):
    """One price (OCPI PriceComponent)."""

    type: Dimension
    price: Price = Field(description=PRICE)
    vat: Percent | None = Field(None, description="Percent; null: no VAT applies.")
    step_size: Annotated[int, Field(ge=0, le=1_000_000), INTEGER] = Field(
        1, description="Billed in steps of so many Wh or seconds, rounded up."
    )
    x_tax_rate: Named | None = Field(None, description="The name of a rate with dates, which then holds.")


class TariffRestrictions(Asked):
    """When prices hold: all that are given must (OCPI TariffRestrictions)."""

    start_time: TimeOfDay | None = Field(None, description="By the clock of the tariff's zone.")
    end_time: TimeOfDay | None = Field(None, description="Not after the start: on the next day. 00:00 ends the day.")
    start_date: Date | None = None
    end_date: Date | None = Field(None, description="The first day that is out again.")
    day_of_week: Annotated[list[Weekday], Field(max_length=7)] | None = None
    min_kwh: Measure | None = Field(None, description="From this much energy in the session.")
    max_kwh: Measure | None = None
    min_current: Measure | None = Field(None, description="Sum of the phases, A.")
    max_current: Measure | None = None
    min_power: Measure | None = Field(None, description="kW.")
    max_power: Measure | None = None
    min_duration: Seconds | None = Field(None, description="Since the session began, seconds.")
    max_duration: Seconds | None = None
    reservation: Reservation | None = None
    x_min_idle: Seconds | None = Field(
        None, description="The grace before an idle fee: since the car became idle, without interruption, seconds."
    )


class TariffElement(Asked):
    """Prices that hold together (OCPI TariffElement)."""

    price_components: Annotated[list[PriceComponent], Field(min_length=1, max_length=8)]
    restrictions: TariffRestrictions | None = None


class PriceLimit(Asked):
    """The least or the most that a session costs (OCPI PriceLimit)."""

    before_taxes: Price
    after_taxes: Price | None = None


class DatedRate(Asked):
    """A rate of VAT with the days on which it holds."""

    name: Named
    percent: Percent
    since: Date
    until: Date | None = Field(None, description="The first day on which it does not hold any more.")


class NewTariff(Asked):
    """Prices for sessions to come. Without elements, charging is free."""

    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] = Field(description="ISO 4217.")
    tax_included: Literal["YES", "NO", "N/A"] = Field(
        "NO", description="Whether these prices are with tax; N/A: no tax applies."
    )
    elements: Annotated[list[TariffElement], Field(max_length=50)]
    min_price: PriceLimit | None = None
    max_price: PriceLimit | None = None
    x_time_zone: Named | None = Field(None, description="Whose clock restrictions mean; null: the installation's.")
    x_bills_blocking: bool = Field(
        False, description="Whether idle time goes on after the session until the connector is available."
    )
    x_tax_rates: Annotated[list[DatedRate], Field(max_length=50)] = Field(default_factory=list)
    valid_from: Instant | None = Field(None, description="Not for what has started before; null: from now.")
