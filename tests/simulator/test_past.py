"""Real sessions of late: moved by whole weeks, told with what a meter showed, card by card."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from wattkeeper.simulator.past import charged_at, of_late
from wattkeeper.simulator.replay import load
from wattkeeper.simulator.retelling import Kept

BEGAN = datetime(2026, 3, 2, 8, tzinfo=UTC)


@pytest.mark.parametrize("day", range(1, 9))
def test_sessions_are_moved_by_whole_weeks_up_to_a_day(day: int) -> None:
    until = date(2026, 12, day)
    before = {one.session: one for one in load()}
    moved = list(of_late(load(), until))
    assert {(one.created - before[one.session].created) % timedelta(days=7) for one in moved} == {timedelta(0)}
    assert len({one.created - before[one.session].created for one in moved}) == 1
    assert timedelta(0) <= until - max(one.ended for one in moved).date() <= timedelta(days=3), "week-ends are quiet"
    assert all(one.ended.date() < until for one in moved)
    assert len(moved) >= len(before) - 400, "a week is left out at most"


def test_energy_ceases_to_flow_within_the_stay() -> None:
    assert all(one.created < charged_at(one) <= one.ended for one in load())
    assert sum(charged_at(one) < one.ended for one in load()) > 1_000


def test_a_meter_that_is_told_of_later_rises_to_what_was_delivered() -> None:
    kept = Kept(1, "04AA", BEGAN, BEGAN + timedelta(hours=5), 7_200)
    told = [(one.timestamp, Decimal(one.sampled_value[0].value)) for one in kept.readings(1_000)]
    registers = [wh for _, wh in told]
    assert registers == sorted(registers) and registers[0] > 1_000 and registers[-1] == 8_200
    assert told[0][0] == "2026-03-02T08:10:00.000Z"
    assert len(told) == 30, "every ten minutes, and when the car was full"
