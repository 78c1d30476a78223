"""What one driver counts for in an aggregate, whatever they do; and what is shown of noisy numbers."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from wattkeeper.charging.errors import Refusal
from wattkeeper.charging.insight import budget
from wattkeeper.charging.insight.bar import Figure, Measured, is_met
from wattkeeper.charging.insight.contribution import Record, by_hour, count, most, most_in_a_cell, of_driver
from wattkeeper.charging.insight.design import DRIVERS, design
from wattkeeper.charging.insight.question import Kind, Question, period, question
from wattkeeper.charging.insight.release import looked_at, raised, release

SITES = ("a", "b")
SPAN = period("2025-12", "2025-12")


def asks(kind: Kind, epsilon: str = "0.5") -> Question:
    return question(kind, SPAN, SITES, Decimal(epsilon))


RECORDS = st.lists(
    st.builds(
        Record,
        st.just("one"),
        st.sampled_from(("a", "b", "elsewhere")),
        st.datetimes(datetime(2025, 11, 25), datetime(2026, 1, 5)),
        st.integers(-60, 200_000),
        st.integers(-5_000, 300_000),
    ),
    max_size=60,
)


GLUTTON = [
    Record("one", SITES[n % 2], datetime(2025, 11, 29) + timedelta(hours=7 * n), 90_000, 300_000) for n in range(140)
]
"""Somebody who charges all the time, for more than a day each time, at all sites."""


REGULAR = [Record("one", "a", datetime(2025, 12, 1, 9) + timedelta(days=n), 3600, 300_000) for n in range(28)]
"""Somebody who charges every day in the same hour."""


@settings(max_examples=150, deadline=None)
@given(RECORDS, st.sampled_from(Kind))
@example(GLUTTON, Kind.SITE_LOAD)
@example(REGULAR, Kind.SITE_LOAD)
@example(REGULAR, Kind.ARRIVALS)
@example(GLUTTON, Kind.SITE_MONTHS)
@example(GLUTTON, Kind.ARRIVALS)
@example(GLUTTON, Kind.STAYS)
def test_a_driver_moves_the_cells_by_no_more_than_the_sensitivity(records: list[Record], kind: Kind) -> None:
    asked = asks(kind)
    cells, cut = of_driver(asked, records)
    assert sum(cells.values()) <= most(asked) and 0 <= cut <= most(asked)
    assert all(0 < amount <= most_in_a_cell(asked) for amount in cells.values())
    found = count(asked, records)
    made = design(asked)
    assert sum(looked_at(found, asked)) <= made.look.sensitivity and sum(found.cells.values()) <= made.cells.sensitivity
    assert set(found.cells) == {(site, label) for site in SITES for label in asked.labels}, "fixed by the question"


def test_the_first_four_sessions_of_a_week_count() -> None:
    monday = datetime(2025, 12, 1, 9)
    week = [Record("one", "a", monday + timedelta(days=day), 3600, 5_000) for day in range(7)]
    assert of_driver(asks(Kind.SITE_LOAD), reversed(week)) == ({("a", "09"): 20_000}, 15_000)
    assert of_driver(asks(Kind.ARRIVALS), week)[0] == {("a", "09"): 4}


def test_energy_is_spread_over_the_hours_and_adds_up() -> None:
    long = Record("one", "a", datetime(2025, 12, 1, 22, 30), 3 * 3600, 7_001)
    parts = list(by_hour(long, 7_001))
    assert [hour for hour, _ in parts] == ["22", "23", "00", "01"] and sum(part for _, part in parts) == 7_001
    assert [part for _, part in parts] == [1166, 2334, 2334, 1167]


def test_a_week_that_the_period_cuts_is_a_whole_one() -> None:
    assert SPAN.weeks == 5 and period("2025-02", "2025-02").weeks == 5 and period("2025-01", "2025-12").weeks == 53


@pytest.mark.parametrize(
    "said", ["9999-12", "0001-01", "0000-01", "2025-13", "2025-1", "25-01", "2025-01-01", "", "٢٠٢٥-٠١"]
)
def test_a_month_that_is_none_is_refused(said: str) -> None:
    with pytest.raises(Refusal, match="is no month"):
        period(said, said)


def test_the_noise_spends_no_more_than_is_asked_for() -> None:
    for kind in Kind:
        for epsilon in ("0.01", "0.333", "1"):
            made = design(asks(kind, epsilon))
            spent = [Decimal(one.sensitivity) / one.scale for one in (made.look, made.cells)]
            assert made.look.epsilon + made.cells.epsilon == Decimal(epsilon)
            assert spent[0] <= made.look.epsilon and spent[1] <= made.cells.epsilon
            assert made.cells.scale <= made.cells.sensitivity / made.cells.epsilon + 2, "nor much less"


def test_one_driver_too_few_who_fill_every_bound_are_below_what_is_shown_by_all_that_noise_ever_adds() -> None:
    made = design(asks(Kind.SITE_LOAD)).cells
    fewer = (DRIVERS - 1) * made.one_cell
    assert fewer + made.margin < made.shown_from
    assert made.margin >= made.scale * Decimal("13.8"), "exp(-13.8) is a millionth"
    assert made.drivers(made.shown_from) == DRIVERS and made.drivers(made.shown_from - 1) == DRIVERS - 1


def test_what_is_too_small_is_left_out_and_a_total_is_never_less_than_its_parts() -> None:
    asked = asks(Kind.SITE_LOAD)
    made = design(asked)
    noisy = {(site, label): -5 for site in SITES for label in asked.labels}
    noisy["a", "09"], noisy["a", "10"] = made.cells.shown_from, made.cells.shown_from - 1
    found = release(asked, made, [made.look.shown_from, 3, -7], noisy)
    assert [(one.site, one.label) for one in found.shown] == [("a", "09")]
    total, other = found.sites
    assert total.value is not None and total.value >= made.cells.shown_from and other.value is None
    assert found.shown[0].error == made.cells.scale and found.shown[0].drivers == DRIVERS


def test_what_the_bounds_cut_off_is_added_back_only_where_the_noise_does_not_hide_it() -> None:
    made = design(asks(Kind.SITE_LOAD))
    plenty = 100 * made.look.margin
    assert raised([plenty, plenty, plenty], made) == Decimal("1.5")
    assert raised([plenty, plenty, made.look.scale], made) == 1
    assert raised([3, 3, plenty], made) == 1


def test_a_budget_is_spent_to_the_last_thousandth_and_no_further() -> None:
    spent = [Decimal("0.5"), Decimal("0.3")]
    budget.need(2025, spent, Decimal("0.2"))
    with pytest.raises(Refusal, match=r"has 0\.2 of 1 left"):
        budget.need(2025, spent, Decimal("0.201"))


def test_every_figure_must_be_there_and_met() -> None:
    met = [Figure(one, Decimal("0.05")) for one in Measured]
    assert is_met(met) and not is_met(met[1:]) and not is_met([*met[1:], Figure(Measured.SINGLED_4, Decimal("0.0501"))])
