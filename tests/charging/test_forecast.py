"""Forecasts of load are held to the past: real workplaces, and made-up sites of which we know what can be known.

The hourly energies of the real sessions are worked out here by Polars, and the errors of the baselines by hand: nothing
of it is shared with what is tested, but for the forecast itself.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cache
from pathlib import Path
from statistics import median

import polars as pl
import pytest

from wattkeeper.charging.statistics.forecast import HOURS, LEAST_WEEKS, Baseline, Forecast, Why, forecast

FILE = Path(__file__).parents[2] / "src" / "wattkeeper" / "simulator" / "data" / "workplace_sessions.csv"
EVERYWHERE, BUSIEST = 0, 493904
Weeks = list[list[float]]


@cache
def hourly() -> pl.DataFrame:
    """Energy by location and hour, Wh, each session's spread evenly over its stay."""
    sessions = pl.read_csv(FILE).select(
        pl.col("location"),
        (pl.col("kwh") * 1000).alias("wh"),
        *(pl.col(one).str.replace("^00", "20").str.to_datetime().alias(one) for one in ("created", "ended")),
    )
    spans = sessions.filter(pl.col("ended") > pl.col("created"), pl.col("wh") > 0).with_columns(
        pl.datetime_ranges(pl.col("created").dt.truncate("1h"), pl.col("ended"), "1h").alias("hour"),
        ((pl.col("ended") - pl.col("created")).dt.total_seconds()).alias("stay_s"),
    )
    parts = spans.explode("hour").with_columns(
        (pl.min_horizontal("ended", pl.col("hour").dt.offset_by("1h")) - pl.max_horizontal("created", "hour"))
        .dt.total_seconds()
        .alias("part_s")
    )
    return (
        parts.with_columns((pl.col("wh") * pl.col("part_s") / pl.col("stay_s")).alias("wh"))
        .group_by("location", "hour")
        .agg(pl.col("wh").sum())
    )


@cache
def weeks_of(location: int) -> Weeks:
    """Whole weeks from Monday on of one location, or of all together, until the data end."""
    every = hourly()
    own = every if location == EVERYWHERE else every.filter(pl.col("location") == location)
    by_hour = own.group_by("hour").agg(pl.col("wh").sum()).sort("hour")
    begin = by_hour.select(pl.col("hour").min().dt.truncate("1w")).item()
    grid = pl.select(pl.datetime_range(begin, every.select(pl.col("hour").max()).item(), "1h").alias("hour"))
    filled = grid.join(by_hour, on="hour", how="left").with_columns(pl.col("wh").fill_null(0.0))["wh"].to_list()
    return [filled[at : at + HOURS] for at in range(0, len(filled) // HOURS * HOURS, HOURS)]


def locations() -> list[int]:
    """All locations with enough weeks, and all together."""
    ids = hourly()["location"].unique().sort().to_list()
    return [one for one in (EVERYWHERE, *ids) if len(weeks_of(one)) >= LEAST_WEEKS]


def test_the_hours_are_all_energy_of_the_file() -> None:
    table = pl.read_csv(FILE).filter(pl.col("ended") > pl.col("created"))
    assert hourly()["wh"].sum() == pytest.approx(table["kwh"].sum() * 1000)


def mean_error(said: list[float], came: list[float]) -> float:
    """The mean absolute error of an hour."""
    return sum(abs(one - other) for one, other in zip(said, came, strict=True)) / HOURS


def rolled(weeks: Weeks, step: int = 1) -> tuple[int, float, float, float, float]:
    """How often it was shown, and then the errors of it, of last week, of the weekly mean; what the interval held."""
    shown, sums, held = 0, [0.0, 0.0, 0.0], []
    for place in range(LEAST_WEEKS, len(weeks), step):
        before, came = weeks[:place], weeks[place]
        told = forecast(before, 0)
        if not told.hours:
            continue
        shown += 1
        weekly = [sum(hour) / place for hour in zip(*before, strict=True)]
        for n, said in enumerate(([one.expected_wh for one in told.hours], before[-1], weekly)):
            sums[n] += mean_error(said, came)
        held += [one.low_wh <= wh <= one.high_wh for one, wh in zip(told.hours, came, strict=True) if one.high_wh > 0]
    return shown, *(one / max(shown, 1) for one in sums), sum(held) / max(len(held), 1)  # type: ignore[return-value]


@pytest.mark.parametrize(("location", "least"), [(EVERYWHERE, 6), (BUSIEST, 4)])
def test_week_by_week_it_beats_last_week_and_the_weekly_mean_where_it_was_shown(location: int, least: int) -> None:
    shown, error, last, weekly, held = rolled(weeks_of(location), step=4)
    assert shown >= least
    assert error < 0.95 * last and error < 0.95 * weekly, (error, last, weekly)
    assert 0.72 <= held <= 0.92


def baselines(weeks: Weeks) -> tuple[int, dict[Baseline, float]]:
    """Over how many weeks, and how far what anybody can say was off in them, Wh an hour."""
    weeks = weeks[-30:]
    sums = dict.fromkeys(Baseline, 0.0)
    for place in range(4, len(weeks)):
        before, came = weeks[:place], weeks[place]
        every = [wh for week in before for wh in week]
        said = {
            Baseline.LAST: before[-1],
            Baseline.WEEKLY: [sum(hour) / place for hour in zip(*before, strict=True)],
            Baseline.MEAN: [sum(every) / len(every)] * HOURS,
            Baseline.MEDIAN: [median(every)] * HOURS,
        }
        for one in Baseline:
            sums[one] += mean_error(said[one], came)
    return len(weeks) - 4, {one: total / (len(weeks) - 4) for one, total in sums.items()}


def test_of_real_workplaces_it_is_shown_where_it_is_better_and_only_there() -> None:
    shown = 0
    for location in locations():
        told = forecast(weeks_of(location), 0)
        if told.why is Why.NOTHING:
            continue
        count, off = baselines(weeks_of(location))
        assert told.tried.weeks == count, location
        assert told.tried.baselines_wh == {one: pytest.approx(wh) for one, wh in off.items()}, location
        is_better = all(told.tried.error_wh < 0.98 * wh for wh in off.values())
        assert bool(told.hours) is is_better, location
        assert (told.why is None) is is_better, location
        shown += is_better
    assert shown >= 10


def test_the_errors_it_states_of_baselines_are_those_worked_out_here() -> None:
    weeks = weeks_of(EVERYWHERE)
    told, weeks = forecast(weeks, 0).tried, weeks[-30:]
    places = range(4, 30)
    assert told.weeks == len(places)
    last = [mean_error(weeks[place - 1], weeks[place]) for place in places]
    assert told.baselines_wh[Baseline.LAST] == pytest.approx(sum(last) / len(last))
    weekly = [
        mean_error([sum(hour) / place for hour in zip(*weeks[:place], strict=True)], weeks[place]) for place in places
    ]
    assert told.baselines_wh[Baseline.WEEKLY] == pytest.approx(sum(weekly) / len(weekly))
    assert told.error_wh < 0.8 * told.baselines_wh[told.best]
    assert 0.75 <= told.within <= 0.9


# --- made-up sites --------------------------------------------------------------------------------------------


def made(count: int, hour: Callable[[random.Random, int, int, int], float], seed: int = 7) -> Weeks:
    """Weeks of a site; ``hour`` gives an hour's Wh by the week, the day of the week and the hour of the day."""
    chance = random.Random(seed)
    return [[hour(chance, week, *divmod(one, 24)) for one in range(HOURS)] for week in range(count)]


def office(chance: random.Random, week: int, day: int, hour: int) -> float:
    """Working days from eight to five."""
    return (20_000 if day < 5 and 8 <= hour < 17 else 500) * chance.uniform(0.6, 1.4)


NOISE: dict[str, Callable[[random.Random, int, int, int], float]] = {
    "even": lambda chance, *_: chance.uniform(0, 10_000),
    "bell": lambda chance, *_: max(0.0, chance.gauss(5_000, 1_500)),
    "skewed": lambda chance, *_: chance.expovariate(1 / 3_000),
    "seldom": lambda chance, *_: 8_000.0 if chance.random() < 0.08 else 0.0,
}


@pytest.mark.parametrize("noise", NOISE)
@pytest.mark.parametrize("seed", range(3))
def test_pure_noise_has_no_forecast(noise: str, seed: int) -> None:
    told = forecast(made(26, NOISE[noise], seed), 0)
    assert told.why is Why.WORSE and not told.hours and told.week is None
    assert min(told.tried.baselines_wh.values()) * 0.98 <= told.tried.error_wh


def test_a_site_that_grows_is_forecast_better_than_by_any_baseline() -> None:
    weeks = made(26, lambda chance, week, day, hour: office(chance, week, day, hour) * 1.05**week)
    told, after = forecast(weeks[:-1], 0), weeks[-1]
    assert told.why is None and told.week is not None
    assert mean_error([one.expected_wh for one in told.hours], after) < mean_error(weeks[-2], after)
    assert told.week.low_wh <= sum(after) <= told.week.high_wh * 1.1


def test_the_error_it_states_is_of_weeks_that_it_did_not_know() -> None:
    """What one more week adds to the stated error is how far off the forecast was that was made before it."""
    weeks = made(16, lambda chance, week, day, hour: office(chance, week, day, hour) * 1.05**week)
    for place in range(LEAST_WEEKS + 2, len(weeks)):
        before, after = forecast(weeks[:place], 0), forecast(weeks[: place + 1], 0)
        assert before.hours
        added = after.tried.error_wh * after.tried.weeks - before.tried.error_wh * before.tried.weeks
        off = mean_error([one.expected_wh for one in before.hours], weeks[place])
        assert added == pytest.approx(off, rel=1e-6)
        held = after.tried.within * after.tried.said - before.tried.within * before.tried.said
        told = [one for one in zip(before.hours, weeks[place], strict=True) if one[0].high_wh > 0]
        assert round(held) == sum(one.low_wh <= wh <= one.high_wh for one, wh in told)


def test_a_quiet_week_hardly_moves_the_next() -> None:
    weeks = made(20, lambda chance, week, day, hour: office(chance, week, day, hour) * 1.05**week)
    usual = forecast(weeks, 0)
    weeks[-1] = [wh * 0.1 for wh in weeks[-1]]
    quiet = forecast(weeks, 0)
    assert usual.hours and quiet.hours
    noon = [one.hours[24 + 12].expected_wh for one in (usual, quiet)]
    assert noon[1] > 0.75 * noon[0]


@pytest.mark.parametrize("first", [0, 7, 24 * 4 + 13])
def test_weeks_may_begin_at_any_hour(first: int) -> None:
    flat = [wh for week in made(21, office) for wh in week]
    weeks = [flat[first + at : first + at + HOURS] for at in range(0, 20 * HOURS, HOURS)]
    told = forecast(weeks, first)
    assert told.hours
    busy = [one for one in range(HOURS) if told.hours[one].expected_wh > 10_000]
    assert {divmod((first + one) % HOURS, 24) for one in busy} == {
        (day, hour) for day in range(5) for hour in range(8, 17)
    }


def test_few_weeks_and_no_energy_are_said_to_be_so() -> None:
    assert forecast([], 0) == Forecast(0, [], forecast([], 0).tried, Why.NOTHING)
    assert forecast([[0.0] * HOURS] * 20, 0).why is Why.NOTHING
    assert forecast(made(LEAST_WEEKS - 1, office), 0).why is Why.FEW
    assert forecast(made(LEAST_WEEKS, office), 0).why in (None, Why.WORSE)


def test_it_is_the_same_every_time() -> None:
    weeks = made(12, office)
    assert forecast(weeks, 5) == forecast([list(week) for week in weeks], 5)
