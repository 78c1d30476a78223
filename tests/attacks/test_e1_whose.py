"""Whose is whose (attacks E1, E3, E4): a matrix made from the API's own description, so that it grows with the API."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import httpx
import pytest

from tests.conftest import OpenDoor
from tests.doors import KEY
from tests.web.conftest import House, house_of
from tests.web.described import PREFIX, Endpoint, Made, endpoints, made_up
from tests.web.drivers import Driver, driver, signed_in, stranger_to
from wattkeeper.charging.person import Role
from wattkeeper.operations.policy import grants

MANY = 3
"""How many different requests are made up for each endpoint."""

# What stands for the parameter of a path: a thing of the driver's, or a word that is nobody's.
OWNED: Mapping[str, str] = {
    "session": "session",
    "ref": "ref",
    "start": "start",
    "enrolment": "enrolment",
    "/notices/{id}/read": "notice",
    "/questions/{id}": "question",
    "/findings/{id}": "finding",
    "/findings/{id}/confirm": "finding",
    "/findings/{id}/dismiss": "finding",
    "number": "bill",
    "payment": "payment",
    "/account/passkeys/{identifier}": "passkey",
    "/account/logins/{identifier}": "login",
    "/account/apps/{app}": "app",
}
NOBODYS: Mapping[str, str] = {
    "station": "CP1",
    "code": "AAAA-BBBB",
    "action": "Reset",
    "order": "0" * 16,
    "token": "0" * 16,
    "account": "a" + "0" * 16,
    "invitation": "0" * 16,
    "/app-clients/{app}": "0" * 16,
    "/proposals/{id}/agree": "0" * 16,
    "/proposals/{id}/reject": "0" * 16,
    "meter_key": "0" * 16,
    "group": "staff",
    "name": "staff",
    "tariff": "night",
    "/statements/{month}": "2026-03",
    "year": "2026",
    "invoice": "M2026-000001",
    "difference": "0" * 16,
    "deed": "0" * 16,
    "book": "bills",
    "purpose": "insight",
    "use": "insight",
    "person": "person:" + "0" * 24,
    "request": "0" * 12,
    "look_id": "0" * 16,
    "release": "0" * 20,
    "exclusion": "0" * 12,
    "alert": "al0",
    "alert_rule": "ar0",
    "webhook": "wh0",
}
IN_BODIES = {"session": "session", "card": "ref", "ref": "ref", "token": "ref", "start": "start"}
"""Members of bodies and queries that may name a thing of somebody's."""
ENDS = {"/sign-out", "/account/logins", "/account/forgetting"}
"""What would end the sign-in that the rest of the matrix needs."""


@pytest.fixture
def engine() -> str:
    """The rule is the same on both."""
    return "sqlite"


@pytest.fixture
async def house(open_door: OpenDoor) -> AsyncIterator[House]:
    """Both doors; a start that waits for its station waits longer than any machine takes for the whole matrix."""
    door = await open_door(order_timeout_s=1800, order_queue_s=1800)
    await door.admit("CP1", KEY)
    made = await house_of(door)
    async with made.api:
        yield made


def owned(endpoint: Endpoint, parameter: str) -> str | None:
    """Which thing of a driver's a parameter names; None where it names nobody's. Unknown ones fail the test."""
    for known in (endpoint.path.replace(":card", ""), parameter):
        if known in OWNED:
            return OWNED[known]
        if known in NOBODYS:
            return None
    raise AssertionError(f"{endpoint.label}: say in OWNED or NOBODYS whose {{{parameter}}} is")


def address(endpoint: Endpoint, ids: Callable[[str], str]) -> str:
    """The path with things filled in."""
    path = endpoint.path
    for parameter in endpoint.parameters:
        thing = owned(endpoint, parameter)
        nobodys = NOBODYS.get(endpoint.path, NOBODYS.get(parameter, ""))
        path = re.sub(rf"{{{parameter}(:\w+)?}}", nobodys if thing is None else ids(thing), path)
    return PREFIX + path


def filled(given: Any, ids: Callable[[str], str]) -> Any:
    """A body or query whose members that may name a thing name it."""
    if not isinstance(given, dict):
        return given
    return {name: ids(IN_BODIES[name]) if name in IN_BODIES else value for name, value in given.items()}


async def ask(client: httpx.AsyncClient, endpoint: Endpoint, made: Made, ids: Callable[[str], str]) -> httpx.Response:
    """Send it."""
    body = {} if made.body is None else {"json": filled(made.body, ids)}
    query = {name: value for name, value in filled(made.query, ids).items() if name not in ("wait", "timeout")}
    return await client.request(endpoint.method, address(endpoint, ids), params=query, **body)


def asked(house: House) -> list[Endpoint]:
    """Every endpoint that answers and ends."""
    return [one for one in endpoints(house.app.openapi()) if not one.streams and one.path not in ENDS]


async def listed(house: House) -> None:
    """Let drivers find CP1."""
    assert (await house.api.patch("/api/v1/stations/CP1", json={"is_listed": True})).status_code == 200


async def test_e1_nobody_reads_changes_or_even_notices_what_is_anothers(house: House) -> None:
    await listed(house)
    async with (
        house.door.plugged("CP1", KEY) as station,
        driver(house, "anna", station) as anna,
        signed_in(house, "bert@example.org") as (_, bert),
    ):
        before = await theirs(anna)
        for endpoint in asked(house):
            if any(owned(endpoint, one) for one in endpoint.parameters) or _may_name(endpoint):
                for made in made_up(endpoint, MANY):
                    await _cannot_tell(endpoint, made, anna, bert)
        assert await theirs(anna) == before


def _may_name(endpoint: Endpoint) -> bool:
    """Whether a body or a query may name a thing of somebody's."""
    return any(name in IN_BODIES for made in made_up(endpoint, 1) for name in _members(made))


def _members(made: Made) -> list[str]:
    return [*(made.query or {}), *(made.body if isinstance(made.body, dict) else {})]


async def _cannot_tell(endpoint: Endpoint, made: Made, anna: Driver, bert: httpx.AsyncClient) -> None:
    """What is Anna's and what does not exist at all answer Bert alike, and nothing of hers is in it."""
    strange = {thing: stranger_to(known) for thing, known in anna.ids.items()}
    hers = await ask(bert, endpoint, made, anna.ids.__getitem__)
    nothing = await ask(bert, endpoint, made, strange.__getitem__)
    if 429 in (hers.status_code, nothing.status_code):
        return
    assert hers.status_code == nothing.status_code, f"{endpoint.label}: {hers.text} and {nothing.text}"
    for thing, known in anna.ids.items():
        assert known not in hers.text or known in str(made), f"{endpoint.label} told {thing}: {hers.text}"
    shown = nothing.text
    for thing, known in strange.items():
        shown = shown.replace(known, anna.ids[thing])
    if any(owned(endpoint, one) for one in endpoint.parameters):
        assert hers.status_code in (403, 404, 422), f"{endpoint.label}: {hers.status_code} {hers.text}"
        assert hers.text == shown, endpoint.label
    for secret in anna.secrets:
        assert secret not in hers.text, f"{endpoint.label} told {secret}"


async def theirs(anna: Driver) -> list[Any]:
    """Everything of a driver's, as she sees it."""
    paths = ("sessions", "cards", "starts", "notices", "questions", "account/passkeys", "account/apps", "months")
    own = (*paths, "bills", f"bills/{anna.ids['bill']}", "payments", f"payments/{anna.ids['payment']}", "wallet")
    found = [(await anna.client.get(f"/api/v1/{path}")).json() for path in own]
    logins = (await anna.client.get("/api/v1/account/logins")).json()["items"]
    return [*found, sorted(one["id"] for one in logins)]


async def test_e1_the_matrix_would_notice_a_leak(house: House) -> None:
    """The control: with Anna's own sign-in the same requests find her things."""
    await listed(house)
    async with house.door.plugged("CP1", KEY) as station, driver(house, "anna", station) as anna:
        found = set()
        for endpoint in asked(house):
            things = {owned(endpoint, one) for one in endpoint.parameters} - {None}
            if things and endpoint.method == "GET":
                answer = await ask(anna.client, endpoint, Made({}, None), anna.ids.__getitem__)
                if answer.status_code == 200:
                    found |= things
    assert {"session", "ref", "start", "enrolment", "bill", "payment"} <= found


STAFF = [role for role in Role if role is not Role.SERVICE]


@pytest.mark.parametrize("role", STAFF)
async def test_e3_each_role_is_let_through_where_the_policy_says_and_nowhere_else(house: House, role: Role) -> None:
    may = grants(role)
    async with signed_in(house, f"{role.value}@example.org", role, ("Yard",)) as (_, client):
        for endpoint in asked(house):
            if not endpoint.scopes:
                continue
            open_to = endpoint.scopes <= may.anywhere | may.at_sites | may.own
            for made in made_up(endpoint, 1):
                answer = await ask(client, endpoint, made, lambda thing: _nobodys(thing))
                told = f"{role.value}: {endpoint.label} needs {sorted(endpoint.scopes)}: {answer.text}"
                if not open_to:
                    assert answer.status_code == 403, told
                elif endpoint.scopes <= may.anywhere:
                    assert answer.status_code not in (401,), told
                    assert answer.status_code != 403 or answer.json()["code"] == "proof_needed", told


def _nobodys(thing: str) -> str:
    """An id of a thing that nobody has."""
    shapes = {
        "bill": "2026-000001",
        "session": "K7QM-4XRD-T",
        "ref": "p1:" + "0" * 32,
        "enrolment": "0" * 24,
        "question": "0" * 24,
    }
    return stranger_to(shapes.get(thing, "0" * 24 if thing == "notice" else "0" * 16))
