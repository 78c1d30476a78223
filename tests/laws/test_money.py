"""Laws of money: what holds for every session and every tariff."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.laws.test_naive import session_of
from wattkeeper.charging.cards.limits import Day
from wattkeeper.charging.money.bill import Bill, price
from wattkeeper.charging.money.line import BOUNDS, LineKind
from wattkeeper.charging.money.rounding import floor, settled, whole
from wattkeeper.charging.money.tariffs.restriction import ALWAYS, Restrictions
from wattkeeper.charging.money.tariffs.tariff import Bound, Component, Dimension, Element, Tariff
from wattkeeper.charging.money.usage import Usage, outlined, parted, planned, usage
from wattkeeper.charging.reading import Reading
from wattkeeper.charging.session import Session, remeasure

D = Decimal
NEW_YORK = ZoneInfo("America/New_York")
NOON = datetime(2028, 2, 28, 17, tzinfo=UTC)

# --- rounding ---------------------------------------------------------------------------------------------------

FRACTIONS = st.fractions(0, 500, max_denominator=400)
RATES = st.sampled_from((0, 0, 7, 19, 20, 100))
PAIRS = st.tuples(FRACTIONS, RATES).map(lambda one: (one[0], one[0] * (100 + one[1]) / 100))


@given(st.lists(PAIRS, max_size=9))
@example([(Fraction("9.1"), Fraction("10.01")), (Fraction("0.4"), Fraction("0.44"))])
def test_lines_add_up_to_the_exact_sum_rounded_once(exact: list[tuple[Fraction, Fraction]]) -> None:
    rounded = settled(exact)
    for column in (0, 1):
        assert sum(one[column] for one in rounded) == whole(sum((one[column] for one in exact), Fraction(0)))
    for (net, gross), (net_minor, gross_minor) in zip(exact, rounded, strict=True):
        assert floor(net) <= net_minor < net + 1
        assert floor(gross) <= gross_minor < gross + 1
        assert net_minor <= gross_minor
        assert net != gross or net_minor == gross_minor, "no tax where none applies"


# --- any session, any tariff ------------------------------------------------------------------------------------

MINUTES = st.integers(0, 1439).map(lambda n: time(n // 60, n % 60))
DAYS = st.sets(st.sampled_from(Day), min_size=1).map(frozenset)
WHS = st.integers(1, 20_000).map(D)
CLOCKED = st.builds(Restrictions, start_time=st.none() | MINUTES, end_time=st.none() | MINUTES, days=DAYS)
MEASURED = st.builds(
    Restrictions,
    min_power_w=st.none() | WHS,
    max_power_w=st.none() | WHS,
    min_energy_wh=st.none() | WHS,
    max_energy_wh=st.none() | WHS,
    min_duration_s=st.none() | st.integers(0, 9000),
    max_duration_s=st.none() | st.integers(0, 9000),
    min_idle_s=st.none() | st.integers(0, 4000),
)
PRICES = st.decimals(0, 20, places=4)
VATS = st.sampled_from((None, D(0), D(7), D("5.5"), D(20)))


def components(steps: st.SearchStrategy[int]) -> st.SearchStrategy[Component]:
    """Prices with some steps."""
    return st.builds(Component, st.sampled_from(Dimension), PRICES, VATS, steps)


def tariffs(when: st.SearchStrategy[Restrictions], steps: st.SearchStrategy[int]) -> st.SearchStrategy[Tariff]:
    """Tariffs with some restrictions and some steps."""
    elements = st.builds(Element, st.lists(components(steps), min_size=1, max_size=3).map(tuple), when)
    zones = st.sampled_from((UTC, NEW_YORK, ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kathmandu")))
    currencies = st.sampled_from(("EUR", "JPY", "KWD"))
    return st.builds(Tariff, currencies, st.lists(elements, max_size=4).map(tuple), st.booleans(), zone=zones)


ONE = st.just(1)
STEPS = st.sampled_from((0, 1, 60, 500, 900))
ANY = tariffs(st.just(ALWAYS) | CLOCKED | MEASURED, STEPS)


@st.composite
def courses(draw: st.DrawFn) -> list[tuple[datetime, int]]:
    """Registers of a session that begins at any time of a year with a leap day."""
    at, wh = datetime(2028, 1, 1, tzinfo=UTC) + timedelta(minutes=draw(st.integers(0, 366 * 1440))), 1000
    told = [(at, wh)]
    for _ in range(draw(st.integers(1, 8))):
        at += timedelta(seconds=draw(st.integers(1, 5000)))
        wh += draw(st.one_of(st.just(0), st.integers(1, 12_000)))
        told.append((at, wh))
    return told


USAGES = courses().map(lambda told: usage(*session_of(told)))


def exact(bill: Bill) -> Decimal:
    """What a bill comes to before it is rounded."""
    return sum((line.exact_gross for line in bill.lines), D(0))


@given(USAGES, ANY)
def test_sums_taxes_and_lines_say_the_same(one: Usage, tariff: Tariff) -> None:
    bill = price(one, tariff)
    for name in ("net_minor", "vat_minor", "gross_minor"):
        total = getattr(bill, name)
        assert total == sum(getattr(line, name) for line in bill.lines)
        assert total == sum(getattr(group, name) for group in bill.taxes)
    assert bill.gross_minor == whole(Fraction(exact(bill)) * 10**bill.digits) or abs(exact(bill)) % D("0.005") < D(
        "1e-9"
    )
    for line in bill.lines:
        assert line.vat_minor >= 0
        factor = 1 + (line.vat_percent or D(0)) / 100
        assert abs(line.exact_gross - line.exact_net * factor) < D("1e-9")
        assert line.vat_minor == 0 or line.vat_percent
        assert sum((part.used for part in line.parts), D(0)) == line.used_base <= line.billed_base
        assert all(part.since <= part.until for part in line.parts)
        assert [*line.parts] == sorted(line.parts, key=lambda part: part.since)


@given(USAGES, ANY)
def test_energy_and_time_are_billed_at_most_once(one: Usage, tariff: Tariff) -> None:
    used = {line.kind: D(0) for line in price(one, tariff).lines}
    for line in price(one, tariff).lines:
        used[line.kind] += line.used_base
    limits = {LineKind.ENERGY: one.energy_wh, LineKind.TIME: one.charging_s, LineKind.PARKING_TIME: one.parking_s}
    assert all(used.get(kind, D(0)) <= limit for kind, limit in limits.items())
    assert used.get(LineKind.FLAT, D(0)) <= 1


@given(USAGES, tariffs(st.just(ALWAYS) | CLOCKED | MEASURED, ONE), st.integers(0, 7), st.integers(1, 999))
def test_one_more_reading_on_the_way_changes_nothing(one: Usage, tariff: Tariff, which: int, permille: int) -> None:
    """A reading that says what was interpolated there anyway splits a stretch, and costs the same."""
    place = which % len(one.intervals)
    long = one.intervals[place]
    split = parted(long, long.since + long.span * permille / 1000)
    finer = replace(one, intervals=(*one.intervals[:place], *split, *one.intervals[place + 1 :]))
    apart = exact(price(one, tariff)) - exact(price(finer, tariff))
    assert abs(apart) <= D("0.03"), "what is interpolated twice may round up to one more Wh, and one more second"


@given(USAGES, tariffs(st.just(ALWAYS) | CLOCKED, ONE), st.integers(0, 7), st.integers(1, 999))
def test_a_session_in_two_costs_the_same_but_for_steps_and_start_fees(
    one: Usage, tariff: Tariff, which: int, permille: int
) -> None:
    free = tuple(
        Element(tuple(c for c in e.components if c.dimension is not Dimension.FLAT), e.restrictions)
        for e in tariff.elements
    )
    tariff = replace(tariff, elements=free)
    place = which % len(one.intervals)
    long = one.intervals[place]
    first, second = parted(long, long.since + long.span * permille / 1000)
    earlier = Usage(intervals=(*one.intervals[:place], first))
    later = Usage(intervals=(second, *one.intervals[place + 1 :]))
    apart = exact(price(earlier, tariff)) + exact(price(later, tariff))
    assert abs(apart - exact(price(one, tariff))) <= D("0.06"), "each rounds up to 1 Wh and 1 s"


@given(courses(), tariffs(st.just(ALWAYS) | CLOCKED | MEASURED, ONE))
def test_a_session_that_goes_on_never_becomes_cheaper(told: list[tuple[datetime, int]], tariff: Tariff) -> None:
    costs = [price(usage(*session_of(told[:count])), tariff).gross_minor for count in range(1, len(told) + 1)]
    assert costs == sorted(costs)


@given(USAGES, ANY, st.decimals(0, 20, places=2), st.decimals(0, 20, places=2))
def test_the_least_and_the_most_hold_with_and_without_tax(
    one: Usage, tariff: Tariff, low: Decimal, more: Decimal
) -> None:
    bounded = replace(tariff, least=Bound(low, low * 2), most=Bound(low + more, (low + more) * 2))
    bill = price(one, bounded)
    if not one.is_empty:
        unit = 10**bill.digits
        assert whole(Fraction(low) * unit) <= bill.net_minor <= whole(Fraction(low + more) * unit)
        assert whole(Fraction(low) * 2 * unit) <= bill.gross_minor <= whole(Fraction(low + more) * 2 * unit)
    rates = {line.vat_percent for line in bill.lines}
    assert len([line for line in bill.lines if line.kind in BOUNDS]) <= len(rates)


@given(USAGES, ANY, st.decimals(0, 20, places=2), st.booleans())
def test_a_bound_without_tax_bears_the_taxes_of_the_rest(
    one: Usage, tariff: Tariff, amount: Decimal, is_least: bool
) -> None:
    bound = Bound(amount)
    bill = price(one, replace(tariff, least=bound if is_least else None, most=None if is_least else bound))
    rates = {line.vat_percent for line in bill.lines if line.kind not in BOUNDS}
    bounding = {line.vat_percent for line in bill.lines if line.kind in BOUNDS}
    priced = {part.vat_percent for element in tariff.elements for part in element.components}
    assert bounding <= (rates or priced or {None})
    for tax in bill.taxes:
        assert abs(tax.vat_minor - tax.net_minor * Fraction(tax.vat_percent or 0) / 100) < 2
    wanted = whole(Fraction(amount) * 10**bill.digits)
    assert one.is_empty or (bill.net_minor >= wanted if is_least else bill.net_minor <= wanted)


@given(USAGES, st.permutations(range(4)))
def test_elements_that_never_hold_together_may_stand_in_any_order(one: Usage, order: list[int]) -> None:
    hours = [time(0), time(6, 30), time(12), time(21, 15), time(0)]
    elements = [
        Element(
            (Component(Dimension.ENERGY, D(n), D(20)), Component(Dimension.TIME, D(n), D(7))),
            Restrictions(start_time=hours[n], end_time=hours[n + 1]),
        )
        for n in range(4)
    ]
    straight = Tariff("EUR", tuple(elements), zone=NEW_YORK)
    mixed = Tariff("EUR", tuple(elements[n] for n in order), zone=NEW_YORK)
    assert price(one, straight).gross_minor == price(one, mixed).gross_minor


@given(USAGES, components(STEPS), st.lists(components(STEPS), max_size=3))
def test_the_first_element_that_holds_wins(one: Usage, first: Component, others: list[Component]) -> None:
    beaten = [Element((replace(other, dimension=first.dimension),)) for other in others]
    alone, crowded = Tariff("EUR", (Element((first,)),)), Tariff("EUR", (Element((first,)), *beaten))
    assert price(one, alone) == price(one, crowded)


@given(USAGES, ANY)
def test_the_same_again_is_the_same_again(one: Usage, tariff: Tariff) -> None:
    assert price(one, tariff) == price(one, tariff)


@pytest.mark.parametrize(("currency", "digits", "minor"), [("JPY", 0, 31), ("EUR", 2, 3050), ("KWD", 3, 30500)])
def test_currencies_are_rounded_to_their_own_minor_unit(currency: str, digits: int, minor: int) -> None:
    tariff = Tariff(currency, (Element((Component(Dimension.ENERGY, D("30.5")),)),))
    bill = price(planned(NOON, D(1000), D(3600)), tariff)
    assert (bill.digits, bill.gross_minor, bill.gross) == (digits, minor, D(minor).scaleb(-digits))


# --- readings and sums ------------------------------------------------------------------------------------------

REGISTERS = st.none() | st.integers(-100, 9000).map(D)
READINGS = st.lists(
    st.tuples(
        st.integers(1, 4000),
        REGISTERS,
        st.none() | st.integers(-500, 9000).map(D),
        st.sampled_from((None, D(0), D(50), D(7000))),
    ),
    max_size=12,
)


@st.composite
def readings(draw: st.DrawFn) -> list[Reading]:
    """What a bad meter could tell: registers that fall, restart, stand still, are missing; sums that shrink."""
    at, told = NOON, []
    for seconds, wh, interval, power in draw(READINGS):
        at += timedelta(seconds=seconds)
        told.append(
            Reading(at, energy_wh=wh, interval_wh=interval, power_w=power, offered_w=draw(st.none() | st.just(D(0))))
        )
    return told


def measured(told: list[Reading]) -> Session:
    """A session of these readings."""
    one = Session(id="0" * 9, station="CP1", key="k", first_at=NOON, last_at=NOON)
    return remeasure(one, told)


@given(readings())
def test_stretches_come_to_what_the_fold_counts(told: list[Reading]) -> None:
    one = measured(told)
    used = usage(one, told)
    assert used.energy_wh == max(one.track.energy_wh or D(0), D(0))
    assert (used.charging_s, used.parking_s) == (one.track.charging_s, one.track.parking_s)
    assert all(stretch.energy_wh >= 0 for stretch in used.intervals)


@given(readings(), tariffs(st.just(ALWAYS), STEPS))
def test_sums_cost_the_same_as_readings_where_only_sums_count(told: list[Reading], tariff: Tariff) -> None:
    assert tariff.is_plain or tariff.prices_idling
    one = measured(told)
    by_sums, by_readings = price(outlined(one), tariff), price(usage(one, told), tariff)
    assert [replace(line, parts=()) for line in by_sums.lines] == [
        replace(line, parts=()) for line in by_readings.lines
    ]
