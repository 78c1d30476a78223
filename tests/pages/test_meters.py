"""The meters of a station, as people look after them: a key is pinned with its paper in hand, and signatures show."""

from __future__ import annotations

import json
from datetime import timedelta

from ocpp.v16 import call
from playwright.async_api import expect

from tests.doors import until
from tests.meters import Meter, in_v201, moment
from tests.pages.site import CARD, Plugged, Site
from tests.stories.world import minute
from wattkeeper.commands.terminal import VIEWER


async def end_signed(station: Plugged, meter: Meter, signer: Meter | None = None) -> None:
    """The session that runs ends after an hour; its meter signed 10 kWh, or somebody did who brings a key along."""
    who = signer or meter
    payload = who.payload(("B", 0, "2935.600"), ("E", 60, "2945.600"), card=CARD)
    for minutes in (0, 60):
        payload = payload.replace(moment(minute(minutes)), moment(station.at + timedelta(minutes=minutes)))
    inner = in_v201(who.sign(payload), 60, key=who.key)["sampledValue"][0]["signedMeterValue"]
    sampled = [{"value": json.dumps(inner), "format": "SignedData", "context": "Transaction.End"}]
    data = [{"timestamp": station.time(60), "sampled_value": sampled}]
    stop = {"meter_stop": 11_000, "timestamp": station.time(60), "transaction_id": station.number}
    await station.call(call.StopTransaction(**stop, transaction_data=data))


async def test_a_key_is_pinned_with_its_paper_in_hand(site: Site) -> None:
    meter = Meter("1EMH0012345678")
    await site.admit("CP1")
    async with site.operator() as person:
        page = person.page
        await page.goto("/stations/CP1")
        await person.sees("No key of a meter is pinned.")
        await page.get_by_text("Pin the key of a meter").click()
        await page.get_by_label("Serial number of the meter").fill(meter.serial)
        await page.get_by_label("Public key").fill(meter.key[:-2])
        await page.get_by_role("button", name="Pin this key").click()
        await person.sees("This key was not pinned.")
        await expect(page.get_by_label("Serial number of the meter")).to_have_value(meter.serial)
        await page.get_by_label("Public key").fill(" ".join(meter.key[i : i + 4] for i in range(0, 182, 4)).lower())
        await page.get_by_role("button", name="Pin this key").click()
        await person.sees(f"EVSE 1, meter {meter.serial}")
        (held,) = await site.rooms.meters.keys(VIEWER, "CP1")
        assert held.key == meter.key
        await page.get_by_text("Require signed values, or no longer").click()
        await page.get_by_role("button", name="Require them", exact=True).click()
        await person.sees("Signed values are required at every EVSE")
        await page.get_by_text(f"Key {held.mark}").click()
        await page.get_by_role("button", name="End this key from now on").click()
        await person.sees("1 key that held before")
        assert person.complaints == []


async def test_what_was_signed_shows_on_the_session_and_a_brought_key_is_shown_to_compare(site: Site) -> None:
    meter, thief = Meter("1EMH0012345678"), Meter("1EMH0012345678")
    key = await site.admit("CP1")
    async with site.station("CP1", key) as station:
        await station.boot()
        await site.rooms.meters.pin(VIEWER, "CP1", 1, meter.serial, meter.key, station.at - timedelta(days=1))
        await station.begin()
        await end_signed(station, meter)
    async with site.operator() as person:
        page = person.page
        await page.goto("/sessions")
        await page.locator("#sessions a.open").first.click()
        await expect(page.locator("#grade")).to_contain_text("Signed at the meter, and the signature holds.")
        await expect(page.locator("#steps")).to_contain_text(f"proven by the signature of meter {meter.serial}")
        await page.goto("/stations/CP1")
        await page.get_by_text("Keys that its messages brought").click()
        await person.sees("the same as the pinned key")
    async with site.station("CP1", key) as station:
        station.at += timedelta(hours=2)
        await station.begin()
        await end_signed(station, meter, thief)

    async def offered() -> bool:
        return len(await site.rooms.meters.offered(VIEWER, "CP1")) == 2

    await until(offered, "the check")
    async with site.operator() as person:
        page = person.page
        await page.goto("/stations/CP1")
        await page.get_by_text("Keys that its messages brought").click()
        await person.sees("not the pinned key")
        await page.goto("/sessions")
        await page.locator("#sessions a.open").first.click()
        await expect(page.locator("#findings")).to_contain_text("only under a key that the message itself brought")
