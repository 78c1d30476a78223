"""Bills at the people's door: drivers read their own, staff read all and say what is billed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest

from tests.web.conftest import LOOKING
from tests.web.shop import API, People, Shop, people, post, see, shop
from wattkeeper.charging.money.coherence import faults
from wattkeeper.charging.person import Scope
from wattkeeper.operations.money.audit import audit_ledger
from wattkeeper.store.money.content import decode

__all__ = ["people", "shop"]

ONCE = pytest.mark.parametrize("engine", ["sqlite"])
NOBODYS = "2026-999999"


async def test_a_driver_reads_the_own_bills_and_nobody_elses(shop: Shop, people: People) -> None:
    anna, hers = people["anna"]
    await shop.session(await shop.card(anna))
    (bill,) = (await see(hers, "bills"))["items"]
    assert (bill["number"], bill["kind"], bill["gross_minor"], bill["energy_wh"]) == (
        "2026-000001",
        "bill",
        600,
        10_000,
    )
    assert (bill["person"], bill["by"], bill["currency"], bill["digits"]) == (anna.person, "wattkeeper", "EUR", 2)
    whole = await see(hers, f"bills/{bill['number']}")
    assert whole["bill"] == bill == whole["documents"][0]
    (line,) = whole["lines"]
    assert (line["kind"], line["quantity"], line["unit_price"], line["vat_percent"]) == ("ENERGY", 10, "0.5", "20")
    assert whole["words"]["title"] == "Bill 2026-000001"
    assert whole["words"]["lines"][0]["how"] == "10 kWh at €0.50 without tax, 20 % tax"
    content = await hers.get(f"{API}/bills/{bill['number']}/content")
    assert sha256(content.content).hexdigest() == bill["digest"]
    why = decode(content.text)
    assert not [*faults(why)]
    assert anna.person not in content.text
    _, his = people["bert"]
    assert (await see(his, "bills"))["items"] == []
    for path in ("bills/{}", "bills/{}/content"):
        stolen = await his.get(f"{API}/{path.format(bill['number'])}")
        nothing = await his.get(f"{API}/{path.format(NOBODYS)}")
        assert (stolen.status_code, stolen.text) == (404, nothing.text)
    for path in ("holds", "proposals", "ledger", "ledger/balances"):
        assert (await hers.get(f"{API}/{path}")).status_code == 403


async def test_what_waits_is_settled_by_who_may(shop: Shop, people: People) -> None:
    card = await shop.card(people["anna"][0])
    for _ in range(3):
        await shop.session(card, doubtful=True)
    (_, clara), (_, fritz) = people["clara"], people["fritz"]
    waiting = (await see(fritz, "holds"))["items"]
    assert [one["reasons"][0]["code"] for one in waiting] == ["register_rollback"] * 3
    assert waiting[0]["reasons"][0]["words"].startswith("The energy register went back from 10.10 kWh to 10.00 kWh")
    one, two, three = (waiting[place]["session"] for place in range(3))
    for _, client in (people["fritz"], people["emil"], people["gerd"], people["anna"]):
        assert (await post(client, f"holds/{one}/accept")).status_code == 403
    assert (await post(clara, f"holds/{one}/accept")).json() == {"number": "2026-000001", "proposal": None}
    assert (await post(clara, f"holds/{one}/accept")).status_code == 409
    corrected = await post(clara, f"holds/{two}/correct", energy_wh=5000, reason="Half of it.")
    assert corrected.json()["number"] == "2026-000002"
    assert (await post(clara, f"holds/{three}/waive")).status_code == 422
    assert (await post(clara, f"holds/{three}/waive", reason="Goodwill.")).json()["number"] is None
    assert (await see(clara, "holds"))["items"] == []
    settled = (await see(clara, "holds", state="waived"))["items"]
    assert [(row["session"], row["said"], row["settled_by"]) for row in settled] == [
        (three, "Goodwill.", "clara@example.org")
    ]
    bills = (await see(clara, "bills"))["items"]
    assert [(row["gross_minor"], row["reason"]) for row in bills] == [(300, "Half of it."), (606, None)]
    again = await post(clara, "bills/2026-000001/correct", gross_minor=500, reason="As promised.")
    assert again.json()["number"] == "2026-000003"
    (note,) = (await see(clara, "bills", kind="credit_note"))["items"]
    assert (note["gross_minor"], note["corrects"], note["by"]) == (-106, "2026-000001", "clara@example.org")
    documents = (await see(clara, f"bills/{note['number']}"))["documents"]
    assert [row["number"] for row in documents] == ["2026-000001", "2026-000003"]
    assert (await audit_ledger(shop.house.rooms.store, shop.house.rooms.settings.zone)).faults == []


async def test_above_the_limit_another_person_agrees(shop: Shop, people: People) -> None:
    await shop.session(await shop.card(people["anna"][0]), 24_000, doubtful=True)
    shop.house.rooms.bills._settings = replace(shop.house.rooms.settings, four_eyes_minor=100)
    (_, clara), (_, dora), (_, fritz) = people["clara"], people["dora"], people["fritz"]
    session = (await see(clara, "holds"))["items"][0]["session"]
    answer = (await post(clara, f"holds/{session}/correct", gross_minor=1000, reason="As on the display.")).json()
    proposal = answer["proposal"]
    assert (answer["number"], proposal["difference_minor"], proposal["state"]) == (None, 1000 - 1446, "open")
    assert (await post(clara, f"proposals/{proposal['id']}/agree")).status_code == 403
    assert (await shop.house.api.post(f"{API}/proposals/{proposal['id']}/agree")).status_code == 403
    assert (await post(fritz, f"proposals/{proposal['id']}/agree")).status_code == 403
    assert (await post(dora, f"proposals/{proposal['id']}/agree")).json()["number"] == "2026-000001"
    assert (await see(fritz, "proposals"))["items"] == []
    (settled,) = (await see(dora, "proposals", state="agreed"))["items"]
    assert (settled["created_by"], settled["settled_by"]) == ("staff", "dora@example.org"), "who bills sees no staff"
    (row,) = (await see(fritz, "proposals", state="agreed"))["items"]
    assert (row["created_by"], row["settled_by"]) == ("staff", "staff"), "support does not see who works here"


@ONCE
async def test_lists_are_turned_page_by_page(shop: Shop, people: People) -> None:
    card = await shop.card(people["anna"][0])
    for _ in range(5):
        await shop.session(card)
    _, clara = people["clara"]
    found: list[str] = []
    cursor = None
    while cursor is not None or not found:
        page = await see(clara, "bills", limit=2, **({} if cursor is None else {"cursor": cursor}))
        found += [row["number"] for row in page["items"]]
        cursor = page["next"]
    assert found == [f"2026-00000{place}" for place in (5, 4, 3, 2, 1)]
    entries = await see(clara, "ledger", limit=2)
    assert [row["n"] for row in entries["items"]] == [5, 4]
    assert [row["n"] for row in (await see(clara, "ledger", before=entries["next"]))["items"]] == [3, 2, 1]


async def test_the_books_say_who_owes_what_only_to_who_may_know_who_it_is(shop: Shop, people: People) -> None:
    anna, _ = people["anna"]
    await shop.session(await shop.card(anna))
    (_, clara), (_, emil) = people["clara"], people["emil"]
    balances = {row["account"]: row["amount_minor"] for row in (await see(clara, "ledger/balances"))["items"]}
    assert balances == {f"owed:{anna.person}": 600, "sales:nobody": -500, "vat:20": -100}
    assert (await see(clara, "ledger/balances", kind="vat"))["items"] == [
        {"account": "vat:20", "currency": "EUR", "amount_minor": -100}
    ]
    asked = await clara.get(f"{API}/ledger", params={"account": f"owed:{anna.person}"})
    assert (asked.status_code, asked.json()["code"]) == (428, "purpose_needed")
    clara.headers.update(LOOKING)
    (entry,) = (await see(clara, "ledger", account=f"owed:{anna.person}"))["items"]
    assert (entry["kind"], entry["ref"]) == ("charge", "2026-000001")
    masked = await see(emil, "ledger")
    assert masked["items"][0]["lines"][0]["account"] == "owed:…"
    assert (await emil.get(f"{API}/ledger", params={"account": f"owed:{anna.person}"})).status_code == 403
    for path in ("ledger", "ledger/balances", "bills", "holds"):
        assert anna.person not in (await emil.get(f"{API}/{path}")).text


async def test_revenue_is_told_apart(shop: Shop, people: People) -> None:
    card = await shop.card(people["anna"][0])
    await shop.session(card)
    await shop.house.door.admit("CP2")
    await shop.session(card, 5000, station="CP2")
    _, clara = people["clara"]
    today = shop.house.rooms.store.clock().date()
    days = {"since": str(today - timedelta(days=1)), "until": str(today + timedelta(days=2))}
    (whole,) = (await see(clara, "revenue", **days))["items"]
    assert (whole["sessions"], whole["gross_minor"], whole["energy_wh"], whole["of"]) == (2, 900, 15_000, {})
    apart = (await see(clara, "revenue", **days, by=["station", "month"]))["items"]
    assert [(row["of"]["station"], row["net_minor"]) for row in apart] == [("CP1", 500), ("CP2", 250)]


@ONCE
async def test_a_program_needs_the_scopes(shop: Shop) -> None:
    async with await shop.house.with_scopes(Scope.BILLS_READ) as reader:
        assert (await see(reader, "bills"))["items"] == []
        assert (await post(reader, "holds/K7QM-4XRD-T/accept")).status_code == 403
    async with await shop.house.with_scopes(Scope.SESSIONS_READ) as other:
        assert (await other.get(f"{API}/bills")).status_code == 403
    assert (await post(shop.house.api, "holds/K7QM-4XRD-T/accept")).status_code == 404
