"""The one rule: what binds a card, in every circumstance."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattkeeper.charging.cards.limits import (
    NO_LIMITS,
    Day,
    Limits,
    Span,
    Spot,
    Use,
    month_of,
)
from wattkeeper.charging.cards.token import (
    LIFE,
    Asked,
    Authorisation,
    Card,
    CardKind,
    CardState,
    Group,
    Offline,
    Purpose,
    Strength,
    TokenRef,
    may_charge,
    soon,
)
from wattkeeper.store.cards import limits as kept

NOW = datetime(2026, 3, 4, 12, 30, tzinfo=UTC)  # a Wednesday
CARD = Card(TokenRef("p1:0"))
ASKED = Asked(NOW, NOW, station="CP1", evse=1)
A, P = Authorisation, Purpose
WORKING = Span(time(8), time(18), frozenset({Day.MONDAY, Day.WEDNESDAY}))
TYPE_2 = frozenset({"IEC_62196_T2"})


def limited(**limits: Any) -> Card:
    """A card with these limits."""
    return replace(CARD, limits=Limits(**limits))


TABLE: list[tuple[str, Card | None, dict[str, Any], Authorisation]] = [
    ("nobody knows it", None, {}, A.UNKNOWN),
    ("good", CARD, {}, A.ACCEPTED),
    ("ordered", replace(CARD, state=CardState.ORDERED), {}, A.UNKNOWN),
    ("blocked", replace(CARD, state=CardState.BLOCKED), {}, A.BLOCKED),
    ("lost", replace(CARD, state=CardState.LOST), {}, A.BLOCKED),
    ("replaced", replace(CARD, state=CardState.REPLACED), {}, A.BLOCKED),
    ("returned", replace(CARD, state=CardState.RETURNED), {}, A.UNKNOWN),
    ("blocked and ends", replace(CARD, state=CardState.BLOCKED), {"purpose": P.END}, A.BLOCKED),
    ("blocked in mid session", replace(CARD, state=CardState.BLOCKED), {"purpose": P.GO_ON}, A.BLOCKED),
    ("expired", replace(CARD, expires_at=NOW), {}, A.EXPIRED),
    ("expired and ends", replace(CARD, expires_at=NOW), {"purpose": P.END}, A.EXPIRED),
    ("expired in mid session", replace(CARD, expires_at=NOW), {"purpose": P.GO_ON}, A.ACCEPTED),
    ("about to expire", replace(CARD, expires_at=NOW + timedelta(microseconds=1)), {}, A.ACCEPTED),
    ("in use elsewhere", CARD, {"running": 1}, A.CONCURRENT),
    ("in use once of twice", replace(CARD, max_sessions=2), {"running": 1}, A.ACCEPTED),
    ("in use elsewhere, taps to stop", CARD, {"running": 1, "purpose": P.TAP, "ends_one": True}, A.ACCEPTED),
    ("in use elsewhere, taps", CARD, {"running": 1, "purpose": P.TAP}, A.CONCURRENT),
    ("starts where one may be stopped", CARD, {"running": 1, "ends_one": True}, A.CONCURRENT),
    ("energy left", limited(energy_wh_month=Decimal(100)), {"used": Use(Decimal("99.9"))}, A.ACCEPTED),
    ("energy used up", limited(energy_wh_month=Decimal(100)), {"used": Use(Decimal(100))}, A.NO_CREDIT),
    ("no energy at all", limited(energy_wh_month=Decimal(0)), {}, A.NO_CREDIT),
    ("money left", limited(money_month=Decimal(50)), {"used": Use(money=Decimal("49.99"))}, A.ACCEPTED),
    ("money used up", limited(money_month=Decimal(50)), {"used": Use(money=Decimal(50))}, A.NO_CREDIT),
    ("used up, ends", limited(money_month=Decimal(0)), {"purpose": P.END}, A.ACCEPTED),
    ("used up, goes on", limited(money_month=Decimal(0)), {"purpose": P.GO_ON}, A.ACCEPTED),
    ("used up, taps to stop", limited(money_month=Decimal(0)), {"purpose": P.TAP, "ends_one": True}, A.ACCEPTED),
    ("at its site", limited(sites=frozenset({"Yard"})), {"spot": Spot("Yard")}, A.ACCEPTED),
    ("at another site", limited(sites=frozenset({"Yard"})), {"spot": Spot("Gate")}, A.NOT_HERE),
    ("at no site", limited(sites=frozenset({"Yard"})), {}, A.NOT_HERE),
    ("nowhere", limited(sites=frozenset()), {"spot": Spot("Yard")}, A.NOT_HERE),
    ("in its hours", limited(hours=(WORKING,)), {}, A.ACCEPTED),
    ("out of its hours", limited(hours=(WORKING,)), {"local": NOW.replace(hour=18, minute=0)}, A.NOT_NOW),
    ("on another day", limited(hours=(WORKING,)), {"local": NOW + timedelta(days=1)}, A.NOT_NOW),
    ("never", limited(hours=()), {}, A.NOT_NOW),
    ("its plug", limited(plugs=TYPE_2), {"spot": Spot(plugs=TYPE_2)}, A.ACCEPTED),
    ("another plug", limited(plugs=TYPE_2), {"spot": Spot(plugs=frozenset({"CHADEMO"}))}, A.WRONG_PLUG),
    ("one of the plugs", limited(plugs=TYPE_2), {"spot": Spot(plugs=TYPE_2 | {"CHADEMO"})}, A.ACCEPTED),
    ("a plug nobody told of", limited(plugs=TYPE_2), {"spot": Spot(plugs=frozenset({None}))}, A.WRONG_PLUG),
    ("no plug at all", limited(plugs=TYPE_2), {}, A.WRONG_PLUG),
    ("made for here", replace(CARD, only_at=("CP1", 1)), {}, A.ACCEPTED),
    ("made for here, taps", replace(CARD, only_at=("CP1", 1)), {"evse": None, "purpose": P.TAP}, A.ACCEPTED),
    ("made for another EVSE", replace(CARD, only_at=("CP1", 2)), {}, A.NOT_HERE),
    ("made for another station", replace(CARD, only_at=("CP2", 1)), {}, A.NOT_HERE),
]


@pytest.mark.parametrize(("card", "circumstances", "status"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_the_rule(card: Card | None, circumstances: dict[str, Any], status: Authorisation) -> None:
    verdict = may_charge(card, replace(ASKED, **circumstances))
    assert verdict.status is status
    assert verdict.reason.endswith(".")
    assert verdict.reason[0].isupper()


def test_the_limits_of_a_group_bind_each_card() -> None:
    group = Group("fleet", limits=Limits(sites=frozenset({"Yard"})))
    card = replace(CARD, rules=group, group="fleet", limits=Limits(energy_wh_month=Decimal(1)))
    assert may_charge(card, replace(ASKED, spot=Spot("Yard"))).accepted
    elsewhere = may_charge(card, replace(ASKED, spot=Spot("Gate")))
    assert (elsewhere.status, "its group" in elsewhere.reason) == (A.NOT_HERE, True)
    used_up = may_charge(card, replace(ASKED, spot=Spot("Yard"), used=Use(Decimal(1))))
    assert (used_up.status, "this card" in used_up.reason) == (A.NO_CREDIT, True)


@pytest.mark.parametrize(("strength", "accepted"), [(Strength.NUMBER, False), (Strength.SECURE, True)])
def test_the_house_binds_cards_that_can_be_copied(strength: Strength, accepted: bool) -> None:
    asked = replace(ASKED, house=Limits(energy_wh_month=Decimal(100)), used=Use(Decimal(100)))
    assert may_charge(replace(CARD, strength=strength), asked).accepted is accepted


PASS = replace(CARD, group="pass", rules=Group("pass", "PASS", is_master_pass=True))


@pytest.mark.parametrize(
    ("purpose", "ends_one", "status"),
    [
        (P.TAP, True, A.ACCEPTED),
        (P.TAP, False, A.INVALID),
        (P.START, True, A.INVALID),
        (P.START, False, A.INVALID),
        (P.END, False, A.ACCEPTED),
    ],
)
def test_a_master_pass_stops_and_never_starts(purpose: Purpose, ends_one: bool, status: Authorisation) -> None:
    verdict = may_charge(PASS, replace(ASKED, purpose=purpose, ends_one=ends_one))
    assert verdict.status is status
    assert verdict.parent_id == ("PASS" if verdict.accepted else None)


groups = st.none() | st.builds(Group, st.just("g"), st.just("PARENT"), st.booleans(), st.just(NO_LIMITS))
cards = st.none() | st.builds(
    Card,
    st.just(TokenRef("p1:0")),
    state=st.sampled_from(CardState),
    expires_at=st.none() | st.sampled_from([NOW + timedelta(minutes=some) for some in (-1440, 1, 9000)]),
    max_sessions=st.integers(1, 2),
    kind=st.sampled_from(CardKind),
    strength=st.sampled_from(Strength),
    offline=st.sampled_from(Offline),
    limits=st.builds(Limits, st.none() | st.just(Decimal(5)), sites=st.none() | st.just(frozenset({"Yard"}))),
    rules=groups,
)
circumstances = st.builds(
    Asked,
    st.just(NOW),
    st.just(NOW),
    st.sampled_from(Purpose),
    st.integers(0, 3),
    st.booleans(),
    used=st.builds(Use, st.sampled_from([Decimal(0), Decimal(5)])),
    spot=st.sampled_from([Spot(), Spot("Yard")]),
)


@given(cards, circumstances)
def test_what_holds_of_every_verdict(card: Card | None, asked: Asked) -> None:
    """D3: more than the status is only ever told of a card of ours that is accepted."""
    verdict = may_charge(card, asked)
    if not verdict.accepted:
        assert (verdict.parent_id, verdict.expires_at) == (None, None)
        return
    assert card is not None
    assert card.state is CardState.ACTIVE
    assert verdict.parent_id == card.parent_id
    assert verdict.expires_at is None or verdict.expires_at > asked.now or asked.purpose is P.GO_ON
    if card.offline is Offline.REFUSE:
        assert verdict.expires_at is not None
        assert verdict.expires_at <= asked.now + timedelta(hours=2)
    if asked.purpose is P.START:
        assert not card.is_master_pass
        assert asked.running < card.max_sessions


@given(cards, circumstances)
def test_what_is_refused_stays_refused_under_more_limits(card: Card | None, asked: Asked) -> None:
    if card is None:
        return
    bound = replace(card, limits=replace(card.limits, energy_wh_month=Decimal(0), sites=frozenset()))
    if may_charge(bound, asked).accepted:
        assert may_charge(card, asked).accepted


def test_a_refused_offline_card_is_remembered_for_an_hour_or_two() -> None:
    for minute in range(0, 60, 7):
        at = NOW.replace(minute=minute)
        assert timedelta(hours=1) <= soon(at) - at <= timedelta(hours=2)
        assert soon(at).minute == 0
    lasting = replace(CARD, offline=Offline.ACCEPT, expires_at=NOW + timedelta(days=30))
    assert may_charge(lasting, ASKED).expires_at == lasting.expires_at
    assert may_charge(replace(lasting, expires_at=None), ASKED).expires_at is None


def test_a_life_never_goes_back_to_the_beginning() -> None:
    assert set(LIFE) == set(CardState)
    assert all(CardState.ORDERED not in after and state not in after for state, after in LIFE.items())
    assert not LIFE[CardState.RETURNED]


# --- hours, months, and how limits are kept ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("hour", "day", "holds"),
    [(22, 6, True), (23, 6, True), (3, 7, True), (6, 7, False), (3, 6, False), (22, 7, False)],
)
def test_a_span_over_midnight_belongs_to_the_day_it_begins(hour: int, day: int, holds: bool) -> None:
    """Friday from 22:00 to 6:00; 6 March 2026 is a Friday."""
    night = Span(time(22), time(6), frozenset({Day.FRIDAY}))
    assert night.holds(datetime(2026, 3, day, hour)) is holds


@given(st.datetimes())
def test_a_span_without_ends_is_the_whole_day(local: datetime) -> None:
    assert Span().holds(local)
    assert Span(days=frozenset({Day(local.weekday())})).holds(local)
    assert not Span(days=frozenset(Day) - {Day(local.weekday())}).holds(local)


ZONES = st.sampled_from(["UTC", "Europe/Vienna", "Asia/Kolkata"])


@given(st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)), ZONES)
def test_the_month_is_that_of_the_place(at: datetime, zone: str) -> None:
    now, here = at.replace(tzinfo=UTC), ZoneInfo(zone)
    begun = month_of(now, here)
    assert begun <= now
    first = begun.astimezone(here)
    assert (first.day, first.hour, first.minute, first.second) == (1, 0, 0, 0)
    assert (first.year, first.month) == (now.astimezone(here).year, now.astimezone(here).month)


spans = st.builds(
    Span,
    st.times().map(lambda at: at.replace(second=0, microsecond=0)),
    st.times().map(lambda at: at.replace(second=0, microsecond=0)),
    st.frozensets(st.sampled_from(Day), min_size=1),
)
words = st.none() | st.frozensets(st.text(max_size=5), max_size=3)


@given(
    st.builds(
        Limits,
        st.none() | st.decimals(0, 10**9, places=0),
        st.none() | st.decimals(0, 10**6, places=2),
        words,
        st.none() | st.lists(spans, max_size=3).map(tuple),
        words,
    )
)
def test_limits_are_read_as_they_were_kept(limits: Limits) -> None:
    text = kept.encode(limits)
    assert kept.decode(text) == limits
    assert (text is None) is limits.nothing
