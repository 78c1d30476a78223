"""Times from the wire: aware UTC datetimes, however the station wrote them; and ours, written out."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from wattkeeper.charging.deviation import Deviation
from wattkeeper.charging.reading import UNDATED
from wattkeeper.ocpp.wire.notes import Notes

_STANDARD = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)", re.ASCII).fullmatch
_ODD = re.compile(
    r"(?P<year>\d{4})[-/.]?(?P<month>\d{1,2})[-/.]?(?P<day>\d{1,2})"
    r"[Tt ]{1,3}(?P<hour>\d{1,2}):?(?P<minute>\d{1,2})(?::?(?P<second>\d{1,2})(?:[.,](?P<fraction>\d{1,12}))?)?"
    r" ?(?P<zone>[Zz]|UTC|GMT|[+-]\d{1,2}(?::?\d\d)?)?",
    re.ASCII,
).fullmatch
_EPOCH = re.compile(r"[0-9]{9,13}", re.ASCII).fullmatch
LAST_YEAR: Final = 9990
"""From here on no clock means it, and arithmetic with zones overflows."""
_MILLISECONDS_FROM: Final = 10**11
"""An epoch count from here on is in milliseconds (as seconds it would lie beyond the year 5000)."""


def moment(value: object, notes: Notes) -> datetime | None:
    """The instant that was meant; None (and noted) where nothing can be read from it or it lies before 1970."""
    if value is None:
        return None
    if type(value) is str:
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            return _odd(value, notes)
        if at.tzinfo is UTC and 1970 <= at.year < LAST_YEAR and _is_usual(value):
            return at
        return _settled(at, value, notes)
    if isinstance(value, datetime):
        return value
    return _epoch(value, notes)


def written(at: datetime) -> str:
    """A time of ours for the wire: UTC with Z, whole milliseconds (OCPP 1.6 3.15, 2.0.1 part 2 2.1.10)."""
    if at.tzinfo is not UTC:
        at = at.astimezone(UTC)
    return at.isoformat(timespec="milliseconds")[:-6] + "Z"


def _is_usual(value: str) -> bool:
    """Whether a time that could be read is written the usual way, with dashes, T, a point and Z: the quick look."""
    return len(value) >= 20 and value[10] == "T" and value[4] == "-" and value[-1] == "Z" and value[19] in ".Z"


def _settled(at: datetime, value: str, notes: Notes) -> datetime | None:
    if _EPOCH(value):
        return _epoch(int(value), notes)
    if not _STANDARD(value):
        notes.add(Deviation.ZONELESS_TIME if at.tzinfo is None else Deviation.ODD_TIME)
    return _bounded(at if at.tzinfo else at.replace(tzinfo=UTC), notes)


def _bounded(at: datetime, notes: Notes) -> datetime | None:
    try:
        at = at.astimezone(UTC)
    except OverflowError:
        at = datetime.min.replace(tzinfo=UTC)
    if at < UNDATED or at.year >= LAST_YEAR:
        notes.add(Deviation.UNREADABLE_TIME)
        return None
    return at


def _odd(value: str, notes: Notes) -> datetime | None:
    text = value.strip() if len(value) <= 64 else ""
    if _EPOCH(text):
        return _epoch(int(text), notes)
    match = _ODD(text)
    try:
        at = _assembled(match.groupdict()) if match else None
    except (ValueError, OverflowError):
        at = None
    if at is None:
        notes.add(Deviation.UNREADABLE_TIME)
        return None
    notes.add(Deviation.ODD_TIME if at.tzinfo else Deviation.ZONELESS_TIME)
    return _bounded(at if at.tzinfo else at.replace(tzinfo=UTC), notes)


def _assembled(part: dict[str, str | None]) -> datetime:
    """The datetime of a match of `_ODD`; a leap second is the second before it and one more."""
    year, month, day, hour, minute, second = (
        int(part[name] or 0) for name in ("year", "month", "day", "hour", "minute", "second")
    )
    micro = int((part["fraction"] or "0").ljust(6, "0")[:6])
    leap = timedelta(seconds=1 if second == 60 else 0)
    midnight = timedelta(days=1 if (hour, minute, second) == (24, 0, 0) else 0)
    at = datetime(year, month, day, hour % 24 if midnight else hour, minute, min(second, 59) if leap else second, micro)
    return (at + leap + midnight).replace(tzinfo=_zone(part["zone"]))


def _zone(said: str | None) -> timezone | None:
    if said is None:
        return None
    if said in {"Z", "z", "UTC", "GMT"}:
        return UTC
    digits = said[1:].replace(":", "")
    hours, minutes = (int(digits), 0) if len(digits) <= 2 else (int(digits[:-2]), int(digits[-2:]))
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if said[0] == "-" else offset)


def _epoch(value: object, notes: Notes) -> datetime | None:
    if type(value) is int or type(value) is float:
        seconds = value / 1000 if value >= _MILLISECONDS_FROM else value
        if 10**8 < seconds < 10**10:
            notes.add(Deviation.EPOCH_TIME)
            return UNDATED + timedelta(seconds=seconds)
    notes.add(Deviation.UNREADABLE_TIME)
    return None
