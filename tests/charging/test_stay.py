"""What stations say beside their meters: pauses of their own, and how long a car stays after its session."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from wattkeeper.charging.facts import (
    Booted,
    ChargingState,
    Disconnected,
    Fact,
    SessionEnded,
    SessionOpened,
    SessionUpdated,
    StatusChanged,
)
from wattkeeper.charging.money.stay import GONE, Pause, Stay, pauses, stay_after
from wattkeeper.charging.session import Session, follow
from wattkeeper.charging.station import ConnectorStatus as C

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(minute: int) -> datetime:
    """So many minutes after noon."""
    return NOON + timedelta(minutes=minute)


def says(minute: int, status: C, evse: int = 1, connector: int = 1) -> StatusChanged:
    """A connector changed."""
    return StatusChanged(at=at(minute), evse=evse, connector=connector, status=status)


def flows(minute: int, state: ChargingState, seq: int) -> SessionUpdated:
    """What flows, in the words of 2.x."""
    return SessionUpdated(at=at(minute), ref="T", seq=seq, charging=state)


S = ChargingState


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([], ()),
        ([says(5, C.CHARGING), says(9, C.SUSPENDED_EV)], ()),
        ([says(5, C.SUSPENDED_EVSE), says(7, C.SUSPENDED_EVSE), says(9, C.CHARGING)], (Pause(at(5), at(9)),)),
        ([says(5, C.SUSPENDED_EVSE), says(7, C.FAULTED)], (Pause(at(5), None),)),
        ([flows(5, S.SUSPENDED_EVSE, 3), flows(5, S.CHARGING, 4)], (Pause(at(5), at(5)),)),
        (
            [flows(5, S.SUSPENDED_EVSE, 3), flows(8, S.EV_CONNECTED, 4), flows(9, S.SUSPENDED_EVSE, 5)],
            (Pause(at(5), at(8)), Pause(at(9), None)),
        ),
    ],
)
def test_pauses_are_told_in_any_order(told: list[Fact], expected: tuple[Pause, ...]) -> None:
    for order in permutations(told):
        assert pauses(order) == expected


def ended(minute: int | None = 60) -> Session:
    """A session at connector 1 of EVSE 1."""
    one = Session(id="0" * 9, station="CP1", key="k", first_at=NOON, last_at=NOON)
    one = follow(one, SessionOpened(at=NOON, evse=1, connector=1))
    return one if minute is None else follow(one, SessionEnded(at=at(minute)))


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([], GONE),
        ([says(0, C.CHARGING)], Stay(None, True)),
        ([says(0, C.CHARGING), says(75, C.AVAILABLE)], Stay(at(75))),
        ([says(0, C.CHARGING), says(61, C.FINISHING), says(75, C.AVAILABLE), says(80, C.PREPARING)], Stay(at(75))),
        ([says(0, C.CHARGING), says(60, C.AVAILABLE), says(80, C.PREPARING), says(90, C.AVAILABLE)], GONE),
        ([says(0, C.CHARGING), says(61, C.UNKNOWN), says(75, C.AVAILABLE)], Stay(at(75))),
        ([says(0, C.CHARGING), says(70, C.FAULTED), says(75, C.AVAILABLE)], Stay(at(70))),
        ([says(0, C.CHARGING), says(70, C.AVAILABLE, evse=2), says(75, C.AVAILABLE)], Stay(at(75))),
        ([says(0, C.CHARGING), says(70, C.AVAILABLE, connector=2), says(75, C.AVAILABLE)], Stay(at(75))),
        ([says(0, C.CHARGING), SessionOpened(at=at(66), evse=2), SessionOpened(at=at(70), evse=1)], Stay(at(70))),
        ([says(0, C.CHARGING), Disconnected(at=at(30), reason="x"), Disconnected(at=at(63), reason="x")], Stay(at(63))),
        ([says(0, C.CHARGING), Booted(at=at(64), vendor="v", model="m"), says(65, C.AVAILABLE)], Stay(at(64))),
        ([says(70, C.FINISHING), says(75, C.AVAILABLE)], GONE),
    ],
)
def test_a_car_stays_until_nobody_can_know_any_more(told: list[Fact], expected: Stay) -> None:
    assert stay_after(ended(), told) == stay_after(ended(), told[::-1]) == expected


def test_a_car_in_a_session_has_not_stayed_after_it() -> None:
    assert stay_after(ended(None), [says(0, C.CHARGING), says(75, C.AVAILABLE)]) == GONE
