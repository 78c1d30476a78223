"""Reliability of ports over a span of days, as far as a viewer may see; and the deed that an outage does not count."""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from wattkeeper.bus import Bus
from wattkeeper.charging.deed import DeedKind
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.charging.statistics.attempt import Counts, Kind, Some, Success, success
from wattkeeper.charging.statistics.span import Span
from wattkeeper.charging.statistics.uptime import Cause, Exclusion, Uptime
from wattkeeper.operations.safe import Safe
from wattkeeper.operations.statistics.use import need_totals
from wattkeeper.settings import Settings
from wattkeeper.store import deed
from wattkeeper.store.engines import Store
from wattkeeper.store.statistics import exclusion, reliability
from wattkeeper.store.statistics.exclusion import ExclusionRow
from wattkeeper.store.statistics.reliability import AttemptRow, OutageRow, PortRow, Spot, Which
from wattkeeper.store.statistics.total import WHOLE, Part

log = logging.getLogger("wattkeeper.reliability")

SEALED = ("exclusion", "sealed")
SHORTEST_NOTE, LONGEST_NOTE = 10, 500
ENOUGH = Decimal("0.97")
"""Above this a port's uptime must be (23 CFR 680.116(b))."""
YEAR = timedelta(days=365)
"""525,600 minutes: over how long 23 CFR 680.116(b) asks for uptime."""


@dataclass(frozen=True, slots=True)
class PortReport:
    """A port over a span."""

    port: PortRow
    uptime: Uptime
    success: Success

    @property
    def is_enough(self) -> bool:
        """Whether it was up for more than 97 % of the time, by NEVI's equation."""
        return self.uptime.nevi is not None and self.uptime.nevi > ENOUGH


@dataclass(frozen=True, slots=True)
class StationReport:
    """A station over a span: its ports, and what was tried there."""

    station: str
    label: str
    site: str
    ports: list[PortReport]
    uptime: Uptime
    """Of its ports together."""
    success: Success


@dataclass(frozen=True, slots=True)
class Out:
    """When some ports were out over a span, each at its site."""

    longest: list[OutageRow]
    """The outages that lasted longest, cut to when the station stood there."""
    is_all: bool
    """Whether there were no others."""
    causes: dict[Spot, dict[Cause, timedelta]]
    """How long each was out and for which cause, by all of them."""


@dataclass(frozen=True, slots=True)
class Report:
    """Reliability over a span."""

    span: Span
    stations: list[StationReport]
    uptime: Uptime
    """Of all ports together: their seconds, added."""
    success: Success
    counts: Counts
    open: list[OutageRow]
    """The outages that go on now, the longest first."""

    @property
    def ports(self) -> list[PortReport]:
        """All ports of which something is known in the span."""
        return [port for station in self.stations for port in station.ports]

    @property
    def enough(self) -> int:
        """How many of them were up for more than 97 % of the time, by NEVI's equation."""
        return sum(port.is_enough for port in self.ports)


def last_year(today: date) -> Span:
    """The 365 days that end today."""
    return Span(today + timedelta(days=1) - YEAR, today + timedelta(days=1))


class Reliability:
    """What reliability came to, and what of it does not count."""

    def __init__(self, store: Store, safe: Safe, bus: Bus, settings: Settings) -> None:
        self._store = store
        self._safe = safe
        self._bus = bus
        self._zone = settings.zone

    async def report(self, viewer: Viewer, span: Span, part: Part = WHOLE) -> Report:
        """Uptime, outages and attempts over a span (scope sessions:read), of the part that the viewer may see."""
        need_totals(viewer)
        since, until = self._bounds(span)
        async with self._store.read() as connection:
            ports = await reliability.ports(connection, viewer, until, part)
            down = await reliability.down(connection, viewer, since, until, part) if since < until else {}
            counts = await reliability.counts(connection, viewer, span, self._zone, part)
            now = self._store.clock()
            open_now = await reliability.outages(connection, viewer, now, now, part, is_open=True)
        told = [PortReport(one, _uptime(one, down, since, until), success(counts.get(one.spot, {}))) for one in ports]
        stations = _stations([one for one in told if one.uptime.known_s > 0], counts)
        whole = _together(counts.values())
        uptime = sum((one.uptime for one in stations), Uptime())
        return Report(span, stations, uptime, success(whole), whole, open_now)

    async def is_known_before(self, viewer: Viewer, at: datetime) -> bool:
        """Whether a port was told of before an instant (scope sessions:read)."""
        async with self._store.read() as connection:
            return bool(await reliability.ports(connection, viewer, at))

    async def over(self, viewer: Viewer, spans: Sequence[Span], part: Part = WHOLE) -> list[Uptime]:
        """The uptime of all ports together in each of these spans, in their order (scope sessions:read)."""
        need_totals(viewer)
        bounds = [self._bounds(span) for span in spans]
        told = []
        async with self._store.read() as connection:
            ports = await reliability.ports(connection, viewer, max(until for _, until in bounds), part)
            for since, until in bounds:
                down = await reliability.down(connection, viewer, since, until, part) if since < until else {}
                told.append(sum((_uptime(one, down, since, until) for one in ports), Uptime()))
        return told

    async def outages(
        self,
        viewer: Viewer,
        span: Span,
        part: Part = WHOLE,
        limit: int = 200,
        skip: int = 0,
        evse: int | None = None,
        which: Which = Which.ALL,
    ) -> list[OutageRow]:
        """The newest outages within a span (scope sessions:read)."""
        need_totals(viewer)
        given: dict[str, Any] = {"limit": limit, "skip": skip, "evse": evse, "which": which}
        async with self._store.read() as connection:
            return await reliability.outages(connection, viewer, *self._bounds(span), part, **given)

    async def out(self, viewer: Viewer, span: Span, spots: Collection[Spot], limit: int) -> Out:
        """When some ports were out (scope sessions:read); ``limit``: how many outages are told one by one."""
        need_totals(viewer)
        if not spots:
            return Out([], True, {})
        asked = (viewer, *self._bounds(span), spots)
        async with self._store.read() as connection:
            rows = await reliability.longest(connection, *asked, limit + 1)
            causes = await reliability.causes(connection, *asked)
        return Out(rows[:limit], len(rows) <= limit, causes)

    async def attempts(
        self,
        viewer: Viewer,
        span: Span,
        what: Sequence[Some],
        part: Part = WHOLE,
        limit: int = 100,
        skip: int = 0,
        evse: int | None = None,
    ) -> list[AttemptRow]:
        """The newest attempts of a span that became one of these (scope sessions:read)."""
        need_totals(viewer)
        bounds = span.bounds(self._zone)
        async with self._store.read() as connection:
            return await reliability.attempts(connection, viewer, *bounds, what, part, limit, skip, evse)

    def _bounds(self, span: Span) -> tuple[datetime, datetime]:
        """The span's instants, as far as it has come."""
        since, until = span.bounds(self._zone)
        return since, min(until, self._store.clock())

    # --- what does not count ----------------------------------------------------------------------------

    async def exclude(
        self, viewer: Viewer, station: str, evse: int, since: datetime, reason: Exclusion, note: str
    ) -> ExclusionRow:
        """Let the outage of a port that began at an instant not count, up to now where it goes on.

        Scope stations:write. ``note``: what shows it. Refusal INVALID; NOT_FOUND; CONFLICT: it does not count already.
        """
        viewer.need(Scope.STATIONS_WRITE)
        note = " ".join(note.split())
        if not SHORTEST_NOTE <= len(note) <= LONGEST_NOTE:
            least = phrase("Say what shows it in {least} to {most} characters.", least=SHORTEST_NOTE, most=LONGEST_NOTE)
            raise Refusal(Code.INVALID, least)
        async with self._store.unit() as unit:
            found = await exclusion.outage_at(unit, station, evse, since)
            if found is None:
                raise Refusal(Code.NOT_FOUND, phrase("This port had no outage that began then."))
            until = found[1] or unit.now
            begin = max(since, await exclusion.excluded_until(unit, station, evse, since, until) or since)
            if begin >= until:
                raise Refusal(Code.CONFLICT, phrase("This outage does not count already."))
            sealed = self._safe.seal(*SEALED, note.encode())
            which = (secrets.token_hex(6), station, evse, begin, until, reason)
            row = ExclusionRow(*which, sealed, unit.now, viewer.name)
            await exclusion.keep(unit, row)
            body = _body(row) | {"note_sha256": hashlib.sha256(note.encode()).hexdigest()}
            await deed.enter(unit, DeedKind.OUTAGE_EXCLUDED, viewer.name, station, body)
        log.info("%s excluded an outage of a port of %s", viewer.name, station)
        self._bus.announce("reliability")
        return row

    async def count_again(self, viewer: Viewer, identifier: str) -> ExclusionRow:
        """Let what was excluded count again (scope stations:write); Refusal NOT_FOUND."""
        viewer.need(Scope.STATIONS_WRITE)
        async with self._store.unit() as unit:
            row = await exclusion.take_back(unit, identifier)
            if row is None:
                raise Refusal(Code.NOT_FOUND, phrase("Nothing of that id is excluded."))
            await deed.enter(unit, DeedKind.OUTAGE_COUNTED, viewer.name, row.station, _body(row))
        self._bus.announce("reliability")
        return row

    async def notes(self, viewer: Viewer, outages: Sequence[OutageRow]) -> dict[str, tuple[ExclusionRow, str]]:
        """Who excluded these outages and what shows it, by the exclusion's id; for who may read all stations."""
        if not viewer.may(Scope.STATIONS_READ):
            return {}
        async with self._store.read() as connection:
            rows = await exclusion.named(connection, [one.exclusion for one in outages if one.exclusion])
        return {row.id: (row, self._safe.unseal(*SEALED, row.sealed).decode()) for row in rows}


def _body(row: ExclusionRow) -> dict[str, object]:
    """What the log says of an exclusion."""
    span = {"since": row.since.isoformat(), "until": row.until.isoformat()}
    return {"exclusion": row.id, "evse": row.evse, "reason": row.reason.value, **span}


def _uptime(port: PortRow, down: Mapping[Spot, Uptime], since: datetime, until: datetime) -> Uptime:
    """The uptime of a port, with how long it was there."""
    there = port.known(since, until)
    found = down.get(port.spot, Uptime())
    return replace(found, known_s=Decimal(there // timedelta(microseconds=1)) / 1_000_000)


def _stations(ports: list[PortReport], counts: Mapping[Spot, Counts]) -> list[StationReport]:
    """The stations of these ports, in their order, with all that was tried at each; each at each of its sites."""
    by_station: dict[tuple[str, str], list[PortReport]] = {}
    for one in ports:
        by_station.setdefault((one.port.site, one.port.station), []).append(one)
    tried: dict[tuple[str, str], list[Counts]] = {}
    for (site, name, _), some in counts.items():
        tried.setdefault((site, name), []).append(some)
    return [
        StationReport(
            station=name,
            label=own[0].port.label,
            site=site,
            ports=own,
            uptime=sum((one.uptime for one in own), Uptime()),
            success=success(_together(tried.get((site, name), []))),
        )
        for (site, name), own in by_station.items()
    ]


def _together(some: Iterable[Counts]) -> Counts:
    """Counts, added."""
    whole: Counter[tuple[Kind, str]] = Counter()
    for one in some:
        whole.update(one)
    return dict(whole)
