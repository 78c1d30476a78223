"""How connectors, stations and sites were used over a span of days: energy, sessions, and shares of the time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.money.exact import divided, seconds
from wattkeeper.charging.person import Reach, Scope, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.charging.statistics.span import Span
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store
from wattkeeper.store.stations.placement import Stand
from wattkeeper.store.statistics import other_money, total
from wattkeeper.store.statistics.other_money import Sum
from wattkeeper.store.statistics.total import ZERO, Outlet, Part, Placed, Total, summed

NONE = Total()


@dataclass(frozen=True, slots=True)
class Line:
    """What a site, a station, a connector or all together came to."""

    total: Total
    evses: int
    """How many cars could have been plugged in at once: EVSEs, of which each charges one."""
    lasting_s: Decimal
    """How long the span was, as far as it has come; of a station that moved, as long as it stood there."""
    there_s: Decimal
    """How long its EVSEs were there, together."""
    site: str = ""
    station: str = ""
    name: str = ""
    """What people call the station."""
    evse: int = 0
    connector: int = 0
    moved: bool = False
    """Whether the station stood at more than one site within the span."""

    @property
    def plugged(self) -> Decimal | None:
        """The share of the time in which a car was plugged in, of one; None where there was no time."""
        return self._share(self.total.plugged_s)

    @property
    def charging(self) -> Decimal | None:
        """The share of the time in which energy flowed, of one; None where that is known of less than half of it.

        Where it is not known, as much is taken to have flowed as where it is.
        """
        told = self.total
        if not told.unknown_s:
            return self._share(told.charging_s)
        return self._share(divided(told.charging_s * told.plugged_s, told.known_s)) if told.is_known else None

    @property
    def idle_s(self) -> Decimal | None:
        """How long cars are known to have stood there full, seconds; None where that is known of less than half."""
        return self.total.idle_s if self.total.is_known else None

    @property
    def stay_s(self) -> Decimal | None:
        """How long a session that began in the span stayed on average, seconds; None where none began."""
        return divided(self.total.stayed_s, self.total.sessions) if self.total.sessions else None

    def _share(self, spent_s: Decimal) -> Decimal | None:
        return divided(spent_s, self.there_s) if self.there_s > 0 else None


@dataclass(frozen=True, slots=True)
class Used:
    """How all that is asked for was used, and its parts."""

    span: Span
    whole: Line
    sites: Sequence[Line]
    stations: Sequence[Line]
    connectors: Sequence[Line]
    knows_money: bool
    """Whether the viewer may know what was billed; else it is 0 everywhere."""
    other_money: Sequence[Sum] = ()
    """What was billed in other money for sessions that began in it: no amount has it."""


@dataclass(frozen=True, slots=True)
class Known:
    """What figures can be asked about, within the viewer's reach."""

    sites: Sequence[str]
    """By name; an empty one: stations without a site."""
    stations: Mapping[str, Placed]

    def need(self, part: Part) -> None:
        """Refusal NOT_FOUND where there is nothing of that name, or it is not the viewer's to see."""
        if part.site is not None and part.site not in self.sites:
            raise Refusal(Code.NOT_FOUND, phrase("There is no site of this name."))
        if part.station is not None and part.station not in self.stations:
            raise Refusal(Code.NOT_FOUND, phrase("There is no such station."))


class Use:
    """How connectors were used."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._zone = settings.zone
        self._currency = settings.pay_currency

    async def known(self, viewer: Viewer) -> Known:
        """What the viewer can ask about; Refusal FORBIDDEN for whoever sees no sessions but their own."""
        need_totals(viewer)
        async with self._store.read() as connection:
            stations = await total.placed(connection, viewer)
            sites = await total.sites(connection, viewer)
        return Known(sorted({*sites, *(stand.site for one in stations.values() for stand in one.stands)}), stations)

    async def of(self, viewer: Viewer, span: Span, part: Part, known: Known | None = None) -> Used:
        """How something was used; Refusal NOT_FOUND where there is no such thing."""
        known = known or await self.known(viewer)
        known.need(part)
        since, until = self._bounds(span)
        knows_money, others = self.knows_money(viewer), list[Sum]()
        async with self._store.read() as connection:
            found = await total.by_outlet(connection, viewer, span.first, span.until, part)
            if knows_money:
                others = await other_money.billed(connection, viewer, self._currency, (since, until), part)
        if not knows_money:
            found = {outlet: replace(one, gross_minor=0) for outlet, one in found.items()}
        lines = await asyncio.to_thread(_lines, found, known.stations, part, since, until)
        return Used(span, *lines, knows_money, others)

    async def days(self, viewer: Viewer, span: Span, part: Part, *, by_month: bool) -> list[tuple[Span, Total]]:
        """What each day of a span came to, or each month as far as the span has of it; those without anything too."""
        need_totals(viewer)
        is_whole = by_month and span.first.day == span.until.day == 1
        async with self._store.read() as connection:
            if is_whole:
                months = f"{span.first:%Y-%m}", f"{span.last:%Y-%m}"
                found = await total.by_month(connection, viewer, *months, part)
            else:
                found = await total.by_day(connection, viewer, span.first, span.until, part)
        knows_money = self.knows_money(viewer)
        kept = {key: one if knows_money else replace(one, gross_minor=0) for key, one in found.items()}
        return [(one, _of_days(kept, one)) for one in (span.months if by_month else span.each)]

    def knows_money(self, viewer: Viewer) -> bool:
        """Whether the viewer may know what was billed."""
        return viewer.may(Scope.BILLS_READ)

    def _bounds(self, span: Span) -> tuple[datetime, datetime]:
        """From its first instant until its last, as far as it has come."""
        since, until = span.bounds(self._zone)
        return since, max(since, min(until, self._store.clock()))


def need_totals(viewer: Viewer) -> None:
    """Refusal FORBIDDEN for whoever may see no sessions, or none but their own."""
    if viewer.reach(Scope.SESSIONS_READ) is Reach.OWN:
        raise Refusal(Code.FORBIDDEN, phrase("These figures are of all who charge, and you see your own sessions."))


def _of_days(found: Mapping[str, Total], span: Span) -> Total:
    """What days came to, of totals by day or by whole month."""
    names = {f"{span.first:%Y-%m}", *(one.first.isoformat() for one in span.each)}
    return summed(found[name] for name in names if name in found)


def _lines(
    found: Mapping[Outlet, Total], stations: Mapping[str, Placed], part: Part, since: datetime, until: datetime
) -> tuple[Line, list[Line], list[Line], list[Line]]:
    """All together, the sites, the stations and the connectors: beside everything else, for they may be very many."""
    connectors = list(_connectors(found, stations, part, since, until))
    empty = Line(NONE, 0, seconds(until - since), ZERO)
    by_station = _together(connectors, lambda line: (line.site, line.station))
    by_site = _together(connectors, lambda line: (line.site, ""))
    at_stations = [_sum(some[0], some, evse=0, connector=0) for some in by_station]
    at_sites = [_sum(empty, some, site=some[0].site) for some in by_site]
    return _sum(empty, connectors), at_sites, at_stations, connectors


def _connectors(
    found: Mapping[Outlet, Total], stations: Mapping[str, Placed], part: Part, since: datetime, until: datetime
) -> Iterator[Line]:
    """Every connector that there is or was, used or not; a station that told of none is one."""
    outlets, heard = set(found), {(one.station, one.site) for one in found}
    for place in stations.values():
        if part.station in (None, place.station):
            sites = [site for site in place.sites(since, until) if part.site in (None, site)]
            its = [Outlet(place.station, *each, site) for each in place.connectors for site in sites]
            outlets.update(its)
            heard.update((one.station, one.site) for one in its)
            outlets.update(Outlet(place.station, 0, 0, site) for site in sites if (place.station, site) not in heard)
    there: dict[tuple[str, str], tuple[Decimal, str, bool]] = {}
    for one in sorted(outlets):
        if (one.station, one.site) not in there:
            place = stations.get(one.station) or Placed(one.station, "", since, (), (Stand(one.site, since, until),))
            lasting_s = seconds(place.lasting(one.site, since, until))
            there[one.station, one.site] = lasting_s, place.name, len(place.sites(since, until)) > 1
        lasting_s, name, moved = there[one.station, one.site]
        yield Line(
            found.get(one, NONE), 1, lasting_s, lasting_s, one.site, one.station, name, one.evse, one.connector, moved
        )


def _together(lines: Iterable[Line], kind: Callable[[Line], tuple[str, str]]) -> list[list[Line]]:
    """Connectors by what they belong to, in the order of its names."""
    found: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        found.setdefault(kind(line), []).append(line)
    return [some for _, some in sorted(found.items())]


def _sum(like: Line, lines: Sequence[Line], **about: Any) -> Line:
    """What connectors come to together, otherwise like a line: those of one EVSE are one EVSE.

    Where a station told of EVSEs, what it told of none is none of its own.
    """
    told = {line.station for line in lines if line.evse}
    there = {(line.site, line.station, line.evse or -line.connector): line.lasting_s for line in lines}
    counted = {key: lasting_s for key, lasting_s in there.items() if key[2] > 0 or key[1] not in told}
    evses = len({key[1:] for key in counted})
    totals = [line.total for line in lines if line.total is not NONE]
    whole = totals[0] if len(totals) == 1 else summed(totals)
    return replace(like, total=whole, evses=evses, there_s=sum(counted.values(), ZERO), **about)
