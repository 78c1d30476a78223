"""Next week's load of a site, from its hourly totals by the clock of the place; kept for the hour it is of.

One that was made while hours before it were still being counted is not kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Reach, Scope, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.charging.statistics.forecast import HOURS, MOST_WEEKS, Forecast, Hour, forecast
from wattkeeper.operations.statistics.counting import counted_until
from wattkeeper.operations.statistics.use import need_totals
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store
from wattkeeper.store.statistics import total

HOUR, WEEK = timedelta(hours=1), timedelta(hours=HOURS)
MOST_KEPT = 200


@dataclass(frozen=True, slots=True)
class Told:
    """A forecast of seven days by the clock of the place: 168 hours, but where clocks change one less or more.

    An hour that the clock skips is none; one that it shows twice is two, and each is expected to come to as much.
    """

    forecast: Forecast
    begins: list[datetime]
    """The beginnings of the hours that are forecast, UTC."""
    last_wh: list[float]
    """What the same hours of the clock came to a week before."""
    as_of: datetime
    """Until when all that was recorded is in it."""


class Forecasts:
    """What the next week will bring, where that can be said."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._kept: dict[tuple[object, ...], Told] = {}
        self._turn = asyncio.Lock()
        """One forecast at a time, and none twice, however many ask: each takes a second of the machine."""

    async def of(self, viewer: Viewer, site: str | None = None) -> Told:
        """The next seven days from this hour on, of one site or of all that the viewer sees (scope sessions:read).

        Refusal FORBIDDEN for whoever sees their own sessions alone; NOT_FOUND where there is no such site, or it is
        not the viewer's.
        """
        zone = self._settings.zone
        begin = self._store.clock().astimezone(zone).replace(minute=0, second=0, microsecond=0)
        until = begin.astimezone(UTC)
        need_totals(viewer)
        reach = viewer.reach(Scope.SESSIONS_READ)
        key = (until, site, reach, () if reach is Reach.ANYWHERE else tuple(sorted(viewer.sites)))
        async with self._store.read() as connection:
            known = await total.sites(connection, viewer)
            if site is not None and site not in known:
                raise Refusal(Code.NOT_FOUND, phrase("There is no such site."))
            if key in self._kept:
                return self._kept[key]
            since = _instant((begin - (MOST_WEEKS + 1) * WEEK).replace(tzinfo=None), zone)
            rows = await total.by_hour(connection, viewer, since, until, site)
            as_of = await counted_until(connection, self._store.clock())
        energy_wh = {at: float(one.energy_wh) for at, one in rows.items()}
        async with self._turn:
            if key in self._kept:
                return self._kept[key]
            told = await asyncio.to_thread(_told, energy_wh, begin, zone, as_of)
            if as_of >= until:
                few = len(self._kept) < MOST_KEPT
                self._kept = {old: one for old, one in self._kept.items() if old[0] == until and few} | {key: told}
            return told


def _told(energy_wh: Mapping[datetime, float], begin: datetime, zone: tzinfo, as_of: datetime) -> Told:
    """The forecast from hourly energies, Wh; ``begin``: the hour of the place's clock that it begins with."""
    clock = begin.replace(tzinfo=None, fold=0)
    weeks = _weeks(energy_wh, clock, zone)
    made = forecast(weeks, clock.weekday() * 24 + clock.hour)
    shown = [(hour, at) for hour in range(HOURS) for at in _instants(clock + hour * HOUR, zone)]
    shown = [(hour, at) for hour, at in shown if at >= begin.astimezone(UTC)]
    last_wh = weeks[-1] if weeks else [0.0] * HOURS
    said = _of_hours(made, [hour for hour, _ in shown])
    return Told(said, [at for _, at in shown], [last_wh[hour] for hour, _ in shown], as_of)


def _of_hours(made: Forecast, hours: list[int]) -> Forecast:
    """A forecast of these of its hours: the week is as much less or more as they are expected to come to."""
    if made.week is None:
        return made
    kept = [made.hours[hour] for hour in hours]
    whole_wh = sum(one.expected_wh for one in made.hours)
    part = sum(one.expected_wh for one in kept) / whole_wh if whole_wh and len(kept) != HOURS else 1.0
    week = Hour(made.week.low_wh * part, made.week.expected_wh * part, made.week.high_wh * part)
    return replace(made, hours=kept, week=week)


def _weeks(energy_wh: Mapping[datetime, float], begin: datetime, zone: tzinfo) -> list[list[float]]:
    """Whole weeks before an hour of the place's clock, the oldest first.

    An hour that the clock shows twice is the mean of both, one that it leaves out is as the one before.
    """
    by_clock: dict[datetime, list[float]] = {}
    for at, wh in energy_wh.items():
        by_clock.setdefault(at.astimezone(zone).replace(tzinfo=None, minute=0, fold=0), []).append(wh)
    if not by_clock:
        return []
    count = min((begin - min(by_clock)) // WEEK, MOST_WEEKS)
    weeks, before = [], 0.0
    for week in range(count, 0, -1):
        hours = []
        for at in (begin - week * WEEK + hour * HOUR for hour in range(HOURS)):
            found = by_clock.get(at, [])
            shown = len(_instants(at, zone))
            before = sum(found) / max(shown, 1) if found or shown else before
            hours.append(before)
        weeks.append(hours)
    return weeks


def _instant(clock: datetime, zone: tzinfo) -> datetime:
    """The first instant at which the place's clock shows this."""
    return clock.replace(tzinfo=zone).astimezone(UTC)


def _instants(clock: datetime, zone: tzinfo) -> list[datetime]:
    """When the place's clock shows this: twice where clocks are put back over it, never where they skip it."""
    told = sorted({clock.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)})
    return [at for at in told if at.astimezone(zone).replace(tzinfo=None, fold=0) == clock]
