"""What an alert is raised about: the kinds of rules with their units, and one rule with its two thresholds.

The thresholds lie apart on purpose: an alert is raised at the one and cleared at the other, each only after it held for
a while, and never again before a least time has passed. What flaps between them is told once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

from wattkeeper.charging.alerts.quiet import MOST_SPANS, leaves_room
from wattkeeper.charging.cards.limits import Span
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.phrase import Figure, Phrase, figured, phrase

ZERO = Decimal(0)
AT_ONCE, MINUTE = timedelta(0), timedelta(minutes=1)


class Kind(StrEnum):
    """What is measured."""

    STATION_OFFLINE = "station_offline"
    """For how long a station has had no connection, minutes."""
    PEAK_NEAR_LIMIT = "peak_near_limit"
    """Mean power of a site over a quarter hour, percent of its limit."""
    FAILED_STARTS = "failed_starts"
    """Sessions that began at a station in the last hour and ended within five minutes without any energy."""
    FAILED_SHARE = "failed_share"
    """The same as a share of the sessions that ended, percent; of five at least."""
    ENERGY_WITHOUT_SESSION = "energy_without_session"
    """How far a station's registers rose in the last hour while no session was there, kWh."""
    PRICE_OF_HOUR = "price_of_hour"
    """What a kWh costs now with tax, major units of money."""
    BOUGHT_PRICE = "bought_price"
    """What a kWh costs a site now by its terms, major units of money."""
    UPTIME = "uptime"
    """How much of the last thirty days the ports of a station were up by NEVI's equation, percent."""
    BILLS_WAITING = "bills_waiting"
    """How many bills are held until a person decides."""
    LETTERS_WAITING = "letters_waiting"
    """For how long the oldest letter in the queue has waited to be sent, minutes."""


class Where(StrEnum):
    """How far a rule goes, and what an alert is about."""

    EVERYWHERE = "everywhere"
    SITE = "site"
    STATION = "station"


@dataclass(frozen=True, slots=True)
class Form:
    """How a kind is measured: its unit, about what an alert of it is, and within which bounds thresholds make sense."""

    unit: str
    grain: Where | None
    """What one alert is about; None: what the rule itself is about."""
    most: Decimal
    """The highest threshold."""
    least: Decimal = ZERO
    places: int = 0
    """Digits after the point that thresholds have."""
    is_whole: bool = False
    """Whether it is about everything together, and about no site or station."""
    is_low: bool = False
    """Whether low is bad, and high never."""
    is_bare: bool = False
    """Whether its figures stand without the unit: counts, and prices, which are told as money."""

    def figure(self, value: Decimal) -> Figure:
        """A threshold with its unit, where it has one that is not money."""
        return figured(value, "" if self.is_bare else self.unit)

    def allows(self, where: Where) -> bool:
        """Whether a rule of this kind may go so far."""
        if self.is_whole:
            return where is Where.EVERYWHERE
        return not (self.grain is Where.SITE and where is Where.STATION)


FORMS: Mapping[Kind, Form] = {
    Kind.STATION_OFFLINE: Form("min", Where.STATION, Decimal(10_080), Decimal(1)),
    Kind.PEAK_NEAR_LIMIT: Form("%", Where.SITE, Decimal(1_000), Decimal(1), 1),
    Kind.FAILED_STARTS: Form("sessions", Where.STATION, Decimal(10_000), Decimal(1), is_bare=True),
    Kind.FAILED_SHARE: Form("%", Where.STATION, Decimal(100), Decimal(1), 1),
    Kind.ENERGY_WITHOUT_SESSION: Form("kWh", Where.STATION, Decimal(100_000), Decimal("0.001"), 3),
    Kind.PRICE_OF_HOUR: Form("kWh", None, Decimal(1_000_000), Decimal(-1_000), 4, is_bare=True),
    Kind.BOUGHT_PRICE: Form("kWh", Where.SITE, Decimal(1_000_000), Decimal(-1_000), 4, is_bare=True),
    Kind.UPTIME: Form("%", Where.STATION, Decimal(100), ZERO, 2, is_low=True),
    Kind.BILLS_WAITING: Form("bills", None, Decimal(1_000_000), Decimal(1), is_whole=True, is_bare=True),
    Kind.LETTERS_WAITING: Form("min", None, Decimal(10_080), Decimal(1), is_whole=True),
}
"""Every kind; the unit of a price is that of what it buys."""
PRICES = frozenset({Kind.PRICE_OF_HOUR, Kind.BOUGHT_PRICE})
"""What is told as money."""
LONGEST_WAIT = timedelta(days=1)
LONGEST_APART = timedelta(days=7)
MOST_LIMIT_KW = Decimal(1_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """When an alert is raised and when it is cleared, in the unit of its kind."""

    kind: Kind
    where: Where = Where.EVERYWHERE
    subject: str = ""
    """Which site or station; empty for everything."""
    raise_at: Decimal
    clear_at: Decimal
    raise_after: timedelta = AT_ONCE
    """How long it must be so bad before an alert is raised."""
    clear_after: timedelta = AT_ONCE
    """How long it must be well again before it is cleared."""
    apart: timedelta = AT_ONCE
    """The least time from one alert about something to the next about the same."""
    limit_kw: Decimal | None = None
    """Of a peak: what 100 percent is; None: what the site's terms say that its connection bears."""
    is_below: bool = False
    """Whether low is bad: raised at or below ``raise_at``, cleared at or above ``clear_at``. So is uptime."""
    quiet: tuple[Span, ...] = ()
    """When nobody is told, by the installation's clock; what is raised then is told afterwards, where it still is."""
    is_harm: bool = False
    """Whether it is told in quiet hours too."""

    def is_beyond(self, value: Decimal) -> bool:
        """Whether a value is as bad as to raise an alert."""
        return value <= self.raise_at if self.is_below else value >= self.raise_at

    def is_within(self, value: Decimal) -> bool:
        """Whether a value is as good as to clear one."""
        return value >= self.clear_at if self.is_below else value <= self.clear_at


def check(rule: Rule) -> Rule:
    """The rule itself, where it makes sense; else Refusal INVALID with the first thing that does not."""
    for field, why in _wrong(rule):
        raise Refusal(Code.INVALID, why, field=field)
    return rule


WHOLE = phrase("This is of everything together: choose everything.")
AT_SITES = phrase("This is measured at a site: choose a site, or everything.")
Wrong = Iterator[tuple[str, Phrase]]
"""What does not make sense: of which field, and why."""


def _wrong(rule: Rule) -> Wrong:
    """What does not make sense."""
    form = FORMS[rule.kind]
    if not form.allows(rule.where):
        yield "reach", WHOLE if form.is_whole else AT_SITES
    if (rule.where is Where.EVERYWHERE) is not (rule.subject == ""):
        yield (
            "reach",
            phrase("Name the site or the station that the rule is about, and none where it is about everything."),
        )
    yield from _wrong_thresholds(rule, form)
    yield from _wrong_limit(rule)
    yield from _wrong_times(rule)


def _wrong_thresholds(rule: Rule, form: Form) -> Wrong:
    if not (rule.raise_at.is_finite() and rule.clear_at.is_finite()):
        yield "raise_at" if rule.clear_at.is_finite() else "clear_at", phrase("A threshold is a number.")
        return
    if not form.least <= rule.raise_at <= form.most:
        bounds = {"least": form.figure(form.least), "most": form.figure(form.most)}
        yield "raise_at", phrase("It can be raised at {least} to {most}.", **bounds)
    lowest = min(ZERO, form.least)
    if not lowest <= rule.clear_at <= form.most:
        bounds = {"least": form.figure(lowest), "most": form.figure(form.most)}
        yield "clear_at", phrase("It can be cleared at {least} to {most}.", **bounds)
    if rule.is_below and rule.kind not in PRICES and not form.is_low:
        yield "below", phrase("Only a price or an uptime can be too low.")
    if form.is_low and not rule.is_below:
        yield "below", phrase("An uptime can only be too low.")
    raised = form.figure(rule.raise_at)
    if rule.is_below and rule.clear_at <= rule.raise_at:
        yield "clear_at", phrase("It is raised at {raised} or less, so it is cleared above that.", raised=raised)
    if not rule.is_below and rule.clear_at >= rule.raise_at:
        yield "clear_at", phrase("It is raised at {raised} or more, so it is cleared below that.", raised=raised)


def _wrong_limit(rule: Rule) -> Wrong:
    limit = rule.limit_kw
    if limit is not None and rule.kind is not Kind.PEAK_NEAR_LIMIT:
        yield "limit_kw", phrase("Only a rule on peaks has a limit in kW.")
    if limit is not None and not (limit.is_finite() and 0 < limit <= MOST_LIMIT_KW):
        yield (
            "limit_kw",
            phrase("The limit is more than nothing and at most {most}.", most=Figure(MOST_LIMIT_KW, 0, "kW")),
        )


def _wrong_times(rule: Rule) -> Wrong:
    for field, wait in (("raise_after", rule.raise_after), ("clear_after", rule.clear_after)):
        if not AT_ONCE <= wait <= LONGEST_WAIT:
            yield field, phrase("It can wait for a day at most, {most} minutes.", most=LONGEST_WAIT // MINUTE)
    if not AT_ONCE <= rule.apart <= LONGEST_APART:
        days = {"most": LONGEST_APART // MINUTE}
        yield "apart", phrase("Between two alerts there can be seven days at most, {most} minutes.", **days)
    if len(rule.quiet) > MOST_SPANS:
        yield "quiet", phrase("There can be {most} spans of quiet hours at most.", most=MOST_SPANS)
    elif not leaves_room(rule.quiet):
        yield "quiet", phrase("Quiet hours must leave some time in the week in which somebody can be told.")
