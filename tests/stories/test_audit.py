"""What does not fit together is named: stations tell of sessions, the audit says what is wrong with them."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import update

from tests.stories.test_billing import charged
from tests.stories.till import ANNA, TWENTY, Till
from tests.stories.world import NOON, World, minute
from tests.test_command_line import run
from wattkeeper.charging.errors import Refusal
from wattkeeper.charging.money.discrepancy import Discrepancy, Gravity, Kind
from wattkeeper.charging.money.tariffs.tariff import Component, Dimension, Element, Tariff
from wattkeeper.charging.person import Role, Scope, Viewer
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.operations.money.discrepancies import SessionsAudit, audit_sessions
from wattkeeper.store.money.discrepancy import Period
from wattkeeper.store.money.proposal import Deed
from wattkeeper.store.tables import pin

ALL = Period()
FLAT = Tariff("EUR", (Element((Component(Dimension.FLAT, Decimal("1.50"), TWENTY),)),))
"""So much for each session."""


@pytest.fixture
async def till(world: World) -> Till:
    """A world with a price, and one card."""
    made = Till(world)
    await made.price()
    await world.enroll()
    return made


async def audited(world: World, period: Period = ALL, most: int = 1000) -> SessionsAudit:
    """Everything that the audit finds."""
    return await audit_sessions(world.door.store, VIEWER, period, most)


async def the_one(world: World) -> Discrepancy:
    """The only thing that it finds."""
    (one,) = (await audited(world)).found
    return one


async def test_what_fits_together_is_left_alone(till: Till) -> None:
    await charged(till.world)
    await charged(till.world, at=70, meter=10_050)
    await till.look()
    found = await audited(till.world)
    assert (found.sessions, found.count, found.grave) == (2, 0, 0)


async def test_energy_between_two_sessions_that_nobody_paid_for(till: Till) -> None:
    await charged(till.world)
    await charged(till.world, at=70, meter=12_500)
    async with till.world.v16("CP2") as cp:
        await cp.stop(await cp.start(140, 90_000, connector=2), 150, 91_000)
        await cp.stop(await cp.start(160, 91_400, connector=2), 170, 92_000)
    found = await audited(till.world)
    first, second, _, other = [one.id for one in await till.world.sessions()]
    assert [(one.kind, one.gravity, one.station, one.evse, one.session, one.energy_wh) for one in found.found] == [
        (Kind.UNPAID_ENERGY, Gravity.GRAVE, "CP1", 1, second, Decimal(2_500)),
        (Kind.UNPAID_ENERGY, Gravity.DOUBT, "CP2", 2, other, Decimal(400)),
    ]
    assert found.found[0].other == first
    assert "the register rose by 2.50 kWh without a session" in found.found[0].words
    assert found.totals[Kind.UNPAID_ENERGY].energy_wh == 2_900


async def test_the_last_session_before_a_period_counts_for_its_first(till: Till) -> None:
    await charged(till.world)
    await charged(till.world, at=70, meter=12_500)
    found = await audited(till.world, Period(since=minute(65)))
    assert (found.sessions, [one.kind for one in found.found]) == (1, [Kind.UNPAID_ENERGY])
    assert (await audited(till.world, Period(until=minute(65)))).count == 0
    assert (await audited(till.world, Period(site="Elsewhere"))).sessions == 0


async def test_energy_that_two_sessions_count(till: Till) -> None:
    await charged(till.world)
    await charged(till.world, at=70, meter=8_000)
    await till.look()
    one = await the_one(till.world)
    assert (one.kind, one.gravity, one.energy_wh) == (Kind.ENERGY_TWICE, Gravity.GRAVE, Decimal(2_000))


async def test_a_register_that_counts_each_session_from_nought_is_no_energy_twice(till: Till) -> None:
    await charged(till.world)
    await charged(till.world, at=70)
    assert (await audited(till.world)).found == []


async def test_sessions_that_run_at_one_connector_at_once(till: Till) -> None:
    async with till.world.v16("CP1") as cp:
        await cp.stop(await cp.start(0, 0), 60, 5_000)
        await cp.stop(await cp.start(50, 5_000), 90, 9_000)
    one = await the_one(till.world)
    first, second = await till.world.sessions()
    assert (one.kind, one.gravity, one.session, one.other) == (Kind.OVERLAP, Gravity.DOUBT, second.id, first.id)
    assert "they share 10 min" in one.words
    await till.look()
    assert (await the_one(till.world)).gravity is Gravity.GRAVE


async def test_a_session_without_energy_that_costs(world: World) -> None:
    till = Till(world)
    await till.price(FLAT)
    await world.enroll()
    async with world.v16("CP1") as cp:
        await cp.stop(await cp.start(0, 500), 60, 500)
    assert (await audited(world)).found == []
    await till.look()
    one = await the_one(world)
    waits = (await till.holds())[0].gross_minor
    assert (one.kind, one.gravity, one.amount_minor) == (Kind.COSTS_WITHOUT_ENERGY, Gravity.DOUBT, waits)
    await till.do(Deed.ACCEPT)
    one = await the_one(world)
    assert (one.gravity, one.amount_minor, one.currency) == (Gravity.NOTE, waits, "EUR")
    assert one.words == f"It was billed €{waits / 100:.2f}, though no energy flowed."


async def test_register_and_power_that_contradict(till: Till) -> None:
    async with till.world.v16("CP1") as cp:
        tx = await cp.start(0, 0)
        for part in range(1, 5):
            await cp.read(tx, part * 15, wh=part * 500, w=7_000)
        await cp.stop(tx, 61, 2_000)
    one = await the_one(till.world)
    assert (one.kind, one.gravity, one.energy_wh) == (Kind.REGISTER_UNLIKE_POWER, Gravity.DOUBT, Decimal(3_750))


async def test_more_than_the_connector_can_deliver(till: Till) -> None:
    async with till.world.v16("CP1") as cp:
        await cp.stop(await cp.start(0, 0), 10, 200_000)
        tx = await cp.start(20, 200_000)
        await cp.stop(tx, 30, 210_000)
    one = await the_one(till.world)
    assert (one.kind, one.energy_wh) == (Kind.BEYOND_CONNECTOR, Decimal(200_000))


async def test_summed_intervals_that_are_more_than_the_connector_can_deliver(till: Till) -> None:
    async with till.world.v201("CP1") as cp:
        await cp.event("Started", "t1", 0, 0, card="04A1B2C3D4E5F6", trigger="Authorized")
        interval: dict[str, Any] = {"Energy.Active.Import.Interval//Wh": 90_000}
        await cp.event("Updated", "t1", 1, 5, **interval)
        await cp.event("Ended", "t1", 2, 10, trigger="StopAuthorized", **interval)
    one = await the_one(till.world)
    assert one.kind is Kind.BEYOND_CONNECTOR
    assert one.words.startswith("It delivered 180.00 kWh in 10 min; the connector can deliver")


async def test_a_year_in_which_it_cannot_have_been(till: Till) -> None:
    async with till.world.v16("CP1") as cp:
        await cp.stop(await cp.start("2000-01-01T00:01:17Z", 0), "2000-01-01T01:01:17Z", 5_610)
    one = await the_one(till.world)
    assert (one.kind, one.gravity, one.at.year) == (Kind.IMPLAUSIBLE_YEAR, Gravity.DOUBT, 2000)
    assert one.words == "The station says that it was in the year 2000; we heard of it in 2026."
    assert (await audited(till.world, Period(since=NOON - timedelta(days=1)))).count == 1, "it counts for when we heard"
    assert (await audited(till.world, Period(since=NOON + timedelta(days=1)))).sessions == 0


async def test_a_year_that_nobody_can_mean(till: Till) -> None:
    async with till.world.v16("CP1") as cp:
        tx = await cp.start("0014-11-18T15:01:17Z", 0)
        till.world.clock.skip(hours=3)
        await cp.stop(tx, "0014-11-18T18:26:04Z", 5_610)
    one = await the_one(till.world)
    assert (one.kind, one.at.year) == (Kind.IMPLAUSIBLE_YEAR, 2026)
    assert one.words.startswith("The station told a year before 1970")


async def test_a_station_that_tells_another_cost(till: Till) -> None:
    async with till.world.v201("CP1") as cp:
        for number, cost in enumerate((6.00, 6.50)):
            at = number * 70
            meter: dict[str, Any] = {"context": "Transaction.Begin", "wh": number * 10_000}
            await cp.event("Started", f"t{number}", 0, at, card="04A1B2C3D4E5F6", trigger="Authorized", **meter)
            told = {"costDetails": {"totalCost": {"currency": "EUR", "total": {"exclTax": 5.0, "inclTax": cost}}}}
            meter = {"context": "Transaction.End", "wh": (number + 1) * 10_000}
            await cp.event("Ended", f"t{number}", 1, at + 60, trigger="StopAuthorized", more=told, **meter)
    await till.look()
    assert [bill.gross_minor for bill in await till.bills()] == [600, 600]
    one = await the_one(till.world)
    assert (one.kind, one.gravity, one.amount_minor) == (Kind.STATION_TOLD_OTHER_COST, Gravity.GRAVE, 50)
    assert one.words == "The station says that it cost €6.50; by its price here it comes to €6.00."


async def test_two_prices_for_one_session(till: Till) -> None:
    await charged(till.world)
    await till.look()
    async with till.world.door.store.unit() as unit:
        await unit.connection.execute(update(pin).values(version=7))
    one = await the_one(till.world)
    assert (one.kind, one.gravity, one.amount_minor) == (Kind.TWO_PRICES, Gravity.GRAVE, 600)
    assert one.words == "It stands under more than one price: standard 1 EUR, standard 7."


async def test_what_a_person_accepted_is_no_longer_grave(till: Till) -> None:
    async with till.world.v16("CP1") as cp:
        await cp.stop(await cp.start(0, 0), 10, 200_000)
    await till.look()
    await till.do(Deed.ACCEPT)
    assert (await the_one(till.world)).gravity is Gravity.NOTE


async def test_all_are_counted_though_few_are_told(till: Till) -> None:
    for number in range(4):
        await charged(till.world, at=number * 70, meter=number * 20_000)
    found = await audited(till.world, most=1)
    assert (len(found.found), found.count, found.totals[Kind.UNPAID_ENERGY].count) == (1, 3, 3)


async def test_nobody_looks_who_may_not_see_both_sessions_and_bills(till: Till) -> None:
    for scope in (Scope.SESSIONS_READ, Scope.BILLS_READ):
        for viewer in (
            Viewer("x", Role.SERVICE, frozenset({scope})),
            Viewer("x", Role.DRIVER, own=frozenset({Scope.SESSIONS_READ, Scope.BILLS_READ}), person="p"),
        ):
            with pytest.raises(Refusal):
                await audit_sessions(till.world.door.store, viewer)
    assert ANNA.may(Scope.BILLS_READ)


async def command(world: World, *arguments: str) -> tuple[int, str, str]:
    """Run `wattkeeper` on the story's database."""
    return await run(world.folder, *arguments, WATTKEEPER_DATABASE=world.database)


async def test_the_command_prints_what_it_finds_and_fails_where_something_is_grave(till: Till) -> None:
    await charged(till.world)
    assert await command(till.world, "audit", "sessions") == (0, "1 sessions: everything fits together.\n", "")
    await charged(till.world, at=70, meter=12_500)
    status, told, _ = await command(till.world, "audit", "sessions", "--since", "2026-03-01", "--until", "2026-03-02")
    assert status == 1
    assert told.endswith("2 sessions: 1 discrepancies, 1 of them grave.\n")
    assert "Energy that nobody paid for  1      1      2.50 kWh" in told
    status, told, _ = await command(till.world, "audit", "sessions", "--json", "--limit", "1")
    (item,) = json.loads(told)["items"]
    assert (status, item["kind"], item["gravity"], item["energy_wh"]) == (1, "unpaid_energy", "grave", "2500")
    nothing = await command(till.world, "audit", "sessions", "--since", "2026-04-01")
    assert nothing[:2] == (0, "0 sessions: everything fits together.\n")
    refused = await command(till.world, "audit", "sessions", "--since", "2026-04-01", "--until", "2026-03-01")
    assert (refused[0], "The period ends before it begins" in refused[2]) == (1, True)
