"""Which tariff holds: the nearest to the driver, of equals the latest, and never for what has begun."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest

from wattkeeper.charging.money.tariffs.assignment import ASSIGNABLE, Assignment, Rank, Spot, candidates

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HERE = Spot(person="person:1", group="staff", station="CP1", evse=2, site="Yard")


def made(rank: Rank, n: int = 1, tariff: str | None = "", subject: str | None = None, hours: int = -1) -> Assignment:
    """An assignment of the spot's own subject, an hour ago."""
    of = HERE.subjects[rank] if subject is None else subject
    return Assignment(n, rank, of, rank.value if tariff == "" else tariff, NOON + timedelta(hours=hours), NOON, "test")


def first(*assignments: Assignment, spot: Spot = HERE) -> str:
    """The tariff that holds."""
    return candidates(assignments, spot, NOON)[0].tariff


def test_nothing_assigned_is_the_standard_tariff() -> None:
    (only,) = candidates([], HERE, NOON)
    assert (only.tariff, only.why) == ("standard", "Nothing else is assigned, so the standard tariff holds.")


@pytest.mark.parametrize(("nearer", "farther"), [*combinations(ASSIGNABLE, 2)])
def test_the_nearer_to_the_driver_decides(nearer: Rank, farther: Rank) -> None:
    for order in ((nearer, farther), (farther, nearer)):
        told = candidates([made(rank) for rank in order], HERE, NOON)
        assert [one.tariff for one in told] == [nearer.value, farther.value, "standard"]


def test_it_says_why() -> None:
    told = {one.rank: str(one.why) for one in candidates(map(made, ASSIGNABLE), HERE, NOON)}
    assert told[Rank.CONNECTOR] == "It is assigned to the connector CP1/2."
    assert told[Rank.GROUP] == "It is assigned to the group staff that the card belongs to."
    assert "person:1" not in " ".join(told.values())


def test_what_is_anothers_does_not_count() -> None:
    others = [made(rank, subject="other") for rank in ASSIGNABLE if rank is not Rank.EVERYONE]
    assert first(*others) == "standard"
    assert first(*map(made, ASSIGNABLE), spot=Spot(station="CP1", evse=1, site="Yard")) == "station"
    assert first(made(Rank.CONNECTOR), spot=Spot(station="CP1")) == "standard"


def test_an_empty_name_is_no_subject() -> None:
    nameless = [made(rank, subject="") for rank in ASSIGNABLE if rank is not Rank.EVERYONE]
    assert first(*nameless, spot=Spot()) == "standard"


def test_the_latest_of_equals_counts_and_none_ends_it() -> None:
    old, new = made(Rank.SITE, 1, "old", hours=-2), made(Rank.SITE, 2, "new")
    assert first(old, new) == first(new, old) == "new"
    assert first(new, made(Rank.SITE, 3, None)) == "standard"
    assert first(new, made(Rank.SITE, 3, None), made(Rank.EVERYONE)) == "everyone"
    assert first(new, made(Rank.SITE, 3, "newer")) == "newer"


def test_what_holds_later_does_not_hold_now() -> None:
    assert first(made(Rank.SITE, 1, "now"), made(Rank.SITE, 2, "later", hours=1)) == "now"
    assert first(made(Rank.SITE, hours=0)) == "site"
