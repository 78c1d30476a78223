"""The replay: real days, repaired, moved to simulated time, without end."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise

import pytest

from wattkeeper.simulator.replay import arrivals, busy_days, load, opening_time

START = datetime(2026, 3, 2, 10, 58, 45, tzinfo=UTC)


def test_all_sessions_are_there_with_their_years_repaired() -> None:
    sojourns = load()
    assert len(sojourns) == 3_395
    assert {sojourn.created.year for sojourn in sojourns} == {2014, 2015}
    assert sum(sojourn.energy_wh for sojourn in sojourns) == 19_723_690
    assert sum(sojourn.energy_wh == 0 for sojourn in sojourns) == 55
    assert all(sojourn.created < sojourn.ended for sojourn in sojourns)


def test_the_run_opens_with_a_crowd() -> None:
    first = list(islice(arrivals(load(), START), 6))
    assert first[0].at == START
    assert first[4].at - first[0].at <= timedelta(minutes=30)
    assert opening_time() == timedelta(hours=10, minutes=58, seconds=45)


def test_a_session_keeps_its_length_and_its_energy() -> None:
    arrival = next(arrivals(load(), START))
    original = next(sojourn for sojourn in load() if sojourn.session == arrival.session)
    assert arrival.energy_wh == original.energy_wh == 5_030
    assert arrival.stay_s == (original.ended - original.created).total_seconds()


def test_the_days_follow_one_another_without_end_and_in_order() -> None:
    many = list(islice(arrivals(load(), START), 4_000))
    assert all(one.at <= other.at for one, other in pairwise(many))
    days = {arrival.at.date() for arrival in many}
    assert len(days) == (max(days) - min(days)).days + 1, "no day without arrivals"


def test_quiet_days_are_left_out_and_the_data_start_again() -> None:
    days = busy_days(load())
    assert days[0] == date(2015, 10, 1)
    assert date(2015, 10, 4) not in days
    assert min(days) in days[1:]
    assert len(set(days)) == len(days)


def test_a_day_without_sessions_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="the data run from 2014-11-18 to 2015-10-04"):
        busy_days(load(), date(2020, 1, 1))
