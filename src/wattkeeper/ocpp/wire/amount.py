"""Numbers from the wire: exact, finite, bounded decimals and whole numbers."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Final

from wattkeeper.charging.deviation import Deviation
from wattkeeper.ocpp.wire.notes import Notes

TOO_LARGE: Final = Decimal(10) ** 12
"""No quantity a meter shows reaches this, in any unit."""

LARGEST_WHOLE: Final = 2**31 - 1
"""The largest id or count that is read (OCPP integers are 32 bits wide)."""

DECIMALS: Final = 6
"""Decimals that are kept, here as in the store: finer than a millionth measures nothing (the words keep it)."""

_ONE = Decimal(1)
_FINEST = Decimal(1).scaleb(-DECIMALS)
_PLAIN = re.compile(r"-?[0-9]{1,12}(?:\.[0-9]{1,6})?").fullmatch
_LONG = re.compile(r"-?[0-9]{1,40}(?:\.[0-9]{1,40})?").fullmatch
_ODD = re.compile(r"[+-]?(?:[0-9]{1,40}[.,]?[0-9]{0,40}|[.,][0-9]{1,40})(?:[eE][+-]?[0-9]{1,3})?").fullmatch
_TAILED = re.compile(r"([-+0-9.,]{1,40}) ?([A-Za-z°%]{1,10})").fullmatch


def amount(value: object, notes: Notes) -> Decimal | None:
    """A quantity as an exact decimal; None (and noted) where there is no number or it cannot be meant."""
    if type(value) is str:
        if _PLAIN(value):
            return Decimal(value)
        return _odd_text(value, notes)
    if type(value) is float:
        text = repr(value)
        return Decimal(text) if _PLAIN(text) else bounded(Decimal(text), notes)
    if type(value) is int:
        return bounded(Decimal(value), notes)
    if isinstance(value, Decimal):
        return bounded(value, notes)
    notes.add(Deviation.UNREADABLE_VALUE)
    return None


def whole(value: object, notes: Notes, least: int = 0) -> int | None:
    """An id or count between `least` and `LARGEST_WHOLE`; None where it was absent, or (noted) beyond that."""
    if type(value) is int:
        if least <= value <= LARGEST_WHOLE:
            return value
        notes.add(Deviation.NUMBER_OUT_OF_RANGE)
    elif value is not None:
        notes.add(Deviation.WRONG_TYPE)
    return None


def plain_number(text: str) -> Decimal | None:
    """The number that a text is, by the ordinary forms and by decimal comma; None where it is none."""
    text = text.strip()
    if not _ODD(text):
        return None
    try:
        number = Decimal(text.replace(",", "."))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def split_unit(value: object) -> tuple[str, str] | None:
    """A value that carries its unit behind it ("1.5 kWh"), as number and unit; None where it is not so."""
    tailed = _TAILED(value[:100].strip()) if type(value) is str else None
    return (tailed[1], tailed[2]) if tailed else None


def _odd_text(value: str, notes: Notes) -> Decimal | None:
    text = value[:100].strip()
    number = plain_number(text)
    if number is None:
        notes.add(Deviation.UNREADABLE_VALUE)
        return None
    if "," in text:
        notes.add(Deviation.DECIMAL_COMMA)
    elif not _LONG(value):
        notes.add(Deviation.ODD_NUMBER)
    return bounded(number, notes)


def bounded(number: Decimal, notes: Notes) -> Decimal | None:
    """The number with at most nine decimals; None (and noted) where it is too large to be meant."""
    if not -TOO_LARGE < number < TOO_LARGE:
        notes.add(Deviation.NUMBER_OUT_OF_RANGE)
        return None
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or exponent > 0:
        return number.quantize(_ONE)
    return number.quantize(_FINEST) if exponent < -DECIMALS else number
