"""How far a viewer reaches: a site host to the own sites, a driver to what is their own, and not a hair further.

What is beyond reach answers exactly as what does not exist, and nothing counts it.
"""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.doors import PATIENCE_S
from tests.web.conftest import House, served
from tests.web.told import CARD
from tests.web.town import OTHER_CARD, VIEWER, Town, build, hold
from wattkeeper.charging.person import Role, Scope
from wattkeeper.store.tables import card, holding

NOBODYS = "0000-0000-0"
"""An id that no session has."""


@pytest.fixture
async def town(house: House) -> Town:
    """Two sites."""
    return await build(house)


async def ids(client: httpx.AsyncClient, **query: Any) -> list[str]:
    """The sessions that a client finds."""
    answer = await client.get("/api/v1/sessions", params=query)
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()["items"]]


async def alike(client: httpx.AsyncClient, there: str, nowhere: str, **sent: Any) -> None:
    """Both addresses are not found, in the same words."""
    method = sent.pop("method", "GET")
    answers = [await client.request(method, f"/api/v1/{path}", **sent) for path in (there, nowhere)]
    assert [answer.status_code for answer in answers] == [404, 404], (there, answers[0].text)
    assert answers[0].content == answers[1].content
    assert sorted(answers[0].headers) == sorted(answers[1].headers)


async def test_e3_a_site_host_sees_the_sessions_of_the_own_sites_and_no_others(town: Town) -> None:
    async with await town.who(Role.SITE_HOST, "North") as host:
        assert await ids(host) == [town.north]
        assert await ids(host, limit=1) == [town.north]
        assert (await host.get("/api/v1/sessions", params={"limit": 1})).json()["next"] is None
        assert await ids(host, station="CP2") == await ids(host, live="true") == []
        assert (await host.get(f"/api/v1/sessions/{town.north}")).status_code == 200
        for part in ("", "/readings", "/timeline"):
            await alike(host, f"sessions/{town.south}{part}", f"sessions/{NOBODYS}{part}")
            assert (await host.get(f"/api/v1/sessions/{town.north}{part}")).status_code == 200


async def test_e3_a_site_host_sees_the_stations_of_the_own_sites_and_no_others(town: Town) -> None:
    async with await town.who(Role.SITE_HOST, "North") as host:
        listed = (await host.get("/api/v1/stations")).json()
        assert ([one["id"] for one in listed["items"]], listed["next"]) == (["CP1"], None)
        assert listed["items"][0]["created_by"] == "test"
        assert (await host.get("/api/v1/stations", params={"q": "South"})).json()["items"] == []
        for part in ("", "/connectors"):
            await alike(host, f"stations/CP2{part}", f"stations/CP9{part}")
            assert (await host.get(f"/api/v1/stations/CP1{part}")).status_code == 200


async def test_e3_a_site_host_sees_no_card_and_cannot_find_by_one(town: Town) -> None:
    async with await town.who(Role.SITE_HOST, "North") as host:
        ref = (await town.house.api.get(f"/api/v1/sessions/{town.north}")).json()["card"]["ref"]
        session = (await host.get(f"/api/v1/sessions/{town.north}")).json()
        assert session["card"] is None
        timeline = (await host.get(f"/api/v1/sessions/{town.north}/timeline")).text
        for said in (ref, CARD, "••80"):
            assert said not in json.dumps(session) + timeline
        assert await ids(host, card="80") == await ids(host, card=ref) == []
        assert (await host.get("/api/v1/cards")).status_code == 403


async def test_e3_a_site_host_changes_nothing_and_sees_nobody(town: Town) -> None:
    deeds = {
        "POST": ["stations", "stations/CP1/key", "stations/CP1/orders", f"sessions/{town.north}/close", "cards"],
        "PATCH": ["stations/CP1"],
        "DELETE": ["stations/CP1"],
        "GET": ["orders", "cards", "waiting-room", "staff", "tokens"],
    }
    async with await town.who(Role.SITE_HOST, "North", "South") as host:
        for method, paths in deeds.items():
            for path in paths:
                answer = await host.request(method, f"/api/v1/{path}", json=None if method == "GET" else {})
                assert answer.status_code == 403, (method, path, answer.text)


async def test_e3_a_host_of_no_site_or_of_the_nameless_site_sees_nothing(town: Town) -> None:
    await town.house.rooms.admission.describe("CP1", "test", {"site": ""})
    for name, sites in (("a", ()), ("b", ("",))):
        async with await town.who(Role.SITE_HOST, *sites, name=name) as host:
            assert await ids(host) == []
            assert (await host.get("/api/v1/stations")).json()["items"] == []
            await alike(host, f"sessions/{town.north}", f"sessions/{NOBODYS}")


async def test_a_host_who_is_given_another_site_signs_in_anew_and_sees_it(town: Town) -> None:
    people, owner = town.house.rooms.people, VIEWER
    async with await town.who(Role.SITE_HOST, "North") as host:
        assert await ids(host) == [town.north]
        (member,) = [one for one in await people.staff.members(owner) if one.role is Role.SITE_HOST]
        await people.staff.change(owner, member.id, Role.SITE_HOST, ["North", "South"])
        assert (await host.get("/api/v1/sessions")).status_code == 401, "a change of rights ends the sign-ins"
    async with await town.who(Role.SITE_HOST) as host:
        assert sorted(await ids(host)) == sorted([town.north, town.south])


async def test_e1_a_driver_sees_the_own_sessions_and_no_others(town: Town) -> None:
    async with await town.who(Role.DRIVER) as dora:
        assert await ids(dora) == [town.north]
        assert await ids(dora, card="91") == await ids(dora, station="CP2") == []
        assert await ids(dora, card="80") == [town.north]
        shown = (await dora.get(f"/api/v1/sessions/{town.north}")).json()
        assert shown["card"]["shown"] == "••80"
        for part in ("", "/readings", "/timeline"):
            await alike(dora, f"sessions/{town.south}{part}", f"sessions/{NOBODYS}{part}")
        told = (await dora.get(f"/api/v1/sessions/{town.north}/timeline")).json()["items"]
        assert {"tap", "start", "stop"} <= {step["kind"] for step in told}
        assert (await dora.get(f"/api/v1/sessions/{town.north}/readings")).json()["items"]
        for path in ("stations", "stations/CP1", "orders", "waiting-room", "staff", "tokens"):
            assert (await dora.get(f"/api/v1/{path}")).status_code == 403, path


async def test_e1_a_card_given_away_takes_no_history_along_and_leaves_none_behind(town: Town) -> None:
    store = town.house.rooms.store
    async with store.unit() as unit:  # the card was Dora's until an hour before the session, then nobody's
        spans = holding.update().where(holding.c.ref.in_(card.select().with_only_columns(card.c.ref)))
        await unit.connection.execute(spans.values(until=unit.now - timedelta(hours=5)))
    async with await town.who(Role.DRIVER) as dora:
        assert await ids(dora) == []
        await alike(dora, f"sessions/{town.north}", f"sessions/{NOBODYS}")


async def test_e1_a_driver_without_cards_sees_nothing(town: Town) -> None:
    async with await town.who(Role.DRIVER, name="emil") as emil:
        assert await ids(emil) == []
        await alike(emil, f"sessions/{town.north}", f"sessions/{NOBODYS}")


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.PRIVACY_OFFICER])
async def test_who_may_look_anywhere_sees_every_session(town: Town, role: Role) -> None:
    async with await town.who(role) as staff:
        assert sorted(await ids(staff)) == sorted([town.north, town.south])
        assert (await staff.get(f"/api/v1/sessions/{town.south}")).json()["card"]["shown"] == "••91"


async def test_e3_an_auditor_changes_nothing(town: Town) -> None:
    deeds = {
        "POST": ["stations", "stations/CP1/key", "stations/CP1/orders", f"sessions/{town.north}/close", "cards"],
        "PATCH": ["stations/CP1"],
        "DELETE": ["stations/CP1"],
    }
    async with await town.who(Role.AUDITOR) as auditor:
        for method, paths in deeds.items():
            for path in paths:
                assert (await auditor.request(method, f"/api/v1/{path}", json={})).status_code == 403, (method, path)


async def heard(house: House, address: str, cookie: str, until: str) -> list[dict[str, Any]]:
    """What a client hears of the whole journal, up to the last entry of a kind."""
    told: list[dict[str, Any]] = []
    async with (
        asyncio.timeout(PATIENCE_S),
        httpx.AsyncClient(base_url=address, timeout=PATIENCE_S, trust_env=False) as client,
        client.stream("GET", "/api/v1/events?last_event_id=0", headers={"Cookie": f"wattkeeper={cookie}"}) as answer,
    ):
        assert answer.status_code == 200
        async for line in answer.aiter_lines():
            if line.startswith("data: "):
                told.append(json.loads(line[6:]))
                if told[-1]["kind"] == until:
                    return told
    raise EOFError


async def test_e3_streams_tell_only_what_is_within_reach(town: Town) -> None:
    await (await town.who(Role.SITE_HOST, "South")).aclose()
    await (await town.who(Role.DRIVER)).aclose()
    async with served(town.house.app) as address:
        host = await heard(town.house, address, town.cookies["site_host"], "MetersRead")
        assert {one["station"] for one in host} == {"CP2"}
        dora = await heard(town.house, address, town.cookies["dora"], "SessionEnded")
        assert {one["session"] for one in dora} == {town.north}


async def test_e3_a_token_cannot_reach_further_than_the_policy_lets_programs(house: House) -> None:
    async with await house.with_scopes(Scope.SESSIONS_READ) as program:
        assert (await program.get("/api/v1/me")).json()["scopes"] == ["sessions:read"]
        assert (await program.get("/api/v1/stations")).status_code == 403
        assert (await program.get("/api/v1/account")).status_code in (403, 404)


async def test_a_card_that_changes_hands_shows_each_holder_their_own_time(town: Town) -> None:
    await hold(town.house, "dora", "91")
    async with await town.who(Role.DRIVER) as dora:
        assert sorted(await ids(dora)) == sorted([town.north, town.south])
        assert OTHER_CARD not in (await dora.get("/api/v1/sessions")).text
