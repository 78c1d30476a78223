"""What a site's energy costs whoever runs it, what its connection bears, and how much carbon its grid carries.

Prices are minor units of the money they were entered in; they may have decimals, for a kWh costs no whole cents.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal

import msgspec

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.money.currency import priced
from wattkeeper.charging.phrase import phrase

DAY_MIN, HOUR_MIN, QUARTER_MIN = 1440, 60, 15
ZERO = Decimal(0)
MOST_WINDOWS = 6
MOST_MINOR = Decimal(1_000_000)
"""What a kW or a kWh may cost: more is a slip."""
MOST_W = Decimal(1_000_000_000)
MOST_G = Decimal(5000)
"""No grid carries more carbon than this, g/kWh; the dirtiest are near 1,000."""


ODD_WINDOW = phrase("A time of day goes from one quarter hour to another, such as 22:00 to 6:00.")


class Window(msgspec.Struct, frozen=True):
    """A time of day with its own price of energy; one that ends before it begins goes on past midnight."""

    since_min: int
    """Minutes after midnight where the site is, 0 to 1439."""
    until_min: int
    """1 to 1440."""
    minor_per_kwh: Decimal

    def holds(self, minute: int) -> bool:
        """Whether it holds at a minute of the day."""
        if self.since_min < self.until_min:
            return self.since_min <= minute < self.until_min
        return minute >= self.since_min or minute < self.until_min


class Terms(msgspec.Struct, frozen=True):
    """What holds at a site from a day on; None: not told."""

    since: date | None = None
    """From which day on; None: always."""
    currency: str = ""
    """ISO 4217."""
    peak_minor_per_kw: Decimal | None = None
    """For each kW of a month's highest quarter hour, in that month."""
    energy_minor_per_kwh: Decimal | None = None
    """Outside of the windows."""
    windows: tuple[Window, ...] = ()
    limit_w: Decimal | None = None
    """What the connection to the grid bears."""
    carbon_g_per_kwh: tuple[Decimal, ...] = ()
    """One figure, or 24 by hour of the day where the site is; empty: not told, or in a file by hour."""

    def energy_price_at(self, local: datetime) -> Decimal | None:
        """What a kWh costs at an instant of the site's own clock, minor units."""
        minute = local.hour * 60 + local.minute
        found = (one.minor_per_kwh for one in self.windows if one.holds(minute))
        return next(found, self.energy_minor_per_kwh)

    @property
    def has_energy_prices(self) -> bool:
        """Whether every minute of a day has its price."""
        return self.energy_minor_per_kwh is not None or (
            bool(self.windows) and all(any(one.holds(minute) for one in self.windows) for minute in range(DAY_MIN))
        )

    def carbon_at(self, local: datetime) -> Decimal | None:
        """What the grid carries at an instant of the site's own clock, g/kWh."""
        if len(self.carbon_g_per_kwh) == 1:
            return self.carbon_g_per_kwh[0]
        return self.carbon_g_per_kwh[local.hour] if self.carbon_g_per_kwh else None


class Carbon(msgspec.Struct, frozen=True):
    """How much carbon a site's grid carries: by the hour where a file told, else by its terms."""

    terms: tuple[Terms, ...]
    """Of all times, the newest last."""
    by_hour: Mapping[datetime, Decimal]
    """g/kWh by the hour's beginning, UTC; where zones are half an hour beside the others, hours may begin at half."""
    zone: tzinfo

    def at(self, at: datetime) -> Decimal | None:
        """What it carries in the quarter hour that begins at an instant, g/kWh; None where nobody told."""
        for begun in range(0, HOUR_MIN, QUARTER_MIN):
            told = self.by_hour.get(at - timedelta(minutes=begun))
            if told is not None:
                return told
        local = at.astimezone(self.zone)
        held = terms_at(self.terms, local.date())
        return None if held is None else held.carbon_at(local)

    @property
    def begins(self) -> set[date]:
        """Days from which on other terms hold."""
        return {one.since for one in self.terms if one.since is not None}

    @property
    def kind(self) -> Hashable:
        """What decides it; None where each hour has its own."""
        return None if self.by_hour else tuple((one.since, one.carbon_g_per_kwh) for one in self.terms)

    @property
    def is_hourly(self) -> bool:
        """Whether it changes on the hour alone, UTC."""
        return all(at.minute == 0 for at in self.by_hour)


class Prices(msgspec.Struct, frozen=True):
    """What a kWh costs at a site, minor units; in one money alone, for others cannot be added to it."""

    terms: tuple[Terms, ...]
    """Of all times, the newest last."""
    currency: str
    zone: tzinfo

    def at(self, at: datetime) -> Decimal | None:
        """For a kWh in the quarter hour that begins at an instant; None where nobody told, or in another money."""
        local = at.astimezone(self.zone)
        held = terms_at(self.terms, local.date())
        return None if held is None or held.currency != self.currency else held.energy_price_at(local)

    @property
    def begins(self) -> set[date]:
        """Days from which on other terms hold."""
        return {one.since for one in self.terms if one.since is not None}

    @property
    def kind(self) -> Hashable:
        """What decides it."""
        return tuple((one.since, one.currency, one.energy_minor_per_kwh, one.windows) for one in self.terms)

    @property
    def is_hourly(self) -> bool:
        """Whether it changes on the hour alone."""
        edges = (edge for one in self.terms for span in one.windows for edge in (span.since_min, span.until_min))
        return all(edge % HOUR_MIN == 0 for edge in edges)

    @property
    def is_told(self) -> bool:
        """Whether any price of energy ever was."""
        return any(
            one.currency == self.currency and (one.energy_minor_per_kwh is not None or one.windows)
            for one in self.terms
        )


def clock(minute: int) -> str:
    """A minute of the day as 22:00; its end is 00:00."""
    return f"{minute // 60 % 24:02}:{minute % 60:02}"


def terms_at(entered: tuple[Terms, ...], day: date) -> Terms | None:
    """The terms that hold on a day, of those entered one after the other: the newest whose time has come."""
    return next((one for one in reversed(entered) if one.since is None or one.since <= day), None)


def need_sense(terms: Terms) -> None:
    """Refuse terms that make none; Refusal INVALID names the field."""
    prices = {"peak": terms.peak_minor_per_kw, "energy": terms.energy_minor_per_kwh}
    prices |= {f"at{n}": one.minor_per_kwh for n, one in enumerate(terms.windows, 1)}
    wrong = next((name for name, one in prices.items() if one is not None and not _is_price(one)), None)
    if wrong is not None:
        bounds = {"least": priced(ZERO, terms.currency), "most": priced(MOST_MINOR, terms.currency)}
        raise Refusal(Code.INVALID, phrase("A price is from {least} to {most}.", **bounds), field=wrong)
    if terms.limit_w is not None and not (terms.limit_w.is_finite() and 0 < terms.limit_w <= MOST_W):
        raise Refusal(
            Code.INVALID, phrase("A connection bears more than nothing, and at most a million kW."), field="limit"
        )
    if not all(one.is_finite() and 0 <= one <= MOST_G for one in terms.carbon_g_per_kwh):
        raise Refusal(
            Code.INVALID, phrase("A grid carries from 0 to 5000 g of carbon dioxide for a kWh."), field="carbon"
        )
    if len(terms.carbon_g_per_kwh) not in (0, 1, 24):
        raise Refusal(
            Code.INVALID,
            phrase("Carbon is told by one figure, or by 24: one for each hour of the day."),
            field="carbon",
        )
    _need_windows(terms.windows)


def _is_price(minor: Decimal) -> bool:
    """Whether a kW or a kWh can cost so much."""
    return minor.is_finite() and 0 <= minor <= MOST_MINOR


def _need_windows(windows: tuple[Window, ...]) -> None:
    """Refuse times of day that make no sense together."""
    if len(windows) > MOST_WINDOWS:
        raise Refusal(
            Code.INVALID,
            phrase("At most {most} times of day have a price of their own.", most=MOST_WINDOWS),
            field="windows",
        )
    for n, one in enumerate(windows, 1):
        if not (0 <= one.since_min < DAY_MIN and 0 < one.until_min <= DAY_MIN) or one.since_min == one.until_min:
            raise Refusal(Code.INVALID, ODD_WINDOW, field=f"from{n}")
        if one.since_min % QUARTER_MIN or one.until_min % QUARTER_MIN:
            raise Refusal(Code.INVALID, ODD_WINDOW, field=f"from{n}")
    if any(sum(one.holds(minute) for one in windows) > 1 for minute in range(DAY_MIN)):
        raise Refusal(
            Code.INVALID, phrase("Two of these times of day overlap; a minute has one price."), field="windows"
        )
