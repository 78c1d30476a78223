"""No card number, wherever a station or a caller puts it, is anywhere in the clear: database, logs, answers, output."""

from __future__ import annotations

import asyncio
import base64
import gzip
import io
import json
import logging
import zipfile
import zlib
from datetime import timedelta
from typing import Any
from urllib.parse import quote_from_bytes

import httpx
import pytest
from sqlalchemy import text

from tests.attacks.canaries import Hunt, in_base64, spellings
from tests.doors import Station
from tests.meters import Meter, in_v16
from tests.ocpp.messages import MESSAGES
from tests.stories.canaries import CANARIES, HUNT, messages
from tests.stories.world import NOON, World, grade, key_of
from tests.web.conftest import House, house_of
from wattkeeper.charging.facts import Garbled, SessionOpened
from wattkeeper.charging.station import Version
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.operations.metering.checking import Checking
from wattkeeper.operations.metering.meters import Meters
from wattkeeper.web.guards.origin import cookie_name

FIRST, COLONS, DASHES, APP, CONTRACT, DECIMAL = CANARIES
ODD_FRAMES = [
    f'[2,"1","StartTransaction",{{"idTag":"{FIRST}",',
    f'[2,"{FIRST}","Heartbeat",{{}}]',
    f'[2,"2","{COLONS}",{{}}]',
    f'[2,"3","Heartbeat",{{}},"{APP}"]',
    f'[2,"4","Authorize","{FIRST}"]',
    f'[2,"5","Authorize",{{"idTag":{{"idTag":"{CONTRACT}"}}}}]',
    f'[2,"6","Authorize",{{"idTag":["{DECIMAL}"]}}]',
    f'[2,"7","Authorize",{{"idTag":{DECIMAL}}}]',
    f'[3,"{APP}",{{"idTag":"{FIRST}"}}]',
    f'[4,"8","{FIRST}","{COLONS}",{{"x":"{APP}"}}]',
    f'["{DASHES}"]',
    f'"{FIRST}"',
    FIRST,
    f'[2,"9","StatusNotification",{{"connectorId":1,"errorCode":"{FIRST}","status":"{APP}","{COLONS}":"{CONTRACT}"}}]',
    f'[2,"10","DataTransfer",{{"vendorId":"V","data":{{"card":{{"uid":"{FIRST}"}}}}}}]',
    f'[2,"11","StartTransaction",{{"connectorId":"{FIRST}","idTag":"{APP}","meterStart":"{CONTRACT}","timestamp":"{FIRST}"}}]',
    f'[2,"12","MeterValues",{{"connectorId":1,"transactionId":null,"meterValue":[{{"timestamp":"{APP}",'
    f'"sampledValue":[{{"value":"{FIRST}","format":"SignedData","unit":"{APP}","measurand":"{CONTRACT}"}}]}}]}}]',
]
COMMANDS: list[tuple[str, dict[str, Any]]] = [
    ("RemoteStartTransaction", {"idTag": FIRST, "connectorId": 1}),
    (
        "SendLocalList",
        {
            "listVersion": 1,
            "updateType": "Full",
            "localAuthorizationList": [
                {"idTag": COLONS, "idTagInfo": {"status": "Accepted", "parentIdTag": CONTRACT}},
                {"idTag": DASHES},
            ],
        },
    ),
    ("ReserveNow", {"connectorId": 1, "expiryDate": "2026-03-01T13:00:00Z", "idTag": APP, "reservationId": 1}),
    ("TriggerMessage", {"requestedMessage": FIRST}),
]
FREE: list[tuple[str, dict[str, Any]]] = [
    ("DataTransfer", {"vendorId": "V", "messageId": FIRST, "data": f"card={DECIMAL}"}),
    ("ChangeConfiguration", {"key": "AuthorizationKey", "value": FIRST}),
    ("ChangeConfiguration", {"key": "AuthorizationKey", "value": FIRST}),
    ("GetConfiguration", {"key": [FIRST]}),
]
"""What a caller may say and read back in full: no token to the standard. It is kept sealed all the same."""


async def answer_calls(station: Station, heard: list[Any]) -> None:
    """A station that repeats in its answers what it was told, in turn as a result and as an error."""
    while True:
        call = await station.hear()
        if call[0] != 2:
            heard.append(call)
            continue
        echo = json.dumps(call[3])
        if len(heard) % 2:
            await station.send(json.dumps([4, call[1], "GenericError", f"no such card {echo}"[:255], {"why": echo}]))
        else:
            await station.send(json.dumps([3, call[1], {"status": "Rejected", "data": echo, "x": [echo]}]))
        heard.append(call)


async def order_everything(house: House) -> list[httpx.Response]:
    """Every way in which a person or a program hands us a card number."""
    api = house.api
    answers = [await api.post("/api/v1/cards", json={"number": FIRST, "name": "Vera", "max_sessions": 50})]
    csv = f"number;name\n{COLONS};Vera\n{APP}{APP}{APP};too long\n{DECIMAL};{CONTRACT}\n;{FIRST}\n"
    answers.append(await api.post("/api/v1/cards/import", content=csv, headers={"Content-Type": "text/csv"}))
    answers.append(await api.post("/api/v1/cards", json={"number": FIRST, "max_sessions": APP, CONTRACT: DECIMAL}))
    start: dict[str, Any] = {"order": "start_charging", "id_token": APP, "evse": 1}
    answers.append(await api.post("/api/v1/stations/CP1/orders?wait=10", json=start))
    answers.append(await api.post("/api/v1/stations/CP1/orders?wait=10", json=start | {"order": FIRST}))
    for action, payload in COMMANDS:
        answers.append(await api.post(f"/api/v1/stations/CP1/ocpp/{action}?wait=10", json=payload))
    for action, payload in FREE:
        await api.post(f"/api/v1/stations/CP1/ocpp/{action}?wait=10", json=payload)
    return answers


async def look_everywhere(house: House) -> list[httpx.Response]:
    """Every page and every API answer that can be had."""
    api, world = house.api, house.door
    sessions = (await api.get("/api/v1/sessions?limit=500")).json()["items"]
    orders = (await api.get("/api/v1/orders")).json()["items"]
    paths = ["stations", "stations/CP1", "stations/CP1/connectors", "sessions", "cards", "orders", "waiting-room", "me"]
    paths += [f"sessions/{one['id']}{what}" for one in sessions for what in ("", "/readings", "/timeline")]
    free = {action for action, _ in FREE}
    paths += [f"orders/{one['id']}" for one in orders if one["action"] not in free] + ["openapi.json", "health"]
    answers = [await api.get(f"/api/v1/{path}") for path in paths]
    assert {answer.status_code for answer in answers} == {200}
    await house.rooms.access.make_account("vera", "correct horse battery staple")
    cookie = await house.rooms.access.sign_in("vera", "correct horse battery staple", "127.0.0.1")
    page = house.client(Cookie=f"{cookie_name(world.settings)}={cookie}")
    pages = ["/", "/stations", "/stations/CP1", "/stations/CP2", "/sessions", "/cards"]
    pages += [f"/sessions/{one['id'].replace('-', '')}" for one in sessions]
    seen = [await page.get(path) for path in pages]
    assert [(a.url.path, a.headers.get("location")) for a in seen if a.status_code != 200] == []
    await page.aclose()
    return answers + seen


async def tell_everything(world: World, house: House) -> list[httpx.Response]:
    """Every message of both versions with canaries in every place; odd frames; orders that are answered with echoes."""
    for version, station, word in ((Version.V16, "CP1", "ocpp1.6"), (Version.V201, "CP2", "ocpp2.0.1")):
        async with world.door.plugged(station, key_of(station), [word]) as plugged:
            await plugged.boot()
            for action, payload in messages(version, MESSAGES[version]):
                answer = await plugged.call(action, payload)
                assert answer[0] == 3 or answer[2] != "InternalError", (action, payload, answer)
            for frame in ODD_FRAMES:
                await plugged.send(frame)
            await plugged.send('[2,"last","Heartbeat",{}]')
            while (await plugged.hear())[1] != "last":
                pass
    async with world.door.plugged("CP1", key_of("CP1")) as plugged:
        heard: list[Any] = []
        answering = asyncio.create_task(answer_calls(plugged, heard))
        answers = await order_everything(house)
        answering.cancel()
        await asyncio.gather(answering, return_exceptions=True)
        assert len(heard) >= len(COMMANDS) - 2
    return answers


async def test_no_card_number_is_anywhere_in_the_clear(
    world: World, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG - 9)
    for theirs in ("websockets.client", "httpx", "httpcore"):
        logging.getLogger(theirs).setLevel(logging.ERROR)
    house = await house_of(world.door)
    async with house.api:
        answers = await tell_everything(world, house)
        answers += await look_everywhere(house)
    found = await HUNT.in_database(world.database)
    await world.close()
    found += await HUNT.in_database(world.database)
    found += HUNT.hits("\n".join(caplog.handler.format(record) for record in caplog.records).encode(), "log")
    assert caplog.records
    caplog.clear()
    output = capfd.readouterr()
    found += HUNT.hits(output.out.encode(), "stdout") + HUNT.hits(output.err.encode(), "stderr")
    for answer in answers:
        head = json.dumps(dict(answer.headers)).encode()
        found += HUNT.hits(head + answer.content, f"{answer.request.method} {answer.url.path} {answer.status_code}")
    found += HUNT.in_files(world.folder / "wattkeeper.key")
    assert found == []


async def test_a_number_that_a_meter_signed_is_nowhere_in_the_clear(
    world: World, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """What a meter signs names the card (OCMF ID). It is checked, told and billed, and stays sealed."""
    caplog.set_level(logging.DEBUG - 9)
    for theirs in ("websockets.client", "httpx", "httpcore"):
        logging.getLogger(theirs).setLevel(logging.ERROR)
    meter, house = Meter(), await house_of(world.door)
    door = world.door
    await Meters(door.store).pin(VIEWER, "CP1", 1, meter.serial, meter.key, NOON - timedelta(days=1))
    await world.enroll(FIRST)
    text = meter.whole(card=FIRST)
    async with house.api, world.v16("CP1") as cp:
        for place, told in enumerate((text, text.encode().hex(), text.replace("2945.600", "2945.601"))):
            tx = await cp.start(place * 100, 0, card=FIRST)
            await cp.stop(tx, place * 100 + 60, 10_000, transactionData=[in_v16(told, place * 100 + 60)])
        looked_at = await Checking(door.store, door.safe, door.bus, door.intake).look()
        assert looked_at in (3, 4), "each once, and what told a record first once more where it was looked at second"
        answers = await look_everywhere(house)
        for one in (await house.api.get("/api/v1/sessions")).json()["items"]:
            answers.append(await house.api.get(f"/api/v1/sessions/{one['id']}/signed-values"))
            answers.append(await house.api.get(f"/api/v1/sessions/{one['id']}/signed-values.xml"))
        answers.append(await house.api.get("/api/v1/stations/CP1/meters"))
    assert [grade(one).value for one in await world.sessions()] == ["verified", "disputed", "disputed"]
    found = await HUNT.in_database(world.database)
    found += HUNT.hits("\n".join(caplog.handler.format(record) for record in caplog.records).encode(), "log")
    output = capfd.readouterr()
    found += HUNT.hits(output.out.encode() + output.err.encode(), "output")
    for answer in answers:
        found += HUNT.hits(answer.content, f"{answer.request.method} {answer.url.path} {answer.status_code}")
    assert found == []


async def test_the_canaries_were_told(world: World) -> None:
    """Control: they did come in, as a session on their token and as a frame that could not be read."""
    await world.enroll(FIRST)
    async with world.v16("CP1") as cp:
        await cp.start(0, card=DASHES.replace("17", "15").upper())
        await cp.station.send(ODD_FRAMES[0])
        await cp.station.hear()
    session = await world.the_session()
    assert session.token == world.door.safe.ref(FIRST)
    assert session.verdict == "accepted"
    assert len(await world.door.facts(Garbled)) == len(await world.door.facts(SessionOpened)) == 1


async def test_a_canary_in_the_clear_would_be_found(world: World) -> None:
    """Control: the search finds a number in a scratch table, in the log beside SQLite's file and in the file itself."""
    assert await HUNT.in_database(world.database) == []
    async with world.door.store.unit() as unit:
        await unit.connection.execute(text("CREATE TABLE scratch (what TEXT)"))
        await unit.connection.execute(text("INSERT INTO scratch VALUES (:what)"), {"what": f"a {FIRST} b"})
    try:
        found = await HUNT.in_database(world.database)
        assert {hit.split(": ")[1].split(" as ")[0] for hit in found} == {FIRST}
    finally:
        async with world.door.store.unit() as unit:
            await unit.connection.execute(text("DROP TABLE scratch"))


@pytest.mark.parametrize("number", CANARIES)
def test_every_spelling_would_be_found(number: str) -> None:
    """Control: each encoding, in each alignment."""
    bare = number.replace(":", "").replace("-", "")
    for word in (number, number.lower(), number.upper(), number.swapcase(), bare, bare[::-1], number[::-1].lower()):
        for encoded in (
            word.encode(),
            word.encode("utf-16-le"),
            word.encode("utf-16-be"),
            word.encode().hex().encode(),
        ):
            assert HUNT.hits(b"\x00ab" + encoded + b"yz", "here"), encoded
        percent = "".join(f"%{byte:02X}" for byte in word.encode()).encode()
        assert HUNT.hits(percent, "here")
        assert HUNT.hits(quote_from_bytes(word.encode()).encode(), "here") or ":" in word
    for word in (number, number.lower(), bare.upper()):
        for before in range(3):
            assert HUNT.hits(base64.b64encode(b"a" * before + word.encode() + b"tail"), "here"), (word, before)
            assert HUNT.hits(base64.urlsafe_b64encode(b"a" * before + word.encode() + b"tail"), "here")
    assert spellings(number)
    assert in_base64(number)
    assert HUNT.hits(b"04C0FFEE15DEAE and nothing else", "here") == []


def test_what_is_packed_would_be_found() -> None:
    """Control: within gzip, zlib and ZIP, and within each other; a name in any case and as JSON and forms write it."""
    hunt = Hunt(["Vera Öhrenkanarie", "vera.canary@example.org"])
    told = b"x" * 50 + "vera öhrenkanarie and nothing else".encode() + b"y" * 50
    box = io.BytesIO()
    with zipfile.ZipFile(box, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("deep/data.json", gzip.compress(told))
    for packed in (
        told,
        gzip.compress(told),
        zlib.compress(told),
        box.getvalue(),
        b"ab" + gzip.compress(box.getvalue()),
    ):
        assert hunt.hits(b"\x00" + packed + b"\x00", "here"), packed
    for told_as in (
        json.dumps({"name": "Vera Öhrenkanarie"}),
        "mail=vera.canary%40example.org",
        "VERA.CANARY@EXAMPLE.ORG",
    ):
        assert hunt.hits(told_as.encode(), "here"), told_as
    assert hunt.hits(gzip.compress(b"Vera and Canary, apart"), "here") == []
