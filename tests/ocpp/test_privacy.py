"""No card number leaves the dialect but as the presented token: not in words, facts, errors or representations."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import msgspec
import orjson
import pytest

from tests.ocpp.messages import CASES, IDS, MESSAGES
from tests.ocpp.talk import ANSWER, hear, link, receive
from wattkeeper.charging.cards.token import Presented
from wattkeeper.charging.orders import AnyCommand, StartCharging
from wattkeeper.charging.station import Version
from wattkeeper.ocpp import schemas
from wattkeeper.ocpp.dialects import DIALECTS
from wattkeeper.ocpp.link import Asked, Bad, Settled
from wattkeeper.ocpp.wire.shape import Kind, Secrecy, Shape

CANARY = "04DEADBEEFCAFE"
SEPARATED = "04:DE:AD:BE:EF:CA:FE"


def texts(shape: Shape, value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Shape]]:
    """The places of all texts and words in a message."""
    if shape.kind is Kind.OBJECT:
        for name, inner in value.items():
            yield from texts(shape.members[name], inner, (*path, name))
    elif shape.kind is Kind.ARRAY and shape.item is not None:
        for index, inner in enumerate(value):
            yield from texts(shape.item, inner, (*path, index))
    elif shape.kind in {Kind.TEXT, Kind.WORD, Kind.TIME, Kind.ANY}:
        yield path, shape


def planted(message: Any, path: tuple[Any, ...], canary: Any) -> Any:
    message = deepcopy(message)
    place = message
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = canary
    return message


PLACES = [
    (version, action, path)
    for version, action in CASES
    for path, shape in texts(schemas.shape(version, action, "request"), MESSAGES[version][action])
    if shape.secrecy is not Secrecy.OPEN or shape.kind is not Kind.TEXT
]


def in_the_clear(asked: Asked) -> bytes:
    """Everything that may be kept or shown unsealed."""
    kept = [orjson.dumps(dict(asked.heard.words)), msgspec.json.encode(asked.heard.fact)]
    return b" ".join([*kept, repr(asked.heard.token).encode(), repr(asked.heard.fact).encode()])


@pytest.mark.parametrize("canary", [CANARY, SEPARATED, f"card {CANARY} read", CANARY.lower(), "X16WG99J2QIEGCC0MCJ5"])
@pytest.mark.parametrize(("version", "action", "path"), PLACES, ids=str)
def test_a_card_number_in_any_text_is_not_in_the_clear(
    version: Version, action: str, path: tuple[Any, ...], canary: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Even with a space for a decoy: a station that writes cards into a status word must not leak them."""
    caplog.set_level(logging.DEBUG)
    got = receive([2, "m1", action, planted(MESSAGES[version][action], path, canary)], version)
    number = canary.removeprefix("card ").removesuffix(" read")
    if isinstance(got, Asked):
        assert number.encode() not in in_the_clear(got)
    else:
        assert isinstance(got, Bad)
        assert number not in repr(got.fact)
        assert number not in (got.reply or "")
    assert number not in caplog.text


@pytest.mark.parametrize(("version", "action"), CASES, ids=IDS)
@pytest.mark.parametrize("member", ["note", "idTag", "IDTOKEN", "customData", CANARY, "rfid"])
def test_a_card_number_in_a_member_of_the_stations_own(version: Version, action: str, member: str) -> None:
    for value in (CANARY, {"vendorId": "v", "x": [CANARY]}, {CANARY: 1}):
        payload = {**MESSAGES[version][action]}
        if any(name.lower() == member.lower() for name in payload):
            continue
        got = receive([2, "m1", action, {**payload, member: value}], version)
        if isinstance(got, Asked):
            assert CANARY.encode() not in in_the_clear(got)
            if member == "idTag":
                assert CANARY not in repr(got.heard.hidden)


@pytest.mark.parametrize(("version", "action"), CASES, ids=IDS)
def test_tokens_are_masked_and_not_even_sealed(version: Version, action: str) -> None:
    message = orjson.loads(orjson.dumps(MESSAGES[version][action]).replace(b"04A1B2C3D4E5F6", CANARY.encode()))
    heard = hear(action, message, version)
    carries = "idTag" in message or "idToken" in message
    if action != "NotifyCustomerInformation":
        assert CANARY not in repr(heard.hidden)
    assert CANARY not in repr(heard)
    assert (heard.token == Presented(CANARY)) == carries
    assert ("•••" in repr(heard.words)) >= carries


def test_words_are_the_stations_own_but_for_what_is_hidden() -> None:
    heard = hear("NotifyReport", MESSAGES[Version.V201]["NotifyReport"], Version.V201)
    assert heard.hidden == {"/reportData/0/variableCharacteristics/valuesList": "true,false"}
    report: Any = heard.words["reportData"]
    assert report[0]["variableAttribute"][0]["value"] == "true"
    assert report[0]["variableCharacteristics"]["valuesList"] == "•••"


@pytest.mark.parametrize("data", ["OCMF|{}|{}", "1234567890", "5", CANARY])
def test_signed_data_is_sealed_whatever_it_looks_like(data: str) -> None:
    sampled = [{"value": data, "format": "SignedData"}, {"value": "6"}]
    message = {"connectorId": 1, "meterValue": [{"timestamp": "2026-03-01T10:00:00Z", "sampledValue": sampled}]}
    heard = hear("MeterValues", message)
    assert heard.hidden == {"/meterValue/0/sampledValue/0/value": data}
    assert heard.fact.readings[0].energy_wh == 6  # type: ignore[attr-defined]
    assert f'"{data}"' not in orjson.dumps(dict(heard.words)).decode()


def test_what_is_hidden_says_where_it_stood() -> None:
    heard = hear("DataTransfer", {"vendorId": "v", "data": "d", "a/b~c": 1})
    assert heard.hidden == {"/data": "d", "/a~1b~0c": 1}
    assert heard.words == {"vendorId": "v", "data": "•••"}


def test_info_that_could_hold_a_card_is_not_on_the_fact() -> None:
    status = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}
    heard = hear("StatusNotification", {**status, "info": f"tag {SEPARATED}", "vendorErrorCode": CANARY})
    assert heard.fact.info is None  # type: ignore[attr-defined]
    assert heard.hidden == {"/info": f"tag {SEPARATED}", "/vendorErrorCode": CANARY}
    assert hear("StatusNotification", {**status, "info": "door open"}).fact.info == "door open"  # type: ignore[attr-defined]


def test_a_summary_never_holds_a_card() -> None:
    for version in Version:
        heard = hear("DataTransfer", {"vendorId": CANARY, "messageId": "Hello"}, version)
        assert heard.fact.summary == "Hello"  # type: ignore[attr-defined]


@pytest.mark.parametrize("version", list(Version))
def test_commands_are_masked_before_they_are_kept(version: Version) -> None:
    talk = link(version)
    assert CANARY not in repr(talk.redacted(StartCharging(uid=CANARY, evse=1)))
    assert talk.redacted(StartCharging(uid=CANARY, evse=1))


COMMANDS: list[tuple[Version, str, dict[str, Any]]] = [
    (Version.V16, "ChangeConfiguration", {"key": "AuthorizationKey", "value": CANARY}),
    (Version.V16, "DataTransfer", {"vendorId": "v", "data": CANARY}),
    (Version.V16, "UpdateFirmware", {"location": f"ftp://u:{CANARY}@h", "retrieveDate": "2026-03-01T10:00:00Z"}),
    (
        Version.V16,
        "SendLocalList",
        {
            "listVersion": 1,
            "updateType": "Full",
            "localAuthorizationList": [{"idTag": CANARY, "idTagInfo": {"status": "Accepted", "parentIdTag": CANARY}}],
        },
    ),
    (
        Version.V16,
        "ReserveNow",
        {
            "connectorId": 1,
            "expiryDate": "2026-03-01T10:00:00Z",
            "idTag": CANARY,
            "parentIdTag": CANARY,
            "reservationId": 1,
        },
    ),
    (
        Version.V201,
        "SetVariables",
        {"setVariableData": [{"attributeValue": CANARY, "component": {"name": "A"}, "variable": {"name": "B"}}]},
    ),
    (
        Version.V201,
        "CustomerInformation",
        {
            "requestId": 1,
            "report": True,
            "clear": False,
            "customerIdentifier": CANARY,
            "idToken": {"idToken": CANARY, "type": "ISO14443"},
        },
    ),
    (
        Version.V201,
        "SetDisplayMessage",
        {"message": {"id": 1, "priority": "InFront", "message": {"format": "ASCII", "content": CANARY}}},
    ),
    (Version.V201, "InstallCertificate", {"certificateType": "V2GRootCertificate", "certificate": CANARY}),
    (Version.V201, "ClearCache", {"customData": {"vendorId": "v", "card": CANARY}}),
]


@pytest.mark.parametrize(
    ("version", "action", "payload"), COMMANDS, ids=lambda part: part if isinstance(part, str) else ""
)
def test_any_command_is_masked_before_it_is_kept(version: Version, action: str, payload: dict[str, Any]) -> None:
    talk = link(version)
    order = AnyCommand(action=action, payload=payload)
    kept = talk.redacted(order)
    assert CANARY not in repr(kept)
    talk.ask("k", order)
    assert CANARY in (talk.outgoing(0.0) or "")


@pytest.mark.parametrize("version", list(Version))
@pytest.mark.parametrize(
    "answer",
    [
        [3, "o1", {"status": "Rejected", "statusInfo": {"reasonCode": CANARY}}],
        [3, "o1", {"status": f"Unknown card {CANARY.lower()}"}],
        [4, "o1", "InternalError", f"no such tag {CANARY}", {"tag": CANARY}],
        [4, "o1", CANARY, CANARY, CANARY],
    ],
)
def test_a_station_that_repeats_our_card_number_does_not_leak_it(version: Version, answer: list[Any]) -> None:
    talk = link(version)
    talk.ask("k", StartCharging(uid=CANARY, evse=1))
    talk.outgoing(0.0)
    got = talk.receive(orjson.dumps(answer).decode())
    assert isinstance(got, Settled)
    assert CANARY.lower() not in repr(got).lower()


@pytest.mark.parametrize("version", list(Version))
def test_a_refused_order_does_not_name_the_card(version: Version) -> None:
    with pytest.raises(Exception, match="longer than") as refused:
        DIALECTS[version].write(StartCharging(uid=CANARY * 5, evse=1))
    assert CANARY not in repr(refused.value)
    assert CANARY not in str(refused.value)


def test_replies_never_tell_of_groups() -> None:
    for version, action in CASES:
        asked = receive([2, "m1", action, MESSAGES[version][action]], version)
        assert isinstance(asked, Asked)
        told = link(version).answer(asked, ANSWER)
        assert "parentIdTag" not in told
        assert "groupIdToken" not in told
