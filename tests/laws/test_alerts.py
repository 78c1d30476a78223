"""What holds for all alerts, whatever is measured when: the table of moves, the waits, and the quiet hours."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from wattkeeper.charging.alerts.quiet import is_quiet, leaves_room, quiet_until
from wattkeeper.charging.alerts.rule import FORMS, Kind, Rule, Where, check
from wattkeeper.charging.alerts.standing import MOVES, Event, Standing, State, follow, moved
from wattkeeper.charging.cards.limits import Day, Span
from wattkeeper.charging.errors import Code, Refusal

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
MINUTES = st.integers(0, 60).map(lambda count: timedelta(minutes=count))
FIGURES = st.one_of(st.none(), st.integers(0, 20).map(Decimal))
STEPS = st.lists(st.tuples(FIGURES, st.integers(0, 30), st.sampled_from(["", "seen", "ended"])), max_size=60)


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    """A rule on a price, which may be too high or too low."""
    low = Decimal(draw(st.integers(0, 20)))
    high = low + draw(st.integers(1, 20))
    is_below = draw(st.booleans())
    waits = {name: draw(MINUTES) for name in ("raise_after", "clear_after", "apart")}
    given = {"raise_at": low if is_below else high, "clear_at": high if is_below else low, **waits}
    return check(rule_of(kind=Kind.PRICE_OF_HOUR, is_below=is_below, **given))


@given(rules(), STEPS)
def test_one_episode_at_a_time_each_raised_after_it_was_bad_and_cleared_after_it_was_well(
    rule: Rule, steps: list[tuple[Decimal | None, int, str]]
) -> None:
    standing, at, is_open, last = Standing(), BEGIN, False, None
    told: list[tuple[datetime, Decimal]] = []
    for value, minutes, deed in steps:
        at += timedelta(minutes=minutes)
        if deed:
            standing = moved(standing, Event(deed))
            is_open = is_open and deed != "ended"
            assert standing.is_open == is_open, "people and rules end what is on, and begin nothing"
        before = standing
        standing, event = follow(rule, standing, value, at)
        assert event in (None, Event.ROSE, Event.FELL)
        assert (event is None) == (standing.state is before.state)
        if value is None:
            told = []
            assert event is None
            continue
        told.append((at, value))
        if event is Event.ROSE:
            assert not is_open
            assert last is None or at - last >= rule.apart
            assert held(told, rule.is_beyond, at - rule.raise_after)
            is_open, last, told = True, at, [(at, value)]
        elif event is Event.FELL:
            assert is_open
            assert held(told, rule.is_within, at - rule.clear_after)
            is_open, told = False, [(at, value)]
        assert standing.is_open == is_open


def held(told: list[tuple[datetime, Decimal]], is_so: object, since: datetime) -> bool:
    """Whether everything that was measured since an instant was so, and something before it or at it."""
    assert callable(is_so)
    late = [value for at, value in told if at >= since]
    reach = [at for at, _ in told if at <= since]
    return all(is_so(value) for value in late) and bool(reach or told[0][0] <= since)


@given(rules(), st.lists(st.integers(0, 20).map(Decimal), max_size=30))
def test_the_same_value_again_at_the_same_instant_changes_nothing(rule: Rule, values: list[Decimal]) -> None:
    standing = Standing()
    for minute, value in enumerate(values):
        at = BEGIN + timedelta(minutes=5 * minute)
        standing, event = follow(rule, standing, value, at)
        again, twice = follow(rule, standing, value, at)
        if event is None:
            assert (again, twice) == (standing, None)


def test_the_table_leads_from_raised_to_cleared_and_never_back_but_by_rising() -> None:
    assert {event for (state, event) in MOVES if state in (State.QUIET, State.CLEARED)} == {Event.ROSE}
    assert {after for (_, event), after in MOVES.items() if event in (Event.FELL, Event.ENDED)} == {State.CLEARED}
    assert {state for (state, event) in MOVES if event is Event.SEEN} == {State.RAISED}
    for event in (Event.SEEN, Event.FELL, Event.ENDED):
        assert moved(Standing(), event) == Standing()


CLOCK = st.builds(time, st.integers(0, 23), st.integers(0, 59))
SPANS = st.lists(st.builds(Span, CLOCK, CLOCK, st.frozensets(st.sampled_from(Day), min_size=1)), max_size=3)
ZONES = st.sampled_from([UTC, ZoneInfo("Europe/Vienna"), ZoneInfo("America/St_Johns"), ZoneInfo("Australia/Lord_Howe")])
YEAR = st.integers(0, 366 * 24 * 60).map(lambda minute: BEGIN + timedelta(minutes=minute, seconds=17))


@given(SPANS, YEAR, ZONES)
def test_quiet_hours_end_at_the_first_minute_that_is_not_quiet(spans: list[Span], at: datetime, zone: ZoneInfo) -> None:
    assume(leaves_room(spans))
    end = quiet_until(spans, at, zone)
    if end is None:
        assert not is_quiet(spans, at, zone)
        return
    assert end > at
    assert not is_quiet(spans, end, zone)
    between = [at + (end - at) * part / 97 for part in range(97)]
    assert all(is_quiet(spans, one, zone) for one in between)


def test_quiet_hours_leave_some_minute_of_the_week() -> None:
    assert leaves_room([])
    assert not leaves_room([Span()])
    assert not leaves_room([Span(time(6), time(22)), Span(time(22), time(6))])
    assert leaves_room([Span(time(6), time(22)), Span(time(22), time(5, 59))])


def rule_of(**changed: object) -> Rule:
    """A rule that makes sense but for this."""
    given = {"kind": Kind.STATION_OFFLINE, "raise_at": Decimal(10), "clear_at": Decimal(0), **changed}
    return Rule(**given)  # type: ignore[arg-type]


PEAK = {"kind": Kind.PEAK_NEAR_LIMIT, "limit_kw": Decimal(100)}
HOSTILE: list[dict[str, object]] = [
    {"raise_at": Decimal("NaN")},
    {"raise_at": Decimal("Infinity")},
    {"clear_at": Decimal("-Infinity")},
    {"raise_at": Decimal(0)},
    {"raise_at": Decimal(10**9)},
    {"clear_at": Decimal(11)},
    {"clear_at": Decimal(-1)},
    {"is_below": True, "clear_at": Decimal(20)},
    {"kind": Kind.PRICE_OF_HOUR, "is_below": True, "clear_at": Decimal(9)},
    {"kind": Kind.PRICE_OF_HOUR, "clear_at": Decimal(-(10**12))},
    {"subject": "CP1"},
    {"where": Where.STATION},
    {"where": Where.SITE, "subject": ""},
    {**PEAK, "where": Where.STATION, "subject": "CP1"},
    {**PEAK, "limit_kw": Decimal(0)},
    {**PEAK, "limit_kw": Decimal(-5)},
    {**PEAK, "limit_kw": Decimal("NaN")},
    {**PEAK, "limit_kw": Decimal(10**12)},
    {"limit_kw": Decimal(5)},
    {"raise_after": timedelta(seconds=-1)},
    {"clear_after": timedelta(days=2)},
    {"apart": timedelta(days=8)},
    {"apart": timedelta(seconds=-1)},
    {"quiet": (Span(),)},
    {"quiet": tuple(Span(time(1), time(2)) for _ in range(100))},
]


@pytest.mark.parametrize("changed", HOSTILE)
def test_a_rule_that_makes_no_sense_is_refused(changed: dict[str, object]) -> None:
    with pytest.raises(Refusal) as refused:
        check(rule_of(**changed))
    assert refused.value.code is Code.INVALID


def test_every_kind_has_a_form_and_a_rule_that_makes_sense() -> None:
    assert FORMS.keys() == set(Kind)
    for kind in Kind:
        limit = Decimal(100) if kind is Kind.PEAK_NEAR_LIMIT else None
        low = {"is_below": True, "clear_at": Decimal(99)} if FORMS[kind].is_low else {}
        assert check(rule_of(kind=kind, limit_kw=limit, **low)).kind is kind
