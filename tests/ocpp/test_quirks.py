"""How real stations differ from the standard, by the ids of the collection, and more that were found since.

Where a frame was found in the open it is told here in our own form; `SOURCES` says where to look.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest

from tests.ocpp.talk import fact, hear, link, receive, refusal, reply
from wattkeeper.charging.answer import Answer
from wattkeeper.charging.facts import (
    Booted,
    MetersRead,
    SessionEnded,
    SessionOpened,
    SessionUpdated,
    StatusChanged,
    TokenPresented,
)
from wattkeeper.charging.orders import AnyCommand, Outcome, StartCharging
from wattkeeper.charging.reading import UNDATED, Context
from wattkeeper.charging.station import ConnectorStatus, Version
from wattkeeper.charging.token import Presented
from wattkeeper.ocpp.link import Asked, Bad, Settled, Stray

SOURCES = {
    "Q01": "github.com/ConnectorIO/connectorio-addons/pull/199",
    "Q02": "github.com/EVerest/libocpp/issues/495",
    "Q04": "github.com/mobilityhouse/ocpp/issues/478",
    "Q05": "github.com/lbbrhzn/ocpp/issues/1069",
    "Q07": "github.com/lbbrhzn/ocpp/issues/2032",
    "Q08": "github.com/lbbrhzn/ocpp/issues/1078",
    "Q10": "github.com/evcc-io/evcc/issues/10399",
    "Q11": "github.com/steve-community/steve/issues/136",
    "Q12": "github.com/monta-app/ocpp-emulator/issues/5",
    "Q14": "github.com/mobilityhouse/ocpp/issues/186",
    "Q17": "github.com/OpenEVSE/openevse_esp32_firmware/issues/703",
    "Q19": "github.com/shiv3/ocpp-cp-simulator/pull/83",
    "Q22": "github.com/lbbrhzn/ocpp/issues/210",
    "Q23": "github.com/evcc-io/evcc/issues/18109",
    "Q25": "github.com/lbbrhzn/ocpp/issues/1144",
    "Q27": "github.com/evcc-io/evcc/issues/32170",
    "Q28": "github.com/mobilityhouse/ocpp/issues/273",
    "Q30": "github.com/lbbrhzn/ocpp/issues/1803",
    "Q32": "github.com/evcc-io/evcc/issues/14579",
    "Q36": "github.com/lbbrhzn/ocpp/blob/main/docs/supported-devices.md",
    "Q39": "github.com/lorenzodonini/ocpp-go/pull/258",
    "Q49": "github.com/mobilityhouse/ocpp/issues/358",
    "Q51": "github.com/lbbrhzn/ocpp/issues/2135",
    "Q55": "github.com/ConnectorIO/connectorio-addons/pull/332",
    "unit Hz": "github.com/lbbrhzn/ocpp/issues/1576",
    "errorCode Error": "github.com/lbbrhzn/ocpp/issues/1248",
    "start value repeated": "github.com/lbbrhzn/ocpp/issues/1838",
    "control characters": "github.com/lbbrhzn/ocpp/issues/2030",
    "space before value": "github.com/evcc-io/evcc/pull/16523",
    "phase in measurand": "github.com/lbbrhzn/ocpp/issues/19",
    "empty sampledValue": "github.com/lbbrhzn/ocpp/issues/466",
    "year 1": "github.com/lorenzodonini/ocpp-go/issues/20",
    "no meter": "github.com/ConnectorIO/connectorio-addons/pull/351",
    "sum of doubles": "github.com/road-labs/chargestation-one/issues/61",
}

ENERGY = "Energy.Active.Import.Register"


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


def meter(sampled: Any, **more: Any) -> dict[str, Any]:
    value = {"timestamp": "2026-03-01T10:00:00Z", "sampledValue": sampled}
    return {"connectorId": 1, "meterValue": [value], **more}


def read(sample: dict[str, Any]) -> tuple[Any, tuple[str, ...]]:
    """The only reading of a sample, and the deviations."""
    got = fact("MeterValues", meter([sample]))
    assert isinstance(got, MetersRead)
    return (got.readings[0] if got.readings else None), got.deviations


# --- by id -------------------------------------------------------------------------------------------


def test_q01_a_stop_of_a_session_we_never_knew_is_answered() -> None:
    stop = {"meterStop": 7, "timestamp": "2026-03-01T10:00:00Z", "transactionId": 123456}
    assert reply("StopTransaction", stop) == {}
    assert fact("StopTransaction", stop).ref == "123456"


def test_q02_transaction_id_minus_one() -> None:
    got = receive(
        '[2,"531531539","StopTransaction",{"meterStop":2,"timestamp":"2022-02-24T13:54:20.000Z","transactionId":-1}]'
    )
    assert isinstance(got, Asked)
    assert got.heard.fact == SessionEnded(at=utc(2022, 2, 24, 13, 54, 20), ref="-1", register_wh=Decimal(2))


def test_q04_transaction_id_zero_is_kept_as_said() -> None:
    for connector in (0, 1):
        got = fact("MeterValues", meter([{"value": "5"}], transactionId=0, connectorId=connector))
        assert (got.ref, got.evse) == ("0", connector)


def test_q05_meter_values_of_no_transaction() -> None:
    got = fact("MeterValues", meter([{"value": "5"}]))
    assert (got.ref, got.evse, got.readings[0].energy_wh) == (None, 1, Decimal(5))


@pytest.mark.parametrize(
    ("frame", "call_id"),
    [
        pytest.param(
            '[2,"m1","MeterValues",{"connectorId":1,"transactionId":,"meterValue":[{"timestamp":'
            '"2026-08-04T13:35:45.377","sampledValue":[{"value":"1750","context":"Sample.Periodic","measurand":'
            '"Energy.Active.Import.Register","unit":"Wh","location":"Outlet"}]}]}]',
            "m1",
            id="Q07",
        ),
        pytest.param(
            '[2,"9lmha8x27fuad8cemfzn5bxr","MeterValues",{"connectorId":1,"transactionId":1707206943,"meterValue":'
            '[{"timestamp":"2024-02-06T08:09:37Z","sampledValue":[,{"value":"139955","context":"Sample.Periodic",'
            '"measurand":"Energy.Active.Import.Register","format":"Raw","unit":"Wh"},{"value":"0","measurand":'
            '"Power.Active.Import","format":"Raw","unit":"W"}]}]}]',
            "9lmha8x27fuad8cemfzn5bxr",
            id="Q08",
        ),
    ],
)
def test_q07_q08_broken_json_is_answered_and_kept(frame: str, call_id: str) -> None:
    got = receive(frame)
    assert isinstance(got, Bad)
    assert orjson.loads(got.reply or "")[:3] == [4, call_id, "FormationViolation"]
    assert (got.hidden, got.fact.action) == ({"frame": frame}, "MeterValues")


def test_q10_a_time_without_zone_is_utc_and_reservation_zero_is_none() -> None:
    got = receive(
        '[2,"288115","StartTransaction",{"connectorId":1,"idTag":"evcc","meterStart":0,"reservationId":0,'
        '"timestamp":"2023-10-19T15:28:07"}]'
    )
    assert isinstance(got, Asked)
    assert got.heard.fact == SessionOpened(
        at=utc(2023, 10, 19, 15, 28, 7),
        evse=1,
        connector=1,
        register_wh=Decimal(0),
        deviations=("zoneless_time", "reservation_zero"),
    )
    assert got.heard.token == Presented("evcc")


def test_q11_local_time_that_claims_to_be_utc_is_kept_as_said() -> None:
    got = receive(
        '[2, "156167709", "StatusNotification", {"connectorId": 1, "status": "Available", "errorCode": "NoError", '
        '"info": "Status Update", "timestamp": "2019-05-10T16:05:33Z", "vendorId": "Chago"}]'
    )
    assert isinstance(got, Asked)
    assert got.heard.fact == StatusChanged(
        at=utc(2019, 5, 10, 16, 5, 33),
        evse=1,
        status=ConnectorStatus.AVAILABLE,
        said="Available",
        info="Status Update",
    )


def test_q12_an_offset_without_minutes() -> None:
    got = receive(
        '[2,"658ae207-02ad-4051-8ecb-51d90e8bbf21","StatusNotification",{"connectorId":2,"errorCode":"NoError",'
        '"status":"Preparing","timestamp":"2024-04-26T14:35:02+02"}]'
    )
    assert isinstance(got, Asked)
    assert got.heard.fact == StatusChanged(
        at=utc(2024, 4, 26, 12, 35, 2),
        evse=2,
        status=ConnectorStatus.PREPARING,
        said="Preparing",
        deviations=("odd_time",),
    )


def test_q14_a_repeated_start_is_the_same_fact_under_any_message_id() -> None:
    start = {"connectorId": 1, "idTag": "20:69:C0:21", "meterStart": 0, "timestamp": "2021-03-24T07:06:40.000Z"}
    first, second = receive([2, "0809558", "StartTransaction", start]), receive([2, "9", "StartTransaction", start])
    assert isinstance(first, Asked)
    assert isinstance(second, Asked)
    assert first.heard == second.heard
    assert first.heard.token == Presented("20:69:C0:21")
    assert "20:69" not in str(first)


def test_q17_kwh_labelled_wh_is_recorded_as_said() -> None:
    got = receive(
        '[2,"x","MeterValues",{"connectorId":1,"meterValue":[{"timestamp":"2023-07-01T21:45:30.000Z","sampledValue":'
        '[{"value":"9451","context":"Sample.Periodic","measurand":"Power.Active.Import","unit":"W"},{"value":"361",'
        '"context":"Sample.Periodic","measurand":"Energy.Active.Import.Register","unit":"Wh"}]}]}]'
    )
    assert isinstance(got, Asked)
    (reading,) = got.heard.fact.readings  # type: ignore[attr-defined]
    assert (reading.energy_wh, reading.power_w) == (Decimal(361), Decimal(9451))


@pytest.mark.parametrize("stop", [26008.333, "26008.333"])
def test_q19_a_register_with_a_fraction_is_exact(stop: object) -> None:
    ended = fact("StopTransaction", {"meterStop": stop, "timestamp": "2026-03-01T10:00:00Z", "transactionId": 1})
    assert ended.register_wh == Decimal("26008.333")
    assert "fraction_for_integer" in ended.deviations
    opened = fact("StartTransaction", {"connectorId": 1, "idTag": "A", "meterStart": 0.5, "timestamp": "2026-03-01T10:00:00Z"})
    assert opened.register_wh == Decimal("0.5")


def test_q22_a_value_that_is_a_number() -> None:
    got = receive(
        '[2,"x","MeterValues",{"connectorId":1,"meterValue":[{"timestamp":"2021-11-22T20:38:32.000Z","sampledValue":'
        '[{"value":604.213,"measurand":"Energy.Active.Import.Register","unit":"Wh"},{"value":0,"measurand":'
        '"Power.Active.Import","unit":"W"}]}]}]'
    )
    assert isinstance(got, Asked)
    (reading,) = got.heard.fact.readings  # type: ignore[attr-defined]
    assert (reading.energy_wh, reading.power_w) == (Decimal("604.213"), Decimal(0))
    assert got.heard.fact.deviations == ("number_for_string",)


def test_q23_empty_values_are_skipped() -> None:
    got = receive(
        '[2,"32773065","MeterValues",{"meterValue":[{"timestamp":"2025-01-07T11:18:59Z","sampledValue":[{"context":'
        '"Trigger","measurand":"Power.Active.Import","value":""},{"context":"Trigger","measurand":'
        '"Energy.Active.Import.Register","value":""},{"context":"Trigger","measurand":"SoC","value":""}]}],'
        '"connectorId":0,"transactionId":0}]'
    )
    assert isinstance(got, Asked)
    assert got.heard.fact == MetersRead(evse=0, ref="0", deviations=("unreadable_value",))


def test_q23_soc_in_volts() -> None:
    reading, deviations = read({"value": "55", "measurand": "SoC", "unit": "V"})
    assert (reading.soc_percent, deviations) == (Decimal(55), ("wrong_unit",))


def test_q25_an_object_for_a_list() -> None:
    got = receive(
        '[2,"661eb557000000570056","MeterValues",{"connectorId":1,"transactionId":1,"meterValue":{"timestamp":'
        '"2024-04-16T17:28:55.000Z","sampledValue":[{"value":"0.00","context":"Transaction.Begin","measurand":'
        '"Energy.Active.Import.Register","unit":"kWh"}]}}]'
    )
    assert isinstance(got, Asked)
    (reading,) = got.heard.fact.readings  # type: ignore[attr-defined]
    assert (reading.energy_wh, reading.context) == (Decimal(0), Context.BEGIN)
    assert got.heard.fact.deviations == ("object_for_array",)


def test_q27_an_empty_vendor() -> None:
    got = receive(
        '[2,"6a6705c7000009890980","BootNotification",{"chargePointModel":"ACChargePoint",'
        '"chargePointSerialNumber":"huawei1","chargePointVendor":""}]'
    )
    assert isinstance(got, Asked)
    assert got.heard.fact == Booted(vendor="", model="ACChargePoint", serial="huawei1")


def test_q28_long_serial_numbers_are_kept() -> None:
    got = receive(
        '[2,"b1","BootNotification",{"chargeBoxSerialNumber":"EVB1A22P2RI3N182341200100350795E5","chargePointModel":'
        '"EVlink Smart Wallbox","chargePointSerialNumber":"3N18310641B55","chargePointVendor":"Schneider Electric",'
        '"firmwareVersion":"3.4.0.2"}]'
    )
    assert isinstance(got, Asked)
    assert got.heard.fact == Booted(
        vendor="Schneider Electric",
        model="EVlink Smart Wallbox",
        serial="3N18310641B55",
        firmware="3.4.0.2",
        deviations=("long_text",),
    )
    long = "S" * 200
    assert fact("BootNotification", {"chargePointVendor": "v", "chargePointModel": "m", "meterSerialNumber": long}).meter_serial == long


def test_q30_a_card_number_with_rubbish_behind_it() -> None:
    got = receive(
        '[2,"4688","StopTransaction",{"meterStop":250390,"timestamp":"2025-11-10T10:23:58Z","transactionId":'
        '1762770182,"idTag":"X16WG99J2QIEGCC0MCJ5-"}]'
    )
    assert isinstance(got, Asked)
    assert got.heard.fact == SessionEnded(
        at=utc(2025, 11, 10, 10, 23, 58),
        ref="1762770182",
        register_wh=Decimal(250390),
        deviations=("long_card_number",),
    )
    assert got.heard.token == Presented("X16WG99J2QIEGCC0MCJ5")


def test_q32_members_too_many() -> None:
    got = receive(
        '[2, "1d2bd940-3149-11ef-9265-000a1484c32e", "Authorize", {"connectorId": 2, "idTag": "0584350940cxxx"}]'
    )
    assert isinstance(got, Asked)
    assert got.heard.fact == TokenPresented(deviations=("unknown_member",))
    assert got.heard.token == Presented("0584350940cxxx")
    assert (got.heard.words, got.heard.hidden) == ({"idTag": "•••"}, {"/connectorId": 2})


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("BootNotification", {"chargePointVendor": "FoxESS", "chargePointModel": "A011KP1"}),
        ("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Available"}),
        ("MeterValues", {"connectorId": 1, "transactionId": 5, "meterValue": []}),
        ("Authorize", {"idTag": "AB"}),
        ("StartTransaction", {"connectorId": 1, "idTag": "AB", "meterStart": 0, "timestamp": "2026-03-01T10:00:00Z"}),
        ("StopTransaction", {"transactionId": 1, "meterStop": 0, "timestamp": "2026-03-01T10:00:00Z"}),
        ("DiagnosticsStatusNotification", {"status": "Idle"}),
    ],
)
def test_q36_messages_of_16_on_a_link_of_201(action: str, payload: dict[str, Any]) -> None:
    call_id, code, description = refusal([2, "m1", action, payload], Version.V201)
    assert (call_id, code) == ("m1", "NotImplemented" if "Transaction" in action or "Diagnos" in action else "ProtocolError")
    assert "1.6" in description
    assert "2.0.1" in description
    assert "mismatch" in description


def test_q36_the_other_way_round() -> None:
    _, code, description = refusal([2, "m1", "TransactionEvent", {"eventType": "Started"}])
    assert code == "NotImplemented"
    assert "mismatch" in description


def test_q39_a_long_configuration_value_is_an_answer() -> None:
    talk = link()
    talk.ask("k", AnyCommand(action="GetConfiguration", payload={}))
    talk.outgoing(0.0)
    value = "Energy.Active.Import.Register," * 60
    got = talk.receive(orjson.dumps([3, "o1", {"configurationKey": [{"key": "K", "readonly": True, "value": value}]}]).decode())
    assert isinstance(got, Settled)
    assert got.settlement.outcome is Outcome.ACCEPTED
    assert got.settlement.words == {"configurationKey": [{"key": "K", "readonly": True, "value": value}]}


def test_q49_message_type_1_is_answered_and_the_link_stays() -> None:
    talk = link()
    got = talk.receive(
        '[1,"6OUouvaV6Mgn15TKolbTXsXlJtU9eo16yAuB","StartTransaction",{"connectorId":1,"idTag":"04B0267AE05C87",'
        '"timestamp":"2022-08-23T16:15:44Z","meterStart":0,"reservationId":0}]'
    )
    assert isinstance(got, Stray)
    assert orjson.loads(got.reply or "")[:2] == [4, "6OUouvaV6Mgn15TKolbTXsXlJtU9eo16yAuB"]
    assert "04B0267AE05C87" not in str(got)
    assert isinstance(talk.receive('[2,"m","Heartbeat",{}]'), Asked)


def test_q51_an_event_without_connector_and_offline() -> None:
    event = {
        "eventType": "Updated",
        "timestamp": "2026-03-01T10:00:00Z",
        "triggerReason": "MeterValuePeriodic",
        "seqNo": 7,
        "offline": True,
        "evse": {"id": 1},
        "transactionInfo": {"transactionId": "t"},
    }
    got = fact("TransactionEvent", event, Version.V201)
    assert got == SessionUpdated(
        at=utc(2026, 3, 1, 10), ref="t", seq=7, offline=True, evse=1, trigger="MeterValuePeriodic"
    )


def test_q55_a_start_always_names_its_connector() -> None:
    talk = link()
    talk.ask("k", StartCharging(uid="AB", evse=2))
    assert talk.outgoing(0.0) == '[2,"o1","RemoteStartTransaction",{"connectorId":2,"idTag":"AB"}]'


# --- others ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "wh"),
    [
        ({"unit": "kwh"}, 12500),
        ({"unit": "KWH"}, 12500),
        ({"unit": "WH"}, Decimal("12.5")),
        ({"unit": "wh"}, Decimal("12.5")),
        ({"unit": "MWh"}, 12500000),
        ({"unit": "kW"}, 12500),
        ({"unit": "W"}, Decimal("12.5")),
        ({"unit": ""}, Decimal("12.5")),
        ({"unit": None}, Decimal("12.5")),
        ({"value": "12,5"}, Decimal("12.5")),
        ({"value": "12.5 kWh"}, 12500),
        ({"value": "12.5kWh", "unit": "kWh"}, 12500),
        ({"value": " 12.5"}, Decimal("12.5")),
        ({"value": "1.25e1"}, Decimal("12.5")),
        ({"value": "+12.5"}, Decimal("12.5")),
        ({"measurand": ""}, Decimal("12.5")),
        ({"measurand": "energy.active.import.register"}, Decimal("12.5")),
        ({"measurand": None, "context": None, "location": None}, Decimal("12.5")),
        ({"location": "outlet"}, Decimal("12.5")),
        ({"context": "sample.periodic"}, Decimal("12.5")),
        ({"context": "Sample.Unheard"}, Decimal("12.5")),
        ({"Value": "99"}, Decimal("12.5")),
        ({"format": "raw"}, Decimal("12.5")),
        ({"measurand": "Energy.Active.Import.Register.L1"}, Decimal("12.5")),
    ],
    ids=str,
)
def test_energy_however_it_is_worded(said: dict[str, Any], wh: Any) -> None:
    reading, deviations = read({"value": "12.5", "measurand": ENERGY, **said})
    assert reading.energy_wh == wh
    assert deviations


@pytest.mark.parametrize(
    "value", ["", "N/A", "NaN", "Infinity", "-Infinity", "null", "-", ".", "1.2.3", "0x10", "1_000", "１２", True, {}, [], "1e99"]
)
def test_what_is_no_value_is_skipped(value: object) -> None:
    got = fact("MeterValues", meter([{"value": value, "measurand": ENERGY}, {"value": "5", "measurand": "SoC"}]))
    (reading,) = got.readings
    assert (reading.energy_wh, reading.soc_percent) == (None, Decimal(5))
    assert got.deviations


@pytest.mark.parametrize("number", [10**18, -(10**18), 1e30, "9" * 30])
def test_a_number_beyond_meaning_is_set_aside(number: object) -> None:
    assert read({"value": number})[0] is None
    ended = fact("StopTransaction", {"meterStop": number, "transactionId": 1, "timestamp": "2026-03-01T10:00:00Z"})
    assert (ended.register_wh, ended.ref) == (None, "1")
    assert "number_out_of_range" in ended.deviations


@pytest.mark.parametrize("number", [-5, "-5"])
def test_negative_numbers_are_recorded(number: object) -> None:
    ended = fact("StopTransaction", {"meterStop": number, "transactionId": 1, "timestamp": "2026-03-01T10:00:00Z"})
    assert ended.register_wh == Decimal(-5)


@pytest.mark.parametrize(
    ("said", "ref"),
    [
        ("4711", "4711"),
        (4711.0, "4711"),
        ("4711 ", "4711"),
        ("a-b-c", "a-b-c"),
        (-4711, "-4711"),
        (2**53, str(2**53)),
        (None, None),
        ("", None),
        ([], None),
        (1e30, None),
    ],
)
def test_the_transaction_id_as_said(said: object, ref: str | None) -> None:
    got = fact("MeterValues", meter([{"value": "5"}], transactionId=said))
    assert got.ref == ref
    assert bool(got.deviations) == (type(said) is not int and said != 4711.0)


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("Occupied", ConnectorStatus.OCCUPIED),
        ("SuspendedEv", ConnectorStatus.SUSPENDED_EV),
        ("suspended_evse", ConnectorStatus.SUSPENDED_EVSE),
        ("available", ConnectorStatus.AVAILABLE),
        ("CHARGING", ConnectorStatus.CHARGING),
        (" Faulted ", ConnectorStatus.FAULTED),
        ("Sleeping", ConnectorStatus.UNKNOWN),
        ("", ConnectorStatus.UNKNOWN),
    ],
)
def test_status_words(said: str, status: ConnectorStatus) -> None:
    got = fact("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": said})
    assert got.status is status
    assert got.deviations
    event = {"timestamp": "2026-03-01T10:00:00Z", "connectorStatus": said, "evseId": 1, "connectorId": 1}
    assert fact("StatusNotification", event, Version.V201).status is status


def test_the_unheard_status_word_is_kept() -> None:
    assert fact("StatusNotification", {"connectorId": 1, "status": "Sleeping"}).said == "Sleeping"


def test_a_missing_and_an_unknown_error_code() -> None:
    got = fact("StatusNotification", {"connectorId": 1, "status": "Available"})
    assert (got.error, got.deviations) == (None, ("missing_member",))
    got = fact("StatusNotification", {"connectorId": 1, "status": "Faulted", "errorCode": "Error"})
    assert (got.error, got.deviations) == ("Error", ("unknown_word",))
    assert fact("StatusNotification", {"connectorId": "1", "status": "Faulted", "errorCode": None}).evse == 1


@pytest.mark.parametrize("tag", [None, "", "   ", {}, ["AB"], True])
def test_a_start_without_a_readable_card(tag: object) -> None:
    start = {"connectorId": 1, "idTag": tag, "meterStart": 5, "timestamp": "2026-03-01T10:00:00Z"}
    heard = hear("StartTransaction", start)
    assert heard.token is None
    assert heard.fact.register_wh == 5  # type: ignore[attr-defined]
    assert heard.fact.deviations


def test_a_card_number_that_is_a_number() -> None:
    heard = hear("Authorize", {"idTag": 12345678})
    assert (heard.token, heard.words) == (Presented("12345678"), {"idTag": "•••"})


@pytest.mark.parametrize(
    "start",
    [
        {"idTag": "AB", "meterStart": "100", "timestamp": "2026-03-01T10:00:00Z", "connectorId": "1"},
        {"idTag": "AB", "MeterStart": 100, "Timestamp": "2026-03-01 10:00:00", "connectorID": 1},
        {"idTag": "AB", "meterStart": 100.0, "timestamp": 1772359200, "connectorId": 1.0},
        {"idTag": "AB", "meterStart": 100, "timestamp": "1772359200000", "connectorId": 1, "extra": [1]},
        {"idTag": "AB", "meterStart": 100, "timestamp": "2026-03-01T12:00:00+0200", "connectorId": 1, "reservationId": -1},
    ],
)
def test_a_start_however_it_is_typed(start: dict[str, Any]) -> None:
    got = fact("StartTransaction", start)
    assert (got.at, got.evse, got.register_wh, got.reservation) == (utc(2026, 3, 1, 10), 1, Decimal(100), None)
    assert got.deviations


@pytest.mark.parametrize("missing", ["idTag", "meterStart", "timestamp", "connectorId"])
def test_a_start_that_lacks_something_is_recorded(missing: str) -> None:
    start = {"connectorId": 1, "idTag": "AB", "meterStart": 5, "timestamp": "2026-03-01T10:00:00Z"}
    del start[missing]
    heard = hear("StartTransaction", start)
    assert isinstance(heard.fact, SessionOpened)
    assert heard.fact.deviations == ("missing_member",)


def test_a_stop_without_a_meter() -> None:
    got = fact("StopTransaction", {"timestamp": "2026-03-01T10:00:00Z", "reason": "evdisconnected"})
    assert got == SessionEnded(
        at=utc(2026, 3, 1, 10), reason="EVDisconnected", deviations=("word_case", "missing_member")
    )


def test_transaction_data_that_is_an_object_and_undated() -> None:
    stop = {
        "transactionId": 1,
        "meterStop": 9,
        "timestamp": "2026-03-01T10:00:00Z",
        "transactionData": {"timestamp": "", "sampledValue": {"value": "9", "context": "Transaction.End"}},
    }
    got = fact("StopTransaction", stop)
    (reading,) = got.readings
    assert (reading.at, reading.energy_wh, reading.context) == (got.at, Decimal(9), Context.END)
    assert set(got.deviations) == {"object_for_array", "unreadable_time", "undated_reading", "missing_member"}


def test_a_reading_without_any_time_is_undated_and_kept() -> None:
    got = fact("MeterValues", {"connectorId": 1, "meterValue": [{"sampledValue": [{"value": "5"}]}]})
    assert (got.at, got.readings[0].at, got.readings[0].energy_wh) == (None, UNDATED, Decimal(5))


@pytest.mark.parametrize("said", ["0001-01-01T00:00:00Z", "", "yesterday", "2026-13-01T00:00:00Z", [], 5, "1900-01-01T00:00:00Z"])
def test_a_time_that_cannot_be_read(said: object) -> None:
    got = fact("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Available", "timestamp": said})
    assert got.at is None
    assert got.deviations


@pytest.mark.parametrize(
    "said",
    [
        "2026-03-01T10:00:00",
        "2026-03-01 10:00:00",
        "2026-03-01 10:00:00Z",
        "2026-03-01t10:00:00z",
        "2026-03-01T10:00:00+00",
        "2026-03-01T11:00:00 +01:00",
        "2026-03-01T05:30:00-0430",
        "2026/03/01 10:00:00",
        "2026-3-1T10:0:0Z",
        "20260301T100000Z",
        "2026-03-01T10:00Z",
        "2026-03-01T10:00:00,000Z",
        "2026-03-01T09:59:60Z",
        "2026-03-01T10:00:00UTC",
        " 2026-03-01T10:00:00Z\n",
        1772359200,
        1772359200.0,
        "1772359200",
        1772359200000,
        "1772359200000",
    ],
)
def test_a_time_however_it_is_written(said: object) -> None:
    got = fact("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Available", "timestamp": said})
    assert got.at == utc(2026, 3, 1, 10)
    assert got.deviations


def test_the_start_value_repeated_beside_the_present_one_is_the_older() -> None:
    sampled = [
        {"value": "163630", "context": "Sample.Periodic", "measurand": ENERGY, "unit": "Wh"},
        {"value": "157440", "context": "Transaction.Begin", "measurand": ENERGY, "unit": "Wh"},
    ]
    for order in (sampled, sampled[::-1]):
        (reading,) = fact("MeterValues", meter(order)).readings
        assert (reading.energy_wh, reading.context) == (Decimal(163630), Context.PERIODIC)
        assert [rest.value for rest in reading.rest] == [Decimal(157440)]


def test_two_values_for_one_quantity_are_both_kept() -> None:
    got = fact("MeterValues", meter([{"value": "5"}, {"value": "6"}, {"value": "5.0"}]))
    (reading,) = got.readings
    assert (reading.energy_wh, [rest.value for rest in reading.rest]) == (Decimal(5), [Decimal(6)])
    assert got.deviations == ("conflicting_values",)


@pytest.mark.parametrize("sampled", [[], None, [None], {}, "x", [[]]])
def test_meter_values_of_nothing_are_answered(sampled: object) -> None:
    assert fact("MeterValues", meter(sampled)).readings == ()
    assert fact("MeterValues", {"connectorId": 1, "meterValue": []}).readings == ()


def test_a_token_of_201_that_is_a_bare_text() -> None:
    event = {
        "eventType": "Started",
        "timestamp": "2026-03-01T10:00:00Z",
        "triggerReason": "Authorized",
        "seqNo": 0,
        "transactionInfo": {"transactionId": "t"},
        "idToken": "04A1B2C3",
    }
    heard = hear("TransactionEvent", event, Version.V201)
    assert heard.token == Presented("04A1B2C3")
    assert "04A1B2C3" not in str(heard)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"eventType": "started"}, SessionOpened),
        ({"eventType": "Begin", "seqNo": 0}, SessionOpened),
        ({"eventType": None, "seqNo": 4}, SessionUpdated),
        ({"eventType": None, "transactionInfo": {"transactionId": "t", "stoppedReason": "Local"}}, SessionEnded),
    ],
)
def test_an_event_whose_kind_is_not_said_plainly(change: dict[str, Any], kind: type) -> None:
    event = {
        "eventType": "Started",
        "timestamp": "2026-03-01T10:00:00Z",
        "triggerReason": "Authorized",
        "seqNo": 0,
        "transactionInfo": {"transactionId": "t"},
    }
    got = fact("TransactionEvent", {**event, **change}, Version.V201)
    assert type(got) is kind
    assert got.deviations


def test_an_event_whose_members_have_odd_types() -> None:
    event = {
        "eventType": "Updated",
        "timestamp": "2026-03-01T10:00:00",
        "triggerReason": "SomethingNew",
        "seqNo": "12",
        "offline": "true",
        "transactionInfo": [{"transactionId": 77, "chargingState": "suspendedev"}],
        "evse": {"id": "2", "connectorId": "1"},
        "meterValue": {"timestamp": "2026-03-01T10:00:00Z", "sampledValue": {"value": "12.5", "unitOfMeasure": {"unit": "kwh"}}},
    }
    got = fact("TransactionEvent", event, Version.V201)
    assert (got.ref, got.seq, got.offline, got.evse, got.connector) == ("77", 12, True, 2, 1)
    assert (got.trigger, got.charging, got.readings[0].energy_wh) == ("SomethingNew", "suspended_ev", Decimal(12500))


def test_a_reply_is_due_for_every_quirk_of_a_start() -> None:
    answer = Answer(now=utc(2026, 3, 1), number=9)
    got = reply("StartTransaction", {"connectorId": "1", "idTag": None, "meterStart": "y", "timestamp": "z"}, answer=answer)
    assert got == {"transactionId": 9, "idTagInfo": {"status": "Invalid"}}
