"""Whole sessions of a 1.6 station, as the central system hears them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from ocpp.v16 import call

import ocpp.messages
from wattkeeper.simulator.charge import Status
from wattkeeper.simulator.v16.telling import Station16
from wattkeeper.simulator.visit import Driver, Outcome, arrive

from .conftest import SLOW, Plug
from .csms import BAD_CARD, GOOD_CARD, KEY, OTHER_CARD, Csms

HOUR = 3600.0


def registers(payloads: list[dict[str, Any]]) -> list[int]:
    """The energy registers of MeterValues, in Wh."""
    samples = [sample for payload in payloads for value in payload["meterValue"] for sample in value["sampledValue"]]
    return [int(one["value"]) for one in samples if one["measurand"] == "Energy.Active.Import.Register"]


def statuses(csms: Csms, connector: int = 1) -> list[str]:
    """The statuses of a connector, in order."""
    return [one["status"] for one in csms.of("StatusNotification") if one["connectorId"] == connector]


async def visit(station: Station16, driver: Driver) -> Outcome:
    """A whole visit, until everything about it has been told."""
    outcome = await arrive(station, driver)
    await station.outbox.emptied()
    return outcome


async def test_a_whole_session(csms: Csms, plug_in: Plug) -> None:
    station = await plug_in(Station16)
    assert await visit(station, Driver(GOOD_CARD, 5_030, HOUR * 2)) is Outcome.CHARGED

    [start], [stop] = csms.of("StartTransaction"), csms.of("StopTransaction")
    assert stop["meterStop"] - start["meterStart"] == 5_030
    assert stop["reason"] == "Local"
    assert stop["idTag"] == start["idTag"] == GOOD_CARD
    assert [value["sampledValue"][0]["context"] for value in stop["transactionData"]] == [
        "Transaction.Begin",
        "Transaction.End",
    ]
    assert statuses(csms) == ["Available", "Preparing", "Charging", "SuspendedEV", "Finishing", "Available"]
    shown = registers(csms.of("MeterValues"))
    assert shown == sorted(shown)
    assert 60 < len(shown) < 120
    assert shown[-1] == stop["meterStop"]
    assert {one["transactionId"] for one in csms.of("MeterValues")} == {stop["transactionId"]}
    assert csms.errors == []


async def test_the_session_is_told_in_order_and_never_from_the_future(csms: Csms, plug_in: Plug) -> None:
    station = await plug_in(Station16)
    await visit(station, Driver(GOOD_CARD, 2_000, HOUR))
    told = [action for action in csms.actions() if action not in ("MeterValues", "StatusNotification")]
    assert told == ["BootNotification", "Authorize", "StartTransaction", "StopTransaction"]
    [start], [stop], readings = csms.of("StartTransaction"), csms.of("StopTransaction"), csms.of("MeterValues")
    stamps = [start["timestamp"], *(one["meterValue"][0]["timestamp"] for one in readings), stop["timestamp"]]
    assert stamps == sorted(stamps)
    assert max(datetime.fromisoformat(stamp) for stamp in stamps) < datetime.now(UTC)


async def test_a_reading_holds_what_a_meter_shows(csms: Csms, plug_in: Plug) -> None:
    station = await plug_in(Station16)
    await visit(station, Driver(GOOD_CARD, 10_000, HOUR * 1.1))
    samples = csms.of("MeterValues")[10]["meterValue"][0]["sampledValue"]
    by_name = {(sample["measurand"], sample.get("phase")): sample for sample in samples}
    assert by_name["Energy.Active.Import.Register", None]["unit"] == "Wh"
    power = float(by_name["Power.Active.Import", None]["value"])
    volt_amperes = sum(
        float(by_name["Current.Import", f"L{n}"]["value"]) * float(by_name["Voltage", f"L{n}-N"]["value"])
        for n in (1, 2, 3)
    )
    assert 7_000 < power < 11_001
    assert abs(volt_amperes - power) < 20
    assert by_name["Temperature", None]["unit"] == "Celsius"


async def test_a_refused_card_starts_nothing(csms: Csms, plug_in: Plug, said: list[str]) -> None:
    station = await plug_in(Station16)
    assert await visit(station, Driver(BAD_CARD, 5_000, HOUR)) is Outcome.REFUSED
    assert await visit(station, Driver(BAD_CARD, 5_000, HOUR, plugs_first=True)) is Outcome.REFUSED
    assert csms.of("StartTransaction", "StopTransaction") == []
    assert statuses(csms)[-1] == "Available"
    assert not any(BAD_CARD in line for line in said)


async def test_a_start_that_is_refused_ends_at_once(csms: Csms, plug_in: Plug) -> None:
    csms.refused_at_start.add(GOOD_CARD)
    station = await plug_in(Station16)
    await visit(station, Driver(GOOD_CARD, 5_000, HOUR * 8))
    [stop] = csms.of("StopTransaction")
    assert stop["reason"] == "DeAuthorized"
    assert "idTag" not in stop


async def test_a_car_that_draws_nothing(csms: Csms, plug_in: Plug) -> None:
    station = await plug_in(Station16)
    await visit(station, Driver(GOOD_CARD, 0, 900))
    [start], [stop] = csms.of("StartTransaction"), csms.of("StopTransaction")
    assert start["meterStart"] == stop["meterStop"]
    assert "SuspendedEV" in statuses(csms)


async def test_pulling_the_plug_needs_no_card(csms: Csms, plug_in: Plug) -> None:
    station = await plug_in(Station16)
    await visit(station, Driver(GOOD_CARD, 1_000, HOUR, pulls_plug=True))
    [stop] = csms.of("StopTransaction")
    assert stop["reason"] == "EVDisconnected"
    assert "idTag" not in stop


async def test_nobody_charges_before_the_station_is_accepted(csms: Csms, plug_in: Plug) -> None:
    csms.boots = [("Pending", 3600), ("Rejected", 1)]
    station = await plug_in(Station16, accepted=False)
    await csms.until(lambda: "CP1" in csms.points and csms.of("BootNotification"))
    assert await visit(station, Driver(GOOD_CARD, 1_000, HOUR)) is Outcome.TURNED_AWAY
    answer = await csms.points["CP1"].call(call.TriggerMessage(requested_message="BootNotification"))
    assert answer.status == "Accepted"
    await csms.until(lambda: station.online)
    assert csms.actions()[:3] == ["BootNotification"] * 3


async def test_heartbeats_come_at_the_interval_of_the_boot(csms: Csms, plug_in: Plug) -> None:
    csms.boots = [("Accepted", 1)]
    await plug_in(Station16)
    await csms.until(lambda: len(csms.of("Heartbeat")) >= 2)


async def test_started_and_stopped_from_afar(csms: Csms, plug_in: Plug) -> None:
    station = await plug_in(Station16, connectors=2, speed=SLOW)
    ask = csms.points["CP1"].call
    answer = await ask(call.RemoteStartTransaction(id_tag=OTHER_CARD, connector_id=2))
    assert answer.status == "Accepted"
    await csms.until(lambda: csms.of("MeterValues"))
    assert (await ask(call.RemoteStartTransaction(id_tag=GOOD_CARD, connector_id=2))).status == "Rejected"
    transaction = csms.of("MeterValues")[0]["transactionId"]
    assert (await ask(call.RemoteStopTransaction(transaction_id=transaction + 1))).status == "Rejected"
    assert (await ask(call.RemoteStopTransaction(transaction_id=transaction))).status == "Accepted"
    await csms.until(lambda: csms.of("StopTransaction"))
    [start], [stop] = csms.of("StartTransaction"), csms.of("StopTransaction")
    assert start["connectorId"] == 2
    assert stop["reason"] == "Remote"
    assert stop["meterStop"] - start["meterStart"] == station.past[0].energy_wh(station.past[0].ended_at)
    assert "Authorize" not in csms.actions()


async def test_two_connectors_at_once(csms: Csms, plug_in: Plug) -> None:
    station = await plug_in(Station16, connectors=2)
    station.spawn(arrive(station, Driver(GOOD_CARD, 4_000, HOUR * 2)))
    station.spawn(arrive(station, Driver(OTHER_CARD, 3_000, HOUR * 2)))
    await csms.until(lambda: len(csms.of("StopTransaction")) == 2)
    starts = {one["connectorId"]: one["meterStart"] for one in csms.of("StartTransaction")}
    assert set(starts) == {1, 2}
    drawn = {charge.connector.number: charge.energy_wh(charge.ended_at) for charge in station.past}
    assert sorted(drawn.values()) == [3_000, 4_000]
    assert {one.number: one.register_wh - starts[one.number] for one in station.connectors} == drawn


async def test_reset_ends_the_charge_and_boots(csms: Csms, plug_in: Plug) -> None:
    station = await plug_in(Station16)
    station.spawn(arrive(station, Driver(GOOD_CARD, 9_000, HOUR * 50)))
    await csms.until(lambda: csms.of("MeterValues"))
    assert (await csms.points["CP1"].call(call.Reset(type="Hard"))).status == "Accepted"
    await csms.until(lambda: len(csms.of("BootNotification")) == 2 and station.online)
    [stop] = csms.of("StopTransaction")
    assert stop["reason"] == "HardReset"


async def test_configuration(csms: Csms, plug_in: Plug) -> None:
    station = await plug_in(Station16)
    ask = csms.points["CP1"].call
    answer = await ask(call.GetConfiguration(key=["NumberOfConnectors", "Nonsense", "AuthorizationKey"]))
    assert answer.unknown_key == ["Nonsense"]
    assert answer.configuration_key == [
        {"key": "NumberOfConnectors", "readonly": True, "value": "1"},
        {"key": "AuthorizationKey", "readonly": False},
    ]
    assert len((await ask(call.GetConfiguration())).configuration_key) > 10
    wishes = {
        ("MeterValueSampleInterval", "30"): "Accepted",
        ("MeterValueSampleInterval", "soon"): "Rejected",
        ("NumberOfConnectors", "7"): "Rejected",
        ("Nonsense", "1"): "NotSupported",
    }
    for (key, value), status in wishes.items():
        assert (await ask(call.ChangeConfiguration(key=key, value=value))).status == status
    assert station.reading_every_s == 30


async def test_a_new_key_is_used_at_once(csms: Csms, plug_in: Plug, monkeypatch: pytest.MonkeyPatch) -> None:
    # With its checks in threads the library answers late: the line must not be closed before it has answered.
    monkeypatch.setattr(ocpp.messages, "ASYNC_VALIDATION", True)
    station = await plug_in(Station16)
    new = "fedcba9876543210"
    csms.keys["CP1"] = new
    answer = await csms.points["CP1"].call(call.ChangeConfiguration(key="AuthorizationKey", value=new))
    assert answer.status == "Accepted"
    await csms.until(lambda: len(csms.handshakes) == 2 and station.online)
    assert csms.handshakes == [("CP1", KEY), ("CP1", new)]
    assert len(csms.of("BootNotification")) == 1, "a new key is no boot"


async def test_the_remaining_orders(csms: Csms, plug_in: Plug) -> None:
    station = await plug_in(Station16)
    ask = csms.points["CP1"].call
    entry = {"idTag": OTHER_CARD, "idTagInfo": {"status": "Accepted"}}
    listed = call.SendLocalList(list_version=3, update_type="Full", local_authorization_list=[entry])
    assert (await ask(listed)).status == "Accepted"
    stale = call.SendLocalList(list_version=3, update_type="Differential")
    assert (await ask(stale)).status == "VersionMismatch"
    assert (await ask(call.GetLocalListVersion())).list_version == 3
    assert station.local_list == {OTHER_CARD: True}
    station.cards[GOOD_CARD] = True
    assert (await ask(call.ClearCache())).status == "Accepted"
    assert station.cards == {}
    assert (await ask(call.DataTransfer(vendor_id="Elsewhere"))).status == "UnknownVendorId"
    assert (await ask(call.UnlockConnector(connector_id=1))).status == "Unlocked"
    assert (await ask(call.UnlockConnector(connector_id=9))).status == "NotSupported"
    for message in ("BootNotification", "Heartbeat", "StatusNotification", "MeterValues"):
        assert (await ask(call.TriggerMessage(requested_message=message))).status == "Accepted"
    await csms.until(lambda: csms.of("Heartbeat") and csms.of("MeterValues") and len(csms.of("BootNotification")) == 2)
    triggered = call.TriggerMessage(requested_message="FirmwareStatusNotification")
    assert (await ask(triggered)).status == "NotImplemented"
    reservation = call.ReserveNow(connector_id=1, expiry_date="2030-01-01T00:00:00Z", id_tag="A", reservation_id=1)
    assert await ask(reservation) is None, "answered with CALLERROR NotImplemented"


async def test_out_of_service_after_the_car_has_left(csms: Csms, plug_in: Plug) -> None:
    station = await plug_in(Station16)
    ask = csms.points["CP1"].call
    out = call.ChangeAvailability(connector_id=0, type="Inoperative")
    station.spawn(arrive(station, Driver(GOOD_CARD, 500, HOUR * 50)))
    await csms.until(lambda: csms.of("MeterValues"))
    assert (await ask(out)).status == "Scheduled"
    await ask(call.RemoteStopTransaction(transaction_id=csms.of("MeterValues")[0]["transactionId"]))
    await csms.until(lambda: statuses(csms)[-1] == "Unavailable")
    assert station.connectors[0].status is Status.UNAVAILABLE
    assert await visit(station, Driver(GOOD_CARD, 500, HOUR)) is Outcome.TURNED_AWAY
    back = call.ChangeAvailability(connector_id=1, type="Operative")
    assert (await ask(back)).status == "Accepted"
    await csms.until(lambda: statuses(csms)[-1] == "Available")


async def test_a_wrong_key_is_refused_and_tried_again(csms: Csms, plug_in: Plug, said: list[str]) -> None:
    csms.keys["CP1"] = "another key of sixteen"
    station = await plug_in(Station16, accepted=False)
    await csms.until(lambda: len(csms.handshakes) >= 3)
    assert [line.partition(",")[0] for line in said] == ["CP1 · refused at the door (401); tries again"]
    csms.keys["CP1"] = KEY
    await csms.until(lambda: station.online)
    csms.keys["CP1"] = "another key of sixteen"
    station.line.drop()
    await csms.until(lambda: len([line for line in said if "refused at the door" in line]) == 2)


async def test_a_message_that_is_answered_with_an_error_is_given_up(csms: Csms, plug_in: Plug) -> None:
    csms.failing.add("MeterValues")
    station = await plug_in(Station16)
    await visit(station, Driver(GOOD_CARD, 100, 300))
    await csms.until(lambda: csms.of("StopTransaction"))
    stamps = [one["meterValue"][0]["timestamp"] for one in csms.of("MeterValues")]
    assert len(stamps) == 3 * len(set(stamps)), "each is tried three times"
