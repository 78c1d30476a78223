"""What one session adds to the totals: by quarter hour, so that hours, days and months of every zone follow from it.

Quarter hours are those of UTC: every zone in use today is a whole number of them apart. Energy comes evenly within
each stretch between readings, as it does on bills; sums over the quarters give the session to the millionth. What
nobody measured is told apart: energy between readings that lie far apart, and sessions of which the register is known
at or beside their two ends alone, so that nobody knows for how long energy flowed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec

from wattkeeper.charging.metering.flow import Kind
from wattkeeper.charging.money.exact import exactly, seconds, share
from wattkeeper.charging.money.usage import Interval, Usage
from wattkeeper.charging.reading import Reading
from wattkeeper.charging.session import LIVE, Session

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
LONGEST = timedelta(days=45)
"""What goes on longer is cut there: no car stays so long, somebody forgot to end it."""
MOST_WH = Decimal(100_000_000)
"""No session brings more, Wh: energy of which a station tells so much counts as none."""
SPREAD = timedelta(minutes=30)
"""Energy between two readings that lie further apart says little of any quarter hour between them."""
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
    spread_wh: Decimal = ZERO
    """Of the energy, what came between readings that lie far apart."""

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
    is_unknown: bool = False
    """Whether nobody knows when energy flowed in it: then it claims no time of charging, and none of idling."""

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


def is_read_between(session: Session, readings: Sequence[Reading], used: Usage) -> bool:
    """Whether a register was read between the two ends of a session, or since its begin, so that it tells of its flow.

    A reading beside an end says what the end says: where energy came in one long stretch over more than half of the
    session, nobody knows when. A record of history that says when charging ended does tell of it.
    """
    since, until = session.started_at, session.ended_at
    if not any(one.energy_wh is not None and since < one.at and (until is None or one.at < until) for one in readings):
        return False
    most = max(SPREAD, ((until or session.last_at) - since) / 2)
    return session.imported or not any(one.energy_wh > 0 and one.span > most for one in used.intervals)


def share_of(session: Session, used: Usage, left_at: datetime | None, gross_minor: int, *, is_read: bool) -> Share:
    """What a session adds; ``used``: its stretches, ``left_at``: when its car left, where that came after its end.

    ``gross_minor``: what was billed for it; it goes where its energy went, and where there is none, to its beginning.
    ``is_read``: whether its register was read between its two ends, or it was told that energy flowed until its end.
    """
    is_unknown = not _knows_flow(session, used, is_read)
    started, until = session.started_at, left_at or session.ended_at or session.last_at
    until = min(max(until, started), started + LONGEST)
    parts = {quarter_of(started): Part(quarter_of(started))}
    used = _believed(used)
    with exactly():
        for quarter, span in _quarters(started, until):
            _part(parts, quarter).plugged_s += seconds(span)
        for one in used.intervals:
            _add(parts, one, min(one.until, started + LONGEST), claims=not is_unknown)
        for quarter, span in () if is_unknown else _idle(used, until):
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
        is_unknown=is_unknown,
    )


def _knows_flow(session: Session, used: Usage, is_read: bool) -> bool:
    """Whether it is known for how long energy flowed; of a meter that tells sums alone it never is."""
    if session.energy_wh is None:
        return False
    return used.energy_wh <= 0 or (is_read and any(one.kind is Kind.CHARGING for one in used.intervals))


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


def _add(parts: dict[int, Part], one: Interval, until: datetime, *, claims: bool) -> None:
    """Add a stretch until an instant; the last quarter hour of it gets what rounding left."""
    left, found = one.energy_wh, list(_quarters(one.since, until))
    for quarter, span in found[:-1]:
        amount = share(one.energy_wh, span, until - one.since)
        left -= amount
        _put(_part(parts, quarter), one, amount)
    _put(_part(parts, found[-1][0] if found else quarter_of(one.since)), one, left)
    if one.kind is Kind.CHARGING and claims:
        for quarter, span in found:
            _part(parts, quarter).charging_s += seconds(span)


def _put(part: Part, one: Interval, energy_wh: Decimal) -> None:
    """Add energy of a stretch to a quarter hour."""
    part.energy_wh += energy_wh
    if one.span > SPREAD:
        part.spread_wh += energy_wh


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
