"""What could be saved: worked out by hand, compared with trying every share slowly, and bounded whatever the load."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from wattkeeper.charging.statistics.peak import LATEST_H, MOST_PERCENT, QUARTERS, Days, Month, best_shift
from wattkeeper.charging.statistics.savings import Finding, Kind, Seen, findings, foremost, unused
from wattkeeper.charging.statistics.terms import Terms, Window
from wattkeeper.language import tell_in

D = Decimal
VIENNA = ZoneInfo("Europe/Vienna")
SINCE, UNTIL = datetime(2026, 2, 1, tzinfo=VIENNA), datetime(2026, 3, 1, tzinfo=VIENNA)
QUARTER = timedelta(minutes=15)


def instant(day: int, hour: int, minute: int = 0) -> datetime:
    """In February 2026, which begins on a Sunday, by the clock of Vienna."""
    return datetime(2026, 2, day, hour, minute, tzinfo=VIENNA).astimezone(UTC)


def seen(load: dict[datetime, Decimal], terms: Terms, **more: Decimal | int) -> Seen:
    """A February at a site."""
    return Seen("Harbour", SINCE.astimezone(UTC), UNTIL.astimezone(UTC), VIENNA, load, terms=terms, **more)  # type: ignore[arg-type]


def only(found: list[Finding], kind: Kind) -> Finding:
    """The one finding of a kind."""
    (one,) = [one for one in found if one.kind is kind]
    return one


def test_tuesdays_load_two_hours_later_saves_41_euro_by_hand() -> None:
    """The highest quarter hours: Tuesday 3 February 17:45 with 50 kW, then Wednesday with 41 kW.

    18 % of 50 kW are 9 kW, and 50 - 9 = 41, so that less would not reach down to Wednesday's and more would save no
    more. An hour later Tuesday has 30 kW, and 9 kW more would not make it the highest; nor would they an hour earlier.
    A kW costs 4.56 € a month: 9 times 4.56 € are 41.04 €.
    """
    load = {instant(day, 8): D(2000) for day in range(1, 29)}
    load |= {instant(3, 17, 45): D(12_500), instant(4, 17, 45): D(10_250)}
    load |= {instant(day, 18, 45): D(10_000) for day in (3, 10, 17, 24)}  # 40 kW: an hour later there is no room
    found = list(findings(seen(load, Terms(currency="EUR", peak_minor_per_kw=D(456)))))
    one = only(found, Kind.SHIFT)
    assert one.title == "Shifting 18 % of Tuesday’s load by 2 hours saves €41.04 a month in peak charge"
    assert (one.saved_minor, one.currency) == (4104, "EUR")
    assert one.how.startswith("The highest quarter hour of February 2026 was 50.0 kW on Tuesday 3 Feb 17:45. Had 18 %")
    assert "the highest would have been 41.0 kW; a kW costs €4.56 a month." in one.how


def test_another_price_by_night_is_told_with_the_energy_that_it_is_of() -> None:
    """100 kWh between 17:00 and 20:00 at 30 cents, at 18 cents by night: 100 times 12 cents."""
    load = {instant(day, 17 + day % 3, 30): D(10_000) for day in range(1, 11)} | {instant(5, 12): D(7000)}
    windows = (Window(17 * 60, 20 * 60, D(30)), Window(22 * 60, 6 * 60, D("18")))
    terms = Terms(currency="EUR", energy_minor_per_kwh=D("24.5"), windows=windows)
    one = only(list(findings(seen(load, terms))), Kind.DEAR)
    assert one.title == (
        "Charging all 100.00 kWh of 17:00–20:00 between 22:00 and 6:00 instead would save €12.00 a month"
    )
    assert one.saved_minor == 1200
    assert "100.00 kWh were charged from 17:00–20:00 in February 2026, where a kWh costs €0.30" in one.how


def test_cars_that_stand_full_are_as_many_connectors() -> None:
    """10 connectors, each in use for 100 h; 310 h of these 1,000 stand idle: 3 connectors and a bit."""
    times: dict[str, Decimal | int] = {"plugged_s": D(3_600_000), "idle_s": D(1_116_000), "outlets": 10}
    (one,) = findings(seen({}, Terms(), **times))
    assert one.title == (
        "Cars stand full for 31 % of the time they are plugged in: 310 h a month at 10 connectors, "
        "as many as 3 more connectors"
    )
    assert one.saved_minor is None
    assert list(findings(seen({}, Terms(), plugged_s=D(3_600_000), idle_s=D(719_000), outlets=10))) == []
    assert list(findings(seen({}, Terms(), plugged_s=D(3_600_000), idle_s=D(1_116_000), outlets=3))) == []


def test_a_connection_that_is_nearly_full_is_named_with_the_quarter_hour() -> None:
    load = {instant(3, 17, 45): D(9_200), instant(4, 17, 45): D(9_200), instant(5, 1): D(100)}
    (one,) = findings(seen(load, Terms(limit_w=D(40_000))))
    assert one.title == "The connection was used to 92 % of its limit on Tuesday 3 Feb 17:45"
    assert "was 36.8 kW on Tuesday 3 Feb 17:45; the connection bears 40.0 kW." in one.how
    assert list(findings(seen(load, Terms(limit_w=D(46_001))))) == []


def test_what_rests_on_energy_spread_evenly_says_so() -> None:
    at = instant(3, 17, 45)
    load = {at: D(9_200), instant(5, 1): D(100)}
    windows = (Window(17 * 60, 20 * 60, D(1000)),)
    terms = Terms(
        currency="EUR",
        peak_minor_per_kw=D(1000),
        limit_w=D(40_000),
        energy_minor_per_kwh=D(1),
        windows=windows,
    )
    titles = {}
    for spread in (0, 4_600, 4_601):
        found = list(findings(replace(seen(load, terms), spread={at: D(spread)} if spread else {})))
        assert [one.kind for one in found] == [Kind.SHIFT, Kind.DEAR, Kind.NEAR]
        assert all(one.is_spread == (spread > 4_600) for one in found)
        assert all(("half an hour apart" in one.how) == (spread > 0) for one in found)
        titles[spread] = [one.title for one in found]
    assert titles[0] == titles[4_600], "half of it was measured"
    assert all(one.startswith("Had energy come evenly, ") for one in titles[4_601])
    assert titles[4_601][2] == (
        "Had energy come evenly, the connection would have been used to 92 % of its limit on Tuesday 3 Feb 17:45"
    )
    assert "But 50 % of the energy of that quarter hour" in found[0].how


def test_findings_are_told_in_german_with_its_names_of_days_and_months() -> None:
    load = {instant(3, 17, 45): D(9_200), instant(5, 1): D(100)}
    (one,) = findings(seen(load, Terms(limit_w=D(40_000))))
    told = str(tell_in("de", one.how))
    assert "im Februar 2026 hatte 36,8 kW, am Dienstag, 3. Feb., 17:45;" in told


def test_connectors_that_nobody_used_are_named() -> None:
    now = datetime(2026, 3, 31, 12, tzinfo=UTC)
    assert unused("Harbour", [], now, VIENNA) is None
    one, two = (
        unused("Harbour", [("CP1", 1, 1)], now, VIENNA),
        unused(None, [("CP1", 1, 1), ("CP2", 1, 1)], now, VIENNA),
    )
    assert one is not None and one.title == "Connector CP1/1 had no session for 30 days"
    assert two is not None and two.title == "2 connectors had no session for 30 days"
    assert "since 1 Mar 2026. CP1/1, CP2/1" in two.how


def test_little_is_not_said_and_of_much_the_greatest_five() -> None:
    load = {instant(3, 17): D(10_000), instant(4, 17): D(1)}
    told = Terms(currency="EUR", peak_minor_per_kw=D(20))
    assert list(findings(seen(load, told))) == [], "30 % of 40 kW at 20 cents are 2.40 €"
    some = [unused("", [(f"CP{n}", 0, 0)], UNTIL, VIENNA) for n in range(4)]
    amounts = [600, 900, 800]
    money = [Finding(Kind.SHIFT, "", some[0].title, some[0].title, SINCE, UNTIL, one) for one in amounts if some[0]]
    assert [one.saved_minor for one in foremost([*money, *(one for one in some if one)])] == [900, 800, 600, None, None]


def test_amounts_of_several_currencies_are_not_held_against_each_other() -> None:
    said = unused("", [("CP1", 0, 0)], UNTIL, VIENNA)
    assert said is not None
    amounts = [(5000, "JPY"), (4000, "EUR"), (900, "EUR"), (800, "JPY"), (700, "JPY")]
    money = [Finding(Kind.SHIFT, "", said.title, said.title, SINCE, UNTIL, *one) for one in amounts]
    told = [(one.saved_minor, one.currency) for one in foremost([said, *money])]
    assert told == [(4000, "EUR"), (5000, "JPY"), (900, "EUR"), (800, "JPY"), (700, "JPY")]
    assert foremost([said, *money[:2]])[2] == said, "what has no amount comes last"


# --- whatever the load ------------------------------------------------------------------------------------------

LOADS = st.lists(st.integers(0, 10**10), min_size=1, max_size=3 * 96)
PRICES = st.decimals(0, 10**5, places=4)


def month(load: list[int], first: int) -> Month:
    """A load that begins at midnight of a weekday."""
    return Month(load, [(first + one // 96) % 7 for one in range(len(load))])


def peak_after(load: Month, days: Days, percent: int, hours: int) -> Fraction:
    """The highest quarter hour when a share of some days' load flows later, but within the month, the slow way."""
    later = hours * QUARTERS
    stays = len(load.micro_wh) - later
    moved = [
        Fraction(wh * percent, 100) if days.holds(day) and one < stays else Fraction(0)
        for one, (wh, day) in enumerate(zip(load.micro_wh, load.weekdays, strict=True))
    ]
    return max(wh - moved[one] + (moved[one - later] if one >= later else 0) for one, wh in enumerate(load.micro_wh))


def test_what_would_flow_in_the_next_month_saves_nothing() -> None:
    assert best_shift(month([0] * 95 + [10**9], 0), D(1000)) is None
    assert best_shift(month([0] * 40 + [10**9] + [0] * 55, 0), D(1000)) is not None


@given(LOADS, st.integers(0, 6), PRICES)
def test_a_saving_is_never_negative_nor_more_than_the_peak_charge(load: list[int], first: int, price: Decimal) -> None:
    whole = month(load, first)
    best = best_shift(whole, price)
    if best is None:
        return
    charge = Fraction(max(load) * QUARTERS, 10**9) * Fraction(price)
    assert 0 < best.saved_minor <= charge
    assert best.after_w <= best.before_w == Decimal(max(load) * QUARTERS).scaleb(-6)
    assert 1 <= best.percent <= MOST_PERCENT and 1 <= best.hours <= LATEST_H
    after = peak_after(whole, best.days, best.percent, best.hours)
    assert Fraction(best.after_w) == after * QUARTERS / 10**6
    saved = (max(load) - after) * QUARTERS * Fraction(price) / 10**9
    assert best.saved_minor == saved.numerator // saved.denominator


@given(st.lists(st.integers(0, 10**6), min_size=20, max_size=120), st.integers(0, 6))
def test_no_smaller_share_of_the_same_days_reaches_as_low(load: list[int], first: int) -> None:
    whole = month([wh * 10**4 for wh in load], first)
    best = best_shift(whole, D(1000))
    if best is not None:
        peaks = [peak_after(whole, best.days, percent, best.hours) for percent in range(MOST_PERCENT + 1)]
        assert peaks.index(min(peaks)) == best.percent


@given(
    st.dictionaries(st.integers(0, 28 * 96 - 1), st.decimals(0, 30_000, places=6), max_size=200),
    st.decimals(0, 200, places=2),
    st.decimals(0, 200, places=2),
)
def test_another_hour_saves_no_more_than_all_energy_costs(
    by_quarter: dict[int, Decimal], base: Decimal, night: Decimal
) -> None:
    load = {SINCE.astimezone(UTC) + one * QUARTER: wh for one, wh in by_quarter.items()}
    terms = Terms(currency="EUR", energy_minor_per_kwh=base, windows=(Window(1320, 360, night),))
    whole = sum(wh * (terms.energy_price_at(at.astimezone(VIENNA)) or 0) for at, wh in load.items()) / 1000
    for one in findings(seen(load, terms)):
        assert one.kind is Kind.DEAR and one.saved_minor is not None and 500 <= one.saved_minor <= whole
