"""The curve: the session's own energy, no peak lost, and power from the register where no meter told it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from wattkeeper.charging.meter import fold
from wattkeeper.charging.reading import Context, Reading
from wattkeeper.charging.session import Session
from wattkeeper.web.operator.sessions.curve import Point, curve, peak, thinned

START = datetime(2025, 11, 21, 8, tzinfo=UTC)
SESSION = Session(id="K7QM4XRD2", station="CP1", key="tx:1", first_at=START, last_at=START)


def at(minutes: float) -> datetime:
    """So many minutes after the start."""
    return START + timedelta(minutes=minutes)


def test_energy_so_far_ends_at_the_sessions_energy_over_a_restart_of_the_register() -> None:
    registers = (1000, 1500, 2000, 100, 600)
    readings = [Reading(at(10 * i), energy_wh=Decimal(wh)) for i, wh in enumerate(registers)]
    made = curve(SESSION, readings)
    assert [p.energy_wh for p in made.points] == [0, 500, 1000, 1000, 1500]
    assert made.points[-1].energy_wh == fold(readings, SESSION.max_power_w).energy_wh


def test_power_is_the_meters_word_where_it_says_any() -> None:
    readings = [Reading(at(0), Context.BEGIN, energy_wh=Decimal(0)), Reading(at(10), power_w=Decimal(6600))]
    made = curve(SESSION, readings)
    assert not made.is_derived
    assert [p.power_w for p in made.points] == [None, 6600]
    top = peak(made)
    assert top is not None
    assert (top.power_w, top.at) == (Decimal(6600), at(10))


def test_power_is_what_the_register_rose_by_where_no_meter_says_any() -> None:
    readings = [Reading(at(30 * i), energy_wh=Decimal(wh)) for i, wh in enumerate((0, 3500, 7000, 7000))]
    made = curve(SESSION, readings)
    assert made.is_derived
    assert [p.power_w for p in made.points] == [None, 7000, 7000, 0]


def test_nothing_told_is_no_curve() -> None:
    assert peak(curve(SESSION, [])) is None


@given(st.lists(st.one_of(st.none(), st.integers(0, 22_000)), max_size=300), st.integers(10, 100))
def test_thinning_loses_neither_the_peak_nor_the_end(watts: list[int | None], most: int) -> None:
    points = [Point(at(i), None if w is None else Decimal(w), Decimal(i), "") for i, w in enumerate(watts)]
    kept = thinned(points, most)
    assert len(kept) <= most + 1
    assert kept == sorted(kept, key=lambda p: p.at)
    assert kept[:1] + kept[-1:] == points[:1] + points[-1:]
    known = [p.power_w for p in points if p.power_w is not None]
    assert max((p.power_w for p in kept if p.power_w is not None), default=None) == max(known, default=None)


def test_of_begin_and_end_alone_a_mean_is_known_and_no_curve() -> None:
    ends = [Reading(at(0), Context.BEGIN, energy_wh=Decimal(0)), Reading(at(30), Context.END, energy_wh=Decimal(3500))]
    made = curve(SESSION, ends)
    assert made.is_mean and made.points[-1].power_w == 7000
    between = Reading(at(10), energy_wh=Decimal(3000))
    assert not curve(SESSION, [ends[0], between, ends[1]]).is_mean
    assert not curve(SESSION, [ends[0], Reading(at(30), power_w=Decimal(7000))]).is_mean, "a meter said so"
