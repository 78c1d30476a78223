"""What people do about sessions that wait: accept, correct, waive; no bill is changed, and much takes two people."""

from __future__ import annotations

from collections.abc import Awaitable
from decimal import Decimal
from typing import Any

import pytest

from tests.stories.till import ANNA, BERT, MAY, Till
from tests.stories.world import CARD, World, minute
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.money.usage import Known
from wattkeeper.charging.person import Role, Scope, Viewer
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.operations.money.bills import Done
from wattkeeper.store.money import proposal
from wattkeeper.store.money.proposal import Deed, Wish


@pytest.fixture
def engine() -> str:
    """The rules are the same on both; deeds are done on both in tests/web/test_bills.py."""
    return "sqlite"


@pytest.fixture
async def till(world: World) -> Till:
    """A world with a price, and one card."""
    made = Till(world)
    await made.price()
    await world.enroll()
    return made


async def doubtful(till: Till, wh: int = 10_000) -> None:
    """A session on a rollback, so that it waits: 10 kWh."""
    async with till.world.v16("CP1") as cp:
        tx = await cp.start(0, 1000)
        await cp.read(tx, 30, wh=1000 + wh)
        await cp.stop(tx, 60, 1000 + wh - 500)
    await till.look()
    assert await till.waits() == ["register_rollback"]


async def refused(deed: Awaitable[Done | object]) -> Code:
    """Why it was refused."""
    with pytest.raises(Refusal) as refusal:
        await deed
    return refusal.value.code


async def test_what_is_accepted_is_billed_as_the_station_told_it(till: Till) -> None:
    await doubtful(till)
    done = await till.do(Deed.ACCEPT, "")
    (bill,) = await till.bills()
    assert (done.number, bill.gross_minor, bill.by, bill.grade) == (bill.number, 600, ANNA.name, "disputed")
    (hold,) = await till.holds(all_of_them=True)
    assert (hold.state, hold.settled_by, hold.number) == ("accepted", ANNA.name, bill.number)
    assert [one.code for one in (await till.why(bill.number)).reasons] == ["register_rollback"]
    assert await refused(till.do(Deed.ACCEPT)) is Code.CONFLICT
    assert await till.look() == 0
    await till.check()


async def test_the_energy_is_corrected_and_priced_by_the_same_tariff(till: Till) -> None:
    await doubtful(till)
    await till.do(Deed.CORRECT, "The display showed 8 kWh.", energy_wh=Decimal(8000))
    (bill,) = await till.bills()
    assert (bill.gross_minor, bill.energy_wh, bill.reason) == (480, Decimal(8000), "The display showed 8 kWh.")
    why = await till.why(bill.number)
    assert {one.until_known for one in why.usage.intervals} == {Known.ESTIMATED}
    assert (why.told_minor, why.told_wh) == (600, Decimal(10_000))
    await till.check()


async def test_the_amount_is_corrected_by_a_line_with_its_tax(till: Till) -> None:
    await doubtful(till)
    await till.do(Deed.CORRECT, "As agreed on the phone.", gross_minor=450)
    (bill,) = await till.bills()
    assert (bill.net_minor, bill.vat_minor, bill.gross_minor) == (375, 75, 450)
    (extra,) = (await till.why(bill.number)).extra
    assert (extra.vat_percent, extra.net_minor, extra.vat_minor) == (Decimal(20), -125, -25)
    await till.check()


async def test_what_is_waived_is_not_billed_even_when_more_is_told(till: Till) -> None:
    await doubtful(till)
    assert (await till.do(Deed.WAIVE, "Goodwill.")).number is None
    async with till.world.v16("CP1") as cp:
        await cp.read(None, 15, wh=6000)
        await till.look()
        assert (await till.bills(), await till.holds()) == ([], []), "it comes to the same"
        await cp.read(None, 40, wh=16_000)
    await till.look()
    assert (await till.waits())[0] == "changed_after_waiving"
    await till.do(Deed.WAIVE, "Still.")
    assert (await till.bills(), await till.balance("owed:")) == ([], 0)
    await till.check()


async def test_a_bill_is_corrected_by_another_and_never_changed(till: Till) -> None:
    async with till.world.v16("CP1") as cp:
        await cp.stop(await cp.start(0, 0), 10, 10_000)
    await till.look()
    (first,) = await till.bills()
    await till.do(Deed.CORRECT, "The cable was faulty.", gross_minor=0)
    await till.do(Deed.CORRECT, "Not that faulty.", gross_minor=300)
    assert await till.amounts() == [("bill", 600), ("credit_note", -600), ("correction", 300)]
    assert await refused(till.do(Deed.CORRECT, gross_minor=300)) is Code.CONFLICT
    bills = await till.bills()
    assert bills[0] == first
    assert [one.corrects for one in bills[1:]] == [first.number] * 2
    assert await till.balance("owed:") == 300
    assert await till.look() == 0
    await till.check()


async def test_what_changed_after_billing_is_accepted_as_the_difference(till: Till) -> None:
    async with till.world.v16("CP1") as cp:
        tx = await cp.start(0, 1000)
        await cp.stop(tx, 10, 2000)
        await till.look()
        await cp.read(tx, 5, wh=3000)
    await till.look()
    await till.do(Deed.ACCEPT, "")
    assert await till.amounts() == [("bill", 60), ("correction", 60)]
    assert [one.energy_wh for one in await till.bills()] == [1000, 1000]
    assert (await till.look(), await till.holds()) == (0, [])
    await till.check()


async def test_what_changed_after_billing_may_be_left_as_it_was_billed(till: Till) -> None:
    async with till.world.v16("CP1") as cp:
        tx = await cp.start(0, 1000)
        await cp.stop(tx, 10, 2000)
        await till.look()
        await cp.read(tx, 5, wh=3000)
        await till.look()
        await till.do(Deed.WAIVE, "Our meter's fault.")
        await cp.read(tx, 6, wh=3000)
        await till.look()
        assert (await till.amounts(), await till.holds()) == ([("bill", 60)], [])
        await cp.read(tx, 4, wh=4000)
    await till.look()
    assert (await till.waits())[0] == "changed_after_billing"


# --- two people -------------------------------------------------------------------------------------------


async def proposed(till: Till, **wanted: Any) -> str:
    """Propose something above the limit; the proposal's id."""
    done = await till.do(Deed.CORRECT, "As the display said.", **wanted)
    assert done.number is None
    assert done.proposal is not None
    return done.proposal.id


async def test_above_the_limit_another_person_must_agree(till: Till) -> None:
    await doubtful(till, 100_000)
    (hold,) = await till.holds()
    assert hold.gross_minor == 6000
    identifier = await proposed(till, gross_minor=500)
    assert (await till.bills(), len(await till.holds())) == ([], 1)
    assert await refused(till.do(Deed.ACCEPT)) is Code.CONFLICT, "one thing at a time"
    program = Viewer("till", Role.SERVICE, MAY)
    reader = Viewer("a" + "3" * 16, Role.SUPPORT, frozenset({Scope.BILLS_READ}), account="a" + "3" * 16)
    for nobody in (ANNA, program, VIEWER, reader):
        assert await refused(till.deeds.agree(nobody, identifier)) is Code.FORBIDDEN, nobody.name
    number = (await till.deeds.agree(BERT, identifier)).number
    (bill,) = await till.bills()
    assert (bill.number, bill.gross_minor, bill.by) == (number, 500, ANNA.name)
    async with till.world.door.store.read() as connection:
        row = await proposal.one(connection, VIEWER, identifier)
    assert row is not None
    assert (row.state, row.created_by, row.settled_by, row.number) == ("agreed", ANNA.name, BERT.name, number)
    assert row.difference_minor == -5500
    assert await refused(till.deeds.agree(BERT, identifier)) is Code.CONFLICT
    await till.check()


@pytest.mark.parametrize(("limit", "gross", "takes_two"), [(100, 500, False), (99, 500, True), (0, 599, True)])
async def test_the_limit_is_what_is_changed(world: World, limit: int, gross: int, takes_two: bool) -> None:
    world.settings["four_eyes_minor"] = limit
    await world.restart()
    till = Till(world)
    await till.price()
    await world.enroll()
    await doubtful(till)
    done = await till.do(Deed.CORRECT, gross_minor=gross)
    assert (done.proposal is not None, done.number is None) == (takes_two, takes_two)


async def test_waiving_much_takes_two_and_accepting_as_told_takes_one(till: Till) -> None:
    await doubtful(till, 100_000)
    done = await till.do(Deed.WAIVE, "Goodwill.")
    assert done.proposal is not None
    await till.deeds.reject(ANNA, done.proposal.id)
    assert await refused(till.deeds.agree(BERT, done.proposal.id)) is Code.CONFLICT
    await till.do(Deed.ACCEPT, "")
    assert await till.amounts() == [("bill", 6000)]


async def test_nobody_agrees_to_what_has_changed_meanwhile(till: Till) -> None:
    await doubtful(till, 100_000)
    identifier = await proposed(till, gross_minor=500)
    async with till.world.v16("CP1") as cp:
        await cp.read(None, 40, wh=151_000)
    assert await refused(till.deeds.agree(BERT, identifier)) is Code.CONFLICT
    await till.look()
    assert await refused(till.deeds.agree(BERT, identifier)) is Code.CONFLICT
    await till.deeds.reject(BERT, identifier)
    assert len(await till.holds()) == 1


async def billed(till: Till, wh: int = 150_000) -> None:
    """A session that was billed: 90.00."""
    async with till.world.v16("CP1") as cp:
        await cp.stop(await cp.start(0, 0), 1440, wh)
    await till.look()


async def test_a_change_in_slices_takes_two_as_it_would_in_one_piece(till: Till) -> None:
    await billed(till)
    assert (await till.do(Deed.CORRECT, gross_minor=4000)).number is not None
    for wanted in (0, 3999, 4001, 9000):
        done = await till.do(Deed.CORRECT, gross_minor=wanted)
        assert (done.number, done.proposal is not None) == (None, True), wanted
        assert done.proposal is not None
        await till.deeds.reject(ANNA, done.proposal.id)
    identifier = await proposed(till, gross_minor=0)
    await till.deeds.agree(BERT, identifier)
    assert (await till.do(Deed.CORRECT, gross_minor=3000)).number is not None, "it counts anew from there"
    assert (await till.do(Deed.CORRECT, gross_minor=1000)).number is not None
    assert (await till.do(Deed.CORRECT, gross_minor=999)).proposal is not None
    assert [gross for _, gross in await till.amounts()] == [9000, -5000, -4000, 3000, -2000]
    await till.check()


async def test_what_was_corrected_before_it_was_billed_counts_too(till: Till) -> None:
    await doubtful(till, 100_000)
    assert (await till.do(Deed.CORRECT, gross_minor=2000)).number is not None
    assert (await till.do(Deed.CORRECT, gross_minor=999)).proposal is not None


async def test_what_was_waived_counts_too(till: Till) -> None:
    await doubtful(till, 60_000)
    await till.do(Deed.WAIVE, "Goodwill.")
    async with till.world.v16("CP1") as cp:
        await cp.read(None, 40, wh=66_000)
    await till.look()
    assert (await till.waits())[0] == "changed_after_waiving"
    assert (await till.do(Deed.CORRECT, gross_minor=0)).proposal is not None


async def test_nobody_agrees_where_something_else_waits_than_was_seen(till: Till) -> None:
    await billed(till)
    identifier = await proposed(till, gross_minor=0)
    async with till.world.v16("CP1") as cp:
        await cp.stop(await cp.start(0, 0), 1440, 190_000)
    assert await refused(till.deeds.agree(BERT, identifier)) is Code.CONFLICT
    await till.look()
    assert (await till.waits())[0] == "doubted_after_billing"
    assert await refused(till.deeds.agree(BERT, identifier)) is Code.CONFLICT
    assert (await till.amounts(), len(await till.holds())) == ([("bill", 9000)], 1)
    await till.deeds.reject(BERT, identifier)
    await till.deeds.agree(BERT, await proposed(till, gross_minor=0))
    assert (await till.amounts())[1:] == [("credit_note", -9000)]


async def test_a_program_changes_little_and_proposes_nothing(till: Till) -> None:
    await billed(till)
    program = Viewer("till", Role.SERVICE, MAY)
    assert (await till.do(Deed.CORRECT, viewer=program, gross_minor=8000)).number is not None
    assert await refused(till.do(Deed.CORRECT, viewer=program, gross_minor=3999)) is Code.FORBIDDEN
    assert (await till.do(Deed.CORRECT, gross_minor=3999)).proposal is not None, "nor does its owner go on from there"
    await till.check()


# --- refused ----------------------------------------------------------------------------------------------


async def test_what_makes_no_sense_is_refused(till: Till) -> None:
    await doubtful(till)
    wrong = [
        {"deed": Deed.WAIVE, "said": " "},
        {"deed": Deed.CORRECT, "said": "x"},
        {"deed": Deed.CORRECT, "said": "", "gross_minor": 1},
        {"deed": Deed.CORRECT, "said": "x", "gross_minor": 1, "energy_wh": Decimal(1)},
        {"deed": Deed.CORRECT, "said": "x", "gross_minor": -1},
        {"deed": Deed.CORRECT, "said": "x", "energy_wh": Decimal(10**9)},
        {"deed": Deed.ACCEPT, "said": "x", "gross_minor": 1},
        {"deed": Deed.ACCEPT, "said": "x\x00"},
        {"deed": Deed.ACCEPT, "said": "x" * 501},
    ]
    for told in wrong:
        assert await refused(till.do(**told)) is Code.INVALID, told  # type: ignore[arg-type]
    reader = Viewer("a" + "3" * 16, Role.SUPPORT, frozenset({Scope.BILLS_READ}), account="a" + "3" * 16)
    assert await refused(till.do(Deed.ACCEPT, viewer=reader)) is Code.FORBIDDEN
    assert await refused(till.deeds.do(ANNA, "K7QM4XRDT", Wish(deed=Deed.ACCEPT, said=""))) is Code.NOT_FOUND
    assert len(await till.holds()) == 1


async def test_what_runs_is_not_decided_yet(till: Till) -> None:
    async with till.world.v16("CP1") as cp:
        await cp.start(0, 0)
    assert await refused(till.do(Deed.ACCEPT)) is Code.CONFLICT
    assert (await till.world.the_session()).started_at == minute(0)


# --- an energy that nobody measured -------------------------------------------------------------------------


async def test_an_energy_is_billed_where_the_station_told_none(till: Till) -> None:
    async with till.world.v16("CP1") as cp:
        await cp.stop(4711, 10, 30_000)
    await till.look()
    assert "start_missing" in await till.waits()
    await till.do(Deed.CORRECT, "As the driver says: 5 kWh.", energy_wh=Decimal(5000))
    (bill,) = await till.bills()
    assert (bill.energy_wh, bill.gross_minor) == (Decimal(5000), 300)
    (stretch,) = (await till.why(bill.number)).usage.intervals
    assert (stretch.since, stretch.since_known, stretch.until_known) == (minute(10), Known.ESTIMATED, Known.ESTIMATED)
    await till.check()


async def test_an_energy_that_nobody_told_came_from_start_to_end(till: Till) -> None:
    async with till.world.v201("CP1") as cp:
        await cp.event("Started", "T", 0, 0, card=CARD)
        await cp.event("Ended", "T", 1, 60)
    await till.look()
    assert await till.waits() == ["no_register"]
    await till.do(Deed.CORRECT, "By the display: 5 kWh.", energy_wh=Decimal(5000))
    (bill,) = await till.bills()
    (stretch,) = (await till.why(bill.number)).usage.intervals
    assert (bill.gross_minor, stretch.power_w) == (300, Decimal(5000))
    assert (stretch.since, stretch.until) == (minute(0), minute(60))
    await till.check()
