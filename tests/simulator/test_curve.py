"""The power curve: its area is the energy, it is never negative, and its height is believable."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattkeeper.simulator.curve import TIERS_W, draw

energies_wh = st.integers(min_value=1, max_value=60_000)
stays_s = st.integers(min_value=45, max_value=60 * 3600)


@given(energies_wh, stays_s)
def test_the_area_of_a_curve_is_exactly_the_energy(energy_wh: int, stay_s: int) -> None:
    curve = draw(energy_wh, stay_s)
    assert curve.energy_at_wh(curve.length_s) == energy_wh
    assert curve.energy_at_wh(curve.length_s + 10_000) == energy_wh
    assert curve.energy_at_wh(0) == 0


@given(energies_wh, stays_s)
def test_a_curve_ends_before_the_car_leaves(energy_wh: int, stay_s: int) -> None:
    assert draw(energy_wh, stay_s).length_s <= stay_s


@given(energies_wh, stays_s, st.lists(st.integers(0, 80 * 3600), min_size=2, max_size=20))
def test_power_is_bounded_and_the_register_never_shrinks(energy: int, stay: int, seconds: list[int]) -> None:
    curve = draw(energy, stay)
    assert all(0 <= curve.power_w(second) <= curve.peak_w for second in seconds)
    registers = [curve.energy_at_wh(second) for second in sorted(seconds)]
    assert registers == sorted(registers)


@given(energies_wh)
def test_a_long_stay_is_charged_gently(energy_wh: int) -> None:
    assert draw(energy_wh, 60 * 3600).peak_w <= TIERS_W[0]


def test_a_common_session_draws_a_common_power() -> None:
    curve = draw(6_890, 3 * 3600)
    assert 3_590 < curve.peak_w <= 3_600
    assert curve.phases == 1
    assert curve.power_w(3600) == curve.peak_w
    assert 0 < curve.power_w(curve.length_s - 60) < curve.peak_w / 4
    assert curve.power_w(curve.length_s) == 0


def test_a_hasty_session_climbs_the_tiers() -> None:
    assert TIERS_W[2] < draw(10_000, 3_900).peak_w <= TIERS_W[3]
    assert draw(10_000, 3_900).phases == 3


def test_energy_that_fits_no_tier_takes_the_whole_stay() -> None:
    curve = draw(100_000, 3_600)
    assert curve.length_s == 3_600
    assert curve.peak_w > TIERS_W[-1]


def test_a_car_that_draws_nothing_has_an_empty_curve() -> None:
    curve = draw(0, 3_600)
    assert curve.length_s == 0
    assert curve.energy_at_wh(1_800) == 0
    assert curve.power_w(1_800) == 0


def test_negative_energy_is_refused() -> None:
    with pytest.raises(ValueError, match="-1 Wh"):
        draw(-1, 60)
