"""Revenue by day as a small picture: a bar a day, its answer in the title, the same numbers as a table beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from wattkeeper.charging.phrase import Phrase, phrase
from wattkeeper.store.money.revenue import Revenue
from wattkeeper.web.operator.money.months import Month
from wattkeeper.web.operator.said import WHOLE_DAY, dated, money

HEIGHT, WIDTH, GAP = 1000, 100, 16
"""In the picture's own units: its height, a day, and what lies between two bars."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A day of the picture."""

    day: date
    x: int
    y: int
    height: int
    is_less: bool
    """Whether more was given back than billed."""


@dataclass(frozen=True, slots=True)
class Picture:
    """The bars of a month."""

    title: Phrase
    bars: list[Bar]
    base: int
    """Where nothing is."""
    width: int
    height: int = HEIGHT


def drawn(month: Month, rows: Mapping[date, Revenue], currency: str, digits: int) -> Picture:
    """The picture of a month; days without a bill have no bar."""
    amounts = {day: row.gross_minor for day, row in rows.items()}
    high, low = max([0, *amounts.values()]), min([0, *amounts.values()])
    span, count = max(high - low, 1), (month.period[1] - month.period[0]).days
    base = HEIGHT * high // span
    bars = []
    for place in range(count):
        day = month.first + timedelta(days=place)
        amount = amounts.get(day, 0)
        size = abs(amount) * HEIGHT // span
        if amount:
            top = base - size if amount > 0 else base
            bars.append(Bar(day, place * WIDTH + GAP // 2, top, max(size, 4), amount < 0))
    return Picture(_title(amounts, currency, digits), bars, base, count * WIDTH)


def _title(amounts: Mapping[date, int], currency: str, digits: int) -> Phrase:
    """Its answer: the day on which most was billed."""
    if not amounts:
        return phrase("Nothing was billed on any day")
    best = max(amounts, key=lambda day: amounts[day])
    return phrase("Most: {amount}, {day}", amount=money(amounts[best], currency, digits), day=dated(best, WHOLE_DAY))
