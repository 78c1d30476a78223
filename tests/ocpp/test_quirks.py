"""How real stations differ from the standard, by the ids of the collection, and more that were found since.

Where a frame was found in the open it is told here in our own form; `SOURCES` says where to look.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest

from tests.ocpp.talk import fact, link, receive, refusal, reply
from wattkeeper.charging.cards.token import Presented
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
from wattkeeper.charging.reading import Context
from wattkeeper.charging.station import ConnectorStatus, Version
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
    opened = fact(
        "StartTransaction", {"connectorId": 1, "idTag": "A", "meterStart": 0.5, "timestamp": "2026-03-01T10:00:00Z"}
    )
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
    assert (
        fact(
            "BootNotification", {"chargePointVendor": "v", "chargePointModel": "m", "meterSerialNumber": long}
        ).meter_serial
        == long
    )


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
    assert (call_id, code) == (
        "m1",
        "NotImplemented" if "Transaction" in action or "Diagnos" in action else "ProtocolError",
    )
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
    got = talk.receive(
        orjson.dumps([3, "o1", {"configurationKey": [{"key": "K", "readonly": True, "value": value}]}]).decode()
    )
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
