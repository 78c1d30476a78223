"""Energy, and what is found about it: never a silent correction."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from wattkeeper.charging.evidence import Grade, findings, grade, say
from wattkeeper.charging.facts import SessionEnded, SessionOpened
from wattkeeper.charging.meter import FindingCode, fold, gathered, merge
from wattkeeper.charging.reading import Context, Reading
from wattkeeper.charging.session import Session, follow, remeasure

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LIMIT = Decimal(22_000)
F = FindingCode


def at(
    minute: float, wh: float | str | None = None, power: float | None = None, context: Context = Context.PERIODIC
) -> Reading:
    """A reading so many minutes after noon."""
    return Reading(
        NOON + timedelta(minutes=minute),
        context,
        energy_wh=None if wh is None else Decimal(str(wh)),
        power_w=None if power is None else Decimal(str(power)),
    )


def session_of(*course: Reading, until: float | None = None) -> Session:
    """A session from noon with these readings, ended after so many minutes (at the last reading if not said)."""
    end = NOON + timedelta(minutes=until) if until is not None else course[-1].at
    one = Session(id="0" * 9, station="CP1", key="k", first_at=NOON, last_at=NOON, max_power_w=LIMIT)
    one = follow(one, SessionOpened(at=NOON, evse=1))
    one = follow(one, SessionEnded(at=end))
    return remeasure(one, gathered(course))


def codes(one: Session) -> set[FindingCode]:
    return {finding.code for finding in findings(one)}


def test_energy_is_what_the_register_rose_by() -> None:
    one = session_of(at(0, 1000), at(10, 2000.5), at(20, "3000.333"))
    assert one.energy_wh == Decimal("2000.333")
    assert not codes(one)
    assert grade(one) is Grade.MEASURED


@pytest.mark.parametrize(
    ("course", "code", "energy_wh"),
    [
        ([at(0, 1000), at(10, 4000), at(20, 3900), at(30, 5000)], F.REGISTER_ROLLBACK, 4000),
        ([at(0, 1000), at(10, 4000), at(20, 0), at(30, 1500)], F.REGISTER_RESET, 4500),
        ([at(0, 0), at(1, 1_234_567), at(20, 1_240_000)], F.ZERO_BASELINE, 1_240_000),
        ([at(0, 10), at(10, 2000), at(20, 26_008_333, context=Context.END)], F.LIFETIME_REGISTER, 26_008_323),
        ([at(0, 1000), at(5, 901_000), at(10, 902_000)], F.IMPLAUSIBLE_POWER, 901_000),
        ([at(0, 354, 9451), at(15, 356, 9451), at(30, 358, 9451), at(60, 363, 9451)], F.REGISTER_SCALE, 9),
        ([at(0, 0, 1000), at(15, 3000, 1000), at(30, 6000, 1000)], F.POWER_MISMATCH, 6000),
        ([at(0, 1000), at(10, 1060), at(11, 0), at(12, 1180), at(13, 1240)], F.REGISTER_RETURNED, 1300),
        ([at(0, 1000), at(10, "1.06"), at(11, "1.12"), at(12, 1240)], F.REGISTER_RETURNED, "1238.94"),
        ([at(0, 1000), at(1, -5), at(2, 1060), at(3, 1180)], F.REGISTER_ROLLBACK, 180),
        ([at(0, 1000), at(45, 4000), at(50, 4100)], F.GAP, 3100),
        ([at(0), at(10, power=7000)], F.NO_REGISTER, None),
        ([at(0), at(6, 1000), at(10, 2000)], F.BASELINE_LATE, 1000),
    ],
)
def test_each_oddity_is_a_finding_and_the_figure_is_what_was_told(
    course: list[Reading], code: FindingCode, energy_wh: int | str | None
) -> None:
    one = session_of(*course)
    assert code in codes(one)
    assert one.energy_wh == (None if energy_wh is None else Decimal(energy_wh))
    assert all(say(finding) for finding in findings(one))


def test_findings_say_their_figures() -> None:
    said = [say(finding) for finding in findings(session_of(at(0, 1000), at(10, 4000), at(20, 3900)))]
    assert said == ["The energy register went back from 4.00 kWh to 3.90 kWh; energy counts on from the higher."]


def test_zero_baseline_says_what_flowed_after_it() -> None:
    one = session_of(at(0, 0), at(1, 1_234_567), at(20, 1_240_000))
    finding = next(f for f in findings(one) if f.code is F.ZERO_BASELINE)
    assert finding.evidence["rise_after_wh"] == "5433"
    assert "5.43 kWh" in say(finding)


def test_readings_after_the_end_are_kept_and_not_counted() -> None:
    one = session_of(at(0, 1000), at(10, 2000), at(20, 9000), until=10)
    assert one.energy_wh == 1000
    assert one.after_end == 1
    assert F.READINGS_AFTER_END in codes(one)


def test_an_instant_told_twice_is_one_reading_whichever_came_first() -> None:
    one, other = at(0, 1000), replace(at(0, 1200, 7000), soc_percent=Decimal(50))
    assert merge(one, other) == merge(other, one)
    assert merge(one, other).energy_wh == 1200


def test_power_over_time_is_derived_from_current_and_voltage_where_it_is_not_told() -> None:
    course = [replace(at(m, 100 * m), current_l1_a=Decimal(10), voltage_l1_v=Decimal(230)) for m in range(3)]
    track = fold(course, LIMIT)
    assert track.peak_w == 2300
    assert track.integral_wh == Decimal("76.666")


def test_a_register_that_recovers_from_a_dip_is_no_leap() -> None:
    one = session_of(at(0, 1000), at(10, 4000), at(11, 1500), at(12, 4100))
    assert codes(one) == {F.REGISTER_ROLLBACK}
    assert one.energy_wh == 3100
