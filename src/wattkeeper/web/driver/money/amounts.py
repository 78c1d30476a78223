"""Money as people write it."""

from __future__ import annotations

from decimal import Decimal

from wattkeeper.charging.phrase import Money
from wattkeeper.web.operator.said import NOTHING


def written(amount: Decimal | None, currency: str, places: int) -> str:
    """An amount with its currency (ISO 4217), told as each language writes it; rounded only to be shown."""
    return NOTHING if amount is None else Money(amount, currency, places)
