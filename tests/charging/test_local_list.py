"""Laws of stations' own lists: whatever a station has, few messages bring it to what it should have."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from wattkeeper.charging.cards.local_list import BLOCKED, REMOVED, Listable, Roster, digest, next_step, understood
from wattkeeper.charging.orders import Listing

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DIGESTS = st.sampled_from(["accepted", "accepted 1900000000", BLOCKED])
CONTENTS = st.dictionaries(st.text("abcdef", min_size=1, max_size=2), DIGESTS, max_size=12)


def listable(ref: str, listing: Listing = Listing.ACCEPTED, **more: object) -> Listable:
    """A card that was enrolled and changed at noon."""
    told: dict[str, object] = {"expires_at": None, "sites": None, "changed_at": NOW, "enrolled_at": NOW}
    return Listable(ref, listing, **(told | more))  # type: ignore[arg-type]


@given(confirmed=st.none() | CONTENTS, wanted=CONTENTS, at_once=st.integers(1, 5))
def test_every_list_is_reached(confirmed: dict[str, str] | None, wanted: dict[str, str], at_once: int) -> None:
    now, steps = confirmed, 0
    while (step := next_step(now, wanted, at_once)) is not None:
        assert step.full is (now is None)
        assert len(step.says) <= at_once
        applied = dict(() if step.full else (now or {}).items()) | dict(step.says)
        now = {ref: says for ref, says in applied.items() if says != REMOVED}
        assert now == step.content
        steps += 1
        assert steps <= 30
    assert now == wanted


@given(confirmed=CONTENTS, wanted=CONTENTS)
def test_what_takes_permission_away_comes_first(confirmed: dict[str, str], wanted: dict[str, str]) -> None:
    step = next_step(confirmed, wanted, 100)
    grants = [says not in (REMOVED, BLOCKED) for says in step.says.values()] if step else []
    assert grants == sorted(grants)


@given(until=st.none() | st.datetimes(datetime(2026, 4, 1), datetime(2200, 1, 1), timezones=st.just(UTC)))
def test_a_digest_is_understood(until: datetime | None) -> None:
    whole = None if until is None else until.replace(microsecond=0)
    assert understood(digest(listable("a", expires_at=whole))) == (Listing.ACCEPTED, whole)
    assert understood(digest(listable("a", Listing.BLOCKED, expires_at=whole))) == (Listing.BLOCKED, None)


def test_who_belongs_on_a_list() -> None:
    cards = [
        listable("anywhere"),
        listable("here", sites=frozenset({"North"})),
        listable("elsewhere", sites=frozenset({"South"})),
        listable("over", expires_at=NOW),
        listable("good still", expires_at=NOW + timedelta(days=1)),
        listable("blocked before", Listing.BLOCKED),
        listable("blocked and there", Listing.BLOCKED),
        listable("returned", Listing.REMOVED),
    ]
    roster = Roster(cards)
    confirmed = {"blocked and there": "accepted", "returned": "accepted", "forgotten": "accepted"}
    wanted = roster.wanted("North", confirmed, 100, NOW)
    assert set(wanted) == {"anywhere", "here", "good still", "blocked and there"}
    assert wanted["blocked and there"] == BLOCKED


def test_who_stays_where_there_is_room_for_few() -> None:
    cards = [listable(str(n), enrolled_at=NOW + timedelta(minutes=n)) for n in range(5)]
    roster = Roster(cards)
    assert list(roster.wanted("", {}, 2, NOW)) == ["4", "3"]
    assert set(roster.wanted("", {"0": "accepted"}, 2, NOW)) == {"0", "4"}


def test_nothing_follows_from_a_card_that_no_list_names() -> None:
    roster = Roster([listable("a"), listable("b", Listing.REMOVED)])
    turn = roster.turn
    roster.take(listable("a", changed_at=NOW + timedelta(1)))
    roster.drop("b")
    assert roster.turn == turn
    roster.take(listable("a", Listing.BLOCKED))
    assert roster.turn > turn


CHANGES = st.lists(
    st.tuples(
        st.sampled_from("abcd"),
        st.none() | st.sampled_from(list(Listing)),
        st.none() | st.sampled_from([frozenset({"North"}), frozenset({"South"}), frozenset({"North", "South"})]),
        st.integers(0, 3),
    )
)


@given(changes=CHANGES, site=st.sampled_from(["North", "South", ""]), confirmed=CONTENTS, most=st.integers(0, 5))
def test_change_by_change_comes_to_the_same_as_all_at_once(
    changes: list[tuple[str, Listing | None, frozenset[str] | None, int]],
    site: str,
    confirmed: dict[str, str],
    most: int,
) -> None:
    followed = Roster()
    for ref, listing, sites, minute in changes:
        if listing is None:
            followed.drop(ref)
        else:
            followed.take(listable(ref, listing, sites=sites, enrolled_at=NOW + timedelta(minutes=minute)))
    whole = Roster(followed.cards.values())
    assert followed.wanted(site, confirmed, most, NOW) == whole.wanted(site, confirmed, most, NOW)
    assert list(followed.wanted(site, {}, most, NOW)) == list(whole.wanted(site, {}, most, NOW))
    assert followed.rule(site) == whole.rule(site)


@given(changes=CHANGES, most=st.integers(0, 5))
def test_sites_with_one_rule_have_one_list(
    changes: list[tuple[str, Listing | None, frozenset[str] | None, int]], most: int
) -> None:
    roster = Roster(listable(ref, listing, sites=sites) for ref, listing, sites, _ in changes if listing is not None)
    lists = {site: (roster.rule(site), roster.wanted(site, {}, most, NOW)) for site in ("North", "South", "East", "")}
    for rule, wanted in lists.values():
        assert all(other == wanted for same, other in lists.values() if same == rule)
