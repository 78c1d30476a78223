"""Terms of sites: entered by people, checked, and kept with their history; and carbon by hour out of files."""

from __future__ import annotations

import csv
import hashlib
import io
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.charging.statistics.span import FIRST, LAST
from wattkeeper.charging.statistics.terms import MOST_G, Terms, need_sense
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store
from wattkeeper.store.stations import placement
from wattkeeper.store.statistics import terms as kept
from wattkeeper.store.statistics.terms import Entered

log = logging.getLogger("wattkeeper.statistics")

MOST_HOURS = 100_000
"""How many hours a file may tell: more than eleven years."""
COLUMNS = ["at", "g_per_kwh"]
UNKNOWN = phrase("No station stands at a site called {site}.")
NO_HEADER = phrase("The first line must name the columns: {columns}.", columns=",".join(COLUMNS))
ODD_LINE = phrase("Line {line} is not read: its hour is such as 2026-03-01T00:00Z, its figure such as 312.5.")
NO_HOUR = phrase("Line {line} is not read: it must begin on the hour; say UTC, or an offset such as +01:00.")
TWICE = phrase("Line {line} tells of an hour that the file told of before.")
ODD_HOUR = phrase("{at} is not taken: an hour begins on the hour, and its figure is from 0 to {most}.")
AGAIN = phrase("{at} is told twice.")
MOST_AT_ONCE = phrase("At most {most} hours at once.", most=MOST_HOURS)


class SiteTerms:
    """What sites' energy costs and their grids carry."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings

    async def enter(self, viewer: Viewer, site: str, terms: Terms) -> Entered:
        """Let these terms of a site hold, in the installation's money (scope tariffs:write).

        The same again is not entered twice. Refusal INVALID; NOT_FOUND: no such site.
        """
        viewer.need(Scope.TARIFFS_WRITE)
        terms = _in(terms, self._settings.pay_currency)
        need_sense(terms)
        async with self._store.unit() as unit:
            if not await placement.is_site(unit.connection, site):
                raise Refusal(Code.NOT_FOUND, UNKNOWN.filled(site=site or "–"))
            before = await kept.newest(unit, site)
            if before is not None and before.terms == terms:
                return before
            entered = await kept.enter(unit, site, terms, viewer.name)
        log.info("%s entered terms %d of a site", viewer.name, entered.n)
        return entered

    async def enter_carbon(self, viewer: Viewer, site: str, text: str) -> int:
        """Keep the carbon of a site's grid by hour out of a CSV with the columns at, g_per_kwh; how many hours.

        Scope tariffs:write. An hour told before is told anew; all or none. Refusal INVALID names the line.
        """
        viewer.need(Scope.TARIFFS_WRITE)
        return await self._keep(viewer, site, _parsed(text), text)

    async def enter_hours(self, viewer: Viewer, site: str, hours: Sequence[tuple[datetime, Decimal]]) -> int:
        """Keep the carbon of a site's grid by hour, told as instants and g/kWh; as a CSV of the same would be."""
        viewer.need(Scope.TARIFFS_WRITE)
        by_hour = _told(hours)
        lines = (f"{at:%Y-%m-%dT%H:%MZ},{grams:f}\n" for at, grams in by_hour.items())
        return await self._keep(viewer, site, by_hour, ",".join(COLUMNS) + "\n" + "".join(lines))

    async def _keep(self, viewer: Viewer, site: str, by_hour: Mapping[datetime, Decimal], text: str) -> int:
        """Keep hours; ``text``: the file that told them, whose hash the log has."""
        if not by_hour:
            raise Refusal(Code.INVALID, phrase("The file tells of no hour."))
        digest = hashlib.sha256(text.encode()).hexdigest()
        async with self._store.unit() as unit:
            if not await placement.is_site(unit.connection, site):
                raise Refusal(Code.NOT_FOUND, UNKNOWN.filled(site=site or "–"))
            await kept.enter_carbon(unit, site, by_hour, digest, viewer.name)
        log.info("%s entered the carbon of %d hours of a site", viewer.name, len(by_hour))
        return len(by_hour)


def _in(terms: Terms, currency: str) -> Terms:
    """The terms in a money."""
    return Terms(**{name: getattr(terms, name) for name in terms.__struct_fields__} | {"currency": currency})


def _parsed(text: str) -> dict[datetime, Decimal]:
    """The hours of a CSV; Refusal INVALID."""
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    found: dict[datetime, Decimal] = {}
    try:
        if [name.strip().lower() for name in next(rows, [])] != COLUMNS:
            raise Refusal(Code.INVALID, NO_HEADER)
        for row in rows:
            if any(row):
                at, grams = _row(row, rows.line_num)
                if at in found:
                    raise Refusal(Code.INVALID, TWICE.filled(line=rows.line_num))
                found[at] = grams
                if len(found) > MOST_HOURS:
                    raise Refusal(Code.INVALID, MOST_AT_ONCE)
    except csv.Error:
        raise Refusal(Code.INVALID, phrase("This is no CSV file that can be read.")) from None
    return found


def _told(hours: Sequence[tuple[datetime, Decimal]]) -> dict[datetime, Decimal]:
    """Hours by their beginnings; Refusal INVALID."""
    if len(hours) > MOST_HOURS:
        raise Refusal(Code.INVALID, MOST_AT_ONCE)
    found: dict[datetime, Decimal] = {}
    for at, grams in hours:
        if not _is_hour(at) or not _is_figure(grams):
            raise Refusal(Code.INVALID, ODD_HOUR.filled(at=at.isoformat(), most=MOST_G))
        if at in found:
            raise Refusal(Code.INVALID, AGAIN.filled(at=at.isoformat()))
        found[at] = grams
    return found


def _is_hour(at: datetime) -> bool:
    """Whether an hour begins then that anybody can mean: further off, no clock of a place can tell it."""
    return FIRST <= at.date() <= LAST and (at.minute, at.second, at.microsecond) == (0, 0, 0)


def _is_figure(grams: Decimal) -> bool:
    """Whether a grid can carry so much, g/kWh."""
    return grams.is_finite() and 0 <= grams <= MOST_G


def _row(row: list[str], line: int) -> tuple[datetime, Decimal]:
    """An hour of its line; Refusal INVALID."""
    try:
        at, grams = datetime.fromisoformat(row[0].strip()), Decimal(row[1].strip())
        if not _is_figure(grams) or not FIRST <= at.date() <= LAST:
            raise ValueError
    except (IndexError, ValueError, InvalidOperation):
        raise Refusal(Code.INVALID, ODD_LINE.filled(line=line)) from None
    if at.tzinfo is None or not _is_hour(at):
        raise Refusal(Code.INVALID, NO_HOUR.filled(line=line))
    return at.astimezone(UTC), grams
