"""What one session adds to the totals: by quarter hour, so that hours, days and months of every zone follow from it.

Quarter hours are those of UTC: every zone in use today is a whole number of them apart. Energy comes evenly within
each stretch between readings, as it does on bills; sums over the quarters give the session to the millionth.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec

from wattkeeper.charging.metering.flow import Kind
from wattkeeper.charging.money.exact import exactly, seconds, share
from wattkeeper.charging.money.usage import Usage
from wattkeeper.charging.session import LIVE, Session

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
LONGEST = timedelta(days=45)
"""What goes on longer is cut there: no car stays so long, somebody forgot to end it."""
MOST_WH = Decimal(100_000_000)
"""No session brings more, Wh: energy of which a station tells so much counts as none."""
ZERO = Decimal(0)


class Part(msgspec.Struct, array_like=True):
    """What falls into one quarter hour."""

    quarter: int
    """Which, counted from 1970."""
    plugged_s: Decimal = ZERO
    charging_s: Decimal = ZERO
    idle_s: Decimal = ZERO
    energy_wh: Decimal = ZERO
    gross_minor: int = 0

    @property
    def at(self) -> datetime:
        """Its beginning."""
        return EPOCH + self.quarter * QUARTER


class Share(msgspec.Struct):
    """What a session adds."""

    station: str
    evse: int
    """0: not told."""
    connector: int
    """0: not told."""
    started_at: datetime
    parts: list[Part]
    """In the order of time; at least the quarter hour in which it began."""
    ended: bool
    stayed_s: Decimal
    """How long the car was plugged in so far."""

    @property
    def energy_wh(self) -> Decimal:
        """All of its energy, Wh."""
        return sum((part.energy_wh for part in self.parts), ZERO)

    @property
    def until(self) -> datetime:
        """Until when the car was plugged in, as far as it has come."""
        return self.started_at + timedelta(microseconds=int(self.stayed_s.scaleb(6)))

    @property
    def is_empty(self) -> bool:
        """Whether it ended without energy."""
        return self.ended and self.energy_wh <= 0


def quarter_of(at: datetime) -> int:
    """The number of the quarter hour in which an instant lies."""
    return (at - EPOCH) // QUARTER


def share_of(session: Session, used: Usage, left_at: datetime | None, gross_minor: int) -> Share:
    """What a session adds; ``used``: its stretches, ``left_at``: when its car left, where that came after its end.

    ``gross_minor``: what was billed for it; it goes where its energy went, and where there is none, to its beginning.
    """
    started, until = session.started_at, left_at or session.ended_at or session.last_at
    until = min(max(until, started), started + LONGEST)
    parts = {quarter_of(started): Part(quarter_of(started))}
    used = _believed(used)
    with exactly():
        for quarter, span in _quarters(started, until):
            _part(parts, quarter).plugged_s += seconds(span)
        for one in used.intervals:
            _add(parts, one.kind, one.since, min(one.until, started + LONGEST), one.energy_wh)
        for quarter, span in _idle(used, until):
            _part(parts, quarter).idle_s += seconds(span)
    ordered = [parts[quarter] for quarter in sorted(parts)]
    _spread(ordered, gross_minor)
    return Share(
        station=session.station,
        evse=session.evse or 0,
        connector=session.connector or 0,
        started_at=started,
        parts=ordered,
        ended=session.state not in LIVE,
        stayed_s=seconds(until - started),
    )


def _believed(used: Usage) -> Usage:
    """The stretches of a session, without energy where that cannot be: of all others totals would say nothing more."""
    if sum((abs(one.energy_wh) for one in used.intervals), ZERO) <= MOST_WH:
        return used
    return replace(used, intervals=tuple(replace(one, energy_wh=ZERO) for one in used.intervals))


def _part(parts: dict[int, Part], quarter: int) -> Part:
    return parts.setdefault(quarter, Part(quarter))


def _quarters(since: datetime, until: datetime) -> Iterator[tuple[int, timedelta]]:
    """The quarter hours between two instants, and how much of each lies between them."""
    while since < until:
        quarter = quarter_of(since)
        edge = min(EPOCH + (quarter + 1) * QUARTER, until)
        yield quarter, edge - since
        since = edge


def _add(parts: dict[int, Part], kind: Kind, since: datetime, until: datetime, energy_wh: Decimal) -> None:
    """Add a stretch; the last quarter hour of it gets what rounding left."""
    left, found = energy_wh, list(_quarters(since, until))
    for quarter, span in found[:-1]:
        amount = share(energy_wh, span, until - since)
        left -= amount
        _part(parts, quarter).energy_wh += amount
    last = found[-1][0] if found else quarter_of(since)
    _part(parts, last).energy_wh += left
    if kind is Kind.CHARGING:
        for quarter, span in found:
            _part(parts, quarter).charging_s += seconds(span)


def _idle(used: Usage, until: datetime) -> Iterator[tuple[int, timedelta]]:
    """The quarter hours after the last energy in which the car stood there and the station gave power."""
    last = max((one.until for one in used.intervals if one.energy_wh > 0), default=None)
    for one in used.intervals:
        if last is not None and one.since >= last and one.kind in (Kind.PARKING, Kind.BLOCKING):
            yield from _quarters(one.since, min(one.until, until))


def _spread(parts: list[Part], gross_minor: int) -> None:
    """Share out what was billed by energy, to the minor unit."""
    whole, done, told = sum((part.energy_wh for part in parts), ZERO), ZERO, 0
    if whole <= 0:
        parts[0].gross_minor = gross_minor
        return
    for part in parts:
        done += part.energy_wh
        upto = int(gross_minor * done / whole)
        part.gross_minor, told = upto - told, upto
