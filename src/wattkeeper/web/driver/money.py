"""Money as people write it."""

from __future__ import annotations

from decimal import Decimal

from wattkeeper.web.operator.said import NOTHING

SIGNS = {"EUR": "€", "USD": "$", "GBP": "£"}


def written(amount: Decimal | None, currency: str, places: int = 2) -> str:
    """An amount with its currency (ISO 4217): ``€4.20``, ``CHF 4.20``; rounded only to be shown."""
    if amount is None:
        return NOTHING
    sign = SIGNS.get(currency, f"{currency}\N{NO-BREAK SPACE}")
    return f"{'-' if amount < 0 else ''}{sign}{abs(amount):,.{places}f}"
