"""Alerts in a browser: a rule is made by a form, raised by a station, seen on Now as it happens, acknowledged there."""

from __future__ import annotations

from datetime import timedelta

from playwright.async_api import expect

from tests.pages.site import Site
from tests.pages.test_staff import browsing
from wattkeeper.charging.person import Role
from wattkeeper.commands.terminal import VIEWER

LATELY = timedelta(minutes=50)
"""How much later than an hour ago its session begins."""


async def test_a_rule_is_made_raised_seen_on_now_and_acknowledged(site: Site) -> None:
    key = await site.admit("CP1", label="Hauptplatz", site="Linz")
    async with site.operator() as person:
        page = person.page
        await page.goto("/alerts")
        await expect(page.get_by_role("heading", level=1)).to_have_text("No alert is on")
        await page.get_by_role("navigation", name="Alerts").get_by_role("link", name="Rules").click()
        await page.get_by_role("link", name="Failed starts", exact=True).click()
        await page.get_by_label("Its name").fill("Charging fails")
        await page.get_by_label("Where it looks").select_option("site:Linz")
        await page.get_by_label("Raised at, sessions").fill("x")
        await page.get_by_role("button", name="Save the rule").click()
        await expect(page.get_by_role("alert")).to_contain_text("A threshold is a number")
        await expect(page.get_by_label("Its name")).to_have_value("Charging fails")
        await page.get_by_label("Raised at, sessions").fill("1")
        await page.get_by_role("textbox", name="Quiet hours").fill("mon-fri 22:00-06:00")
        await page.get_by_role("button", name="Save the rule").click()
        await expect(page.get_by_text("The rule is made.")).to_be_visible()
        await expect(page.get_by_role("row", name="Charging fails")).to_contain_text("mon-fri 22:00-06:00")
        open_there = await page.context.new_page()
        await open_there.goto("/alerts")
        await page.goto("/")
        async with site.station("CP1", key) as station:
            await station.boot()
            station.at += LATELY
            await station.begin()
            await station.end(1, 1000)
            await site.rooms.alerts.watch.look()
            need = page.locator("#needs li", has_text="Charging fails at Hauptplatz")
            await expect(need).to_contain_text("1 start failed within an hour")
            raised = open_there.locator("#on li", has_text="Charging fails at Hauptplatz")
            await expect(raised.get_by_role("button", name="Acknowledge")).to_be_visible()
            await expect(open_there.get_by_role("heading", level=1)).to_have_text("1 alert is on")
            await need.get_by_role("button", name="Acknowledge").click()
            await expect(need).to_have_count(0)
            await expect(raised).to_contain_text("operator sees to it since")
        await page.goto("/alerts")
        await expect(page.get_by_role("heading", level=1)).to_have_text("1 alert is on")
        await expect(page.locator("main")).to_contain_text("operator sees to it since")
        (rule,) = await site.rooms.alerts.rules.find(VIEWER)
        await site.rooms.alerts.rules.pause(VIEWER, rule.id)
        await expect(open_there.locator("#over tr", has_text="Charging fails at Hauptplatz")).to_be_visible()
        await expect(raised).to_have_count(0)
        await expect(open_there.get_by_role("heading", level=1)).to_have_text("No alert is on")
    (row,) = await site.rooms.alerts.episodes.find(VIEWER, 5)
    assert row.acknowledged_at is not None


async def test_a_webhooks_secret_is_on_the_page_once(site: Site) -> None:
    async with site.operator() as person:
        page = person.page
        await page.goto("/alerts/rules")
        await page.get_by_text("Add a webhook", exact=True).click()
        await page.get_by_label("What it is for").fill("pager")
        await page.get_by_label("Its address").fill("https://pager.example/alerts")
        await page.get_by_role("button", name="Add it and show its secret").click()
        secret = await page.locator("[data-copy]").get_attribute("data-copy") or ""
        assert secret.startswith("whsec_")
        await page.get_by_role("link", name="I have it").click()
        assert secret not in await page.content()
        await page.get_by_role("row", name="pager").get_by_role("button").click()
        await expect(page.get_by_text("The webhook is taken away.")).to_be_visible()


async def test_whoever_only_looks_is_led_to_the_alerts(site: Site) -> None:
    key = await site.admit("CP1", site="Linz")
    async with browsing(site, Role.OWNER) as owner:
        wish = {
            "kind": "failed_starts",
            "name": "<b>fails</b>",
            "reach": "everywhere",
            "raise_at": "1",
            "clear_at": "0",
        }
        assert (await owner.post("/alerts/rules/new", data=wish)).status_code == 303
    async with site.station("CP1", key) as station:
        await station.boot()
        station.at += LATELY
        await station.begin()
        await station.end(1, 1000)
        await site.rooms.alerts.watch.look()
    async with browsing(site, Role.SITE_HOST, "Linz") as host:
        now, alerts = (await host.get("/")).text, (await host.get("/alerts")).text
        assert "Look at the alerts" in now
        assert "Charging fails at CP1" in now
        assert 'action="/alerts/acknowledge"' not in now + alerts
        assert "<b>fails</b>" not in alerts
    async with browsing(site, Role.AUDITOR) as auditor:
        alerts = (await auditor.get("/alerts")).text
        assert "&lt;b&gt;fails&lt;/b&gt;" in alerts
        assert 'action="/alerts/acknowledge"' not in alerts
