"""E4: the phone is no way around what binds a driver's cards: places, hours, plugs, a month's energy and money."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import httpx
import pytest

from tests.web.conftest import House
from tests.web.phones import Puppet, becoming, listed, puppet, signed_in, started, viewer
from wattkeeper.charging.cards.limits import Limits, Span
from wattkeeper.charging.cards.token import CardKind, CardState, Group
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.operations.cards.rule import Rule
from wattkeeper.store.tables import decision

FIRST, SECOND = "04A2B9C4D5E67F", "04A2B9C4D5E680"
ONCE = pytest.mark.parametrize("engine", ["sqlite"])
KWH_2 = Decimal(2_000)


@pytest.fixture
async def dora(house: House) -> AsyncIterator[httpx.AsyncClient]:
    """A driver's phone; CP1 can be found, and its plug is of type 2."""
    await listed(house)
    async with await signed_in(house) as phone:
        yield phone


async def hold(house: House, uid: str, rule: Rule) -> str:
    """A card of Dora's; its pseudonym."""
    person = (await viewer(house)).person
    async with house.rooms.store.unit() as unit:
        return str(await house.rooms.cards.enroll_for(unit, person, uid, CardKind.CARD, None, rule, "tests"))


async def refusal(phone: httpx.AsyncClient) -> str | None:
    """Why a start is refused; None where the station was asked. It is called off again."""
    start = await started(phone)
    if start["state"] == "refused":
        return str(start["why"])
    await phone.post(f"/api/v1/starts/{start['id']}/stop")
    return None


async def charged(phone: httpx.AsyncClient, station: Puppet, wh: int) -> None:
    """A whole session from the phone."""
    station.heard.clear()
    start = (await started(phone))["id"]
    assert await station.begin(await station.token()) == "Accepted"
    await station.end(20, 1000 + wh)
    await station.status("Available")
    await becoming(phone, start, "stopped")


async def tapped(station: Puppet, uid: str) -> str:
    """What a station is told of a card that starts."""
    return str((await station.say("Authorize", idTag=uid))["idTagInfo"]["status"])


LIMITS = {
    "The limits of your card allow other sites only.": Limits(sites=frozenset({"North"})),
    "The limits of your card allow another kind of plug only.": Limits(plugs=frozenset({"CHADEMO"})),
}


@ONCE
async def test_e4_where_a_card_may_not_the_phone_may_not(house: House, dora: httpx.AsyncClient) -> None:
    async with puppet(house) as station:
        for uid, (why, limits) in zip((FIRST, SECOND), LIMITS.items(), strict=True):
            ref = await hold(house, uid, {"limits": limits})
            assert await refusal(dora) == why
            await house.rooms.cards.change(ref, {"limits": Limits(hours=())}, VIEWER)
            assert "The limits of your card allow other hours only; it is" in str(await refusal(dora))
            await house.rooms.cards.change(ref, {"limits": Limits(hours=(Span(),))}, VIEWER)
            assert await refusal(dora) is None
            await house.rooms.cards.change(ref, {"state": CardState.RETURNED}, VIEWER)
            assert await refusal(dora) is None, "who holds no card is bound by none"
        assert station.times("Start") == 4


@ONCE
async def test_e4_one_card_that_may_is_enough_and_blocking_one_frees_nobody(
    house: House, dora: httpx.AsyncClient
) -> None:
    north = Limits(sites=frozenset({"North"}))
    ref = await hold(house, FIRST, {"limits": north})
    async with puppet(house):
        assert (await dora.post(f"/api/v1/cards/{ref}/block")).status_code == 200
        assert await refusal(dora) == "The limits of your card allow other sites only."
        other = await hold(house, SECOND, {})
        assert await refusal(dora) is None
        await house.rooms.cards.change(other, {"state": CardState.BLOCKED}, VIEWER)
        assert await refusal(dora) is None, "of two that are blocked, one was free to charge here"


@ONCE
async def test_e4_the_limits_of_a_group_bind_the_phone_too(house: House, dora: httpx.AsyncClient) -> None:
    await house.rooms.groups.put(VIEWER, Group("fleet", limits=Limits(sites=frozenset({"North"}))))
    await hold(house, FIRST, {"group": "fleet"})
    async with puppet(house):
        assert await refusal(dora) == "The limits of your card’s group allow other sites only."


async def test_e4_a_month_is_one_for_card_and_phone(house: House, dora: httpx.AsyncClient) -> None:
    """What was charged from the phone counts for the card, and what was charged with the card for the phone."""
    ref = await hold(house, FIRST, {"limits": Limits(energy_wh_month=KWH_2)})
    async with puppet(house) as station:
        station.at = datetime.now(UTC).replace(microsecond=0)  # in this month, also in its first hour
        await charged(dora, station, 1_500)
        assert await tapped(station, FIRST) == "Accepted"
        await charged(dora, station, 600)
        used_up = "The energy that your card may have in a month is used up: 2.10 of 2.00 kWh."
        assert await refusal(dora) == used_up
        assert await tapped(station, FIRST) == "Blocked"
        assert "used up" in [row.reason for row in await house.door.rows(decision)][-1]
        await house.rooms.cards.change(ref, {"limits": Limits(energy_wh_month=KWH_2 * 2)}, VIEWER)
        assert await station.begin(FIRST) == "Accepted"
        await station.end(20, 1000 + 2_000)
        await station.status("Available")
        assert str(await refusal(dora)).endswith("4.10 of 4.00 kWh.")


async def test_e4_a_month_s_money_is_one_for_card_and_phone(house: House, dora: httpx.AsyncClient) -> None:
    element = {"price_components": [{"type": "ENERGY", "price": "0.50"}]}
    priced = await house.api.put("/api/v1/tariffs", json={"currency": "EUR", "elements": [element]})
    assert priced.status_code < 300, priced.text
    await hold(house, FIRST, {"limits": Limits(money_month=Decimal("0.75"))})
    async with puppet(house) as station:
        station.at = house.rooms.store.clock().replace(microsecond=0) + timedelta(seconds=1)  # prices count from now on
        await charged(dora, station, 1_400)
        assert await refusal(dora) is None
        await charged(dora, station, 600)
        assert str(await refusal(dora)).startswith("The money that your card may cost in a month is used up")
        assert await tapped(station, FIRST) == "Blocked"


@ONCE
async def test_e4_what_another_charges_from_their_phone_is_not_mine(house: House, dora: httpx.AsyncClient) -> None:
    await hold(house, FIRST, {"limits": Limits(energy_wh_month=KWH_2)})
    async with puppet(house) as station, await signed_in(house, "emil") as emil:
        await charged(emil, station, 9_000)
        assert await refusal(dora) is None
        assert await tapped(station, FIRST) == "Accepted"
