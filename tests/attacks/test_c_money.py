"""Group C where it touches money: whatever a station says, nobody pays for it before a person has looked.

Beside these: C1 tests/stories/test_foreign.py, C3 test_natural_keys.py and test_told_twice.py, C4, C5 and C11
test_stops.py, C6, C7, C8 and C10 test_findings.py, C10 also test_c_months.py, C13 test_connectors.py and test_cards.py,
C18 tests/web/test_tariffs.py, C21 test_c21_kill.py: what they say of sessions is said here of bills.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.stories.conftest import a_world
from tests.stories.till import Till, tariff
from tests.stories.world import CARD, NOON, grade
from wattkeeper.charging.evidence import Grade
from wattkeeper.charging.money.bill import price
from wattkeeper.charging.money.discrepancy import Gravity, Kind
from wattkeeper.charging.money.ledger import charge
from wattkeeper.charging.money.numbered import taxes_of
from wattkeeper.charging.money.usage import planned
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.operations.money.discrepancies import audit_sessions

OTHER = "04FFEEDDCCBBAA"


@pytest.fixture
def engine() -> str:
    """The rules are the same on both; tests/stories/test_billing.py bills on both."""
    return "sqlite"


@pytest.fixture
async def till(database: str, tmp_path: Path) -> AsyncIterator[Till]:
    """A world with a price, 0.60 for a kWh with tax, and one card; in the end the books add up."""
    async with a_world(database, tmp_path) as world:
        made = Till(world)
        await made.price()
        await world.enroll(max_sessions=100)
        yield made
        await made.check()


async def billed_alone(till: Till, gross_minor: int = 600) -> None:
    """There is one bill, of this amount, and nothing else was billed."""
    await till.look()
    assert await till.amounts() == [("bill", gross_minor)]


async def waits_unbilled(till: Till, *codes: str) -> None:
    """Nothing is billed, and one session waits for just these reasons."""
    await till.look()
    assert await till.amounts() == []
    assert await till.waits() == [*codes]


async def test_c1_another_station_changes_nothing_of_a_bill(till: Till) -> None:
    async with till.world.v16("CP1") as owner, till.world.v16("CP2") as thief:
        tx = await owner.start(0, 0)
        await thief.read(tx, 20, wh=90_000)
        await thief.stop(tx, 30, 99_999)
        await owner.stop(tx, 60, 10_000)
        await till.look()
        await thief.stop(tx, 70, 1)
    await billed_alone(till)
    assert {one.station for one in await till.holds()} <= {"CP2"}


async def test_c3_a_start_told_again_is_billed_once(till: Till) -> None:
    async with till.world.v16("CP1") as cp:
        tx = await cp.start(0, 0)
        assert await cp.start(0, 0) == tx
        await cp.stop(tx, 60, 10_000)
        await till.look()
        assert await cp.start(0, 0) == tx
        await cp.stop(tx, 60, 10_000)
    await billed_alone(till)
    assert await till.holds() == []


@pytest.mark.parametrize(("at", "meter"), [(60, 90_000), (120, 90_000), (30, 100)])
async def test_c4_a_second_stop_leaves_the_bill_as_it_is(till: Till, at: float, meter: int) -> None:
    async with till.world.v16("CP1") as cp:
        tx = await cp.start(0, 0)
        await cp.stop(tx, 60, 10_000)
        await till.look()
        (before,) = await till.bills()
        for _ in range(2):
            await cp.stop(tx, at, meter)
            await till.look()
    assert await till.bills() == [before]
    assert await till.waits() == ["doubted_after_billing", "end_conflict"]
    assert (await till.words())[0] == "After it was billed, something was told that speaks against it; €6.00 stand."


async def test_c5_a_stop_alone_is_never_billed(till: Till) -> None:
    async with till.world.v16("CP1") as cp:
        await cp.stop(4711, 10, 30_000)
    await till.look()
    assert await till.bills() == []
    assert "start_missing" in await till.waits()


async def test_c5_an_end_without_its_start_is_billed_once_the_gap_is_filled(till: Till) -> None:
    async with till.world.v201("CP1") as cp:
        await cp.event("Ended", "T", 2, 60, wh=10_000, context="Transaction.End")
        await till.look()
        assert await till.bills() == []
        assert "start_missing" in await till.waits()
        await cp.event("Updated", "T", 1, 30, wh=5000)
        await till.look()
        assert await till.bills() == []
        await cp.event("Started", "T", 0, 0, card=CARD, wh=0, context="Transaction.Begin")
    await billed_alone(till)
    assert await till.holds() == []


async def test_c6_a_stop_below_the_start_is_not_billed(till: Till) -> None:
    async with till.world.v16("CP1") as cp:
        await cp.stop(await cp.start(0, 10_000), 60, 9_000)
    await waits_unbilled(till, "register_rollback")


async def test_c6_energy_that_flows_back_is_not_paid_out(till: Till) -> None:
    async with till.world.v201("CP1") as cp:
        await cp.event("Started", "T", 0, 0, card=CARD)
        for seq, wh in ((1, 300), (2, -2000)):
            told: dict[str, Any] = {"Energy.Active.Import.Interval//Wh": wh}
            await cp.event("Updated", "T", seq, 10 * seq, **told)
        await cp.event("Ended", "T", 3, 60)
    await till.look()
    assert await till.bills() == []
    assert "from_intervals" in await till.waits()
    (hold,) = await till.holds()
    assert hold.gross_minor == 0


async def test_c7_more_than_a_connector_can_deliver_waits(till: Till) -> None:
    """900 kWh in five minutes."""
    async with till.world.v16("CP1") as cp:
        tx = await cp.start(0, 1000)
        await cp.read(tx, 5, wh=901_000)
        await cp.stop(tx, 10, 901_100)
    await waits_unbilled(till, "implausible_power")


async def test_c7_a_register_in_another_unit_waits(till: Till) -> None:
    """A thousand times what its own power comes to."""
    async with till.world.v16("CP1") as cp:
        tx = await cp.start(0, 0)
        for step in range(1, 5):
            await cp.read(tx, 15 * step, wh=2_750_000 * step, w=11)
        await cp.stop(tx, 61, 11_000_000)
    await till.look()
    assert await till.bills() == []
    assert len(await till.holds()) == 1


@pytest.mark.parametrize(("low", "code"), [(9_000, "register_rollback"), (0, "register_reset")])
async def test_c8_a_register_that_falls_waits(till: Till, low: int, code: str) -> None:
    async with till.world.v16("CP1") as cp:
        tx = await cp.start(0, 8_000)
        await cp.read(tx, 20, wh=10_000)
        await cp.read(tx, 40, wh=low)
        await cp.stop(tx, 60, low + 1000)
    await waits_unbilled(till, code)


@pytest.mark.parametrize("days", [-3650, -8])
async def test_c10_a_clock_that_is_far_behind_waits(till: Till, days: int) -> None:
    async with till.world.v16("CP1") as cp:
        begun = NOON + timedelta(days=days)
        await cp.stop(await cp.start(begun, 0), begun + timedelta(hours=1), 10_000)
    await waits_unbilled(till, "told_late", "nobody_to_bill")


@pytest.mark.parametrize("day", ["2026-03-01T12:20:00Z", "2036-03-01T12:00:00Z"])
async def test_c10_a_clock_that_runs_ahead_waits(till: Till, day: str) -> None:
    """By twenty minutes, by ten years."""
    async with till.world.v16("CP1") as cp:
        told = {"connectorId": 1, "idTag": CARD, "meterStart": 0, "timestamp": day}
        tx = (await cp.say("StartTransaction", told))["transactionId"]
        await cp.say(
            "StopTransaction", {"transactionId": tx, "meterStop": 10_000, "timestamp": day.replace(":00Z", ":30Z")}
        )
    await till.look()
    assert await till.bills() == []
    assert "clock_ahead" in await till.waits()


async def test_c10_no_clock_chooses_a_price_that_was_not_there_yet(till: Till) -> None:
    """A second before the price changes by the station's clock, and heard of then: the old price; later: the new."""
    await till.price(tariff("9.00"), now=True)
    changed = till.world.clock.now
    async with till.world.v16("CP1") as cp:
        for before_s, meter in ((1, 0), (-1, 1000)):
            at = changed - timedelta(seconds=before_s)
            await cp.stop(await cp.start(at, meter), at + timedelta(minutes=10), meter + 1000)
        ahead = changed - timedelta(days=10)
        await cp.stop(await cp.start(ahead, 2000), ahead + timedelta(minutes=10), 3000)
    await till.look()
    assert await till.amounts() == [("bill", 60), ("bill", 1080)]
    (hold,) = await till.holds()
    assert (hold.gross_minor, hold.reasons[0].code) == (1080, "told_late"), "what is too old is priced as heard"


async def test_c10_an_offline_backlog_is_billed_by_the_day_it_was(till: Till) -> None:
    before = till.world.clock.now
    await till.price(tariff("9.00"), now=True)
    till.world.clock.skip(days=3)
    async with till.world.v16("CP1") as cp:
        at = before - timedelta(hours=3)
        await cp.stop(await cp.start(at, 0), at + timedelta(hours=1), 10_000)
    await till.look()
    assert [one.code for hold in await till.holds() for one in hold.reasons] == ["nobody_to_bill"], "enrolled since"
    async with till.world.v16("CP1") as cp:
        at = before + timedelta(days=1)
        await cp.stop(await cp.start(at, 10_000), at + timedelta(hours=1), 20_000)
    await till.look()
    assert await till.amounts() == [("bill", 10_800)]


async def test_c11_readings_after_the_stop_or_of_another_connector_cost_nothing(till: Till) -> None:
    async with till.world.v16("CP1") as cp:
        tx = await cp.start(0, 0)
        await cp.read(tx, 30, wh=80_000, connector=2)
        await cp.stop(tx, 60, 10_000)
        await cp.read(tx, 61, wh=20_000)
        await till.look()
        await cp.read(tx, 62, wh=30_000)
    await billed_alone(till)
    assert await till.holds() == []


async def test_c13_what_began_where_another_session_ran_leaves_the_first_to_a_person(till: Till) -> None:
    await till.world.enroll(OTHER)
    async with till.world.v16("CP1") as cp:
        tx = await cp.start(0, 0)
        await cp.read(tx, 10, wh=2000)
        other = await cp.start(20, 3000, card=OTHER)
        await cp.stop(other, 30, 4000)
    await till.look()
    assert await till.amounts() == [("bill", 60)]
    assert await till.waits() == ["end_estimated"]


@pytest.mark.parametrize("signed", ["OCMF|{}|{}", 'OCMF|{"RD":[{"RV":99}]}|{"SD":"00"}', "garbage", ""])
async def test_c14_a_signature_that_nobody_checked_makes_nothing_truer(till: Till, signed: str) -> None:
    """No meter's key is pinned, so none is believed: the registers are billed, as measured and never as verified.

    What a pinned key makes of it: test_c14_signed.py.
    """
    sample = {"value": signed, "format": "SignedData", "context": "Transaction.End"}
    data = [{"timestamp": "2026-03-01T13:00:00Z", "sampledValue": [sample, {"value": "10000"}]}]
    async with till.world.v16("CP1") as cp:
        await cp.stop(await cp.start(0, 0), 60, 10_000, transactionData=data)
    await till.look()
    assert all(bill.grade is Grade.MEASURED and bill.gross_minor == 600 for bill in await till.bills())
    assert len(await till.bills()) + len(await till.holds()) == 1


async def test_c16_a_price_told_by_a_station_is_not_money(till: Till) -> None:
    told = '{"totalCost": 0.01, "currency": "EUR", "settlement": "paid"}'
    async with till.world.v16("CP1") as cp:
        tx = await cp.start(0, 0)
        await cp.station.call("DataTransfer", {"vendorId": "org.openchargealliance.costmsg", "data": told})
        await cp.station.call(
            "NotifySettlement", {"transactionId": str(tx), "status": "Settled", "settlementAmount": 0}
        )
        await cp.stop(tx, 60, 10_000)
    await billed_alone(till)


async def test_c16_a_cost_in_an_event_of_v201_is_not_money(till: Till) -> None:
    async with till.world.v201("CP1") as cp:
        await cp.event("Started", "T", 0, 0, card=CARD, wh=0, context="Transaction.Begin", more={"totalCost": 0.01})
        data = {"vendorId": "x", "data": {"totalCost": 0.01}}
        await cp.station.call("DataTransfer", data)
        await cp.event("Ended", "T", 1, 60, wh=10_000, context="Transaction.End", more={"totalCost": 0.01})
    await till.look()
    told = await till.amounts() or [("waits", hold.gross_minor) for hold in await till.holds()]
    assert [amount for _, amount in told] == [600]


async def test_c17_a_state_of_charge_that_leaps_costs_nothing(till: Till) -> None:
    async with till.world.v16("CP1") as cp:
        tx = await cp.start(0, 0)
        for minute, soc in ((15, 10), (30, 100), (45, 1)):
            await cp.read(tx, minute, wh=minute * 10_000 // 60, soc=soc)
        await cp.stop(tx, 60, 10_000)
    await billed_alone(till)


async def test_c18_a_bill_is_by_the_price_of_its_start(till: Till) -> None:
    async with till.world.v16("CP1") as cp:
        tx = await cp.start(0, 0)
        await cp.read(tx, 30, wh=5000)
        await till.price(tariff("9.00"), now=True)
        await cp.stop(tx, 60, 10_000)
    await billed_alone(till)
    (bill,) = await till.bills()
    assert (bill.tariff, bill.version) == ("standard", 1)


def test_c18_ten_thousand_sessions_of_less_than_half_a_cent_lose_no_cent() -> None:
    """Each is rounded once and for good: what is owed is the sum of the lines, and of what was sold and its tax."""
    mini, booked, lines = tariff("0.40"), Counter[str](), 0
    for number in range(10_000):
        bill = price(planned(NOON, Decimal(1 + number % 30), Decimal(60)), mini)
        lines += sum(line.gross_minor for line in bill.lines)
        taxes = [(tax.vat_percent, tax.vat_minor) for tax in taxes_of(bill)]
        for line in charge("p", "s", "EUR", bill.net_minor, taxes):
            assert type(line.amount_minor) is int
            booked[line.account] += line.amount_minor
    assert booked["owed:p"] == lines == -booked["sales:s"] - booked["vat:20"]
    assert lines == sum(1 for number in range(10_000) if (1 + number % 30) * 48 >= 500)


@pytest.mark.parametrize("told", [{}, {"wh": 1000}])
async def test_c6_an_end_without_a_register_waits_instead_of_being_free(till: Till, told: dict[str, Any]) -> None:
    async with till.world.v201("CP1") as cp:
        await cp.event("Started", "T", 0, 0, card=CARD, wh=1000, context="Transaction.Begin", state="Charging")
        await cp.event("Updated", "T", 1, 30, state="Charging", **told)
        await cp.event("Ended", "T", 2, 60)
        await waits_unbilled(till, "end_unread")
        assert grade(await till.world.the_session()) is Grade.RECONSTRUCTED
        (said,) = await till.words()
        assert said.startswith("At the end no register was told. It was last read ")
        await cp.event("Started", "U", 0, 90, card=CARD, wh=51_000, context="Transaction.Begin")
        await cp.event("Ended", "U", 1, 120, wh=52_000, context="Transaction.End")
    await till.look()
    assert await till.amounts() == [("bill", 60)]
    found = (await audit_sessions(till.world.door.store, VIEWER)).found
    (rose,) = [one for one in found if one.kind is Kind.UNPAID_ENERGY]
    assert (rose.energy_wh, rose.gravity) == (Decimal(50_000), Gravity.GRAVE)
    assert "no register was told at its end" in str(rose.words)


async def test_c6_a_register_that_stood_still_to_the_end_is_free(till: Till) -> None:
    async with till.world.v201("CP1") as cp:
        await cp.event("Started", "T", 0, 0, card=CARD, wh=1000, context="Transaction.Begin", state="Charging")
        await cp.event("Ended", "T", 1, 60, wh=1000, context="Transaction.End")
    await till.look()
    assert (await till.amounts(), await till.waits()) == ([], [])


async def test_c6_an_end_whose_register_comes_late_bills_itself(till: Till) -> None:
    async with till.world.v201("CP1") as cp:
        await cp.event("Started", "T", 0, 0, card=CARD, wh=1000, context="Transaction.Begin", state="Charging")
        await cp.event("Ended", "T", 1, 60)
        await waits_unbilled(till, "end_unread")
        await cp.event("Ended", "T", 1, 60, wh=11_000, context="Transaction.End")
    await billed_alone(till)
    assert await till.holds() == []
