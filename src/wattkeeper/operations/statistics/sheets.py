"""Reliability for spreadsheets: ports, outages, and what became of attempts; seconds and shares of one, exact."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from wattkeeper.operations.money.papers.sheet import BOM, Cell, plain
from wattkeeper.operations.statistics.reliability import Report
from wattkeeper.store.statistics.reliability import OutageRow

SHARE = Decimal("0.000001")
PORTS = (
    *("site", "station", "port", "first_told_at", "known_s", "outage_s", "excluded_s"),
    *("uptime_nevi", "uptime_nothing_excluded", "outages", "repairs", "mean_time_to_repair_s"),
    *("plug_ins", "plug_ins_charged"),
)
OUTAGES = ("station", "port", "since", "until", "cause", "error", "began", "excluded")
STARTS = ("kind", "became", "count")


def ports(report: Report) -> str:
    """Every port of a report."""
    return _csv(PORTS, (_port(report, place) for place in range(len(report.ports))))


def _port(report: Report, place: int) -> Sequence[Cell]:
    one = report.ports[place]
    port, up, tried = one.port, one.uptime, one.success
    repair = "" if up.mean_repair is None else int(up.mean_repair.total_seconds())
    shares = (_share(up.nevi), _share(up.found))
    told = (port.site, port.station, port.evse, _at(port.first_at), up.known_s, up.out_s, up.excluded_s)
    return (*told, *shares, up.outages, up.repairs, repair, tried.plug_ins, tried.plug_ins_charged)


def outages(rows: Iterable[OutageRow]) -> str:
    """Outages; one that goes on has no end."""
    return _csv(OUTAGES, (outage_cells(one) for one in rows))


def outage_cells(one: OutageRow) -> Sequence[Cell]:
    """An outage; its instants in UTC."""
    told = (one.station, one.evse, _at(one.since), _at(one.until), one.cause.value, one.error, _at(one.began))
    return (*told, one.excluded.value if one.excluded else "")


def starts(report: Report) -> str:
    """How many attempts became what."""
    return _csv(STARTS, ((kind.value, why, count) for (kind, why), count in sorted(report.counts.items())))


def _csv(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """A table with its byte order mark."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(head)
    writer.writerows([plain(cell) for cell in row] for row in rows)
    return BOM + text.getvalue()


def _share(share: Decimal | None) -> Cell:
    return "" if share is None else share.quantize(SHARE)


def _at(at: datetime | None) -> str:
    return "" if at is None else at.isoformat()
