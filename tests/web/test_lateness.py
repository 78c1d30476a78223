"""When things happened by the station's clock, whatever that clock shows, and what of it was told late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from wattkeeper.charging.facts import Disconnected, Fact, SessionOpened, SessionUpdated, StatusChanged, TokenPresented
from wattkeeper.charging.station import ConnectorStatus
from wattkeeper.store.journal import Entry
from wattkeeper.web.lateness import Dated, dated

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def after(seconds: float) -> datetime:
    """An instant so many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


def came(*told: tuple[float, Fact]) -> list[Dated]:
    """Facts that came so many seconds after noon, dated."""
    entries = [
        Entry(n=n, kind=type(fact).__name__, station="CP1", session=None, at=fact.at, received_at=after(at), fact=fact)
        for n, (at, fact) in enumerate(told, 1)
    ]
    return dated(entries)


def free(at: float) -> StatusChanged:
    """A status at this second after noon of the station's clock."""
    return StatusChanged(at=after(at), evse=1, status=ConnectorStatus.AVAILABLE)


def step(at: float, offline: bool = False) -> SessionUpdated:
    """A step of a session."""
    return SessionUpdated(at=after(at), evse=1, offline=offline)


def test_what_has_no_time_stands_between_its_neighbours() -> None:
    tap = TokenPresented()
    whole_seconds = came((0, free(0)), (1.5, tap), (3.5, SessionOpened(at=after(1))))
    assert whole_seconds[1].happened_at == after(1)
    behind = came((0, free(-3600)), (10, tap), (20, step(-3580)))
    assert behind[1].happened_at == after(-3590)
    alone = came((5, tap))
    assert alone[0].happened_at == after(5)


def test_a_clock_that_hurries_places_by_the_nearest_neighbour() -> None:
    line = came((0, free(-36_000)), (60, TokenPresented()), (60.1, step(-32_400)), (90, step(-30_600)))
    assert abs(line[1].happened_at - after(-32_400)) < timedelta(seconds=1)
    assert [one.late_s for one in line] == [0, 0, 0, 0]


def test_what_the_station_was_offline_for_is_late_on_its_own_clock() -> None:
    line = came((0, free(-3600)), (10, Disconnected(reason="")), (20, step(-3000, True)), (20.1, step(-2400, True)))
    assert [one.late_s for one in line] == [0, 0, 600, 1]


def test_a_backlog_is_late_and_what_follows_it_is_not() -> None:
    line = came((0, step(0)), (3600, step(600)), (3601, step(1200)), (3602, step(3602)), (3700, step(3700)))
    assert [one.late_s for one in line] == [0, 3000, 2401, 0, 0]


def test_a_clock_ahead_makes_nothing_late() -> None:
    line = came((0, step(500)), (1, step(900)), (2, step(3000)))
    assert [one.late_s for one in line] == [0, 0, 0]
