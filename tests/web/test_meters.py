"""Meters over the API: keys pinned and ended, signatures required, and what was signed handed to whom it belongs."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.doors import KEY, Station
from tests.meters import Meter, in_v16, moment
from tests.stories.canaries import HUNT
from tests.stories.world import minute
from tests.web.conftest import House
from tests.web.drivers import driver, signed_in
from tests.web.driving import ready
from wattkeeper.charging.person import Role
from wattkeeper.operations.metering.checking import Checking
from wattkeeper.operations.metering.ocmf import parse
from wattkeeper.vault.signature import holds, read_key

PATH = "/api/v1/stations/CP1/meters"


async def pin(house: House, meter: Meter, station: str = "CP1", **more: Any) -> Any:
    """Pin a meter's key."""
    body = {"evse": 1, "serial": meter.serial, "key": meter.key} | more
    return await house.api.post(f"/api/v1/stations/{station}/meters/keys", json=body)


async def test_a_key_is_pinned_replaced_and_ended(house: House) -> None:
    first, second = Meter("M-1"), Meter("M-2")
    made = (await pin(house, first)).json()
    assert (made["serial"], made["key"], made["curve"], made["until"]) == ("M-1", first.key, "secp256r1", None)
    spaced = " ".join(second.key[i : i + 4] for i in range(0, len(second.key), 4)).lower()
    assert (await pin(house, second, key=spaced)).json()["key"] == second.key
    told = (await house.api.get(PATH)).json()
    assert [(one["serial"], one["until"] is None) for one in told["keys"]] == [("M-2", True), ("M-1", False)]
    assert told["keys"][1]["until"] == told["keys"][0]["since"]
    assert told["keys"][0]["created_by"] == "tests"
    held = told["keys"][0]["id"]
    assert (await house.api.delete(f"{PATH}/keys/{held}")).status_code == 204
    assert (await house.api.delete(f"{PATH}/keys/{held}")).status_code == 409
    assert (await house.api.delete(f"{PATH}/keys/{'0' * 16}")).status_code == 404


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"key": "00"}, 422),
        ({"key": "hello"}, 422),
        ({"serial": " "}, 422),
        ({"evse": 0}, 422),
        ({"evse": 256}, 422),
        ({"since": "2999-01-01T00:00:00Z"}, 422),
        ({"surprise": 1}, 422),
    ],
)
async def test_what_is_no_key_is_not_pinned(house: House, more: dict[str, Any], status: int) -> None:
    assert (await pin(house, Meter(), **more)).status_code == status
    assert (await house.api.get(PATH)).json()["keys"] == []


async def test_a_key_of_the_past_does_not_push_in_before_another(house: House) -> None:
    await pin(house, Meter("M-1"))
    answer = await pin(house, Meter("M-2"), since="2020-01-01T00:00:00Z")
    assert answer.status_code == 422
    assert "Another key was pinned here for that time" in answer.text


async def test_what_is_ruled_last_counts(house: House) -> None:
    for evse, required in ((0, True), (2, False), (0, False)):
        answer = await house.api.post(f"{PATH}/requirements", json={"evse": evse, "is_required": required})
        assert (answer.status_code, answer.json()["is_required"]) == (201, required)
    told = (await house.api.get(PATH)).json()["requirements"]
    assert [(one["evse"], one["is_required"]) for one in told] == [(0, False), (2, False), (0, True)]
    assert (
        await house.api.post("/api/v1/stations/CP9/meters/requirements", json={"is_required": True})
    ).status_code == 404


async def test_who_only_looks_pins_nothing(house: House) -> None:
    for role in (Role.SUPPORT, Role.AUDITOR, Role.SITE_HOST, Role.BILLING):
        async with signed_in(house, f"{role.value}@example.org", role, ("Yard",)) as (_, client):
            body = {"evse": 1, "serial": "M", "key": Meter().key}
            assert (await client.post(f"{PATH}/keys", json=body)).status_code == 403, role
            assert (await client.delete(f"{PATH}/keys/{'0' * 16}")).status_code == 403, role
            assert (await client.post(f"{PATH}/requirements", json={"is_required": False})).status_code == 403, role


async def charged(house: House, station: Station, uid: str, meter: Meter) -> str:
    """A short session on a card, whose meter signed; its id."""
    now = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
    start = {"connectorId": 1, "idTag": uid, "meterStart": 0, "timestamp": now.isoformat()}
    begun = (await station.call("StartTransaction", start))[2]
    payload = meter.payload(("B", 0, "1.000"), ("E", 0, "1.100"), card=uid).replace(moment(minute(0)), moment(now))
    ended_at = (now + timedelta(seconds=5)).isoformat()
    data = in_v16(meter.sign(payload), 0) | {"timestamp": ended_at}
    stop = {"transactionId": begun["transactionId"], "meterStop": 100, "timestamp": ended_at}
    await station.call("StopTransaction", stop | {"transactionData": [data]})
    rooms = house.rooms
    await Checking(rooms.store, rooms.safe, rooms.bus, rooms.intake).look()
    found = (await house.api.get("/api/v1/sessions?station=CP2")).json()["items"]
    assert [one["grade"] for one in found] == ["verified"], found
    return str(found[0]["id"])


async def test_what_was_signed_is_its_driver_s_and_nobody_else_s(house: House) -> None:
    meter = Meter()
    await house.door.admit("CP2", KEY[::-1])
    async with house.door.plugged() as first, house.door.plugged("CP2", KEY[::-1]) as station:
        await ready(house, first)
        async with driver(house, "vera", first) as vera, signed_in(house, "otto@example.org") as (_, otto):
            assert (await pin(house, meter, "CP2", since="2020-01-01T00:00:00Z")).status_code == 201
            session = await charged(house, station, vera.uid, meter)
            path = f"/api/v1/sessions/{session}/signed-values"
            own = await vera.client.get(f"{path}.xml")
            assert own.status_code == 200, own.text
            assert own.headers["content-disposition"] == f'attachment; filename="{session}.xml"'
            assert own.headers["cache-control"] == "no-store"
            assert vera.uid in own.text
            for stranger in (otto, house.api):
                answer = await stranger.get(f"{path}.xml")
                assert answer.status_code in (403, 404)
                assert vera.uid not in answer.text
            assert (await otto.get(path)).status_code == 404
            for viewer in (house.api, vera.client):
                told = await viewer.get(path)
                assert vera.uid not in told.text
                assert (told.json()["is_verified"], told.json()["serial"]) == (True, meter.serial)
                (record,) = told.json()["records"]
                assert [one["value"] for one in record["registers"]] == ["1.000", "1.100"]
            page = await vera.client.get(f"/app/sessions/{session.replace('-', '')}")
            assert "We checked the signature: it holds." in page.text
            assert vera.uid not in page.text
            filed = await vera.client.get(f"/app/sessions/{session.replace('-', '')}/signed")
            assert filed.content == own.content
    checked_elsewhere(own.content, meter)
    assert HUNT.hits(json.dumps(told.json()).encode(), "signed values") == []


def checked_elsewhere(file: bytes, meter: Meter) -> None:
    """As the transparency software does: key and record from the file alone, in the order of its schema."""
    (value,) = ElementTree.fromstring(file)
    assert [child.tag for child in value] == ["publicKey", "signedData"]
    assert value.attrib["transactionId"].isdecimal()
    public, signed = value[0].text or "", value[1].text or ""
    assert (value[1].attrib, public) == ({"format": "OCMF", "encoding": "plain"}, meter.key)
    record = parse(signed)
    assert holds(read_key(public), record.payload, record.algorithm, record.signature, record.encoding)


async def test_a_session_without_signatures_has_no_file(house: House) -> None:
    async with house.door.plugged() as station:
        await ready(house, station)
        async with driver(house, "vera", station) as vera:
            path = f"/api/v1/sessions/{vera.ids['session']}/signed-values"
            assert (await vera.client.get(path)).json()["records"] == []
            assert (await vera.client.get(f"{path}.xml")).status_code == 404
