"""Staff and tokens over the API: who may look, who may change, what is asked for before, and what never goes."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import update

from tests.web.conftest import House
from tests.web.town import Town
from wattkeeper.charging.person import Role
from wattkeeper.store.tables import account, login

LATER = timedelta(minutes=6)


@pytest.fixture
def town(house: House) -> Town:
    """A house where people of every role can be made; nothing charges."""
    return Town(house, "", "")


async def ids(client: httpx.AsyncClient) -> dict[str, str]:
    """The account of each role."""
    return {one["role"]: one["id"] for one in (await client.get("/api/v1/staff")).json()["items"]}


async def stale(house: House) -> None:
    """Everybody's proof is too old."""
    async with house.rooms.store.unit() as unit:
        await unit.connection.execute(update(login).values(proved_at=unit.now - LATER))
    house.rooms.access.forget()


async def test_staff_are_listed_with_how_they_sign_in(town: Town) -> None:
    await (await town.who(Role.SITE_HOST, "North", "South")).aclose()
    async with await town.who(Role.OWNER) as owner:
        listed = (await owner.get("/api/v1/staff")).json()
    host, own = listed["items"]
    assert (host["role"], host["sites"], host["state"], host["name"]) == (
        "site_host",
        ["North", "South"],
        "active",
        "Site_Host",
    )
    assert (own["email"], own["passkeys"], own["password"], own["sign_ins"]) == ("owner@example.org", 0, False, 1)
    assert listed["invitations"] == []


async def test_an_owner_invites_and_takes_it_back(town: Town) -> None:
    async with await town.who(Role.OWNER) as owner:
        new = {"email": "bo@example.org", "role": "site_host", "sites": ["North"]}
        assert (await owner.post("/api/v1/staff/invitations", json=new)).status_code == 202
        (invited,) = (await owner.get("/api/v1/staff")).json()["invitations"]
        assert (invited["email"], invited["role"], invited["sites"]) == ("bo@example.org", "site_host", ["North"])
        assert (await owner.delete(f"/api/v1/staff/invitations/{invited['id']}")).status_code == 204
        assert (await owner.delete(f"/api/v1/staff/invitations/{invited['id']}")).status_code == 404
        for wrong in ({"role": "driver"}, {"role": "service"}, {"role": "site_host", "sites": []}, {"email": "bo"}):
            assert (await owner.post("/api/v1/staff/invitations", json=new | wrong)).status_code == 422, wrong


async def test_another_role_ends_what_is_open(town: Town) -> None:
    async with await town.who(Role.SUPPORT) as support, await town.who(Role.OWNER) as owner:
        there = (await ids(owner))["support"]
        assert (await support.get("/api/v1/cards")).status_code == 200
        changed = await owner.patch(f"/api/v1/staff/{there}", json={"role": "auditor"})
        assert (changed.status_code, changed.json()["role"], changed.json()["sign_ins"]) == (200, "auditor", 0)
        assert (await support.get("/api/v1/cards")).status_code == 401


async def test_whoever_is_let_in_no_more_is_out_within_a_second(town: Town) -> None:
    async with await town.who(Role.SUPPORT) as support, await town.who(Role.OWNER) as owner:
        there = (await ids(owner))["support"]
        assert (await support.get("/api/v1/sessions")).status_code == 200
        left = await owner.patch(f"/api/v1/staff/{there}", json={"active": False})
        assert left.json()["state"] == "disabled"
        assert (await support.get("/api/v1/sessions")).status_code == 401
        back = await owner.patch(f"/api/v1/staff/{there}", json={"active": True})
        assert back.json()["state"] == "active"
        assert (await support.get("/api/v1/sessions")).status_code == 401, "what was ended stays ended"


async def test_the_last_owner_stays(town: Town) -> None:
    async with await town.who(Role.OWNER) as owner:
        own = (await ids(owner))["owner"]
        for change in ({"role": "operator"}, {"active": False}):
            assert (await owner.patch(f"/api/v1/staff/{own}", json=change)).status_code == 409, change
        async with await town.who(Role.OWNER, name="second"):
            pass
        assert (await owner.patch(f"/api/v1/staff/{own}", json={"role": "operator"})).status_code == 200


async def test_two_owners_who_depose_each_other_at_once_leave_one(town: Town) -> None:
    async with await town.who(Role.OWNER) as one, await town.who(Role.OWNER, name="second") as two:
        everyone = (await one.get("/api/v1/staff")).json()["items"]
        first, second = (one["id"] for one in everyone)
        deeds = (
            one.patch(f"/api/v1/staff/{second}", json={"role": "auditor"}),
            two.patch(f"/api/v1/staff/{first}", json={"role": "auditor"}),
        )
        statuses = sorted(answer.status_code for answer in await asyncio.gather(*deeds))
    assert statuses[0] == 200
    assert statuses[1] in (401, 409)


async def test_nobody_but_an_owner_changes_who_may_come_in(town: Town) -> None:
    async with await town.who(Role.OWNER) as owner:
        there = (await ids(owner))["owner"]
    for role in (Role.OPERATOR, Role.AUDITOR, Role.PRIVACY_OFFICER, Role.SUPPORT, Role.DRIVER):
        async with await town.who(role, name=f"some-{role.value}") as other:
            seen = (await other.get("/api/v1/staff")).status_code
            assert seen == (200 if role in (Role.OPERATOR, Role.AUDITOR, Role.PRIVACY_OFFICER) else 403), role
            new = {"email": "x@example.org", "role": "owner"}
            assert (await other.post("/api/v1/staff/invitations", json=new)).status_code == 403
            assert (await other.patch(f"/api/v1/staff/{there}", json={"role": "auditor"})).status_code == 403
            assert (await other.delete(f"/api/v1/staff/{there}/sign-ins")).status_code == 403
            made = {"name": "x", "scopes": ["sessions:read"]}
            assert (await other.post("/api/v1/tokens", json=made)).status_code == 403
    assert (await town.house.api.patch(f"/api/v1/staff/{there}", json={"active": False})).status_code == 403


async def test_letting_somebody_in_asks_for_a_fresh_proof(town: Town) -> None:
    async with await town.who(Role.OWNER) as owner:
        await stale(town.house)
        new = {"email": "bo@example.org", "role": "support"}
        made = {"name": "x", "scopes": ["sessions:read"]}
        own = (await ids(owner))["owner"]
        for answer in (
            await owner.post("/api/v1/staff/invitations", json=new),
            await owner.patch(f"/api/v1/staff/{own}", json={"role": "owner"}),
            await owner.post("/api/v1/tokens", json=made),
        ):
            assert (answer.status_code, answer.json()["code"]) == (403, "proof_needed")


async def test_a_driver_is_not_staff(town: Town) -> None:
    async with await town.who(Role.DRIVER, name="emil"), await town.who(Role.OWNER) as owner:
        async with town.house.rooms.store.read() as connection:
            where = account.c.role == Role.DRIVER.value
            driver = await connection.scalar(account.select().with_only_columns(account.c.id).where(where))
        assert set(await ids(owner)) == {"owner"}
        assert (await owner.patch(f"/api/v1/staff/{driver}", json={"role": "owner"})).status_code == 404
        assert (await owner.delete(f"/api/v1/staff/{driver}/sign-ins")).status_code == 404


async def test_sign_ins_of_somebody_are_ended(town: Town) -> None:
    async with await town.who(Role.SUPPORT) as support, await town.who(Role.OWNER) as owner:
        there = (await ids(owner))["support"]
        assert (await owner.delete(f"/api/v1/staff/{there}/sign-ins")).json() == {"sign_ins": 1}
        assert (await support.get("/api/v1/sessions")).status_code == 401


async def test_a_token_is_given_used_and_revoked(town: Town) -> None:
    async with await town.who(Role.OWNER) as owner:
        ends = (town.house.rooms.store.clock() + timedelta(days=30)).isoformat()
        made = {"name": "load balancer", "scopes": ["sessions:read", "stations:read"], "expires_at": ends}
        given = await owner.post("/api/v1/tokens", json=made)
        assert given.status_code == 201
        token = given.json()["token"]
        async with town.house.client(Authorization=f"Bearer {token}") as program:
            assert (await program.get("/api/v1/sessions")).status_code == 200
            assert (await program.get("/api/v1/cards")).status_code == 403
            listed = (await owner.get("/api/v1/tokens")).json()["items"]
            (row,) = [one for one in listed if one["name"] == "load balancer"]
            assert token not in str(listed)
            assert row["last_used_at"]
            assert [may["scope"] for may in row["may"]] == ["stations:read", "sessions:read"]
            assert all(len(may["words"]) > 10 for may in row["may"])
            assert (await owner.delete(f"/api/v1/tokens/{row['id']}")).status_code == 204
            assert (await program.get("/api/v1/sessions")).status_code == 401
        assert (await owner.delete(f"/api/v1/tokens/{row['id']}")).status_code == 404


NONSENSE: tuple[dict[str, object], ...] = (
    {"scopes": []},
    {"scopes": ["staff:write"]},
    {"scopes": ["tokens:write"]},
    {"scopes": ["charging:start"]},
    {"scopes": ["everything"]},
    {"name": ""},
    {"expires_at": "2020-01-01T00:00:00Z"},
    {"expires_at": "2126-01-01T00:00:00Z"},
)


async def test_a_token_that_makes_no_sense_is_not_made(town: Town) -> None:
    async with await town.who(Role.OWNER) as owner:
        made = {"name": "x", "scopes": ["sessions:read"]}
        for wrong in NONSENSE:
            assert (await owner.post("/api/v1/tokens", json=made | wrong)).status_code == 422, wrong
        assert len((await owner.get("/api/v1/tokens")).json()["items"]) == 1


async def test_records_name_people_to_who_may_know_them_and_to_nobody_else(town: Town) -> None:
    async with await town.who(Role.OPERATOR) as operator:
        assert (await operator.post("/api/v1/stations", json={"id": "CP7", "site": "North"})).status_code == 201
        assert (await operator.get("/api/v1/stations/CP7")).json()["created_by"] == "operator@example.org"
    async with await town.who(Role.SUPPORT) as support, await town.who(Role.SITE_HOST, "North") as host:
        for client in (support, host):
            answer = await client.get("/api/v1/stations/CP7")
            assert answer.json()["created_by"] == "staff"
            assert "operator" not in answer.text
