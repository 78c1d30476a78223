"""C14: signed meter values. Only what the pinned meter signed, for this session, makes its evidence better.

What was changed, signed by another, told before or for another time is billed to nobody; what is required and missing
waits. The key comes from the registry and from nowhere else.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.test_c_money import billed_alone, waits_unbilled
from tests.meters import Meter, in_v16, in_v201
from tests.stories.conftest import a_world
from tests.stories.till import Till
from tests.stories.world import CARD, NOON, found, grade, minute
from wattkeeper.charging.evidence import Grade
from wattkeeper.charging.facts import SignaturesChecked
from wattkeeper.charging.money.numbered import Signed
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.operations.metering.meters import Meters
from wattkeeper.operations.money.billing import Billing
from wattkeeper.operations.money.papers.explaining import explained

OTHER = "04FFEEDDCCBBAA"
SINCE = NOON - timedelta(days=30)
NOW = NOON + timedelta(days=8)
"""When something is ruled that a station puts its start before."""


@pytest.fixture
async def till(database: str, tmp_path: Path) -> AsyncIterator[Till]:
    """A world with a price, 0.60 for a kWh with tax, and one card; in the end the books add up. On both engines."""
    async with a_world(database, tmp_path) as world:
        made = Till(world)
        await made.price()
        await world.enroll(max_sessions=100)
        await world.enroll(OTHER, max_sessions=100)
        yield made
        await made.check()


@pytest.fixture
def meter() -> Meter:
    """The meter of CP1."""
    return Meter()


def meters(till: Till) -> Meters:
    """The registry."""
    return Meters(till.world.door.store)


async def pin(till: Till, meter: Meter, station: str = "CP1", evse: int = 1, since: Any = SINCE) -> None:
    """Pin a meter's key, as somebody does with its paper in hand."""
    await meters(till).pin(VIEWER, station, evse, meter.serial, meter.key, since)


async def require(till: Till, evse: int = 0, is_required: bool = True, at: datetime = SINCE) -> None:
    """Rule that values of CP1 must be signed; it holds for what begins afterwards."""
    store = till.world.door.store
    store.clock = lambda: at
    await meters(till).require(VIEWER, "CP1", evse, is_required)
    store.clock = till.world.clock


async def charge16(till: Till, *texts: str, at: float = 0, wh: int = 10_000, card: str = CARD) -> None:
    """An hour of charging in the words of 1.6; the records come with the end."""
    async with till.world.v16("CP1") as cp:
        tx = await cp.start(at, 0, card=card)
        await cp.stop(tx, at + 60, wh, transactionData=[in_v16(text, at + 60) for text in texts])


async def charge201(till: Till, begin: str, end: str, key: str = "", tx: str = "T", at: float = 0) -> None:
    """An hour of charging in the words of 2.0.1; each edge brings its record."""
    async with till.world.v201("CP1") as cp:
        first = {"meterValue": [in_v201(begin, at, "Transaction.Begin", key)]} if begin else {}
        await cp.event("Started", tx, 0, at, card=CARD, more=first)
        more = {"meterValue": [in_v201(end, at + 60, "Transaction.End", key)]}
        await cp.event("Ended", tx, 1, at + 60, more=more)


async def charge_nowhere(till: Till, *texts: str, tx: str = "T", at: float = 0) -> None:
    """An hour of charging in the words of 2.0.1 by a station that never says at which EVSE; the end brings all."""
    told = [in_v201(text, at + 60, "Transaction.End") for text in texts if text]
    async with till.world.v201("CP1") as cp:
        await cp.event("Started", tx, 0, at, card=CARD, evse=None, wh=0, context="Transaction.Begin")
        more = {"meterValue": told} if told else {}
        plain: dict[str, Any] = {} if told else {"wh": 10_000, "context": "Transaction.End"}
        await cp.event("Ended", tx, 1, at + 60, evse=None, more=more, **plain)


async def charge201_backdated(till: Till, days: float, text: str = "") -> None:
    """An hour of charging that is told now and, says the station, began days ago."""
    at = (8 - days) * 1440
    till.world.clock.reach(NOW + timedelta(minutes=1))
    async with till.world.v201("CP1") as cp:
        await cp.event("Started", "T", 0, at, card=CARD, wh=0, context="Transaction.Begin")
        more = {"meterValue": [in_v201(text, at + 60, "Transaction.End")]} if text else {}
        plain: dict[str, Any] = {} if text else {"wh": 10_000, "context": "Transaction.End"}
        await cp.event("Ended", "T", 1, at + 60, more=more, **plain)


async def graded(till: Till) -> Grade:
    """The grade of the only session."""
    return grade(await till.world.the_session())


# --- what is as it should be ----------------------------------------------------------------------------------------


async def test_c14_what_the_pinned_meter_signed_is_verified_and_bills_itself(till: Till, meter: Meter) -> None:
    await pin(till, meter)
    await charge16(till, meter.whole())
    await billed_alone(till)
    one = await till.world.the_session()
    assert grade(one) is Grade.VERIFIED
    assert (one.signed.serial, one.signed.begin_wh, one.signed.end_wh) == ("M-0001", 2_935_600, 2_945_600)
    (bill,) = await till.bills()
    assert bill.grade is Grade.VERIFIED
    why = await till.why(bill.number)
    assert why.signed == Signed("M-0001", Decimal(2_935_600), Decimal(2_945_600), ("T17",))
    told = "The meter M-0001 signed 2\N{NARROW NO-BREAK SPACE}935.600 kWh at the beginning and "
    assert any(fact.startswith(told) for fact in explained(bill, why, UTC).facts)


async def test_c14_both_edges_apart_are_verified_in_either_dialect(till: Till, meter: Meter) -> None:
    await pin(till, meter)
    await require(till)
    begin, end = meter.sign(meter.payload(("B", 0, "10.00"))), meter.sign(meter.payload(("E", 60, "20.00")))
    await charge201(till, begin, end, meter.key)
    await till.look()
    assert await graded(till) is Grade.VERIFIED
    begin, end = meter.sign(meter.payload(("B", 120, "20.00"))), meter.sign(meter.payload(("E", 180, "30.00")))
    async with till.world.v16("CP1") as cp:
        tx = await cp.start(120, 0)
        await cp.say(
            "MeterValues",
            {"connectorId": 1, "transactionId": tx, "meterValue": [in_v16(begin, 120, "Transaction.Begin")]},
        )
        await cp.stop(tx, 180, 10_000, transactionData=[in_v16(end, 180)])
    await till.look()
    assert [grade(one) for one in await till.world.sessions()] == [Grade.VERIFIED] * 2
    assert await till.amounts() == [("bill", 600), ("bill", 600)]


async def test_c14_a_beginning_that_was_told_before_its_session_belongs_to_it(till: Till, meter: Meter) -> None:
    """Some 1.6 stations send the first signed value before they know the transaction."""
    await pin(till, meter)
    begin, end = meter.sign(meter.payload(("B", 0, "10.00"))), meter.sign(meter.payload(("E", 60, "20.00")))
    async with till.world.v16("CP1") as cp:
        first = {"connectorId": 1, "meterValue": [in_v16(begin, 0, "Transaction.Begin")]}
        await cp.say("MeterValues", first)
        tx = await cp.start(0, 0)
        await cp.stop(tx, 60, 10_000, transactionData=[in_v16(end, 60)])
    await till.look()
    assert await graded(till) is Grade.VERIFIED


async def test_c14_the_same_told_twice_is_still_the_same(till: Till, meter: Meter) -> None:
    await pin(till, meter)
    text = meter.whole()
    async with till.world.v16("CP1") as cp:
        tx = await cp.start(0, 0)
        for _ in range(2):
            await cp.stop(tx, 60, 10_000, transactionData=[in_v16(text, 60), in_v16(text, 60)])
    await billed_alone(till)
    assert await graded(till) is Grade.VERIFIED
    assert len(await till.world.door.facts(SignaturesChecked)) == 1


async def test_c14_without_a_pinned_key_nothing_is_better_or_worse(till: Till, meter: Meter) -> None:
    await charge16(till, meter.whole())
    await billed_alone(till)
    one = await till.world.the_session()
    assert grade(one) is Grade.MEASURED
    assert found(one)["signed_unchecked"] == {"unproven": "no_key"}


async def test_c14_a_key_pinned_for_then_is_checked_with_and_what_was_billed_stands(till: Till, meter: Meter) -> None:
    await charge16(till, meter.whole())
    await till.look()
    await pin(till, meter)
    await till.look()
    assert await graded(till) is Grade.VERIFIED
    assert await till.amounts() == [("bill", 600)]
    assert await till.holds() == []


# --- what was changed -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("was", "made"),
    [
        ("2945.600", "2945.601"),
        ("2945.600", "2945.6"),
        ("2945.600", "2945.6000"),
        ("2945.600", "2.945600e3"),
        ('"ST":"G"', '"ST": "G"'),
        ('"T17"', '"T18"'),
        ("M-0001", "M-0002"),
        ('"RD":', '"RD" :'),
        ('"ID":"04', '"ID":"05'),
        ('"FV":"1.0",', ""),
        ('"RD":[', '"RD":[['),
        ("|{", "{"),
    ],
)
async def test_c14_a_changed_byte_is_billed_to_nobody(till: Till, meter: Meter, was: str, made: str) -> None:
    """A number written anew in the same value is a changed byte too: the payload is never read and written again."""
    await pin(till, meter)
    text = meter.whole()
    assert was in text
    await charge16(till, text.replace(was, made, 1))
    await waits_unbilled(till, "signature_invalid")


async def test_c14_a_changed_signature_is_billed_to_nobody(till: Till, meter: Meter) -> None:
    await pin(till, meter)
    text = meter.whole()
    bit = "0" if text[-10] != "0" else "1"
    await charge16(till, text[:-10] + bit + text[-9:])
    await waits_unbilled(till, "signature_invalid")
    (words,) = await till.words()
    assert words.startswith("The signature of record T17 does not hold under the key of meter M-0001")


# --- who signed -----------------------------------------------------------------------------------------------------


async def test_c14_another_meter_s_signature_is_billed_to_nobody(till: Till, meter: Meter) -> None:
    other = Meter("M-0002")
    await pin(till, meter)
    await pin(till, other, "CP2")
    await charge16(till, other.whole())
    await waits_unbilled(till, "signature_foreign")
    assert "It is signed by meter M-0002." in (await till.words())[0]


async def test_c14_the_right_key_for_another_meter_s_number_is_billed_to_nobody(till: Till, meter: Meter) -> None:
    """One gateway may sign for several meters: the number in what was signed decides."""
    await pin(till, meter)
    meter.serial = "M-0009"
    await charge16(till, meter.whole())
    await waits_unbilled(till, "signature_foreign")


@pytest.mark.parametrize("dialect", ["1.6", "2.0.1"])
async def test_c14_a_key_inside_the_message_counts_for_nothing(till: Till, meter: Meter, dialect: str) -> None:
    """It is shown to people, to be compared with the paper; nothing is checked with it, and it is never pinned."""
    await pin(till, meter)
    thief = Meter(meter.serial)
    if dialect == "2.0.1":
        begin, end = thief.sign(thief.payload(("B", 0, "0.000"))), thief.sign(thief.payload(("E", 60, "10.000")))
        await charge201(till, begin, end, thief.key)
    else:
        inner = in_v201(thief.whole(), 60, key=thief.key)["sampledValue"][0]["signedMeterValue"]
        await charge16(till, json.dumps(inner))
    await till.look()
    assert await till.amounts() == []
    assert set(await till.waits()) == {"signature_foreign"}
    assert "only under a key that the message itself brought" in (await till.words())[0]
    assert [one.key for one in await meters(till).offered(VIEWER, "CP1")] == [thief.key]
    assert [one.key for one in await meters(till).keys(VIEWER, "CP1")] == [meter.key]


async def test_c14_a_key_inside_the_message_is_not_pinned_where_none_is(till: Till) -> None:
    thief = Meter()
    begin, end = thief.sign(thief.payload(("B", 0, "0.000"))), thief.sign(thief.payload(("E", 60, "10.000")))
    await charge201(till, begin, end, thief.key)
    await billed_alone(till)
    assert await graded(till) is Grade.MEASURED
    assert await meters(till).keys(VIEWER, "CP1") == []


async def test_c14_a_key_that_was_ended_holds_for_before_and_not_for_after(till: Till, meter: Meter) -> None:
    await pin(till, meter)
    await charge16(till, meter.whole())
    await till.look()
    new = Meter("M-0002")
    await pin(till, new, since=minute(61))
    await charge16(till, meter.sign(meter.payload(("B", 120, "1.000"), ("E", 180, "11.000"))), at=120)
    await till.look()
    assert [grade(one) for one in await till.world.sessions()] == [Grade.VERIFIED, Grade.DISPUTED]
    assert await till.waits() == ["signature_foreign"]
    held = await meters(till).keys(VIEWER, "CP1")
    assert [(one.serial, one.until) for one in held] == [("M-0002", None), ("M-0001", minute(61))]


# --- when, and for what ---------------------------------------------------------------------------------------------


async def test_c14_last_week_s_record_is_billed_to_nobody(till: Till, meter: Meter) -> None:
    """Also one that we never saw: it was signed for another time."""
    await pin(till, meter)
    await charge16(till, meter.sign(meter.payload(("B", -10_080, "0.000"), ("E", -10_020, "10.000"))))
    await waits_unbilled(till, "signed_out_of_time")


async def test_c14_a_record_told_in_another_session_is_billed_once(till: Till, meter: Meter) -> None:
    await pin(till, meter)
    text = meter.whole()
    await charge16(till, text)
    await billed_alone(till)
    await charge16(till, text, at=62)
    await till.look()
    assert len(await till.bills()) == 1
    assert await till.waits() == ["signature_replayed"]
    first, second = await till.world.sessions()
    assert found(second)["signature_replayed"]["entry"] == str(first.signed.seen[0].n)
    assert grade(first) is Grade.VERIFIED


async def test_c14_a_page_is_counted_once_whatever_it_says(till: Till, meter: Meter) -> None:
    """A meter never gives two records one number: one of two is not what it seems."""
    await pin(till, meter)
    await charge16(till, meter.whole())
    await till.look()
    meter.page -= 1
    await charge16(till, meter.sign(meter.payload(("B", 120, "1.000"), ("E", 180, "11.000"))), at=120)
    await till.look()
    assert await till.waits() == ["signature_replayed"]


async def test_c14_a_record_that_came_late_is_found_though_its_copy_was_looked_at_first(
    till: Till, meter: Meter
) -> None:
    """Who told it first keeps it, whichever session ended first."""
    await pin(till, meter)
    await pin(till, meter, "CP2")
    text = meter.whole()
    async with till.world.v16("CP1") as first, till.world.v16("CP2") as second:
        one = await first.start(0, 0)
        told = {"connectorId": 1, "transactionId": one, "meterValue": [in_v16(text, 1, "Transaction.Begin")]}
        await first.say("MeterValues", told)
        two = await second.start(0, 0, card=OTHER)
        await second.stop(two, 60, 10_000, transactionData=[in_v16(text, 60)])
        await till.look()
        await first.stop(one, 60, 10_000)
    await till.look()
    grades = {one.station: found(one).get("signature_replayed") for one in await till.world.sessions()}
    assert grades["CP1"] is None
    assert grades["CP2"] is not None


@pytest.mark.parametrize("wh", [9_000, 11_000, 9_980, 10_020])
async def test_c14_other_energy_than_was_signed_is_billed_to_nobody(till: Till, meter: Meter, wh: int) -> None:
    await pin(till, meter)
    await charge16(till, meter.whole(), wh=wh)
    await waits_unbilled(till, "signed_otherwise")
    assert f"delivered 10.00 kWh, by what the station told {wh / 1000:.2f} kWh; 12 Wh apart" in (await till.words())[0]


@pytest.mark.parametrize("wh", [9_990, 10_010])
async def test_c14_what_a_register_cannot_show_makes_no_difference(till: Till, meter: Meter, wh: int) -> None:
    await pin(till, meter)
    await charge16(till, meter.whole(), wh=wh)
    await till.look()
    assert await graded(till) is Grade.VERIFIED


@pytest.mark.parametrize(
    ("steps", "more", "code"),
    [
        ([("B", 0, "10.0"), ("E", 60, "20.0"), ("E", 61, "21.0")], {}, "signed_out_of_order"),
        ([("B", 0, "10.0"), ("B", 1, "11.0"), ("E", 60, "20.0")], {}, "signed_out_of_order"),
        ([("B", 0, "20.0"), ("E", 60, "10.0")], {}, "signed_out_of_order"),
        ([("E", 0, "20.0"), ("B", 60, "10.0")], {}, "signed_out_of_order"),
        ([("B", 0, "10.0"), ("E", 60, "20.0")], {"state": "M"}, "signed_fault"),
        ([("B", 0, "10.0"), ("E", 60, "20.0")], {"errors": "E"}, "signed_fault"),
        ([("B", 0, "10.0"), ("X", 30, "15.0"), ("E", 60, "20.0")], {}, "signed_fault"),
        ([("B", 0, "10.0"), ("E", 60, "20.0")], {"card": OTHER}, "signed_for_another"),
    ],
)
async def test_c14_records_that_do_not_fit_are_billed_to_nobody(
    till: Till, meter: Meter, steps: list[Any], more: dict[str, str], code: str
) -> None:
    await pin(till, meter)
    await charge16(till, meter.sign(meter.payload(*steps, **more)))
    await waits_unbilled(till, code)


async def test_c14_a_page_that_runs_backwards_is_billed_to_nobody(till: Till, meter: Meter) -> None:
    await pin(till, meter)
    end, begin = meter.sign(meter.payload(("E", 60, "20.0"))), meter.sign(meter.payload(("B", 0, "10.0")))
    await charge16(till, begin, end)
    await waits_unbilled(till, "signed_out_of_order")


# --- what is missing ------------------------------------------------------------------------------------------------

NOT_PROVEN: list[tuple[list[Any], dict[str, str], str]] = [
    ([("B", 0, "10.0")], {}, "no_end"),
    ([("E", 60, "20.0")], {}, "no_begin"),
    ([("C", 30, "20.0")], {}, "no_begin"),
    ([("B", 0, "10.0"), ("E", 60, "20.0")], {"clock": "U"}, "clock"),
    ([("B", 0, "10.0"), ("E", 60, "20.0")], {"register": "1-b:2.8.0"}, "no_begin"),
    ([("B", 0, "10.0"), ("E", 60, "20.0")], {"unit": "mOhm"}, "no_begin"),
]


@pytest.mark.parametrize("required", [False, True])
@pytest.mark.parametrize(("steps", "more", "why"), NOT_PROVEN)
async def test_c14_half_a_proof_is_none(
    till: Till, meter: Meter, steps: list[Any], more: dict[str, str], why: str, required: bool
) -> None:
    """Where it is not required the session is as good as without; where it is, it waits."""
    await pin(till, meter)
    if required:
        await require(till)
    await charge16(till, meter.sign(meter.payload(*steps, **more)))
    await till.look()
    one = await till.world.the_session()
    assert found(one)["signature_missing" if required else "signed_unchecked"] == {"unproven": why}
    assert await till.amounts() == ([] if required else [("bill", 600)])
    assert await till.waits() == (["signature_missing"] if required else [])
    assert grade(one) is (Grade.DISPUTED if required else Grade.MEASURED)


@pytest.mark.parametrize("pinned", [False, True])
@pytest.mark.parametrize("signed", [False, True])
async def test_c14_a_stripped_signature_waits_where_one_is_required(
    till: Till, meter: Meter, pinned: bool, signed: bool
) -> None:
    if pinned:
        await pin(till, meter)
    await require(till)
    await charge16(till, *([meter.whole()] if signed else []))
    await till.look()
    is_proven = pinned and signed
    assert await till.amounts() == ([("bill", 600)] if is_proven else [])
    assert await till.waits() == ([] if is_proven else ["signature_missing"])


async def test_c14_what_is_required_at_one_evse_is_not_at_another(till: Till) -> None:
    await require(till, evse=2)
    await charge16(till)
    await billed_alone(till)


@pytest.mark.parametrize("rule", [None, 0, 1])
@pytest.mark.parametrize("sent", ["nothing", "changed", "another's"])
async def test_c14_leaving_out_the_evse_gets_round_neither_key_nor_rule(
    till: Till, meter: Meter, rule: int | None, sent: str
) -> None:
    """Nobody is billed by a station that keeps from us where it charged, whatever it sends or does not."""
    await pin(till, meter)
    if rule is not None:
        await require(till, rule)
    text = meter.whole() if sent == "changed" else Meter("M-0002").whole()
    text = text.replace("2945.600", "2945.601") if sent == "changed" else text
    await charge_nowhere(till, "" if sent == "nothing" else text)
    await waits_unbilled(till, "signature_missing" if sent == "nothing" else "signature_invalid")


async def test_c14_leaving_out_the_evse_gets_round_no_rule_without_a_key(till: Till, meter: Meter) -> None:
    await require(till, 2)
    await charge_nowhere(till, meter.whole())
    await waits_unbilled(till, "signature_missing")


async def test_c14_a_rule_that_was_taken_back_binds_nobody_without_an_evse(till: Till) -> None:
    await require(till, 1)
    await require(till, 1, is_required=False)
    await charge_nowhere(till, "")
    await billed_alone(till)


@pytest.mark.parametrize("is_one_gateway", [False, True])
async def test_c14_without_an_evse_any_meter_of_the_station_may_sign_and_all_else_must_fit(
    till: Till, meter: Meter, is_one_gateway: bool
) -> None:
    """Also where one key signs for several meters: the number in what was signed says for which."""
    second = Meter("M-0002")
    if is_one_gateway:
        second.secret = meter.secret
    await pin(till, meter)
    await pin(till, second, evse=2)
    await require(till)
    await charge_nowhere(till, second.whole())
    await billed_alone(till)
    one = await till.world.the_session()
    assert (grade(one), one.signed.serial) == (Grade.VERIFIED, "M-0002")
    late = second.sign(second.payload(("B", 0, "2945.600"), ("E", 60, "2955.600")))
    await charge_nowhere(till, late, tx="U", at=120)
    await till.look()
    assert await till.waits() == ["signed_out_of_time"]


async def test_c14_two_meters_signatures_make_no_session_whose_evse_is_unknown(till: Till, meter: Meter) -> None:
    second = Meter("M-0002")
    await pin(till, meter)
    await pin(till, second, evse=2)
    await charge_nowhere(till, meter.whole(), second.whole())
    await waits_unbilled(till, "signature_foreign")


async def test_c14_a_key_pinned_later_is_tried_on_what_named_no_evse(till: Till, meter: Meter) -> None:
    await charge_nowhere(till, meter.whole())
    await till.look()
    assert await graded(till) is Grade.MEASURED
    await pin(till, meter)
    await till.look()
    assert await graded(till) is Grade.VERIFIED


@pytest.mark.parametrize("days", [0.01, 6.9])
async def test_c14_a_start_put_before_a_rule_is_bound_by_it(till: Till, days: float) -> None:
    """What counts is when we first heard of it: a station tells its starts as it likes."""
    await require(till, at=NOW)
    await charge201_backdated(till, days)
    await waits_unbilled(till, "signature_missing")


async def test_c14_a_start_put_before_a_key_is_checked_with_it(till: Till, meter: Meter) -> None:
    """Else whoever lost a key could go on signing with it, for the days before."""
    old = Meter("M-0000")
    await pin(till, old)
    till.world.clock.reach(NOW)
    await pin(till, meter, since=NOW)
    begin = 2 * 1440
    await charge201_backdated(till, 6, old.sign(old.payload(("B", begin, "10.00"), ("E", begin + 60, "20.00"))))
    await waits_unbilled(till, "signature_foreign")


@pytest.mark.parametrize(
    "text", ["garbage", "<signedMeterValue/>", "R0FSQkFHRQ==", "0102", '{"signedMeterData":"AAAA"}']
)
async def test_c14_a_form_that_nobody_here_can_check_is_not_called_valid(till: Till, meter: Meter, text: str) -> None:
    await pin(till, meter)
    await charge16(till, text)
    await till.look()
    assert found(await till.world.the_session())["signed_unchecked"] == {"unproven": "form"}
    assert await graded(till) is Grade.MEASURED


async def test_c14_a_curve_that_nobody_here_can_check_is_not_called_valid(till: Till, meter: Meter) -> None:
    key = "3046301006072A8648CE3D020106052B8104001F03320004" + "11" * 48
    await meters(till).pin(VIEWER, "CP1", 1, meter.serial, key, SINCE)
    await charge16(till, meter.whole())
    await till.look()
    assert found(await till.world.the_session())["signed_unchecked"] == {"unproven": "curve secp192k1"}
    assert await graded(till) is Grade.MEASURED


# --- while and after ------------------------------------------------------------------------------------------------


async def test_c14_nobody_is_billed_before_the_values_were_checked(till: Till, meter: Meter) -> None:
    await pin(till, meter)
    await charge16(till, meter.whole().replace("2945.600", "2945.601"))
    till.world.clock.skip(minutes=5)
    door = till.world.door
    await Billing(door.store, door.bus, door.settings).look()
    assert await till.bills() == []
    assert await till.holds() == []
    await waits_unbilled(till, "signature_invalid")


@pytest.mark.parametrize("pinned", [False, True])
async def test_c14_no_display_shows_a_total_that_a_signature_may_still_contradict(
    till: Till, meter: Meter, pinned: bool
) -> None:
    if pinned:
        await pin(till, meter)
    begin, end = meter.sign(meter.payload(("B", 0, "0.000"))), meter.sign(meter.payload(("E", 60, "10.000")))
    async with till.world.v201("CP1") as cp:
        first = {"meterValue": [in_v201(begin, 0, "Transaction.Begin")]}
        await cp.event("Started", "T", 0, 0, card=CARD, more=first)
        answer = await cp.event("Ended", "T", 1, 60, more={"meterValue": [in_v201(end, 60)]})
    assert answer.get("totalCost") == (None if pinned else 6.0)
    await billed_alone(till)


async def test_c14_a_bad_record_that_comes_late_doubts_the_bill(till: Till, meter: Meter) -> None:
    await pin(till, meter)
    text = meter.whole()
    async with till.world.v16("CP1") as cp:
        tx = await cp.start(0, 0)
        await cp.stop(tx, 60, 10_000, transactionData=[in_v16(text, 60)])
        await till.look()
        bad = in_v16(text.replace("2945.600", "2946.600"), 59, "Sample.Periodic")
        await cp.say("MeterValues", {"connectorId": 1, "transactionId": tx, "meterValue": [bad]})
    await till.look()
    assert await till.amounts() == [("bill", 600)]
    assert await till.waits() == ["doubted_after_billing", "signature_invalid"]


async def test_c14_thousands_of_records_hold_nobody_up(till: Till, meter: Meter) -> None:
    """What a hostile station sends is checked up to a measure, beside the door: its answer does not wait for that."""
    await pin(till, meter)
    junk = [in_v16(meter.whole().replace("G", "Q", 1), 60) for _ in range(600)]
    async with till.world.v16("CP1") as cp:
        await cp.stop(await cp.start(0, 0), 60, 10_000, transactionData=junk)
    await till.look()
    assert await till.amounts() == []
    assert "signature_invalid" in await till.waits()
