"""Next week's load from the weeks before, with an interval, and whether that is worth showing: measured on the past.

Weeks are 168 hourly energies, Wh, each beginning at the same hour of the week as the week that is to be forecast. A
few simple methods forecast every past week from those before it alone; for each week speaks the one that erred least
in the weeks before. It is shown where its error is smaller than that of whoever knows last week, or a mean, by heart.

Nothing here is money, so these are floats; the same weeks always give the same forecast.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import accumulate
from statistics import fmean, median

HOURS, DAY = 168, 24
WORKING_DAYS = 5
FIRST = 2
"""So many weeks must be known before a method says anything."""
WARM = 4
"""So many before its errors count: until then the methods are only watched."""
LEAST_WEEKS = 8
"""So many must be known before a forecast is shown: four of them were forecast and compared."""
MOST_WEEKS = 30
"""Older weeks say nothing about the next one."""
MARGIN = 0.02
"""By how much of a baseline's error it must be better."""
WATCHED = 8
"""Over how many weeks the methods are compared, and errors make the interval."""
WITHIN = 0.8
"""What share of hours the interval is meant to hold."""

Week = Sequence[float]
Forecasting = Callable[[Sequence[Week], int], list[float]]
"""A method: weeks before, the oldest first, and the hour of the week at which they begin; the next week."""


class Baseline(StrEnum):
    """What anybody can say of next week without a forecast."""

    LAST = "last_week"
    """It is as the last one."""
    WEEKLY = "weekly_mean"
    """Each hour of the week is as on the mean of all weeks."""
    MEAN = "mean"
    """Each hour is as on the mean of all hours."""
    MEDIAN = "median"
    """Each hour is as the middle one of all hours: of a site that is seldom used, nothing."""


BASELINES: dict[Baseline, Forecasting] = {
    Baseline.LAST: lambda weeks, _: list(weeks[-1]),
    Baseline.WEEKLY: lambda weeks, _: [fmean(hour) for hour in zip(*weeks, strict=True)],
    Baseline.MEAN: lambda weeks, _: [fmean([fmean(week) for week in weeks])] * HOURS,
    Baseline.MEDIAN: lambda weeks, _: [median([wh for week in weeks for wh in week])] * HOURS,
}


@dataclass(frozen=True, slots=True)
class Hour:
    """What an hour is expected to come to, Wh: as often more as less; in four of five hours from low to high."""

    low_wh: float
    expected_wh: float
    high_wh: float


@dataclass(frozen=True, slots=True)
class Tried:
    """How good it was: each past week forecast from those before it alone."""

    weeks: int
    """How many were forecast and compared."""
    error_wh: float = 0.0
    """Mean absolute error of an hour, Wh."""
    baselines_wh: dict[Baseline, float] = field(default_factory=dict)
    """The same of each baseline."""
    within: float = 0.0
    """What share of the hours lay in the interval, of those for which it said more than nothing."""
    said: int = 0
    """How many hours those are."""
    week_off: float = 0.0
    """By what share of the mean week the energy of whole weeks was off, on the mean."""

    @property
    def best(self) -> Baseline:
        """The baseline with the smallest error."""
        return min(self.baselines_wh, key=lambda one: self.baselines_wh[one])


class Why(StrEnum):
    """Why there is no forecast."""

    NOTHING = "nothing"
    """There was no energy."""
    FEW = "few_weeks"
    """Too few weeks are known."""
    WORSE = "worse"
    """A baseline is as good."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """The next 168 hours of the clock, or why they are not said."""

    known: int
    """How many whole weeks are known."""
    hours: list[Hour]
    """Empty where it is not shown."""
    tried: Tried
    why: Why | None
    week: Hour | None = None
    """All of it: a mean, while an hour is a median; so hours add up to less."""


def forecast(weeks: Sequence[Week], first: int) -> Forecast:
    """The week after these, of which the oldest comes first; ``first``: their first hour, 0 is Monday 0:00."""
    known, weeks = len(weeks), list(weeks)[-MOST_WEEKS:]
    if not any(any(week) for week in weeks):
        return Forecast(known, [], Tried(0), Why.NOTHING)
    if known < LEAST_WEEKS:
        return Forecast(known, [], Tried(0), Why.FEW)
    trial = Trial(first)
    for place in range(FIRST, len(weeks)):
        trial.compare(weeks[:place], weeks[place])
    tried = trial.told()
    is_better = all(tried.error_wh < wh * (1 - MARGIN) for wh in tried.baselines_wh.values())
    if not is_better:
        return Forecast(known, [], tried, Why.WORSE)
    return Forecast(known, trial.next(weeks), tried, None, trial.week(weeks))


# --- methods ------------------------------------------------------------------------------------------------------


def of_kind(beside: float, decay: float, count: int) -> Forecasting:
    """The weighted median of the same hour on the same kind of day (working days, weekends).

    ``beside``: how much another weekday than its own weighs, ``decay``: how much the week before one does, of so many.
    """

    def said(weeks: Sequence[Week], first: int) -> list[float]:
        some = list(weeks)[-count:]
        ages = [decay**age for age in range(len(some) - 1, -1, -1)]
        return [_median(_alike(some, ages, first, hour, beside)) for hour in range(HOURS)]

    return said


def weighted(decay: float, beside: float = 0.0) -> Forecasting:
    """The weighted mean of the same hour of the week; ``beside``: as above, of the same kind of day."""

    def said(weeks: Sequence[Week], first: int) -> list[float]:
        ages = [decay**age for age in range(len(weeks) - 1, -1, -1)]
        own = [_mean(zip(hour, ages, strict=True)) for hour in zip(*weeks, strict=True)]
        return [_mean(_alike([own], [1.0], first, hour, beside)) for hour in range(HOURS)]

    return said


def rising(method: Forecasting) -> Forecasting:
    """Another method, raised or lowered by half of what it missed in the middle one of the last three weeks."""

    def said(weeks: Sequence[Week], first: int) -> list[float]:
        lately = range(max(FIRST, len(weeks) - 3), len(weeks))
        missed = [sum(weeks[place]) / max(sum(method(weeks[:place], first)), 1.0) for place in lately]
        by = min(max(median(missed or [1.0]), 0.7), 1.4) ** 0.5
        return [wh * by for wh in method(weeks, first)]

    return said


NEWEST = of_kind(beside=0.5, decay=0.7, count=8)
METHODS: tuple[Forecasting, ...] = (
    NEWEST,
    of_kind(beside=0.5, decay=0.9, count=12),
    of_kind(beside=0.0, decay=0.9, count=16),
    weighted(decay=0.9),
    weighted(decay=0.95, beside=0.5),
    rising(NEWEST),
    rising(of_kind(beside=0.0, decay=0.7, count=8)),
)


def _is_working(hour_of_week: int) -> bool:
    return hour_of_week % HOURS // DAY < WORKING_DAYS


def _alike(
    weeks: Sequence[Week], ages: Sequence[float], first: int, hour: int, beside: float
) -> list[tuple[float, float]]:
    """What the hours like one came to, each with its weight."""
    kind, found = _is_working(first + hour), []
    for other in range(hour % DAY, HOURS, DAY):
        if other == hour or (beside and _is_working(first + other) == kind):
            part = 1.0 if other == hour else beside
            found += [(week[other], age * part) for week, age in zip(weeks, ages, strict=True)]
    return found


def _mean(values: Iterable[tuple[float, float]]) -> float:
    """The mean of values by their weights."""
    some = list(values)
    return sum(value * weight for value, weight in some) / sum(weight for _, weight in some)


def _median(values: list[tuple[float, float]]) -> float:
    """The value in the middle of the weights."""
    values.sort()
    upto = list(accumulate(weight for _, weight in values))
    return values[bisect_left(upto, upto[-1] / 2)][0]


# --- the past -----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Trial:
    """Forecasts of past weeks, compared with what came; each knew only the weeks before."""

    first: int
    missed: list[list[float]] = field(default_factory=list)
    """By week, the error of each method."""
    errors: list[float] = field(default_factory=list)
    baselines: dict[Baseline, list[float]] = field(default_factory=lambda: {one: [] for one in Baseline})
    rests: list[list[float]] = field(default_factory=list)
    """By week and hour, how much more came than was said, as a share of the level that was said."""
    held: list[bool] = field(default_factory=list)
    weeks: list[tuple[float, float]] = field(default_factory=list)
    """What whole weeks were said to come to, and what they came to."""

    def compare(self, before: Sequence[Week], came: Week) -> None:
        """Forecast a week from those before, then look at it."""
        said = [method(before, self.first) for method in METHODS]
        spoken = said[self._best()]
        if len(before) >= WARM:
            self.errors.append(_error(spoken, came))
            for one, method in BASELINES.items():
                self.baselines[one].append(_error(method(before, self.first), came))
            self._hold(spoken, came)
            self.weeks.append((_week(before), sum(came)))
        self.missed.append([_error(one, came) for one in said])
        level = _level(spoken)
        self.rests.append([(wh - expected) / level for wh, expected in zip(came, spoken, strict=True)])

    def next(self, weeks: Sequence[Week]) -> list[Hour]:
        """The week after all."""
        return list(self._within(METHODS[self._best()](weeks, self.first)))

    def week(self, weeks: Sequence[Week]) -> Hour:
        """The energy of the week after all, as far off as weeks were in four of five cases."""
        said, usual = _week(weeks), max(fmean([said for said, _ in self.weeks]), 1.0)
        rests = sorted((came - told) / max(told, usual) for told, came in self.weeks[-2 * WATCHED :])
        low, high = min(0.0, _quantile(rests, (1 - WITHIN) / 2)), max(0.0, _quantile(rests, (1 + WITHIN) / 2))
        size = max(said, usual)
        return Hour(max(0.0, said + low * size), said, said + high * size)

    def told(self) -> Tried:
        """What the comparison came to."""
        mean = {one: fmean(errors) for one, errors in self.baselines.items()}
        within = fmean(self.held) if self.held else 0.0
        off = fmean([abs(came - said) for said, came in self.weeks]) / max(fmean([came for _, came in self.weeks]), 1.0)
        return Tried(len(self.errors), fmean(self.errors), mean, within, len(self.held), off)

    def _best(self) -> int:
        """The method that erred least in the weeks before; the first where none was compared."""
        lately = self.missed[-WATCHED:]
        sums = [sum(errors) for errors in zip(*lately, strict=True)] or [0.0]
        return sums.index(min(sums))

    def _hold(self, spoken: list[float], came: Week) -> None:
        """Note of each hour whether it lay in its interval, where that was more than nothing."""
        for hour, wh in zip(self._within(spoken), came, strict=True):
            if hour.high_wh > 0:
                self.held.append(hour.low_wh <= wh <= hour.high_wh)

    def _within(self, spoken: list[float]) -> Iterator[Hour]:
        """A forecast with its interval: as far off as hours like these were lately in four of five cases."""
        level = _level(spoken)
        spans = {kind: self._spans(kind) for kind in (True, False)}
        for hour, expected in enumerate(spoken):
            low, high = spans[_is_working(self.first + hour)][hour % DAY]
            yield Hour(max(0.0, expected + low * level), expected, max(0.0, expected + high * level))

    def _spans(self, kind: bool) -> list[tuple[float, float]]:
        """By the hour of the day since the first: how far off a kind of day was, to below and to above."""
        lately = self.rests[-WATCHED:]
        found = []
        for of_day in range(DAY):
            near = {(of_day + step) % DAY for step in (-1, 0, 1)}
            alike = [one for one in range(HOURS) if one % DAY in near and _is_working(self.first + one) == kind]
            rests = sorted(week[one] for week in lately for one in alike)
            found.append((min(0.0, _quantile(rests, (1 - WITHIN) / 2)), max(0.0, _quantile(rests, (1 + WITHIN) / 2))))
        return found


def _error(said: Week, came: Week) -> float:
    """The mean absolute error of an hour."""
    return fmean([abs(one - other) for one, other in zip(said, came, strict=True)])


def _week(weeks: Sequence[Week]) -> float:
    """The energy of the next week: the mean of those before, the newest weighing most."""
    return _mean((sum(week), 0.6**age) for age, week in enumerate(reversed(weeks)))


def _level(said: Week) -> float:
    """The mean of an hour, that errors are told by; never nothing."""
    return max(fmean(said), 1.0)


def _quantile(values: Sequence[float], share: float) -> float:
    """The value below which a share of values lies, a little to the outside; 0 where there are none."""
    if not values:
        return 0.0
    place = (len(values) + 1) * share - 1
    rounded = int(place) if share < 0.5 else -int(-place // 1)
    return values[min(max(rounded, 0), len(values) - 1)]
