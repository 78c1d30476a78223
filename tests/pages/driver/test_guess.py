"""What a session would cost, before it starts: worked out as the bill will be, from what the driver says."""

from __future__ import annotations

from datetime import UTC, time
from decimal import Decimal

from playwright.async_api import expect

from tests.pages.driver.town import OWNER, TARIFF, Town
from wattkeeper.charging.money.bill import price
from wattkeeper.charging.money.payments.paying import Way, Whose
from wattkeeper.charging.money.tariffs.restriction import ALWAYS, Restrictions
from wattkeeper.charging.money.tariffs.tariff import Component, Dimension, Element, Tariff
from wattkeeper.charging.money.usage import planned
from wattkeeper.charging.person import Viewer


async def code_of(town: Town, viewer: Viewer) -> str:
    """The code of a plug."""
    return (await town.rooms.places.find(viewer, "hauptplatz"))[0].outlets[0].code


async def test_a_driver_asks_what_it_would_cost(town: Town) -> None:
    async with town.plugged("CP1", behind=town.early):
        me = await town.sign_up()
        code = await code_of(town, await town.viewer(me))
        async with town.driver(me, size=(390, 800)) as person:
            page = person.page
            await page.goto(f"/app/at/{code}")
            await page.get_by_text("What would my session cost?").click()
            await page.get_by_label("Energy, kWh").fill("31,5")
            await page.get_by_label("Charging, hours").fill("3")
            await page.get_by_role("button", name="Work it out").click()
            used = planned(town.rooms.store.clock(), Decimal(31_500), Decimal(10_800))
            cost = price(used, TARIFF).gross
            await expect(page.get_by_role("status").filter(has_text="About")).to_contain_text(f"{cost}")
            await expect(page.get_by_label("Energy, kWh")).to_have_value("31,5")
            assert await person.sideways() <= 0


async def test_what_makes_no_sense_is_said_and_kept(town: Town) -> None:
    async with town.plugged("CP1", behind=town.early):
        me = await town.sign_up()
        code = await code_of(town, await town.viewer(me))
        async with town.plain(me) as client:
            for typed in ("x", "-1", "1e9", "NaN", "1001"):
                answer = await client.get(f"/app/at/{code}", params={"kwh": typed, "hours": "1"})
                assert answer.status_code == 422
                assert "Give the energy in kWh" in answer.text
                assert f'value="{typed}"' in answer.text
            assert (await client.get(f"/app/at/{code}", params={"kwh": "20"})).status_code == 200


async def test_the_price_of_now_is_the_big_one_and_the_other_stands_below(town: Town) -> None:
    async with town.plugged("CP1", behind=town.early):
        me = await town.sign_up()
        code = await code_of(town, await town.viewer(me))
        hour = town.rooms.store.clock().astimezone(UTC).hour
        for start, end, big, below in (
            (hour + 2, hour + 3, "0.45", "€0.25 per kWh"),
            (hour - 1, hour + 2, "0.25", "€0.45 per kWh, otherwise"),
        ):
            when = Restrictions(start_time=time(start % 24), end_time=time(end % 24))
            elements = [
                Element((Component(Dimension.ENERGY, Decimal(text)),), its)
                for text, its in (("0.25", when), ("0.45", ALWAYS))
            ]
            await town.rooms.prices.set(OWNER, Tariff("EUR", tuple(elements), tax_included=True))
            async with town.plain(me) as client:
                for path in ("/app/stations/CP1", f"/app/at/{code}"):
                    text = (await client.get(path)).text
                    assert f'<p class="main">€{big} <small>per kWh, ' in text
                    assert f"<li>{below}" in text


async def test_who_cannot_pay_reads_why_before_pressing_and_how_to_settle_it(town: Town) -> None:
    async with town.plugged("CP1", behind=town.early):
        me = await town.sign_up()
        viewer = await town.viewer(me)
        code = await code_of(town, viewer)
        async with town.plain(me) as client:
            page = (await client.get(f"/app/at/{code}")).text
            assert " disabled>Start charging" not in page
            await town.rooms.payments.wallets.choose_for(OWNER, Whose.DRIVER, viewer.person, Way.PREPAID)
            page = (await client.get(f"/app/at/{code}")).text
            assert " disabled>Start charging" in page
            assert "The prepaid balance is used up (€0.00)." in page
            assert 'href="/app/me/pay"' in page
            page = (await client.get("/app/me/pay")).text
            assert "The prepaid balance is used up (€0.00)." in page
            assert "€1.00 or more" in page
