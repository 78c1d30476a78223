"""Whole sessions of a 2.0.1 station, as the CSMS hears them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from ocpp.v201 import call

from wattkeeper.simulator.v201.telling import Station201
from wattkeeper.simulator.visit import Driver, Outcome, arrive

from .conftest import SLOW, Plug
from .csms import BAD_CARD, GOOD_CARD, KEY, OTHER_CARD, Csms

HOUR = 3600.0
Event = dict[str, Any]


def registers(events: list[Event]) -> list[Decimal]:
    """The energy registers in the events, in Wh."""
    samples = [s for event in events for value in event.get("meterValue", []) for s in value["sampledValue"]]
    return [Decimal(str(one["value"])) for one in samples if one["measurand"] == "Energy.Active.Import.Register"]


def steps(events: list[Event]) -> list[tuple[str, str]]:
    """Type and trigger of the events that are no periodic readings."""
    told = [(event["eventType"], event["triggerReason"]) for event in events]
    return [step for step in told if step[1] != "MeterValuePeriodic"]


async def test_a_whole_session(csms: Csms, plug_in: Plug) -> None:
    station = await plug_in(Station201)
    assert await arrive(station, Driver(GOOD_CARD, 6_890, HOUR * 3)) is Outcome.CHARGED
    await csms.until(lambda: not len(station.outbox))

    events = csms.of("TransactionEvent")
    assert steps(events) == [
        ("Started", "Authorized"),
        ("Updated", "CablePluggedIn"),
        ("Updated", "ChargingStateChanged"),
        ("Updated", "ChargingStateChanged"),
        ("Ended", "StopAuthorized"),
    ]
    assert [event["seqNo"] for event in events] == list(range(len(events)))
    assert len({event["transactionInfo"]["transactionId"] for event in events}) == 1
    shown = registers(events[:-1])
    assert shown == sorted(shown)
    assert len(shown) > 100
    begin, end = registers(events[-1:])
    assert end - begin == 6_890
    assert events[-1]["transactionInfo"]["stoppedReason"] == "Local"
    assert [event["idToken"]["idToken"] for event in events if "idToken" in event] == [GOOD_CARD] * 2
    assert not any(event.get("offline") for event in events)
    assert csms.errors == []


async def test_the_plug_before_the_card(csms: Csms, plug_in: Plug) -> None:
    station = await plug_in(Station201)
    await arrive(station, Driver(GOOD_CARD, 500, HOUR, plugs_first=True, pulls_plug=True))
    await csms.until(lambda: not len(station.outbox))
    told = steps(csms.of("TransactionEvent"))
    assert told[:3] == [("Started", "CablePluggedIn"), ("Updated", "Authorized"), ("Updated", "ChargingStateChanged")]
    assert told[-1] == ("Ended", "EVCommunicationLost")
    assert csms.of("TransactionEvent")[-1]["transactionInfo"]["stoppedReason"] == "EVDisconnected"
    assert [one["connectorStatus"] for one in csms.of("StatusNotification")] == ["Available", "Occupied", "Available"]


async def test_a_refused_card(csms: Csms, plug_in: Plug) -> None:
    station = await plug_in(Station201)
    assert await arrive(station, Driver(BAD_CARD, 500, HOUR)) is Outcome.REFUSED
    assert csms.of("TransactionEvent") == []
    assert await arrive(station, Driver(BAD_CARD, 500, HOUR, plugs_first=True)) is Outcome.REFUSED
    await csms.until(lambda: not len(station.outbox))
    assert steps(csms.of("TransactionEvent")) == [("Started", "CablePluggedIn"), ("Ended", "Deauthorized")]


async def test_a_start_that_is_refused_ends_at_once(csms: Csms, plug_in: Plug) -> None:
    csms.refused_at_start.add(GOOD_CARD)
    station = await plug_in(Station201)
    await arrive(station, Driver(GOOD_CARD, 5_000, HOUR * 8))
    await csms.until(lambda: not len(station.outbox))
    assert csms.of("TransactionEvent")[-1]["transactionInfo"]["stoppedReason"] == "DeAuthorized"


async def test_the_personal_message_stays_on_the_display(csms: Csms, plug_in: Plug) -> None:
    csms.message = "K7QM-4XRD-T"
    station = await plug_in(Station201)
    station.spawn(arrive(station, Driver(GOOD_CARD, 500, HOUR * 50)))
    await csms.until(lambda: station.display == "K7QM-4XRD-T")
    assert station.connectors[0].charge.message == "K7QM-4XRD-T"


async def test_started_and_stopped_from_afar(csms: Csms, plug_in: Plug) -> None:
    await plug_in(Station201, connectors=2, speed=SLOW)
    ask = csms.points["CP1"].call
    token = {"idToken": OTHER_CARD, "type": "ISO14443"}
    wish = call.RequestStartTransaction(id_token=token, remote_start_id=42, evse_id=2)
    assert (await ask(wish)).status == "Accepted"
    await csms.until(lambda: registers(csms.of("TransactionEvent")))
    assert (await ask(wish)).status == "Rejected"
    events = csms.of("TransactionEvent")
    assert events[0]["triggerReason"] == "RemoteStart"
    assert events[0]["transactionInfo"]["remoteStartId"] == 42
    assert {event["evse"]["id"] for event in events} == {2}
    reference = events[0]["transactionInfo"]["transactionId"]
    status = await ask(call.GetTransactionStatus(transaction_id=reference))
    assert status.ongoing_indicator is True
    assert (await ask(call.RequestStopTransaction(transaction_id="another"))).status == "Rejected"
    assert (await ask(call.RequestStopTransaction(transaction_id=reference))).status == "Accepted"
    await csms.until(lambda: csms.of("TransactionEvent")[-1]["eventType"] == "Ended")
    assert csms.of("TransactionEvent")[-1]["triggerReason"] == "RemoteStop"


async def test_variables(csms: Csms, plug_in: Plug) -> None:
    station = await plug_in(Station201)
    ask = csms.points["CP1"].call

    def variable(component: str, name: str, **more: str) -> dict[str, Any]:
        return {"component": {"name": component}, "variable": {"name": name}, **more}

    asked = [
        variable("OCPPCommCtrlr", "HeartbeatInterval"),
        variable("OCPPCommCtrlr", "Nonsense"),
        variable("Nonsense", "HeartbeatInterval"),
        variable("SecurityCtrlr", "BasicAuthPassword"),
        variable("OCPPCommCtrlr", "HeartbeatInterval", attributeType="Target"),
    ]
    got = (await ask(call.GetVariables(get_variable_data=asked))).get_variable_result
    assert [one["attribute_status"] for one in got] == [
        "Accepted",
        "UnknownVariable",
        "UnknownComponent",
        "Rejected",
        "NotSupportedAttributeType",
    ]
    assert "attribute_value" not in got[3]
    wishes = [
        variable("SampledDataCtrlr", "TxUpdatedInterval", attributeValue="120"),
        variable("TxCtrlr", "TxStartPoint", attributeValue="EnergyTransfer"),
        variable("SecurityCtrlr", "BasicAuthPassword", attributeValue="short"),
    ]
    result = (await ask(call.SetVariables(set_variable_data=wishes))).set_variable_result
    assert [one["attribute_status"] for one in result] == ["Accepted", "Rejected", "Rejected"]
    assert station.reading_every_s == 120


async def test_a_new_password_is_used_at_once(csms: Csms, plug_in: Plug) -> None:
    station = await plug_in(Station201)
    new = "fedcba9876543210"
    csms.keys["CP1"] = new
    wish = {
        "component": {"name": "SecurityCtrlr"},
        "variable": {"name": "BasicAuthPassword"},
        "attributeValue": new,
    }
    await csms.points["CP1"].call(call.SetVariables(set_variable_data=[wish]))
    await csms.until(lambda: len(csms.handshakes) == 2 and station.online)
    assert csms.handshakes == [("CP1", KEY), ("CP1", new)]


async def test_the_inventory_comes_in_parts(csms: Csms, plug_in: Plug) -> None:
    station = await plug_in(Station201)
    ask = csms.points["CP1"].call
    assert (await ask(call.GetBaseReport(request_id=7, report_base="FullInventory"))).status == "Accepted"
    await csms.until(lambda: csms.of("NotifyReport") and not csms.of("NotifyReport")[-1]["tbc"])
    parts = csms.of("NotifyReport")
    assert [part["seqNo"] for part in parts] == list(range(len(parts)))
    assert {part["requestId"] for part in parts} == {7}
    assert sum(len(part["reportData"]) for part in parts) == len(station.variables)
    assert (await ask(call.GetBaseReport(request_id=8, report_base="SummaryInventory"))).status == "EmptyResultSet"


async def test_messages_on_the_display(csms: Csms, plug_in: Plug) -> None:
    station = await plug_in(Station201)
    ask = csms.points["CP1"].call
    shown = {"id": 5, "priority": "AlwaysFront", "message": {"format": "UTF8", "content": "Closed at six"}}
    assert (await ask(call.GetDisplayMessages(request_id=1))).status == "Unknown"
    assert (await ask(call.SetDisplayMessage(message=shown))).status == "Accepted"
    assert station.display == "Closed at six"
    assert (await ask(call.GetDisplayMessages(request_id=2))).status == "Accepted"
    await csms.until(lambda: csms.of("NotifyDisplayMessages"))
    assert csms.of("NotifyDisplayMessages") == [{"requestId": 2, "messageInfo": [shown]}]
    assert (await ask(call.ClearDisplayMessage(id=5))).status == "Accepted"
    assert (await ask(call.ClearDisplayMessage(id=5))).status == "Unknown"
    assert station.display is None


async def test_reset_at_once_and_reset_when_idle(csms: Csms, plug_in: Plug) -> None:
    station = await plug_in(Station201)
    ask = csms.points["CP1"].call
    station.spawn(arrive(station, Driver(GOOD_CARD, 500, HOUR * 50)))
    await csms.until(lambda: registers(csms.of("TransactionEvent")))
    assert (await ask(call.Reset(type="OnIdle", evse_id=1))).status == "Rejected"
    assert (await ask(call.Reset(type="OnIdle"))).status == "Scheduled"
    reference = csms.of("TransactionEvent")[0]["transactionInfo"]["transactionId"]
    await ask(call.RequestStopTransaction(transaction_id=reference))
    await csms.until(lambda: len(csms.of("BootNotification")) == 2 and station.online)
    assert csms.of("TransactionEvent")[-1]["transactionInfo"]["stoppedReason"] == "Remote"
    assert csms.of("BootNotification")[-1]["reason"] == "ScheduledReset"
    station.spawn(arrive(station, Driver(GOOD_CARD, 9_000, HOUR * 50)))
    await csms.until(lambda: csms.of("TransactionEvent")[-1]["eventType"] == "Updated")
    assert (await csms.points["CP1"].call(call.Reset(type="Immediate"))).status == "Accepted"
    await csms.until(lambda: len(csms.of("BootNotification")) == 3)
    assert csms.of("TransactionEvent")[-1]["transactionInfo"]["stoppedReason"] == "ImmediateReset"
    assert csms.of("BootNotification")[-1]["reason"] == "RemoteReset"


async def test_the_remaining_orders(csms: Csms, plug_in: Plug) -> None:
    station = await plug_in(Station201)
    ask = csms.points["CP1"].call
    entry = {"idToken": {"idToken": OTHER_CARD, "type": "ISO14443"}, "idTokenInfo": {"status": "Accepted"}}
    listed = call.SendLocalList(version_number=3, update_type="Full", local_authorization_list=[entry])
    assert (await ask(listed)).status == "Accepted"
    assert (await ask(call.GetLocalListVersion())).version_number == 3
    assert station.local_list == {OTHER_CARD: True}
    removed = call.SendLocalList(
        version_number=4, update_type="Differential", local_authorization_list=[{"idToken": entry["idToken"]}]
    )
    assert (await ask(removed)).status == "Accepted"
    assert station.local_list == {}
    assert (await ask(call.ClearCache())).status == "Accepted"
    assert (await ask(call.DataTransfer(vendor_id="Elsewhere"))).status == "UnknownVendorId"
    assert (await ask(call.CostUpdated(total_cost=1.5, transaction_id="none"))) is not None
    assert (await ask(call.UnlockConnector(evse_id=1, connector_id=1))).status == "Unlocked"
    assert (await ask(call.UnlockConnector(evse_id=9, connector_id=1))).status == "UnknownConnector"
    out = call.ChangeAvailability(operational_status="Inoperative")
    assert (await ask(out)).status == "Accepted"
    for message in ("Heartbeat", "StatusNotification", "MeterValues"):
        assert (await ask(call.TriggerMessage(requested_message=message))).status == "Accepted"
    await csms.until(lambda: csms.of("Heartbeat") and csms.of("MeterValues"))
    assert csms.of("StatusNotification")[-1]["connectorStatus"] == "Unavailable"
    assert await ask(call.CancelReservation(reservation_id=1)) is None, "answered with CALLERROR"


async def test_a_running_transaction_is_told_on_demand(csms: Csms, plug_in: Plug) -> None:
    station = await plug_in(Station201)
    station.spawn(arrive(station, Driver(GOOD_CARD, 5_000, HOUR * 50)))
    await csms.until(lambda: registers(csms.of("TransactionEvent")))
    ask = csms.points["CP1"].call
    assert (await ask(call.UnlockConnector(evse_id=1, connector_id=1))).status == "OngoingAuthorizedTransaction"
    assert (await ask(call.TriggerMessage(requested_message="TransactionEvent"))).status == "Accepted"
    await csms.until(lambda: ("Updated", "Trigger") in steps(csms.of("TransactionEvent")))
