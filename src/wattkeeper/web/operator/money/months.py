"""Which month a page is about: chosen in the address bar, from the first in which anything was billed until now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.money.revenue import month
from wattkeeper.web.operator.said import LATEST, dated

MOST = 60
"""How many months can be chosen from; earlier ones are reached by their addresses."""
MONTH = phrase("LLLL y")
"""How a month is written (Unicode TR 35)."""


@dataclass(frozen=True, slots=True)
class Month:
    """A month, by its first day."""

    first: date

    @property
    def key(self) -> str:
        """As the address bar has it: 2026-03."""
        return f"{self.first:%Y-%m}"

    @property
    def name(self) -> str:
        """As people say it: March 2026."""
        return dated(self.first, MONTH)

    @property
    def period(self) -> tuple[date, date]:
        """Its first day, and the first after it."""
        return month(self.key)

    @property
    def last(self) -> date:
        """Its last day."""
        return date.fromordinal(self.period[1].toordinal() - 1)

    @property
    def before(self) -> Month:
        """The month before."""
        return Month(date.fromordinal(self.first.toordinal() - 1).replace(day=1))

    @property
    def after(self) -> Month:
        """The month after."""
        return Month(self.period[1])


def running(now: datetime, zone: tzinfo) -> Month:
    """The month that it is."""
    return Month(min(now, LATEST).astimezone(zone).date().replace(day=1))


def asked(text: str, now: Month) -> Month:
    """The month that the address bar asks for; the running one where that is none."""
    try:
        first = date.fromisoformat(f"{text}-01")
    except ValueError:
        return now
    return Month(first) if len(text) == 7 and 1971 <= first.year < 9000 else now


def choices(first: date | None, now: Month, chosen: Month) -> list[Month]:
    """The months to choose from, the newest first; the chosen one is always among them."""
    earliest, found = (first or now.first).replace(day=1), [now]
    while found[-1].first > earliest and len(found) < MOST:
        found.append(found[-1].before)
    return found if chosen in found else sorted([*found, chosen], key=lambda one: one.first, reverse=True)
