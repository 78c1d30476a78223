"""Grid meters: entered by people or programs, and never a register that runs backwards."""

from __future__ import annotations

import csv
import io
import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from itertools import pairwise

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.money.grid import Register
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import Figure, phrase
from wattkeeper.store.engines import Store
from wattkeeper.store.money import grid
from wattkeeper.store.money.grid import GridReading
from wattkeeper.store.stations import placement
from wattkeeper.store.unit import Unit

log = logging.getLogger("wattkeeper.grid")

MOST_WH = Decimal(10) ** 15
MOST_TOGETHER = 50_000
LONGEST = 60
AHEAD = timedelta(minutes=5)
"""How far a clock may be ahead of ours."""
COLUMNS = ("site", "meter", "at", "kwh")
HEADER = phrase("The first line must name the columns: {columns}.", columns=",".join(COLUMNS))
UNKNOWN = phrase("No station stands at a site called {site}.")
FALLS = phrase("The register of {meter} falls from {before} on {then} to {after} on {at}. Give a new meter a new name.")
LATER = phrase("A meter cannot have been read on {at}: that is still to come.")
ODD = phrase("A register is a number of kWh from 0 to a million million, with a meter's name of at most 60 signs.")


class GridMeters:
    """Takes in what grid meters show."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def find(
        self, viewer: Viewer, limit: int, site: str | None = None, before: datetime | None = None
    ) -> list[GridReading]:
        """The newest readings, of one site or of all (scope bills:read)."""
        async with self._store.read() as connection:
            return await grid.find(connection, viewer, limit, site, before)

    async def enter(self, viewer: Viewer, readings: Sequence[GridReading]) -> int:
        """Keep readings, all or none; how many (scope bills:write).

        One of the same meter and instant replaces the one before. Refusal NOT_FOUND: no such site; INVALID: a register
        that falls, an instant to come, too many.
        """
        viewer.need(Scope.BILLS_WRITE)
        if len(readings) > MOST_TOGETHER:
            raise Refusal(Code.INVALID, phrase("At most {most} readings at once.", most=MOST_TOGETHER))
        async with self._store.unit() as unit:
            for one in readings:
                _need_sense(one, unit.now)
            for site in sorted({one.site for one in readings}):
                if not await placement.is_site(unit.connection, site):
                    raise Refusal(Code.NOT_FOUND, UNKNOWN.filled(site=site or "–"))
            for site, meter in sorted({(one.site, one.meter) for one in readings}):
                await _need_rising(unit, [one for one in readings if (one.site, one.meter) == (site, meter)])
            await grid.keep(unit, readings, viewer.name)
        log.info("%s entered %d readings of grid meters", viewer.name, len(readings))
        return len(readings)

    async def import_csv(self, viewer: Viewer, text: str, zone: tzinfo) -> int:
        """Keep the readings of a CSV with the columns site, meter, at, kwh; how many.

        Instants without an offset are of ``zone``. Refusal INVALID names the line.
        """
        return await self.enter(viewer, _parsed(text, zone))


def _need_sense(one: GridReading, now: datetime) -> None:
    """Refuse what no meter shows."""
    if not (one.meter.strip() and len(one.meter) <= LONGEST and one.meter.isprintable()):
        raise Refusal(Code.INVALID, ODD)
    if not (one.energy_wh.is_finite() and 0 <= one.energy_wh <= MOST_WH):
        raise Refusal(Code.INVALID, ODD)
    if one.at > now + AHEAD:
        raise Refusal(Code.INVALID, LATER.filled(at=f"{one.at:%Y-%m-%d %H:%M}"))


async def _need_rising(unit: Unit, readings: Sequence[GridReading]) -> None:
    """Refuse a register that falls, beside what is known of its meter already."""
    site, meter = readings[0].site, readings[0].meter
    known = {one.at: one for one in await grid.of_meter(unit, site, meter)}
    known |= {one.at: Register(one.at, one.energy_wh) for one in readings}
    for before, after in pairwise(known[at] for at in sorted(known)):
        if after.energy_wh < before.energy_wh:
            raise Refusal(
                Code.INVALID,
                FALLS.filled(
                    meter=meter,
                    before=_kwh(before.energy_wh),
                    then=f"{before.at:%Y-%m-%d %H:%M}",
                    after=_kwh(after.energy_wh),
                    at=f"{after.at:%Y-%m-%d %H:%M}",
                ),
            )


def _kwh(wh: Decimal) -> Figure:
    """A register in kWh."""
    return Figure(wh.scaleb(-3), 3, "kWh")


def _parsed(text: str, zone: tzinfo) -> list[GridReading]:
    """The readings of a CSV; Refusal INVALID."""
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    try:
        names = [name.strip().lower() for name in next(rows, [])]
        if sorted(names) != sorted(COLUMNS):
            raise Refusal(Code.INVALID, HEADER)
        return [_row(dict(zip(names, row, strict=False)), zone, rows.line_num) for row in rows if any(row)]
    except csv.Error:
        raise Refusal(Code.INVALID, phrase("This is no CSV file that can be read.")) from None


def _row(row: dict[str, str], zone: tzinfo, line: int) -> GridReading:
    """A reading of its line."""
    try:
        at = datetime.fromisoformat(row["at"].strip())
        at = (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
        energy_wh = Decimal(row["kwh"].strip()).scaleb(3)
        return GridReading(row["site"].strip(), row["meter"].strip(), at, energy_wh)
    except (KeyError, ValueError, InvalidOperation, OverflowError):
        why = phrase("Line {line} is not read: its instant is such as 2026-03-01T00:00, its register such as 12345.6.")
        raise Refusal(Code.INVALID, why.filled(line=line)) from None
