"""E1, E20: every page that exists, by its route: another's things do not exist there, and words are words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest

from tests.attacks.test_e1_whose import listed
from tests.attacks.test_e_content import CORPUS, MARKUP
from tests.attacks.test_e_doors import routes
from tests.doors import KEY
from tests.web.conftest import ADDRESS, House
from tests.web.drivers import Driver, driver, signed_in, stranger_to
from wattkeeper.charging.person import Role

THINGS: Mapping[str, str] = {
    "/app/sessions/": "session",
    "/app/bills/": "bill",
    "/app/cards/add/": "enrolment",
    "/app/cards/": "ref",
    "/app/charging/": "start",
    "/app/live/": "start",
    "/app/questions/": "question",
    "/app/me/passkeys/": "passkey",
    "/app/me/logins/": "login",
    "/app/me/access/": "app",
    "/app/me/pay/": "payment",
}
"""What the parameter of a path names, by how the path begins; the longest counts."""
NOBODYS = (
    *("/app/at/", "/app/link/", "/app/stations/", "/app/me/proof/", "/app/statements/", "/app/me/pay/invoices/"),
    *("/app/consumption/", "/insight/uptime/"),
    *("/app/privacy/consents/", "/app/privacy/uses/", "/log/tile/", "/insight/releases/", "/release/"),
    "/insight/forecast/",
    "/alerts/rules/",
)
"""Paths whose parameters name nobody's: places, codes, ways, months."""
STREAMS = re.compile(r"/app/live/\{id\}$|/live$")
"""What is told as it happens; `test_e_starts` listens to it."""
ENDS = re.compile(r"sign-out|/logout|logins/end$|sign-ins/end")
"""What would end the sign-in that the rest needs."""


@pytest.fixture
def engine() -> str:
    """The rule is the same on both."""
    return "sqlite"


def pages(house: House, method: str) -> Iterator[tuple[str, Any]]:
    """Every address of a page, with its route."""
    for one in routes(house.app):
        if method in (getattr(one, "methods", None) or ()) and not one.include_in_schema:
            yield one.path, one


def fields_of(route: Any) -> set[str]:
    """What a form's answer takes from it; some common names where it reads the form by itself."""
    made = route.endpoint._answer() if hasattr(route.endpoint, "_answer") else route
    named = {one.alias for one in made.dependant.body_params}
    return named or {"id", "name", "text", "ref", "reason", "role", "site", "scope", "label", "kind"}


def thing_of(path: str) -> str | None:
    """Which thing of a driver's a path names; None where it names nobody's. Unknown ones fail the test."""
    if "{" not in path or path.startswith(NOBODYS):
        return None
    for head in sorted(THINGS, key=len, reverse=True):
        if path.startswith(head + "{"):
            return THINGS[head]
    raise AssertionError(f"{path}: say in THINGS or NOBODYS whose that is")


def filled(path: str, value: str) -> str:
    """A path with this in the place of its parameter, and a deed where one is named."""
    return re.sub(r"\{[^}]*\}", value, path.replace("{deed}", "block"))


def plain(thing: str, known: str) -> str:
    """An id as the app's addresses write it."""
    return known.replace("-", "") if thing == "session" else known


async def test_e1_no_page_or_form_of_the_app_shows_or_changes_what_is_anothers(house: House) -> None:
    await listed(house)
    async with (
        house.door.plugged("CP1", KEY) as station,
        driver(house, "anna", station) as anna,
        signed_in(house, "bert@example.org") as (_, bert),
    ):
        seen = set()
        for method in ("GET", "POST"):
            for path, _route in pages(house, method):
                if path.startswith("/app/") and not STREAMS.search(path) and (thing := thing_of(path)) is not None:
                    await _cannot_tell(bert, method, path, thing, anna)
                    seen.add(thing)
        assert seen == set(THINGS.values())
        own = await anna.client.get(f"/app/sessions/{plain('session', anna.ids['session'])}")
        assert own.status_code == 200, "the control: she sees it herself"
        logins = (await anna.client.get("/api/v1/account/logins")).json()["items"]
        assert anna.ids["login"] in [one["id"] for one in logins]
        assert (await anna.client.get("/api/v1/account/passkeys")).json()["items"]


async def _cannot_tell(bert: httpx.AsyncClient, method: str, path: str, thing: str, anna: Driver) -> None:
    """What is Anna's and what does not exist at all answer Bert alike, and nothing of hers is in it."""
    known = plain(thing, anna.ids[thing])
    strange = plain(thing, stranger_to(anna.ids[thing]))
    given: dict[str, Any] = {} if method == "GET" else {"data": {"answer": "no", "name": "mine", "label": "mine"}}
    hers = await bert.request(method, filled(path, known), **given)
    nothing = await bert.request(method, filled(path, strange), **given)
    assert hers.status_code == nothing.status_code, (method, path)
    words = hers.text.replace(anna.ids[thing], strange).replace(known, strange)
    assert _still(words) == _still(nothing.text.replace(stranger_to("0" * 16), strange)), (method, path)
    assert hers.headers.get("location", "").replace(known, strange) == nothing.headers.get("location", "")
    for secret in anna.secrets:
        assert secret not in words or secret in filled(path, known), (method, path, secret)


def _still(text: str) -> str:
    """A page without the instant at which it was printed."""
    return re.sub(r'data-now="[^"]*"', "", text)


def browser_of(house: House, someone: httpx.AsyncClient) -> httpx.AsyncClient:
    """The same person's browser, which takes the cookies that it is given."""
    made = house.client(Origin=ADDRESS)
    name, _, value = someone.headers["Cookie"].partition("=")
    made.cookies.set(name, value, domain="wattkeeper.test")
    return made


async def test_e20_no_form_takes_words_for_commands(house: House) -> None:
    """Every field of every form that a page has, as the owner, as a driver and as nobody."""
    words = "".join(CORPUS) + MARKUP
    sent = 0
    async with (
        signed_in(house, "o@example.org", Role.OWNER) as (_, boss),
        signed_in(house, "d@example.org") as (_, driven),
        browser_of(house, boss) as owner,
        browser_of(house, driven) as dora,
        house.client(Origin=ADDRESS) as nobody,
    ):
        for path, route in pages(house, "POST"):
            if ENDS.search(path):
                continue
            for client in (owner, dora, nobody):
                answer = await client.post(filled(path, "CP1"), data=dict.fromkeys(fields_of(route), words))
                sent += 1
                assert answer.status_code < 500, (path, answer.text)
                assert "1787569" not in answer.text, path
                assert "root:" not in answer.text, path
                assert MARKUP not in answer.text, path
                assert "\n" not in answer.headers.get("location", ""), path
        assert (await owner.get("/api/v1/cards")).status_code == 200, "signed out on the way: too little was tried"
        assert (await dora.get("/api/v1/cards")).status_code == 200
    assert sent > 150
