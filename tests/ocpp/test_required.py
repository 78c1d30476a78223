"""What is missing or of the wrong type: a clean CALLERROR, or a fact that says so where energy is carried (B14)."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import orjson
import pytest

from tests.ocpp.messages import CASES, IDS, MESSAGES
from tests.ocpp.talk import receive, refusal
from wattkeeper.charging.station import Version
from wattkeeper.ocpp import schemas
from wattkeeper.ocpp.frame import ENERGY_ACTIONS
from wattkeeper.ocpp.link import Asked, Bad
from wattkeeper.ocpp.wire.shape import Kind, Shape

SPARE = {(Version.V16, "StatusNotification", "errorCode")}
OCCURRENCE = {Version.V16: "OccurenceConstraintViolation", Version.V201: "OccurrenceConstraintViolation"}
WRONG: list[Any] = [None, True, [], {}, [[]], {"x": 1}, [1, 2], 3.5, "", "\u0000", [None]]


def required(shape: Shape, value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places of all required members in a message."""
    if shape.kind is Kind.OBJECT:
        for name, inner in value.items():
            if name in shape.required:
                yield (*path, name)
            yield from required(shape.members[name], inner, (*path, name))
    elif shape.kind is Kind.ARRAY and shape.item is not None:
        for index, inner in enumerate(value):
            yield from required(shape.item, inner, (*path, index))


def holder(message: Any, path: tuple[Any, ...]) -> Any:
    for step in path[:-1]:
        message = message[step]
    return message


PLACES = [
    (version, action, path)
    for version, action in CASES
    for path in required(schemas.shape(version, action, "request"), MESSAGES[version][action])
]


@pytest.mark.parametrize(("version", "action", "path"), PLACES, ids=str)
def test_a_missing_member_is_refused_or_noted(version: Version, action: str, path: tuple[Any, ...]) -> None:
    message = deepcopy(MESSAGES[version][action])
    del holder(message, path)[path[-1]]
    got = receive([2, "m1", action, message], version)
    if action in ENERGY_ACTIONS and (action, path) != ("MeterValues", ("meterValue",)):
        assert isinstance(got, Asked)
        assert "missing_member" in got.heard.fact.deviations
    elif (version, action, path[-1]) in SPARE:
        assert isinstance(got, Asked)
    else:
        call_id, code, description = refusal([2, "m1", action, message], version)
        assert (call_id, code) == ("m1", OCCURRENCE[version])
        assert path[-1] in description


@pytest.mark.parametrize(("version", "action"), CASES, ids=IDS)
def test_nothing_at_all(version: Version, action: str) -> None:
    needs = schemas.shape(version, action, "request").required
    if not needs:
        assert isinstance(receive([2, "m1", action, {}], version), Asked)
        return
    call_id, code, _ = refusal([2, "m1", action, {}], version)
    assert (call_id, code) == ("m1", OCCURRENCE[version])


@pytest.mark.parametrize(("version", "action", "path"), PLACES, ids=str)
def test_a_wrong_type_never_escapes(version: Version, action: str, path: tuple[Any, ...]) -> None:
    for wrong in WRONG:
        message = deepcopy(MESSAGES[version][action])
        holder(message, path)[path[-1]] = wrong
        got = receive([2, "m1", action, message], version)
        if isinstance(got, Bad):
            assert got.reply is not None
            assert orjson.loads(got.reply)[:2] == [4, "m1"]
        else:
            assert isinstance(got, Asked)


@pytest.mark.parametrize(
    ("version", "action", "payload", "member"),
    [
        (Version.V16, "StatusNotification", {"connectorId": [1], "status": "Available"}, "connectorId"),
        (Version.V16, "Authorize", {"idTag": {"a": 1}}, "idTag"),
        (Version.V16, "BootNotification", {"chargePointVendor": ["x"], "chargePointModel": "m"}, "chargePointVendor"),
        (Version.V201, "BootNotification", {"chargingStation": "x", "reason": "PowerUp"}, "chargingStation"),
    ],
)
def test_a_wrong_type_is_called_by_its_name(version: Version, action: str, payload: object, member: str) -> None:
    _, code, description = refusal([2, "m1", action, payload], version)
    assert code == "TypeConstraintViolation"
    assert member in description


def test_a_connector_out_of_range_is_a_property_violation() -> None:
    for connector in (-1, 2**31, 10**18):
        payload = {"connectorId": connector, "errorCode": "NoError", "status": "Available"}
        assert refusal([2, "m1", "StatusNotification", payload])[1] == "PropertyConstraintViolation"


@pytest.mark.parametrize("payload", ["{}", 5, True, 1.5, [[]], [1], [{}, {}]])
@pytest.mark.parametrize(("version", "code"), [(Version.V16, "FormationViolation"), (Version.V201, "FormatViolation")])
def test_a_payload_that_is_no_object(payload: object, version: Version, code: str) -> None:
    for action in ("Heartbeat", "MeterValues"):
        assert refusal([2, "m1", action, payload], version)[:2] == ("m1", code)


@pytest.mark.parametrize("payload", [None, [], {}, [{}]])
def test_an_empty_payload_however_it_is_written(payload: object) -> None:
    for version in Version:
        got = receive([2, "m1", "Heartbeat", payload], version)
        assert isinstance(got, Asked)
        assert bool(got.heard.fact.deviations) == (payload != {})


def test_a_payload_in_a_list_is_unwrapped() -> None:
    start = {"connectorId": 1, "idTag": "AB", "meterStart": 5, "timestamp": "2026-03-01T10:00:00Z"}
    got = receive([2, "m1", "StartTransaction", [start]])
    assert isinstance(got, Asked)
    assert got.heard.fact.deviations == ("array_for_object",)
