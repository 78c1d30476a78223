"""What is behind the figure of an alert: the sessions it was measured from, or the outages of its station."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from urllib.parse import urlencode

from wattkeeper.charging.alerts.rule import Kind
from wattkeeper.charging.phrase import Phrase, phrase
from wattkeeper.store.alerts.alert import AlertRow
from wattkeeper.web.operator.insight.desks import UPTIME
from wattkeeper.web.operator.sessions.sessions import FAILED
from wattkeeper.web.operator.within import RAN

HOUR, QUARTER = timedelta(hours=1), timedelta(minutes=15)
SESSIONS, STARTS = phrase("The sessions behind it"), phrase("The starts of that hour")
OF_HOUR, OUTAGES = phrase("The sessions of that hour"), phrase("The outages of those days")


def behind(row: AlertRow, zone: tzinfo) -> tuple[Phrase, str] | None:
    """What it is called, and where it is listed; None of a price, which is told by a tariff and not by sessions."""
    at = row.raised_at
    if row.kind is Kind.PEAK_NEAR_LIMIT:
        begin = at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0) - QUARTER
        return SESSIONS, _sessions(begin, at, zone, site=row.site, within=RAN)
    if row.kind is Kind.FAILED_STARTS:
        return SESSIONS, _sessions(*_hour(row), zone, station=row.station, energy=FAILED)
    if row.kind is Kind.FAILED_SHARE:
        return STARTS, _sessions(*_hour(row), zone, station=row.station)
    if row.kind is Kind.ENERGY_WITHOUT_SESSION:
        return OF_HOUR, _sessions(*_hour(row), zone, station=row.station, within=RAN)
    if row.kind is Kind.STATION_OFFLINE:
        last = (row.cleared_at or at).astimezone(zone).date()
        first = min(at.astimezone(zone).date(), last)
        given = {"from": max(first, last - timedelta(days=300)).isoformat(), "to": last.isoformat()}
        return OUTAGES, f"{UPTIME}?{urlencode(given | {'station': row.station})}#outages"
    return None


def _hour(row: AlertRow) -> tuple[datetime, datetime]:
    """The hour before an alert, by the clock of its station where that is wrong: as it is listed."""
    since, until = row.figures.get("since"), row.figures.get("until")
    if since and until:
        return datetime.fromisoformat(since), datetime.fromisoformat(until)
    return row.raised_at - HOUR, row.raised_at


def _sessions(since: datetime, until: datetime, zone: tzinfo, **also: str) -> str:
    """Where sessions are listed between two instants."""
    ends = (at.astimezone(zone).isoformat(timespec="seconds") for at in (since, until + timedelta(seconds=1)))
    return "/sessions?" + urlencode(dict(zip(("since", "until"), ends, strict=True)) | also)
