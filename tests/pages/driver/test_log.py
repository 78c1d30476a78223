"""A driver sees in words whether their receipt is in the log, and takes the proof along with one click."""

from __future__ import annotations

import os
from pathlib import Path

import orjson
from playwright.async_api import expect

from tests.pages.driver.billed import billed
from tests.pages.driver.test_look import fits
from tests.pages.driver.town import Town
from wattkeeper.operations.money.papers.verifying import verified


async def test_the_receipt_says_that_it_is_in_the_log(town: Town, tmp_path: Path) -> None:
    me = await town.sign_up()
    made = await billed(town, me)
    await town.rooms.keeper.finish()
    async with town.driver(me) as person:
        page = person.page
        await page.goto(f"/app/sessions/{made['billed']}")
        await expect(page.locator(".papers")).to_contain_text("In the log as entry")
        await fits(person, f"/app/sessions/{made['billed']}", "en")
        if folder := os.environ.get("SHOTS"):
            for width in (390, 1280):
                await page.set_viewport_size({"width": width, "height": 900})
                await page.screenshot(path=f"{folder}/receipt-{width}.png", full_page=True)
        async with page.expect_download() as download:
            await page.get_by_role("link", name="Proof").click()
        await (await download.value).save_as(tmp_path / "receipt.json")
    assert orjson.loads((tmp_path / "receipt.json").read_bytes())["proof"]["leaf"]["kind"] == "bill"
    assert verified(tmp_path / "receipt.json", keys=await town.rooms.log.keys()).holds
