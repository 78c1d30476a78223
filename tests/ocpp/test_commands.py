"""Orders in the standard's words, any command as the standard has it, and what the answers mean."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.orders import (
    AnyCommand,
    ChangeAvailability,
    Order,
    Reset,
    ResetKind,
    ShowMessage,
    StartCharging,
    StopCharging,
    Trigger,
    Unlock,
)
from wattkeeper.charging.station import Version
from wattkeeper.ocpp import schemas
from wattkeeper.ocpp.dialects import DIALECTS

V16, V201 = Version.V16, Version.V201
CARD = "04A1B2C3D4E5F6"

ORDERS: list[tuple[Version, Order, str, dict[str, Any]]] = [
    (V16, StartCharging(uid=CARD), "RemoteStartTransaction", {"idTag": CARD}),
    (V16, StartCharging(uid=CARD, evse=2), "RemoteStartTransaction", {"connectorId": 2, "idTag": CARD}),
    (V16, StopCharging(ref="4711"), "RemoteStopTransaction", {"transactionId": 4711}),
    (V16, StopCharging(ref="-1"), "RemoteStopTransaction", {"transactionId": -1}),
    (V16, Reset(), "Reset", {"type": "Soft"}),
    (V16, Reset(kind=ResetKind.HARD), "Reset", {"type": "Hard"}),
    (V16, Trigger(message="Heartbeat"), "TriggerMessage", {"requestedMessage": "Heartbeat"}),
    (
        V16,
        Trigger(message="StatusNotification", evse=1),
        "TriggerMessage",
        {"requestedMessage": "StatusNotification", "connectorId": 1},
    ),
    (
        V16,
        Trigger(message="SignChargePointCertificate"),
        "ExtendedTriggerMessage",
        {"requestedMessage": "SignChargePointCertificate"},
    ),
    (V16, Unlock(evse=2), "UnlockConnector", {"connectorId": 2}),
    (V16, ChangeAvailability(operative=False), "ChangeAvailability", {"connectorId": 0, "type": "Inoperative"}),
    (V16, ChangeAvailability(operative=True, evse=2), "ChangeAvailability", {"connectorId": 2, "type": "Operative"}),
    (
        V201,
        StartCharging(uid=CARD, evse=2, remote_start=7),
        "RequestStartTransaction",
        {"evseId": 2, "idToken": {"idToken": CARD, "type": "ISO14443"}, "remoteStartId": 7},
    ),
    (
        V201,
        StartCharging(uid="app-123"),
        "RequestStartTransaction",
        {"idToken": {"idToken": "app-123", "type": "Central"}, "remoteStartId": 0},
    ),
    (V201, StopCharging(ref="a-b"), "RequestStopTransaction", {"transactionId": "a-b"}),
    (V201, Reset(), "Reset", {"type": "OnIdle"}),
    (V201, Reset(kind=ResetKind.HARD, evse=1), "Reset", {"type": "Immediate", "evseId": 1}),
    (V201, Trigger(message="Heartbeat"), "TriggerMessage", {"requestedMessage": "Heartbeat"}),
    (
        V201,
        Trigger(message="MeterValues", evse=2),
        "TriggerMessage",
        {"evse": {"id": 2}, "requestedMessage": "MeterValues"},
    ),
    (
        V201,
        Trigger(message="StatusNotification", evse=2),
        "TriggerMessage",
        {"evse": {"id": 2, "connectorId": 1}, "requestedMessage": "StatusNotification"},
    ),
    (V201, Unlock(evse=2, connector=3), "UnlockConnector", {"evseId": 2, "connectorId": 3}),
    (V201, ChangeAvailability(operative=False), "ChangeAvailability", {"operationalStatus": "Inoperative"}),
    (
        V201,
        ChangeAvailability(operative=True, evse=1, connector=2),
        "ChangeAvailability",
        {"evse": {"id": 1, "connectorId": 2}, "operationalStatus": "Operative"},
    ),
    (
        V201,
        ShowMessage(text="Session K7QM-4XRD-T", ref="t", message_id=5),
        "SetDisplayMessage",
        {
            "message": {
                "id": 5,
                "priority": "InFront",
                "transactionId": "t",
                "message": {"format": "ASCII", "content": "Session K7QM-4XRD-T"},
            }
        },
    ),
]


def refused(version: Version, order: Order) -> Refusal:
    with pytest.raises(Refusal) as caught:
        DIALECTS[version].write(order)
    return caught.value


@pytest.mark.parametrize(
    ("version", "order", "action", "payload"), ORDERS, ids=lambda part: getattr(part, "value", None)
)
def test_orders_in_the_standards_words(version: Version, order: Order, action: str, payload: dict[str, Any]) -> None:
    written = DIALECTS[version].write(order)
    assert orjson.dumps(written) == orjson.dumps((action, payload))
    assert schemas.validator(version, action, "request").is_valid(written[1])


def test_a_message_in_other_letters_says_so() -> None:
    _, payload = DIALECTS[V201].write(ShowMessage(text="Grüße", ref="t", message_id=5))
    message: Any = payload["message"]
    assert message["message"] == {"format": "UTF8", "content": "Grüße"}


@pytest.mark.parametrize(
    ("version", "order", "member"),
    [
        (V16, StartCharging(uid="x" * 21), "idTag"),
        (V201, StartCharging(uid="x" * 37), "idToken.idToken"),
        (V16, StopCharging(ref="a-b"), "ref"),
        (V16, StopCharging(ref="٣"), "ref"),
        (V201, StopCharging(ref="x" * 37), "transactionId"),
        (V16, Reset(evse=1), "evse"),
        (V16, Trigger(message="Nonsense"), "requestedMessage"),
        (V201, Trigger(message="DiagnosticsStatusNotification"), "requestedMessage"),
        (V16, ShowMessage(text="x", ref="1", message_id=1), "order"),
        (V201, ShowMessage(text="x" * 513, ref="1", message_id=1), "message.message.content"),
    ],
)
def test_what_a_version_cannot_say_is_refused(version: Version, order: Order, member: str) -> None:
    refusal = refused(version, order)
    assert refusal.code is Code.INVALID
    assert refusal.details == {"member": member}


# --- any command -------------------------------------------------------------------------------------

COMMANDS_16 = [
    "ChangeAvailability",
    "ChangeConfiguration",
    "ClearCache",
    "DataTransfer",
    "GetConfiguration",
    "RemoteStartTransaction",
    "RemoteStopTransaction",
    "Reset",
    "UnlockConnector",
    "GetDiagnostics",
    "UpdateFirmware",
    "GetLocalListVersion",
    "SendLocalList",
    "ReserveNow",
    "CancelReservation",
    "ClearChargingProfile",
    "GetCompositeSchedule",
    "SetChargingProfile",
    "TriggerMessage",
    "CertificateSigned",
    "DeleteCertificate",
    "ExtendedTriggerMessage",
    "GetInstalledCertificateIds",
    "GetLog",
    "InstallCertificate",
    "SignedUpdateFirmware",
]


def sent(version: Version, action: str, payload: dict[str, Any]) -> str:
    """The payload as it goes on the wire."""
    return orjson.dumps(DIALECTS[version].write(AnyCommand(action=action, payload=payload))[1]).decode()


def known(version: Version, action: str) -> bool:
    try:
        DIALECTS[version].write(AnyCommand(action=action, payload={}))
    except Refusal as refusal:
        return refusal.code is Code.INVALID and refusal.details["member"] != "action"
    return True


def test_every_command_of_16_and_no_other() -> None:
    assert {action for action in schemas.actions(V16) if known(V16, action)} == set(COMMANDS_16)


def test_every_command_of_201_and_no_other() -> None:
    commands = {action for action in schemas.actions(V201) if known(V201, action)}
    assert len(commands) == 64 - 25 + 1
    assert {"SetNetworkProfile", "CostUpdated", "UnpublishFirmware", "DataTransfer"} <= commands
    assert not {"TransactionEvent", "Heartbeat", "NotifyReport"} & commands


@pytest.mark.parametrize("version", [V16, V201])
def test_an_unknown_command_is_not_found_and_a_stations_message_is_refused(version: Version) -> None:
    assert refused(version, AnyCommand(action="MakeCoffee", payload={})).code is Code.NOT_FOUND
    assert refused(version, AnyCommand(action="../Reset", payload={})).code is Code.NOT_FOUND
    assert refused(version, AnyCommand(action="BootNotification", payload={})).code is Code.INVALID


def test_members_are_sent_in_the_schemas_order_and_nothing_is_added() -> None:
    profile = {
        "csChargingProfiles": {
            "chargingSchedule": {
                "chargingSchedulePeriod": [
                    {"limit": 16.1, "startPeriod": 0},
                    {"numberPhases": 1, "limit": 6, "startPeriod": 60},
                ],
                "chargingRateUnit": "A",
            },
            "chargingProfileKind": "Absolute",
            "chargingProfilePurpose": "TxDefaultProfile",
            "stackLevel": 0,
            "chargingProfileId": 1,
        },
        "connectorId": 1,
    }
    assert sent(V16, "SetChargingProfile", profile) == (
        '{"connectorId":1,"csChargingProfiles":{"chargingProfileId":1,"stackLevel":0,'
        '"chargingProfilePurpose":"TxDefaultProfile","chargingProfileKind":"Absolute","chargingSchedule":{'
        '"chargingRateUnit":"A","chargingSchedulePeriod":[{"startPeriod":0,"limit":16.1},'
        '{"startPeriod":60,"limit":6,"numberPhases":1}]}}}'
    )


@pytest.mark.parametrize(("limit", "fits"), [(0.1, True), (16.1, True), (32, True), (229.9, True), (16.15, False)])
def test_a_limit_has_one_decimal(limit: float, fits: bool) -> None:
    schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}]}
    profile = {
        "chargingProfileId": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Relative",
        "chargingSchedule": schedule,
    }
    payload = {"connectorId": 1, "csChargingProfiles": profile}
    if fits:
        assert f'"limit":{limit}' in sent(V16, "SetChargingProfile", payload)
    else:
        assert "decimals" in refused(V16, AnyCommand(action="SetChargingProfile", payload=payload)).why


def test_members_are_ordered_through_references_too() -> None:
    variables = {
        "setVariableData": [
            {
                "variable": {"instance": "i", "name": "v"},
                "component": {"evse": {"connectorId": 1, "id": 2}, "name": "c"},
                "attributeValue": "x",
            }
        ],
        "customData": {"zeta": [1, {"b": 1, "a": 2}], "vendorId": "v"},
    }
    assert sent(V201, "SetVariables", variables) == (
        '{"customData":{"vendorId":"v","zeta":[1,{"b":1,"a":2}]},"setVariableData":[{"attributeValue":"x",'
        '"component":{"evse":{"id":2,"connectorId":1},"name":"c"},"variable":{"name":"v","instance":"i"}}]}'
    )


def test_a_data_transfer_of_201_takes_any_data() -> None:
    data = {"b": [1, None, {"z": 1, "a": 2}], "a": True}
    assert sent(V201, "DataTransfer", {"data": data, "vendorId": "v"}) == (
        '{"data":{"b":[1,null,{"z":1,"a":2}],"a":true},"vendorId":"v"}'
    )


@pytest.mark.parametrize(
    ("version", "action", "payload", "member", "reason"),
    [
        (V16, "Reset", {}, "type", "needs"),
        (V16, "Reset", {"type": "Gentle"}, "type", "none of the standard's words"),
        (V16, "Reset", {"type": "Soft", "x": 1}, "payload", "does not have"),
        (V16, "Reset", {"type": None}, "type", "wrong type"),
        (V16, "ChangeConfiguration", {"key": "k" * 51, "value": "v"}, "key", "longer"),
        (V16, "UnlockConnector", {"connectorId": "1"}, "connectorId", "type"),
        (
            V16,
            "ReserveNow",
            {"connectorId": 1, "expiryDate": "tomorrow", "idTag": "A", "reservationId": 1},
            "expiryDate",
            "RFC 3339",
        ),
        (V201, "SetVariables", {"setVariableData": []}, "setVariableData", "fewer"),
        (V201, "GetReport", {"requestId": 1, "componentCriteria": ["Active"] * 5}, "componentCriteria", "more entries"),
        (
            V201,
            "GetVariables",
            {"getVariableData": [{"component": {"name": "c"}, "variable": {}}]},
            "getVariableData.0.variable.name",
            "needs",
        ),
    ],
)
def test_a_payload_that_breaks_the_schema_is_refused_by_its_member(
    version: Version, action: str, payload: dict[str, Any], member: str, reason: str
) -> None:
    refusal = refused(version, AnyCommand(action=action, payload=payload))
    assert refusal.code is Code.INVALID
    assert refusal.details == {"member": member}
    assert reason in refusal.why
    assert action in refusal.why


@pytest.mark.parametrize("data", [2**64, -(2**63) - 1, "\ud800", {1: 2}, {"a": object()}, {"a": b"x"}])
def test_what_json_cannot_say_is_refused(data: object) -> None:
    assert (
        refused(V201, AnyCommand(action="DataTransfer", payload={"vendorId": "v", "data": data})).code is Code.INVALID
    )


def test_data_that_nests_without_end_is_refused() -> None:
    data: Any = 1
    for _ in range(100_000):
        data = [data]
    try:
        assert (
            refused(V201, AnyCommand(action="DataTransfer", payload={"vendorId": "v", "data": data})).code
            is Code.INVALID
        )
    finally:
        while isinstance(data, list):  # or its destruction would recurse
            data = data.pop()
