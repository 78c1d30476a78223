"""What a grid meter counted in a period, from registers that were read when somebody had the time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from wattkeeper.charging.money.grid import Register, counted

D = Decimal
MARCH, APRIL = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)


def at(days: float, kwh: int) -> Register:
    """A reading so many days into March."""
    return Register(MARCH + timedelta(days=days), D(kwh) * 1000)


def test_registers_read_at_midnight_need_no_guess() -> None:
    one = counted([at(-31, 50), at(0, 100), at(31, 400), at(61, 900)], MARCH, APRIL)
    assert one is not None
    assert (one.since, one.until, one.energy_wh, one.is_interpolated) == (MARCH, APRIL, D(300_000), False)


def test_between_two_readings_it_rises_evenly_and_says_so() -> None:
    one = counted([at(-1, 100), at(1, 200), at(30, 300), at(32, 400)], MARCH, APRIL)
    assert one is not None
    assert (one.energy_wh, one.is_interpolated) == (D(200_000), True)


def test_no_further_than_it_was_read() -> None:
    one = counted([at(3, 100), at(10, 170)], MARCH, APRIL)
    assert one is not None
    assert (one.since, one.until, one.energy_wh) == (at(3, 0).at, at(10, 0).at, D(70_000))
    assert counted([at(3, 100)], MARCH, APRIL) is None
    assert counted([at(-9, 100), at(-3, 200)], MARCH, APRIL) is None
    assert counted([], MARCH, APRIL) is None


@given(st.lists(st.tuples(st.integers(1, 99), st.integers(0, 9_999)), min_size=2, max_size=12), st.integers(0, 31))
def test_two_parts_of_a_period_are_the_whole(steps: list[tuple[int, int]], day: int) -> None:
    registers, when, kwh = [], -40, 0
    for days, more in steps:
        when, kwh = when + days, kwh + more
        registers.append(at(when, kwh))
    middle = MARCH + timedelta(days=day)
    parts = [counted(registers, MARCH, middle), counted(registers, middle, APRIL)]
    whole = counted(registers, MARCH, APRIL)
    energy_wh = sum((one.energy_wh for one in parts if one is not None), D(0))
    assert energy_wh == (D(0) if whole is None else whole.energy_wh)
