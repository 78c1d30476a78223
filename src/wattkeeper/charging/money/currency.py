"""Currencies and their minor units (ISO 4217)."""

from __future__ import annotations

from decimal import Decimal

from wattkeeper.charging.phrase import Money

WHOLE = ("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF", 0)
THOUSANDTHS = ("BHD IQD JOD KWD LYD OMR TND", 3)
TENTHOUSANDTHS = ("CLF UYW", 4)
DIGITS = {code: digits for codes, digits in (WHOLE, THOUSANDTHS, TENTHOUSANDTHS) for code in codes.split()}
"""Digits after the point of the minor unit, of the currencies that do not have two."""


def digits_of(currency: str) -> int:
    """How many digits after the point the minor unit of a currency has."""
    return DIGITS.get(currency, 2)


def priced(minor: Decimal, currency: str) -> Money:
    """Minor units as an amount, with as many decimals as it needs and at least those of its currency."""
    digits = digits_of(currency)
    exponent = minor.scaleb(-digits).normalize().as_tuple().exponent
    return Money(minor.scaleb(-digits), currency, max(digits, -exponent if isinstance(exponent, int) else 0))
