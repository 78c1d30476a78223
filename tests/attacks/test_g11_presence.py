"""G11: a charger at somebody's home tells nobody without a sign-in whether they are there, nor drivers elsewhere:
every address there is, asked while a car charges."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.attacks.test_e_doors import routes
from tests.conftest import OpenDoor
from tests.doors import KEY, until
from tests.web.conftest import House, house_of
from tests.web.drivers import signed_in
from wattkeeper.charging.person import Role

LABEL, SITE, STREET = "Quittenbaum, garage", "Kranichgasse", "Kranichgasse 47, Linz"
OPEN = {
    *("/login", "/login/recover", "/app/sign-in", "/app/sign-up", "/app/recover", "/app/offline", "/privacy"),
    *("/app/sign-in/code", "/app/sign-in/recovery-code"),
    *("/app/manifest.webmanifest", "/app/worker.js", "/api/v1/health", "/api/v1/docs", "/api/v1/openapi.json"),
    *("/.well-known/oauth-authorization-server", "/log/checkpoint", "/log/key"),
}
"""What is answered to anyone with 200; the day another is, this test asks what it says."""
DESCRIBED = ("/api/v1/docs", "/api/v1/openapi.json")
"""What names every word there is, and no charger."""
STREAMS = re.compile(r"/live|/events")


@pytest.fixture
def engine() -> str:
    """Not about the store."""
    return "sqlite"


@pytest.fixture
async def house(open_door: OpenDoor) -> AsyncIterator[House]:
    """A charger at somebody's home, which is not listed for drivers."""
    door = await open_door(staff_passkeys=False)
    await door.admit("CP1", KEY)
    made = await house_of(door)
    async with made.api:
        told = {"label": LABEL, "site": SITE, "address": STREET, "latitude": 48.3, "longitude": 14.28}
        assert (await made.api.patch("/api/v1/stations/CP1", json=told)).status_code == 200
        yield made


def addresses(house: House) -> list[str]:
    """Every address that something is looked at by, with the charger where a thing is named."""
    found = {one.path for one in routes(house.app) if "GET" in (getattr(one, "methods", None) or ())}
    return sorted(re.sub(r"\{[^}]*\}", "CP1", path) for path in found if not STREAMS.search(path))


async def test_g11_nobody_without_a_sign_in_learns_whether_a_car_is_there(house: House) -> None:
    async with house.door.plugged("CP1", KEY) as station, house.client() as stranger:
        await station.call("StatusNotification", {"connectorId": 1, "status": "Charging", "errorCode": "NoError"})
        told, opened = [], set()
        for path in addresses(house):
            answer = await stranger.get(path)
            if answer.status_code == 200:
                opened.add(path)
            if path not in DESCRIBED:
                told.append((path, answer.text + str(answer.headers)))
        assert opened <= OPEN | {path for path in opened if path.startswith(("/log/", "/static/"))}, opened - OPEN
        for word in (LABEL, SITE, STREET, "charging now", '"Charging"', "occupied"):
            assert [path for path, text in told if word in text] == [], word
        for path in ("/live/now", "/live/sessions", "/live/stations/CP1", "/api/v1/events", "/app/live/CP1"):
            answer = await stranger.get(path)
            is_bye = "event: bye" in answer.text and len(answer.text) < 100  # a page that is open is told to load anew
            assert is_bye or answer.status_code in (303, 401, 404), path
        control = (await house.api.get("/api/v1/stations/CP1")).json()
        assert (control["label"], control["online"]) == (LABEL, True), "the control: who runs it sees it"


async def test_g11_a_driver_sees_no_charger_that_is_not_listed_and_never_who_charges(house: House) -> None:
    async with house.door.plugged("CP1", KEY) as station, signed_in(house, "anna@example.org") as (_, anna):
        await station.call("StatusNotification", {"connectorId": 1, "status": "Charging", "errorCode": "NoError"})
        for path in ("/app/", "/app/?q=kranichgasse", "/api/v1/places", "/app/stations/CP1", "/api/v1/stations/CP1"):
            answer = await anna.get(path)
            assert LABEL not in answer.text and STREET not in answer.text, path
        assert (await anna.get("/app/stations/CP1")).status_code == 404
        assert (await house.api.patch("/api/v1/stations/CP1", json={"is_listed": True})).status_code == 200

        async def found() -> httpx.Response | None:
            answer = await anna.get("/api/v1/places")
            return answer if LABEL in answer.text else None

        listed = (await until(found, "the charger among places")).json()
        kept = {name for place in listed["items"] for outlet in place["outlets"] for name in outlet}
        assert not kept & {"session", "person", "card", "since", "started_at"}, (
            "how it stands, and never who or since when"
        )


async def test_g11_a_site_host_sees_sessions_at_the_own_site_and_never_whose(house: House) -> None:
    async with signed_in(house, "host@example.org", Role.SITE_HOST, (SITE,)) as (_, host):
        assert LABEL in (await host.get("/api/v1/stations")).text
        for path in ("/persons", "/cards", "/money", "/money/accounts"):
            assert (await host.get(path)).status_code == 403, path
