"""What an OCPP 2.0.1 station answers to its CSMS, and what it does then.

Whatever is not answered here the library answers with NotImplemented, and unknown actions with
NotSupported.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ocpp.exceptions import NotSupportedError
from ocpp.v201 import ChargePoint, call, call_result

from wattkeeper.simulator.charge import Charge, Connector, Ending
from wattkeeper.simulator.orders import (
    MOST_AT_ONCE,
    OWN_VENDOR,
    Setting,
    call_driver,
    each,
    heartbeat_interval,
    keep,
    key_change,
    listed,
    reading_interval,
    set_operative,
    take_local_list,
)
from wattkeeper.simulator.station import Listed
from wattkeeper.simulator.visit import free_connector
from wattkeeper.simulator.wire import Wire, answers, stamp

if TYPE_CHECKING:
    from wattkeeper.simulator.v201.telling import Station201

REPORT_PART = 8
"""Variables in one NotifyReport."""

Name = tuple[str, str]
"""Component and variable; the variable's instance after a slash."""


def variables(station: Station201) -> dict[Name, Setting]:
    """The device model: the variables that this station knows (2.0.1 part 2, appendix 3)."""
    return {
        ("AuthCacheCtrlr", "Enabled"): Setting("true"),
        ("AuthCtrlr", "AuthorizeRemoteStart"): Setting("false"),
        ("AuthCtrlr", "LocalAuthorizeOffline"): Setting("true"),
        ("AuthCtrlr", "LocalPreAuthorize"): Setting("false"),
        ("ChargingStation", "Model"): Setting("Witness 201"),
        ("ChargingStation", "VendorName"): Setting("Wattkeeper"),
        ("DisplayMessageCtrlr", "Available"): Setting("true"),
        ("LocalAuthListCtrlr", "Enabled"): Setting("true", keep),
        ("LocalAuthListCtrlr", "ItemsPerMessage"): Setting(str(MOST_AT_ONCE)),
        ("OCPPCommCtrlr", "HeartbeatInterval"): Setting(str(int(station.heartbeat_s)), heartbeat_interval(station)),
        ("OCPPCommCtrlr", "OfflineThreshold"): Setting("60", keep),
        ("SampledDataCtrlr", "TxUpdatedInterval"): Setting(
            str(int(station.reading_every_s)), reading_interval(station)
        ),
        ("SampledDataCtrlr", "TxUpdatedMeasurands"): Setting(
            "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage,SoC"
        ),
        ("SecurityCtrlr", "BasicAuthPassword"): Setting("", key_change(station), secret=True),
        ("SecurityCtrlr", "SecurityProfile"): Setting("1"),
        **(_money() if station.shows_costs else {}),
        ("TxCtrlr", "EVConnectionTimeOut"): Setting("60", keep),
        ("TxCtrlr", "TxStartPoint"): Setting("Authorized,EVConnected"),
        ("TxCtrlr", "TxStopPoint"): Setting("Authorized,EVConnected"),
    }


def _money() -> dict[Name, Setting]:
    """What a station knows whose display shows costs (I02, I03)."""
    shown = {"Available/Cost": "true", "Enabled/Cost": "true", "Currency": "EUR"}
    return {("TariffCostCtrlr", name): Setting(value) for name, value in shown.items()}


class Wire201(Wire, ChargePoint):  # type: ignore[misc]
    """One conversation of an OCPP 2.0.1 station."""

    station: Station201

    @answers("RequestStartTransaction")
    def start_charge(self, id_token: dict[str, Any], remote_start_id: int, evse_id: int | None = None, **_: Any) -> Any:
        """A driver comes to the EVSE, if it is free."""
        if free_connector(self.station, evse_id) is None or not self.station.booted:
            return call_result.RequestStartTransaction(status="Rejected")
        card = id_token["id_token"]
        self.afterwards.append(lambda: call_driver(self.station, evse_id, card, remote_start_id))
        return call_result.RequestStartTransaction(status="Accepted")

    @answers("RequestStopTransaction")
    def stop_charge(self, transaction_id: str, **_: Any) -> Any:
        """End that transaction, if it runs."""
        charge = self._charge(transaction_id)
        if charge is None:
            return call_result.RequestStopTransaction(status="Rejected")
        self.afterwards.append(lambda: charge.want(Ending.REMOTE))
        return call_result.RequestStopTransaction(status="Accepted")

    @answers("GetTransactionStatus")
    def get_transaction_status(self, transaction_id: str | None = None, **_: Any) -> Any:
        """Whether it runs and whether messages wait."""
        ongoing = None if transaction_id is None else self._charge(transaction_id) is not None
        return call_result.GetTransactionStatus(
            messages_in_queue=len(self.station.outbox) > 0, ongoing_indicator=ongoing
        )

    def _charge(self, reference: str) -> Charge | None:
        running = (charge for charge in self.station.charges() if charge.ended_at is None)
        return next((charge for charge in running if charge.reference == reference), None)

    @answers("Reset")
    def reset(self, type: str, evse_id: int | None = None, **_: Any) -> Any:
        """Boot again: at once, or when the last car has left. A single EVSE cannot be reset."""
        if evse_id is not None:
            return call_result.Reset(status="Rejected")
        station = self.station
        if type == "OnIdle" and any(connector.taken for connector in station.connectors):
            self.afterwards.append(lambda: station.spawn(station.reset_when_idle("ScheduledReset")))
            return call_result.Reset(status="Scheduled")
        self.afterwards.append(lambda: station.spawn(station.reset(Ending.HARD_RESET, "RemoteReset")))
        return call_result.Reset(status="Accepted")

    @answers("UnlockConnector")
    def unlock(self, evse_id: int, connector_id: int, **_: Any) -> Any:
        """Unlock, unless a transaction runs there."""
        found = self._connectors({"id": evse_id}) if connector_id == 1 and evse_id else []
        if not found:
            return call_result.UnlockConnector(status="UnknownConnector")
        running = found[0].charge is not None and found[0].charge.ended_at is None
        return call_result.UnlockConnector(status="OngoingAuthorizedTransaction" if running else "Unlocked")

    @answers("ChangeAvailability")
    def change_availability(self, operational_status: str, evse: dict[str, Any] | None = None, **_: Any) -> Any:
        """In or out of service; a taken EVSE follows later."""
        connectors = self._connectors(evse)
        if not connectors:
            return call_result.ChangeAvailability(status="Rejected")
        operative = operational_status == "Operative"
        self.afterwards.append(lambda: set_operative(self.station, connectors, operative))
        taken = any(connector.taken for connector in connectors)
        return call_result.ChangeAvailability(status="Scheduled" if taken else "Accepted")

    @answers("TriggerMessage")
    def trigger(self, requested_message: str, evse: dict[str, Any] | None = None, **_: Any) -> Any:
        """Send the message asked for, after this answer."""
        connectors = self._connectors(evse)
        if not connectors:
            return call_result.TriggerMessage(status="Rejected")
        deed = self._triggered(requested_message, connectors)
        if deed is None:
            return call_result.TriggerMessage(status="NotImplemented")
        self.afterwards.append(deed)
        return call_result.TriggerMessage(status="Accepted")

    def _triggered(self, message: str, connectors: list[Connector]) -> Callable[[], object] | None:
        station = self.station
        charges = [one.charge for one in connectors if one.charge is not None]
        running = [charge for charge in charges if charge.begun and charge.ended_at is None]
        deeds: dict[str, Callable[[], object]] = {
            "BootNotification": station.boot_again,
            "Heartbeat": lambda: station.spawn(station.beat()),
            "StatusNotification": lambda: each(station.tell_status, connectors),
            "MeterValues": lambda: each(station.tell_triggered, connectors),
            "TransactionEvent": lambda: each(station.tell_transaction, running),
        }
        return deeds.get(message)

    @answers("GetVariables")
    def get_variables(self, get_variable_data: list[dict[str, Any]], **_: Any) -> Any:
        """The values asked for; a secret's value is never told."""
        return call_result.GetVariables(get_variable_result=[self._got(asked) for asked in get_variable_data])

    def _got(self, asked: dict[str, Any]) -> dict[str, Any]:
        status, setting = self._look_up(asked)
        result = {"component": asked["component"], "variable": asked["variable"], "attribute_status": status}
        if setting is None or setting.secret:
            return result if setting is None else {**result, "attribute_status": "Rejected"}
        return {**result, "attribute_value": setting.value}

    @answers("SetVariables")
    def set_variables(self, set_variable_data: list[dict[str, Any]], **_: Any) -> Any:
        """Set variables and act on them."""
        return call_result.SetVariables(set_variable_result=[self._set(wish) for wish in set_variable_data])

    def _set(self, wish: dict[str, Any]) -> dict[str, Any]:
        status, setting = self._look_up(wish)
        if setting is not None and not setting.change(wish["attribute_value"]):
            status = "Rejected"
        return {"component": wish["component"], "variable": wish["variable"], "attribute_status": status}

    def _look_up(self, asked: dict[str, Any]) -> tuple[str, Setting | None]:
        known = self.station.variables
        instance = asked["variable"].get("instance")
        name = (asked["component"]["name"], "/".join(filter(None, (asked["variable"]["name"], instance))))
        if asked.get("attribute_type", "Actual") != "Actual":
            return "NotSupportedAttributeType", None
        if name in known:
            return "Accepted", known[name]
        known_component = any(component == name[0] for component, _ in known)
        return ("UnknownVariable" if known_component else "UnknownComponent"), None

    @answers("GetBaseReport")
    def get_base_report(self, request_id: int, report_base: str, **_: Any) -> Any:
        """Report every variable in parts; the summary would hold nothing."""
        if report_base == "SummaryInventory":
            return call_result.GetBaseReport(status="EmptyResultSet")
        self.afterwards.append(lambda: self.station.spawn(self._report(request_id)))
        return call_result.GetBaseReport(status="Accepted")

    async def _report(self, request_id: int) -> None:
        entries = [_reported(name, setting) for name, setting in self.station.variables.items()]
        parts = [entries[at : at + REPORT_PART] for at in range(0, len(entries), REPORT_PART)]
        for number, part in enumerate(parts):
            report = call.NotifyReport(
                request_id=request_id,
                generated_at=stamp(self.station.clock.now()),
                seq_no=number,
                report_data=part,
                tbc=number + 1 < len(parts),
            )
            await self.station.send(report)

    @answers("SetDisplayMessage")
    def set_display_message(self, message: dict[str, Any], **_: Any) -> Any:
        """Show a message."""
        self.station.messages[message["id"]] = message
        self.station.display = message["message"]["content"]
        charge = self._charge(message.get("transaction_id", ""))
        if charge is not None:
            charge.till.price = self.station.display
        return call_result.SetDisplayMessage(status="Accepted")

    @answers("GetDisplayMessages")
    def get_display_messages(self, request_id: int, **_: Any) -> Any:
        """Tell the messages that are shown."""
        if not self.station.messages:
            return call_result.GetDisplayMessages(status="Unknown")
        messages = list(self.station.messages.values())
        shown = call.NotifyDisplayMessages(request_id=request_id, message_info=messages)
        self.afterwards.append(lambda: self.station.spawn(self.station.send(shown)))
        return call_result.GetDisplayMessages(status="Accepted")

    @answers("ClearDisplayMessage")
    def clear_display_message(self, id: int, **_: Any) -> Any:
        """Take a message off the display."""
        if self.station.messages.pop(id, None) is None:
            return call_result.ClearDisplayMessage(status="Unknown")
        self.station.display = None
        return call_result.ClearDisplayMessage(status="Accepted")

    @answers("CostUpdated")
    def cost_updated(self, total_cost: float, transaction_id: str, **_: Any) -> Any:
        """Show what the charge costs so far."""
        if not self.station.shows_costs:
            raise NotSupportedError
        charge = self._charge(transaction_id)
        if charge is not None:
            charge.till.costs.append(Decimal(str(total_cost)))
            self.station.display = f"{total_cost:.2f}"
            self.station.tell_human(f"display: {total_cost:.2f} so far", charge.connector)
        return call_result.CostUpdated()

    @answers("SendLocalList")
    def send_local_list(self, version_number: int, update_type: str, **more: Any) -> Any:
        """Take the local list."""
        if not self.station.keeps_list:
            raise NotSupportedError
        told = more.get("local_authorization_list") or []
        entries = {entry["id_token"]["id_token"]: _listed(entry) for entry in told}
        status = take_local_list(self.station, version_number, update_type == "Full", entries)
        return call_result.SendLocalList(status=status)

    @answers("GetLocalListVersion")
    def get_local_list_version(self, **_: Any) -> Any:
        """The version of the local list, 0 where there is none."""
        return call_result.GetLocalListVersion(version_number=self.station.local_list_version)

    @answers("ClearCache")
    def clear_cache(self, **_: Any) -> Any:
        """Forget every card that was accepted before."""
        self.station.cards.clear()
        return call_result.ClearCache(status="Accepted")

    @answers("CustomerInformation")
    def customer_information(self, clear: bool, id_token: dict[str, Any] | None = None, **_: Any) -> Any:
        """Forget the holder of a card."""
        if id_token is None:
            return call_result.CustomerInformation(status="Invalid")
        if clear:
            self.station.cards.pop(id_token["id_token"], None)
        return call_result.CustomerInformation(status="Accepted")

    @answers("DataTransfer")
    def data_transfer(self, vendor_id: str, **_: Any) -> Any:
        """Know nobody's extensions but our own, which are none."""
        status = "UnknownMessageId" if vendor_id == OWN_VENDOR else "UnknownVendorId"
        return call_result.DataTransfer(status=status)

    def _connectors(self, evse: dict[str, Any] | None) -> list[Connector]:
        number = 0 if evse is None else evse["id"]
        return [one for one in self.station.connectors if number in (0, one.number)]


def _listed(entry: dict[str, Any]) -> Listed | None:
    return listed(entry.get("id_token_info"), "cache_expiry_date_time")


def _reported(name: Name, setting: Setting) -> dict[str, Any]:
    mutability = "WriteOnly" if setting.secret else "ReadOnly" if setting.readonly else "ReadWrite"
    shown = {} if setting.secret else {"value": setting.value}
    return {
        "component": {"name": name[0]},
        "variable": dict(zip(("name", "instance"), name[1].split("/"), strict=False)),
        "variable_attribute": [{"type": "Actual", "mutability": mutability, **shown}],
    }
