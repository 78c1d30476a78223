"""What a tariff may be set to, in OCPI terms (2.3.0 mod_tariffs); what OCPI has no word for begins with ``x_``."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from wattkeeper.charging.money.tariffs.restriction import Reservation
from wattkeeper.charging.money.tariffs.tariff import Dimension
from wattkeeper.web.api.shapes import INTEGER, Asked, Instant

Price = Annotated[Decimal, Field(ge=0, lt=1_000_000, max_digits=12, decimal_places=6)]
Percent = Annotated[Decimal, Field(ge=0, le=100, decimal_places=4)]
Measure = Annotated[Decimal, Field(ge=0, lt=1_000_000, decimal_places=6)]
Seconds = Annotated[int, Field(ge=0, le=10_000_000), INTEGER]
TimeOfDay = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Date = Annotated[str, StringConstraints(pattern=r"^[12][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]
Named = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[\x20-\x7E]*$")]
Weekday = Literal["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"]
OcpiText = Annotated[str, StringConstraints(max_length=2000)]
LIMITS = {"excl_vat": "before_taxes", "incl_vat": "after_taxes"}
"""What OCPI 2.2.1 calls the amounts of a limit."""
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


class DisplayText(Asked):
    """A text in a language (OCPI DisplayText)."""

    language: Annotated[str, StringConstraints(max_length=10)]
    text: Annotated[str, StringConstraints(max_length=2000)]


class OcpiTariff(NewTariff):
    """Prices for sessions to come: an OCPI Tariff as it is. Without elements, charging is free.

    What OCPI says beside the prices is taken and not kept; the answer names it.
    """

    country_code: OcpiText | None = None
    party_id: OcpiText | None = None
    id: OcpiText | None = None
    type: OcpiText | None = None
    tariff_alt_text: Annotated[list[DisplayText], Field(max_length=100)] | None = None
    tariff_alt_url: OcpiText | None = None
    preauthorize_amount: Annotated[Decimal, Field(ge=0, lt=1_000_000)] | None = None
    start_date_time: OcpiText | None = Field(
        None, description="Where it is to come and nothing else is said, when it begins to hold."
    )
    end_date_time: OcpiText | None = Field(None, description="Not kept: a version holds until the next one.")
    energy_mix: dict[str, Any] | None = None
    last_updated: OcpiText | None = None

    @model_validator(mode="before")
    @classmethod
    def _as_before(cls, told: Any) -> Any:
        """Limits as 2.2.1 calls their amounts."""
        if isinstance(told, dict):
            for name in ("min_price", "max_price"):
                if isinstance(limit := told.get(name), dict):
                    told = told | {name: {LIMITS.get(key, key): value for key, value in limit.items()}}
        return told

    @property
    def left_out(self) -> list[str]:
        """What was told and is not kept."""
        beside = set(OcpiTariff.model_fields) - set(NewTariff.model_fields) - {"start_date_time"}
        return sorted(self.model_fields_set & beside)

    def terms(self) -> dict[str, Any]:
        """The prices alone."""
        return self.model_dump(include=set(NewTariff.model_fields) - {"valid_from"}, mode="python")

    def begins(self, now: datetime) -> datetime | None:
        """From when on it holds; None: from now. ValueError where its own start is no instant."""
        if self.valid_from is not None or self.start_date_time is None:
            return self.valid_from
        at = datetime.fromisoformat(self.start_date_time)
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        return at if at > now else None
