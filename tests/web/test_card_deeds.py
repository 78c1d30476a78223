"""Deeds on cards, by their holders and by staff; and what was decided, told without a number."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy import select

from tests.web.conftest import House
from tests.web.told import CARD
from tests.web.town import OTHER_CARD, Town, build
from wattkeeper.charging.person import Role, Scope
from wattkeeper.store.tables import card, holding

NOBODYS = "p1:" + "0" * 32
NEW = "04A2B97F2277"


@pytest.fixture
async def town(house: House) -> Town:
    """Dora holds the first card, somebody else the other."""
    return await build(house)


@pytest.fixture
async def dora(town: Town) -> AsyncIterator[httpx.AsyncClient]:
    """A driver's browser."""
    async with await town.who(Role.DRIVER) as client:
        yield client


def refs(house: House) -> tuple[str, str]:
    """Dora's card, and the other's."""
    return house.rooms.safe.ref(CARD), house.rooms.safe.ref(OTHER_CARD)


async def test_a_driver_sees_the_own_card_and_no_other(house: House, dora: httpx.AsyncClient) -> None:
    own, other = refs(house)
    assert [one["ref"] for one in (await dora.get("/api/v1/cards")).json()["items"]] == [own]
    for path in ("", "/changes", "/decisions"):
        assert (await dora.get(f"/api/v1/cards/{own}{path}")).status_code == 200
        others, nobodys = [await dora.get(f"/api/v1/cards/{ref}{path}") for ref in (other, NOBODYS)]
        assert others.status_code == nobodys.status_code == 404
        assert others.json() == nobodys.json()
    for path in ("/decisions", "/groups", "/groups/crew"):
        assert (await dora.get(f"/api/v1{path}")).status_code == 403


@pytest.mark.parametrize("deed", ["block", "unblock", "lost", "name"])
async def test_deeds_on_anothers_card_find_nothing(house: House, dora: httpx.AsyncClient, deed: str) -> None:
    body = {"label": "mine"} if deed == "name" else None
    answers = [await dora.post(f"/api/v1/cards/{ref}/{deed}", json=body) for ref in (refs(house)[1], NOBODYS)]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].json() == answers[1].json()
    told = (await house.api.get(f"/api/v1/cards/{refs(house)[1]}")).json()
    assert told["state"] == "active"


async def test_a_driver_may_not_do_what_staff_do(house: House, dora: httpx.AsyncClient) -> None:
    own, _ = refs(house)
    for method, path, body in (
        ("PATCH", f"/cards/{own}", {"max_sessions": 9}),
        ("POST", f"/cards/{own}/replace", {"number": NEW}),
        ("POST", "/cards", {"number": NEW}),
        ("PUT", "/groups/crew", {}),
    ):
        assert (await dora.request(method, f"/api/v1{path}", json=body)).status_code == 403, path


async def test_a_holder_blocks_and_unblocks_and_every_deed_is_idempotent(house: House, dora: httpx.AsyncClient) -> None:
    own, _ = refs(house)
    for deed, state in (("block", "blocked"), ("unblock", "active"), ("lost", "lost")):
        for _ in range(2):
            answer = await dora.post(f"/api/v1/cards/{own}/{deed}")
            assert (answer.status_code, answer.json()["state"]) == (200, state)
    assert (await dora.post(f"/api/v1/cards/{own}/unblock")).status_code == 409, "who found it asks support"
    assert (await dora.post(f"/api/v1/cards/{own}/block")).json()["state"] == "lost"
    changes = (await house.api.get(f"/api/v1/cards/{own}/changes")).json()["items"]
    assert [(one["what"], one["by"]) for one in changes][:3] == [
        ("Reported lost.", "holder"),
        ("Active again.", "holder"),
        ("Blocked.", "holder"),
    ]
    assert (await house.api.post(f"/api/v1/cards/{own}/unblock")).json()["state"] == "active"


async def test_a_holder_cannot_undo_what_support_did(house: House, dora: httpx.AsyncClient) -> None:
    own, _ = refs(house)
    await dora.post(f"/api/v1/cards/{own}/block")
    await dora.post(f"/api/v1/cards/{own}/unblock")
    assert (await house.api.post(f"/api/v1/cards/{own}/block")).status_code == 200
    assert (await dora.post(f"/api/v1/cards/{own}/unblock")).status_code == 409
    changes = (await dora.get(f"/api/v1/cards/{own}/changes")).json()["items"]
    assert changes[0]["by"] == "support", "a driver is not told who of the staff"


@pytest.mark.parametrize("way", ["button", "rule"])
async def test_what_support_blocks_stays_so_though_its_holder_had_blocked_it_before(
    house: House, dora: httpx.AsyncClient, way: str
) -> None:
    own, _ = refs(house)
    await dora.post(f"/api/v1/cards/{own}/block")
    for _ in range(2):
        if way == "button":
            assert (await house.api.post(f"/api/v1/cards/{own}/block")).json()["state"] == "blocked"
        else:
            assert (await house.api.patch(f"/api/v1/cards/{own}", json={"state": "blocked"})).status_code == 200
    await dora.post(f"/api/v1/cards/{own}/block")
    assert (await dora.post(f"/api/v1/cards/{own}/unblock")).status_code == 409
    changes = (await dora.get(f"/api/v1/cards/{own}/changes")).json()["items"]
    assert [one["by"] for one in changes if one["what"] == "Blocked."] == ["support", "holder"], "noted once"


async def test_what_a_holder_calls_a_card_is_theirs_alone(house: House, dora: httpx.AsyncClient) -> None:
    own, _ = refs(house)
    named = await dora.post(f"/api/v1/cards/{own}/name", json={"label": "the red fob"})
    assert named.json()["label"] == "the red fob"
    assert (await dora.get("/api/v1/cards")).json()["items"][0]["label"] == "the red fob"
    assert (await house.api.get(f"/api/v1/cards/{own}")).json()["label"] is None
    assert (await house.api.post(f"/api/v1/cards/{own}/name", json={"label": "x"})).status_code == 403
    async with house.rooms.store.read() as connection:
        kept = await connection.scalar(select(card.c.label).where(card.c.ref == own))
        assert kept is not None
        assert b"red fob" not in bytes(kept)
    assert (await dora.post(f"/api/v1/cards/{own}/name", json={"label": ""})).json()["label"] is None


async def test_a_card_is_replaced_with_its_holder_and_its_rule(house: House, dora: httpx.AsyncClient) -> None:
    own, _ = refs(house)
    await house.api.patch(f"/api/v1/cards/{own}", json={"max_sessions": 3, "limits": {"sites": ["Yard"]}})
    await dora.post(f"/api/v1/cards/{own}/name", json={"label": "the red fob"})
    new = [await house.api.post(f"/api/v1/cards/{own}/replace", json={"number": NEW}) for _ in range(2)]
    assert [answer.status_code for answer in new] == [201, 201], "told again, it is the same deed"
    told = new[0].json()
    assert (told["max_sessions"], told["limits"]["sites"]) == (3, ["Yard"])
    assert (told["shown"], told["state"]) == ("••77", "active")
    mine = {one["ref"]: one for one in (await dora.get("/api/v1/cards")).json()["items"]}
    assert (mine[own]["state"], mine[own]["replaced_by"]) == ("replaced", told["ref"])
    assert mine[told["ref"]]["label"] == "the red fob"
    again = await house.api.post(f"/api/v1/cards/{own}/replace", json={"number": NEW[:-1] + "8"})
    assert again.status_code == 409
    taken = await house.api.post(f"/api/v1/cards/{told['ref']}/replace", json={"number": OTHER_CARD})
    assert taken.status_code == 409
    assert (await house.api.patch(f"/api/v1/cards/{own}", json={"state": "active"})).status_code == 409


async def test_a_card_that_is_returned_is_held_by_nobody(house: House, dora: httpx.AsyncClient) -> None:
    """Its sessions stay with who held it; whoever holds it next sees nothing of them (see enrolments)."""
    own, _ = refs(house)
    sessions = (await dora.get("/api/v1/sessions")).json()["items"]
    assert (await house.api.patch(f"/api/v1/cards/{own}", json={"state": "returned"})).json()["state"] == "returned"
    async with house.rooms.store.read() as connection:
        spans = (await connection.execute(select(holding.c.until).where(holding.c.ref == own))).all()
    assert all(until is not None for (until,) in spans)
    assert (await dora.get("/api/v1/sessions")).json()["items"] == sessions
    assert sessions
    assert (await dora.post(f"/api/v1/cards/{own}/block")).status_code == 404
    assert (await house.api.patch(f"/api/v1/cards/{own}", json={"state": "active"})).status_code == 409


async def test_a_rule_is_told_as_it_was_set(house: House) -> None:
    hours = [{"days": ["mon", "sat"], "since": "08:00", "until": "00:00"}]
    limits = {"energy_wh_month": 250_000, "money_month": 49.5, "sites": ["Yard"], "hours": hours, "plugs": []}
    more = {"kind": "fob", "strength": "secure", "offline": "accept", "state": "ordered"}
    new = {"number": NEW, "limits": limits} | more
    told = (await house.api.post("/api/v1/cards", json=new)).json()
    assert told["limits"] == limits
    assert {name: told[name] for name in more} == more
    told = (await house.api.patch(f"/api/v1/cards/{told['ref']}", json={"limits": None})).json()
    assert set(told["limits"].values()) == {None}
    for wrong in ({"hours": [{"days": ["noday"]}]}, {"energy_wh_month": -1}, {"money_month": "much"}, {"colour": 1}):
        patched = await house.api.patch(f"/api/v1/cards/{told['ref']}", json={"limits": wrong})
        assert patched.status_code == 422, wrong


async def test_groups_are_made_changed_and_removed(house: House) -> None:
    path = "/api/v1/groups/north%2Fcrew"
    made = await house.api.put(path, json={"parent_id": "CREW1", "limits": {"sites": ["Yard"]}})
    assert (made.status_code, made.json()["name"], made.json()["parent_id"]) == (200, "north/crew", "CREW1")
    assert (await house.api.put("/api/v1/groups/other", json={"parent_id": "CREW1"})).status_code == 409
    changed = (await house.api.put(path, json={"is_master_pass": True, "parent_id": "CREW1"})).json()
    assert [one["what"] for one in changed["changes"]][:2] != []
    assert {one["what"] for one in changed["changes"]} == {
        "Made.",
        "Parent id: CREW1.",
        "Its cards stop any session now.",
        "Limits changed.",
    }
    ref = (await house.api.post("/api/v1/cards", json={"number": NEW, "group": "north/crew"})).json()["ref"]
    listed = (await house.api.get("/api/v1/groups?limit=1")).json()
    assert [(one["name"], one["cards"]) for one in listed["items"]] == [("north/crew", 1)]
    assert (await house.api.delete(path)).status_code == 409
    await house.api.patch(f"/api/v1/cards/{ref}", json={"group": None})
    assert [(await house.api.delete(path)).status_code for _ in range(2)] == [204, 404]
    assert (await house.api.get(path)).status_code == 404
    for wrong in ({"parent_id": "x" * 21}, {"parent_id": "with space"}, {"is_master_pass": "yes"}):
        assert (await house.api.put(path, json=wrong)).status_code == 422


async def test_support_reads_decisions_without_a_number(house: House, town: Town) -> None:
    """Of cards that are enrolled by their last two characters, of others by the beginning of their pseudonym."""
    await house.door.admit("CP9", "0123456789abcdef0123456789abcdef01234567")
    async with house.door.plugged("CP9", "0123456789abcdef0123456789abcdef01234567") as station:
        await station.boot()
        await station.call("Authorize", {"idTag": "04DEADBEEF0001"})
        await station.call("Authorize", {"idTag": CARD})
    async with await town.who(Role.SUPPORT) as support:
        items = (await support.get("/api/v1/decisions?station=CP9")).json()["items"]
        known, unknown = items
        assert (known["status"], known["card"], known["token"]) == ("accepted", refs(house)[0], "••80")
        assert (unknown["status"], unknown["card"], unknown["reason"]) == (
            "unknown",
            None,
            "This card is not enrolled here.",
        )
        assert unknown["token"] == house.rooms.safe.ref("04DEADBEEF0001")[:7] + "…"
        one = (await support.get("/api/v1/decisions?station=CP9&limit=1")).json()
        more = (await support.get("/api/v1/decisions", params={"station": "CP9", "cursor": one["next"]})).json()
        assert [*one["items"], *more["items"]] == items
        of_card = (await support.get(f"/api/v1/cards/{refs(house)[0]}/decisions")).json()["items"]
        assert known in of_card
    async with await house.with_scopes(Scope.SESSIONS_READ) as other:
        assert (await other.get("/api/v1/decisions")).status_code == 403
