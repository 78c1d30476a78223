"""What an aggregate is asked for: which kind, over which months, at which sites, and for how much of the budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.phrase import Phrase, phrase

SESSIONS_A_WEEK = 4
"""How many sessions of a driver count in a week: the first ones."""
SESSION_WH = 40_000
"""What a session counts for at most, Wh."""
YEARLY = Decimal(1)
"""The budget: what all releases about one calendar year may spend together, for every driver alike."""
MOST_SITES = 500
EARLIEST, LATEST = 2000, 9000
"""Years that may be asked about."""


class Kind(StrEnum):
    """What is counted; these names stay as they are, for the ledger holds them."""

    SITE_LOAD = "site-load"
    """Energy of each site by hour of the day."""
    SITE_MONTHS = "site-months"
    """Energy of each site by month."""
    ARRIVALS = "arrivals"
    """Sessions of each site by the hour in which they began."""
    STAYS = "stays"
    """Sessions of each site by how long the car stood there."""


class Measure(StrEnum):
    """In what a cell is counted: whole numbers of it."""

    ENERGY = "Wh"
    SESSIONS = "sessions"


@dataclass(frozen=True, slots=True)
class Form:
    """How a kind is counted. All of it is public and fixed before anybody looks at a session."""

    title: Phrase
    measure: Measure
    week: int
    """What a driver counts for at most in a week, over all cells."""
    share: int
    """One cell takes at most this part of what a driver may count for in the whole period."""


FORMS: Mapping[Kind, Form] = {
    Kind.SITE_LOAD: Form(phrase("Energy of each site by hour of the day"), Measure.ENERGY, 30_000, 4),
    Kind.SITE_MONTHS: Form(phrase("Energy of each site by month"), Measure.ENERGY, 30_000, 1),
    Kind.ARRIVALS: Form(
        phrase("Sessions of each site by the hour in which they began"), Measure.SESSIONS, SESSIONS_A_WEEK, 2
    ),
    Kind.STAYS: Form(phrase("Sessions of each site by how long cars stayed"), Measure.SESSIONS, SESSIONS_A_WEEK, 2),
}
USUAL: Mapping[Kind, Decimal] = dict.fromkeys(Kind, Decimal("0.2")) | {Kind.SITE_LOAD: Decimal("0.5")}
"""What a release spends where nothing else is said."""
STAYS_UNTIL_H = (1, 2, 4, 8)
STAY_LABELS = ("under 1 h", "1 to 2 h", "2 to 4 h", "4 to 8 h", "8 h and more")
HOURS = tuple(f"{hour:02d}" for hour in range(24))


@dataclass(frozen=True, slots=True)
class Period:
    """Whole months of one calendar year, from the first of one until before the first of another."""

    first: date
    until: date

    @property
    def year(self) -> int:
        """The calendar year, whose budget it spends."""
        return self.first.year

    @property
    def months(self) -> tuple[str, ...]:
        """Its months, such as ``2026-03``."""
        last = self.until - timedelta(days=1)
        return tuple(f"{self.year}-{month:02d}" for month in range(self.first.month, last.month + 1))

    @property
    def weeks(self) -> int:
        """How many weeks it touches: a week (Monday to Sunday) that is cut by the period counts as a whole one."""
        return len(
            {
                self.first + timedelta(days=n) - timedelta(days=(self.first + timedelta(days=n)).weekday())
                for n in range((self.until - self.first).days)
            }
        )


def period(first: str, last: str) -> Period:
    """The months from one to another, both included, such as ``2026-01`` and ``2026-06``; Refusal INVALID."""
    began, until = _month(first), _month(last)
    until = date(until.year + until.month // 12, until.month % 12 + 1, 1)
    if until <= began:
        raise Refusal(Code.INVALID, phrase("The period ends before it begins."))
    if (until - timedelta(days=1)).year != began.year:
        why = phrase("A release stays within one calendar year, whose budget it spends: ask for each year by itself.")
        raise Refusal(Code.INVALID, why)
    return Period(began, until)


def _month(said: str) -> date:
    """The first day of a month."""
    try:
        month = date.fromisoformat(f"{said}-01")
        if len(said) != 7 or not EARLIEST <= month.year <= LATEST:
            raise ValueError(said)
        return month
    except ValueError:
        raise Refusal(Code.INVALID, phrase("“{said}” is no month; one is such as 2026-03.", said=said[:20])) from None


@dataclass(frozen=True, slots=True)
class Question:
    """One question to all sessions: asked again it gets the same answer, and spends nothing more."""

    kind: Kind
    period: Period
    sites: tuple[str, ...]
    """In order, each once."""
    epsilon: Decimal

    @property
    def form(self) -> Form:
        """How it is counted."""
        return FORMS[self.kind]

    @property
    def labels(self) -> tuple[str, ...]:
        """The cells of each site: fixed by the question, whatever the sessions are."""
        if self.kind is Kind.SITE_MONTHS:
            return self.period.months
        return STAY_LABELS if self.kind is Kind.STAYS else HOURS

    @property
    def text(self) -> str:
        """The question as one line: two that are the same have the same line."""
        span = f"{self.period.first}/{self.period.until}"
        return "\n".join((self.kind.value, span, f"{self.epsilon.normalize():f}", *self.sites))


def question(kind: Kind, span: Period, sites: Sequence[str], epsilon: Decimal) -> Question:
    """A question that makes sense; Refusal INVALID for one that does not."""
    named = tuple(sorted({site for site in sites if site}))
    if not named or len(named) > MOST_SITES:
        raise Refusal(Code.INVALID, phrase("Name 1 to {most} sites.", most=MOST_SITES))
    if not epsilon.is_finite() or not Decimal("0.01") <= epsilon <= YEARLY or epsilon != round(epsilon, 3):
        why = phrase("Epsilon is between 0.01 and {most}, with at most three digits after the point.", most=YEARLY)
        raise Refusal(Code.INVALID, why)
    return Question(kind, span, named, epsilon)
