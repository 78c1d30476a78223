"""What hostile words do where they are shown, stored or followed (attacks E15, E18, E19, E20, E23): nothing."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.attacks.test_e1_whose import address, asked, listed
from tests.conftest import OpenDoor
from tests.doors import KEY
from tests.web.conftest import ADDRESS, House, house_of
from tests.web.described import Made, made_up
from tests.web.drivers import driver, signed_in, stranger_to
from wattkeeper.charging.person import Role
from wattkeeper.operations.people.letters.post import message

MARKUP = '"><img src=x onerror=alert(7)>'
CORPUS = (
    "' OR '1'='1' --",
    "1; DROP TABLE card; --",
    "{{1337*1337}}${1337*1337}",
    "name\r\nBcc: everyone@example.org",
    "../../../../etc/passwd",
    "*)(uid=*))(|(uid=*",
)
"""SQL, templates, mail headers, paths and filters."""


@pytest.fixture
def engine() -> str:
    """Words are handled alike on both; the store's own tests send them to both."""
    return "sqlite"


async def test_e15_what_a_station_says_of_itself_is_inert_on_every_page(house: House) -> None:
    await listed(house)
    async with house.door.plugged("CP1", KEY) as station:
        told = {"chargePointVendor": MARKUP[:20], "chargePointModel": "<svg/onload=a()>", "firmwareVersion": MARKUP}
        await station.call("BootNotification", told)
        status = {"connectorId": 1, "status": "Faulted", "errorCode": "OtherError", "info": MARKUP}
        await station.call("StatusNotification", status | {"vendorErrorCode": MARKUP})
        await station.call("Authorize", {"idTag": "<b>x</b>'\""})
        await station.call("DataTransfer", {"vendorId": MARKUP, "data": MARKUP})
        async with driver(house, "anna", station) as anna, signed_in(house, "o@example.org", Role.OWNER) as (_, owner):
            named = await anna.client.post(f"/api/v1/cards/{anna.ids['ref']}/name", json={"label": MARKUP})
            assert named.status_code < 300, named.text
            pages = [f"/sessions/{anna.ids['session'].replace('-', '')}", "/stations/CP1", f"/cards/{anna.ids['ref']}"]
            seen = [await owner.get(path) for path in ("/", "/stations", "/sessions", "/cards", *pages)]
            seen += [await anna.client.get(path) for path in ("/app/", "/app/cards", "/app/sessions", "/app/me")]
    assert any("onerror" in page.text for page in seen)  # it is shown, as text
    for page in seen:
        assert page.status_code == 200, page.request.url
        for tag in ("<img src=x", "<svg/onload", "<b>x</b>"):
            assert tag not in page.text, page.request.url
        policy = page.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "script-src 'self'" in policy or "default-src 'self'" in policy


@asynccontextmanager
async def listening() -> AsyncIterator[tuple[str, list[str]]]:
    """An address on this machine, and who has come to it."""
    came: list[str] = []

    async def welcome(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(str(writer.get_extra_info("peername")))
        writer.close()

    server = await asyncio.start_server(welcome, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/latest/meta-data", came


def everywhere(given: Any, words: str) -> Any:
    """The same shape with these words wherever text stood."""
    if isinstance(given, dict):
        return {name: everywhere(value, words) for name, value in given.items()}
    if isinstance(given, list):
        return [everywhere(value, words) for value in given]
    return words if isinstance(given, str) else given


async def told(client: httpx.AsyncClient, house: House, words: str) -> list[httpx.Response]:
    """The answers to these words in every query and body of the API."""
    answers = []
    for endpoint in asked(house):
        for made in made_up(endpoint, 1):
            path = address(endpoint, lambda thing: stranger_to("0" * 16))
            query = {name: value for name, value in made.query.items() if name not in ("wait", "timeout")}
            body: dict[str, Any] = {} if made.body is None else {"content": json.dumps(everywhere(made.body, words))}
            kind = {"Content-Type": "application/json"} if body else {}
            hostile = everywhere(query, words)
            answers.append(await client.request(endpoint.method, path, params=hostile, headers=kind, **body))
            if endpoint.parameters:
                answers.append(await client.get(f"/api/v1/{endpoint.path.split('/')[1]}/{quote(words, safe='')}"))
    return answers


async def test_e18_no_address_that_anybody_gives_is_ever_visited(house: House) -> None:
    async with listening() as (place, came), signed_in(house, "o@example.org", Role.OWNER) as (_, owner):
        async with house.door.plugged("CP1", KEY) as station:
            await station.call("DataTransfer", {"vendorId": "x", "data": place})
            await station.call("FirmwareStatusNotification", {"status": "Downloaded"})
        for client in (house.api, owner):
            await told(client, house, place)
        await asyncio.sleep(0.2)
        assert came == []
        _, writer = await asyncio.open_connection(*place.split("/")[2].split(":"))  # the control: it would be seen
        writer.close()
        await asyncio.sleep(0.1)
        assert came


async def test_e19_there_is_nowhere_to_upload_to(house: House) -> None:
    kinds = {
        kind
        for methods in house.app.openapi()["paths"].values()
        for one in methods.values()
        for kind in one.get("requestBody", {}).get("content", {})
    }
    assert kinds <= {"application/json", "text/csv", "multipart/form-data"}
    for name in ("../../x", "diagnostics.zip", "%2e%2e%2fx"):
        for method in ("PUT", "POST"):
            assert (await house.api.request(method, f"/diagnostics/{name}", content=b"x")).status_code in (404, 405)
    long = await house.api.post("/api/v1/stations", content=b"[" * 4_000_000)
    assert long.status_code == 413


@pytest.mark.parametrize("words", CORPUS)
async def test_e20_no_words_are_taken_for_commands(house: House, words: str) -> None:
    async with signed_in(house, "o@example.org", Role.OWNER) as (_, owner):
        for client in (house.api, owner):
            for answer in await told(client, house, words):
                assert answer.status_code < 500, (answer.request.url, answer.text)
                assert "1787569" not in answer.text
                assert "root:" not in answer.text
                assert "Traceback" not in answer.text
    assert (await house.api.get("/api/v1/cards")).status_code == 200


async def test_e23_no_list_is_without_bound_and_none_tells_who_drivers_are(house: House) -> None:
    await listed(house)
    for endpoint in asked(house):
        described = house.app.openapi()["paths"][endpoint.operation.path][endpoint.operation.method]
        for parameter in described.get("parameters", ()):
            if parameter["name"] == "limit":
                assert parameter["schema"]["maximum"] <= 1000, endpoint.label
    async with house.door.plugged("CP1", KEY) as station, driver(house, "anna", station) as anna:
        for role in (Role.OWNER, Role.OPERATOR, Role.SUPPORT, Role.BILLING, Role.PRIVACY_OFFICER, Role.AUDITOR):
            async with signed_in(house, f"{role.value}@example.org", role) as (_, client):
                for endpoint in asked(house):
                    if endpoint.method == "GET":
                        path = address(endpoint, anna.ids.__getitem__)
                        assert anna.email not in (await client.get(path)).text, (role, endpoint.label)


def test_e20_what_is_made_up_is_not_empty(house: House) -> None:
    assert sum(made.body is not None for one in asked(house) for made in made_up(one, 1)) > 20
    assert everywhere({"a": ["b", 1], "c": None}, "x") == {"a": ["x", 1], "c": None}
    assert isinstance(made_up(asked(house)[0], 1)[0], Made)


async def test_e15_no_letter_holds_what_a_stranger_typed(open_door: OpenDoor) -> None:
    """Letters are plain text, and what they quote is the address they go to and ours."""
    house = await house_of(await open_door(outbox=True, public_url=ADDRESS))
    people = house.rooms.people
    async with house.client(Origin=ADDRESS) as stranger:
        for path, name in (("/api/v1/sign-up", MARKUP[:60]), ("/api/v1/sign-up", "http://evil.test/ win")):
            asked = {"email": "anna@example.org", "name": name}
            assert (await stranger.post(path, json=asked)).status_code == 202
        assert (await stranger.post("/api/v1/recover", json={"email": "anna@example.org"})).status_code == 202
    while await people.post.round():
        pass
    letters = await people.mail.outbox()
    assert len(letters) == 2
    for letter in letters:
        assert "evil.test" not in letter.text + letter.subject
        assert "<" not in letter.text + letter.subject
        whole = message(letter, "us@example.org", ADDRESS)
        assert whole.get_content_type() == "text/plain"


def packed(name: str, content: bytes) -> bytes:
    """A zip archive with one file of this name."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return made.getvalue()


async def test_e19_a_list_of_cards_is_read_as_text_and_kept_nowhere(house: House, tmp_path: Path) -> None:
    """The one thing that is uploaded: whatever it is called and whatever is packed in it, it is lines or refused."""
    bomb = packed("../../x", b"number\n" + b"0" * 20_000_000)
    async with signed_in(house, "o@example.org", Role.OWNER) as (_, owner):
        before = {path for place in (tmp_path, tmp_path.parent, Path.cwd()) for path in place.iterdir()}
        for name in ("../../../../tmp/x.csv", "C:\\x.csv", "/etc/passwd", "x.zip", "\u202egpj.csv"):
            for content in (bomb, gzip.compress(b"number\n04A1B2C3\n"), b"\x7fELF" + bytes(2_000)):
                sent = await owner.post("/cards/import", files={"file": (name, content)})
                assert sent.status_code == 422, name
                assert "root:" not in sent.text
                headers = {"Content-Type": "text/csv", "Content-Encoding": "gzip"}
                assert (await owner.post("/api/v1/cards/import", content=content, headers=headers)).status_code == 422
        after = {path for place in (tmp_path, tmp_path.parent, Path.cwd()) for path in place.iterdir()}
        assert {path for path in after - before if "house" not in path.name and "wattkeeper" not in path.name} == set()
        assert (await owner.get("/api/v1/cards")).json()["items"] == []
