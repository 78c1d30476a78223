"""Reliability for spreadsheets: ports, outages, and what became of attempts; seconds and shares of one, exact."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo
from decimal import Decimal

from wattkeeper.operations.money.papers.sheet import Cell, written
from wattkeeper.operations.statistics.reliability import Report
from wattkeeper.store.statistics.reliability import OutageRow

SHARE = Decimal("0.000001")
PORTS = (
    *("site", "station", "port", "first_told_at", "known_s", "outage_s", "excluded_s"),
    *("uptime_nevi", "uptime_nothing_excluded", "outages", "repairs", "mean_time_to_repair_s"),
    *("plug_ins", "plug_ins_charged"),
)
OUTAGES = ("site", "station", "port", "since", "until", "cause", "error", "began", "excluded")
STARTS = ("kind", "became", "count")


def ports(report: Report, zone: tzinfo) -> str:
    """Every port of a report; instants by the clock of a zone."""
    return written(PORTS, (_port(report, place, zone) for place in range(len(report.ports))))


def _port(report: Report, place: int, zone: tzinfo) -> Sequence[Cell]:
    one = report.ports[place]
    port, up, tried = one.port, one.uptime, one.success
    repair = "" if up.mean_repair is None else int(up.mean_repair.total_seconds())
    shares = (_share(up.nevi), _share(up.found))
    told = (port.site, port.station, port.evse, _at(port.first_at, zone), up.known_s, up.out_s, up.excluded_s)
    return (*told, *shares, up.outages, up.repairs, repair, tried.plug_ins, tried.plug_ins_charged)


def outages(rows: Iterable[OutageRow], zone: tzinfo) -> str:
    """Outages, by the clock of a zone; one that goes on has no end."""
    return written(OUTAGES, (outage_cells(one, zone) for one in rows))


def outage_cells(one: OutageRow, zone: tzinfo) -> Sequence[Cell]:
    """An outage, by the clock of a zone."""
    since, until, began = (_at(at, zone) for at in (one.since, one.until, one.began))
    return (
        *(one.site, one.station, one.evse, since, until, one.cause.value, one.error, began),
        one.excluded.value if one.excluded else "",
    )


def starts(report: Report) -> str:
    """How many attempts became what."""
    return written(STARTS, ((kind.value, why, count) for (kind, why), count in sorted(report.counts.items())))


def _share(share: Decimal | None) -> Cell:
    return "" if share is None else share.quantize(SHARE)


def _at(at: datetime | None, zone: tzinfo) -> str:
    return "" if at is None else at.astimezone(zone).isoformat()
