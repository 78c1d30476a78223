"""For all that stations may tell, in whichever order: outages of a port never overlap, and uptime is a share."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from wattkeeper.charging.facts import Connected, Disconnected, Fact, SessionOpened, StatusChanged
from wattkeeper.charging.station import ConnectorStatus, Version
from wattkeeper.charging.statistics.attempt import Stay, plug_ins
from wattkeeper.charging.statistics.uptime import Outage, Standing, Word, outages, word_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = 60

minutes = st.integers(0, HOUR)
evses, plugs = st.integers(0, 2), st.integers(1, 2)
facts: st.SearchStrategy[Fact] = st.one_of(
    st.builds(
        lambda m, e, c, s, r: StatusChanged(at=at(m), evse=e, connector=c, status=s, error=r),
        *(minutes, evses, plugs, st.sampled_from(ConnectorStatus), st.sampled_from([None, "GroundFailure"])),
    ),
    st.builds(lambda m, e: SessionOpened(at=at(m), evse=e or None), minutes, evses),
    st.builds(lambda m: Connected(at=at(m), version=Version.V16), minutes),
    st.builds(lambda m: Disconnected(at=at(m), reason=""), minutes),
)


def at(minute: int) -> datetime:
    """So many minutes into the hour."""
    return NOON + timedelta(minutes=minute)


def said(told: Sequence[Fact]) -> list[Word]:
    """What facts say, each told when it happened."""
    words = (word_of(n, fact.at or NOON, fact) for n, fact in enumerate(told, 1))
    return [word for word in words if word is not None]


def port_was_out(told: Sequence[Fact], evse: int, minute: int) -> bool:
    """Whether a port could not be used in a minute: read from the facts, for this minute alone."""
    heard = sorted(
        ((fact.at, n, fact) for n, fact in enumerate(told) if fact.at and fact.at <= at(minute)),
        key=lambda one: one[:2],
    )
    line, newest = True, {}
    for place, (_, _, fact) in enumerate(heard):
        match fact:
            case Connected():
                line = True
            case Disconnected():
                line = False
            case StatusChanged() if fact.status != "unknown":
                newest[fact.evse, fact.connector] = place, fact.status in ("faulted", "unavailable")
            case SessionOpened() if fact.evse:
                newest[fact.evse, 1] = place, False
    own = [one for (number, _), one in newest.items() if number == evse]
    in_use = max((place for place, is_out in own if not is_out), default=-1)
    whole = [place for (number, _), (place, is_out) in newest.items() if number == 0 and is_out]
    return bool(own) and (not line or in_use == -1 or any(place > in_use for place in whole))


@given(st.lists(facts, max_size=30), st.randoms())
def test_outages_never_overlap_and_agree_with_each_minute_by_itself(told: list[Fact], chance: object) -> None:
    words = said(told)
    found = list(outages(words, Standing()))
    chance.shuffle(words)  # type: ignore[attr-defined]
    assert list(outages(words, Standing())) == found
    for evse in (1, 2):
        own = sorted((one for one in found if one.evse == evse), key=lambda one: one.since)
        for one, then in itertools.pairwise(own):
            assert one.until is not None and one.since < one.until <= then.since
            assert one.is_over == (one.until < then.since or then.began == then.since)
        out = {minute for minute in range(HOUR + 1) if any(covers(one, minute) for one in own)}
        assert out == {minute for minute in range(HOUR + 1) if port_was_out(told, evse, minute)}
        assert len(out) <= HOUR + 1


def covers(one: Outage, minute: int) -> bool:
    """Whether an outage holds in a minute."""
    return one.since <= at(minute) and (one.until is None or at(minute) < one.until)


@given(st.lists(facts, max_size=30), minutes)
def test_outages_go_on_from_any_instant(told: list[Fact], cut: int) -> None:
    words = sorted(said(told))
    before, after = [w for w in words if w.at < at(cut)], [w for w in words if w.at >= at(cut)]
    standing = Standing()
    ended = [one for one in outages(before, standing) if one.until is not None]
    both = ended + list(outages(after, standing))
    assert sorted(both, key=key) == sorted(outages(words, Standing()), key=key)


def key(one: Outage) -> tuple[int, datetime]:
    """By port and beginning."""
    return one.evse, one.since


@given(st.lists(facts, max_size=30), st.lists(st.tuples(minutes, minutes, st.booleans()), max_size=6), st.randoms())
def test_plug_ins_of_a_port_never_touch(told: list[Fact], ran: list[tuple[int, int, bool]], chance: object) -> None:
    words = [word for word in said(told) if word.evse == 1]
    stays = [Stay(at(min(a, b)), at(max(a, b)), energy) for a, b, energy in ran]
    found = plug_ins(1, words, stays)
    chance.shuffle(words)  # type: ignore[attr-defined]
    chance.shuffle(stays)  # type: ignore[attr-defined]
    assert plug_ins(1, words, stays) == found
    for one, then in itertools.pairwise(found):
        assert one.until is not None and one.until < then.since
    for stay in stays:
        assert sum(one.since <= stay.since and (one.until is None or stay.since <= one.until) for one in found) == 1
