"""Every message that a station can send is read to a fact and answered as the official schema has it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.ocpp.messages import CASES, IDS, MESSAGES, V16, V201
from tests.ocpp.talk import NOW, fact, hear, reply
from wattkeeper.charging.answer import Answer
from wattkeeper.charging.cards.token import Authorisation, Presented, TokenKind, Verdict
from wattkeeper.charging.facts import (
    Booted,
    ChargingState,
    HeartBeaten,
    MetersRead,
    Reported,
    SessionEnded,
    SessionOpened,
    SessionUpdated,
    StatusChanged,
    TokenPresented,
    Topic,
)
from wattkeeper.charging.reading import Context
from wattkeeper.charging.station import ConnectorStatus, Version
from wattkeeper.ocpp import schemas

AT = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
EXPIRES = datetime(2027, 1, 1, tzinfo=UTC)
ANSWERS = [
    Answer(now=NOW),
    Answer(now=NOW, admitted=False, interval_s=60),
    *[
        Answer(now=NOW, verdict=Verdict(status, "why", EXPIRES), session="K7QM-4XRD-T", number=815)
        for status in Authorisation
    ],
]


def reported(topic: Topic, summary: str, **more: Any) -> Reported:
    return Reported(topic=topic, summary=summary, **more)


FACTS_16: dict[str, object] = {
    "Authorize": TokenPresented(),
    "BootNotification": Booted(
        vendor="Volta",
        model="Pillar 22",
        serial="VP-0001",
        firmware="1.2.3",
        meter_serial="M-77",
        iccid="89490200001000000000",
        imsi="262010000000000",
    ),
    "DataTransfer": reported(Topic.DATA, "org.example Greeting"),
    "DiagnosticsStatusNotification": reported(Topic.DIAGNOSTICS, "Uploaded"),
    "FirmwareStatusNotification": reported(Topic.FIRMWARE, "Installed"),
    "Heartbeat": HeartBeaten(),
    "LogStatusNotification": reported(Topic.LOG, "Uploading"),
    "SecurityEventNotification": reported(Topic.SECURITY, "TamperDetectionActivated", at=AT),
    "SignCertificate": reported(Topic.CERTIFICATE_REQUEST, "ChargePointCertificate"),
    "SignedFirmwareStatusNotification": reported(Topic.FIRMWARE, "SignatureVerified"),
    "StartTransaction": SessionOpened(at=AT, evse=2, connector=1, register_wh=Decimal(1000), reservation=12),
    "StatusNotification": StatusChanged(
        at=AT,
        evse=1,
        status=ConnectorStatus.SUSPENDED_EVSE,
        said="SuspendedEVSE",
        error="HighTemperature",
        info="cooling down",
    ),
}
FACTS_201: dict[str, object] = {
    "Authorize": TokenPresented(),
    "BootNotification": Booted(
        vendor="Volta",
        model="Pillar 50",
        serial="VP-0002",
        firmware="2.0.0",
        iccid="89490200001000000001",
        imsi="262010000000001",
        reason="PowerUp",
    ),
    "ClearedChargingLimit": reported(Topic.CHARGING_LIMIT, "EMS cleared", evse=1),
    "DataTransfer": reported(Topic.DATA, "org.example Greeting"),
    "FirmwareStatusNotification": reported(Topic.FIRMWARE, "Downloading"),
    "Get15118EVCertificate": reported(Topic.CERTIFICATE_EV, "Install"),
    "GetCertificateStatus": reported(Topic.CERTIFICATE_STATUS, "OCSP"),
    "Heartbeat": HeartBeaten(),
    "LogStatusNotification": reported(Topic.LOG, "AcceptedCanceled"),
    "NotifyChargingLimit": reported(Topic.CHARGING_LIMIT, "SO set", evse=1),
    "NotifyCustomerInformation": reported(Topic.CUSTOMER_INFORMATION, "customer information (request 3) part 0", at=AT),
    "NotifyDisplayMessages": reported(Topic.DISPLAY_MESSAGES, "1 messages (request 5)"),
    "NotifyEVChargingNeeds": reported(Topic.CHARGING_NEEDS, "AC_three_phase", evse=2),
    "NotifyEVChargingSchedule": reported(Topic.CHARGING_SCHEDULE, "1 periods in A", at=AT, evse=2),
    "NotifyEvent": reported(Topic.EVENT, "Connector.AvailabilityState", at=AT, evse=2),
    "NotifyMonitoringReport": reported(Topic.MONITORING, "1 variables (request 6) part 0 more to come", at=AT),
    "NotifyReport": reported(Topic.INVENTORY, "1 variables (request 1) part 2", at=AT, displays_messages=True),
    "PublishFirmwareStatusNotification": reported(Topic.FIRMWARE, "Published"),
    "ReportChargingProfiles": reported(Topic.CHARGING_PROFILES, "1 profiles CSO (request 8)", evse=1),
    "ReservationStatusUpdate": reported(Topic.RESERVATION, "Expired"),
    "SecurityEventNotification": reported(Topic.SECURITY, "SettingSystemTime", at=AT),
    "SignCertificate": reported(Topic.CERTIFICATE_REQUEST, "V2GCertificate"),
    "StatusNotification": StatusChanged(at=AT, evse=2, connector=1, status=ConnectorStatus.OCCUPIED, said="Occupied"),
}


def test_the_samples_cover_every_message_of_a_station() -> None:
    assert len(V16) == 14
    assert len(V201) == 25


@pytest.mark.parametrize(("version", "action"), CASES, ids=IDS)
def test_the_samples_are_correct(version: Version, action: str) -> None:
    assert schemas.validator(version, action, "request").is_valid(MESSAGES[version][action])


@pytest.mark.parametrize(("action", "expected"), FACTS_16.items(), ids=FACTS_16.keys())
def test_a_16_message_is_this_fact(action: str, expected: object) -> None:
    assert fact(action, V16[action]) == expected


@pytest.mark.parametrize(("action", "expected"), FACTS_201.items(), ids=FACTS_201.keys())
def test_a_201_message_is_this_fact(action: str, expected: object) -> None:
    assert fact(action, V201[action], Version.V201) == expected


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda a: str(a.verdict.status if a.verdict else a.admitted))
@pytest.mark.parametrize(("version", "action"), CASES, ids=IDS)
def test_every_reply_fits_the_official_schema(version: Version, action: str, answer: Answer) -> None:
    answered = reply(action, MESSAGES[version][action], version, answer)
    errors = [error.message for error in schemas.validator(version, action, "response").iter_errors(answered)]
    assert errors == []


@pytest.mark.parametrize(("version", "action"), CASES, ids=IDS)
def test_no_correct_message_deviates(version: Version, action: str) -> None:
    assert fact(action, MESSAGES[version][action], version).deviations == ()


def test_meter_values_16() -> None:
    read = fact("MeterValues", V16["MeterValues"])
    assert isinstance(read, MetersRead)
    assert (read.at, read.ref, read.evse, read.connector) == (AT, "4711", 1, 1)
    (reading,) = read.readings
    assert (reading.at, reading.context) == (AT, Context.CLOCK)
    assert (reading.energy_wh, reading.power_w) == (Decimal(1234500), Decimal(11040))
    assert (reading.current_l1_a, reading.voltage_l1_v) == (Decimal("16.01"), Decimal("230.4"))
    assert (reading.soc_percent, reading.temperature_c) == (Decimal(56), Decimal(31))
    (rest,) = reading.rest
    assert (rest.measurand, rest.value) == ("Frequency", Decimal("50.01"))


def test_the_main_meter_is_evse_0() -> None:
    assert fact("MeterValues", {**V16["MeterValues"], "connectorId": 0}).evse == 0
    assert fact("MeterValues", V201["MeterValues"], Version.V201).evse == 0


def test_a_start_16_hands_over_its_card() -> None:
    heard = hear("StartTransaction", V16["StartTransaction"])
    assert heard.token == Presented("04A1B2C3D4E5F6", TokenKind.RFID)


def test_a_stop_16() -> None:
    heard = hear("StopTransaction", V16["StopTransaction"])
    ended = heard.fact
    assert isinstance(ended, SessionEnded)
    assert (ended.ref, ended.register_wh, ended.reason) == ("4711", Decimal(9000), "EVDisconnected")
    assert [(r.context, r.energy_wh) for r in ended.readings] == [
        (Context.BEGIN, Decimal(1000)),
        (Context.END, Decimal(9000)),
    ]
    assert heard.token == Presented("04A1B2C3D4E5F6")


def test_a_stop_16_without_reason_was_local_and_without_card_gets_no_tag_info() -> None:
    stop = {"meterStop": 1, "timestamp": "2026-03-01T10:00:00Z", "transactionId": 0}
    ended = fact("StopTransaction", stop)
    assert (ended.ref, ended.reason) == ("0", "Local")
    assert reply("StopTransaction", stop) == {}


def test_a_transaction_event_started() -> None:
    heard = hear("TransactionEvent", V201["TransactionEvent"], Version.V201)
    opened = heard.fact
    assert isinstance(opened, SessionOpened)
    assert (opened.ref, opened.seq, opened.offline, opened.trigger) == ("tx-1", 0, True, "Authorized")
    assert (opened.evse, opened.connector, opened.reservation, opened.remote_start) == (2, 1, 12, 99)
    assert opened.charging is ChargingState.EV_CONNECTED
    (reading,) = opened.readings
    assert (reading.energy_wh, reading.context, reading.signed) == (Decimal(1000), Context.BEGIN, True)
    assert heard.token == Presented("04A1B2C3D4E5F6", TokenKind.RFID)


def test_transaction_events_updated_and_ended() -> None:
    event = V201["TransactionEvent"]
    updated = fact("TransactionEvent", {**event, "eventType": "Updated", "seqNo": 3}, Version.V201)
    assert isinstance(updated, SessionUpdated)
    assert updated.seq == 3
    ended = fact("TransactionEvent", {**event, "eventType": "Ended"}, Version.V201)
    assert isinstance(ended, SessionEnded)
    assert (ended.reason, ended.register_wh) == ("Local", None)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("ISO14443", TokenKind.RFID),
        ("ISO15693", TokenKind.RFID),
        ("eMAID", TokenKind.EMAID),
        ("Central", TokenKind.CENTRAL),
        ("KeyCode", TokenKind.KEYCODE),
        ("Local", TokenKind.LOCAL),
        ("MacAddress", TokenKind.MAC_ADDRESS),
    ],
)
def test_token_kinds_201(said: str, kind: TokenKind) -> None:
    heard = hear("Authorize", {"idToken": {"idToken": "ABC", "type": said}}, Version.V201)
    assert heard.token == Presented("ABC", kind)


def test_a_start_button_presents_the_token_of_nobody() -> None:
    heard = hear("Authorize", {"idToken": {"idToken": "", "type": "NoAuthorization"}}, Version.V201)
    assert heard.token == Presented("", TokenKind.NONE)


@pytest.mark.parametrize(
    ("status", "in_16", "in_201"),
    [
        (Authorisation.ACCEPTED, "Accepted", "Accepted"),
        (Authorisation.UNKNOWN, "Invalid", "Unknown"),
        (Authorisation.BLOCKED, "Blocked", "Blocked"),
        (Authorisation.EXPIRED, "Expired", "Expired"),
        (Authorisation.CONCURRENT, "ConcurrentTx", "ConcurrentTx"),
    ],
)
def test_verdicts_in_each_dialect(status: Authorisation, in_16: str, in_201: str) -> None:
    answer = Answer(now=NOW, verdict=Verdict(status, "why"), number=815)
    assert reply("Authorize", V16["Authorize"], answer=answer) == {"idTagInfo": {"status": in_16}}
    started = reply("StartTransaction", V16["StartTransaction"], answer=answer)
    assert started == {"transactionId": 815, "idTagInfo": {"status": in_16}}
    stopped = reply("StopTransaction", V16["StopTransaction"], answer=answer)
    assert stopped == {"idTagInfo": {"status": in_16}}
    authorized = reply("Authorize", V201["Authorize"], Version.V201, answer)
    assert authorized == {"idTokenInfo": {"status": in_201}}
    event = reply("TransactionEvent", V201["TransactionEvent"], Version.V201, answer)
    assert event == {"idTokenInfo": {"status": in_201}}


def test_no_verdict_is_no_permission() -> None:
    assert reply("Authorize", V16["Authorize"]) == {"idTagInfo": {"status": "Invalid"}}
    assert reply("StartTransaction", V16["StartTransaction"])["idTagInfo"] == {"status": "Invalid"}
    assert reply("Authorize", V201["Authorize"], Version.V201) == {"idTokenInfo": {"status": "Invalid"}}


def test_the_end_of_a_card_is_told_only_with_permission() -> None:
    accepted = Answer(now=NOW, verdict=Verdict(Authorisation.ACCEPTED, "why", EXPIRES))
    expired = Answer(now=NOW, verdict=Verdict(Authorisation.EXPIRED, "why", EXPIRES))
    assert reply("Authorize", V16["Authorize"], answer=accepted)["idTagInfo"] == {
        "status": "Accepted",
        "expiryDate": "2027-01-01T00:00:00.000Z",
    }
    assert reply("Authorize", V201["Authorize"], Version.V201, accepted)["idTokenInfo"] == {
        "status": "Accepted",
        "cacheExpiryDateTime": "2027-01-01T00:00:00.000Z",
    }
    assert reply("Authorize", V16["Authorize"], answer=expired)["idTagInfo"] == {"status": "Expired"}


def test_boot_and_heartbeat_tell_the_time_to_the_millisecond() -> None:
    for version in Version:
        boot = MESSAGES[version]["BootNotification"]
        assert reply("BootNotification", boot, version) == {
            "currentTime": "2026-03-01T12:00:00.123Z",
            "interval": 300,
            "status": "Accepted",
        }
        waiting = Answer(now=NOW, admitted=False, interval_s=30)
        assert reply("BootNotification", boot, version, waiting)["status"] == "Pending"
        assert reply("Heartbeat", {}, version) == {"currentTime": "2026-03-01T12:00:00.123Z"}


@pytest.mark.parametrize(
    ("version", "action", "expected"),
    [
        (Version.V16, "DataTransfer", {"status": "UnknownVendorId"}),
        (Version.V16, "SignCertificate", {"status": "Rejected"}),
        (Version.V201, "DataTransfer", {"status": "UnknownVendorId"}),
        (Version.V201, "SignCertificate", {"status": "Rejected"}),
        (Version.V201, "Get15118EVCertificate", {"status": "Failed", "exiResponse": ""}),
        (Version.V201, "GetCertificateStatus", {"status": "Failed"}),
        (Version.V201, "NotifyEVChargingNeeds", {"status": "Rejected"}),
        (Version.V201, "NotifyEVChargingSchedule", {"status": "Accepted"}),
        (Version.V201, "StatusNotification", {}),
    ],
)
def test_what_we_do_not_offer_is_declined_in_the_standards_words(
    version: Version, action: str, expected: dict[str, Any]
) -> None:
    assert reply(action, MESSAGES[version][action], version) == expected


def test_the_session_is_shown_where_it_began_and_not_with_every_event() -> None:
    answer = Answer(now=NOW, session="K7QM-4XRD-T")
    event = V201["TransactionEvent"]
    assert reply("TransactionEvent", event, Version.V201, answer) == {
        "updatedPersonalMessage": {"format": "ASCII", "content": "Session K7QM-4XRD-T"}
    }
    assert reply("TransactionEvent", {**event, "eventType": "Updated"}, Version.V201, answer) == {}


@pytest.mark.parametrize(("value", "shows"), [("true", True), ("false", False)])
def test_an_inventory_tells_whether_messages_can_be_shown(value: str, shows: bool) -> None:
    attribute = {"value": value}
    report = {
        "requestId": 1,
        "generatedAt": "2026-03-01T10:00:00Z",
        "seqNo": 0,
        "reportData": [
            {
                "component": {"name": "DisplayMessageCtrlr"},
                "variable": {"name": "Available"},
                "variableAttribute": [attribute],
            }
        ],
    }
    assert fact("NotifyReport", report, Version.V201).displays_messages is shows
    report["reportData"] = [
        {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "Available"}, "variableAttribute": [attribute]}
    ]
    assert fact("NotifyReport", report, Version.V201).displays_messages is None
