"""G8, E3: nobody of the staff sees whose something is without a purpose and a reason; its person sees every look.

One list of doors (`SINGLED_OUT`) is compared with what the API and the pages themselves say they have, so that a new
one cannot be forgotten.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from tests.attacks.test_e1_whose import listed
from tests.attacks.test_e_doors import routes
from tests.conftest import OpenDoor
from tests.doors import KEY
from tests.web.conftest import House, house_of
from tests.web.described import PREFIX, endpoints
from tests.web.drivers import PASSWORD, Driver, driver, signed_in
from wattkeeper.charging.deed import DeedKind
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import PROGRAMS, Role, Scope
from wattkeeper.charging.privacy.looking import IN_EMERGENCY, MAY_SEE, Part
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.operations.policy import grants
from wattkeeper.operations.privacy.looking import MOST_SEARCHES
from wattkeeper.store import deed
from wattkeeper.store.tables import deed as deeds
from wattkeeper.store.tables import look

WHY = {"purpose": "billing", "reason": "They ask why their bill is so high.", "case": ""}
IN_HEADERS = {"Purpose": "enquiry", "Reason": "They ask where their receipt is.", "Case": "T-4711"}
NEED = "My phone was stolen and somebody charges with it now."

SINGLED_OUT = {
    "GET /api/v1/persons/{person}": "/api/v1/persons/{person}",
    "GET /api/v1/payments": "/api/v1/payments?person={person}",
    "GET /api/v1/ledger": "/api/v1/ledger?account=owed:{person}",
    "GET /api/v1/tariffs/which": "/api/v1/tariffs/which?station=CP1&person={person}",
    "GET /persons/{key}": "/persons/{key}",
    "GET /money/accounts/{key}": "/money/accounts/{key}",
}
"""Each door that shows one person, and how it is asked about one."""
NOT_SHOWN = {
    "POST /api/v1/persons/{person}/looks": "opens them",
    "POST /api/v1/persons/{person}/emergency": "opens them",
    "GET /persons/{key}/look": "asks for what and why",
    "POST /persons/{key}/look": "opens them",
    "GET /money/accounts/{key}/{what}": "leads to the account",
    "POST /money/accounts/{key}/{what}": "changes what is owed, and needs an opening too",
    "GET /api/v1/ledger/balances": "by kind of account alone",
    "POST /api/v1/privacy/people/{person}/archive": "asks, after a fresh proof: test_g8_an_archive_is_a_look_too",
    "GET /api/v1/privacy/people/{person}/plan": "counts, to who answers requests",
    "GET /api/v1/privacy/people/{person}/recipients": "stations and providers, of somebody who was forgotten",
    "POST /api/v1/privacy/people/{person}/erasure": "shows a certificate of counts",
    "PUT /api/v1/privacy/people/{person}/restrictions/{use}": "shows nothing",
    "DELETE /api/v1/privacy/people/{person}/restrictions/{use}": "shows nothing",
    "POST /api/v1/privacy/people/{person}/corrections": "shows nothing",
}
"""What names a person in its address and shows nothing of them."""
NAMES_A_PERSON = re.compile(r"person|account$|driver|holder|email", re.IGNORECASE)


@pytest.fixture
async def house(open_door: OpenDoor) -> AsyncIterator[House]:
    """Both doors; staff need no second factor, for they are made by the dozen."""
    door = await open_door(staff_passkeys=False)
    await door.admit("CP1", KEY)
    made = await house_of(door)
    async with made.api:
        yield made


@asynccontextmanager
async def anna_and(house: House, role: Role) -> AsyncIterator[tuple[Driver, httpx.AsyncClient]]:
    """A driver with everything, and somebody of the staff."""
    await listed(house)
    async with (
        house.door.plugged("CP1", KEY) as station,
        driver(house, "anna", station) as anna,
        signed_in(house, f"{role.value}@example.org", role) as (_, staff),
    ):
        yield anna, staff


def asked(form: str, anna: Driver) -> str:
    """A door's address about Anna."""
    return form.format(person=anna.viewer.person, key=key_of(anna))


def key_of(anna: Driver) -> str:
    """How pages name her."""
    return anna.viewer.person.removeprefix("person:")


async def looked(house: House, anna: Driver) -> list[dict[str, Any]]:
    """What the log says of looks at Anna, the oldest first."""
    async with house.rooms.store.read() as connection:
        found = await deed.about(connection, anna.viewer.person, [DeedKind.LOOKED, DeedKind.LOOK_REVIEWED])
    return [{"by": one.by, **one.body} for one in reversed(found)]


def test_g8_no_door_that_singles_out_a_person_is_missing_here(app_routes: list[tuple[str, str]]) -> None:
    found = {f"{method} {path}" for method, path in app_routes}
    known = set(SINGLED_OUT) | set(NOT_SHOWN)
    assert found - known == set(), (
        "say in SINGLED_OUT how it is asked about one person, or in NOT_SHOWN why it need not be"
    )
    assert set(SINGLED_OUT) <= found | {"GET /api/v1/ledger"}


@pytest.fixture
async def app_routes(house: House) -> list[tuple[str, str]]:
    """Every address of the staff's that names a person: in its path, or as a parameter."""
    named = []
    for one in endpoints(house.app.openapi()):
        described = house.app.openapi()["paths"][PREFIX + one.path][one.method.lower()]
        queries = {each["name"] for each in described.get("parameters", ()) if each["in"] == "query"}
        if any(NAMES_A_PERSON.search(name) for name in queries | set(one.parameters) - {"account"}):
            named.append((one.method, PREFIX + one.path))
    for route in routes(house.app):
        of_staff = not route.path.startswith(("/app", "/api", "/oauth"))
        if of_staff and "{key}" in route.path:
            named += [(method, route.path) for method in route.methods - {"HEAD"}]
    return named


async def test_g8_no_staff_and_no_program_sees_a_person_without_saying_why(house: House) -> None:
    async with anna_and(house, Role.OWNER) as (anna, owner), house.client() as plain:
        plain.headers["Authorization"] = f"Bearer {house.token}"
        for form in SINGLED_OUT.values():
            path = asked(form, anna)
            if path.startswith(PREFIX):
                for client in (owner, plain):
                    refused = await client.get(path)
                    assert (refused.status_code, refused.json()["code"]) == (428, "purpose_needed"), path
                    assert_nothing_of(anna, refused, path)
                assert "Purpose" in refused.json()["detail"], "a program is told what to send"
            else:
                led = await owner.get(path)
                assert led.status_code == 303 and led.headers["location"].startswith(f"/persons/{key_of(anna)}/look")
        assert await looked(house, anna) == []
        assert (await anna.client.get("/api/v1/account/looks")).json()["items"] == []


def assert_nothing_of(anna: Driver, answer: httpx.Response, path: str) -> None:
    """An answer that shows nothing of her but what was asked."""
    for secret in anna.secrets:
        assert secret not in answer.text or secret in path, (path, secret)


async def test_g8_a_purpose_and_a_reason_open_one_person_for_a_while_and_she_sees_it(house: House) -> None:
    async with anna_and(house, Role.BILLING) as (anna, billing):
        form = WHY | {"next": f"/money/accounts/{key_of(anna)}"}
        for wrong in (
            {"purpose": ""},
            {"purpose": "emergency"},
            {"reason": "short"},
            {"reason": "onewordthatislong"},
            {"purpose": "enquiry"},
            {"reason": "x y " * 200},
        ):
            refused = await billing.post(f"/persons/{key_of(anna)}/look", data=form | wrong)
            assert refused.status_code == 422, wrong
        opened = await billing.post(f"/persons/{key_of(anna)}/look", data=form)
        assert opened.headers["location"] == f"/money/accounts/{key_of(anna)}"
        for _ in range(3):
            assert (await billing.get(opened.headers["location"])).status_code == 200
        page = await billing.get(f"/persons/{key_of(anna)}")
        assert anna.email in page.text
        assert "••" in (await billing.get(f"/persons/{key_of(anna)}?part=cards")).text
        log = await looked(house, anna)
        assert [one.get("part") for one in log] == [None, "cards", "money", "name", "contact"], "once for each part"
        assert (log[0]["purpose"], log[0]["role"], log[0]["emergency"]) == ("billing", "billing", False)
        assert WHY["reason"] not in str(log) and anna.email not in str(log), "no word of a person in the log"
        seen = (await anna.client.get("/api/v1/account/looks")).json()["items"]
        assert [(one["purpose"], one["reason"], one["role"]) for one in seen] == [("billing", WHY["reason"], "billing")]
        assert seen[0]["parts"] == ["cards", "money", "name", "contact"]
        assert "billing@example.org" not in str(seen), "whoever looked is told apart, and not named"
        told = (await anna.client.get("/app/privacy")).text
        assert WHY["reason"] in told and "A question about billing" in told
        async with signed_in(house, "boss@example.org", Role.OWNER) as (_, boss):
            assert (await boss.get(f"{PREFIX}/persons/{anna.viewer.person}")).status_code == 428, "open to one alone"


async def test_g8_what_a_role_had_open_closes_with_it(house: House) -> None:
    async with anna_and(house, Role.PRIVACY_OFFICER) as (anna, officer):
        path = f"/persons/{key_of(anna)}"
        await officer.post(f"{path}/look", data=WHY)
        assert anna.email in (await officer.get(path)).text
        staff = house.rooms.people.staff
        (row,) = [one for one in await staff.members(VIEWER) if one.role is Role.PRIVACY_OFFICER]
        await staff.change(VIEWER, row.id, Role.SUPPORT)
        cookie = await house.rooms.access.sign_in("privacy_officer@example.org", PASSWORD, "127.0.0.1")
        officer.headers["Cookie"] = f"wattkeeper={cookie}"
        led = await officer.get(path)
        assert led.status_code == 303 and led.headers["location"].startswith(f"{path}/look"), "the glass is whole again"


async def test_g8_it_closes_by_itself_and_leads_to_no_other_site(house: House) -> None:
    async with anna_and(house, Role.OWNER) as (anna, owner):
        for away in ("https://evil.example/", "//evil.example", "/\\evil.example", "/\tevil"):
            opened = await owner.post(f"/persons/{key_of(anna)}/look", data=WHY | {"next": away})
            assert opened.headers["location"] == f"/persons/{key_of(anna)}"
        assert (await owner.get(f"/persons/{key_of(anna)}")).status_code == 200
        async with house.rooms.store.unit() as unit:
            await unit.connection.execute(look.update().values(until=unit.now))
        assert (await owner.get(f"/persons/{key_of(anna)}")).status_code == 303
        assert (await owner.get("/persons/ffffffffffffffffffffffff")).status_code == 404


async def test_g8_a_program_says_so_in_headers_of_the_request_itself(house: House) -> None:
    async with anna_and(house, Role.OWNER) as (anna, _), house.client(**IN_HEADERS) as program:
        program.headers["Authorization"] = f"Bearer {house.token}"
        for _ in range(2):
            for path in (asked(form, anna) for form in SINGLED_OUT.values()):
                if path.startswith(PREFIX):
                    assert (await program.get(path)).status_code == 200, path
        assert (await program.get(f"{PREFIX}/persons/{anna.viewer.person}")).json()["email"] == anna.email
        assert [one.get("part") for one in await looked(house, anna)] == [None, "name", "contact", "money"]
        seen = (await anna.client.get("/api/v1/account/looks")).json()["items"]
        assert [(one["who"], one["case"]) for one in seen] == [("tests", "T-4711")]
        program.headers["Reason"] = "Sie m%C3%B6chten%20die Adresse ge%C3%A4ndert haben."
        assert (await program.get(f"{PREFIX}/persons/{anna.viewer.person}")).status_code == 200
        seen = (await anna.client.get("/api/v1/account/looks")).json()["items"]
        assert seen[0]["reason"] == "Sie möchten die Adresse geändert haben."
        program.headers["Case"] = ""
        assert (await program.get(f"{PREFIX}/persons/{anna.viewer.person}")).status_code == 422


async def test_e3_who_may_not_read_persons_opens_nobody_however_good_the_reason(house: House) -> None:
    for role in (Role.OPERATOR, Role.AUDITOR, Role.SITE_HOST):
        assert Scope.PERSONS_READ not in grants(role).anywhere
    async with anna_and(house, Role.OPERATOR) as (anna, operator), signed_in(house, "b@example.org") as (_, bert):
        for client in (operator, bert):
            client.headers.update(IN_HEADERS)
            for path in (asked(form, anna) for form in SINGLED_OUT.values()):
                assert (await client.get(path)).status_code in (403, 404), path
            opened = await client.post(f"{PREFIX}/persons/{anna.viewer.person}/looks", json=WHY)
            broken = await client.post(f"{PREFIX}/persons/{anna.viewer.person}/emergency", json={"reason": NEED})
            assert (opened.status_code, broken.status_code) == (403, 403)
            assert (await client.post(f"/persons/{key_of(anna)}/look", data=WHY)).status_code == 403
        assert await looked(house, anna) == []
        assert (await anna.client.get(f"{PREFIX}/payments?person={anna.viewer.person}")).status_code == 200, "her own"
        assert await looked(house, anna) == [], "and looking at oneself is no look"


async def test_g8_nobody_goes_through_people_as_through_a_list(house: House) -> None:
    async with anna_and(house, Role.OWNER) as (anna, owner):
        codes = []
        for number in range(62):
            why = WHY | {"reason": f"Reason of number {number}."}
            codes.append((await owner.post(f"{PREFIX}/persons/{anna.viewer.person}/looks", json=why)).status_code)
        assert codes == [201] * 60 + [429] * 2


async def test_g8_support_breaks_the_glass_in_need_and_everybody_knows(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        anna_and(house, Role.SUPPORT) as (anna, support),
        signed_in(house, "dpo@example.org", Role.PRIVACY_OFFICER) as (_, officer),
        signed_in(house, "boss@example.org", Role.OWNER) as (_, boss),
    ):
        person = f"{PREFIX}/persons/{anna.viewer.person}"
        assert (await support.get(person)).status_code == 403
        assert (await support.get(f"/persons/{key_of(anna)}")).status_code == 303
        asks = await support.get(f"/persons/{key_of(anna)}/look")
        assert "Is this an emergency?" in asks.text
        for little in ("", "please", "I need it now"):
            assert (await support.post(f"/persons/{key_of(anna)}/look", data={"reason": little})).status_code == 422
        assert (await support.post(f"{person}/looks", json=WHY)).status_code == 403, "a purpose is no right"
        assert (await support.post(f"/persons/{key_of(anna)}/look", data={"reason": NEED})).status_code == 303
        assert anna.email in (await support.get(f"/persons/{key_of(anna)}")).text
        assert (await support.get(f"/persons/{key_of(anna)}?part=sessions")).status_code == 200
        assert (await support.get(f"/money/accounts/{key_of(anna)}")).status_code == 403, "no more than the need"
        notices = (await anna.client.get(f"{PREFIX}/notices")).json()["items"]
        assert notices[0]["kind"] == "glass_broken"
        for one in (officer, boss):
            told = (await one.get(f"{PREFIX}/notices")).json()["items"]
            assert [each["kind"] for each in told] == ["glass_review"]
            assert "opened in an emergency" in (await one.get("/")).text, "and it stands on Now"
        assert "security event glass_broken" in caplog.text
        assert anna.email not in caplog.text and NEED not in caplog.text
        found = (await officer.get(f"{PREFIX}/looks?waiting=true")).json()["items"]
        assert [(one["reason"], one["is_emergency"]) for one in found] == [(NEED, True)]
        review = f"{PREFIX}/looks/{found[0]['id']}/review"
        assert (await support.post(review, json={"was_right": True})).status_code == 403
        assert (await officer.post(review, json={"was_right": False})).status_code == 204
        assert (await boss.post(review, json={"was_right": True})).status_code == 409
        assert (await officer.get(f"{PREFIX}/looks?waiting=true")).json()["items"] == []
        assert "A second person found that it was not right." in (await anna.client.get("/app/privacy")).text
        log = await looked(house, anna)
        assert log[0]["emergency"] is True and log[-1]["was_right"] is False
        for _ in range(2):
            await support.post(f"/persons/{key_of(anna)}/look", data={"reason": NEED})
        late = await support.post(f"/persons/{key_of(anna)}/look", data={"reason": NEED})
        assert late.status_code == 429, "three in a day are enough for anybody"


async def test_g8_an_owner_never_reviews_their_own_emergency(house: House) -> None:
    async with anna_and(house, Role.OWNER) as (anna, owner):
        assert (
            await owner.post(f"{PREFIX}/persons/{anna.viewer.person}/emergency", json={"reason": NEED})
        ).status_code == 201
        found = (await owner.get(f"{PREFIX}/looks?waiting=true")).json()["items"]
        refused = await owner.post(f"{PREFIX}/looks/{found[0]['id']}/review", json={"was_right": True})
        assert refused.status_code == 403


async def test_g8_what_was_written_down_is_in_the_log_before_anything_is_shown(house: House) -> None:
    """Where the deed cannot be written, nothing is shown."""
    async with anna_and(house, Role.OWNER) as (anna, owner):
        assert (await owner.post(f"/persons/{key_of(anna)}/look", data=WHY)).status_code == 303
        async with house.rooms.store.unit() as unit:
            stop = "CREATE TRIGGER full BEFORE INSERT ON deed BEGIN SELECT RAISE(ABORT, 'The log is full.'); END"
            if unit.is_sqlite:
                await unit.connection.exec_driver_sql(stop)
        if house.rooms.store.is_sqlite:
            refused = await owner.get(f"/persons/{key_of(anna)}")
            assert refused.status_code == 500
            assert anna.email not in refused.text
        async with house.rooms.store.read() as connection:
            assert (
                await connection.scalar(select(deeds.c.kind).order_by(deeds.c.n.desc()).limit(1))
            ) == "person.looked"


def test_g8_the_table_of_what_each_role_sees_is_what_the_policy_permits() -> None:
    for role in Role:
        may = Scope.PERSONS_READ in grants(role).anywhere
        assert bool(MAY_SEE[role]) == may, role
        assert (role in IN_EMERGENCY) == (Scope.PERSONS_EMERGENCY in grants(role).anywhere and not may), role
    assert (
        Part.MONEY not in MAY_SEE[Role.PRIVACY_OFFICER]
        and Scope.BILLS_READ not in grants(Role.PRIVACY_OFFICER).anywhere
    )
    assert Scope.PERSONS_EMERGENCY not in PROGRAMS


async def test_g8_addresses_are_not_tried_one_after_the_other(house: House) -> None:
    """Whether somebody has an account here tells something by itself, to staff too."""
    async with signed_in(house, "support@example.org", Role.SUPPORT) as (support, _):
        for n in range(MOST_SEARCHES + 1):
            with pytest.raises(Refusal) as refused:
                await house.rooms.looking.find(support, f"nobody{n}@example.org")
            assert refused.value.code is (Code.NOT_FOUND if n < MOST_SEARCHES else Code.BUSY)


async def proved(officer: httpx.AsyncClient, person: str) -> str:
    """A request of theirs for all that is kept, and that they proved who they are; its id."""
    asked = {"right": "access", "door": "letter", "person": person}
    made: str = (await officer.post(f"{PREFIX}/privacy/requests", json=asked)).json()["id"]
    await officer.post(f"{PREFIX}/privacy/requests/{made}/proof", json={"proof": "document"})
    return made


async def test_g8_an_archive_from_the_queue_is_a_look_too(house: House) -> None:
    async with anna_and(house, Role.PRIVACY_OFFICER) as (anna, officer):
        made = await proved(officer, anna.viewer.person)
        handed = await officer.post(f"/requests/{made}/deed", data={"deed": "archive"})
        assert handed.content[:2] == b"PK", handed.text
        seen = (await anna.client.get(f"{PREFIX}/account/looks")).json()["items"]
        assert [(one["case"], one["parts"]) for one in seen] == [(made, ["archive"])]


async def test_g8_an_archive_is_a_look_too(house: House) -> None:
    async with anna_and(house, Role.PRIVACY_OFFICER) as (anna, officer):
        path = f"{PREFIX}/privacy/people/{anna.viewer.person}/archive"
        await proved(officer, anna.viewer.person)
        refused = await officer.post(path)
        assert (refused.status_code, refused.json()["code"]) == (428, "purpose_needed")
        officer.headers.update({"Purpose": "rights", "Reason": "They ask for their data by letter.", "Case": "R-1"})
        assert (await officer.post(path)).content[:2] == b"PK"
        seen = (await anna.client.get(f"{PREFIX}/account/looks")).json()["items"]
        assert [(one["case"], one["parts"]) for one in seen] == [("R-1", ["archive"])]
