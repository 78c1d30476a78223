"""What the demo has to show at once: months of real sessions, what its sites pay, bear and carry, and one alert."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, tzinfo
from decimal import Decimal

from wattkeeper.charging.alerts.rule import Kind, Rule
from wattkeeper.charging.person import Viewer
from wattkeeper.charging.statistics.terms import Terms, Window
from wattkeeper.operations.alerts.rules import Wish
from wattkeeper.operations.history import importing
from wattkeeper.operations.history.mapping import Columns, Energy, Times
from wattkeeper.operations.history.mapping import Mapping as Mapped
from wattkeeper.operations.history.table import Row, Table
from wattkeeper.simulator.past import charged_at, of_late
from wattkeeper.simulator.replay import Sojourn, load
from wattkeeper.web.rooms import Rooms

PLUGS = {
    "369001": ("CP-01", 1),
    "955429": ("CP-01", 2),
    "250527": ("CP-02", 1),
    "944515": ("CP-02", 2),
    "371335": ("CP-03", 1),
    "228137": ("CP-04", 1),
    "474204": ("CP-05", 1),
    "878706": ("CP-05", 2),
    "207262": ("CP-06", 1),
    "728918": ("CP-06", 2),
    "664306": ("CP-07", 1),
    "219054": ("CP-08", 1),
}
"""Which EVSE of the demo takes the past of which station of the data: the busiest."""
REGULAR = "98345808"
"""Whom of the data the demo's driver was: what they charged is no history but told by the station, and billed."""
AT = "CP-01"
"""Where, at both of its connectors."""
COLUMNS = ("session", "station", "evse", "begin", "charged", "end", "energy", "card")
LIMITS_KW = {"North car park": 24, "Workshop": 8, "South car park": 24, "Visitors": 8}
"""What the connection of each site of the demo bears."""
NIGHT, NOON = Window(22 * 60, 6 * 60, Decimal(19)), Window(11 * 60, 15 * 60, Decimal(16))
CARBON = (98, 92, 88, 86, 88, 97, 118, 140, 152, 146, 128, 108, 94, 88, 90, 102, 124, 150, 176, 184, 172, 150, 128, 110)
"""g of carbon dioxide for a kWh by hour of the day: an example, of no grid in particular."""
NEAR_LIMIT = Rule(kind=Kind.PEAK_NEAR_LIMIT, raise_at=Decimal(80), clear_at=Decimal(70))


async def enter_terms(rooms: Rooms, viewer: Viewer) -> None:
    """Enter what energy costs each site, what its connection bears and its grid carries; and who is told of peaks."""
    for site, limit_kw in LIMITS_KW.items():
        terms = Terms(
            peak_minor_per_kw=Decimal(825),
            energy_minor_per_kwh=Decimal(26),
            windows=(NIGHT, NOON),
            limit_w=Decimal(limit_kw) * 1000,
            carbon_g_per_kwh=tuple(map(Decimal, CARBON)),
        )
        await rooms.statistics.terms.enter(viewer, site, terms)
    await rooms.alerts.rules.make(viewer, Wish("A site’s load nears its limit", NEAR_LIMIT))


async def import_past(rooms: Rooms, until: date) -> int:
    """Import what lies before a day, as `wattkeeper import sessions` does; gives how many sessions."""
    times = Times(zone=rooms.settings.time_zone)
    mapping = Mapped(columns=Columns(**{name: name for name in COLUMNS}), times=times, energy=Energy("Wh"))
    found = await importing.plan(rooms.store, Table(list(COLUMNS), _rows(until)), mapping)
    return await importing.record(rooms.intake, found.fresh, mapping)


def _rows(until: date) -> Iterator[Row]:
    """The records of another system, by the clock of their place."""
    others = (one for one in _late(until) if one.user != REGULAR)
    for line, one in enumerate(others, 2):
        station, evse = PLUGS[one.station]
        begin, charged, end = (at.replace(tzinfo=None).isoformat() for at in (one.created, charged_at(one), one.ended))
        yield Row(line, [one.session, station, str(evse), begin, charged, end, str(one.energy_wh), one.user])


def past_of_driver(until: date, zone: tzinfo, cards: Sequence[str]) -> dict[str, list[dict[str, object]]]:
    """What stations still have to tell of the demo's driver before a day, by station; a card for each connector."""
    found: dict[str, list[dict[str, object]]] = {}
    for one in _late(until):
        station, evse = PLUGS[one.station]
        if one.user == REGULAR and station == AT:
            told = {"began": one.created, "ended": one.ended}
            times = {name: at.replace(tzinfo=zone).astimezone(UTC).isoformat() for name, at in told.items()}
            kept = {"connector": evse, "card": cards[evse - 1], **times, "energy_wh": one.energy_wh}
            found.setdefault(station, []).append(kept)
    return found


def _late(until: date) -> Iterator[Sojourn]:
    """The sessions of the demo's stations before a day, by the clock of their place."""
    return of_late([one for one in load() if one.station in PLUGS], until)
