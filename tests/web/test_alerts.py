"""Alerts over the API and by the command line: who may see and do what, what makes no sense, secrets shown once."""

from __future__ import annotations

import base64
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from tests.doors import KEY
from tests.hooks import listening
from tests.test_command_line import environment, run
from tests.web.conftest import House
from tests.web.drivers import signed_in
from wattkeeper.assembly import open_rooms
from wattkeeper.charging.alerts.rule import Kind, Rule
from wattkeeper.charging.deed import DeedKind
from wattkeeper.charging.person import Role, Scope
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.operations.alerts.hooks import opened
from wattkeeper.operations.alerts.rules import Wish
from wattkeeper.settings import load
from wattkeeper.store import deed
from wattkeeper.store.alerts import hook
from wattkeeper.store.tables import alert_hook

API = "/api/v1"
FAILS: dict[str, Any] = {"name": "fails", "kind": "failed_starts", "raise_at": 1, "clear_at": 0}


async def failing(house: House, *, station: str = "CP1", key: str = KEY) -> None:
    """A session at a station that brings nothing, and a look at the rules."""
    async with house.door.plugged(station, key) as plugged:
        await plugged.boot()
        now = house.rooms.store.clock().isoformat()
        told = {"connectorId": 1, "idTag": "04A1B2", "meterStart": 0, "timestamp": now}
        tx = (await plugged.call("StartTransaction", told))[2]["transactionId"]
        await plugged.call("StopTransaction", {"transactionId": tx, "meterStop": 0, "timestamp": now})
    await house.rooms.alerts.watch.look()


async def deeds_of(house: House, subject: str) -> list[str]:
    """What the log says was done to something."""
    async with house.rooms.store.read() as connection:
        kinds = [DeedKind.ALERT_RULE, DeedKind.ALERT_HOOK, DeedKind.ALERT_ACKNOWLEDGED]
        found = await deed.about(connection, subject, kinds)
    return [str(one.body.get("what", "acknowledged")) for one in found[::-1]]


async def test_a_rules_life_and_what_the_log_keeps_of_it(house: House) -> None:
    made = await house.api.post(f"{API}/alert-rules", json=FAILS)
    assert made.status_code == 201, made.text
    rule = made.json()["id"]
    path = f"{API}/alert-rules/{rule}"
    await failing(house)
    (one,) = (await house.api.get(f"{API}/alerts", params={"open": "true"})).json()["items"]
    assert (one["station"], one["state"], one["value"], one["unit"]) == ("CP1", "raised", 1, "sessions")
    for _ in range(2):
        seen = await house.api.post(f"{API}/alerts/{one['id']}/acknowledge")
        assert (seen.status_code, seen.json()["state"]) == (200, "acknowledged")
    quiet = [{"days": ["mon", "sun"], "since": "22:00", "until": "06:00"}]
    for _ in range(2):
        other = await house.api.put(path, json={**FAILS, "quiet": quiet, "raise_after_s": 60})
        assert (other.json()["quiet"], other.json()["raise_after_s"]) == (quiet, 60)
    assert (await house.api.post(f"{API}/alerts/{one['id']}/acknowledge")).status_code == 409, "it is over by that"
    for _ in range(2):
        assert (await house.api.post(f"{path}/pause")).json()["paused_at"] is not None
    for _ in range(2):
        assert (await house.api.post(f"{path}/resume")).json()["paused_at"] is None
    assert (await house.api.post(f"{path}/test")).json() == {"told": 0}
    assert (await house.api.delete(path)).status_code == 204
    assert (await house.api.delete(path)).status_code == 404
    assert (await house.api.get(path)).status_code == 404
    (over,) = (await house.api.get(f"{API}/alerts", params={"open": "false"})).json()["items"]
    assert (over["id"], over["ended"]) == (one["id"], "changed")
    assert await deeds_of(house, rule) == ["made", "changed", "paused", "resumed", "tried", "deleted"]
    assert await deeds_of(house, one["id"]) == ["acknowledged"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"raise_at": "NaN"},
        {"raise_at": 10**30},
        {"clear_at": 5},
        {"name": ""},
        {"name": "a\nb"},
        {"name": "x" * 81},
        {"kind": "everything"},
        {"reach": "site", "subject": "nowhere"},
        {"reach": "station", "subject": "CP9"},
        {"subject": "CP1"},
        {"limit_kw": 5},
        {"raise_after_s": 61},
        {"apart_s": -60},
        {"webhooks": ["wh0"]},
        {"accounts": ["a0000000000000000"]},
        {"quiet": [{"since": "00:00", "until": "00:00"}]},
        {"quiet": [{"days": [], "since": "22:00", "until": "06:00"}]},
        {"quiet": [{"since": "25:00", "until": "06:00"}]},
        {"is_below": True},
        {"paused_at": "2026-01-01T00:00:00Z"},
    ],
)
async def test_a_rule_that_makes_no_sense_is_not_made(house: House, wrong: dict[str, Any]) -> None:
    answer = await house.api.post(f"{API}/alert-rules", json=FAILS | wrong)
    assert answer.status_code == 422, answer.text
    assert (await house.api.get(f"{API}/alert-rules")).json()["items"] == []


async def test_a_webhooks_secret_is_shown_once_and_lies_sealed(house: House) -> None:
    new = {"name": "pager", "address": "https://pager.example/alerts?key=hidden"}
    made = await house.api.post(f"{API}/alert-webhooks", json=new)
    assert made.status_code == 201
    secret, identifier = made.json()["secret"], made.json()["webhook"]["id"]
    assert secret.startswith("whsec_")
    listed = await house.api.get(f"{API}/alert-webhooks")
    assert "hidden" not in listed.text
    assert secret not in listed.text
    async with house.rooms.store.read() as connection:
        raw = bytes(await connection.scalar(select(alert_hook.c.sealed)) or b"")
        rows = await hook.these(connection, [identifier])
    assert b"hidden" not in raw
    assert base64.b64decode(secret.removeprefix("whsec_")) not in raw
    assert opened(house.rooms.safe, rows[identifier])[0] == new["address"]
    rule = (await house.api.post(f"{API}/alert-rules", json={**FAILS, "webhooks": [identifier]})).json()
    assert rule["webhooks"] == [identifier]
    for address in ("http://pager.example/", "https://10.0.0.1/", "https://localhost@10.0.0.1/", "ftp://x"):
        refused = await house.api.post(f"{API}/alert-webhooks", json={"name": "x", "address": address})
        assert refused.status_code == 422, address
    assert (await house.api.delete(f"{API}/alert-webhooks/{identifier}")).status_code == 204
    assert (await house.api.delete(f"{API}/alert-webhooks/{identifier}")).status_code == 404
    assert await deeds_of(house, identifier) == ["made", "deleted"]


async def test_hosts_see_what_is_at_their_sites_and_change_nothing(house: House) -> None:
    await house.door.admit("CP2", "another-key-of-a-station")
    for station, site in (("CP1", "Linz"), ("CP2", "Graz")):
        await house.api.patch(f"{API}/stations/{station}", json={"site": site})
    for wish in ({}, {"reach": "site", "subject": "Graz", "name": "there"}, {"reach": "station", "subject": "CP1"}):
        assert (await house.api.post(f"{API}/alert-rules", json=FAILS | wish)).status_code == 201
    await failing(house)
    await failing(house, station="CP2", key="another-key-of-a-station")
    async with signed_in(house, "ida@example.org", Role.SITE_HOST, ("Linz",)) as (_, host):
        alerts = (await host.get(f"{API}/alerts")).json()["items"]
        assert {one["station"] for one in alerts} == {"CP1"}
        assert len(alerts) == 2
        rules = (await host.get(f"{API}/alert-rules")).json()["items"]
        assert [(one["reach"], one["subject"]) for one in rules] == [("station", "CP1")]
        assert (await host.get(f"{API}/alert-webhooks")).status_code == 403
        assert (await host.post(f"{API}/alerts/{alerts[0]['id']}/acknowledge")).status_code == 403
        assert (await host.post(f"{API}/alert-rules", json=FAILS)).status_code == 403
        page = (await host.get("/alerts")).text
        assert "CP1" in page
        assert "CP2" not in page
        assert "Graz" not in page + (await host.get("/alerts/rules")).text
    async with await house.with_scopes(Scope.STATIONS_READ) as reader:
        assert len((await reader.get(f"{API}/alerts")).json()["items"]) == 4
        assert (await reader.delete(f"{API}/alert-rules/{rules[0]['id']}")).status_code == 403
    async with signed_in(house, "dora@example.org") as (_, driver):
        for path in ("alerts", "alert-rules", "alert-webhooks"):
            assert (await driver.get(f"{API}/{path}")).status_code == 403


async def test_alerts_come_in_pages(house: House) -> None:
    for name in ("one", "two", "three"):
        await house.api.post(f"{API}/alert-rules", json={**FAILS, "name": name})
    await failing(house)
    seen, cursor = [], ""
    while cursor is not None:
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        told = (await house.api.get(f"{API}/alerts", params=query)).json()
        seen += [one["id"] for one in told["items"]]
        cursor = told["next"]
    assert len(seen) == len(set(seen)) == 3


async def test_the_command_line_lists_and_tries(tmp_path: Path) -> None:
    await run(tmp_path, "migrate")
    assert (await run(tmp_path, "alerts", "list"))[:2] == (0, "No alert is on.\n")
    assert (await run(tmp_path, "alerts", "list", "--over"))[:2] == (0, "No alert is over.\n")
    assert "There is no rule yet" in (await run(tmp_path, "alerts", "rules"))[1]
    status, _, said = await run(tmp_path, "alerts", "test", "nothing")
    assert (status, "There is no rule 'nothing'" in said) == (1, True)
    assert (await run(tmp_path, "alerts", "list", "--limit", "0"))[0] == 2
    async with listening("503 Busy") as there:
        async with open_rooms(load(environment(tmp_path), alert_inside=True)) as rooms:
            row, secret = await rooms.alerts.hooks.make(VIEWER, "pager", there.address)
            fails = Rule(kind=Kind.FAILED_STARTS, raise_at=Decimal(1), clear_at=Decimal(0))
            for name, hooks in (("told", (row.id,)), ("alone", ()), ("twin", ()), ("twin", ())):
                await rooms.alerts.rules.make(VIEWER, Wish(name, fails, hooks))
        inside = {"WATTKEEPER_ALERT_INSIDE": "yes"}
        status, said, _ = await run(tmp_path, "alerts", "test", "told", **inside)
        assert (status, "webhook pager: not reached: HTTP 503" in said) == (1, True)
        status, said, _ = await run(tmp_path, "alerts", "test", "told", **inside)
        assert (status, "taken (HTTP 204)" in said) == (0, True)
        assert [one.told["type"] for one in there.heard] == ["alert.test"] * 2
        assert all(one.is_signed_by(secret) for one in there.heard)
    status, said, _ = await run(tmp_path, "alerts", "rules")
    assert status == 0
    assert "raised at 1 or more" in said
    for name, why in (("alone", "tells nobody"), ("twin", "Several rules have this name")):
        status, _, said = await run(tmp_path, "alerts", "test", name)
        assert (status, why in said) == (1, True)
